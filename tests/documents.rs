//! Databases, PDFs and images: their rows, streams and texts are found, and damage to them costs nothing but a line.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use common::fixture::Mint;
use common::pack::deflated;
use common::{report, write};
use serde_json::Value;

/// Findings of secrets: path, line, value.
fn secrets(report: &Value) -> Vec<(String, u64, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<_> = findings
        .filter(|finding| finding["kind"] == "auth_token" || finding["kind"] == "api_key_secret")
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            (text("path"), finding["line"].as_u64().unwrap(), text("value"))
        })
        .collect();
    all.sort();
    all
}

#[cfg(feature = "audit")]
mod databases {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
    use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

    use super::*;

    /// A database made by SQLite itself.
    fn database(pragmas: &str, statements: &[String]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new()
                .filename(&path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Delete);
            let mut connection = options.connect().await.unwrap();
            for statement in std::iter::once(pragmas).chain(statements.iter().map(String::as_str)) {
                sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
            }
            connection.close().await.unwrap();
        });
        std::fs::read(path).unwrap()
    }

    /// Settings, accounts, keys and texts, with what must be found: table, line, value.
    fn statements(minted: &mut Mint) -> (Vec<String>, Vec<(String, u64, String)>) {
        let mut all = vec![
            "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT)".to_owned(),
            "CREATE TABLE [accounts] (id INTEGER PRIMARY KEY, \"account_sid\" VARCHAR(34) NOT NULL, \
             `auth_token` TEXT DEFAULT ('a,b'), etag TEXT, CHECK (length(account_sid) > 2))"
                .to_owned(),
            "CREATE TABLE keyed (sid TEXT PRIMARY KEY, secret TEXT) WITHOUT ROWID".to_owned(),
            "CREATE TABLE files (path TEXT, body BLOB)".to_owned(),
            "CREATE INDEX by_sid ON accounts (account_sid)".to_owned(),
            "CREATE VIEW v AS SELECT * FROM settings".to_owned(),
        ];
        let mut expected = Vec::new();
        let (account, token) = (minted.hex(32), minted.hex(32));
        all.push(format!(
            "INSERT INTO settings VALUES ('theme', 'dark'), ('twilio_account_sid', 'AC{account}'), ('twilio_auth_token', '{token}'), ('etag', '{}')",
            minted.hex(32)
        ));
        expected.push(("settings".to_owned(), 3, token));
        // Enough rows for inner pages.
        let mut rows = Vec::new();
        for number in 1..=3_000 {
            let (account, token, etag) = (minted.hex(32), minted.hex(32), minted.hex(32));
            if number % 1_000 == 7 {
                rows.push(format!("({number}, 'AC{account}', '{token}', '{etag}')"));
                expected.push(("accounts".to_owned(), number, token));
            } else {
                rows.push(format!("({number}, 'none', NULL, '{etag}')"));
            }
        }
        all.push(format!("INSERT INTO accounts VALUES {}", rows.join(",")));
        let (key, secret) = (minted.hex(32), minted.base62(32));
        all.push(format!("INSERT INTO keyed VALUES ('SK{key}', '{secret}')"));
        expected.push(("keyed".to_owned(), 1, secret));
        // A row that runs over many pages, a text kept as bytes, a quote.
        let (account, token) = (minted.hex(32), minted.hex(32));
        let filler = "it''s a line of nothing\n".repeat(4_000);
        all.push(format!("INSERT INTO files VALUES ('.env', '{filler}TWILIO_ACCOUNT_SID=AC{account}\nTWILIO_AUTH_TOKEN={token}\n')"));
        expected.push(("files".to_owned(), 4_002, token));
        let token = minted.hex(32);
        let bytes = format!("TWILIO_AUTH_TOKEN={token}\n");
        let bytes: String = bytes.bytes().map(|byte| format!("{byte:02x}")).collect();
        all.push(format!("INSERT INTO files VALUES ('a.env', x'{bytes}')"));
        expected.push(("files".to_owned(), 4_004, token));
        expected.sort();
        (all, expected)
    }

    #[test]
    fn rows_are_found_by_their_columns_whatever_the_page_and_the_encoding() {
        for (seed, pragmas) in [
            "PRAGMA page_size=4096",
            "PRAGMA page_size=512",
            "PRAGMA page_size=65536",
            "PRAGMA encoding='UTF-16le'",
            "PRAGMA encoding='UTF-16be'; PRAGMA page_size=1024",
            "PRAGMA auto_vacuum=FULL",
        ]
        .into_iter()
        .enumerate()
        {
            let (statements, expected) = statements(&mut Mint::new(seed as u64));
            let bytes = database(pragmas, &statements);
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), "app.db", &bytes);
            let (found, code) = report(folder.path(), &["--show-secrets"]);
            assert_eq!(found["skipped"], serde_json::json!([]), "{pragmas}");
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(table, line, value)| (format!("app.db!/{table}"), line, value))
                .collect();
            assert_eq!((secrets(&found), code), (expected.clone(), 1), "{pragmas}");
            // Inside of an archive it is the same.
            std::fs::remove_file(folder.path().join("app.db")).unwrap();
            write(folder.path(), "backup.db.gz", common::archive::gzipped(&bytes));
            let (found, _) = report(folder.path(), &["--show-secrets"]);
            assert_eq!(secrets(&found).len(), expected.len(), "{pragmas}");
            assert!(secrets(&found)[0].0.starts_with("backup.db.gz!/backup.db!/"), "{found}");
        }
    }

    #[test]
    fn what_was_deleted_and_not_overwritten_is_found_in_the_file_itself() {
        let mut minted = Mint::new(9);
        let token = minted.hex(32);
        let bytes = database(
            "PRAGMA secure_delete=OFF",
            &[
                "CREATE TABLE notes (text TEXT)".to_owned(),
                format!(
                    "INSERT INTO notes VALUES ('nothing'), ('TWILIO_AUTH_TOKEN = {token} is the old one')"
                ),
                "DELETE FROM notes WHERE text LIKE 'TWILIO%'".to_owned(),
            ],
        );
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "app.db", bytes);
        let (found, _) = report(folder.path(), &["--show-secrets"]);
        let found = secrets(&found);
        assert_eq!((found.len(), &found[0].0, &found[0].2), (1, &"app.db".to_owned(), &token));
    }

    #[test]
    fn damage_is_named_and_costs_no_more_than_the_damaged() {
        let mut random = fastrand::Rng::with_seed(3);
        let (statements, expected) = statements(&mut Mint::new(40));
        let whole = database("PRAGMA page_size=512", &statements);
        let (mut named, mut all) = (0, 0);
        for round in 0..40 {
            let mut bytes = whole.clone();
            if round % 4 == 0 {
                bytes.truncate(random.usize(100..bytes.len()));
            } else {
                for _ in 0..1 << (round % 8) {
                    let at = random.usize(16..bytes.len());
                    bytes[at] = random.u8(..);
                }
            }
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), "app.db", &bytes);
            let (found, code) = report(folder.path(), &["--show-secrets"]);
            let skipped = found["skipped"].as_array().unwrap();
            assert!(skipped.iter().all(|skipped| skipped["path"].as_str().unwrap().starts_with("app.db")));
            named += usize::from(!skipped.is_empty());
            all += usize::from(secrets(&found).len() >= expected.len());
            assert!(code == 1 || !skipped.is_empty(), "round {round}: no all-clear");
        }
        assert!(named > 10 && all > 5, "{named} named, {all} still complete");
    }
}

/// A PDF with these streams, each with what its dictionary says and what its bytes are.
fn pdf(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    for (number, (filter, bytes)) in streams.iter().enumerate() {
        let length = bytes.len();
        pdf.extend(format!("{} 0 obj\n<< /Length {length}{filter} >>\nstream\r\n", number + 1).bytes());
        pdf.extend(bytes);
        pdf.extend(b"\nendstream\nendobj\n");
    }
    pdf.extend(b"trailer\n<< /Size 9 >>\nstartxref\n0\n%%EOF\n");
    pdf
}

#[test]
fn what_is_too_large_to_be_held_is_named_and_searched_as_it_is() {
    let token = Mint::new(24).hex(32);
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.resize(129 << 20, 0);
    bytes.extend(format!("\nTWILIO_AUTH_TOKEN={token}\n").bytes());
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "backup.db.gz", common::archive::gzipped(&bytes));
    let (found, code) = report(folder.path(), &["--show-secrets"]);
    assert_eq!(
        (secrets(&found), code),
        (vec![("backup.db.gz!/backup.db".to_owned(), 2, token)], 1),
        "{found}"
    );
    assert!(
        found["skipped"].to_string().contains("a SQLite database inside of an archive"),
        "{}",
        found["skipped"]
    );
}

#[test]
fn streams_of_a_pdf_are_inflated_and_their_text_put_together() {
    let mut minted = Mint::new(21);
    let tokens: Vec<String> = (0..4).map(|_| minted.hex(32)).collect();
    let account = minted.hex(32);
    let flate = " /Filter /FlateDecode";
    let page = format!(
        "BT /F1 12 Tf (TWILIO_ACCOUNT_SID=AC{account}) Tj T* (TWILIO_AUTH_TOKEN={}) Tj ET",
        tokens[0]
    );
    let (left, right) = tokens[1].split_at(13);
    let kerned = format!("BT [(TWILIO_AU) -12.5 (TH_TOKEN=) 3({left})-7({right})] TJ ET\n");
    let attached = format!("# app\nTWILIO_AUTH_TOKEN={}\n", tokens[2]);
    let bytes = pdf(&[
        (flate, deflated(page.as_bytes())),
        (" /Filter /DCTDecode", vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]),
        (flate, deflated(kerned.as_bytes())),
        ("", format!("BT (TWILIO_AUTH_TOKEN={}) Tj ET", tokens[3]).into_bytes()),
        (flate, deflated(attached.as_bytes())),
    ]);
    for (name, bytes) in
        [("a.pdf", bytes.clone()), ("a.zip", common::archive::zipped(&[("doc/a.pdf", &bytes)]))]
    {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, bytes);
        let (found, code) = report(folder.path(), &["--show-secrets"]);
        let mut values: Vec<String> = secrets(&found).into_iter().map(|(_, _, value)| value).collect();
        let mut expected = tokens.clone();
        values.sort();
        expected.sort();
        assert_eq!((values, code), (expected, 1), "{name}: {found}");
        assert_eq!(found["skipped"], serde_json::json!([]));
        let attached = secrets(&found).into_iter().find(|(_, _, value)| *value == tokens[2]).unwrap();
        assert!(attached.0.ends_with("a.pdf!/stream 3") && attached.1 == 2, "{attached:?}");
    }
}

fn base85(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for group in bytes.chunks(4) {
        let mut four = [0; 4];
        four[..group.len()].copy_from_slice(group);
        let value = u32::from_be_bytes(four);
        let digits = (0..5).rev().map(|place| (value / 85_u32.pow(place) % 85) as u8 + b'!');
        text.extend(digits.take(group.len() + 1));
        if text.len() % 76 > 70 {
            text.push(b'\n');
        }
    }
    text.extend(b"~>");
    text
}

#[test]
fn the_filters_of_a_pdfs_streams_are_undone_and_those_that_cannot_be_are_counted() {
    let mut minted = Mint::new(25);
    let tokens: Vec<String> = (0..5).map(|_| minted.hex(32)).collect();
    let page = |number: usize| format!("BT (TWILIO_AUTH_TOKEN={}) Tj ET", tokens[number]).into_bytes();
    let lzw = |early: bool, text: &[u8]| {
        use weezl::{BitOrder, encode::Encoder};
        let mut encoder = if early {
            Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
        } else {
            Encoder::new(BitOrder::Msb, 8)
        };
        encoder.encode(text).unwrap()
    };
    let hex = |bytes: &[u8]| [data_encoding::HEXLOWER.encode(bytes).as_bytes(), b">"].concat();
    let long = |number: usize| [&b"% filler ".repeat(900)[..], &page(number)].concat();
    let bytes = pdf(&[
        (" /Filter [ /ASCII85Decode /FlateDecode ]", base85(&deflated(&page(0)))),
        (" /Filter [/ASCIIHexDecode /FlateDecode]", hex(&deflated(&page(1)))),
        (" /Filter /LZWDecode", lzw(true, &long(2))),
        (" /Filter /LZWDecode /DecodeParms << /EarlyChange 0 >>", lzw(false, &long(3))),
        (" /Filter /DCTDecode", vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]),
        (" /Filter /RunLengthDecode", b"\x04words\x80".to_vec()),
        (" /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>", deflated(b"\0abcd\0efgh")),
        (" /Type /XRef /Filter /FlateDecode /DecodeParms << /Predictor 12 >>", deflated(b"\0abcd\0efgh")),
        (" /Filter /FlateDecode", deflated(&page(4))),
    ]);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.pdf", bytes);
    let (found, code) = report(folder.path(), &["--show-secrets"]);
    let mut values: Vec<String> = secrets(&found).into_iter().map(|(_, _, value)| value).collect();
    let mut expected = tokens.clone();
    values.sort();
    expected.sort();
    assert_eq!((values, code), (expected, 1), "{found}");
    assert_eq!(found["skipped"], serde_json::json!([]));
    let opaque: Vec<&str> =
        found["opaque"].as_array().unwrap().iter().map(|one| one["container"].as_str().unwrap()).collect();
    assert_eq!(opaque, ["a PDF stream in a filter that is not read", "a PDF stream with a predictor"]);
    // What its dictionary calls deflated and is not.
    write(folder.path(), "a.pdf", pdf(&[(" /Filter /FlateDecode", b"no deflated bytes".to_vec())]));
    let (found, code) = report(folder.path(), &[]);
    assert_eq!((found["skipped"][0]["path"].as_str(), code), (Some("a.pdf!/stream 1"), 2), "{found}");
}

#[test]
fn a_stream_that_breaks_off_or_swells_is_named_and_the_next_is_read() {
    let token = Mint::new(22).hex(32);
    let good = deflated(format!("TWILIO_AUTH_TOKEN={token}\n").as_bytes());
    let mut broken = deflated(&(0..60_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    broken.truncate(broken.len() / 2);
    let bytes = pdf(&[("", broken), ("", good.clone())]);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.pdf", bytes);
    let (found, _) = report(folder.path(), &["--show-secrets"]);
    assert_eq!(found["skipped"][0]["path"], "a.pdf!/stream 1", "{found}");
    let bytes = pdf(&[("", good), ("", deflated(&vec![b' '; 300 << 20]))]);
    write(folder.path(), "a.pdf", bytes);
    let (found, code) = report(folder.path(), &["--show-secrets"]);
    assert_eq!((secrets(&found).len(), code), (1, 1));
    assert!(found["skipped"].to_string().contains("far more than its size"), "{}", found["skipped"]);
}

/// An image's chunks.
fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, bytes) in chunks {
        png.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        png.extend(*kind);
        png.extend(bytes);
        // Nothing reads the sum.
        png.extend([0; 4]);
    }
    png
}

#[test]
fn texts_of_images_are_read() {
    let mut minted = Mint::new(23);
    let tokens: Vec<String> = (0..5).map(|_| minted.hex(32)).collect();
    let text = |number: usize| format!("TWILIO_AUTH_TOKEN={}", tokens[number]);
    let pixels = || (b"IDAT", vec![7; 9_000]);
    let image = png(&[
        (b"IHDR", vec![0; 13]),
        (b"tEXt", format!("Comment\0{}", text(0)).into_bytes()),
        pixels(),
        (b"zTXt", [b"Comment\0\0", &deflated(text(1).as_bytes())[..]].concat()),
        pixels(),
        (b"iTXt", [b"Description\0\x01\0en\0Beschreibung\0", &deflated(text(2).as_bytes())[..]].concat()),
        (b"IEND", Vec::new()),
    ]);
    // EXIF's comment, and XMP, of a JPEG.
    let photo = [
        b"\xff\xd8\xff\xe1\x00\x60Exif\0\0II*\0ASCII\0\0\0",
        text(3).as_bytes(),
        b"\0\xff\xe1<x:xmpmeta><dc:description>",
        text(4).as_bytes(),
        b"</dc:description>",
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.png", &image);
    write(folder.path(), "b.jpg", photo);
    let (found, _) = report(folder.path(), &["--show-secrets"]);
    let values: Vec<_> = secrets(&found).into_iter().map(|(path, _, value)| (path, value)).collect();
    let expect = |path: &str, number: usize| (path.to_owned(), tokens[number].clone());
    let mut expected = vec![
        expect("a.png", 0),
        expect("a.png!/Comment", 1),
        expect("a.png!/Description", 2),
        expect("b.jpg", 3),
        expect("b.jpg", 4),
    ];
    expected.sort();
    let mut values = values;
    values.sort();
    assert_eq!(values, expected, "{found}");
    // One that breaks off says nothing of itself, and is searched as far as it goes.
    write(folder.path(), "a.png", &image[..200]);
    let (found, _) = report(folder.path(), &["--show-secrets"]);
    assert_eq!(secrets(&found).len(), 3);
}
