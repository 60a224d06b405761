//! What the names around a value say, and whose it is.

use super::{Surroundings, shorten};
use crate::detect::context::{Context, Named};
use crate::detect::name::Role;

/// What the nearest names say.
pub enum Said<'a> {
    /// The value is no credential, or not Twilio's.
    Otherwise,
    /// This name bears on it.
    By(&'a Named),
    /// Nothing.
    Nothing,
}

/// What the nearest of these names says.
pub fn said<'a>(names: impl Iterator<Item = &'a Named>) -> Said<'a> {
    for named in names {
        let name = &named.name;
        let spoken = matches!(named.relation, "words before it" | "line above" | "comment" | "label");
        if name.innocent
            || (name.innocent_alone
                && !name.twilio
                && named.relation != "call"
                && !(spoken && name.role == Role::Exact))
        {
            return Said::Otherwise;
        }
        if name.vendor.is_some() && !name.twilio && !(spoken && name.vendor_is_common) {
            return Said::Otherwise;
        }
        if name.other_purpose && !name.twilio && named.relation != "call" {
            return Said::Otherwise;
        }
        if name.role != Role::None || (name.twilio && named.relation != "call" && !spoken) {
            return Said::By(named);
        }
    }
    Said::Nothing
}

/// Whose value it is, by the sections and calls around it.
pub enum Owner {
    /// Twilio's, since this says so.
    Twilio(String),
    /// Somebody else's.
    Other,
    /// Nothing says.
    Unknown,
}

/// Whose a value is.
pub fn owner(context: &Context, surroundings: &Surroundings<'_>) -> Owner {
    if surroundings.vendor_near {
        return Owner::Other;
    }
    for named in &context.names {
        if named.name.twilio {
            return Owner::Twilio(format!("{}: {}", named.relation, shorten(&named.name.text)));
        }
    }
    for (depth, level) in context.levels.iter().enumerate() {
        if level.head.twilio {
            let head = level.head.text.trim_matches(|c: char| c.is_whitespace() || "\"':{[(=".contains(c));
            return Owner::Twilio(format!("section: {}", shorten(head)));
        }
        if level.head.vendor.is_some()
            && (level.is_key || !level.head.vendor_is_common)
            && level.head.words.len() <= 8
        {
            return Owner::Other;
        }
        if level.head.innocent && level.is_key && depth == 0 && level.head.words.len() <= 2 {
            return Owner::Other;
        }
    }
    Owner::Unknown
}
