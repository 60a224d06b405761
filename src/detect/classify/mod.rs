//! Whether a candidate is a credential of Twilio's: all that can be observed of it is weighed, and the sum is the log-odds.
//!
//! No single word decides. Only where a value cannot be a credential at all, since it is a published example, somebody typed it or
//! its own syntax computes or encrypts it, does that outvote everything else ([`Veto`]).

mod evidence;
mod look;
mod owner;
mod role;
mod sid;

pub use evidence::Evidence;
pub use sid::{Passed, SidTie, sid};

use super::candidate::{Candidate, Shape};
use super::context::{Context, Named, Relation};
use super::name::Role;

use super::name::Name;
use super::placeholder::Typed;
use crate::model::{Confidence, Kind};
use crate::rules::{MEDIUM, Observation, Rules, Tag};

/// What is known of the text that a candidate stands in.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The closest tie to a SID of the right kind.
    pub sid: Option<SidTie>,
    /// The object that it is a part of names a user that is no SID.
    pub other_user: bool,
    /// The SID that it is tied to is called a user.
    pub sid_is_user: bool,
    /// The fewest bytes to a mention of Twilio.
    pub mention_bytes: Option<usize>,
    /// The path speaks of Twilio.
    pub path_brand: bool,
    /// The file is a list of hashes by its name.
    pub hash_file: bool,
    /// Twilio's name stands on its line.
    pub brand_on_line: bool,
    /// The nearest of a comment or heading above that speaks of a service speaks of Twilio.
    pub brand_above: bool,
    /// Another service's name stands on its line.
    pub vendor_on_line: bool,
    /// The nearest of a comment or heading above that speaks of a service speaks of another.
    pub vendor_above: bool,
    /// The statement before or after it names Twilio.
    pub brand_in_neighbour: bool,
    /// The statement before or after it names another service.
    pub vendor_in_neighbour: bool,
    /// What the object that it is a part of calls itself.
    pub label: Option<Label>,
    /// The SID that it is tied to has a secret of its own by name.
    pub sid_served: bool,
    /// It is a parameter of an address that is not Twilio's.
    pub query_of_other: bool,
    /// A name on its line says that it is Twilio's secret.
    pub secret_on_line: bool,
    /// A digest is spoken of on its line.
    pub hash_on_line: bool,
    /// A cookie is spoken of before it on its line.
    pub cookie_on_line: bool,
    /// It stands in a section of its own that is called something unknown, and the SIDs stand elsewhere.
    pub unknown_section: bool,
    /// The names around it say Twilio, and its own does not.
    pub bare_among_branded: bool,
    /// Its name is that of a SID nearby but for the role.
    pub namesake: bool,
    /// Values of its shape stand beside it under names that say nothing of a secret.
    pub hash_siblings: bool,
    /// Several values of its shape stand on its line, as in generated code.
    pub crowded: bool,
    /// It is called, or is a member of something: an identifier of a program.
    pub invoked: bool,
    /// It is the key of an object, and something else the value.
    pub is_key: bool,
    /// It is a piece of a longer word, cut out by `_` or `-`.
    pub part_of_word: bool,
    /// It stands without quotes in a text that quotes its values.
    pub unquoted: bool,
}

/// What an object calls itself: `{"provider": "twilio", "secret": "…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Twilio.
    Brand,
    /// Another service.
    Vendor,
    /// Something that nothing is known of, and no SID is a part of the object.
    Unknown,
}

/// What the uses of the variable that a value is assigned to say.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// The names under which it is used.
    pub names: Vec<Named>,
    /// It is used in a call or section of Twilio's.
    pub brand: bool,
    /// It is used in a call of another service.
    pub vendor: bool,
    /// How it is passed to calls.
    pub passed: Passed,
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
    /// What was observed.
    pub observed: Vec<Observation>,
    /// The log-odds.
    pub odds: f32,
    /// The log-odds without what SIDs nearby add: it counts for itself if they suffice.
    pub odds_alone: f32,
}

/// What of a value bears on what its names say.
#[derive(Clone, Copy)]
struct Value {
    /// It is 32 hex digits.
    hex: bool,
    /// Its variable is passed to Twilio's own call, in the place of a secret.
    is_passed: bool,
}

/// Weighs a token or secret.
#[must_use]
pub fn weigh(
    candidate: &Candidate,
    value: &str,
    context: &Context,
    uses: &Uses,
    around: &Surroundings,
) -> Evidence {
    let mut evidence = Evidence::default();
    let hex = candidate.shape == Shape::Hex32;
    // What Twilio's own call takes is Twilio's, whatever its variable is called: `twilio(s1, s3)`.
    let is_passed = uses.brand && (uses.passed.argument || around.sid == Some(SidTie::ByUse));
    let own = role::observe(context, uses, Value { hex, is_passed }, &mut evidence);
    owner::observe(context, uses, own, around, is_passed, &mut evidence);
    sid::observe(context, uses, around, &mut evidence);
    let is_branded = own.is_some_and(|named| named.name.brand);
    let password = evidence.has(Observation::RolePassword);
    let is_apart = around.sid.is_some_and(|tie| tie > SidTie::After);
    let own_says_it = is_branded && own.is_some_and(|named| named.name.role != Role::None);
    let is_exact = own.is_some_and(|named| named.name.role == Role::Exact);
    let hash_is_said = evidence.has(Observation::HashSpeech);
    for (is_so, observation) in [
        (password && around.sid_is_user, Observation::PasswordOfUser),
        (password && !around.sid_is_user && is_apart && !is_branded, Observation::PasswordOfOther),
        (around.other_user, Observation::UserOfOther),
        (is_literal_user(context), Observation::LiteralUser),
        (around.hash_file, Observation::HashFile),
        (around.hash_siblings, Observation::HashSiblings),
        (around.is_key, Observation::IsKey),
        (context.glued, Observation::PartOfPath),
        (around.part_of_word, Observation::PartOfWord),
        (around.invoked, Observation::Invoked),
        (around.unquoted && !hex, Observation::Unquoted),
        (context.compared, Observation::ComparedWithCall),
        (around.hash_on_line && !hash_is_said, Observation::HashOnLine),
        (around.cookie_on_line, Observation::CookieOnLine),
        (around.secret_on_line && !own_says_it && !context.glued, Observation::SecretNamedOnLine),
        (around.query_of_other && !is_exact, Observation::QueryOfOther),
        (!is_branded && own.is_some_and(|named| named.name.part), Observation::PartInName),
        (around.crowded, Observation::CrowdedLine),
    ] {
        if is_so {
            evidence.add(observation);
        }
    }
    if !hex && let Some(observation) = look::observe(value.as_bytes()) {
        evidence.add(observation);
    }
    evidence
}

/// Whether it is the password of a user that is written out and is no SID: `curl -u deploy:…`.
fn is_literal_user(context: &Context) -> bool {
    let previous = context.previous.as_ref().filter(|_| context.basic && context.is_previous_literal);
    previous.is_some_and(|name| !(name.says(Tag::Sid) || name.says(Tag::Account) || name.brand))
}

/// Whether its own name says that it is a secret, and of what: `SMS_PASSWORD`.
fn has_stem(context: &Context) -> bool {
    context.names.first().is_some_and(|named| {
        matches!(named.relation, Relation::Name | Relation::Key)
            && named.name.role >= Role::Plain
            && !named.name.stem.is_empty()
    })
}

/// The judgement that this evidence comes to.
#[must_use]
pub fn judge(
    candidate: &Candidate,
    context: &Context,
    typed: Option<Typed>,
    mut evidence: Evidence,
) -> Judgement {
    if typed == Some(Typed::Perhaps) {
        evidence.add(Observation::LookTyped);
    }
    let odds = evidence.odds();
    let mut confidence = Confidence::of(odds);
    // A SID of the same name in a file beside it would make it one, so that it is kept until all files are known.
    if confidence == Confidence::Doubtful
        && odds + Observation::SidInBlock.weight() >= MEDIUM
        && has_stem(context)
    {
        confidence = Confidence::Low;
    }
    let mut reasons = evidence.reasons();
    if let Some(Typed::Certainly(reason)) = typed {
        confidence = confidence.min(Confidence::Low);
        reasons.insert(0, format!("somebody typed it: {reason}"));
    }
    let mut kind = if candidate.shape == Shape::Hex32 { Kind::AuthToken } else { Kind::ApiKeySecret };
    if is_authy(context) {
        // Whose it is its own name says, and no SID stands beside such a key.
        kind = Kind::AuthyApiKey;
        if typed.is_none() {
            confidence = Confidence::High;
        }
    }
    let odds_alone = evidence.odds_without_sids();
    Judgement {
        kind,
        confidence,
        evidence: reasons,
        observed: evidence.observations().collect(),
        odds,
        odds_alone,
    }
}

/// Whether its name says that it is a key of Authy's, which have the same shape.
fn is_authy(context: &Context) -> bool {
    context.informative().is_some_and(|named| {
        named.name.says(Tag::Authy) && named.name.role >= Role::Weak && !named.name.is_innocent()
    })
}

impl Confidence {
    /// The confidence that these log-odds are.
    #[must_use]
    pub fn of(odds: f32) -> Self {
        use crate::rules::{HIGH, LOW, MEDIUM};
        if odds >= HIGH {
            Self::High
        } else if odds >= MEDIUM {
            Self::Medium
        } else if odds >= LOW {
            Self::Low
        } else {
            Self::Doubtful
        }
    }
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

/// Whether a file is a list of hashes by its name: `i18n.lock`, `SHA256SUMS`, `hashes.json`.
#[must_use]
pub fn is_hash_file(rules: &Rules, path: &str) -> bool {
    let file = path.rsplit(['/', '!']).next().unwrap_or(path);
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = rules.word(&ending.to_ascii_lowercase());
    if known.is(Tag::Code) {
        return false;
    }
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = Name::read(rules, &stem.replace('.', "_"));
    known.is_any(&[Tag::Hash, Tag::HashFile]) || name.says(Tag::Hash) || name.says(Tag::HashFile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::MEDIUM;
    use Observation as O;

    /// Comments, uses elsewhere and the look of the characters.
    const WEAK: [O; 15] = [
        O::HashSpeech,
        O::IdentifierSpeech,
        O::ThingSpeech,
        O::PurposeSpeech,
        O::VendorByUse,
        O::VendorOnLine,
        O::VendorAbove,
        O::VendorInNeighbour,
        O::HashOnLine,
        O::LookMixed,
        O::LookUneven,
        O::LookWords,
        O::LookOneCase,
        O::LookTyped,
        O::CrowdedLine,
    ];

    fn odds(observed: &[O]) -> f32 {
        let mut evidence = Evidence::default();
        for observation in observed {
            evidence.add(*observation);
        }
        evidence.odds()
    }

    #[test]
    fn no_comment_use_or_look_outvotes_twilios_own_name_or_call() {
        // The tie, the name or the call that leaves no doubt; the text speaks of Twilio in each.
        for strong in [
            vec![O::RoleExact, O::BrandInName],
            vec![O::RolePlain, O::BrandInName],
            vec![O::NameAbsent, O::SidBefore, O::BrandInCall],
            vec![O::NameAbsent, O::SidNameBefore, O::TwilioArgument, O::BrandInCall],
            vec![O::RoleExact, O::SidNamesake, O::BrandInName],
        ] {
            let strong = [strong, vec![O::MentionNear]].concat();
            let all = [strong.clone(), WEAK.to_vec()].concat();
            assert!(odds(&all) >= MEDIUM, "{all:?}: {}", odds(&all));
            for weak in WEAK {
                let all = [strong.clone(), vec![weak]].concat();
                assert!(odds(&all) >= MEDIUM, "{all:?}: {}", odds(&all));
            }
        }
    }

    #[test]
    fn a_value_is_reported_by_what_is_known_of_it_together() {
        for (observed, reported) in [
            (&[O::RoleExact, O::BrandInName, O::MentionNear][..], true),
            (&[O::RolePlain, O::BrandInName, O::MentionNear], true),
            (&[O::RolePassword, O::BrandInName, O::MentionNear], true),
            (&[O::RolePlain, O::BrandInSection, O::MentionNear], true),
            (&[O::RoleExact, O::SidInBlock], true),
            (&[O::NameAbsent, O::SidBefore], true),
            (&[O::RoleExact], false),
            (&[O::RolePlain, O::MentionFar], false),
            (&[O::RoleExact, O::VendorInName, O::SidInBlock], false),
            (&[O::RoleExact, O::BrandInName, O::HashName], false),
            (&[O::RolePlain, O::BareAmongBranded, O::SidInBlock], false),
            (&[O::NameNeutral, O::MentionNear, O::SidInBlock, O::SidTaken], false),
            (&[O::RolePlain, O::VendorInSection, O::SidNear], false),
        ] {
            assert_eq!(odds(observed) >= MEDIUM, reported, "{observed:?}: {}", odds(observed));
        }
    }
}
