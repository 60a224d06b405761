//! Whether a candidate is a credential: the table of decisions, from what stands around it.
//!
//! Two questions are asked. What does its own name say: a secret, something innocent, nothing? And whose is it:
//! Twilio's by name, by the section or call it stands in, by a SID at hand, by the file; or somebody else's? The
//! nearest answer wins.

mod owner;

use owner::{Owner, Said, owner, said};

use super::candidate::{Candidate, Shape};
use super::context::{Context, Named};
use super::name::{Name, Role};
use crate::model::{Confidence, Kind};

/// How a value is known to be Twilio's, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// Nothing says so.
    None,
    /// The file speaks of Twilio, or holds a SID.
    File,
    /// A SID or Twilio's name stands within some lines.
    Near,
    /// A SID stands in the same block.
    Block,
    /// A SID stands beside it, in the same call or list.
    Beside,
    /// Its name, section or call says Twilio.
    Named,
}

/// What is known of the text that a candidate stands in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// A SID of the right kind is the value right before or after it.
    pub sid_beside: Option<&'a str>,
    /// It is so by the variables that hold the two.
    pub sid_by_use: bool,
    /// A SID of the right kind stands in the same block, with the stem and case of its name.
    pub sid_in_block: Option<SidName<'a>>,
    /// The fewest lines to a SID of the right kind.
    pub sid_lines: Option<u64>,
    /// The fewest bytes to a mention of Twilio.
    pub mention_bytes: Option<usize>,
    /// Several values of its shape stand on its line, as in generated code.
    pub crowded: bool,
    /// The path speaks of Twilio.
    pub path_twilio: bool,
    /// The file is a list of hashes by its name.
    pub hash_file: bool,
    /// Another service is spoken of in the lines around it, nearer than Twilio is.
    pub vendor_near: bool,
}

/// What a SID's own name says.
#[derive(Debug, Clone, Copy)]
pub struct SidName<'a> {
    /// The words that tell it from its siblings.
    pub stem: &'a [String],
    /// Its name says Twilio.
    pub twilio: bool,
    /// All capitals, as in environment files.
    pub capitals: bool,
}

/// A judgement in favour.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// What it is.
    pub kind: Kind,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Vec<String>,
    /// It counts only because of a SID nearby.
    pub leans_on_sid: bool,
    /// How well its name fits.
    pub rank: u8,
}

/// Judges a token or secret. `used_as` are the names under which its variable is used elsewhere in the text.
#[must_use]
pub fn secret(
    candidate: &Candidate,
    context: &Context,
    used_as: &[Named],
    around: &Surroundings<'_>,
) -> Option<Judgement> {
    if context.glued && around.sid_beside.is_none() {
        return None;
    }
    let own = match said(context.names.iter()) {
        Said::Otherwise => return None,
        Said::By(named) => Some(named),
        Said::Nothing => match said(used_as.iter()) {
            Said::Otherwise => return None,
            Said::By(named) => Some(named),
            Said::Nothing => None,
        },
    };
    let blank = Name::default();
    let name = own.map_or(&blank, |named| &*named.name);
    let mut evidence = Vec::new();
    if let Some(named) = own {
        evidence.push(format!("{}: {}", named.relation, shorten(&named.name.text)));
    }
    let standing = stand(context, own, name, around, &mut evidence)?;
    if name.role >= Role::Weak && name.words.iter().any(|word| word == "authy") {
        let (kind, confidence) = (Kind::AuthyApiKey, Confidence::High);
        return Some(Judgement { kind, confidence, evidence, leans_on_sid: false, rank: 4 });
    }
    let is_token = candidate.shape == Shape::Hex32;
    let confidence = confidence(is_token, name, &standing, around, context)?;
    let kind = if is_token { Kind::AuthToken } else { Kind::ApiKeySecret };
    let by_sid = matches!(standing.support, Support::Block | Support::Beside);
    let leans_on_sid = by_sid && !standing.owned && name.role < Role::Exact;
    Some(Judgement { kind, confidence, evidence, leans_on_sid, rank: rank(name, &standing) })
}

/// How a value is known to be Twilio's.
struct Standing {
    support: Support,
    /// Its name, section or call says so, whatever else does.
    owned: bool,
    /// Its name has another's name in it, or it stands among names that say Twilio and does not.
    foreign: bool,
}

/// How a value is known to be Twilio's; nothing where it is known to be another's.
fn stand(
    context: &Context,
    own: Option<&Named>,
    name: &Name,
    around: &Surroundings<'_>,
    evidence: &mut Vec<String>,
) -> Option<Standing> {
    let owner = owner(context, around);
    let owned = name.twilio || matches!(owner, Owner::Twilio(_));
    let mut support = if owned { Support::Named } else { Support::None };
    if let (Owner::Twilio(reason), false) = (&owner, name.twilio) {
        evidence.push(reason.clone());
    }
    if let Some(reason) = around.sid_beside {
        support = support.max(Support::Beside);
        evidence.push(reason.to_owned());
    }
    let others = matches!(owner, Owner::Other) && !name.twilio;
    let hashes = around.hash_file && !(name.twilio && name.role == Role::Exact);
    if (others || hashes) && support < Support::Beside {
        return None;
    }
    let (mut same_stem, mut bare) = (false, false);
    if let Some(sid) = around.sid_in_block {
        same_stem = !sid.stem.is_empty() && name.stem == sid.stem;
        // `TOKEN` and `SECRET_KEY` beside `TWILIO_ACCOUNT_SID` in an environment file are somebody else's, and so
        // is the password in the row of a user that has a `twilio_sid`.
        let in_column = own.is_some_and(|named| named.relation == "column");
        bare = sid.twilio
            && !name.twilio
            && name.role < Role::Exact
            && ((sid.capitals && is_capitals(&name.text)) || in_column || is_password(name));
        if !bare && support < Support::Block {
            support = Support::Block;
            evidence.push("a SID stands in the same block".to_owned());
        }
    }
    let sid_near = around.sid_lines.is_some_and(|lines| lines <= NEAR_LINES);
    let mention_near = around.mention_bytes.is_some_and(|bytes| bytes <= NEAR_BYTES);
    if support < Support::Near && (sid_near || mention_near || around.path_twilio) {
        support = Support::Near;
        evidence.push(if sid_near { "a SID stands nearby" } else { "Twilio is named nearby" }.to_owned());
    }
    if support < Support::File && (around.sid_lines.is_some() || around.mention_bytes.is_some()) {
        support = Support::File;
        evidence.push("the file speaks of Twilio".to_owned());
    }
    let foreign = (!name.twilio && !name.unknown.is_empty() && !same_stem) || bare;
    Some(Standing { support, owned, foreign })
}

/// Lines to a SID, and bytes to a mention, that are still near.
const NEAR_LINES: u64 = 40;
const NEAR_BYTES: usize = 1_500;

/// How well a value's name fits, for choosing between two that lean on one SID.
fn rank(name: &Name, standing: &Standing) -> u8 {
    let by_role = match name.role {
        _ if standing.foreign && standing.support < Support::Beside => 0,
        Role::Exact => 4,
        Role::Plain if name.words.iter().any(|word| word == "token" || word == "tok") => 3,
        Role::Plain => 2,
        Role::Weak => 1,
        Role::None => 0,
    };
    by_role + if name.twilio { 5 } else { 0 } + if standing.support == Support::Beside { 3 } else { 0 }
}

fn confidence(
    is_token: bool,
    name: &Name,
    standing: &Standing,
    around: &Surroundings<'_>,
    context: &Context,
) -> Option<Confidence> {
    use Confidence::{High, Low, Medium};
    let near_mention = around.mention_bytes.is_some_and(|bytes| bytes <= 600);
    if around.sid_beside.is_some() {
        // Without a name, or with one that says secret, what stands right beside a SID is its secret.
        return Some(if name.role >= Role::Weak || around.sid_by_use || !has_own_name(context) {
            High
        } else {
            Low
        });
    }
    Some(match (name.role, standing.support) {
        // Another's name in front of the role: `ACMEPAY_AUTH_TOKEN` beside `TWILIO_ACCOUNT_SID`.
        (_, Support::Block | Support::Near | Support::File) if standing.foreign => Low,
        (Role::Exact | Role::Plain, Support::Named) => High,
        (Role::Weak, Support::Named) => Medium,
        (Role::None, Support::Named) if name.twilio && name.words.len() == 1 && !around.crowded => Medium,
        // No name, on the lines of a SID, where Twilio is spoken of.
        (Role::None, _)
            if near_mention
                && !around.crowded
                && around.sid_lines.is_some_and(|lines| lines <= 2)
                && !has_own_name(context) =>
        {
            Medium
        }
        (Role::Exact, Support::Block) => High,
        (Role::Plain, Support::Block) => Medium,
        (Role::Exact, Support::Near) => Medium,
        (Role::Exact, Support::File) if is_token || near_mention => Medium,
        (Role::Plain, Support::Near) if is_token && near_mention && !around.crowded && is_tokenish(name) => {
            Medium
        }
        (Role::Weak, Support::Block) | (Role::Exact | Role::Plain, _) => Low,
        _ => return None,
    })
}

/// Whether a name says token or auth: `secret` and the like are said of too many things.
fn is_tokenish(name: &Name) -> bool {
    !is_password(name)
        && name.words.iter().any(|word| matches!(word.as_str(), "token" | "tok" | "auth" | "validator"))
}

fn is_password(name: &Name) -> bool {
    name.words.iter().any(|word| matches!(word.as_str(), "password" | "passwd" | "pass" | "pwd" | "pw"))
}

/// Whether the value is assigned to a name of its own that says nothing.
fn has_own_name(context: &Context) -> bool {
    let own = context.own_names.unwrap_or(context.names.len());
    context.names[..own.min(context.names.len())]
        .iter()
        .any(|named| !matches!(named.relation, "call" | "section" | "bracket") && !named.name.value_holder)
}

fn is_capitals(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Judges a SID: an identifier needs little to be believed.
#[must_use]
pub fn sid(shape: Shape, value: &str, context: &Context, around: &Surroundings<'_>) -> Option<Judgement> {
    let named = context.informative();
    let speaks = named.is_some_and(|n| n.name.twilio)
        || around.mention_bytes.is_some()
        || around.path_twilio
        || context
            .names
            .iter()
            .any(|n| n.name.words.iter().any(|word| matches!(word.as_str(), "sid" | "sids")));
    let lower = !value[2..].bytes().any(|byte| byte.is_ascii_uppercase());
    let of_sid = if lower {
        Confidence::High
    } else if speaks {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    let (kind, confidence) = match shape {
        Shape::AccountSid => (Kind::AccountSid, of_sid),
        Shape::KeySid => (Kind::ApiKeySid, of_sid),
        Shape::OauthSid => {
            let client = named
                .is_some_and(|n| n.name.words.iter().any(|word| matches!(word.as_str(), "client" | "oauth")));
            (Kind::OauthClientId, if speaks || client { Confidence::Medium } else { Confidence::Low })
        }
        Shape::Hex32 | Shape::Base62 => return None,
    };
    let mut evidence = vec![format!("shape of an {}", kind.title())];
    if let Some(named) = named {
        evidence.push(format!("{}: {}", named.relation, shorten(&named.name.text)));
    }
    Some(Judgement { kind, confidence, evidence, leans_on_sid: false, rank: 0 })
}

/// A name as it may stand in a report: one line, not too long.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut line: String = text
        .split_whitespace()
        .map(|word| if is_wordlike(word) { word } else { "…" })
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() > 60 {
        line = line.chars().take(59).chain(['…']).collect();
    }
    line
}

/// Whether a word may be shown: a long mixture of letters and digits could be a part of some secret.
fn is_wordlike(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric())
        .all(|part| part.len() < 12 || part.bytes().filter(u8::is_ascii_digit).count() < 3)
}

/// Whether a file is a list of hashes by its name.
#[must_use]
pub fn is_hash_file(path: &str) -> bool {
    let name = path.rsplit(['/', '!']).next().unwrap_or(path).to_ascii_lowercase();
    name.ends_with(".lock")
        || name.ends_with(".sum")
        || name.ends_with(".md5")
        || name.ends_with(".sha1")
        || name.ends_with(".sha256")
        || name.ends_with(".sha512")
        || name.ends_with("-lock.json")
        || name.ends_with("-lock.yaml")
        || name.ends_with("-lock.yml")
        || name.ends_with(".map")
        || matches!(
            name.as_str(),
            "md5sums"
                | "sha1sums"
                | "sha256sums"
                | "checksums"
                | "checksums.txt"
                | "record"
                | "md5sums.txt"
                | "shasums"
                | "npm-shrinkwrap.json"
                | "packages.lock.json"
                | "manifest.md5"
                | ".cargo-checksum.json"
                | "integrity.json"
        )
}
