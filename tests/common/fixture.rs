//! Fixtures: templates with holes that are filled with fresh values, so that nothing real-looking is ever committed.
//!
//! `%% path: a/b.py` begins a file; `%% newline: crlf|cr` and `%% encode: utf16le|utf16le-bom|utf16be|utf8-bom` say how
//! it is written. `{{ac:1}}`, `{{token:1}}`, `{{sk:1}}` and `{{secret:1}}` are the four core kinds, which must be found;
//! the same label makes them a pair. `|body`, `|h1`, `|h2` are parts of one. Other holes are values that must not be
//! found: `{{hex:32}}`, `{{b62:32}}`, `{{uuid}}` …

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;

/// A value that must be found, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    pub path: String,
    pub kind: &'static str,
    pub value: String,
    pub line: u64,
    /// None where the value is not written in one piece.
    pub column: Option<u64>,
}

/// Two values that must be tied.
#[derive(Debug, Clone)]
pub struct ExpectedPair {
    pub fixture: String,
    pub secret: String,
    /// `account_sid` or `key_sid`.
    pub field: &'static str,
    pub sid: String,
}

#[derive(Debug, Default)]
pub struct Minted {
    pub expected: Vec<Expected>,
    pub pairs: Vec<ExpectedPair>,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

const KINDS: [(&str, &str); 4] =
    [("ac", "account_sid"), ("token", "auth_token"), ("sk", "api_key_sid"), ("secret", "api_key_secret")];

/// Values by name and label, minted when first asked for.
pub struct Mint {
    random: fastrand::Rng,
    values: BTreeMap<(String, String), String>,
}

impl Mint {
    pub fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), values: BTreeMap::new() }
    }

    pub fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b"0123456789abcdef"[self.random.usize(..16)])).collect()
    }

    fn characters(&mut self, of: &[u8], length: &str) -> String {
        let length = length.parse().expect("a length");
        (0..length).map(|_| char::from(of[self.random.usize(..of.len())])).collect()
    }

    pub fn base62(&mut self, length: usize) -> String {
        (0..length).map(|_| self.random.alphanumeric()).collect()
    }

    pub fn value(&mut self, name: &str, label: &str) -> String {
        if let Some(value) = self.values.get(&(name.to_owned(), label.to_owned())) {
            return value.clone();
        }
        let value = match name {
            "ac" => format!("AC{}", self.hex(32)),
            "sk" => format!("SK{}", self.hex(32)),
            "token" => self.hex(32),
            "secret" => self.base62(32),
            "oq" => format!("OQ{}", self.base62(32)),
            "oqsecret" => self.base62(64),
            "sharedkey" => format!("webhooks_sharedkey_{}", self.base62(26).to_lowercase()),
            "sendgrid" => format!("SG.{}.{}", self.base62(22), self.base62(43)),
            "segment" => format!("sgp_{}", self.base62(64)),
            "jwt" => self.jwt(label),
            _ => panic!("no such value: {name}"),
        };
        self.values.insert((name.to_owned(), label.to_owned()), value.clone());
        value
    }

    /// An Access Token, made as Twilio's libraries make one; its signature is random.
    fn jwt(&mut self, label: &str) -> String {
        let (account, key) = (self.value("ac", label), self.value("sk", label));
        let encode = |text: String| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let header = encode(r#"{"typ":"JWT","alg":"HS256","cty":"twilio-fpa;v=1"}"#.into());
        let payload = encode(format!(
            r#"{{"jti":"{key}-1700000000","iss":"{key}","sub":"{account}","exp":1700003600,"grants":{{"identity":"alice"}}}}"#
        ));
        let signature: Vec<u8> = (0..32).map(|_| self.random.u8(..)).collect();
        format!("{header}.{payload}.{}", data_encoding::BASE64URL_NOPAD.encode(&signature))
    }

    /// Fills a hole; says which values it shows, for holes that show them. `{{hex:32:a}}` is the same value wherever it stands.
    pub fn hole(&mut self, hole: &str) -> (String, Vec<(&'static str, String)>) {
        match hole {
            "open" => return ("{{".to_owned(), Vec::new()),
            "esc" => return ("\x1b".to_owned(), Vec::new()),
            "tab" => return ("\t".to_owned(), Vec::new()),
            "cr" => return ("\r".to_owned(), Vec::new()),
            _ => {}
        }
        let fields: Vec<&str> = if hole.contains('|') { Vec::new() } else { hole.split(':').collect() };
        let labelled = match fields[..] {
            [name @ "uuid", label] => Some((name.to_owned(), label)),
            [name, length, label] => Some((format!("{name}:{length}"), label)),
            _ => None,
        };
        if let Some((kind, label)) = labelled {
            let key = (kind.clone(), label.to_owned());
            if let Some(value) = self.values.get(&key) {
                return (value.clone(), Vec::new());
            }
            let (value, _) = self.hole(&kind);
            self.values.insert(key, value.clone());
            return (value, Vec::new());
        }
        let parts: Vec<&str> = hole.split('|').collect();
        let mut shown = Vec::new();
        let mut named = |mint: &mut Self, part: &str| {
            let (name, label) = part.split_once(':').unwrap_or((part, "1"));
            if let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == name) {
                let value = mint.value(name, label);
                shown.push((*kind, value.clone()));
                value
            } else if name == "hex" {
                mint.hex(label.parse().expect("a length"))
            } else {
                mint.value(name, label)
            }
        };
        let text = match parts[0] {
            "b64" => BASE64.encode(named(self, parts[1]).as_bytes()),
            "b64nl" => BASE64.encode(format!("{}\n", named(self, parts[1])).as_bytes()),
            "basic" => {
                BASE64.encode(format!("{}:{}", named(self, parts[1]), named(self, parts[2])).as_bytes())
            }
            "b64env" => BASE64.encode(
                format!(
                    "TWILIO_ACCOUNT_SID={}\nTWILIO_AUTH_TOKEN={}\nPORT=3000\n",
                    named(self, parts[1]),
                    named(self, parts[2])
                )
                .as_bytes(),
            ),
            "x4" => named(self, parts[1]).bytes().map(|b| format!("\\x{b:02x}")).collect(),
            "u16" => named(self, parts[1]).bytes().map(|b| format!("\\u{b:04x}")).collect(),
            "pct" => named(self, parts[1]).bytes().map(|b| format!("%{b:02X}")).collect(),
            first => match (first.split_once(':').unwrap_or((first, "")), parts.get(1)) {
                (_, Some(&"body")) => named(self, first)[2..].to_owned(),
                (_, Some(&"h1")) => named(self, first)[..16].to_owned(),
                (_, Some(&"h2")) => {
                    let half = named(self, first)[16..].to_owned();
                    shown.clear();
                    half
                }
                (("HEX", n), _) => self.hex(n.parse().expect("a length")).to_uppercase(),
                (("HEXC", n), _) => (0..n.parse().expect("a count"))
                    .map(|_| self.hex(2).to_uppercase())
                    .collect::<Vec<_>>()
                    .join(":"),
                (("b62", n), _) => self.base62(n.parse().expect("a length")),
                (("b32", n), _) => self.characters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n),
                (("b64c", n), _) => {
                    self.characters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n)
                }
                (("B62", n), _) => self.base62(n.parse().expect("a length")).to_uppercase(),
                (("dig", n), _) => (0..n.parse().expect("a length")).map(|_| self.random.digit(10)).collect(),
                (("b64rand", n), _) => {
                    let bytes: Vec<u8> =
                        (0..n.parse().expect("a length")).map(|_| self.random.u8(..)).collect();
                    BASE64.encode(&bytes)
                }
                (("b64text", user), _) => BASE64.encode(format!("{user}:{}", self.base62(12)).as_bytes()),
                (("uuid" | "UUID", _), _) => {
                    let hex = self.hex(32);
                    let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
                    if first == "UUID" { uuid.to_uppercase() } else { uuid }
                }
                (("sid", prefix), _) => format!("{prefix}{}", self.hex(32)),
                _ => named(self, first),
            },
        };
        (text, shown)
    }

    /// `⟦b64:text⟧` is base64 of a text with holes, `⟦b64sp:text⟧` the same with a space in it, `⟦rb64:N⟧` base64 of random bytes.
    fn coded(&mut self, coded: &str) -> (String, Vec<(&'static str, String)>) {
        let (how, of) = coded.split_once(':').expect("how it is coded");
        if how == "rb64" {
            return self.hole(&format!("b64rand:{of}"));
        }
        let (filled, shown) = self.fill(of);
        let mut base64 = BASE64.encode(filled.as_bytes());
        if how == "b64sp" {
            base64.insert(70, ' ');
        }
        (base64, shown.into_iter().map(|(kind, value, ..)| (kind, value)).collect())
    }

    /// Fills all holes of a text; says for each value shown its place in the text and whether it is in one piece.
    pub fn fill(&mut self, template: &str) -> (String, Vec<(&'static str, String, usize, bool)>) {
        let mut text = String::new();
        let mut shown = Vec::new();
        let mut rest = template;
        while let Some(open) = rest.find(['{', '⟦']) {
            if let Some(coded) = rest[open..].strip_prefix('⟦') {
                text.push_str(&rest[..open]);
                let (coded, after) = coded.split_once('⟧').expect("a closed bracket");
                let (filled, values) = self.coded(coded);
                shown.extend(values.into_iter().map(|(kind, value)| (kind, value, text.len(), false)));
                text.push_str(&filled);
                rest = after;
                continue;
            }
            if !rest[open..].starts_with("{{") || rest[open..].starts_with("{{{") {
                text.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            }
            let close = open + rest[open..].find("}}").expect("a closed hole");
            text.push_str(&rest[..open]);
            let hole = &rest[open + 2..close];
            let (filled, values) = self.hole(hole);
            let whole = !hole.ends_with("|body") && !hole.ends_with("|h1");
            shown.extend(values.into_iter().map(|(kind, value)| (kind, value, text.len(), whole)));
            text.push_str(&filled);
            rest = &rest[close + 2..];
        }
        text.push_str(rest);
        (text, shown)
    }
}

/// Fills every fixture of a set whose name passes `wanted` and writes it below `into`, each in a folder of its own.
pub fn mint(set: &str, into: &Path, seed: u64, wanted: impl Fn(&str) -> bool) -> Minted {
    let mut minted = Minted::default();
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder().join(set))
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    for (number, template) in names.iter().enumerate() {
        let name = template.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        if !wanted(&name) {
            continue;
        }
        let text = std::fs::read_to_string(template).expect("a template");
        let mut mint = Mint::new(seed * 10_007 + number as u64);
        for file in files(&text) {
            let (filled, shown) = mint.fill(&file.text);
            let path = format!("{set}/{name}/{}", file.path);
            let bom = usize::from(file.encode.as_deref() == Some("utf8-bom")) * 3;
            for (kind, value, at, whole) in shown {
                let line = filled[..at].matches('\n').count() as u64 + 1;
                let start = filled[..at].rfind('\n').map_or(0, |newline| newline + 1);
                let column = at - start + 1 + if line == 1 { bom } else { 0 };
                minted.expected.push(Expected {
                    path: path.clone(),
                    kind,
                    value,
                    line,
                    column: whole.then_some(column as u64),
                });
            }
            super::write(into, &path, encode(&filled, &file));
        }
        for ((kind, label), value) in &mint.values {
            let mut pair = |field, sid_name: &str| {
                if let Some(sid) = mint.values.get(&(sid_name.to_owned(), label.clone())) {
                    minted.pairs.push(ExpectedPair {
                        fixture: format!("{set}/{name}"),
                        secret: value.clone(),
                        field,
                        sid: sid.clone(),
                    });
                }
            };
            match kind.as_str() {
                "token" => pair("account_sid", "ac"),
                "secret" => {
                    pair("key_sid", "sk");
                    pair("account_sid", "ac");
                }
                _ => {}
            }
        }
    }
    minted
}

struct File {
    path: String,
    newline: Option<String>,
    encode: Option<String>,
    text: String,
}

fn files(template: &str) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for line in template.split_inclusive('\n') {
        let directive = line.strip_prefix("%% ").and_then(|rest| rest.trim_end().split_once(": "));
        match (directive, files.last_mut()) {
            (Some(("path", path)), _) => {
                files.push(File { path: path.to_owned(), newline: None, encode: None, text: String::new() });
            }
            (Some(("newline", value)), Some(file)) => file.newline = Some(value.to_owned()),
            (Some(("encode", value)), Some(file)) => file.encode = Some(value.to_owned()),
            (_, Some(file)) => file.text.push_str(line),
            _ => panic!("a template begins with its path"),
        }
    }
    files
}

fn encode(text: &str, file: &File) -> Vec<u8> {
    let text = match file.newline.as_deref() {
        Some("crlf") => text.replace('\n', "\r\n"),
        Some("cr") => text.replace('\n', "\r"),
        _ => text.to_owned(),
    };
    let units = || text.encode_utf16();
    match file.encode.as_deref() {
        Some("utf16le") => units().flat_map(u16::to_le_bytes).collect(),
        Some("utf16le-bom") => [0xff, 0xfe].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect(),
        Some("utf16be") => units().flat_map(u16::to_be_bytes).collect(),
        Some("utf8-bom") => [0xef, 0xbb, 0xbf].into_iter().chain(text.bytes()).collect(),
        _ => text.into_bytes(),
    }
}
