//! A forge's API over HTTPS: one page after the other, with its rate limits kept and its passing faults sat out. A token
//! goes to the forge's own host only.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use reqwest::redirect;
use serde_json::Value;

use super::reply::{self, Page, Reply};
use crate::audit::url::{Url, is_loopback};
use crate::model::Secret;

/// A longer answer is not one that was asked for, in bytes.
const LONGEST_ANSWER: usize = 64 << 20;
/// How often a request is tried again after a passing fault.
const MOST_RETRIES: usize = 5;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The longest pause before a request is tried again after a passing fault, whatever the forge asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest that one request waits for rate limits to be lifted, all of its waits together; GitHub's limit is an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(3700);
/// How often one request is sent on to another address.
const MOST_MOVES: usize = 5;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such thing, or this token may not see it.
    Missing(String),
    /// It needs a token, or another one.
    Denied(String),
    /// It did not go.
    Failed(String),
    /// The run ends.
    Stopped,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(words) | Self::Denied(words) | Self::Failed(words) => f.write_str(words),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// How a token is sent.
#[derive(Debug, Clone)]
pub enum Scheme {
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// `Authorization: token TOKEN`.
    Token,
    /// `Authorization: Basic base64(USER:TOKEN)`.
    Basic(String),
}

/// After so many requests of one kind that no repetition helped, the others of that kind are asked once and not again.
const MOST_FAULTS: u32 = 3;

/// By kind of request, how many failed one after the other however often they were repeated.
pub type Faults = Arc<Mutex<HashMap<String, u32>>>;

/// Whose token an API has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Nobody's.
    Nobody,
    /// A person's, or of something that acts like one.
    Person {
        /// It is of the kind of GitHub's whose scopes are stated with each answer.
        classic: bool,
    },
    /// A GitHub App's, in one organization.
    Installation {
        /// The App is installed on selected repositories, not on all.
        selected: bool,
    },
}

/// What says something while a run waits.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// The API of one forge.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `https://host/path`, without a slash at the end.
    pub base: String,
    /// Whose token it has.
    pub bearer: Bearer,
    pub(super) origin: String,
    authorization: Option<HeaderValue>,
    accept: &'static str,
    stop: Arc<AtomicBool>,
    say: Say,
    /// Those of all that ask the same source.
    pub(in crate::audit) faults: Faults,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Api {
    /// The API at an address, with a token where there is one.
    pub fn new(
        base: &str,
        token: Option<(Scheme, &Secret)>,
        accept: &'static str,
        stop: Arc<AtomicBool>,
        say: Say,
    ) -> Result<Self, Problem> {
        // The one provider of this process; a second call finds it set.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // An address of a repository has a path, and an API's base need not.
        let url = Url::parse(&format!("{base}/api"))
            .map_err(|reason| Problem::Failed(format!("{base}: {reason}")))?;
        let origin = url.origin().unwrap_or_default();
        if token.is_some() && !url.keeps_secrets() {
            return Err(Problem::Denied(format!("{base}: a token is sent over https:// only")));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sidsweep/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(15))
            .timeout(TIMEOUT);
        if is_loopback(url.host()) {
            builder = builder.no_proxy();
        }
        // git takes these authorities in the place of all others, and so does the API.
        if let Some(path) = std::env::var_os("GIT_SSL_CAINFO").filter(|path| !path.is_empty()) {
            let authorities = crate::authorities::read(Path::new(&path))
                .map_err(|reason| Problem::Failed(format!("GIT_SSL_CAINFO: {}: {reason}", path.display())))?;
            builder = builder.tls_certs_only(authorities);
        }
        let authorization = token.map(|(scheme, token)| {
            let text = zeroize::Zeroizing::new(match scheme {
                Scheme::Bearer => format!("Bearer {}", token.expose()),
                Scheme::Token => format!("token {}", token.expose()),
                Scheme::Basic(user) => {
                    let pair = zeroize::Zeroizing::new(format!("{user}:{}", token.expose()));
                    format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
                }
            });
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Problem::Denied("the token holds what no token holds; look at its variable".to_owned())
            })?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self {
            http: builder.build().map_err(|error| Problem::Failed(format!("no TLS client: {error}")))?,
            base: base.trim_end_matches('/').to_owned(),
            bearer: Bearer::Nobody,
            origin,
            authorization: authorization.transpose()?,
            accept,
            stop,
            say,
            faults: Arc::default(),
        })
    }

    /// Reads one page. `path` is below the base, or a whole address on the same host.
    pub async fn get(&self, path: &str) -> Result<Page, Problem> {
        self.send(path, false).await
    }

    /// Sends an empty POST, for what makes a token.
    pub async fn post(&self, path: &str) -> Result<Page, Problem> {
        self.send(path, true).await
    }

    /// The whole of an address that this API sends on to: below the base, or on the same host. A token goes nowhere else.
    fn address(&self, text: &str) -> Result<String, Problem> {
        let address = match text {
            _ if text.contains("://") => text.to_owned(),
            _ => format!("{}{text}", self.base),
        };
        let url =
            Url::parse(&address).map_err(|reason| Problem::Failed(format!("{}: {reason}", self.origin)))?;
        if url.origin().as_deref() != Some(&self.origin) {
            return Err(Problem::Failed(format!(
                "{} sends on to {}, which is not followed",
                self.origin,
                url.host()
            )));
        }
        Ok(address)
    }

    async fn send(&self, path: &str, post: bool) -> Result<Page, Problem> {
        let mut address = self.address(path)?;
        let mut pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(MOST_RETRIES)
            .build();
        let (mut waited, mut moves) = (Duration::ZERO, 0);
        let kind = kind(path);
        let is_given_up = self.faults().get(&kind).is_some_and(|&count| count >= MOST_FAULTS);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Problem::Stopped);
            }
            match self.once(&address, post).await {
                Reply::Page(page) => {
                    self.faults().remove(&kind);
                    return Ok(*page);
                }
                Reply::Problem(problem) => return Err(problem),
                Reply::Moved(to) => {
                    moves += 1;
                    if post || moves > MOST_MOVES {
                        return Err(Problem::Failed(format!(
                            "{}: it sends elsewhere, which is not followed",
                            self.origin
                        )));
                    }
                    // What was renamed is at another address of the same host.
                    let below = to.strip_prefix('/').map(|path| format!("{}/{path}", self.origin));
                    address = self.address(&below.unwrap_or(to))?;
                }
                Reply::Wait(wait, words) => {
                    waited = waited.saturating_add(wait);
                    if waited > LONGEST_WAIT {
                        return Err(Problem::Failed(format!(
                            "{}: {words}, for {} s more: run it again later",
                            self.origin,
                            wait.as_secs()
                        )));
                    }
                    let until = Timestamp::now() + wait;
                    (self.say)(&format!("{}: {words}; going on at {:.0}", self.origin, until));
                    self.sleep(wait).await?;
                }
                Reply::Fault(words, _) if is_given_up => {
                    return Err(Problem::Failed(format!("{words} (as for others before; asked once)")));
                }
                Reply::Fault(words, asked) => {
                    let Some(pause) = pauses.next() else {
                        *self.faults().entry(kind).or_default() += 1;
                        return Err(Problem::Failed(words));
                    };
                    self.sleep(pause.max(asked.unwrap_or_default().min(LONGEST_PAUSE))).await?;
                }
            }
        }
    }

    fn faults(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, wait: Duration) -> Result<(), Problem> {
        let until = std::time::Instant::now() + wait;
        while std::time::Instant::now() < until {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Problem::Stopped);
            }
            let left = until.saturating_duration_since(std::time::Instant::now());
            tokio::time::sleep(left.min(Duration::from_millis(100))).await;
        }
        Ok(())
    }

    async fn once(&self, address: &str, post: bool) -> Reply {
        let mut request = if post { self.http.post(address) } else { self.http.get(address) };
        request = request.header("accept", self.accept);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.clone());
        }
        if self.accept.contains("github") {
            request = request.header("x-github-api-version", "2022-11-28");
        }
        let fault = |error: &reqwest::Error| Reply::Fault(format!("{}: {}", self.origin, words(error)), None);
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return fault(&error),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return reply::read(&self.origin, status, &headers, &body),
                Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_ANSWER => {
                    return Reply::Problem(Problem::Failed(format!(
                        "{}: its answer does not end",
                        self.origin
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => return fault(&error),
            }
        }
    }
}

/// What a path ends with: the comments of one repository are asked for as those of another.
fn kind(path: &str) -> String {
    path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// Why a request was not answered.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!("no answer within {} s", TIMEOUT.as_secs())
    } else if error.is_connect() {
        format!("no connection ({})", crate::authorities::innermost(error))
    } else {
        "the answer broke off".to_owned()
    }
}

/// A string of a JSON object.
#[must_use]
pub fn string(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A truth of a JSON object; what is not there is not so.
#[must_use]
pub fn truth(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A part of a path, as it stands in an address.
#[must_use]
pub fn part(text: &str) -> String {
    const UNSAFE: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, UNSAFE).to_string()
}
