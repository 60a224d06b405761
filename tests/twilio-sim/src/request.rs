//! A request as the answers see it.

use crate::world::Region;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET` and so on.
    pub method: String,
    /// The Host header, without a port.
    pub host: String,
    /// `api`, `verify`, …
    pub product: String,
    /// By the host.
    pub region: Region,
    /// Path and query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The form in the body, decoded.
    pub form: Vec<(String, String)>,
    /// The JSON in the body.
    pub json: serde_json::Value,
    /// The Bearer token.
    pub bearer: Option<String>,
    /// The Basic pair.
    pub basic: Option<(String, String)>,
}

impl Asked {
    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// A value of the form.
    pub fn form(&self, name: &str) -> Option<String> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// Product and region of a host, if it is one of Twilio's that still answer.
pub fn product_of(host: &str) -> Option<(String, Region)> {
    let name = host.strip_suffix(".twilio.com")?;
    let (product, region) = match name.split('.').collect::<Vec<_>>().as_slice() {
        [product] | [product, "us1"] | [product, "ashburn", "us1"] => ((*product).to_owned(), Region::Us1),
        [product, "dublin", "ie1"] => ((*product).to_owned(), Region::Ie1),
        [product, "sydney", "au1"] => ((*product).to_owned(), Region::Au1),
        [product, "tokyo", "jp1"] => ((*product).to_owned(), Region::Jp1),
        _ => return None,
    };
    Some((product, region))
}
