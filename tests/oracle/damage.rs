//! Damage as disks, interrupted copies and careless people do it.

use std::path::{Path, PathBuf};

use fastrand::Rng;

use super::repositories::{Made, files};

/// Damages a repository's objects; says how, in words for a failed test.
pub fn damage(made: &mut Made) -> String {
    let all: Vec<PathBuf> = ["r/.git/objects", "lender/objects"]
        .iter()
        .flat_map(|folder| files(&made.folder.path().join(folder)))
        .filter(|path| is_of_objects(path))
        .collect();
    let random = &mut made.random;
    let mut words = Vec::new();
    for _ in 0..random.usize(1..4) {
        let Some(path) = random.choice(&all).filter(|path| path.exists()) else { continue };
        words.push(format!("{}: {}", path.display(), one(random, path, &all)));
    }
    words.join("; ")
}

/// Whether a file holds objects, or says where they are.
fn is_of_objects(path: &Path) -> bool {
    let kind = path.extension().and_then(|kind| kind.to_str());
    matches!(kind, Some("pack" | "idx"))
        || path.parent().is_some_and(|folder| folder.file_name().is_some_and(|name| name.len() == 2))
}

fn one(random: &mut Rng, path: &Path, all: &[PathBuf]) -> String {
    let mut bytes = std::fs::read(path).expect("read");
    let at = random.usize(0..bytes.len().max(1));
    let words = match random.u8(0..10) {
        _ if bytes.is_empty() => "left empty".to_owned(),
        0 => {
            std::fs::remove_file(path).expect("removed");
            return "removed".to_owned();
        }
        1 => {
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        2 => {
            let to = (at + random.usize(1..5000)).min(bytes.len());
            bytes[at..to].fill(0);
            format!("zeros in {at}..{to}")
        }
        3 => {
            let other =
                random.choice(all).filter(|other| other.extension() == path.extension() && other.exists());
            let Some(other) = other else { return "left as it was".to_owned() };
            bytes = std::fs::read(other).expect("read");
            format!("what {} holds", other.display())
        }
        _ => {
            let flips = if random.bool() { 1 } else { random.usize(1..30) };
            let mut places = Vec::new();
            for _ in 0..flips {
                let (at, bit) = (random.usize(0..bytes.len()), random.u8(0..8));
                bytes[at] ^= 1 << bit;
                places.push(format!("{at}.{bit}"));
            }
            format!("flipped {}", places.join(" "))
        }
    };
    // git writes these files so that nobody changes them.
    std::fs::remove_file(path).expect("removed");
    std::fs::write(path, bytes).expect("written");
    words
}
