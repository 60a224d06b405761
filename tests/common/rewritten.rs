//! Changes that a programmer makes without meaning anything by them: a variable's new name, another order, a constant for a literal.

use fastrand::Rng;
use regex::{Captures, Regex};
use serde_json::Value;

use super::variants::{Text, Values};

/// The names of variables that hold a value, with the sign that assigns it.
fn assigned(text: &Text, values: &Values) -> Vec<String> {
    let pattern = Regex::new(r#"\b([A-Za-z_][A-Za-z0-9_]{2,})\s*(?::=|=)\s*@?["']([A-Za-z0-9]{32,34})["']"#)
        .expect("a pattern");
    let mut names: Vec<String> = pattern
        .captures_iter(&text.text)
        .filter(|found| values.all.iter().any(|value| *value == found[2]))
        .map(|found| found[1].to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The text with another name for a variable, wherever it stands.
fn renamed(text: &str, name: &str, new: &str) -> String {
    let word = Regex::new(&format!(r"\b{}\b", regex::escape(name))).expect("an escaped name");
    word.replace_all(text, regex::NoExpand(new)).into_owned()
}

fn is_code(text: &Text) -> bool {
    matches!(text.ending(), "py" | "js" | "ts" | "rb" | "php" | "java" | "kt" | "cs" | "go" | "swift")
}

/// `token` becomes `my_token`, `authToken` becomes `myAuthToken`, wherever it stands.
pub fn variable_renamed(text: &Text, values: &Values, _: &mut Rng) -> Option<Text> {
    let names = assigned(text, values);
    if names.is_empty() || !is_code(text) {
        return None;
    }
    let changed = names.iter().fold(text.text.clone(), |text, name| {
        let mut letters = name.chars();
        let first = letters.next().unwrap_or_default();
        let new = if name.bytes().all(|b| !b.is_ascii_lowercase()) {
            format!("MY_{name}")
        } else if name.contains('_') || name.bytes().all(|b| !b.is_ascii_uppercase()) {
            format!("my_{name}")
        } else {
            format!("my{}{}", first.to_ascii_uppercase(), letters.as_str())
        };
        renamed(&text, name, &new)
    });
    Some(text.with(changed))
}

/// `token` in the name of a variable becomes `jeton`.
pub fn name_translated(text: &Text, values: &Values, _: &mut Rng) -> Option<Text> {
    let names = assigned(text, values);
    let speaks = text.text.to_lowercase().contains("twilio");
    let named: Vec<&String> = names.iter().filter(|name| name.to_lowercase().contains("token")).collect();
    if named.is_empty() || !is_code(text) || !speaks {
        return None;
    }
    let translated = named.iter().fold(text.text.clone(), |text, name| {
        let new = name.replace("token", "jeton").replace("Token", "Jeton").replace("TOKEN", "JETON");
        renamed(&text, name, &new)
    });
    Some(text.with(translated))
}

/// A literal in brackets becomes a constant of a name that says nothing, at the top of the file.
pub fn constants(text: &Text, values: &Values, _: &mut Rng) -> Option<Text> {
    let (before, after) = match text.ending() {
        "py" | "rb" => ("", ""),
        "js" | "ts" => ("const ", ";"),
        _ => return None,
    };
    let literal = Regex::new(r#"([(,]\s*)["']([A-Za-z0-9]{32,34})["'](\s*[,)])"#).expect("a pattern");
    let mut taken: Vec<String> = Vec::new();
    let replace = |found: &Captures<'_>| {
        if !values.all.iter().any(|value| *value == found[2]) {
            return found[0].to_owned();
        }
        let place = taken.iter().position(|value| *value == found[2]).unwrap_or_else(|| {
            taken.push(found[2].to_owned());
            taken.len() - 1
        });
        format!("{}CONST_{}{}", &found[1], char::from(b'A' + place as u8 % 26), &found[3])
    };
    let moved = literal.replace_all(&text.text, replace).into_owned();
    if taken.is_empty() || text.text.contains("\"\"\"") || text.text.starts_with("#!") {
        return None;
    }
    let declared: String = taken
        .iter()
        .enumerate()
        .map(|(place, value)| {
            format!("{before}CONST_{} = \"{value}\"{after}\n", char::from(b'A' + place as u8 % 26))
        })
        .collect();
    Some(text.with(format!("{declared}\n{moved}")))
}

/// The keys of an object in alphabetical order, the lines of a block of settings the other way round.
pub fn keys_reordered(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    if text.ending() == "json" {
        let value: Value = serde_json::from_str(&text.text).ok()?;
        return serde_json::to_string_pretty(&value).ok().map(|json| text.with(json));
    }
    let is_settings = matches!(text.ending(), "env" | "properties")
        && text.text.lines().all(|line| line.is_empty() || (line.contains('=') && !line.starts_with(' ')));
    let block = |block: &str| block.lines().rev().collect::<Vec<_>>().join("\n");
    is_settings.then(|| {
        text.with(text.text.trim_end().split("\n\n").map(block).collect::<Vec<_>>().join("\n\n") + "\n")
    })
}

/// On one line, without white space.
pub fn minified(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    match text.ending() {
        "json" => {
            let value: Value = serde_json::from_str(&text.text).ok()?;
            Some(text.with(value.to_string()))
        }
        "js" if !text.text.contains("//") && !text.text.contains('`') => {
            let ends = |line: &str| line.is_empty() || line.ends_with([';', '{', ',', '(', '}', '[']);
            let lines: Vec<&str> = text.text.lines().map(str::trim).collect();
            lines.iter().all(|line| ends(line)).then(|| text.with(lines.concat()))
        }
        _ => None,
    }
}

/// Twilio's own settings beside what is innocent, without a secret.
pub fn twilio_beside(text: &Text, _: &Values, random: &mut Rng) -> Option<Text> {
    let sid: String = (0..32).map(|_| char::from(b"0123456789abcdef"[random.usize(..16)])).collect();
    let sid = format!("AC{sid}");
    let name = text.path.rsplit('/').next().unwrap_or(&text.path);
    let own = match text.ending() {
        "yml" | "yaml" => format!("twilio:\n  account_sid: {sid}\n  auth_token: ${{TWILIO_AUTH_TOKEN}}\n"),
        "py" => {
            format!("TWILIO_ACCOUNT_SID = \"{sid}\"\nTWILIO_AUTH_TOKEN = os.environ[\"TWILIO_AUTH_TOKEN\"]\n")
        }
        "js" | "ts" => format!("const client = require('twilio')('{sid}', process.env.TWILIO_AUTH_TOKEN);\n"),
        _ if name.starts_with(".env") || name.ends_with(".env") => {
            format!("TWILIO_ACCOUNT_SID={sid}\nTWILIO_AUTH_TOKEN=\n")
        }
        _ => return None,
    };
    let is_flat = text.text.split('\n').all(|line| !line.starts_with('-'));
    (text.is_innocent && is_flat).then(|| text.with(format!("{}\n\n{own}", text.text.trim_end())))
}
