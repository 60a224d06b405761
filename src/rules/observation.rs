//! What can be observed of a value that could be a secret of Twilio's. What each observation weighs, and why, stands in
//! `rules/weights.toml`; of each group below a value has at most one.

use super::built_in;

/// One thing that speaks for or against a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "rules/weights.toml, which a reader has open beside this, explains each")]
pub enum Observation {
    // What the nearest name that says anything says of its role.
    RoleExact,
    RolePlain,
    RolePassword,
    RoleWeak,
    // What stands in for a name that says something.
    NameAbsent,
    NameHolder,
    NameNeutral,
    NameUnknown,
    NameSid,
    // How that name bears on the value, where it is not the value's own.
    NamedAsArgument,
    NamedInSpeech,
    NamedInComment,
    NamedByCall,
    NamedByUse,
    // A role that only a name further out says.
    OuterRole,
    SecretNamedOnLine,
    // Whether the role fits the shape.
    RoleMisfit,
    PasswordOfUser,
    PasswordOfOther,
    UserOfOther,
    LiteralUser,

    // The nearest that says whose it is: Twilio.
    BrandInName,
    BrandInArgument,
    BrandInSpeech,
    BrandInCall,
    BrandInSection,
    BrandInLabel,
    BrandByUse,
    BrandOnLine,
    BrandAbove,
    BrandInOuterSection,
    BrandInNeighbour,
    // How near the text speaks of Twilio at all.
    MentionNear,
    MentionAround,
    MentionFar,
    MentionInPath,
    // The nearest that says whose it is: another service.
    VendorInName,
    VendorInArgument,
    VendorInSpeech,
    VendorInCall,
    VendorInSection,
    VendorInLabel,
    VendorByUse,
    VendorOnLine,
    VendorAbove,
    VendorInOuterSection,
    VendorInNeighbour,
    VendorIsCommon,
    // An owner that is not known.
    UnknownInName,
    UnknownSection,
    UnknownLabel,
    BareAmongBranded,

    // A SID of the right kind.
    SidBefore,
    SidAfter,
    SidByUse,
    SidNamesake,
    SidInBlock,
    SidInSibling,
    SidOnLine,
    SidNear,
    SidAround,
    SidInText,
    SidInFolder,
    SidTaken,
    SidServed,
    // A SID that is not there as a literal.
    SidNameBefore,
    BasicAuth,
    TwilioArgument,
    ClientArgument,

    // What says that it is no credential.
    HashName,
    HashSpeech,
    HashCall,
    HashSection,
    HashFile,
    HashSiblings,
    IdentifierName,
    IdentifierSpeech,
    ThingName,
    ThingSpeech,
    PurposeName,
    PurposeSpeech,
    PurposeSection,
    PartInName,
    FileName,

    // How it is written.
    ComparedWithCall,
    CookieOnLine,
    HashOnLine,
    IsKey,
    PartOfPath,
    QueryOfOther,
    PartOfWord,
    Invoked,
    Unquoted,
    CrowdedLine,
    // How its characters look.
    LookMixed,
    LookUneven,
    LookWords,
    LookOneCase,
    LookTyped,
}

impl Observation {
    /// Whether it is only spoken, seen elsewhere, or the look of the characters: what cannot outvote Twilio's own name or call.
    #[must_use]
    pub const fn is_hint(self) -> bool {
        matches!(
            self,
            Self::HashSpeech
                | Self::HashOnLine
                | Self::IdentifierSpeech
                | Self::ThingSpeech
                | Self::PurposeSpeech
                | Self::VendorByUse
                | Self::VendorOnLine
                | Self::VendorAbove
                | Self::VendorInNeighbour
                | Self::LookMixed
                | Self::LookUneven
                | Self::LookWords
                | Self::LookOneCase
                | Self::LookTyped
                | Self::CrowdedLine
        )
    }

    /// Whether it ties a value to a SID or to Twilio's call so closely that no hint counts for much beside it.
    #[must_use]
    pub const fn is_close(self) -> bool {
        matches!(
            self,
            Self::SidBefore
                | Self::SidAfter
                | Self::SidByUse
                | Self::SidNamesake
                | Self::TwilioArgument
                | Self::BasicAuth
        )
    }

    /// Whether it speaks of a SID that stands nearby.
    #[must_use]
    pub const fn is_of_sid(self) -> bool {
        matches!(
            self,
            Self::SidBefore
                | Self::SidAfter
                | Self::SidByUse
                | Self::SidNamesake
                | Self::SidInBlock
                | Self::SidInSibling
                | Self::SidOnLine
                | Self::SidNear
                | Self::SidAround
                | Self::SidInText
                | Self::SidInFolder
                | Self::SidTaken
                | Self::SidServed
        )
    }

    /// What it adds to the log-odds that the value is a credential of Twilio's.
    #[must_use]
    pub const fn weight(self) -> f32 {
        built_in::weight(self)
    }

    /// What a report says of it; empty where it only weighs.
    #[must_use]
    pub const fn says(self) -> &'static str {
        built_in::says(self)
    }
}

/// The log-odds of a value of which nothing is known but its shape.
pub const BASE: f32 = built_in::BASE;
/// From these log-odds on, confidence is low; below them a value is not worth a word.
pub const LOW: f32 = built_in::LOW;
/// From these log-odds on, confidence is medium.
pub const MEDIUM: f32 = built_in::MEDIUM;
/// From these log-odds on, confidence is high.
pub const HIGH: f32 = built_in::HIGH;
