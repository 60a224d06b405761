//! libgit2 as a second opinion: the readers of packs, the staged diff and ranges are held against it over random repositories that
//! git made from a seed, and over damaged ones. `SEEDS=N` tries the first N of them, `SEEDS=A..B` those from A on.

mod common;

#[path = "oracle/damage.rs"]
mod damage;
#[path = "oracle/objects.rs"]
mod objects;
#[path = "oracle/ranges.rs"]
mod ranges;
#[path = "oracle/repositories.rs"]
mod repositories;
#[path = "oracle/staged.rs"]
mod staged;

use std::ops::Range;

use gix::ObjectId;

/// The seeds to try; `default` is how many where nobody says.
fn seeds(default: u64) -> Range<u64> {
    let Ok(text) = std::env::var("SEEDS") else { return 0..default };
    let number = |text: &str| text.parse().expect("SEEDS is N or A..B");
    match text.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(&text),
    }
}

/// Whether all that is tried by default was tried: only then has there to be enough of everything.
fn is_whole_run() -> bool {
    std::env::var_os("SEEDS").is_none()
}

/// The same id in the words of our library.
fn ours(id: git2::Oid) -> ObjectId {
    ObjectId::from_hex(id.to_string().as_bytes()).expect("an id")
}

/// The same id in libgit2's words.
fn theirs(id: ObjectId) -> git2::Oid {
    git2::Oid::from_str(&id.to_string()).expect("an id")
}
