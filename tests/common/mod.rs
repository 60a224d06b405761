//! What the tests share: the real binary, fresh folders, and fixtures filled with values minted from a seed.
#![allow(dead_code, missing_docs)]

pub mod archive;
pub mod browser;
pub mod fixture;
#[cfg(feature = "audit")]
pub mod forge;
#[cfg(feature = "audit")]
pub mod org;
pub mod pack;
pub mod packed;
#[cfg(feature = "audit")]
pub mod postgres;
pub mod registry;
pub mod release;
pub mod rewritten;
pub mod rig;
pub mod server;
pub mod variants;

use std::path::Path;
use std::process::{Command, Output};

/// The real binary, with an environment of its own.
pub fn sidsweep() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidsweep"));
    command
        .env_remove("NO_COLOR")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

/// Runs it with arguments in a folder.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    sidsweep().current_dir(folder).args(arguments).output().expect("the binary runs")
}

/// Runs a scan of a folder and parses its JSON report.
pub fn report(folder: &Path, arguments: &[&str]) -> (serde_json::Value, i32) {
    let mut all = vec!["scan", "--format", "json"];
    all.extend(arguments);
    let output = run(folder, &all);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().expect("not killed"))
}

/// Holds a report to the published schema.
pub fn hold_to_schema(report: &serde_json::Value) {
    hold_to(report, include_str!("../../docs/schema/report-1.schema.json"));
}

/// Holds a document to a schema.
pub fn hold_to(document: &serde_json::Value, schema: &str) {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// What a run printed on standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a run printed on standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs git in a folder, with a fixed identity and no configuration of the machine's.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Writes a file, with the folders above it.
pub fn write(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder above")).expect("made");
    std::fs::write(path, bytes).expect("written");
}

/// A fresh repository without commits.
pub fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "-q"]);
    folder
}

/// Commits all that there is, and returns the commit's id.
pub fn commit(folder: &Path, message: &str) -> String {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", message]);
    git(folder, &["rev-parse", "HEAD"])
}

/// A commit on top of HEAD whose headers hold a signed tag that it merged, with this message; git writes it for signed tags alone.
pub fn merge_of_tag(folder: &Path, message: &str) -> String {
    let (tree, head) = (git(folder, &["rev-parse", "HEAD^{tree}"]), git(folder, &["rev-parse", "HEAD"]));
    let who = "Ada <ada@example.com> 1700000000 +0000";
    let said = message.trim_end().replace('\n', "\n ");
    let text = format!(
        "tree {tree}\nparent {head}\nauthor {who}\ncommitter {who}\nmergetag object {head}\n type commit\n tag v1\n tagger {who}\n \n {said}\n\nmerge\n"
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    git(folder, &["hash-object", "-t", "commit", "-w", &file.path().display().to_string()])
}
