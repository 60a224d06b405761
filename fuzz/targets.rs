//! What is fuzzed: everything that reads bytes which somebody else wrote. `tests/fuzz.rs` drives these on stable Rust, and
//! `cargo fuzz` by coverage.

#![allow(dead_code, missing_docs, reason = "each program drives one of them")]

use std::cell::RefCell;
use std::io::{Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::ObjectId;
use sidsweep::audit::Source;
use sidsweep::audit::forge::{self, Api, Extras, Lister, Listing};
use sidsweep::detect::{Detector, OVERLAP};
use sidsweep::model::{Encoding, Place, Plan, Report, Tally};
use sidsweep::remedy::{journal, open_ends};
use sidsweep::report::{self, Format};
use sidsweep::rules::Rules;
use sidsweep::scan::look::{self, Traces};
use sidsweep::scan::{accept::Baseline, policy::Policy};
use sidsweep::source::archive::{self, Kind};
use sidsweep::source::delta::Delta;
use sidsweep::source::objects::Objects;
use sidsweep::source::stream::Windows;
use sidsweep::twilio::reading::Reading;

use super::pack;

/// What is tried with an input.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const ALL: [(&str, Target); 10] = [
    ("detector", detector),
    ("encodings", encodings),
    ("windows", windows),
    ("archives", archives),
    ("deltas", deltas),
    ("packs", packs),
    ("files", files),
    ("answers", answers),
    ("forges", forges),
    ("urls", urls),
];

thread_local! {
    static DETECTOR: Detector = Detector::new(Rules::built_in());
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
    static REPOSITORY: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

const PATHS: [&str; 6] = ["", "a/.env", "twilio/config.php", "app.ipynb", "k8s/secret.yaml", "notes.md"];

fn look_at(text: &[u8], path: &str) {
    DETECTOR.with(|detector| {
        for hit in detector.detect(text, path) {
            assert!(hit.span.start < hit.span.end && hit.column <= hit.end_column);
            if hit.encoding == Encoding::Plain {
                let written = text.get(hit.span.clone()).expect("in the text");
                assert!(written.ends_with(hit.value.expose().as_bytes()), "the span is that of the value");
            }
        }
        // What the sieve passes over holds nothing.
        if !sidsweep::detect::sieve::catches(detector.rules(), text)
            && !text.starts_with(b"\xff\xfe")
            && !text.starts_with(b"\xfe\xff")
        {
            assert!(detector.detect(text, path).is_empty(), "passed over");
        }
    });
}

/// Any text, under several names.
pub fn detector(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    look_at(text, PATHS[usize::from(choice) % PATHS.len()]);
}

/// Any text, written otherwise.
pub fn encodings(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let each = |write: fn(u8) -> String| text.iter().map(|&b| write(b)).collect::<String>().into_bytes();
    let written = match choice % 8 {
        0 => data_encoding::BASE64.encode(text).into_bytes(),
        1 => text.iter().flat_map(|&b| [b, 0]).collect(),
        2 => text.iter().flat_map(|&b| [0, b]).collect(),
        3 => each(|b| format!("\\x{b:02x}")),
        4 => each(|b| format!("%{b:02X}")),
        5 => each(|b| format!("&#{b};")),
        6 => [
            &b"Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n"[..],
            &each(|b| format!("={b:02X}")),
        ]
        .concat(),
        _ => text.chunks(16).flat_map(|part| [b"\"", part, b"\" + "].concat()).collect(),
    };
    look_at(&written, "a.txt");
}

/// A stream read in small windows.
pub fn windows(data: &[u8]) {
    let Some((&core, text)) = data.split_first() else { return };
    DETECTOR.with(|detector| {
        for overlap in [1, 64, OVERLAP] {
            let mut windows = Windows::with_sizes(usize::from(core) + 1, overlap);
            let found = windows.scan_plain(detector, "a", text).expect("memory");
            assert_eq!(found.bytes, text.len() as u64);
        }
    });
}

const KINDS: [Kind; 22] = [
    Kind::Zip,
    Kind::Tar,
    Kind::Gzip,
    Kind::Bzip2,
    Kind::Xz,
    Kind::Zstd,
    Kind::Sqlite,
    Kind::Pdf,
    Kind::Png,
    Kind::ZipBehind,
    Kind::SevenZip,
    Kind::Ar,
    Kind::Cpio,
    Kind::Rpm,
    Kind::Lzma,
    Kind::Lzip,
    Kind::Lz4,
    Kind::Snappy,
    Kind::Compress,
    Kind::Plist,
    Kind::Bundle,
    Kind::Pack,
];

/// Archives: as they are, or called one.
pub fn archives(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let kind = archive::kind(bytes).unwrap_or(KINDS[usize::from(choice) % KINDS.len()]);
    let mut read = 0;
    let mut visit = |_: &str, source: &mut dyn std::io::Read| {
        let mut part = [0; 4096];
        loop {
            match source.read(&mut part)? {
                0 => return Ok(()),
                count => read += count,
            }
        }
    };
    let tally = Tally::default();
    archive::expand(kind, &mut Cursor::new(bytes), bytes.len() as u64, "a", &mut visit, &tally);
    assert!(tally.end().is_balanced());
    assert!(read <= 300 << 20, "{read} bytes of a small archive");
}

/// A delta against a base, true or not.
pub fn deltas(data: &[u8]) {
    let Some((&cut, rest)) = data.split_first() else { return };
    let (base, delta) = rest.split_at(usize::from(cut).min(rest.len()));
    for delta in [delta.to_vec(), [pack::length(base.len() as u64), delta.to_vec()].concat()] {
        let mut pieces = Vec::new();
        let Ok(delta) = Delta::of(base, &delta, &mut pieces) else { continue };
        let Some(whole) = delta.whole() else { continue };
        assert_eq!(whole.len(), delta.length());
        let mut part = Vec::new();
        delta.any_new(3, |new| {
            part.clear();
            delta.read(new.clone(), &mut part);
            assert_eq!(part, whole[new]);
            false
        });
    }
}

/// A pack whose entries lie.
pub fn packs(data: &[u8]) {
    let mut input = Cursor::new(data);
    let mut byte = || {
        let mut one = [0];
        input.read_exact(&mut one).map(|()| one[0])
    };
    let mut entries: Vec<pack::Entry> = Vec::new();
    while let (Ok(shape), Ok(lie), Ok(length)) = (byte(), byte(), byte()) {
        let body: Vec<u8> = (0..length).map_while(|_| byte().ok()).collect();
        let mut entry = pack::Entry::blob(&body);
        entry.kind = shape & 7;
        if lie & 1 == 1 {
            entry.size = u64::from(lie) << (shape >> 2);
        }
        if lie & 2 == 2 {
            entry.body = body;
        }
        let number = entries.len();
        entry.base = match entry.kind {
            6 => Some(pack::Base::Distance(match entries.last() {
                Some(last) if lie & 4 == 0 => last.bytes().len() as u64,
                _ => u64::from(lie),
            })),
            // Of itself, of one before it, or of none.
            7 => Some(pack::Base::Id(
                entries.get(usize::from(lie) % (number + 1)).map_or(entry.id, |one| one.id),
            )),
            _ => None,
        };
        entries.push(entry);
    }
    REPOSITORY.with_borrow_mut(|repository| {
        let folder = repository.get_or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a folder");
            gix::init_bare(folder.path()).expect("a repository");
            folder
        });
        pack::write(&folder.path().join("objects/pack"), "x", &entries);
        let opened = gix::open(folder.path()).expect("a repository");
        let tally = Tally::default();
        let mut told: Vec<ObjectId> = Vec::new();
        let objects = Objects::of(&opened, 1, &tally).expect("threads");
        let told_of = Mutex::new(&mut told);
        DETECTOR.with(|detector| {
            let visit = |object: sidsweep::source::pack::Object<'_>| {
                told_of.lock().expect("no panic").push(object.id.to_owned());
                object.data.map(|data| look::bytes(detector, data, "", &Tally::default()));
            };
            objects.each(&Traces(detector), |_| false, visit, &tally);
        });
        objects.packed(gix::object::Kind::Tree, |_, _| {});
        // Each entry is told of or named.
        let coverage = tally.end();
        assert!(coverage.is_balanced());
        let skipped = coverage.skipped();
        for entry in &entries {
            let named = skipped
                .iter()
                .any(|one| one.path.contains(&entry.id.to_string()) || one.path.contains("pack-x"));
            assert!(named || told.contains(&entry.id), "{} is neither told of nor named", entry.id);
        }
    });
}

/// Files that people write or hand on: rules, policies, baselines, journals, plans, reports.
pub fn files(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Rules::built_in().add("rules.toml", text);
    }
    FOLDER.with(|folder| {
        let path = folder.path().join("file");
        std::fs::write(&path, data).expect("written");
        let _ = Policy::read(&path, folder.path());
        let _ = Baseline::read(&path);
        if let Ok(lines) = journal::read(&path) {
            let _ = open_ends::open_ends(&lines.records);
        }
    });
    if let Ok(plan) = serde_json::from_slice::<Plan>(data) {
        let _ = plan.right_digest();
        for all in [false, true] {
            let _ = report::plan::write(&plan, all, 80, &mut Vec::new());
        }
    }
    if let Ok(report) = serde_json::from_slice::<Report>(data) {
        for (_, format) in Format::ALL {
            for width in [0, 40, 160] {
                let _ = report::write(&report, format, width, &mut Vec::new());
            }
        }
        DETECTOR.with(|detector| {
            let root = Path::new("/nonexistent");
            let progress = sidsweep::scan::Progress::default();
            let _ = sidsweep::scan::again::Wanted::of(&report, Some(root)).read(detector, &progress);
        });
    }
}

/// What comes back from Twilio, or from whoever says that he is.
pub fn answers(data: &[u8]) {
    let Some((&status, body)) = data.split_first() else { return };
    for status in [200, 300, 400, u16::from(status) * 4] {
        let _ = Reading::of(status, body);
    }
}

/// What comes back from a forge: the input is what a server on loopback answers, head and body, whatever it is asked.
pub fn forges(data: &[u8]) {
    let Some((&choice, answer)) = data.split_first() else { return };
    SERVER.with(|(address, to_say)| {
        *to_say.lock().expect("no panic") = answer.to_vec();
        let forges = ["github", "gitlab", "gitea", "bitbucket", "azure"];
        let forge = forges[usize::from(choice) % forges.len()];
        let source: Source = format!("{forge}:http://{address}/team").parse().expect("a source");
        let stop = Arc::new(AtomicBool::new(false));
        // A passing fault would be sat out, for longer than a fuzzer has.
        let say = {
            let stop = Arc::clone(&stop);
            move |_: &str| stop.store(true, Ordering::Relaxed)
        };
        let api = Api::new(&source.api(), None, "application/json", Arc::clone(&stop), Arc::new(say))
            .expect("a client");
        let extras = Extras { wikis: true, gists: true, texts: true };
        let (sink, mut listed) = tokio::sync::mpsc::channel(4);
        let listing = async {
            let mut lister = Lister::new(&api, &sink, false);
            let listing = forge::list(&mut lister, &source, extras);
            let _ = tokio::time::timeout(Duration::from_millis(25), listing).await;
            drop(sink);
        };
        let reading = async {
            while let Some(listing) = listed.recv().await {
                let Listing::Page(page, date) = listing else { continue };
                for one in page.iter().flat_map(|one| one.repositories(&source, extras, date)).flatten() {
                    if let Place::Remote(url) = &one.place {
                        assert!(url.starts_with(&format!("http://{address}/")), "{url} is not the forge's");
                    }
                }
            }
        };
        RUNTIME.with(|runtime| runtime.block_on(async { tokio::join!(listing, reading) }));
    });
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    static SERVER: (SocketAddr, Arc<Mutex<Vec<u8>>>) = server();
}

/// Answers each connection with what it is to say, and closes it.
fn server() -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let to_say = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&to_say);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let answer = said.lock().expect("no panic").clone();
            let _ = stream.write_all(&answer);
        }
    });
    (address, to_say)
}

/// Addresses of repositories, as forges and lists give them.
pub fn urls(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(url) = sidsweep::audit::url::Url::parse(text) {
        // git takes `name::address` for a program of that name.
        let spoken = ["https://", "http://", "ssh://", "git://", "file://"];
        let is_spoken = spoken.iter().any(|scheme| url.as_str().starts_with(scheme));
        assert!(
            is_spoken || !(url.as_str().starts_with('-') || url.as_str().contains("::")),
            "{}",
            url.as_str()
        );
        let _ = (url.name(), url.host().to_owned(), url.origin(), url.keeps_secrets());
    }
}
