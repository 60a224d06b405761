//! An organization with leaks behind a forge on loopback.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fixture::Mint;
use super::forge::{Files, Forge, Repo, bare};
use super::{hold_to, hold_to_schema, stderr};

/// An organization behind a forge, and what leaked there: ids of findings of secrets.
pub struct Org {
    pub forge: Forge,
    pub folder: tempfile::TempDir,
    pub leaks: BTreeSet<String>,
    pub mint: Mint,
    /// Where audits are kept, if not in a SQLite file of its own.
    pub database: Option<String>,
}

pub fn env_of(account: &str, token: &str) -> String {
    format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n")
}

/// A finding's id, as design.md has it: SHA-256 of kind, value and place.
pub fn id(kind: &str, value: &str, place: &str) -> String {
    let mut hash = Sha256::new();
    for part in [kind, value, place] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

impl Org {
    /// `count` repositories; every fifth leaks the one shared token at its head, every seventh had one of its own that was
    /// removed, every eleventh one in a pull request that nobody merged.
    pub fn of(count: usize, seed: u64) -> Self {
        let mut mint = Mint::new(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let shared = (format!("AC{}", mint.hex(32)), mint.hex(32));
        let mut made = Vec::new();
        for number in 0..count {
            let name = format!("repo-{number:03}");
            let head = env_of(&shared.0, &shared.1);
            let own = env_of(&format!("AC{}", mint.hex(32)), &mint.hex(32));
            let asked = env_of(&format!("AC{}", mint.hex(32)), &mint.hex(32));
            let readme = format!("# {name}\n");
            let mut files: Vec<(&str, Option<&str>)> =
                vec![("README.md", Some(&readme)), ("src/main.rs", Some("fn main() {}\n"))];
            if number % 5 == 0 {
                files.push(("config/.env", Some(&head)));
            }
            let before = [("old/.env", Some(own.as_str()))];
            let after = [("old/.env", None)];
            let pull = [("try/.env", Some(asked.as_str()))];
            let mut commits: Vec<&[(&str, Option<&str>)]> = vec![&files];
            if number % 7 == 0 {
                commits.push(&before);
                commits.push(&after);
            }
            let refs: &[(&str, Files)] = if number % 11 == 0 { &[("refs/pull/1/head", &pull)] } else { &[] };
            let path = folder.path().join(&name);
            bare(&path, &commits, refs);
            let token = |text: &str| text.trim().rsplit('=').next().expect("a token").to_owned();
            for (there, file, text) in [
                (number % 5 == 0, "config/.env", &head),
                (number % 7 == 0, "old/.env", &own),
                (number % 11 == 0, "try/.env", &asked),
            ] {
                if there {
                    made.push((name.clone(), file, token(text)));
                }
            }
        }
        let repos = (0..count)
            .map(|number| format!("repo-{number:03}"))
            .map(|name| Repo::new(&name, &folder.path().join(&name)))
            .collect();
        let forge = Forge::start(repos);
        let leaks = made
            .into_iter()
            .map(|(name, file, token)| {
                id("auth_token", &token, &format!("{}/acme/{name}/{file}", forge.host()))
            })
            .collect();
        Self { forge, folder, leaks, mint, database: None }
    }

    pub fn source(&self) -> String {
        format!("github:{}/acme", self.forge.address)
    }

    pub fn database(&self) -> String {
        if let Some(database) = &self.database {
            return database.clone();
        }
        format!("sqlite:{}", self.folder.path().join("state/audit.db").display())
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = super::sidsweep();
        command
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("xdg"))
            // What is asked without a token is not seen in full, and said so.
            .env("GH_HOST", self.forge.host())
            .env("GH_ENTERPRISE_TOKEN", "t0p")
            .arg("audit")
            .args(arguments)
            .args(["--database", &self.database()]);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Runs an audit to its end; its report and exit code.
    pub fn audit(&self, more: &[&str]) -> (Value, i32) {
        let source = self.source();
        let output = self.run(&[&[source.as_str(), "--format", "json", "--hurry"], more].concat());
        (report_of(&output), output.status.code().expect("not killed"))
    }

    pub fn status(&self) -> Value {
        let output = self.run(&["status", "--format", "json"]);
        let status = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
        hold_to(&status, include_str!("../../docs/schema/audit-status-1.schema.json"));
        status
    }
}

pub fn report_of(output: &Output) -> Value {
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)));
    hold_to_schema(&report);
    report
}

/// The ids of a report's secrets; none may be there twice.
pub fn secrets(report: &Value) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for finding in report["findings"].as_array().expect("a list") {
        if finding["kind"] == "auth_token" || finding["kind"] == "api_key_secret" {
            assert!(ids.insert(finding["id"].as_str().expect("an id").to_owned()), "told twice: {finding}");
        }
    }
    ids
}
