//! The hooks of `.pre-commit-hooks.yaml` under the real pre-commit framework, from `PyPI`. The hook repository is the mirror that a release
//! writes, its wheel lies in a folder, and there is no network.
#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::fixture::Mint;
use common::release::{Release, has, has_python};
use common::{git, write};

/// A repository that uses hooks of a release.
struct Framework {
    release: &'static Release,
    code: tempfile::TempDir,
    /// Everything else.
    home: tempfile::TempDir,
    /// The mirror, and its commit.
    mirror: PathBuf,
    revision: String,
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

impl Framework {
    /// None where the framework is missing, or the packed program is none for this machine.
    fn start() -> Option<Self> {
        let runs_here = cfg!(all(target_os = "linux", target_arch = "x86_64"));
        if !runs_here || !has_python() || !has("pre-commit", &["--version"]) {
            return None;
        }
        let release = Release::packed();
        let home = tempfile::tempdir().unwrap();
        let mirror = home.path().join("mirror");
        for file in std::fs::read_dir(release.dist().join("pre-commit")).unwrap().map(Result::unwrap) {
            write(&mirror, &file.file_name().to_string_lossy(), std::fs::read(file.path()).unwrap());
        }
        git(&mirror, &["init", "-q"]);
        let revision = common::commit(&mirror, "Hooks");
        Some(Self { release, code: common::repository(), home, mirror, revision })
    }

    fn uses(&self, hooks: &[&str]) {
        let hooks: String = hooks.iter().map(|id| format!("  - id: {id}\n")).collect();
        let config =
            format!("repos:\n- repo: {}\n  rev: {}\n  hooks:\n{hooks}", self.mirror.display(), self.revision);
        write(self.code.path(), ".pre-commit-config.yaml", config);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let bin = self.home.path().join("bin");
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(self.code.path())
            .args(arguments)
            .env("PATH", path)
            .env("HOME", self.home.path())
            .env("PRE_COMMIT_HOME", self.home.path().join("framework"))
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.release.dist().join("wheels"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let settings =
            [("protocol.file.allow", "always"), ("user.name", "Ada"), ("user.email", "ada@example.com")];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (key, value)) in settings.iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{number}"), key)
                .env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command.output().unwrap()
    }

    fn framework(&self, arguments: &[&str]) -> Output {
        self.run("pre-commit", arguments)
    }

    fn commit(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["commit", "-q"];
        all.extend(arguments);
        self.run("git", &all)
    }

    fn works(&self, program: &str, arguments: &[&str]) {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program} {arguments:?}: {}", told(&output));
    }

    fn refuses(output: &Output, words: &[&str]) {
        assert!(!output.status.success(), "{}", told(output));
        for words in words {
            assert!(told(output).contains(words), "{words}: {}", told(output));
        }
    }
}

#[test]
fn commits_are_checked_by_what_they_add_and_all_files_by_all_that_there_is() {
    let Some(framework) = Framework::start() else { return };
    let here = framework.code.path();
    framework.uses(&["sidsweep"]);
    framework.works("pre-commit", &["install", "--install-hooks"]);
    write(here, "ok.txt", "nothing\n");
    framework.works("git", &["add", "-A"]);
    framework.works("git", &["commit", "-q", "-m", "Fine"]);
    write(here, "app/.env", leak(1));
    framework.works("git", &["add", "-A"]);
    let refused = framework.commit(&["-m", "Leak"]);
    Framework::refuses(&refused, &["this commit would leak", "app/.env:2"]);
    assert_eq!(git(here, &["rev-list", "--count", "HEAD"]), "1", "nothing was committed");
    // What is staged counts, in all the ways in which git is told what to commit.
    framework.works("git", &["reset", "-q"]);
    framework.works("git", &["add", "--intent-to-add", "app/.env"]);
    Framework::refuses(&framework.commit(&["-a", "-m", "All"]), &["app/.env:2"]);
    Framework::refuses(&framework.commit(&["-m", "One", "app/.env"]), &["app/.env:2"]);
    framework.works("git", &["add", "-A"]);
    framework.works("git", &["commit", "-q", "--no-verify", "-m", "Past the hook"]);
    // An old leak does not stop the edit of its file, ...
    write(here, "app/.env", format!("# Settings\n{}", leak(1)));
    framework.works("git", &["commit", "-q", "-a", "-m", "Edit"]);
    // ... but is found by whoever asks for all files, staged or not.
    Framework::refuses(&framework.framework(&["run", "--all-files"]), &["app/.env:3"]);
    write(here, "ok.txt", "more\n");
    framework.works("git", &["add", "-A"]);
    Framework::refuses(&framework.framework(&["run", "--all-files"]), &["app/.env:3"]);
    // A range, as in CI.
    let range = |from: &str, to: &str| framework.framework(&["run", "--from-ref", from, "--to-ref", to]);
    Framework::refuses(&range("HEAD~2", "HEAD"), &["app/.env:2"]);
    assert!(range("HEAD~1", "HEAD").status.success());
    // Without a configuration at all.
    let mirror = framework.mirror.display().to_string();
    Framework::refuses(
        &framework.framework(&["try-repo", &mirror, "sidsweep", "--all-files"]),
        &["app/.env:3"],
    );
}

#[test]
fn pushes_and_merges_are_checked() {
    let Some(framework) = Framework::start() else { return };
    let here = framework.code.path();
    framework.uses(&["sidsweep", "sidsweep-pre-push"]);
    let server = framework.home.path().join("server.git");
    git(framework.home.path(), &["init", "-q", "--bare", "server.git"]);
    git(&server, &["config", "receive.denyDeleteCurrent", "ignore"]);
    git(here, &["remote", "add", "origin", server.to_str().unwrap()]);
    write(here, "ok.txt", "nothing\n");
    common::commit(here, "First");
    framework.works(
        "pre-commit",
        &["install", "--install-hooks", "-t", "pre-commit", "-t", "pre-push", "-t", "pre-merge-commit"],
    );
    // All that there is, then a new branch, then more of one that the server has: the framework tells these three differently.
    framework.works("git", &["push", "-q", "origin", "main"]);
    framework.works("git", &["checkout", "-q", "-b", "feature"]);
    write(here, "app/.env", leak(1));
    framework.works("git", &["add", "-A"]);
    framework.works("git", &["commit", "-q", "--no-verify", "-m", "Leak"]);
    let leaking = git(here, &["rev-parse", "--short=12", "HEAD"]);
    framework.works("git", &["rm", "-q", "app/.env"]);
    framework.works("git", &["commit", "-q", "-m", "Take it out"]);
    let refused = framework.run("git", &["push", "-q", "origin", "feature"]);
    Framework::refuses(
        &refused,
        &["this push would leak", "app/.env:2", &leaking, "git rebase --interactive"],
    );
    let refused = framework.run("git", &["push", "-q", "origin", "feature:main"]);
    Framework::refuses(&refused, &["app/.env:2"]);
    framework.works("git", &["push", "-q", "origin", ":main"]);
    framework.works("git", &["update-ref", "-d", "refs/remotes/origin/main"]);
    Framework::refuses(&framework.run("git", &["push", "-q", "origin", "feature:all"]), &["app/.env:2"]);
    // A merge runs no pre-commit hook, but this one.
    framework.works("git", &["reset", "-q", "--hard", &leaking]);
    framework.works("git", &["checkout", "-q", "main"]);
    let refused = framework.run("git", &["merge", "-q", "--no-ff", "-m", "Merge", "feature"]);
    Framework::refuses(&refused, &["this commit would leak", "app/.env:2"]);
}

#[test]
fn the_installed_program_and_the_container_check_the_same() {
    let Some(framework) = Framework::start() else { return };
    let here = framework.code.path();
    let bin = framework.home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sidsweep"), bin.join("sidsweep")).unwrap();
    // Stands in for docker: runs the program with what of the environment it was told to hand on, and nothing else.
    let docker = "#!/bin/bash\n\
                  [ \"$1\" = run ] || { echo '{}'; exit 0; }\n\
                  handed=(); image=\n\
                  while [ -z \"$image\" ]; do case \"$1\" in\n\
                  -e) [ -n \"${!2+set}\" ] && handed+=(\"$2=${!2}\"); shift ;;\n\
                  ghcr.io/*) image=\"$1\" ;;\n\
                  esac; shift; done\n\
                  echo \"image $image\" >&2\n\
                  exec env -i PATH=\"$PATH\" \"${handed[@]}\" sidsweep \"$@\"\n";
    std::fs::write(bin.join("docker"), docker).unwrap();
    std::fs::set_permissions(bin.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write(here, "ok.txt", "nothing\n");
    common::commit(here, "First");
    for hook in ["sidsweep-system", "sidsweep-docker"] {
        framework.uses(&[hook]);
        framework.works("git", &["add", "-A"]);
        framework.works("pre-commit", &["install"]);
        framework.works("git", &["commit", "-q", "-m", hook]);
        write(here, "app/.env", leak(1));
        framework.works("git", &["add", "-A"]);
        let refused = framework.commit(&["-m", "Leak"]);
        Framework::refuses(&refused, &["app/.env:2"]);
        let version = env!("CARGO_PKG_VERSION");
        let image = format!("image ghcr.io/sidsweep/sidsweep:v{version}");
        assert_eq!(told(&refused).contains(&image), hook == "sidsweep-docker", "{}", told(&refused));
        Framework::refuses(&framework.framework(&["run", "--all-files"]), &["app/.env:2"]);
        framework.works("git", &["reset", "-q", "--hard"]);
    }
    // With `commit -a` the index lies at a path of the machine's, which a container has not: it fails closed.
    let elsewhere = common::sidsweep()
        .args(["hook", "run", "pre-commit"])
        .current_dir(here)
        .env("GIT_INDEX_FILE", "/home/ada/shop/.git/index.lock")
        .output()
        .unwrap();
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(told(&elsewhere).contains("nothing was checked"), "{}", told(&elsewhere));
}

/// A hook of another kind in the same configuration does not make one installed.
#[test]
fn status_knows_the_framework() {
    let Some(framework) = Framework::start() else { return };
    let here: &Path = framework.code.path();
    framework.uses(&["sidsweep-pre-push"]);
    let status = || common::run(here, &["hook", "status"]);
    assert_eq!(status().status.code(), Some(1), "it is in the configuration, but not installed");
    framework.works("pre-commit", &["install", "-t", "pre-push", "-t", "pre-commit"]);
    let shown = status();
    assert_eq!(shown.status.code(), Some(0), "{}", told(&shown));
    assert!(told(&shown).contains("pre-push     run by pre-commit"), "{}", told(&shown));
    assert!(told(&shown).contains("pre-commit   not in the configuration of pre-commit"), "{}", told(&shown));
    let refused = common::run(here, &["hook", "install", "--type", "pre-push"]);
    assert_eq!(refused.status.code(), Some(2));
    let lines = told(&refused);
    assert!(
        lines.contains("entry: sidsweep hook run pre-push") && lines.contains("stages: [pre-push]"),
        "{lines}"
    );
}
