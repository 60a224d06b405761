//! The one HTTP client. A request goes to a pinned Twilio host over TLS, with a Basic pair, without redirects; it is
//! paced, tried again only where that is safe, and its answer is kept in memory that is wiped.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use governor::{DefaultDirectRateLimiter, Quota};
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, redirect};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub use super::answer::{Answer, Fault};
use super::answer::{Failure, Safety, is_request_id};
use super::clock::Clock;
use super::loopback::loopback;
use super::pair::Pair;
use super::product::Product;
use super::sent::{Authorization, Body, Sent};
use crate::authorities;
use crate::model::{Region, Secret};

/// Requests in flight at once for one account. Twilio limits concurrent requests by account and does not publish
/// the limit.
const MOST_IN_FLIGHT: usize = 4;
/// A longer answer is not one that was asked for, in bytes.
const LONGEST_ANSWER: usize = 16 << 20;
/// How often a request is tried again where that is safe.
const MOST_RETRIES: usize = 4;
/// The longest wait before a request is tried again; a longer `Retry-After` is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How to ask.
#[derive(Debug, Clone)]
pub struct Options {
    /// A server on loopback that stands in for Twilio, for tests: `https://127.0.0.1:PORT`.
    pub endpoint: Option<String>,
    /// A PEM file with the authority to trust for that server.
    pub authority: Option<String>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Requests a second, over all accounts.
    pub rate: NonZeroU32,
    /// How long after a refusal the same is asked again: one refusal may be one replica's that has not heard yet.
    pub pause: Duration,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stand-in is not one.
    #[error(
        "SIDSWEEP_TWILIO_ENDPOINT: {0:?} is not https:// and a loopback address with a port, like https://127.0.0.1:8443"
    )]
    Endpoint(String),
    /// An authority for the real Twilio would be somebody in the middle.
    #[error("SIDSWEEP_TWILIO_CA is for SIDSWEEP_TWILIO_ENDPOINT only, which is not set; unset it")]
    AuthorityAlone,
    /// The PEM file.
    #[error("SIDSWEEP_TWILIO_CA: {path}: {reason}")]
    Authority {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS could not be set up.
    #[error("no TLS client: {0}")]
    Tls(String),
}

/// The client. It is shared by all tasks of a run.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    pace: DefaultDirectRateLimiter,
    slots: Mutex<HashMap<String, Arc<Semaphore>>>,
    sent: AtomicU64,
    timeout: Duration,
    pause: Duration,
    clock: Clock,
    test_endpoint: Option<String>,
}

impl Client {
    /// A client for Twilio, or for the server that stands in.
    pub fn new(options: &Options) -> Result<Self, Error> {
        // The one provider of this process; a second call finds it set.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sidsweep/", env!("CARGO_PKG_VERSION")))
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(options.timeout.min(Duration::from_secs(10)))
            .timeout(options.timeout);
        match (&options.endpoint, &options.authority) {
            (None, Some(_)) => return Err(Error::AuthorityAlone),
            (None, None) => {}
            (Some(endpoint), authority) => {
                let address = loopback(endpoint).ok_or_else(|| Error::Endpoint(endpoint.clone()))?;
                builder = builder.no_proxy();
                for host in Product::ALL.iter().flat_map(|p| Region::ALL.map(|region| p.host(region))) {
                    builder = builder.resolve(&host, address);
                }
                if let Some(path) = authority {
                    let found = authorities::read(Path::new(path))
                        .map_err(|reason| Error::Authority { path: path.clone(), reason })?;
                    builder = builder.tls_certs_only(found);
                }
            }
        }
        Ok(Self {
            http: builder.build().map_err(|error| Error::Tls(authorities::innermost(&error)))?,
            pace: DefaultDirectRateLimiter::direct(
                Quota::per_second(options.rate).allow_burst(NonZeroU32::MIN),
            ),
            slots: Mutex::default(),
            sent: AtomicU64::new(0),
            timeout: options.timeout,
            pause: options.pause,
            clock: Clock::default(),
            test_endpoint: options.endpoint.clone(),
        })
    }

    /// How many requests were sent, repeated ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How long after a refusal the same is asked again.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// The time by Twilio's clock; `None` if no answer told it. This machine's clock may be wrong.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.now()
    }

    /// The time by Twilio's clock, asked for if no answer told it yet: by a request without credentials, whose answer counts
    /// for its date only.
    pub async fn clock(&self) -> Option<Timestamp> {
        if self.now().is_none() {
            self.pace.until_ready().await;
            self.sent.fetch_add(1, Ordering::Relaxed);
            let url = format!("https://{}/2010-04-01.json", Product::Api.host(Region::Us1));
            if let Ok(response) = self.http.get(url).send().await {
                self.clock.read(response.headers());
            }
        }
        self.now()
    }

    /// The server that stands in for Twilio, if one does.
    #[must_use]
    pub fn test_endpoint(&self) -> Option<&str> {
        self.test_endpoint.as_deref()
    }

    /// Reads. `path` begins with `/` and may have a query.
    pub async fn get(
        &self,
        product: Product,
        region: Region,
        path: &str,
        pair: &Pair,
    ) -> Result<Answer, Fault> {
        let authorization = Authorization::Basic(pair);
        let host = product.host(region);
        self.request(&Sent { method: Method::GET, host: &host, path, authorization, body: Body::Nothing })
            .await
    }

    /// Changes something by a form.
    pub async fn post(
        &self,
        product: Product,
        region: Region,
        path: &str,
        pair: &Pair,
        form: &[(&str, &str)],
    ) -> Result<Answer, Fault> {
        let (host, authorization) = (product.host(region), Authorization::Basic(pair));
        let body = if form.is_empty() { Body::Nothing } else { Body::Form(form) };
        self.request(&Sent { method: Method::POST, host: &host, path, authorization, body }).await
    }

    /// Changes something by a document; us1 only.
    pub async fn post_json(
        &self,
        product: Product,
        path: &str,
        pair: &Pair,
        document: &serde_json::Value,
    ) -> Result<Answer, Fault> {
        let (host, authorization) = (product.host(Region::Us1), Authorization::Basic(pair));
        let body = Body::Json(document);
        self.request(&Sent { method: Method::POST, host: &host, path, authorization, body }).await
    }

    /// Sends a form that names its sender itself; us1 only.
    pub async fn ask(&self, product: Product, path: &str, form: &[(&str, &str)]) -> Result<Answer, Fault> {
        let (host, authorization) = (product.host(Region::Us1), Authorization::None);
        let body = Body::Form(form);
        self.request(&Sent { method: Method::POST, host: &host, path, authorization, body }).await
    }

    /// Reads with an access token; us1 only.
    pub async fn get_as(&self, product: Product, path: &str, token: &Secret) -> Result<Answer, Fault> {
        let (host, authorization) = (product.host(Region::Us1), Authorization::Bearer(token));
        self.request(&Sent { method: Method::GET, host: &host, path, authorization, body: Body::Nothing })
            .await
    }

    /// Deletes.
    pub async fn delete(
        &self,
        product: Product,
        region: Region,
        path: &str,
        pair: &Pair,
    ) -> Result<Answer, Fault> {
        let (host, authorization) = (product.host(region), Authorization::Basic(pair));
        let body = Body::Nothing;
        self.request(&Sent { method: Method::DELETE, host: &host, path, authorization, body }).await
    }

    async fn request(&self, sent: &Sent<'_>) -> Result<Answer, Fault> {
        let safety = if sent.method == Method::GET { Safety::Reads } else { Safety::Changes };
        let slot = self.slot(sent.account());
        let _permit = slot.acquire().await.expect("the semaphore is never closed");
        let outcome = (|| self.once(sent))
            .retry(
                ExponentialBuilder::new()
                    .with_min_delay(Duration::from_millis(250))
                    .with_max_delay(Duration::from_secs(8))
                    .with_max_times(MOST_RETRIES),
            )
            .when(|failure: &Failure| failure.may_retry(safety))
            .adjust(|failure, delay| {
                let delay = delay?;
                match failure.retry_after() {
                    Some(asked) if asked > LONGEST_WAIT => None,
                    Some(asked) => Some(asked),
                    // Full jitter: anything up to the delay, so that many clients do not come back at once.
                    None => Some(delay.mul_f64(fastrand::f64())),
                }
            })
            .await;
        match outcome {
            Ok(answer) => Ok(answer),
            Err(Failure::Busy(answer)) => Ok(answer),
            Err(Failure::Fault(fault)) => Err(fault),
        }
    }

    fn slot(&self, account: &str) -> Arc<Semaphore> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            slots.entry(account.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(MOST_IN_FLIGHT))),
        )
    }

    async fn once(&self, sent: &Sent<'_>) -> Result<Answer, Failure> {
        self.pace.until_ready().await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let host = sent.host;
        let request = sent.build(&self.http);
        let mut response = request.send().await.map_err(|error| Failure::Fault(self.fault(host, &error)))?;
        self.clock.read(response.headers());
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let mut answer = Answer {
            status: response.status().as_u16(),
            body: Zeroizing::default(),
            request_id: header("Twilio-Request-Id").filter(|id| is_request_id(id)).map(str::to_owned),
            retry_after: header(RETRY_AFTER.as_str())
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if answer.body.len() + chunk.len() > LONGEST_ANSWER => {
                    return Err(Failure::Fault(Fault::TooLong(host.to_owned())));
                }
                Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) if error.is_timeout() => {
                    return Err(Failure::Fault(Fault::Timeout(self.timeout.as_secs())));
                }
                Err(_) => return Err(Failure::Fault(Fault::Broken(host.to_owned()))),
            }
        }
        if answer.status == 429 || answer.status >= 500 { Err(Failure::Busy(answer)) } else { Ok(answer) }
    }

    fn fault(&self, host: &str, error: &reqwest::Error) -> Fault {
        if error.is_timeout() {
            return Fault::Timeout(self.timeout.as_secs());
        }
        if error.is_connect() {
            return Fault::Connect { host: host.to_owned(), cause: authorities::innermost(error) };
        }
        Fault::Broken(host.to_owned())
    }
}
