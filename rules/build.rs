//! Makes the rules part of the program: what is wrong with them is seen when it is built, and nothing is left to be read each
//! time it starts, which a hook has no time for.

#[path = "../packaging/commit.rs"]
mod commit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vocabulary {
    words: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    high: f32,
    medium: f32,
    low: f32,
    base: f32,
    observation: BTreeMap<String, Weight>,
}

/// What one observation adds to the log-odds that a value is a credential of Twilio's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weight {
    weight: f32,
    /// What a person had set: the fit is pulled towards it.
    #[allow(dead_code, reason = "benches/fit reads it")]
    set: f32,
    /// What a report says of it; nothing where it only weighs.
    #[serde(default)]
    says: String,
    /// Why it weighs what it does: for whoever reads the file.
    #[allow(dead_code, reason = "every line must have one")]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    bodies: BTreeSet<String>,
    pieces: Vec<String>,
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    kind: String,
    help: String,
    #[serde(default)]
    examples: Vec<String>,
    pattern: Option<String>,
    literal: Option<String>,
    #[serde(default)]
    offset: usize,
}

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=packaging/commit.rs");
    println!("cargo::rustc-env=SIDSWEEP_BUILT_FROM={}", commit::commit());
    let made = [vocabulary(), weights(read("weights")), published(read("published")), kinds(read("kinds"))];
    let out = env::var_os("OUT_DIR").expect("cargo tells where to write");
    fs::write(Path::new(&out).join("rules.rs"), made.concat()).expect("cargo's folder can be written to");
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("rules/{name}.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The shortest brand that is looked for as a mention in running text: shorter ones are parts of too many words.
const SHORTEST_MENTION: usize = 5;

fn vocabulary() -> String {
    let Vocabulary { words } = read("words");
    let text = fs::read_to_string("rules/words.toml").expect("it was just read");
    let (_, lines) = text.split_once("[words]\n").expect("the table that was just read");
    let order: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(word, _)| word.trim_matches('"'))
        .collect();
    assert!(
        order.is_sorted(),
        "rules/words.toml: words out of order: {:?}",
        order.windows(2).find(|pair| pair[0] > pair[1])
    );
    let mut map = phf_codegen::Map::new();
    for (word, tags) in &words {
        assert_eq!(*word, word.to_lowercase(), "rules/words.toml: {word} is not lower case");
        let tags: String = tags.split_whitespace().map(|tag| format!("Tag::{}, ", camel(tag, '-'))).collect();
        map.entry(word.as_str(), format!("Word::of(&[{tags}])"));
    }
    let longest = words.keys().map(String::len).max().unwrap_or(0);
    let brands = words
        .iter()
        .filter(|(_, tags)| tags.split_whitespace().any(|tag| tag == "brand"))
        .map(|(word, _)| word);
    let (mentions, short): (Vec<&String>, Vec<&String>) =
        brands.partition(|word| word.len() >= SHORTEST_MENTION);
    format!(
        "pub(super) static WORDS: phf::Map<&str, Word> = {};\npub(super) const LONGEST_WORD: usize = {longest};\n\
         pub(super) const MENTIONS: &[&str] = &{mentions:?};\npub(super) const SHORT_BRANDS: &[&str] = &{short:?};\n",
        map.build()
    )
}

/// A `match` over all observations: one that has no line, and a line that has no observation, do not compile.
fn weights(weights: Weights) -> String {
    let Weights { high, medium, low, base, observation } = weights;
    let arms = |of: &dyn Fn(&Weight) -> String| -> String {
        observation
            .iter()
            .map(|(name, weight)| format!("Observation::{} => {},\n", camel(name, '_'), of(weight)))
            .collect()
    };
    format!(
        "pub(super) const HIGH: f32 = {high:?};\npub(super) const MEDIUM: f32 = {medium:?};\npub(super) const LOW: f32 = {low:?};\npub(super) const BASE: f32 = {base:?};\n\
         pub(super) const fn weight(observation: Observation) -> f32 {{ match observation {{ {} }} }}\n\
         pub(super) const fn says(observation: Observation) -> &'static str {{ match observation {{ {} }} }}\n",
        arms(&|weight| format!("{:?}", weight.weight)),
        arms(&|weight| format!("{:?}", weight.says)),
    )
}

fn published(published: Published) -> String {
    let mut set = phf_codegen::Set::new();
    for body in &published.bodies {
        set.entry(body.as_str());
    }
    let (words, pieces) = (published.words, published.pieces);
    format!(
        "pub(super) static PUBLISHED: phf::Set<&str> = {};\npub(super) const PLACEHOLDER_WORDS: &[&str] = &{words:?};\n\
         pub(super) const PLACEHOLDER_PIECES: &[&str] = &{pieces:?};\n",
        set.build()
    )
}

fn kinds(kinds: Kinds) -> String {
    let mut out = format!("pub(super) static RULES: [Rule; {}] = [\n", kinds.rule.len());
    for Rule { id, kind, help, examples, pattern, literal, offset } in kinds.rule {
        let shape = pattern.map_or("None".to_owned(), |pattern| {
            format!("Some(OwnShape::new({:?}, {offset}, {pattern:?}))", literal.unwrap_or_default())
        });
        let kind = camel(&kind, '_');
        writeln!(
            out,
            "Rule {{ id: {id:?}, kind: Kind::{kind}, help: {help:?}, examples: &{examples:?}, shape: {shape} }},"
        )
        .expect("writing to a string cannot fail");
    }
    out + "];\n"
}

/// `auth_token` as `AuthToken`.
fn camel(text: &str, separator: char) -> String {
    let capitalized = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    text.split(separator).map(capitalized).collect()
}
