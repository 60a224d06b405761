//! The fuzz targets on stable Rust, without coverage: inputs of the corpora and of the fixtures are put together, cut and
//! bent by a seed. `SIDSWEEP_FUZZ_SECONDS` says how long in all (CI: 60), `SIDSWEEP_FUZZ_TARGET` which one alone. An input that breaks a
//! target is kept in `fuzz/artifacts`; once mended it goes into `fuzz/corpus`, so that it is tried first from then on.
#![cfg(feature = "audit")]

mod common;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::fixture::Mint;
use common::pack;
use fastrand::Rng;

/// No input of a few KiB takes longer, in seconds, on the slowest machine.
const LONGEST: u64 = 20;
/// Inputs are cut to this, in bytes.
const LARGEST: usize = 8 << 10;

/// What real inputs are made of.
const WORDS: [&str; 58] = [
    "TWILIO_",
    "AUTH_TOKEN",
    "account_sid",
    "ACCOUNT_SID=",
    "authToken",
    "api_key",
    "secret",
    "token",
    "twilio",
    "{{token:1}}",
    "{{ac:1}}",
    "{{sk:1}}",
    "{{secret:1}}",
    "AC",
    "SK",
    "=",
    ":",
    "\"",
    "'",
    "`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    "|",
    "||",
    "/",
    "//",
    "#",
    "=>",
    ":=",
    "${",
    "%",
    "&#",
    "\\x",
    "\\u00",
    "\\",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\0",
    "+",
    ".",
    "->",
    "value:",
    "name:",
    "?",
    "eyJ",
    "SG.",
    "\u{feff}",
    "<!--",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut all: Vec<PathBuf> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { all.push(path) }
        }
    }
    all.sort();
    all.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// Fills the holes of what is text.
fn filled(mint: &mut Mint, bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => mint.fill(text).0.into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

/// A new input from old ones.
fn bent(inputs: &[Vec<u8>], words: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let pick = |random: &mut Rng| -> Vec<u8> {
        let input = &inputs[random.usize(0..inputs.len())];
        let from = if input.len() > LARGEST { random.usize(0..input.len() - LARGEST) } else { 0 };
        input[from..].iter().copied().take(LARGEST).collect()
    };
    let mut input = pick(random);
    for _ in 0..1 << random.u8(0..6) {
        let at = random.usize(0..=input.len());
        let to = (at + random.usize(0..40)).min(input.len());
        match random.u8(0..9) {
            0..3 => drop(input.splice(at..at, words[random.usize(0..words.len())].iter().copied())),
            3 => drop(input.drain(at..to)),
            4 => {
                let part = input[at..to].to_vec();
                let place = random.usize(0..=input.len());
                drop(input.splice(place..place, part));
            }
            5 => {
                let other = pick(random);
                let from = random.usize(0..=other.len());
                let part = other[from..].iter().copied().take(random.usize(0..400));
                drop(input.splice(at..to, part.collect::<Vec<u8>>()));
            }
            6 => input.truncate(at.max(1)),
            _ => {
                let any = random.u8(..);
                if let Some(byte) = input.get_mut(at) {
                    *byte = random.choice([0, 1, 0x7f, 0x80, 0xff, any, *byte ^ 1]).unwrap_or(any);
                }
            }
        }
    }
    input.truncate(LARGEST);
    input
}

#[test]
fn no_input_breaks_a_target() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
    };
    let only = std::env::var("SIDSWEEP_FUZZ_TARGET").ok();
    let targets: Vec<_> =
        targets::ALL.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)).collect();
    assert!(!targets.is_empty(), "there is no such target");
    let share = Duration::from_secs(number("SIDSWEEP_FUZZ_SECONDS", 9)) / targets.len() as u32;
    let mut random = Rng::with_seed(number("SIDSWEEP_FUZZ_SEED", 1));
    let mut mint = Mint::new(7);
    let words: Vec<Vec<u8>> = WORDS.iter().map(|word| filled(&mut mint, word.as_bytes())).collect();
    let fixtures = files(&folder().join("../fixtures"));
    assert!(fixtures.len() > 50, "the fixtures are there");
    for (name, target) in targets {
        let corpus: Vec<Vec<u8>> =
            files(&folder().join("corpus").join(name)).iter().map(|bytes| filled(&mut mint, bytes)).collect();
        assert!(!corpus.is_empty(), "{name} has no corpus");
        let of_text = matches!(name, "detector" | "encodings" | "windows");
        let more = fixtures.iter().filter(|_| of_text).map(|bytes| filled(&mut mint, bytes));
        let inputs: Vec<Vec<u8>> = corpus.iter().cloned().chain(more).collect();
        let start = Instant::now();
        let mut tried = 0;
        let mut old = inputs.iter().cloned();
        while let Some(input) =
            old.next().or_else(|| (start.elapsed() < share).then(|| bent(&inputs, &words, &mut random)))
        {
            let began = Instant::now();
            let held = std::panic::catch_unwind(|| target(&input)).is_ok();
            if !held || began.elapsed().as_secs() > LONGEST {
                let kept = folder().join("artifacts").join(name);
                std::fs::create_dir_all(&kept).expect("a folder");
                let kept = kept.join(format!("{:016x}", random.u64(..)));
                std::fs::write(&kept, &input).expect("written");
                panic!("{name}: {} by {}", if held { "far too slow" } else { "broken" }, kept.display());
            }
            tried += 1;
        }
        println!("{name}: {tried} inputs in {:.1} s", start.elapsed().as_secs_f64());
    }
}
