//! The commit that a program is built from, for `sidsweep --version`. Part of the build script.

use std::process::Command;
use std::{env, fs};

/// What makes the program.
const SOURCES: [&str; 5] = ["src", "rules", "packaging/commit.rs", "Cargo.toml", "Cargo.lock"];

/// The commit, as it is shown; nothing for a build while developing, which would otherwise start anew with each commit.
pub fn commit() -> String {
    println!("cargo::rerun-if-env-changed=SIDSWEEP_COMMIT");
    let named = env::var("SIDSWEEP_COMMIT").ok().filter(|commit| !commit.is_empty());
    named.or_else(of_crate).or_else(of_checkout).unwrap_or_default()
}

/// What cargo writes into a crate that is published.
fn of_crate() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    Some(rest.split('"').nth(1)?.to_owned())
}

fn of_checkout() -> Option<String> {
    if env::var("PROFILE").ok()? != "release" {
        return None;
    }
    // The repository of this project, and not one that it was copied into.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(env::var_os("CARGO_MANIFEST_DIR")?).ok()? {
        return None;
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    for name in ["HEAD".to_owned(), git(&["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default()] {
        if let Some(path) =
            git(&["rev-parse", "--git-path", &name]).filter(|path| fs::exists(path).unwrap_or(false))
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--untracked-files=no", "--"];
    status.extend(SOURCES);
    let is_changed = git(&status).is_some_and(|changed| !changed.is_empty());
    Some(if is_changed { format!("{commit}, with changes") } else { commit })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
