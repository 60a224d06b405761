//! A forge's API over HTTPS: one page after the other, with its rate limits kept and its passing faults sat out. A token
//! goes to the forge's own host only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use serde_json::Value;

use crate::audit::url::{Url, is_loopback};
use crate::model::Secret;

/// A longer answer is not one that was asked for, in bytes.
const LONGEST_ANSWER: usize = 64 << 20;
/// More pages than this has no organization: ten million entries.
const MOST_PAGES: usize = 100_000;
/// How often a request is tried again after a passing fault.
const MOST_RETRIES: usize = 5;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The longest wait for a rate limit to be lifted; GitHub's is an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(3700);
/// The wait where a forge says that there were too many requests, and not until when.
const UNTOLD_WAIT: Duration = Duration::from_mins(1);

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

/// What says something while a run waits.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// A page of an answer.
#[derive(Debug)]
pub struct Page {
    /// The JSON.
    pub value: Value,
    /// The next page, by the `Link` header.
    pub next: Option<String>,
    /// The forge's own time.
    pub date: Option<Timestamp>,
    /// Azure's mark of where to go on.
    pub continuation: Option<String>,
}

/// The API of one forge.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `https://host/path`, without a slash at the end.
    pub base: String,
    origin: String,
    authorization: Option<HeaderValue>,
    accept: &'static str,
    stop: Arc<AtomicBool>,
    say: Say,
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
            origin,
            authorization: authorization.transpose()?,
            accept,
            stop,
            say,
        })
    }

    /// Whether it has a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// Reads one page. `path` is below the base, or a whole address on the same host.
    pub async fn get(&self, path: &str) -> Result<Page, Problem> {
        self.send(path, false).await
    }

    /// Sends an empty POST, for what makes a token.
    pub async fn post(&self, path: &str) -> Result<Page, Problem> {
        self.send(path, true).await
    }

    /// Reads all pages that the `Link` header leads through, and hands over each one's list.
    pub async fn pages(
        &self,
        path: &str,
        mut each: impl AsyncFnMut(Vec<Value>, Option<Timestamp>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut next = Some(path.to_owned());
        let mut seen = BTreeSet::new();
        while let Some(address) = next {
            if !seen.insert(address.clone()) || seen.len() > MOST_PAGES {
                return Err(Problem::Failed(format!("{}: its pages do not end", self.origin)));
            }
            let page = self.get(&address).await?;
            let Value::Array(list) = page.value else {
                return Err(Problem::Failed(format!(
                    "{}: a list was expected, and something else came",
                    self.origin
                )));
            };
            each(list, page.date).await?;
            next = page.next;
        }
        Ok(())
    }

    async fn send(&self, path: &str, post: bool) -> Result<Page, Problem> {
        let address = if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) };
        let url =
            Url::parse(&address).map_err(|reason| Problem::Failed(format!("{}: {reason}", self.origin)))?;
        if url.origin().as_deref() != Some(&self.origin) {
            return Err(Problem::Failed(format!(
                "{} sends on to {}, which is not followed",
                self.origin,
                url.host()
            )));
        }
        let mut pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(MOST_RETRIES)
            .build();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Problem::Stopped);
            }
            let trouble = match self.once(&address, post).await {
                Ok(Reply::Page(page)) => return Ok(page),
                Ok(Reply::Problem(problem)) => return Err(problem),
                Ok(Reply::Wait(wait, words)) => {
                    if wait > LONGEST_WAIT {
                        return Err(Problem::Failed(format!(
                            "{}: {words}, and for {} s",
                            self.origin,
                            wait.as_secs()
                        )));
                    }
                    let until = Timestamp::now() + wait;
                    (self.say)(&format!("{}: {words}; going on at {:.0}", self.origin, until));
                    self.sleep(wait).await?;
                    continue;
                }
                Err(trouble) => trouble,
            };
            match pauses.next() {
                Some(pause) => self.sleep(pause).await?,
                None => return Err(Problem::Failed(format!("{}: {trouble}", self.origin))),
            }
        }
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

    async fn once(&self, address: &str, post: bool) -> Result<Reply, String> {
        let mut request = if post { self.http.post(address) } else { self.http.get(address) };
        request = request.header("accept", self.accept);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.clone());
        }
        if self.accept.contains("github") {
            request = request.header("x-github-api-version", "2022-11-28");
        }
        let mut response = request.send().await.map_err(|error| words(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| words(&error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Ok(Reply::Problem(Problem::Failed(format!(
                    "{}: its answer does not end",
                    self.origin
                ))));
            }
            body.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) {
            let Ok(value) = serde_json::from_slice(&body) else {
                return Ok(Reply::Problem(Problem::Failed(format!(
                    "{}: its answer is not JSON; a proxy, or another kind of server?",
                    self.origin
                ))));
            };
            let date = text(&headers, "date")
                .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
                .map(|date| date.timestamp());
            let continuation = text(&headers, "x-ms-continuationtoken").map(str::to_owned);
            return Ok(Reply::Page(Page { value, next: next(&headers), date, continuation }));
        }
        self.refused(status, &headers, &body)
    }

    /// What an answer that is no page says.
    fn refused(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Result<Reply, String> {
        let said = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|value| value.get("message").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or_default();
        if let Some(wait) = limited(status, headers, &said) {
            return Ok(Reply::Wait(wait, "its rate limit is used up".to_owned()));
        }
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        let told = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
        match status {
            401 | 403 => Ok(Reply::Problem(Problem::Denied(format!("{}: {told}", self.origin)))),
            404 | 410 | 451 => Ok(Reply::Problem(Problem::Missing(format!("{}: {told}", self.origin)))),
            300..=399 => Ok(Reply::Problem(Problem::Failed(format!(
                "{}: it sends elsewhere, which is not followed ({told})",
                self.origin
            )))),
            408 | 500..=599 => Err(told),
            _ => Ok(Reply::Problem(Problem::Failed(format!("{}: {told}", self.origin)))),
        }
    }
}

/// Why a request was not answered.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!("no answer within {} s", TIMEOUT.as_secs())
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the answer broke off".to_owned()
    }
}

/// What one try came to; an error is a passing fault.
enum Reply {
    Page(Page),
    Wait(Duration, String),
    Problem(Problem),
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name))?.to_str().ok()
}

/// How long a forge wants to be left alone: `Retry-After`, or the time when the limit is lifted.
fn limited(status: u16, headers: &HeaderMap, said: &str) -> Option<Duration> {
    if !matches!(status, 403 | 429 | 503) {
        return None;
    }
    let number = |name| text(headers, name).and_then(|text| text.trim().parse::<i64>().ok());
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds.max(1).cast_unsigned()));
    }
    let used_up = number("x-ratelimit-remaining") == Some(0) || number("ratelimit-remaining") == Some(0);
    let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
    if let Some(reset) = reset.filter(|_| used_up || status == 429) {
        let seconds = reset - Timestamp::now().as_second();
        return Some(Duration::from_secs(seconds.max(1).cast_unsigned()));
    }
    let secondary = said.to_lowercase().contains("rate limit");
    (status == 429 || used_up || secondary && status == 403).then_some(UNTOLD_WAIT)
}

/// The address of the next page, by RFC 8288.
fn next(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all("link")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|link| {
            let (address, parameters) = link.trim().split_once('>')?;
            let is_next = parameters.split(';').any(|parameter| {
                let parameter = parameter.trim().to_ascii_lowercase();
                parameter == "rel=\"next\"" || parameter == "rel=next"
            });
            is_next.then(|| address.trim_start_matches('<').to_owned())
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let link = r#"<https://h/a?page=1>; rel="prev", <https://h/a?page=3>; rel="next", <https://h/a?page=9>; rel="last""#;
        assert_eq!(next(&headers(&[("link", link)])).as_deref(), Some("https://h/a?page=3"));
        assert_eq!(next(&headers(&[("link", r#"<https://h/a?page=1>; rel="last""#)])), None);
    }

    /// Status, headers, words, and the seconds that are to be waited.
    type Case<'a> = (u16, &'a [(&'static str, &'a str)], &'a str, Option<std::ops::RangeInclusive<u64>>);

    #[test]
    fn a_limit_says_how_long_it_holds() {
        let soon = (Timestamp::now().as_second() + 30).to_string();
        let cases: [Case; 8] = [
            (403, &[("retry-after", "7")], "", Some(7..=7)),
            (429, &[], "", Some(60..=60)),
            (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &soon)], "", Some(28..=30)),
            (429, &[("ratelimit-reset", &soon)], "", Some(28..=30)),
            (
                403,
                &[("x-ratelimit-remaining", "10")],
                "You have exceeded a secondary rate limit",
                Some(60..=60),
            ),
            (403, &[("x-ratelimit-remaining", "10")], "Resource not accessible", None),
            (404, &[("retry-after", "7")], "", None),
            (503, &[("retry-after", "1")], "", Some(1..=1)),
        ];
        for (status, pairs, said, wait) in cases {
            let found = limited(status, &headers(pairs), said).map(|wait| wait.as_secs());
            match wait {
                Some(range) => assert!(
                    found.is_some_and(|found| range.contains(&found)),
                    "{status} {pairs:?}: {found:?}"
                ),
                None => assert_eq!(found, None, "{status} {pairs:?}"),
            }
        }
    }
}
