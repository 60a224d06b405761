//! One value at one place.

use serde::{Deserialize, Serialize};

use super::{Allowed, Confidence, Fingerprint, Kind, Secret};

/// How the value is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Base64 of the value, or of a text that holds it.
    Base64,
    /// Base64 of `user:password`, as in `Authorization: Basic`.
    BasicAuth,
    /// `%41%43…`, or right after a percent-encoded character.
    Percent,
    /// UTF-16 of either byte order.
    Utf16,
    /// UTF-32 of either byte order.
    Utf32,
    /// `\u0041`, `\x41` or `&#65;`.
    Escaped,
    /// Mail's quoted-printable.
    QuotedPrintable,
    /// In literals that are put together where they stand.
    Split,
    /// Hexadecimal of the value, or of a text that holds it.
    Hex,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Relative to the scanned root, with `/`.
    pub path: String,
    /// 1-based.
    pub line: u64,
    /// 1-based byte column of the value's first byte.
    pub column: u64,
    /// 1-based byte column after the value's last byte.
    pub end_column: u64,
}

/// A value's first characters, or an identifier in full: all that an output may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The redaction of a value: the only one there is.
    #[must_use]
    pub fn of(kind: Kind, value: &Secret) -> Self {
        let value = value.expose();
        match kind {
            _ if !kind.is_secret() => Self(value.to_owned()),
            // The common first part of these says what they are and nothing else.
            Kind::SendgridApiKey | Kind::SegmentApiToken | Kind::AccessTokenJwt => {
                Self(format!("{}…", &value[..4]))
            }
            _ => Self(format!("{}…", value.get(..4).unwrap_or(""))),
        }
    }

    /// The text to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One value at one place, with the reasons for believing in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// Identity across runs.
    pub id: Fingerprint,
    /// The rule that found it, e.g. `twilio-auth-token`.
    pub rule: String,
    /// What it is.
    pub kind: Kind,
    /// The repository, as an audit names it; left out where one repository or folder was scanned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub location: Location,
    /// How sure we are.
    pub confidence: Confidence,
    /// Why, in words.
    pub evidence: Vec<String>,
    /// How it is written there.
    pub encoding: Encoding,
    /// What may be shown of it.
    pub redacted: Redacted,
    /// The value, for `--show-secrets` only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// Why it does not count, until the report is settled; reports list it under `suppressed`.
    #[serde(skip)]
    pub allowed: Option<Allowed>,
    /// The credential that it is a part of.
    pub credential: Fingerprint,
    /// Whether it stands in what is checked out now.
    pub at_head: bool,
    /// Whether a branch, tag, HEAD or stash leads to it; left out where it is so.
    #[serde(skip_serializing_if = "std::clone::Clone::clone", default = "yes")]
    pub reachable: bool,
    /// The commit that brought it; findings from history only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<Commit>,
    /// The path that the commit moved it from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renamed_from: Option<String>,
    /// Who answers for the file: what CODEOWNERS says of it, else the author of the commit that brought the value; an audit
    /// says so.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub owners: Vec<String>,
    /// When an audit saw it first, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// The commit that took it out again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub removed_by: Option<Commit>,
    /// An earlier audit found it in an object that is not here any more, so this one could not read it again; left out where it
    /// was read.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub not_read_again: bool,
}

impl Finding {
    /// Where it stands, with the repository in front where an audit names one.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.repository {
            Some(repository) => format!("{repository}/{}", self.location.path),
            None => self.location.path.clone(),
        }
    }
}

fn yes() -> bool {
    true
}

/// The commit that brought a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Object id, in hex.
    pub id: String,
    /// Author's name.
    pub author: String,
    /// Author's e-mail address.
    pub email: String,
    /// RFC 3339.
    pub date: String,
    /// First line of the message.
    pub summary: String,
}
