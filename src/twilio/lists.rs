//! Lists of many forms, page by page: the classic API's, the products', and those that are paged by tokens. Where the name of the rows
//! is not stated, the answer says it (`meta.key`).

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::account::{self, Unreadable};
use super::client::Client;
use super::pair::Pair;
use super::product::Product;
use crate::model::Region;

/// A list that goes on for longer than this is no list.
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    meta: Option<Meta>,
    #[serde(default)]
    next_page_uri: Option<String>,
    #[serde(flatten)]
    lists: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    next_page_url: Option<String>,
    #[serde(default, rename = "nextToken")]
    next_token: Option<String>,
}

impl Page {
    /// The rows: those that the answer names, or the only list in it.
    fn rows<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, Unreadable> {
        let named = self.meta.as_ref().and_then(|meta| meta.key.clone());
        let mut names = self.lists.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name);
        let name = named.or(names.next().cloned());
        let rows = name.and_then(|name| self.lists.remove(&name));
        let other = || Unreadable::Foreign("an answer (200) that is not in Twilio's form".to_owned());
        serde_json::from_value(rows.ok_or_else(other)?).map_err(|_| other())
    }

    /// Where the next page is, below the host of this one; `Some(None)` would lead away.
    fn next(&self, home: &str, first: &str) -> Option<Result<String, Unreadable>> {
        let root = first.split('?').next().unwrap_or(first);
        let elsewhere = || Unreadable::Foreign("a next page that leads elsewhere".to_owned());
        let below = |path: &str| {
            if path.split('?').next() == Some(root) { Ok(path.to_owned()) } else { Err(elsewhere()) }
        };
        if let Some(next) = &self.next_page_uri {
            return Some(below(next));
        }
        let meta = self.meta.as_ref()?;
        if let Some(next) = &meta.next_page_url {
            // It is absolute, and must not lead away.
            return Some(next.strip_prefix(home).ok_or_else(elsewhere).and_then(below));
        }
        let token = meta.next_token.as_ref().filter(|token| !token.is_empty())?;
        let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
        let joint = if first.contains('?') { '&' } else { '?' };
        Some(Ok(format!("{first}{joint}PageToken={token}")))
    }
}

/// All rows of a list of us1, whose first page is at `first`.
pub async fn rows<T: DeserializeOwned>(
    client: &Client,
    product: Product,
    first: &str,
    pair: &Pair,
) -> Result<Vec<T>, Unreadable> {
    let home = format!("https://{}", product.host(Region::Us1));
    let mut rows = Vec::new();
    let mut path = first.to_owned();
    for _ in 0..MOST_PAGES {
        let mut page: Page = account::read(client, product, Region::Us1, &path, pair).await?;
        rows.extend(page.rows::<T>()?);
        match page.next(&home, first).transpose()? {
            None => return Ok(rows),
            Some(next) if next != path => path = next,
            Some(_) => return Err(Unreadable::Foreign("a next page that is the same one".to_owned())),
        }
    }
    Err(Unreadable::Foreign(format!("a list of more than {MOST_PAGES} pages")))
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn page(text: &str) -> Page {
        serde_json::from_str(text).expect("a page")
    }

    #[test]
    fn rows_are_those_that_the_answer_names_and_pages_stay_on_their_host() {
        let home = "https://iam.twilio.com";
        let mut named = page(r#"{"meta":{"key":"b","next_page_url":null},"a":[1],"b":[2]}"#);
        assert_eq!(named.rows::<u8>(), Ok(vec![2]));
        assert!(named.next(home, "/v1/B").is_none());
        assert_eq!(page(r#"{"only":[3],"x":1}"#).rows::<u8>(), Ok(vec![3]));
        assert!(page("{}").rows::<u8>().is_err());
        let next = |text: &str| page(text).next(home, "/v1/B?PageSize=2").expect("a next page");
        let to = |url: &str| next(&format!(r#"{{"meta":{{"next_page_url":"{url}"}},"b":[]}}"#));
        assert_eq!(to("https://iam.twilio.com/v1/B?Page=1"), Ok("/v1/B?Page=1".to_owned()));
        for away in [
            "https://iam.twilio.com.evil.example/v1/B",
            "http://iam.twilio.com/v1/B",
            "/v1/B",
            "https://iam.twilio.com/v1/C",
        ] {
            assert!(to(away).is_err(), "{away}");
        }
        let token = next(r#"{"meta":{"key":"b","nextToken":"a&b"},"b":[]}"#);
        assert_eq!(token, Ok("/v1/B?PageSize=2&PageToken=a%26b".to_owned()));
    }
}
