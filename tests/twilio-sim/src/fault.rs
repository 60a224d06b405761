//! What goes wrong, on order.

use std::time::Duration;

/// What happens in place of, or after, the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The answer comes late.
    Latency(Duration),
    /// 429/20429, with `Retry-After` in seconds where given; the request is not processed.
    TooMany(Option<u32>),
    /// 500 without a change.
    ServerError,
    /// The connection is reset before anything was done.
    ResetBefore,
    /// The connection is reset after the change was made.
    ResetAfter,
    /// Half of the body comes, then the connection ends.
    HalfBody,
    /// 200 and a web page, as a captive portal answers.
    WrongType,
    /// 407 and a web page, as a proxy answers.
    ProxyPage,
    /// 307 to another host.
    Redirect(String),
    /// The status and code given, with a message.
    Answer(u16, u32, String),
    /// An answer that never ends.
    Endless,
    /// A good answer, bent by a seed: other types, missing and endless values, broken text.
    Bent(u64),
}

/// A fault and the requests it falls upon.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// Only for this method.
    pub method: Option<&'static str>,
    /// Only where host and path contain this.
    pub within: String,
    /// How many of those requests pass unharmed first.
    pub after: u32,
    /// How many times it happens; `u32::MAX` for always.
    pub times: u32,
    /// How often it happens, in per cent of those requests.
    pub percent: u32,
}

impl Fault {
    /// A fault that falls upon the next requests whose host and path contain `within`.
    #[must_use]
    pub fn new(kind: FaultKind, within: &str, times: u32) -> Self {
        Self { kind, method: None, within: within.to_owned(), after: 0, times, percent: 100 }
    }

    /// Only for this method.
    #[must_use]
    pub fn on(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    /// Only after this many requests passed.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// Only this often.
    #[must_use]
    pub fn percent(mut self, percent: u32) -> Self {
        self.percent = percent;
        self
    }
}
