//! Whose a value is: the nearest that says so counts, its name before its call, its call before its section, and so on outwards.

use super::evidence::Evidence;
use super::{Label, Surroundings, Uses, shorten};
use crate::detect::context::{Context, Level, Named, Relation};
use crate::rules::{Observation, Tag};

/// How near something that says whose a value is stands to it, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Name,
    Argument,
    Call,
    Speech,
    Use,
    Label,
    Section,
    Line,
    Above,
    OuterSection,
    Neighbour,
}

/// What says so.
struct Owner {
    nearness: Nearness,
    depth: usize,
    seen: Option<String>,
    is_common: bool,
}

/// Sections up to this depth are the value's own.
const OWN_SECTIONS: usize = 1;

/// Observes whose a value is.
pub(super) fn observe(
    context: &Context,
    uses: &Uses,
    own: Option<&Named>,
    around: &Surroundings,
    is_passed: bool,
    evidence: &mut Evidence,
) {
    let brand = brand(context, uses, around);
    let vendor =
        vendor(context, uses, around).filter(|owner| !(is_passed && owner.nearness == Nearness::Name));
    let place = |owner: &Option<Owner>| owner.as_ref().map(|owner| (owner.nearness, owner.depth));
    let (at_brand, at_vendor) = (place(&brand), place(&vendor));
    if let Some(owner) = brand.filter(|_| at_vendor.is_none_or(|at| at_brand <= Some(at))) {
        let observation = match owner.nearness {
            Nearness::Name => Observation::BrandInName,
            Nearness::Argument => Observation::BrandInArgument,
            Nearness::Call => Observation::BrandInCall,
            Nearness::Speech => Observation::BrandInSpeech,
            Nearness::Use => Observation::BrandByUse,
            Nearness::Label => Observation::BrandInLabel,
            Nearness::Section => Observation::BrandInSection,
            Nearness::Line => Observation::BrandOnLine,
            Nearness::Above => Observation::BrandAbove,
            Nearness::OuterSection => Observation::BrandInOuterSection,
            Nearness::Neighbour => Observation::BrandInNeighbour,
        };
        match owner.seen {
            Some(seen) => evidence.add_seen(observation, seen),
            None => evidence.add(observation),
        }
    }
    if let Some(owner) = vendor.filter(|_| at_brand.is_none_or(|at| at_vendor <= Some(at))) {
        evidence.add(match owner.nearness {
            Nearness::Name => Observation::VendorInName,
            Nearness::Argument => Observation::VendorInArgument,
            Nearness::Call => Observation::VendorInCall,
            Nearness::Speech => Observation::VendorInSpeech,
            Nearness::Use => Observation::VendorByUse,
            Nearness::Label => Observation::VendorInLabel,
            Nearness::Section => Observation::VendorInSection,
            Nearness::Line => Observation::VendorOnLine,
            Nearness::Above => Observation::VendorAbove,
            Nearness::OuterSection => Observation::VendorInOuterSection,
            Nearness::Neighbour => Observation::VendorInNeighbour,
        });
        if owner.is_common {
            evidence.add(Observation::VendorIsCommon);
        }
    }
    if let Some(observation) = mention(around) {
        evidence.add(observation);
    }
    if around.path_brand {
        evidence.add(Observation::MentionInPath);
    }
    unknown(context, own, around, is_passed, evidence);
    section(context, evidence);
}

/// What names an owner that is not known.
fn unknown(
    context: &Context,
    own: Option<&Named>,
    around: &Surroundings,
    is_passed: bool,
    evidence: &mut Evidence,
) {
    let branded = context.names.iter().any(|named| named.name.brand);
    if !branded
        && !around.namesake
        && !is_passed
        && own.is_some_and(|named| named.relation.is_own() && !named.name.unknown.is_empty())
    {
        evidence.add(Observation::UnknownInName);
    }
    if around.label == Some(Label::Unknown) && !branded {
        evidence.add(Observation::UnknownLabel);
    }
    if around.unknown_section && !branded {
        evidence.add(Observation::UnknownSection);
    }
}

/// What its sections say of the value itself.
fn section(context: &Context, evidence: &mut Evidence) {
    let keys = context.levels.iter().take(3).filter(|level| level.is_key && level.head.words.len() <= 3);
    for level in keys {
        if level.head.says(Tag::Hash) {
            evidence.add(Observation::HashSection);
        } else if level.head.says(Tag::Purpose) && !level.head.brand {
            evidence.add(Observation::PurposeSection);
        }
        if level.head.brand {
            return;
        }
    }
}

/// How near the text speaks of Twilio, in bytes.
fn mention(around: &Surroundings) -> Option<Observation> {
    around.mention_bytes.map(|bytes| match bytes {
        0..=600 => Observation::MentionNear,
        601..=2_000 => Observation::MentionAround,
        _ => Observation::MentionFar,
    })
}

fn nearness(named: &Named) -> Nearness {
    match named.relation {
        Relation::Argument => Nearness::Argument,
        Relation::Call | Relation::Bracket => Nearness::Call,
        Relation::WordsBefore | Relation::LineAbove | Relation::Comment => Nearness::Speech,
        Relation::Section => Nearness::Section,
        _ => Nearness::Name,
    }
}

fn section_nearness(depth: usize) -> Nearness {
    if depth <= OWN_SECTIONS { Nearness::Section } else { Nearness::OuterSection }
}

/// The nearest that says Twilio.
fn brand(context: &Context, uses: &Uses, around: &Surroundings) -> Option<Owner> {
    let owner = |nearness, depth, seen| Owner { nearness, depth, seen, is_common: false };
    let names = context.names.iter().filter(|named| named.name.brand).map(|named| {
        owner(nearness(named), 0, Some(format!("{}: {}", named.relation.as_str(), shorten(&named.name.text))))
    });
    let sections =
        context.levels.iter().enumerate().filter(|(_, level)| level.head.brand).map(|(depth, level)| {
            let head = level.head.text.trim_matches(|c: char| c.is_whitespace() || "\"':{[(=".contains(c));
            owner(section_nearness(depth), depth, Some(format!("section: {}", shorten(head))))
        });
    let others = [
        (uses.brand, Nearness::Use),
        (around.label == Some(Label::Brand), Nearness::Label),
        (around.brand_on_line, Nearness::Line),
        (around.brand_above, Nearness::Above),
        (around.brand_in_neighbour, Nearness::Neighbour),
    ];
    nearest(names.chain(sections), others)
}

/// The nearest of these, and of what only its nearness is known of.
fn nearest(known: impl Iterator<Item = Owner>, others: [(bool, Nearness); 5]) -> Option<Owner> {
    let others = others.into_iter().filter(|(is_so, _)| *is_so);
    let others = others.map(|(_, nearness)| Owner { nearness, depth: 0, seen: None, is_common: false });
    known.chain(others).min_by_key(|owner| (owner.nearness, owner.depth))
}

/// The nearest that says another service.
fn vendor(context: &Context, uses: &Uses, around: &Surroundings) -> Option<Owner> {
    let owner = |nearness, depth, is_common| Owner { nearness, depth, seen: None, is_common };
    let names = context
        .names
        .iter()
        .filter(|named| {
            // An ordinary word in a sentence; `FacebookClientToken` is no sentence.
            let is_word = named.relation.is_spoken() && named.name.text.contains(' ');
            named.name.vendor && !(is_word && named.name.vendor_is_common)
        })
        .map(|named| {
            // A comment behind a value may speak of anything.
            let nearness = if named.relation == Relation::Comment { Nearness::Line } else { nearness(named) };
            owner(nearness, 0, named.name.vendor_is_common)
        });
    let is_vendor = |level: &Level| {
        level.head.vendor && (level.is_key || !level.head.vendor_is_common) && level.head.words.len() <= 8
    };
    let sections = context
        .levels
        .iter()
        .enumerate()
        .filter(|(_, level)| is_vendor(level))
        .map(|(depth, level)| owner(section_nearness(depth), depth, level.head.vendor_is_common));
    let others = [
        (uses.vendor, Nearness::Use),
        (around.label == Some(Label::Vendor), Nearness::Label),
        (around.vendor_on_line, Nearness::Line),
        (around.vendor_above, Nearness::Above),
        (around.vendor_in_neighbour, Nearness::Neighbour),
    ];
    nearest(names.chain(sections), others)
}
