//! What each word of a name says about the value that bears it.

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing that is known.
    Unknown,
    /// The value is Twilio's.
    Twilio,
    /// The value is a secret; 2 says little else, 1 is said of many things.
    Secret(u8),
    /// Goes with a credential and says nothing of whose it is.
    Neutral,
    /// The value is no credential.
    Innocent,
    /// The value is no credential, unless the name also says Twilio.
    InnocentAlone,
    /// The value is a secret of another part of the program.
    OtherPurpose,
    /// The value is another service's; `common` words count in names and calls only, not in sentences.
    Vendor {
        /// An ordinary word.
        common: bool,
    },
}

/// All that is known of a word.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// What it says.
    pub class: Class,
    /// Names a place that holds a value whose name stands beside it.
    pub value_holder: bool,
    /// Names a place that holds the name of the value beside it.
    pub name_holder: bool,
    /// A call that passes its argument through.
    pub wrapper: bool,
    /// The ending of a file's name.
    pub file_ending: bool,
}

impl Word {
    /// A word of which nothing is known.
    pub const UNKNOWN: Self = Self {
        class: Class::Unknown,
        value_holder: false,
        name_holder: false,
        wrapper: false,
        file_ending: false,
    };
}
