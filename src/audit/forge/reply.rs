//! What a forge's answer means: a page, a limit, a passing fault, a refusal with its reason, or another address.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;

use super::api::Problem;

/// The wait where a forge says that there were too many requests, and not until when.
const UNTOLD_WAIT: Duration = Duration::from_mins(1);
/// The most that is shown of a forge's own words, in characters.
const MOST_WORDS: usize = 200;
/// The most that is shown of an address, which is of no use if it is cut.
const MOST_ADDRESS: usize = 1000;

/// A page of an answer.
#[derive(Debug, Default)]
pub struct Page {
    /// The JSON.
    pub value: Value,
    /// The address of the next page, by the `Link` header or as Bitbucket has it in the body.
    pub next: Option<String>,
    /// There is a `Link` header, which is whole: without a next page this is the last.
    pub has_link: bool,
    /// The forge's own time.
    pub date: Option<Timestamp>,
    /// Azure's mark of where to go on.
    pub continuation: Option<String>,
    /// How many entries the forge counts in all pages.
    pub total: Option<usize>,
    /// What a classic token of GitHub's may do.
    pub scopes: Option<String>,
    /// GitHub left something out, since the token is not authorized for an organization's single sign-on.
    pub partial: bool,
}

/// What one request came to.
pub(super) enum Reply {
    Page(Box<Page>),
    /// Another address.
    Moved(String),
    /// A rate limit.
    Wait(Duration, String),
    /// It may go another time, perhaps after the pause that the forge asks for.
    Fault(String, Option<Duration>),
    Problem(Problem),
}

/// Reads an answer. `origin` is whose it is.
pub(super) fn read(origin: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Reply {
    let location = text(headers, "location").unwrap_or_default();
    // Azure DevOps shows its sign-in page to whoever it does not know, and calls that a success.
    if status == 203 || (300..400).contains(&status) && location.to_ascii_lowercase().contains("signin") {
        return Reply::Problem(Problem::Denied(format!(
            "{origin}: it answers with its sign-in page: the token is missing, has expired, or is not for this organization"
        )));
    }
    if (200..300).contains(&status) {
        return match serde_json::from_slice(body) {
            Ok(value) => Reply::Page(Box::new(page(value, headers))),
            Err(_) => Reply::Problem(Problem::Failed(format!(
                "{origin}: its answer is not JSON; a proxy, or another kind of server?"
            ))),
        };
    }
    if matches!(status, 301 | 302 | 307 | 308) && !location.is_empty() {
        return Reply::Moved(location.to_owned());
    }
    let said = reason(body);
    if let Some(wait) = limited(status, headers, &said) {
        return Reply::Wait(wait, "its rate limit is used up".to_owned());
    }
    let said: String = said.chars().filter(|c| !c.is_control()).take(MOST_WORDS).collect();
    let mut told = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
    if let Some(address) = single_sign_on(headers) {
        told.push_str(&format!("; authorize the token for single sign-on at {address}"));
    }
    let told = format!("{origin}: {told}");
    match status {
        401 | 403 => Reply::Problem(Problem::Denied(told)),
        404 | 410 | 451 => Reply::Problem(Problem::Missing(told)),
        408 | 500..=599 => Reply::Fault(told, retry_after(headers)),
        _ => Reply::Problem(Problem::Failed(told)),
    }
}

fn page(value: Value, headers: &HeaderMap) -> Page {
    let number = |name| text(headers, name).and_then(|text| text.trim().parse().ok());
    let field = |name| value.get(name).and_then(Value::as_u64).and_then(|count| count.try_into().ok());
    let total = number("x-total-count")
        .or_else(|| number("x-total"))
        .or_else(|| field("total_count"))
        .or_else(|| field("size").filter(|_| value.get("values").is_some()));
    Page {
        next: next(headers).or_else(|| value.get("next").and_then(Value::as_str).map(str::to_owned)),
        has_link: headers.contains_key("link"),
        date: text(headers, "date")
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
            .map(|date| date.timestamp()),
        continuation: text(headers, "x-ms-continuationtoken").map(str::to_owned),
        total,
        scopes: text(headers, "x-oauth-scopes").map(str::to_owned),
        partial: text(headers, "x-github-sso").is_some_and(|sso| sso.starts_with("partial-results")),
        value,
    }
}

/// A forge's own words for why not: GitHub, Gitea and Azure have a `message`, GitLab an `error` with its description or a
/// `message` of several parts, Bitbucket a message within the `error`.
fn reason(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let field = |value: &Value, name: &str| match value.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    let parts = match value.get("error") {
        Some(error @ Value::Object(_)) => [field(error, "message"), field(error, "detail")],
        Some(Value::String(error)) => [Some(error.clone()), field(&value, "error_description")],
        _ => [field(&value, "message"), None],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// Where a token can be authorized for an organization's single sign-on:
/// <https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api>.
fn single_sign_on(headers: &HeaderMap) -> Option<String> {
    let mut parts = text(headers, "x-github-sso")?.split(';');
    let address = parts.find_map(|part| part.trim().strip_prefix("url="))?;
    let safe = |c: &char| !c.is_control() && !c.is_whitespace();
    address.starts_with("https://").then(|| address.chars().filter(safe).take(MOST_ADDRESS).collect())
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name))?.to_str().ok()
}

/// `Retry-After`: a number of seconds, or a time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, "retry-after")?.trim();
    let seconds = text.parse::<i64>().ok().or_else(|| {
        let time = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(time.as_second() - Timestamp::now().as_second())
    })?;
    Some(Duration::from_secs(seconds.max(1).cast_unsigned()))
}

/// How long a rate limit lasts: `Retry-After`, or the time when it is lifted. A server that is not available (503) has no
/// limit: it is tried again a few times, as after any passing fault.
fn limited(status: u16, headers: &HeaderMap, said: &str) -> Option<Duration> {
    if !matches!(status, 403 | 429) {
        return None;
    }
    if let Some(wait) = retry_after(headers) {
        return Some(wait);
    }
    let number = |name| text(headers, name).and_then(|text| text.trim().parse::<i64>().ok());
    let used_up = number("x-ratelimit-remaining") == Some(0) || number("ratelimit-remaining") == Some(0);
    let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
    if let Some(reset) = reset.filter(|_| used_up || status == 429) {
        let seconds = reset - Timestamp::now().as_second();
        return Some(Duration::from_secs(seconds.max(1).cast_unsigned()));
    }
    let secondary = said.to_lowercase().contains("rate limit");
    (status == 429 || used_up || secondary).then_some(UNTOLD_WAIT)
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
        let now = Timestamp::now();
        let soon = (now.as_second() + 30).to_string();
        let at = jiff::fmt::rfc2822::DateTimePrinter::new();
        let at = at.timestamp_to_rfc9110_string(&(now + Duration::from_secs(30))).unwrap();
        let cases: [Case; 9] = [
            (403, &[("retry-after", "7")], "", Some(7..=7)),
            (429, &[("retry-after", &at)], "", Some(28..=30)),
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
            // A server that is not available has used up nobody's limit.
            (503, &[("retry-after", "1")], "", None),
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

    /// Status, headers, body, and what the user is told of it.
    type Said<'a> = (u16, &'a [(&'static str, &'a str)], &'a str, &'a str);

    #[test]
    fn each_forges_reason_reaches_the_user() {
        let sso = "required; url=https://github.com/orgs/acme/sso?authorization_request=A1";
        let cases: [Said; 7] = [
            (403, &[], r#"{"message": "Resource not accessible"}"#, "HTTP 403: Resource not accessible"),
            (
                403,
                &[],
                r#"{"error": "insufficient_scope", "error_description": "higher privileges", "scope": "api"}"#,
                "insufficient_scope: higher privileges",
            ),
            (400, &[], r#"{"message": {"base": ["no"]}}"#, r#"{"base":["no"]}"#),
            (
                403,
                &[],
                r#"{"type": "error", "error": {"message": "no scope", "detail": {"required": ["repository"]}}}"#,
                r#"no scope: {"required":["repository"]}"#,
            ),
            (
                403,
                &[("x-github-sso", sso)],
                "{}",
                "at https://github.com/orgs/acme/sso?authorization_request=A1",
            ),
            (203, &[], "<html>Sign In</html>", "sign-in page"),
            (
                302,
                &[("location", "https://spsprodcus3.vssps.visualstudio.com/_signin?x")],
                "",
                "sign-in page",
            ),
        ];
        for (status, pairs, body, words) in cases {
            let reply = read("https://h", status, &headers(pairs), body.as_bytes());
            let Reply::Problem(problem) = reply else { panic!("{status} {body}: no problem") };
            assert!(problem.to_string().contains(words), "{problem}");
        }
    }
}
