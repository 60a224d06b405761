//! What the names around a value say that it is: a secret, a digest, an identifier, nothing.

use super::evidence::Evidence;
use super::{Uses, Value, shorten};
use crate::detect::context::{Context, Named, Relation};
use crate::detect::name::Role;
use crate::rules::{Observation, Tag};

/// Observes what the names say, and returns the nearest that says anything.
pub(super) fn observe<'a>(
    context: &'a Context,
    uses: &'a Uses,
    value: Value,
    evidence: &mut Evidence,
) -> Option<&'a Named> {
    let near = || context.names.iter().filter(|named| named.relation != Relation::Section);
    for named in near() {
        innocence(named, value.is_passed || named.relation.is_spoken(), evidence);
        // Beyond a name that says secret nothing else says what the value is.
        if named.name.role != Role::None && named.relation != Relation::Comment {
            break;
        }
    }
    // A table's name: `INSERT INTO email_tokens (token) VALUES (…)`.
    let is_purpose = |named: &&Named| {
        named.relation == Relation::Section && named.name.says(Tag::Purpose) && !named.name.brand
    };
    if context.names.iter().any(|named| is_purpose(&named)) {
        evidence.add(Observation::PurposeSection);
    }
    let own = near().find(|named| named.name.is_informative());
    let by_section = || context.names.iter().find(|named| named.name.role != Role::None);
    let by_use = || uses.names.iter().find(|named| named.name.role != Role::None);
    let (named, used) = match own {
        Some(named) if named.name.role != Role::None => (Some(named), false),
        _ => match by_section() {
            Some(named) => (Some(named), false),
            None => (by_use(), true),
        },
    };
    match named {
        Some(named) => role(named, used, own, value.hex, evidence),
        None => nameless(context, evidence),
    }
    if used {
        // A use elsewhere says no more than a comment does.
        for named in &uses.names {
            innocence(named, true, evidence);
        }
    }
    named.or(own)
}

fn role(named: &Named, used: bool, own: Option<&Named>, hex: bool, evidence: &mut Evidence) {
    let name = &*named.name;
    let seen = format!("{}: {}", named.relation.as_str(), shorten(&name.text));
    let password = name.says(Tag::Password)
        && !name.says(Tag::Token)
        && !name.says(Tag::Secret)
        && !name.says(Tag::Auth);
    let role = match name.role {
        Role::Exact => Observation::RoleExact,
        Role::Plain if password => Observation::RolePassword,
        Role::Plain => Observation::RolePlain,
        Role::Weak | Role::None => Observation::RoleWeak,
    };
    evidence.add_seen(role, seen);
    let bearing = match named.relation {
        _ if used => Some(Observation::NamedByUse),
        _ if own.is_some_and(|own| !std::ptr::eq(own, named)) => Some(Observation::OuterRole),
        Relation::Argument => Some(Observation::NamedAsArgument),
        Relation::WordsBefore | Relation::LineAbove => Some(Observation::NamedInSpeech),
        Relation::Comment => Some(Observation::NamedInComment),
        Relation::Call | Relation::Bracket => Some(Observation::NamedByCall),
        _ => None,
    };
    if let Some(bearing) = bearing {
        evidence.add(bearing);
    }
    let misfit = if hex {
        name.says(Tag::Secret) && !name.says(Tag::Token)
    } else {
        name.says(Tag::Token) && !name.says(Tag::Secret)
    };
    if misfit {
        evidence.add(Observation::RoleMisfit);
    }
}

/// What a value without a name that says secret is called.
fn nameless(context: &Context, evidence: &mut Evidence) {
    let own = context.own_names.unwrap_or(context.names.len()).min(context.names.len());
    let mut names = context.names[..own].iter().filter(|named| named.relation.is_own());
    evidence.add(match names.next() {
        None => Observation::NameAbsent,
        Some(named) if named.name.value_holder => Observation::NameHolder,
        Some(named) if named.name.says(Tag::Sid) => Observation::NameSid,
        Some(named) if named.name.unknown.is_empty() => Observation::NameNeutral,
        Some(_) => Observation::NameUnknown,
    });
}

/// Observes what a name says against the value's being a credential.
fn innocence(named: &Named, spoken: bool, evidence: &mut Evidence) {
    let name = &*named.name;
    let call = matches!(named.relation, Relation::Call | Relation::Bracket);
    if name.file && !spoken {
        evidence.add(Observation::FileName);
    }
    // What a call returns is what the call says: `md5("twilio-auth-token") == "…"`.
    let result = name.text.contains('(');
    let hash = if call || result || named.relation == Relation::Argument {
        name.speaks_of(Tag::Hash)
    } else {
        name.says(Tag::Hash)
    };
    if hash {
        evidence.add(match () {
            () if spoken => Observation::HashSpeech,
            () if call || named.relation == Relation::Argument => Observation::HashCall,
            () => Observation::HashName,
        });
    }
    if name.says(Tag::Identifier) && !call {
        evidence.add(if spoken { Observation::IdentifierSpeech } else { Observation::IdentifierName });
    }
    if name.brand {
        return;
    }
    if name.says(Tag::Thing) && !call {
        evidence.add(if spoken { Observation::ThingSpeech } else { Observation::ThingName });
    }
    if (name.says(Tag::Purpose) && !call) || name.speaks_of(Tag::Cookie) {
        evidence.add(if spoken { Observation::PurposeSpeech } else { Observation::PurposeName });
    }
}
