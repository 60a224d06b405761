//! Changes of a text that must not change what is found in it: what a person would not even notice, or would see through.
//!
//! Each takes a text with the values that it holds and gives it back changed, or nothing where it does not fit. A value is known by
//! its characters, so lines and columns are free to move.

use fastrand::Rng;

use super::rewritten;

/// A file, and the language that its path says it is written in.
#[derive(Debug, Clone)]
pub struct Text {
    pub path: String,
    pub text: String,
    /// No secret of Twilio's stands in it.
    pub is_innocent: bool,
}

impl Text {
    pub fn ending(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    /// What begins a comment to the end of the line here, where the language has such comments.
    fn comment(&self) -> Option<&'static str> {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        match self.ending() {
            "py" | "rb" | "sh" | "yml" | "yaml" | "toml" | "tf" | "pl" | "r" | "R" | "jl" | "ex" | "exs"
            | "nim" | "properties" | "tcl" => Some("#"),
            "js" | "ts" | "jsx" | "tsx" | "java" | "kt" | "cs" | "go" | "rs" | "c" | "cpp" | "cc" | "h"
            | "swift" | "scala" | "dart" | "groovy" | "mjs" | "cjs" => Some("//"),
            "sql" | "lua" | "hs" => Some("--"),
            "clj" | "lisp" | "el" => Some(";;"),
            _ if name.starts_with(".env") || name.ends_with(".env") => Some("#"),
            _ => None,
        }
    }

    pub fn with(&self, text: String) -> Self {
        Self { path: self.path.clone(), text, ..*self }
    }
}

/// The values that a text holds: what must be found, and all others of the same shapes.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// Tokens, secrets and SIDs.
    pub all: Vec<String>,
}

impl Values {
    fn lines<'a>(&self, text: &'a str) -> impl Iterator<Item = (usize, &'a str, bool)> {
        let all = self.all.clone();
        text.split('\n').enumerate().map(move |(number, line)| {
            let holds = all.iter().any(|value| line.contains(value.as_str()));
            (number, line, holds)
        })
    }
}

/// Remarks as people write them behind and above code: they speak of other services, of hashes, of tests.
const REMARKS: [&str; 24] = [
    "do not commit",
    "TODO: encrypt this",
    "test ids",
    "github token",
    "discord uses the same",
    "for testing only",
    "not the stripe key",
    "see the hash in the wiki",
    "md5 of nothing",
    "sample, replace before release",
    "session is elsewhere",
    "fake? no, real",
    "move to vault",
    "id and version as in prod",
    "the old one was a uuid",
    "ask ops for the database password",
    "signature check needs this",
    "cached for an hour",
    "expires never",
    "build 4711",
    "slack webhook is below",
    "commit with care",
    "checked",
    "used by cron and the mailer",
];

/// Sections of other services, as they stand in the same files.
const OTHERS: [(&str, &str); 6] = [
    ("yml", "sentry:\n  dsn: https://o1.ingest.sentry.io/2\n"),
    ("yml", "stripe:\n  currency: eur\n  retries: 3\n"),
    ("env", "SLACK_CHANNEL=ops\nGITHUB_ORG=acme\n"),
    ("env", "MAILGUN_DOMAIN=mg.acme.io\nSTRIPE_CURRENCY=eur\n"),
    (
        "py",
        "STRIPE_CURRENCY = \"eur\"\n\n\ndef total(items):\n    return sum(item.price for item in items)\n\n",
    ),
    ("js", "const stripeCurrency = 'eur';\nconst slackChannel = 'ops';\n\n"),
];

type Change = fn(&Text, &Values, &mut Rng) -> Option<Text>;

/// Every change, by name.
pub const CHANGES: [(&str, Change); 22] = [
    ("comment behind", comment_behind),
    ("comment above", comment_above),
    ("comment below", comment_below),
    ("other section before", section_before),
    ("other section after", section_after),
    ("crlf", |text, _, _| (!text.text.contains('\r')).then(|| text.with(text.text.replace('\n', "\r\n")))),
    ("tabs", tabs),
    ("blank lines between", blank_lines),
    ("indented", indented),
    ("diff", diff),
    ("log line", log_lines),
    ("json string", json_string),
    ("yaml block", yaml_block),
    ("markdown fence", markdown_fence),
    ("notebook", notebook),
    ("other quotes", other_quotes),
    ("variable renamed", rewritten::variable_renamed),
    ("name translated", rewritten::name_translated),
    ("literal to constant", rewritten::constants),
    ("keys in another order", rewritten::keys_reordered),
    ("minified", rewritten::minified),
    ("Twilio beside innocents", rewritten::twilio_beside),
];

fn pick<'a, T>(list: &'a [T], random: &mut Rng) -> &'a T {
    &list[random.usize(..list.len())]
}

fn comment_behind(text: &Text, values: &Values, random: &mut Rng) -> Option<Text> {
    let mark = text.comment()?;
    // A remark inside of a string, or behind one that goes on, would be a part of it.
    let open = |line: &str| {
        let quotes = |quote: char| line.matches(quote).count() % 2 == 1;
        line.trim_end().ends_with('\\')
            || quotes('"')
            || quotes('\'')
            || quotes('`')
            || line.contains("\"\"\"")
    };
    let mut changed = false;
    let lines: Vec<String> = values
        .lines(&text.text)
        .map(|(_, line, holds)| {
            if holds
                && !open(line)
                && !line.contains(mark)
                && !line.trim_start().starts_with(['#', '/', '-', ';'])
            {
                changed = true;
                format!("{line}  {mark} {}", pick(&REMARKS, random))
            } else {
                line.to_owned()
            }
        })
        .collect();
    (changed && !has_multiline_strings(text)).then(|| text.with(lines.join("\n")))
}

fn has_multiline_strings(text: &Text) -> bool {
    ["\"\"\"", "'''", "`", "<<", "|\n", ">-\n", "\\\n"].iter().any(|mark| text.text.contains(mark))
}

fn comment_above(text: &Text, values: &Values, random: &mut Rng) -> Option<Text> {
    insert(text, values, random, 0)
}

fn comment_below(text: &Text, values: &Values, random: &mut Rng) -> Option<Text> {
    insert(text, values, random, 1)
}

/// A remark on a line of its own above or below each line with a value.
fn insert(text: &Text, values: &Values, random: &mut Rng, below: usize) -> Option<Text> {
    let mark = text.comment()?;
    if has_multiline_strings(text) {
        return None;
    }
    let mut lines: Vec<String> = Vec::new();
    for (_, line, holds) in values.lines(&text.text) {
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let remark = format!("{indent}{mark} {}", pick(&REMARKS, random));
        if holds && below == 0 {
            lines.push(remark.clone());
        }
        lines.push(line.to_owned());
        if holds && below == 1 {
            lines.push(remark);
        }
    }
    Some(text.with(lines.join("\n")))
}

fn section(text: &Text, random: &mut Rng) -> Option<&'static str> {
    let name = text.path.rsplit('/').next().unwrap_or(&text.path);
    let kind = match text.ending() {
        "yml" | "yaml" => "yml",
        "py" => "py",
        "js" | "mjs" | "ts" => "js",
        _ if name.starts_with(".env") || name.ends_with(".env") => "env",
        _ => return None,
    };
    let fitting: Vec<&str> = OTHERS.iter().filter(|(of, _)| *of == kind).map(|(_, text)| *text).collect();
    (!fitting.is_empty()).then(|| *pick(&fitting, random))
}

fn section_before(text: &Text, _: &Values, random: &mut Rng) -> Option<Text> {
    let is_plain = !text.text.starts_with([' ', '-', '#', '"', '<'])
        && !text.text.starts_with("import")
        && !text.text.starts_with("from");
    is_plain.then(|| section(text, random)).flatten().map(|other| text.with(format!("{other}{}", text.text)))
}

fn section_after(text: &Text, _: &Values, random: &mut Rng) -> Option<Text> {
    let starts_flat = text.text.split('\n').all(|line| !line.starts_with('-'));
    starts_flat
        .then(|| section(text, random))
        .flatten()
        .map(|other| text.with(format!("{}\n{other}", text.text.trim_end())))
}

fn tabs(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    let fits = !matches!(text.ending(), "yml" | "yaml" | "py" | "csv" | "tsv" | "md" | "sql")
        && text.text.contains("\n    ");
    fits.then(|| text.with(text.text.replace("    ", "\t")))
}

fn blank_lines(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    let fits = matches!(text.ending(), "json" | "js" | "java" | "cs" | "php" | "go" | "xml");
    fits.then(|| text.with(text.text.replace('\n', "\n\n")))
}

fn indented(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    let fits = matches!(text.ending(), "json" | "js" | "java" | "cs" | "php" | "go" | "xml" | "rb");
    let indent = |line: &str| if line.is_empty() { String::new() } else { format!("        {line}") };
    fits.then(|| text.with(text.text.split('\n').map(indent).collect::<Vec<_>>().join("\n")))
}

fn diff(text: &Text, _: &Values, random: &mut Rng) -> Option<Text> {
    if matches!(
        text.ending(),
        "diff" | "patch" | "csv" | "tsv" | "md" | "eml" | "log" | "txt" | "rst" | "adoc" | "sql"
    ) {
        return None;
    }
    let lines: Vec<&str> = text.text.trim_end_matches('\n').split('\n').collect();
    let sign = if random.bool() { '+' } else { '-' };
    let head =
        format!("diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1,1 +1,{1} @@\n", text.path, lines.len());
    let body: String = lines.iter().map(|line| format!("{sign}{line}\n")).collect();
    Some(Text { path: "changes.patch".to_owned(), text: head + &body, ..*text })
}

fn log_lines(text: &Text, _: &Values, random: &mut Rng) -> Option<Text> {
    let name = text.path.rsplit('/').next().unwrap_or(&text.path);
    if !(name.starts_with(".env") || name.ends_with(".env")) {
        return None;
    }
    let colour = random.bool();
    let lines: String = text
        .text
        .trim_end()
        .split('\n')
        .enumerate()
        .map(|(n, line)| {
            let time = format!("2026-03-0{}T10:00:{:02}.123Z", 1 + n / 60 % 9, n % 60);
            if colour { format!("{time} \x1b[36minfo\x1b[0m {line}\n") } else { format!("{time} {line}\n") }
        })
        .collect();
    Some(Text { path: "deploy.log".to_owned(), text: lines, ..*text })
}

fn json_string(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    if matches!(text.ending(), "csv" | "tsv" | "ipynb" | "eml" | "md" | "rst" | "adoc")
        || text.text.len() > 4_000
    {
        return None;
    }
    let value = serde_json::json!({ "name": text.path, "content": text.text });
    Some(Text { path: "payload.json".to_owned(), text: value.to_string() + "\n", ..*text })
}

fn yaml_block(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    if matches!(text.ending(), "csv" | "tsv" | "ipynb" | "eml" | "md" | "rst" | "adoc" | "sql" | "log")
        || text.text.contains('\t')
    {
        return None;
    }
    let body: String = text.text.trim_end().split('\n').map(|line| format!("    {line}\n")).collect();
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n";
    Some(Text { path: "deploy.yaml".to_owned(), text: format!("{head}  app.conf: |\n{body}"), ..*text })
}

fn markdown_fence(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    if matches!(text.ending(), "csv" | "tsv" | "md" | "rst" | "adoc" | "eml" | "txt")
        || text.text.contains("```")
    {
        return None;
    }
    let fence = format!(
        "# Notes\n\nThis is what runs today:\n\n```{}\n{}\n```\n",
        text.ending(),
        text.text.trim_end()
    );
    Some(Text { path: "NOTES.md".to_owned(), text: fence, ..*text })
}

fn notebook(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    if text.ending() != "py" {
        return None;
    }
    let source: Vec<String> = text.text.split_inclusive('\n').map(str::to_owned).collect();
    let cell = serde_json::json!({ "cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": source });
    let book = serde_json::json!({ "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5 });
    Some(Text {
        path: "book.ipynb".to_owned(),
        text: serde_json::to_string_pretty(&book).expect("plain JSON"),
        ..*text
    })
}

fn other_quotes(text: &Text, _: &Values, _: &mut Rng) -> Option<Text> {
    let fits = matches!(text.ending(), "py" | "js" | "rb" | "ts" | "mjs") && !text.text.contains('`');
    let has_one_kind = text.text.contains('\'') != text.text.contains('"');
    let swap = |c: char| match c {
        '\'' => '"',
        '"' => '\'',
        other => other,
    };
    (fits && has_one_kind && !text.text.contains('\\'))
        .then(|| text.with(text.text.chars().map(swap).collect()))
}
