//! Large texts are read in windows. Whatever a text is written in, reading it so finds what reading it whole finds: values stand near
//! the seams of windows, between them, and at the very end.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::BTreeSet;

use common::archive::gzipped;
use common::fixture::Mint;
use data_encoding::{BASE64, BASE64_MIME, HEXLOWER};
use fastrand::Rng;
use serde_json::json;
use sidsweep::detect::{Detector, Hit};
use sidsweep::rules::Rules;
use sidsweep::source::stream::Windows;

/// How large the texts are as they are written, in bytes: three windows, of which the last is a part.
const SIZE: usize = 2_700_000;
/// The part of a window that is its own, and what it has on each side, in bytes.
const CORE: usize = 1 << 20;
const OVERLAP: usize = 64 << 10;

/// A kind of text: its head, a line without a value, a line with one, and what it ends with.
struct Kind {
    name: &'static str,
    head: &'static str,
    line: fn(&mut Rng) -> String,
    leak: fn(&mut Mint, &str) -> String,
    foot: &'static str,
}

fn word(random: &mut Rng) -> String {
    (0..random.usize(3..9)).map(|_| random.lowercase()).collect()
}

fn row(random: &mut Rng, between: &str) -> String {
    [random.u16(..).to_string(), word(random), word(random), String::new(), word(random)].join(between)
}

const ENV: Kind = Kind {
    name: "settings",
    head: "LOG_LEVEL=info\n",
    line: |random| format!("{}={} {}\n", word(random).to_uppercase(), word(random), word(random)),
    leak: |mint, token| format!("TWILIO_ACCOUNT_SID=AC{}\nTWILIO_AUTH_TOKEN={token}\n", mint.hex(32)),
    foot: "",
};

const TABLES: [Kind; 8] = [
    Kind {
        name: "CSV",
        head: "id,name,city,twilio_auth_token,note\n",
        line: |random| row(random, ",") + "\n",
        leak: |_, token| format!("7,ada,paris,{token},x\n"),
        foot: "",
    },
    Kind {
        name: "CSV with a first column of tokens and SIDs",
        head: "auth_token;account_sid;city\r\n",
        line: |random| format!(";;{}\r\n", word(random)),
        leak: |mint, token| format!("{token};AC{};paris\r\n", mint.hex(32)),
        foot: "",
    },
    Kind {
        name: "TSV",
        head: "id\tname\tcity\tauth_token\tnote\n",
        line: |random| row(random, "\t") + "\n",
        leak: |_, token| format!("7\tada\tparis\t{token}\tx\n"),
        foot: "",
    },
    Kind {
        name: "INSERT with a line for each row",
        head: "SET NAMES utf8;\nINSERT INTO `senders` (`id`, `name`, `twilio_token`) VALUES\n",
        line: |random| format!("({}, '{}', NULL),\n", random.u16(..), word(random)),
        leak: |_, token| format!("(7, 'ada', '{token}'),\n"),
        foot: "(0, '', '');\nSELECT 1;\n",
    },
    Kind {
        name: "INSERT on one line",
        head: "INSERT INTO senders (id, name, auth_token) VALUES ",
        line: |random| format!("({},'{}',NULL),", random.u16(..), word(random)),
        leak: |_, token| format!("(7,'ada','{token}'),"),
        foot: "(0,'','');\n",
    },
    Kind {
        name: "COPY",
        head: "--\n-- Data\n--\n\nCOPY public.senders (id, name, city, auth_token, note) FROM stdin;\n",
        line: |random| row(random, "\t") + "\n",
        leak: |_, token| format!("7\tada\tparis\t{token}\tx\n"),
        foot: "\\.\n",
    },
    Kind {
        name: "Markdown",
        head: "| id | name | city | twilio auth token | note |\n|----|----|----|----|----|\n",
        line: |random| format!("| {} |\n", row(random, " | ")),
        leak: |_, token| format!("| 7 | ada | paris | {token} | x |\n"),
        foot: "",
    },
    Kind {
        name: "diff",
        head: "diff --git a/.env b/.env\n--- a/.env\n+++ b/.env\n@@ -1,0 +1,99999 @@\n",
        line: |random| format!("+{}={}\n", word(random).to_uppercase(), word(random)),
        leak: |_, token| format!("+twilio:\n+  auth_token: {token}\n"),
        foot: "",
    },
];

type Wrap = (&'static str, fn(&[u8]) -> Vec<u8>);

fn wide(text: &[u8], mark: bool, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(order).collect()
}

fn wider(text: &[u8], mark: bool, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    mark.then_some(0xfeff).into_iter().chain(text.chars().map(u32::from)).flat_map(order).collect()
}

fn lines(encoded: &str, width: usize, between: &str) -> String {
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

fn mail(encoding: &str, body: &str) -> Vec<u8> {
    format!(
        "From: ada@example.com\r\nTo: bob@example.com\r\nSubject: The settings\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

/// Quoted-printable in which whatever may be encoded is, so that a soft line break stands in each value.
fn quoted_printable(text: &[u8]) -> String {
    let mut out = String::new();
    let mut length = 0;
    for &byte in text {
        if byte == b'\n' {
            out += "\r\n";
            length = 0;
            continue;
        }
        let piece =
            if byte == b'=' || byte % 5 == 0 { format!("={byte:02X}") } else { char::from(byte).into() };
        if length + piece.len() > 29 {
            out += "=\r\n";
            length = 0;
        }
        length += piece.len();
        out += &piece;
    }
    out
}

const AS_IT_IS: Wrap = ("", |text| text.to_vec());

const WRAPS: [Wrap; 20] = [
    AS_IT_IS,
    ("UTF-16, little-endian, with its mark", |text| wide(text, true, u16::to_le_bytes)),
    ("UTF-16, big-endian, with its mark", |text| wide(text, true, u16::to_be_bytes)),
    ("UTF-16, little-endian", |text| wide(text, false, u16::to_le_bytes)),
    ("UTF-16, big-endian, behind a binary head", |text| {
        [&b"\x01\x02\x03"[..], &wide(text, false, u16::to_be_bytes)].concat()
    }),
    ("UTF-32, little-endian, with its mark", |text| wider(text, true, u32::to_le_bytes)),
    ("UTF-32, big-endian, with its mark", |text| wider(text, true, u32::to_be_bytes)),
    ("UTF-32, little-endian, behind a binary head", |text| {
        [&b"\x01\x02\x03"[..], &wider(text, false, u32::to_le_bytes)].concat()
    }),
    ("quoted-printable", |text| mail("quoted-printable", &quoted_printable(text))),
    ("a mail in base64", |text| mail("base64", &BASE64_MIME.encode(text))),
    ("base64 on one line", |text| format!("x: {}\n", BASE64.encode(text)).into_bytes()),
    ("JSON in base64 in JSON", |text| {
        let inner = json!({ "env": String::from_utf8_lossy(text), "id": 7 }).to_string();
        json!({ "id": 7, "message": BASE64.encode(inner.as_bytes()) }).to_string().into_bytes()
    }),
    ("base64 in literals", |text| {
        format!("data = \"{}\";\n", lines(&BASE64.encode(text), 70, "\" +\n  \"")).into_bytes()
    }),
    ("base64 in base64", |text| {
        format!("x: {}\n", BASE64.encode(BASE64.encode(text).as_bytes())).into_bytes()
    }),
    ("base64 in quoted-printable", |text| {
        mail("quoted-printable", &quoted_printable(format!("{}\n", BASE64.encode(text)).as_bytes()))
    }),
    ("hexadecimal on one line", |text| format!("unhex('{}')\n", HEXLOWER.encode(text)).into_bytes()),
    ("hexadecimal in lines", |text| lines(&HEXLOWER.encode(text), 60, "\n").into_bytes()),
    ("base64 in UTF-16", |text| {
        wide(format!("x: {}\n", BASE64.encode(text)).as_bytes(), true, u16::to_le_bytes)
    }),
    ("JSON", |text| json!({ "body": String::from_utf8_lossy(text) }).to_string().into_bytes()),
    GZIP,
];

/// What goes on from window to window is reported where it ends.
const GZIP: Wrap = ("gzip in base64", |text| {
    format!("id: 7\ndata: {}\nkind: x\n", BASE64.encode(&gzipped(text))).into_bytes()
});

/// A text of a kind that comes to about [`SIZE`] bytes when it is wrapped, with values at places that matter to windows, or at its
/// end alone; and the values.
fn text(kind: &Kind, wrap: &Wrap, is_sparse: bool, seed: u64) -> (Vec<u8>, BTreeSet<String>) {
    let (mut random, mut mint) = (Rng::with_seed(seed), Mint::new(seed));
    let sample = |random: &mut Rng| (0..2_000).map(|_| (kind.line)(random)).collect::<String>();
    let sample = sample(&mut random);
    let ratio = wrap.1(sample.as_bytes()).len() as f64 / sample.len() as f64;
    let mut places: Vec<usize> = Vec::new();
    for seam in (0..=SIZE / CORE).filter(|_| !is_sparse).map(|n| n * CORE + OVERLAP) {
        let beside = [0, 60, 300, 5_000, OVERLAP - 200, OVERLAP + 200, CORE / 3];
        places.extend(beside.iter().flat_map(|distance| [seam.saturating_sub(*distance), seam + distance]));
    }
    places.sort_unstable();
    let mut places = places.into_iter().filter(|&place| place < SIZE - 1_000).peekable();
    let mut values = BTreeSet::new();
    let mut leak = |mint: &mut Mint| {
        let token = mint.hex(32);
        let line = (kind.leak)(mint, &token);
        values.insert(token);
        line
    };
    let mut text = kind.head.to_owned();
    while (text.len() as f64 * ratio) < SIZE as f64 {
        if places.next_if(|&place| text.len() as f64 * ratio >= place as f64).is_some() {
            text += &leak(&mut mint);
        }
        text += &(kind.line)(&mut random);
    }
    text += &leak(&mut mint);
    text += kind.foot;
    (wrap.1(text.as_bytes()), values)
}

/// What a report tells of a value.
fn told(hits: &[Hit], is_moved: bool) -> BTreeSet<String> {
    let one = |hit: &Hit| {
        let (kind, value) = (hit.kind, hit.value.expose());
        let place = if is_moved { String::new() } else { format!("{}:{}", hit.line, hit.column) };
        format!("{kind:?} {value} {:?} {:?} {place}", hit.encoding, hit.confidence)
    };
    hits.iter().map(one).collect()
}

#[test]
fn windows_find_what_reading_the_whole_finds() {
    let detector = Detector::new(Rules::built_in());
    let mut cases: Vec<(&Kind, &Wrap, bool)> = Vec::new();
    for wrap in &WRAPS {
        cases.extend([(&ENV, wrap, false), (&ENV, wrap, true)]);
    }
    let inside = ["", "UTF-16, little-endian, with its mark", "base64 on one line", "quoted-printable"];
    for kind in &TABLES {
        // The head of a mail stands before a table in it.
        let is_delimited = kind.name.starts_with("CSV") || kind.name == "TSV";
        let holds =
            |wrap: &&Wrap| inside.contains(&wrap.0) && !(is_delimited && wrap.0 == "quoted-printable");
        cases.extend(WRAPS.iter().filter(holds).map(|wrap| (kind, wrap, false)));
    }
    let only = std::env::var("ONLY").ok();
    let mut wrong = Vec::new();
    let (mut compared, mut lost, mut of) = (0, 0, 0);
    for (number, (kind, wrap, is_sparse)) in cases.into_iter().enumerate() {
        let case = format!("{} {}{}", kind.name, wrap.0, if is_sparse { ", at the end alone" } else { "" });
        if only.as_ref().is_some_and(|only| !case.contains(only)) {
            continue;
        }
        let (text, values) = text(kind, wrap, is_sparse, number as u64);
        let whole = detector.detect(&text, "export");
        let windowed = Windows::default().scan_plain(&detector, "export", &text[..]).unwrap().hits;
        let found: BTreeSet<String> = windowed.iter().map(|hit| hit.value.expose().to_owned()).collect();
        let known: BTreeSet<String> = whole.iter().map(|hit| hit.value.expose().to_owned()).collect();
        let missed = values.difference(&found).count();
        let missed_whole = values.difference(&known).count();
        let is_moved = wrap.0 == GZIP.0;
        let (whole, windowed) = (told(&whole, is_moved), told(&windowed, is_moved));
        let (more, less) = (windowed.difference(&whole).count(), whole.difference(&windowed).count());
        (compared, lost, of) = (compared + whole.len(), lost + missed, of + values.len());
        if missed + missed_whole + more + less > 0 {
            let example = whole.symmetric_difference(&windowed).take(2).collect::<Vec<_>>();
            wrong.push(format!(
                "{case}: of {} values {missed} are missed in windows and {missed_whole} in the whole; \
                 {less} are told otherwise, {more} only in windows: {example:?}",
                values.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{lost} of {of} lost, {compared} compared\n{}", wrong.join("\n"));
}
