//! The rules as data: the words that names are made of, other vendors, published examples, and the kinds that are
//! reported. Built in from `rules/*.toml`; a user's own file adds to them and can take nothing away.

mod vocabulary;

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use regex::bytes::Regex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use vocabulary::{Class, Word};

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
#[derive(Debug, Clone)]
pub struct Rule {
    /// E.g. `twilio-auth-token`.
    pub id: String,
    /// The kind that it reports.
    pub kind: Kind,
    /// What to know and what to do, in a sentence or two.
    pub help: String,
    /// Examples with holes, each of which must be found.
    pub examples: Vec<String>,
    /// For kinds with a shape of their own.
    pub shape: Option<OwnShape>,
}

/// A shape that says by itself what a value is.
#[derive(Debug, Clone)]
pub struct OwnShape {
    /// What it starts with.
    pub literal: String,
    /// How many bytes after the literal's start the run of `[0-9A-Za-z_-]` begins that the skip search finds.
    pub offset: usize,
    pattern: String,
    /// Made when it is first asked for: of most texts it never is, and a hook has no time for it.
    regex: OnceLock<Regex>,
}

impl OwnShape {
    /// The whole shape.
    ///
    /// # Panics
    /// Never in a released program: the patterns are compiled in, and a test makes them all.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| Regex::new(&self.pattern).expect("built-in patterns are checked by a test"))
    }
}

/// All rules in force.
#[derive(Debug, Clone)]
pub struct Rules {
    words: HashMap<String, Word>,
    longest_word: usize,
    published: HashSet<String>,
    placeholder_words: Vec<String>,
    rules: Vec<Rule>,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    kind: Kind,
    help: String,
    #[serde(default)]
    examples: Vec<String>,
    pattern: Option<String>,
    literal: Option<String>,
    #[serde(default)]
    offset: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKinds {
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPublished {
    bodies: Vec<String>,
    words: Vec<String>,
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
    ///
    /// # Panics
    /// Never in a released program: the files are compiled in, and a test loads them.
    #[must_use]
    pub fn built_in() -> Self {
        let published: RawPublished = toml::from_str(include_str!("../../rules/published.toml"))
            .expect("rules/published.toml is checked by a test");
        let kinds: RawKinds = toml::from_str(include_str!("../../rules/kinds.toml"))
            .expect("rules/kinds.toml is checked by a test");
        let words = vocabulary::built_in();
        let rules = kinds
            .rule
            .into_iter()
            .map(|raw| {
                let shape = raw.pattern.map(|pattern| OwnShape {
                    literal: raw.literal.unwrap_or_default(),
                    offset: raw.offset,
                    pattern,
                    regex: OnceLock::new(),
                });
                Rule { id: raw.id, kind: raw.kind, help: raw.help, examples: raw.examples, shape }
            })
            .collect();
        let longest_word = words.keys().map(String::len).max().unwrap_or(0);
        Self {
            words,
            longest_word,
            published: published.bodies.into_iter().collect(),
            placeholder_words: published.words,
            rules,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Adds a user's own file.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RulesError> {
        let user: RawUser = toml::from_str(text)
            .map_err(|error| RulesError::Syntax { file: file.to_owned(), message: located(text, &error) })?;
        for word in user.twilio_names {
            self.words.entry(word.to_lowercase()).or_default().class = Class::Twilio;
        }
        for word in user.vendors {
            self.words.entry(word.to_lowercase()).or_default().class = Class::Vendor { common: false };
        }
        self.published.extend(user.published.into_iter().map(|body| body.to_lowercase()));
        self.placeholder_words.extend(user.placeholder_words.into_iter().map(|word| word.to_lowercase()));
        self.longest_word = self.words.keys().map(String::len).max().unwrap_or(0);
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
    pub fn word(&self, word: &str) -> Option<&Word> {
        self.words.get(word)
    }

    /// The length of the longest known word, in bytes: the bound of the search that cuts run-together names.
    #[must_use]
    pub fn longest_word(&self) -> usize {
        self.longest_word
    }

    /// Whether this body (32 digits, lower case) is an example that Twilio has published.
    #[must_use]
    pub fn is_published(&self, body: &str) -> bool {
        self.published.contains(body)
    }

    /// Words inside a value that say that nobody generated it.
    #[must_use]
    pub fn placeholder_words(&self) -> &[String] {
        &self.placeholder_words
    }

    /// All rules.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule that reports a kind.
    ///
    /// # Panics
    /// Never: every kind has a rule, and a test holds it.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &Rule {
        self.rules.iter().find(|rule| rule.kind == kind).expect("every kind has a rule")
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
        assert_eq!(rules.word("smsly").unwrap().class, Class::Twilio);
        let error = rules.add("my.toml", "vendor = []").unwrap_err().to_string();
        assert!(error.contains("my.toml") && error.contains("vendor"), "{error}");
    }
}
