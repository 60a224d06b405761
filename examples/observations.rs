//! What the detector observes of every value that could be a secret, as lines of JSON: what `benches/fit` fits the weights of
//! `rules/weights.toml` to.
//!
//!     cargo run --example observations -- fixtures SEED       every fixture, filled from a seed, with what each value is
//!     cargo run --example observations -- innocent PATH …     real code in which no value is a secret of Twilio's
//!
//! It also writes filled fixtures for `benches/accuracy`:
//!
//!     cargo run --example observations -- fill SEED FOLDER    every fixture, with the expected values and pairs beside them

use std::collections::BTreeSet;
use std::path::Path;

use sidsweep::detect::{Detector, Hit};
use sidsweep::rules::Rules;

#[path = "../tests/common/fixture.rs"]
#[allow(dead_code, missing_docs)]
mod fixture;

/// What of `tests/common` the fixtures need.
fn write(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    std::fs::write(path, bytes).expect("a file can be written");
}

fn line(hit: &Hit, path: &str, secret: bool) {
    let is_typed = hit.evidence.first().is_some_and(|reason| reason.starts_with("somebody typed"));
    if hit.observed.is_empty() || is_typed {
        return;
    }
    let observed: Vec<String> = hit.observed.iter().map(|observation| format!("{observation:?}")).collect();
    let line = hit.line + 1;
    println!("{}", serde_json::json!({ "path": path, "line": line, "secret": secret, "observed": observed }));
}

/// Writes both sets filled from a seed below `folder`, and the expected values and pairs as JSON. The values are random, but
/// they look real: do not commit them.
fn fill(seed: u64, folder: &Path) {
    let (mut expected, mut pairs) = (Vec::new(), Vec::new());
    for set in ["true", "innocent"] {
        let minted = fixture::mint(set, folder, seed, |_| true);
        expected.extend(minted.expected.iter().map(|value| {
            serde_json::json!({ "path": value.path, "kind": value.kind, "value": value.value, "line": value.line })
        }));
        pairs.extend(minted.pairs.iter().map(|pair| {
            serde_json::json!({ "fixture": pair.fixture, "secret": pair.secret, "field": pair.field, "sid": pair.sid })
        }));
    }
    write(folder, "expected.json", serde_json::Value::from(expected).to_string());
    write(folder, "pairs.json", serde_json::Value::from(pairs).to_string());
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let detector = Detector::new(Rules::built_in()).thorough();
    match arguments.split_first() {
        Some((mode, [seed])) if mode == "fixtures" => {
            let seed = seed.parse().expect("a seed");
            let folder = tempfile::tempdir().expect("a folder");
            for set in ["true", "innocent"] {
                let minted = fixture::mint(set, folder.path(), seed, |_| true);
                let secrets: BTreeSet<&str> = minted
                    .expected
                    .iter()
                    .filter(|expected| matches!(expected.kind, "auth_token" | "api_key_secret"))
                    .map(|expected| expected.value.as_str())
                    .collect();
                for entry in ignore::WalkBuilder::new(folder.path().join(set))
                    .standard_filters(false)
                    .build()
                    .flatten()
                {
                    if let Ok(bytes) = std::fs::read(entry.path()) {
                        let path = entry.path().strip_prefix(folder.path()).expect("below it");
                        // The fixture's own name is no evidence.
                        let inner: std::path::PathBuf = path.components().skip(2).collect();
                        let shown = path.to_string_lossy();
                        for hit in detector.detect(&bytes, &inner.to_string_lossy()) {
                            line(&hit, &shown, secrets.contains(hit.value.expose()));
                        }
                    }
                }
            }
        }
        Some((mode, [seed, folder])) if mode == "fill" => {
            fill(seed.parse().expect("a seed"), Path::new(folder));
        }
        Some((mode, paths)) if mode == "innocent" => {
            for path in paths {
                for entry in ignore::WalkBuilder::new(path).standard_filters(false).build().flatten() {
                    let is_small = entry.metadata().is_ok_and(|data| data.is_file() && data.len() < 1 << 20);
                    if is_small && let Ok(bytes) = std::fs::read(entry.path()) {
                        let shown = entry.path().to_string_lossy();
                        for hit in detector.detect(&bytes, &shown) {
                            line(&hit, &shown, false);
                        }
                    }
                }
            }
        }
        _ => eprintln!("say `fixtures SEED`, `innocent PATH …` or `fill SEED FOLDER`"),
    }
}
