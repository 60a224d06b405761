//! Encodings and containers that hide a value: a pair in each of them is found, alone and in one another, in a folder and in
//! history; what attackers write in them ends in bounded time.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::time::{Duration, Instant};

use common::archive::gzipped;
use common::fixture::Mint;
use common::{commit, git, report, write};
use data_encoding::{BASE64, BASE64_MIME, HEXLOWER};
use serde_json::{Value, json};
use sidsweep::detect::Detector;
use sidsweep::rules::Rules;

/// A pair, and a text that holds it at the second and third line.
struct Leak {
    account: String,
    token: String,
    text: String,
}

fn leak(seed: u64) -> Leak {
    let mut mint = Mint::new(seed);
    let (account, token) = (format!("AC{}", mint.hex(32)), mint.hex(32));
    let text = format!(
        "LOG_LEVEL=info\nTWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\nFEATURES=calls,messages\n"
    );
    Leak { account, token, text }
}

/// A pair somewhere in a random text, so that it stands at every place of a group of digits.
fn scattered(seed: u64) -> Leak {
    let mut random = fastrand::Rng::with_seed(seed);
    let leak = leak(seed);
    let mut lines = |most: usize| -> String {
        let word = |random: &mut fastrand::Rng| -> String {
            (0..random.usize(3..9)).map(|_| random.lowercase()).collect()
        };
        (0..random.usize(0..most))
            .map(|_| format!("{}={}\n", word(&mut random).to_uppercase(), word(&mut random)))
            .collect()
    };
    let text = format!("{}{}{}", lines(6), leak.text, lines(20));
    Leak { text, ..leak }
}

/// Base64 in lines of a width, with what stands between the lines.
fn base64_in_lines(text: &[u8], width: usize, between: &str) -> String {
    let encoded = BASE64.encode(text);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

/// Base64 with a blank in it.
fn base64_broken_at(text: &[u8], at: usize) -> String {
    let mut encoded = BASE64.encode(text);
    encoded.insert(at % encoded.len(), ' ');
    encoded
}

fn gzip64(text: &[u8]) -> String {
    BASE64.encode(&gzipped(text))
}

fn mail(encoding: &str, body: &str) -> String {
    format!(
        "From: ada@example.com\r\nTo: bob@example.com\r\nSubject: The settings\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nHello,\r\nsee below.\r\n\
         --b1\r\nContent-Type: text/plain; name=\"app.env\"\r\nContent-Transfer-Encoding: {encoding}\r\n\
         Content-Disposition: attachment; filename=\"app.env\"\r\n\r\n{body}\r\n--b1--\r\n"
    )
}

fn quoted_printable(text: &[u8]) -> String {
    let mut out = String::new();
    for line in String::from_utf8_lossy(text).lines() {
        let mut length = 0;
        for byte in line.bytes() {
            let piece = if byte == b'=' || !(32..127).contains(&byte) {
                format!("={byte:02X}")
            } else {
                char::from(byte).into()
            };
            if length + piece.len() > 75 {
                out += "=\r\n";
                length = 0;
            }
            length += piece.len();
            out += &piece;
        }
        out += "\r\n";
    }
    out
}

type Wrap = fn(&[u8]) -> String;

/// The encodings that make a text of a text, by name.
const WRAPS: [(&str, Wrap); 22] = [
    ("base64", |text| format!("data: {}\n", BASE64.encode(text))),
    ("base64 in lines of 76", |text| {
        format!("-----BEGIN DATA-----\n{}-----END DATA-----\n", BASE64_MIME.encode(text))
    }),
    ("base64 in lines of 64, indented", |text| format!("data: |\n  {}\n", base64_in_lines(text, 64, "\n  "))),
    ("base64 in lines of 100", |text| format!("{}\n", base64_in_lines(text, 100, "\n"))),
    ("base64 in lines of 40", |text| format!("{}\n", base64_in_lines(text, 40, "\r\n"))),
    ("base64 in quoted lines", |text| format!("> {}\n", base64_in_lines(text, 72, "\n> "))),
    ("base64 in a JSON string with line ends", |text| {
        json!({ "data": base64_in_lines(text, 76, "\n"), "type": "env" }).to_string()
    }),
    ("base64 broken early", |text| format!("config = {}\n", base64_broken_at(text, 7))),
    ("base64 broken at a group", |text| format!("config = {}\n", base64_broken_at(text, 8))),
    ("base64 broken later", |text| format!("config = {}\n", base64_broken_at(text, 61))),
    ("base64 in literals", |text| {
        format!("const config = \"{}\";\n", base64_in_lines(text, 60, "\" +\n  \""))
    }),
    ("gzip in base64", |text| format!("user_data: {}\n", gzip64(text))),
    ("gzip in base64 in lines", |text| {
        format!("content: |\n    {}\n", base64_in_lines(&gzipped(text), 76, "\n    "))
    }),
    ("gzip in base64 with escaped slashes", |text| {
        json!({ "payload": gzip64(text) }).to_string().replace('/', "\\/")
    }),
    ("Helm release", |text| {
        let release =
            json!({ "name": "sms", "config": { "env": String::from_utf8_lossy(text) }, "version": 1 });
        let encoded = BASE64.encode(gzip64(release.to_string().as_bytes()).as_bytes());
        format!("apiVersion: v1\ndata:\n  release: {encoded}\nkind: Secret\ntype: helm.sh/release.v1\n")
    }),
    ("JSON", |text| json!({ "body": String::from_utf8_lossy(text) }).to_string()),
    ("JSON in base64 in JSON", |text| {
        let inner = json!({ "env": String::from_utf8_lossy(text) }).to_string();
        json!({ "id": 7, "message": BASE64.encode(inner.as_bytes()) }).to_string()
    }),
    ("data: URL", |text| format!("<a href=\"data:text/plain;base64,{}\">env</a>\n", BASE64.encode(text))),
    ("hexadecimal", |text| format!("env = unhex('{}')\n", HEXLOWER.encode(text))),
    ("hexadecimal in lines, as xxd -p", |text| {
        let encoded = HEXLOWER.encode(text);
        let lines: Vec<_> = encoded.as_bytes().chunks(60).map(String::from_utf8_lossy).collect();
        format!("{}\n", lines.join("\n"))
    }),
    ("hexadecimal as PostgreSQL writes it", |text| format!("7\tenv\t\\\\x{}\n", HEXLOWER.encode(text))),
    ("source map", |text| {
        let source = String::from_utf8_lossy(text);
        json!({ "version": 3, "sources": ["../src/env.ts"], "sourcesContent": [source], "mappings": "AAAA" })
            .to_string()
    }),
];

/// Wraps that are found as the outermost only, since a mail begins with its head.
const MAILS: [(&str, Wrap); 2] = [
    ("a mail's base64 part", |text| mail("base64", BASE64_MIME.encode(text).trim_end())),
    ("a mail's quoted-printable part", |text| mail("quoted-printable", quoted_printable(text).trim_end())),
];

/// Whether both values of a pair are found in a text.
fn is_found(detector: &Detector, text: &[u8], leak: &Leak) -> bool {
    let hits = detector.detect(text, "config/settings");
    let is = |value: &str| hits.iter().any(|hit| hit.value.expose() == value);
    is(&leak.token) && is(&leak.account)
}

#[test]
fn a_pair_is_found_in_each_encoding_and_in_two_of_them() {
    let detector = Detector::new(Rules::built_in());
    let mut missed = Vec::new();
    let all: Vec<_> = WRAPS.into_iter().chain(MAILS).collect();
    for seed in 0..std::env::var("SEEDS").map_or(6, |seeds| seeds.parse().unwrap()) {
        let leak = scattered(seed);
        for (name, wrap) in &all {
            let wrapped = wrap(leak.text.as_bytes());
            if !is_found(&detector, wrapped.as_bytes(), &leak) {
                missed.push(format!("{name}: {wrapped}"));
            }
            for (outer_name, outer) in &all {
                let twice = outer(wrapped.as_bytes());
                if !is_found(&detector, twice.as_bytes(), &leak) {
                    missed.push(format!("{name} in {outer_name}, seed {seed}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

/// Findings of tokens: path, line and value.
fn tokens(report: &Value) -> Vec<(String, u64, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let tokens = findings.filter(|finding| finding["kind"] == "auth_token");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    tokens.map(|f| (text(f, "path"), f["line"].as_u64().unwrap(), text(f, "value"))).collect()
}

/// A document of Word with a text in runs of a few letters, each line a paragraph.
fn docx(text: &str) -> Vec<u8> {
    let run = |part: &[char]| {
        format!("<w:r><w:rPr><w:b/></w:rPr><w:t>{}</w:t></w:r>", part.iter().collect::<String>())
    };
    let paragraph = |line: &str| {
        let letters: Vec<char> = line.chars().collect();
        format!("<w:p>{}</w:p>", letters.chunks(7).map(run).collect::<String>())
    };
    let body: String = text.lines().map(paragraph).collect();
    let xml =
        format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    common::archive::zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", xml.as_bytes())])
}

/// A workbook with a row for each line, the name in the first cell and the value in the second; strings are in runs.
fn xlsx(text: &str) -> Vec<u8> {
    let cells: Vec<&str> = text.lines().flat_map(|line| line.split('=')).collect();
    let string = |cell: &&str| {
        let (left, right) = cell.split_at(cell.len() / 2);
        format!("<si><r><t>{left}</t></r><r><rPr><b/></rPr><t>{right}</t></r></si>")
    };
    let strings = format!("<sst>{}</sst>", cells.iter().map(string).collect::<String>());
    let row = |n: usize| {
        format!(
            "<row r=\"{}\"><c t=\"s\"><v>{}</v></c><c t=\"s\"><v>{}</v></c></row>",
            n + 1,
            2 * n,
            2 * n + 1
        )
    };
    let rows: String = (0..cells.len() / 2).map(row).collect();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    common::archive::zipped(&[
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
    ])
}

/// The two halves of a text, each in what stands around a part of a word.
fn halves(text: &str, before: &str, after: &str) -> String {
    let (left, right) = text.split_at(text.len() / 2);
    [left, right].map(|half| format!("{before}{half}{after}")).concat()
}

/// A workbook whose strings stand in the cells themselves, in runs.
fn inline_xlsx(text: &str) -> Vec<u8> {
    let cell = |cell: &str| {
        let runs = halves(cell, "<r><rPr><b/></rPr><t>", "</t></r>");
        format!("<c t=\"inlineStr\"><is>{runs}</is></c>")
    };
    let row = |line: &str| format!("<row>{}</row>", line.split('=').map(cell).collect::<String>());
    let rows: String = text.lines().map(row).collect();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    common::archive::zipped(&[("xl/worksheets/sheet1.xml", sheet.as_bytes())])
}

/// A slide with a paragraph for each line, in runs.
fn pptx(text: &str) -> Vec<u8> {
    let paragraph = |line: &str| format!("<a:p>{}</a:p>", halves(line, "<a:r><a:t>", "</a:t></a:r>"));
    let slide =
        format!("<p:sld><p:txBody>{}</p:txBody></p:sld>", text.lines().map(paragraph).collect::<String>());
    common::archive::zipped(&[("ppt/slides/slide1.xml", slide.as_bytes())])
}

/// A table of `LibreOffice`, in spans.
fn ods(text: &str) -> Vec<u8> {
    let cell = |cell: &str| {
        let spans = halves(cell, "<text:span>", "</text:span>");
        format!("<table:table-cell><text:p>{spans}</text:p></table:table-cell>")
    };
    let row = |line: &str| {
        format!("<table:table-row>{}</table:table-row>", line.split('=').map(cell).collect::<String>())
    };
    let content = format!("<office:body>{}</office:body>", text.lines().map(row).collect::<String>());
    common::archive::zipped(&[("content.xml", content.as_bytes())])
}

/// A property list in bytes: a list with a dictionary in it, in which the pair stands by name.
fn plist(leak: &Leak) -> Vec<u8> {
    let text = |text: &str| [&[0x5f, 0x10, text.len() as u8], text.as_bytes()].concat();
    let wide = |text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        [&[0x6f, 0x10, text.len() as u8][..], &units].concat()
    };
    let objects = [
        vec![0xa2, 1, 2],
        vec![0x11, 1, 0],
        vec![0xd2, 3, 4, 5, 6],
        text("twilioAccountSid"),
        wide("twilioAuthToken"),
        text(&leak.account),
        wide(&leak.token),
    ];
    let mut bytes = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in &objects {
        offsets.extend((bytes.len() as u16).to_be_bytes());
        bytes.extend(object);
    }
    let at = bytes.len() as u64;
    bytes.extend(offsets);
    bytes.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    for number in [objects.len() as u64, 0, at] {
        bytes.extend(number.to_be_bytes());
    }
    bytes
}

/// A workbook whose shared strings have several lines, are empty, or come in runs: a sheet names them by their numbers.
fn odd_strings_xlsx(text: &str) -> Vec<u8> {
    let words: Vec<&str> = text.lines().flat_map(|line| line.split('=')).collect();
    let item = |word: &&str| format!("<si>{}</si>", halves(word, "<r><t>", "</t></r>"));
    let before = "<si><t>one\ntwo</t></si><si/><si><t></t></si>";
    let strings = format!("<sst>{before}{}</sst>", words.iter().map(item).collect::<String>());
    let cell = |number: usize| format!("<c t=\"s\"><v>{}</v></c>", number + 3);
    let row = |pair: usize| format!("<row>{}{}</row>", cell(2 * pair), cell(2 * pair + 1));
    let rows: String = (0..words.len() / 2).map(row).collect();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    common::archive::zipped(&[
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
    ])
}

/// A mail with an attachment.
fn attached(name: &str, bytes: &[u8]) -> String {
    let mail = mail("base64", &BASE64_MIME.encode(bytes)).replace("app.env", name);
    mail.replace("text/plain; name", "application/octet-stream; name")
}

fn mailbox(mails: &[String]) -> Vec<u8> {
    let one = |mail: &String| format!("From ada@example.com Wed Nov 25 10:00:00 2026\n{mail}\n");
    mails.iter().map(one).collect::<String>().into_bytes()
}

/// What git writes of a repository to which a file was added: a patch, a mailed patch and a bundle.
fn of_git(path: &str, before: Option<&[u8]>, bytes: &[u8]) -> [Vec<u8>; 3] {
    let folder = common::repository();
    let here = folder.path();
    write(here, "readme.md", "hello\n");
    if let Some(before) = before {
        write(here, path, before);
    }
    commit(here, "First");
    write(here, path, bytes);
    commit(here, "Add it");
    let shown = |arguments: &[&str]| format!("{}\n", git(here, arguments)).into_bytes();
    let patch = shown(&["diff", "--binary", "HEAD~", "HEAD"]);
    let mailed = shown(&["format-patch", "--binary", "--stdout", "HEAD~"]);
    git(here, &["bundle", "create", "-q", "made.bundle", "main"]);
    [patch, mailed, std::fs::read(here.join("made.bundle")).unwrap()]
}

/// Files with a pair in them, with the path and line that the token is found at.
fn containers(leak: &Leak) -> Vec<(&'static str, Vec<u8>, &'static str, u64)> {
    let text = leak.text.as_bytes();
    let binary = [b"\0\x01\x02\0binary\n", text].concat();
    let noise: Vec<u8> = (0..4000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let [patch, mailed, bundle] = of_git("bin/app.dat", None, &binary);
    let [delta, ..] =
        of_git("bin/app.dat", Some(&noise), &[&noise[..9000], b"\n", text, &noise[9000..]].concat());
    let json = |value: Value| value.to_string().into_bytes();
    let pack = bundle[memchr::memmem::find(&bundle, b"\n\nPACK").unwrap() + 2..].to_vec();
    vec![
        ("a.docx", docx(&leak.text), "a.docx!/word/document.xml!/text", 3),
        ("b.xlsx", xlsx(&leak.text), "b.xlsx!/xl/worksheets/sheet1.xml!/text", 3),
        ("b2.xlsx", inline_xlsx(&leak.text), "b2.xlsx!/xl/worksheets/sheet1.xml!/text", 3),
        ("b5.xlsx", odd_strings_xlsx(&leak.text), "b5.xlsx!/xl/worksheets/sheet1.xml!/text", 3),
        ("b3.pptx", pptx(&leak.text), "b3.pptx!/ppt/slides/slide1.xml!/text", 3),
        ("b4.ods", ods(&leak.text), "b4.ods!/content.xml!/text", 3),
        ("c.eml", attached("app.env", text).into_bytes(), "c.eml", 18),
        ("d.eml", mail("quoted-printable", &quoted_printable(text)).into_bytes(), "d.eml", 19),
        (
            "e.eml",
            attached("conf.zip", &common::archive::zipped(&[("app.env", text)])).into_bytes(),
            "e.eml!/conf.zip!/app.env",
            3,
        ),
        (
            "f.eml",
            attached("a.docx", &docx(&leak.text)).into_bytes(),
            "f.eml!/a.docx!/word/document.xml!/text",
            3,
        ),
        (
            "g.mbox",
            mailbox(&[attached("none", b"nothing to be found"), attached("app.env.gz", &gzipped(text))]),
            "g.mbox!/mail 2!/app.env.gz!/app.env",
            3,
        ),
        ("h.patch", patch, "h.patch!/bin/app.dat", 4),
        ("i.patch", mailed, "i.patch!/bin/app.dat", 4),
        ("j.patch", delta, "j.patch!/bin/app.dat", 0),
        ("k.bundle", bundle, "k.bundle!/", 4),
        ("k.pack", pack, "k.pack!/", 4),
        ("k.plist", plist(leak), "k.plist!/text", 5),
        (
            "l.js.map",
            json(json!({ "version": 3, "sources": ["a.ts"], "sourcesContent": [leak.text], "mappings": "" })),
            "l.js.map",
            1,
        ),
        (
            "m.yaml",
            format!("kind: Secret\ndata:\n  release: {}\n", BASE64.encode(gzip64(text).as_bytes()))
                .into_bytes(),
            "m.yaml",
            3,
        ),
        ("n.pem", format!("x\n{}\n", base64_in_lines(text, 48, "\n")).into_bytes(), "n.pem", 4),
        ("o.txt", format!("x\nenv: {}\n", HEXLOWER.encode(text)).into_bytes(), "o.txt", 2),
        (
            "p.html",
            format!("x\n\n<img src=\"data:text/plain;base64,{}\">", BASE64.encode(text)).into_bytes(),
            "p.html",
            3,
        ),
    ]
}

#[test]
fn a_pair_is_found_in_each_container_at_its_line_in_a_folder_and_in_history() {
    let leak = leak(77);
    for (name, bytes, path, line) in containers(&leak) {
        let folder = common::repository();
        write(folder.path(), name, &bytes);
        let (found, code) = report(folder.path(), &["--show-secrets"]);
        let all = tokens(&found);
        assert_eq!((all.len(), code), (1, 1), "{name}: {found}");
        assert!(all[0].0.starts_with(path) && all[0].2 == leak.token, "{name}: {all:?}");
        assert!(line == 0 || all[0].1 == line, "{name}: {all:?}");
        assert_eq!(found["skipped"], json!([]), "{name}");
        let token = found["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "auth_token").unwrap();
        let credentials = found["credentials"].as_array().unwrap();
        let credential = credentials.iter().find(|c| c["id"] == token["credential"]).unwrap();
        assert_eq!(credential["account_sid"], json!(leak.account), "{name}: {credential}");
        commit(folder.path(), "Add");
        std::fs::remove_file(folder.path().join(name)).unwrap();
        commit(folder.path(), "Remove");
        git(folder.path(), &["gc", "-q"]);
        let (found, _) = report(folder.path(), &["--history", "--show-secrets"]);
        assert_eq!(tokens(&found), all, "{name}");
    }
}

#[test]
fn a_value_deep_in_base64_that_is_longer_than_a_window_is_found_at_its_line() {
    let leak = leak(78);
    let filler = "LOG_LEVEL=info # nothing to be seen here\n".repeat(40_000);
    let text = format!("{filler}{}{filler}", leak.text);
    let line = 1 + (filler.len() + leak.text.find(&leak.token).unwrap()) / 57;
    for (encoded, line) in
        [(BASE64.encode(text.as_bytes()), 1), (base64_in_lines(text.as_bytes(), 76, "\n"), line)]
    {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "settings.b64", &encoded);
        let (found, _) = report(folder.path(), &["--show-secrets"]);
        let expected = ("settings.b64".to_owned(), line as u64, leak.token.clone());
        assert_eq!(tokens(&found), [expected]);
    }
}

/// What attackers write: by name, with the file's name.
fn hostile(leak: &Leak) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let bomb = gzip64(&vec![b' '; 200 << 20]);
    let nested = |wrap: Wrap, times: usize| {
        let mut text = leak.text.clone();
        for _ in 0..times {
            text = wrap(text.as_bytes());
        }
        text.into_bytes()
    };
    let head = BASE64.encode(b"TOKEN=abcdef");
    let binary_lines: String =
        (0..40_000_u32).map(|n| format!("{head}{}\n", &BASE64.encode(&[0x80 | n as u8; 45])[..60])).collect();
    let sheet = "<c t=\"s\"><v>0</v></c>".repeat(300_000);
    let workbook = common::archive::zipped(&[
        ("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 20)).as_bytes()),
        ("xl/worksheets/sheet1.xml", format!("<row>{sheet}</row>").as_bytes()),
    ]);
    let multiparts: String = (0..20_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let deep_xml = common::archive::zipped(&[("word/document.xml", "<w:p>".repeat(2 << 20).as_bytes())]);
    let mut lying = b"# v2 git bundle\n\nPACK\0\0\0\x02\xff\xff\xff\xff".to_vec();
    lying.extend([0xbf, 0xff, 0xff, 0xff, 0x0f]);
    lying.extend(common::pack::deflated(&vec![0; 200 << 20]));
    let base85: String = (0..200_000).map(|_| format!("z{}\n", "|NsC0".repeat(13))).collect();
    vec![
        ("gzip bombs in base64", "a.txt", format!("{bomb}\n").repeat(20).into_bytes()),
        ("base64 in base64, 40 deep", "b.txt", nested(|text| BASE64.encode(text), 40)),
        ("Helm in Helm, 10 deep", "c.txt", nested(|text| BASE64.encode(gzip64(text).as_bytes()), 10)),
        ("hexadecimal, 8 deep", "d.txt", nested(|text| HEXLOWER.encode(text), 8)),
        ("the beginnings of gzip", "e.txt", b"H4sIAAAA ".repeat(1 << 18)),
        ("base64 in pieces of four digits", "f.txt", b"QUFB ".repeat(1 << 20)),
        (
            "base64 in pieces of one digit",
            "g.txt",
            format!("{}{}", "QUFB".repeat(20), "   Q".repeat(1 << 20)).into_bytes(),
        ),
        ("lines that begin like text and are none", "h.txt", binary_lines.into_bytes()),
        ("a row of hexadecimal", "i.txt", HEXLOWER.encode(&vec![b'a'; 8 << 20]).into_bytes()),
        (
            "base64 texts in a list",
            "j.txt",
            format!("{}\n", BASE64.encode(&[b'a'; 33])).repeat(100_000).into_bytes(),
        ),
        ("a string that a sheet repeats", "k.xlsx", workbook),
        (
            "parts in parts of a mail",
            "l.eml",
            format!("From: a@b.c\r\nTo: d@e.f\r\n{multiparts}").into_bytes(),
        ),
        ("elements in elements", "m.docx", deep_xml),
        ("a bundle that promises four billion objects", "n.bundle", lying),
        (
            "base85 without an end",
            "o.patch",
            format!("diff --git a/x b/x\nGIT binary patch\nliteral 9\n{base85}").into_bytes(),
        ),
    ]
}

#[test]
fn what_attackers_write_ends_in_bounded_time() {
    let leak = leak(79);
    for (name, path, bytes) in hostile(&leak) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), path, &bytes);
        write(folder.path(), "near.env", &leak.text);
        let start = Instant::now();
        let (found, code) = report(folder.path(), &["--show-secrets"]);
        let took = start.elapsed();
        eprintln!("{name}: {took:?} for {} bytes", bytes.len());
        assert!(took < Duration::from_mins(1), "{name}: {took:?}");
        assert_eq!(code, 1, "{name}");
        assert!(tokens(&found).iter().any(|(path, _, _)| path == "near.env"), "{name}: {found}");
    }
}
