//! Lists that come in pages. Each forge says in its own way that there is more: by a `Link` header (GitHub, GitLab, Gitea for
//! most), by an address in the body (Bitbucket), by a mark (Azure), or by nothing but the number of all entries (Gitea's
//! comments and reviews). What was listed is compared with what the forge counts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::{Api, Problem, part};
use super::reply::Page;

/// More pages than this has no organization: ten million entries.
const MOST_PAGES: usize = 100_000;

/// How many entries a list had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Those that came.
    pub listed: usize,
    /// Those that the forge counts, where it says so.
    pub total: Option<usize>,
}

impl Counted {
    /// Whether all of them came.
    pub fn whole(self) -> Result<(), Problem> {
        match self.total {
            // It would be the same another time.
            Some(total) if self.listed < total => Err(Problem::Missing(format!(
                "the forge counts {total} and showed {}: the token may not see the others, or they changed meanwhile",
                self.listed
            ))),
            _ => Ok(()),
        }
    }
}

impl Api {
    /// Reads a list to its end and hands over each page's entries, with the page itself. A path that names a page
    /// (`page=1`) is of a forge that may not say where the next one is: the pages are then asked for by number.
    pub async fn pages(
        &self,
        path: &str,
        mut each: impl AsyncFnMut(Vec<Value>, &Page) -> Result<(), Problem>,
    ) -> Result<Counted, Problem> {
        let endless = || Problem::Failed(format!("{}: its pages do not end", self.origin));
        let mut counted = Counted { listed: 0, total: None };
        let (mut seen, mut last) = (BTreeSet::new(), Vec::new());
        let mut next = Some(path.to_owned());
        while let Some(address) = next {
            if !seen.insert(address.clone()) || seen.len() > MOST_PAGES {
                return Err(endless());
            }
            let mut page = self.get(&address).await?;
            let Some(list) = entries(page.value.take()) else {
                return Err(Problem::Failed(format!(
                    "{}: a list was expected, and something else came",
                    self.origin
                )));
            };
            // A server that does not know about pages gives the same one again and again.
            if !list.is_empty() && list == last {
                return Err(endless());
            }
            counted.listed += list.len();
            counted.total = page.total.or(counted.total);
            next = following(path, &address, &page, list.len(), counted.listed);
            last.clone_from(&list);
            each(list, &page).await?;
        }
        Ok(counted)
    }
}

/// The entries of a page: a list, or an object with a list in it.
fn entries(value: Value) -> Option<Vec<Value>> {
    let named = |mut fields: serde_json::Map<String, Value>| {
        ["values", "value", "repositories"].iter().find_map(|name| fields.remove(*name))
    };
    match value {
        Value::Array(list) => Some(list),
        Value::Object(fields) => named(fields).and_then(|value| match value {
            Value::Array(list) => Some(list),
            _ => None,
        }),
        _ => None,
    }
}

/// The address of the page after this one, which has so many entries.
fn following(path: &str, address: &str, page: &Page, count: usize, listed: usize) -> Option<String> {
    if let Some((before, number, after)) = numbered(path).and_then(|_| numbered(address)) {
        let counted = page.total.is_none_or(|total| listed < total);
        let more = page.next.is_some() || counted && count > 0;
        return more.then(|| format!("{before}page={}{after}", number + 1));
    }
    let mark = page.continuation.as_ref();
    let stated =
        page.next.clone().or_else(|| mark.map(|mark| format!("{path}&continuationToken={}", part(mark))));
    // A full page without a word of others: what stands between may have taken the header away.
    stated.or_else(|| {
        let size = path.split_once("per_page=")?.1.split('&').next()?.parse::<usize>().ok()?;
        (count >= size && !page.has_link).then(|| match numbered(address) {
            Some((before, number, after)) => format!("{before}page={}{after}", number + 1),
            None => format!("{path}&page=2"),
        })
    })
}

/// The number of the page that an address names, with what stands before and behind it.
fn numbered(address: &str) -> Option<(&str, usize, &str)> {
    let at = address.find("?page=").or_else(|| address.find("&page="))? + 1;
    let (before, rest) = address.split_at(at);
    let digits = rest.strip_prefix("page=")?;
    let end = digits.find('&').unwrap_or(digits.len());
    Some((before, digits[..end].parse().ok()?, &digits[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_by_its_number() {
        assert_eq!(numbered("/a?limit=50&page=7&since=x"), Some(("/a?limit=50&", 7, "&since=x")));
        assert_eq!(numbered("/a?page=1"), Some(("/a?", 1, "")));
        assert_eq!(numbered("/a?per_page=100"), None);
    }

    #[test]
    fn behind_a_full_page_another_is_asked_for_unless_a_header_says_that_it_is_the_last() {
        let path = "/a?per_page=100";
        let page = |has_link, next: Option<&str>| Page {
            has_link,
            next: next.map(str::to_owned),
            ..Page::default()
        };
        let next = |address: &str, page: &Page, count| following(path, address, page, count, count);
        let silent = page(false, None);
        assert_eq!(next(path, &silent, 100).as_deref(), Some("/a?per_page=100&page=2"));
        assert_eq!(next("/a?per_page=100&page=2", &silent, 100).as_deref(), Some("/a?per_page=100&page=3"));
        assert_eq!(next(path, &silent, 99), None);
        assert_eq!(next(path, &page(true, None), 100), None);
        assert_eq!(next(path, &page(true, Some("/b")), 100).as_deref(), Some("/b"));
    }
}
