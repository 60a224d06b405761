//! What each word of a name says about the value that bears it.

use std::collections::HashMap;

use serde::Deserialize;

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// Nothing that is known.
    #[default]
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
#[derive(Debug, Clone, Copy, Default)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    twilio: Vec<String>,
    secret: HashMap<String, u8>,
    neutral: List,
    innocent: List,
    innocent_alone: List,
    other_purpose: List,
    value_holder: List,
    name_holder: List,
    wrapper: List,
    file_ending: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendors {
    vendors: Vec<String>,
    common: Vec<String>,
}

/// The vocabulary of `rules/names.toml` and `rules/vendors.toml`. Where a word stands in several lists, the
/// first of Twilio, secret, innocent, neutral, other purpose, vendor decides its class.
pub(super) fn built_in() -> HashMap<String, Word> {
    let names: Names = toml::from_str(include_str!("../../rules/names.toml"))
        .expect("rules/names.toml is checked by a test");
    let vendors: Vendors = toml::from_str(include_str!("../../rules/vendors.toml"))
        .expect("rules/vendors.toml is checked by a test");
    let mut words: HashMap<String, Word> = HashMap::new();
    let mut class = |list: Vec<String>, class: Class| {
        for word in list {
            let entry = words.entry(word).or_default();
            if entry.class == Class::Unknown {
                entry.class = class;
            }
        }
    };
    class(names.twilio, Class::Twilio);
    for (word, weight) in names.secret {
        class(vec![word], Class::Secret(weight));
    }
    class(names.innocent.words, Class::Innocent);
    class(names.innocent_alone.words, Class::InnocentAlone);
    class(names.neutral.words, Class::Neutral);
    class(names.other_purpose.words, Class::OtherPurpose);
    class(vendors.common, Class::Vendor { common: true });
    class(vendors.vendors, Class::Vendor { common: false });
    for word in names.value_holder.words {
        words.entry(word).or_default().value_holder = true;
    }
    for word in names.name_holder.words {
        words.entry(word).or_default().name_holder = true;
    }
    for word in names.file_ending.words {
        words.entry(word).or_default().file_ending = true;
    }
    for word in names.wrapper.words {
        words.entry(word).or_default().wrapper = true;
    }
    words
}
