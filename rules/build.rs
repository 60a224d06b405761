//! Makes the rules part of the program: what is wrong with them is seen when it is built, and nothing is left to be read each
//! time it starts, which a hook has no time for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    twilio: Vec<String>,
    secret: BTreeMap<String, u8>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    bodies: BTreeSet<String>,
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
    let made =
        [vocabulary(read("names"), read("vendors")), published(read("published")), kinds(read("kinds"))];
    let out = env::var_os("OUT_DIR").expect("cargo tells where to write");
    fs::write(Path::new(&out).join("rules.rs"), made.concat()).expect("cargo's folder can be written to");
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("rules/{name}.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What is known of a word, as it is written in the program.
#[derive(Default)]
struct Word {
    class: Option<String>,
    holds: BTreeSet<&'static str>,
}

/// Where a word stands in several lists, the first of Twilio, secret, innocent, neutral, other purpose, vendor decides its class.
fn vocabulary(names: Names, vendors: Vendors) -> String {
    let secret = names.secret.into_iter().map(|(word, weight)| (format!("Secret({weight})"), vec![word]));
    let vendor = |common| format!("Vendor {{ common: {common} }}");
    let classes = [("Twilio".to_owned(), names.twilio)].into_iter().chain(secret).chain([
        ("Innocent".to_owned(), names.innocent.words),
        ("InnocentAlone".to_owned(), names.innocent_alone.words),
        ("Neutral".to_owned(), names.neutral.words),
        ("OtherPurpose".to_owned(), names.other_purpose.words),
        (vendor(true), vendors.common),
        (vendor(false), vendors.vendors),
    ]);
    let mut words: BTreeMap<String, Word> = BTreeMap::new();
    for (class, list) in classes {
        for word in list {
            words.entry(word).or_default().class.get_or_insert_with(|| class.clone());
        }
    }
    for (field, list) in [
        ("value_holder", names.value_holder),
        ("name_holder", names.name_holder),
        ("wrapper", names.wrapper),
        ("file_ending", names.file_ending),
    ] {
        for word in list.words {
            words.entry(word).or_default().holds.insert(field);
        }
    }
    let mut map = phf_codegen::Map::new();
    for (word, known) in &words {
        let class = known.class.as_deref().unwrap_or("Unknown");
        let holds: String = known.holds.iter().map(|field| format!(", {field}: true")).collect();
        map.entry(word.as_str(), format!("Word {{ class: Class::{class}{holds}, ..Word::UNKNOWN }}"));
    }
    let longest = words.keys().map(String::len).max().unwrap_or(0);
    format!(
        "pub(super) static WORDS: phf::Map<&str, Word> = {};\npub(super) const LONGEST_WORD: usize = {longest};\n",
        map.build()
    )
}

fn published(published: Published) -> String {
    let mut set = phf_codegen::Set::new();
    for body in &published.bodies {
        set.entry(body.as_str());
    }
    let words = published.words;
    format!(
        "pub(super) static PUBLISHED: phf::Set<&str> = {};\npub(super) const PLACEHOLDER_WORDS: &[&str] = &{words:?};\n",
        set.build()
    )
}

fn kinds(kinds: Kinds) -> String {
    let mut out = format!("pub(super) static RULES: [Rule; {}] = [\n", kinds.rule.len());
    for Rule { id, kind, help, examples, pattern, literal, offset } in kinds.rule {
        let shape = pattern.map_or("None".to_owned(), |pattern| {
            format!("Some(OwnShape::new({:?}, {offset}, {pattern:?}))", literal.unwrap_or_default())
        });
        let kind = kind.split('_').map(capitalized).collect::<String>();
        writeln!(
            out,
            "Rule {{ id: {id:?}, kind: Kind::{kind}, help: {help:?}, examples: &{examples:?}, shape: {shape} }},"
        )
        .expect("writing to a string cannot fail");
    }
    out + "];\n"
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}
