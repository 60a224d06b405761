//! What was asked: tests read it.

/// One request.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `GET` and so on.
    pub method: String,
    /// The Host header.
    pub host: String,
    /// The name in the TLS handshake.
    pub sni: Option<String>,
    /// Path and query.
    pub path: String,
    /// The Basic user name.
    pub user: Option<String>,
    /// Form fields of the body.
    pub form: Vec<(String, String)>,
    /// The status that was answered.
    pub status: u16,
    /// Twilio's code, for an error.
    pub code: Option<u64>,
    /// The fault that fell upon it.
    pub fault: bool,
}
