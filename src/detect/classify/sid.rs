//! How a value is tied to a SID, and what a SID itself is worth.

use super::evidence::Evidence;
use super::{Judgement, Surroundings, Uses, shorten};
use crate::detect::candidate::Shape;
use crate::detect::context::Context;
use crate::detect::name::Role;
use crate::model::{Confidence, Kind};
use crate::rules::{Observation, Tag};

/// The closest tie of a value to a SID of the right kind, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SidTie {
    /// The SID is the value right before it.
    Before,
    /// The variables that hold the two are used one after the other.
    ByUse,
    /// The SID is the value right after it.
    After,
    /// In one block, and named alike.
    Namesake,
    /// In one block.
    Block,
    /// In sections side by side, as `variable "sid" { … } variable "token" { … }`.
    Sibling,
    /// Within two lines.
    OnLine,
    /// Within twelve lines.
    Near,
    /// Within forty lines.
    Around,
    /// Further off in the same text.
    InText,
}

impl SidTie {
    fn observation(self) -> Observation {
        match self {
            Self::Before => Observation::SidBefore,
            Self::ByUse => Observation::SidByUse,
            Self::After => Observation::SidAfter,
            Self::Namesake => Observation::SidNamesake,
            Self::Block => Observation::SidInBlock,
            Self::Sibling => Observation::SidInSibling,
            Self::OnLine => Observation::SidOnLine,
            Self::Near => Observation::SidNear,
            Self::Around => Observation::SidAround,
            Self::InText => Observation::SidInText,
        }
    }
}

/// Observes the tie to a SID, or to the place where one would stand.
pub(super) fn observe(context: &Context, uses: &Uses, around: &Surroundings, evidence: &mut Evidence) {
    if let Some(tie) = around.sid {
        evidence.add(tie.observation());
    }
    let tied = around.sid.is_some_and(|tie| tie <= SidTie::After);
    if around.bare_among_branded && !tied {
        evidence.add(Observation::BareAmongBranded);
    }
    if tied {
        return;
    }
    if around.sid_served {
        evidence.add(Observation::SidServed);
    }
    if (context.basic && !super::is_literal_user(context)) || uses.passed.basic {
        evidence.add(Observation::BasicAuth);
    }
    let passed = Passed::of(context);
    for (is_so, observation) in [
        (passed.behind_sid || (uses.passed.client && uses.passed.behind_sid), Observation::SidNameBefore),
        (passed.argument || uses.passed.argument, Observation::TwilioArgument),
        (passed.client || uses.passed.client, Observation::ClientArgument),
    ] {
        if is_so {
            evidence.add(observation);
        }
    }
}

/// How a value, or the variable that holds it, is passed to a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed {
    /// Behind the name of a SID, or of a key where a client takes one.
    pub behind_sid: bool,
    /// To Twilio's own call, behind its first argument, or as what it validates with.
    pub argument: bool,
    /// To a call that takes a SID and its secret, or to one that validates.
    pub client: bool,
    /// Behind the name of a SID, where a user and a password are put together.
    pub basic: bool,
}

impl Passed {
    /// What the context of a value, or of a use of its variable, says.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        let previous = context.previous.as_deref();
        let takes_key = context.basic
            || context.callee.as_ref().is_some_and(|callee| callee.brand || callee.speaks_of(Tag::Client));
        let behind_sid = previous.is_some_and(|name| {
            let is_key =
                takes_key && name.role == Role::Weak && name.says(Tag::Key) && !name.says(Tag::Scheme);
            let is_user = name.says(Tag::Sid) || name.says(Tag::Account) || name.says(Tag::User);
            is_key || (is_user && name.role == Role::None && (takes_key || !context.is_previous_literal))
        });
        let basic = context.basic && previous.is_some_and(|name| name.says(Tag::Sid));
        let Some(callee) = context.callee.as_ref().filter(|callee| !callee.vendor) else {
            return Self { behind_sid, basic, ..Self::default() };
        };
        let first = context.position == 0 && previous.is_none();
        let argument = callee.brand && (!first || callee.speaks_of(Tag::Validator));
        let client = (callee.speaks_of(Tag::Client) && behind_sid) || callee.says(Tag::Validator);
        Self { behind_sid, argument, client: client && !argument, basic }
    }
}

/// Judges a SID: an identifier needs little to be believed.
#[must_use]
pub fn sid(shape: Shape, value: &str, context: &Context, around: &Surroundings) -> Option<Judgement> {
    let named = context.informative();
    let speaks = named.is_some_and(|n| n.name.brand)
        || around.mention_bytes.is_some()
        || around.path_brand
        || context.names.iter().any(|n| n.name.says(Tag::Sid));
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
            let client = named.is_some_and(|n| n.name.says(Tag::OauthClient));
            (Kind::OauthClientId, if speaks || client { Confidence::Medium } else { Confidence::Low })
        }
        Shape::Hex32 | Shape::Base62 => return None,
    };
    let mut evidence = vec![format!("shape of an {}", kind.title())];
    if let Some(named) = named {
        evidence.push(format!("{}: {}", named.relation.as_str(), shorten(&named.name.text)));
    }
    Some(Judgement { kind, confidence, evidence, observed: Vec::new(), odds: 0.0, odds_alone: 0.0 })
}
