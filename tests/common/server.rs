//! A server of repositories and the machines that run its CI.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixture::Mint;
use super::{commit, git, write};

/// What a CI says where there is no commit.
pub const NONE: &str = "0000000000000000000000000000000000000000";

/// A server with an old leak on main, and a developer's clone.
pub struct Server {
    pub folder: tempfile::TempDir,
    /// The newest commit of main.
    pub main: String,
}

pub fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

impl Server {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q", "--bare", "server.git"]);
        git(folder.path(), &["clone", "-q", "server.git", "work"]);
        let mut server = Self { folder, main: String::new() };
        git(&server.work(), &["checkout", "-q", "-b", "main"]);
        server.commit("old.env", 1);
        server.main = server.commit("readme.md", 0);
        server.push("main");
        server
    }

    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn bare(&self) -> PathBuf {
        self.folder.path().join("server.git")
    }

    /// A commit of a file: with a leak, by a seed, or without.
    pub fn commit(&self, path: &str, seed: u64) -> String {
        write(&self.work(), path, if seed == 0 { "clean\n".to_owned() } else { leak(seed) });
        commit(&self.work(), &format!("Write {path}"))
    }

    pub fn push(&self, what: &str) {
        git(&self.work(), &["push", "-q", "--force", "origin", what]);
    }

    /// A clone as `actions/checkout` makes it: all branches and tags with `fetch-depth: 0`, else one commit.
    pub fn checked_out(&self, revision: &str, depth: u32) -> PathBuf {
        let at = self.folder.path().join(format!("runner-{}", fastrand::u64(..)));
        std::fs::create_dir(&at).unwrap();
        git(&at, &["init", "-q"]);
        let address = format!("file://{}", self.bare().display());
        git(&at, &["remote", "add", "origin", &address]);
        if depth == 0 {
            git(&at, &["fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
        } else {
            git(&self.bare(), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
            let depth = format!("--depth={depth}");
            git(
                &at,
                &[
                    "fetch",
                    "-q",
                    "--no-tags",
                    &depth,
                    "origin",
                    &format!("+{revision}:refs/remotes/origin/main"),
                ],
            );
        }
        git(&at, &["checkout", "-q", "--detach", revision]);
        at
    }
}

/// The folder with the program under test by its name, in front of the path.
pub fn path_with_program(folder: &Path) -> std::ffi::OsString {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sidsweep"), bin.join("sidsweep"));
    let rest = std::env::var_os("PATH").unwrap();
    std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&rest))).unwrap()
}

/// A command in the environment of a runner, and of nothing else of this machine's CI.
pub fn runner(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", path_with_program(folder))
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

pub fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}
