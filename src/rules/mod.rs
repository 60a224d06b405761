//! The rules as data: the words that names are made of, other vendors, published examples, and the kinds that are
//! reported. Built in from `rules/*.toml`; a user's own file adds to them and can take nothing away.

mod observation;
mod vocabulary;

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use regex::bytes::Regex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use observation::{BASE, HIGH, LOW, MEDIUM, Observation};
pub use vocabulary::{Tag, Word};

use crate::model::Kind;

/// What is wrong with a rules file.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file is not the TOML that is expected.
    #[error("{file}: {message}")]
    Syntax {
        /// Which file.
        file: String,
        /// What the parser says, with line and column.
        message: String,
    },
}

/// What is reported for a kind, and how kinds with a shape of their own are found.
#[derive(Debug)]
pub struct Rule {
    /// E.g. `twilio-auth-token`.
    pub id: &'static str,
    /// The kind that it reports.
    pub kind: Kind,
    /// What to know and what to do, in a sentence or two.
    pub help: &'static str,
    /// Examples with holes, each of which must be found.
    pub examples: &'static [&'static str],
    /// For kinds with a shape of their own.
    pub shape: Option<OwnShape>,
}

/// A shape that says by itself what a value is.
#[derive(Debug)]
pub struct OwnShape {
    /// What it starts with.
    pub literal: &'static str,
    /// How many bytes after the literal's start the run of `[0-9A-Za-z_-]` begins that the skip search finds.
    pub offset: usize,
    pattern: &'static str,
    /// Made when it is first asked for: of most texts it never is, and a hook has no time for it.
    regex: OnceLock<Regex>,
}

impl OwnShape {
    const fn new(literal: &'static str, offset: usize, pattern: &'static str) -> Self {
        Self { literal, offset, pattern, regex: OnceLock::new() }
    }

    /// The whole shape.
    ///
    /// # Panics
    /// Never in a released program: the patterns are built in, and a test makes them all.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| Regex::new(self.pattern).expect("built-in patterns are checked by a test"))
    }
}

/// What `rules/build.rs` made of `rules/*.toml`.
#[allow(clippy::unreadable_literal, clippy::wildcard_imports, reason = "nobody reads it")]
mod built_in {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// All rules in force: the built-in ones, and a user's own.
#[derive(Debug, Clone)]
pub struct Rules {
    words: HashMap<String, Word>,
    longest_word: usize,
    own_brands: Vec<String>,
    own_mentions: Option<Regex>,
    /// The bytes that brands begin with, so that most of a name is passed over at a look.
    brand_starts: [bool; 256],
    published: HashSet<String>,
    placeholder_words: Vec<String>,
    version: String,
}

/// A user's own file: more names, vendors, and values that are known not to be leaks.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawUser {
    /// Words that mean Twilio in this organisation's names (a wrapper library, a project's name).
    twilio_names: Vec<String>,
    /// Words that mean another service.
    vendors: Vec<String>,
    /// 32-digit bodies that are examples.
    published: Vec<String>,
    /// Words inside a value that mark it as made up.
    placeholder_words: Vec<String>,
}

impl Rules {
    /// The rules that the program brings along.
    #[must_use]
    pub fn built_in() -> Self {
        let mut brand_starts = [false; 256];
        for brand in built_in::MENTIONS {
            brand_starts[usize::from(brand.as_bytes()[0])] = true;
        }
        Self {
            words: HashMap::new(),
            longest_word: built_in::LONGEST_WORD,
            own_brands: Vec::new(),
            own_mentions: None,
            brand_starts,
            published: HashSet::new(),
            placeholder_words: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Adds a user's own file.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RulesError> {
        let user: RawUser = toml::from_str(text)
            .map_err(|error| RulesError::Syntax { file: file.to_owned(), message: located(text, &error) })?;
        let brands = user.twilio_names.into_iter().map(|word| (word, Tag::Brand));
        let vendors = user.vendors.into_iter().map(|word| (word, Tag::Vendor));
        for (word, tag) in brands.chain(vendors) {
            let word = word.to_lowercase();
            self.longest_word = self.longest_word.max(word.len());
            let known = self.word(&word);
            if tag == Tag::Brand
                && let Some(&first) = word.as_bytes().first()
            {
                self.brand_starts[usize::from(first)] = true;
                self.own_brands.push(word.clone());
            }
            self.words.insert(word, known.with(tag));
        }
        if !self.own_brands.is_empty() {
            let words: Vec<String> = self.own_brands.iter().map(|word| regex::escape(word)).collect();
            let pattern = format!("(?i-u){}", words.join("|"));
            self.own_mentions = Regex::new(&pattern).ok();
        }
        self.published.extend(user.published.into_iter().map(|body| body.to_lowercase()));
        self.placeholder_words.extend(user.placeholder_words.into_iter().map(|word| word.to_lowercase()));
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{}\n{text}", self.version)));
        self.version = format!("{}+{}", env!("CARGO_PKG_VERSION"), &digest[..16]);
        Ok(())
    }

    /// What judged something: the program's version, with a digest of a user's own files. The same version judges the same
    /// bytes alike.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a lower-case word says.
    #[must_use]
    pub fn word(&self, word: &str) -> Word {
        self.words.get(word).or_else(|| built_in::WORDS.get(word)).copied().unwrap_or(Word::UNKNOWN)
    }

    /// The built-in brands that a text is searched for, lower case.
    #[must_use]
    pub fn mentions(&self) -> &'static [&'static str] {
        built_in::MENTIONS
    }

    /// The built-in brands that are too short to be looked for in a text: names alone hold them.
    #[must_use]
    pub fn short_brands(&self) -> &'static [&'static str] {
        built_in::SHORT_BRANDS
    }

    /// What finds the brands of a user's own files in a text.
    #[must_use]
    pub fn own_mentions(&self) -> Option<&Regex> {
        self.own_mentions.as_ref()
    }

    /// The brands of a user's own files, lower case: each is a mention too.
    #[must_use]
    pub fn own_brands(&self) -> &[String] {
        &self.own_brands
    }

    /// Whether a brand begins with this byte.
    #[must_use]
    pub fn begins_brand(&self, byte: u8) -> bool {
        self.brand_starts[usize::from(byte)]
    }

    /// All words that are known, a user's own among them.
    pub fn words(&self) -> impl Iterator<Item = (&str, Word)> {
        let own = self.words.iter().map(|(word, known)| (word.as_str(), *known));
        let built_in = built_in::WORDS.entries().map(|(word, known)| (*word, *known));
        built_in.filter(|(word, _)| !self.words.contains_key(*word)).chain(own)
    }

    /// The length of the longest known word, in bytes: the bound of the search that cuts run-together names.
    #[must_use]
    pub fn longest_word(&self) -> usize {
        self.longest_word
    }

    /// Whether this body (32 digits, lower case) is an example that Twilio has published.
    #[must_use]
    pub fn is_published(&self, body: &str) -> bool {
        self.published.contains(body) || built_in::PUBLISHED.contains(body)
    }

    /// Words inside a value that say that nobody generated it.
    pub fn placeholder_words(&self) -> impl Iterator<Item = &str> {
        built_in::PLACEHOLDER_WORDS.iter().copied().chain(self.placeholder_words.iter().map(String::as_str))
    }

    /// Pieces that people put together to a value where hex digits are asked for.
    #[must_use]
    pub fn placeholder_pieces(&self) -> &'static [&'static str] {
        built_in::PLACEHOLDER_PIECES
    }

    /// All rules.
    #[must_use]
    pub fn all(&self) -> &'static [Rule] {
        &built_in::RULES
    }

    /// The rule that reports a kind.
    ///
    /// # Panics
    /// Never: every kind has a rule, and a test holds it.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &'static Rule {
        self.all().iter().find(|rule| rule.kind == kind).expect("every kind has a rule")
    }
}

/// What is wrong with a file, and on which line. The line itself is not shown: a wrong file may hold anything.
#[must_use]
pub fn located(text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map(|before| before.lines().count().max(1));
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_rule_with_an_example() {
        let rules = Rules::built_in();
        for kind in Kind::ALL {
            assert!(!rules.of(kind).examples.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn a_users_file_adds_names_and_says_where_it_is_wrong() {
        let mut rules = Rules::built_in();
        rules.add("my.toml", "twilio_names = [\"Smsly\"]\nvendors = [\"acmepay\"]").unwrap();
        assert!(rules.word("smsly").is(Tag::Brand));
        let error = rules.add("my.toml", "vendor = []").unwrap_err().to_string();
        assert!(error.contains("my.toml") && error.contains("vendor"), "{error}");
    }
}
