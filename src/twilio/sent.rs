//! What is sent: one request, with what it is authenticated with.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::pair::Pair;
use crate::model::Secret;

/// What a request is authenticated with.
pub(super) enum Authorization<'a> {
    /// A user name and a secret.
    Basic(&'a Pair),
    /// An access token.
    Bearer(&'a Secret),
    /// The form says who sends it.
    None,
}

/// What a request says.
pub(super) enum Body<'a> {
    /// It has no body.
    Nothing,
    /// Fields.
    Form(&'a [(&'a str, &'a str)]),
    /// A document.
    Json(&'a serde_json::Value),
}

/// One request.
pub(super) struct Sent<'a> {
    pub method: Method,
    pub host: &'a str,
    pub path: &'a str,
    pub authorization: Authorization<'a>,
    pub body: Body<'a>,
}

impl Sent<'_> {
    /// What the request counts against: an account, or for want of one the host.
    pub fn account(&self) -> &str {
        match self.authorization {
            Authorization::Basic(pair) => pair.account.as_deref().unwrap_or(&pair.user),
            Authorization::Bearer(_) | Authorization::None => self.host,
        }
    }

    pub fn build(&self, http: &reqwest::Client) -> reqwest::RequestBuilder {
        let request = http.request(self.method.clone(), format!("https://{}{}", self.host, self.path));
        let request = match self.authorization {
            Authorization::Basic(pair) => request.basic_auth(&pair.user, Some(pair.secret.expose())),
            Authorization::Bearer(token) => request.bearer_auth(token.expose()),
            Authorization::None => request,
        };
        match self.body {
            Body::Nothing => request,
            Body::Form(form) => request.form(form),
            Body::Json(document) => {
                request.header(CONTENT_TYPE, "application/json").body(document.to_string())
            }
        }
    }
}
