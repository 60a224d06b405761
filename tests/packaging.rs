//! What a release brings: rendered whole for a made-up release, and installed by each package manager that is here, without a network.
#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use common::fixture::Mint;
use common::packed::{unpacked, untarred, unzipped};
use common::registry;
use common::release::{Release, TARGETS, VERSION, has, has_python, make, program, root};
use common::{stderr, stdout, write};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

fn archive(target: &str) -> String {
    format!("sidsweep-v{VERSION}-{target}.tar.gz")
}

/// The built program of a platform.
fn built(release: &Release, target: &str) -> Vec<u8> {
    std::fs::read(release.binaries().join(target).join(program(target))).unwrap()
}

#[test]
fn every_manifest_names_the_files_of_the_release_by_their_checksums() {
    if !has_python() {
        return;
    }
    let release = Release::packed();
    let sums: BTreeMap<String, String> = release
        .text("SHA256SUMS")
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
        .collect();
    assert_eq!(sums.len(), TARGETS.len() + 1 + 2, "five archives, one zip, two Debian packages: {sums:?}");
    for (name, sum) in &sums {
        assert_eq!(sha256(&release.read(name)), *sum, "{name}");
        assert_eq!(release.text(&format!("{name}.sha256")), format!("{sum}  {name}\n"));
    }
    for target in TARGETS {
        let held = untarred(&release.read(&archive(target)));
        assert_eq!(held[program(target)], (built(release, target), 0o755), "{target}");
        for name in
            ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "man/sidsweep-scan.1", "completions/_sidsweep"]
        {
            assert!(held.contains_key(name), "{target}: {name}");
        }
    }
    // Homebrew: each archive's address stands right before its checksum.
    let formula = release.text("homebrew/sidsweep.rb");
    for target in TARGETS.iter().filter(|target| !target.contains("windows")) {
        let name = archive(target);
        let words = format!("/releases/download/v{VERSION}/{name}\"\n      sha256 \"{}\"", sums[&name]);
        assert!(formula.contains(&words), "{words}: {formula}");
    }
    assert!(formula.contains(&format!("version \"{VERSION}\"")));
    let desc = formula.lines().find_map(|line| line.trim().strip_prefix("desc ")).unwrap();
    assert!(desc.len() <= 82, "Homebrew takes 80 characters: {desc}");
    // winget
    let zip = format!("sidsweep-v{VERSION}-x86_64-pc-windows-msvc.zip");
    let held = unzipped(&release.read(&zip));
    assert_eq!(held["sidsweep.exe"].0, built(release, "x86_64-pc-windows-msvc"));
    let installer = release.text("winget/sidsweep.sidsweep.installer.yaml");
    assert!(installer.contains(&format!("/releases/download/v{VERSION}/{zip}\n")), "{installer}");
    assert!(installer.contains(&format!("InstallerSha256: {}\n", sums[&zip])), "{installer}");
    for part in ["", ".installer", ".locale.en-US"] {
        let text = release.text(&format!("winget/sidsweep.sidsweep{part}.yaml"));
        assert!(
            text.contains(&format!("\nPackageVersion: {VERSION}\n")) && text.contains("\nManifestType: "),
            "{text}"
        );
    }
    // cargo-binstall is told the same name of an archive.
    let manifest: toml::Value = toml::from_str(include_str!("../Cargo.toml")).unwrap();
    let package = &manifest["package"];
    let url = package["metadata"]["binstall"]["pkg-url"].as_str().unwrap();
    let url = ["repo", "name", "version", "target"].into_iter().fold(url.to_owned(), |url, field| {
        let value = match field {
            "repo" => package["repository"].as_str().unwrap(),
            "target" => TARGETS[0],
            field => package[field].as_str().unwrap(),
        };
        url.replace(&format!("{{ {field} }}"), value)
    });
    assert!(formula.contains(&format!("url \"{url}\"")), "{url}");
    // The mirror for pre-commit pins the wheel of this version, and has the hooks of this repository.
    assert!(
        release
            .text("pre-commit/pyproject.toml")
            .contains(&format!("dependencies = [\"sidsweep=={VERSION}\"]"))
    );
    assert_eq!(release.text("pre-commit/.pre-commit-hooks.yaml"), include_str!("../.pre-commit-hooks.yaml"));
    for (name, target) in [("amd64", TARGETS[0]), ("arm64", TARGETS[1])] {
        assert_eq!(release.read(&format!("container/{name}/sidsweep")), built(release, target));
    }
}

#[test]
fn packages_hold_the_built_programs_and_say_for_which_platform() {
    if !has_python() {
        return;
    }
    let release = Release::packed();
    let wheels = [
        "manylinux_2_17_x86_64.musllinux_1_1_x86_64",
        "manylinux_2_17_aarch64.musllinux_1_1_aarch64",
        "macosx_11_0_arm64",
        "macosx_10_12_x86_64",
        "win_amd64",
    ];
    let info = format!("sidsweep-{VERSION}.dist-info");
    for (target, tags) in TARGETS.into_iter().zip(wheels) {
        let held = unzipped(&release.read(&format!("wheels/sidsweep-{VERSION}-py3-none-{tags}.whl")));
        let script = format!("sidsweep-{VERSION}.data/scripts/{}", program(target));
        assert_eq!(held[&script], (built(release, target), 0o100_755), "{target}");
        let text = |name: &str| String::from_utf8(held[&format!("{info}/{name}")].0.clone()).unwrap();
        assert!(text("METADATA").contains(&format!("\nName: sidsweep\nVersion: {VERSION}\n")));
        let said: BTreeSet<String> = text("WHEEL")
            .lines()
            .filter_map(|line| line.strip_prefix("Tag: py3-none-"))
            .map(str::to_owned)
            .collect();
        assert_eq!(said, tags.split('.').map(str::to_owned).collect());
        // Each file but the record itself, with its checksum and size.
        let record = text("RECORD");
        for (name, (bytes, _)) in held.iter().filter(|(name, _)| !name.ends_with("/RECORD")) {
            let sum = data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(bytes));
            assert!(record.contains(&format!("{name},sha256={sum},{}\n", bytes.len())), "{name}: {record}");
        }
    }
    let manifest = |bytes: &[u8]| -> Value {
        serde_json::from_slice(&untarred(bytes)["package/package.json"].0).unwrap()
    };
    let launcher = manifest(&release.read(&format!("npm/sidsweep-{VERSION}.tgz")));
    let wanted = launcher["optionalDependencies"].as_object().unwrap();
    assert_eq!(wanted.len(), TARGETS.len());
    let platforms = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64", "win32-x64"];
    for (target, platform) in TARGETS.into_iter().zip(platforms) {
        let bytes = release.read(&format!("npm/sidsweep-{platform}-{VERSION}.tgz"));
        let package = manifest(&bytes);
        assert_eq!(wanted[package["name"].as_str().unwrap()], VERSION);
        assert_eq!(package["version"], VERSION);
        let (os, cpu) = platform.split_once('-').unwrap();
        assert_eq!((&package["os"][0], &package["cpu"][0]), (&Value::from(os), &Value::from(cpu)));
        assert_eq!(
            untarred(&bytes)[&format!("package/bin/{}", program(target))],
            (built(release, target), 0o755)
        );
        assert!(
            package["scripts"].is_null() && launcher["scripts"].is_null(),
            "nothing runs when it is installed"
        );
    }
    for (architecture, target) in [("amd64", TARGETS[0]), ("arm64", TARGETS[1])] {
        let members = unpacked(&release.read(&format!("sidsweep_{VERSION}-1_{architecture}.deb")));
        assert_eq!(members["debian-binary"], b"2.0\n");
        let control = String::from_utf8(untarred(&members["control.tar.gz"])["./control"].0.clone()).unwrap();
        assert!(
            control.contains(&format!("Version: {VERSION}-1\nArchitecture: {architecture}\n")),
            "{control}"
        );
        let data = untarred(&members["data.tar.gz"]);
        assert_eq!(data["./usr/bin/sidsweep"], (built(release, target), 0o755));
        for name in
            ["man/man1/sidsweep-scan.1.gz", "bash-completion/completions/sidsweep", "doc/sidsweep/copyright"]
        {
            assert!(data.contains_key(&format!("./usr/share/{name}")), "{name}");
        }
    }
}

#[test]
fn a_release_is_the_same_bytes_each_time_and_says_what_is_missing() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let none = make(&["release", "--binaries", &at("binaries"), "--out", &at("out")]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("aarch64-apple-darwin"), "{}", stderr(&none));
    for target in &TARGETS[..2] {
        write(folder.path(), &format!("binaries/{target}/sidsweep"), target);
    }
    for out in ["one", "two"] {
        let made = make(&["release", "--binaries", &at("binaries"), "--out", &at(out)]);
        assert!(made.status.success(), "{}", stderr(&made));
        assert!(
            stderr(&made).contains("no manifests: there is no program for aarch64-apple-darwin"),
            "{}",
            stderr(&made)
        );
    }
    let sums = |out: &str| std::fs::read_to_string(folder.path().join(out).join("SHA256SUMS")).unwrap();
    assert_eq!(sums("one"), sums("two"));
    assert!(!folder.path().join("one/homebrew").exists(), "a formula with half of its checksums is none");
}

#[test]
fn the_version_is_written_in_one_place() {
    if !has_python() {
        return;
    }
    let checked = make(&["stamp", "--check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    // A copy whose Cargo.toml is of another version: what names the old one is told, written, and right then.
    let copy = tempfile::tempdir().unwrap();
    let named = [
        "README.md",
        "action.yml",
        "ci/gitlab.yml",
        "docs/ci.md",
        "docs/install.md",
        ".pre-commit-hooks.yaml",
    ];
    for name in named.into_iter().chain(["packaging/make.py"]) {
        write(copy.path(), name, std::fs::read(root().join(name)).unwrap());
    }
    let manifest =
        include_str!("../Cargo.toml").replacen(&format!("version = \"{VERSION}\""), "version = \"9.8.7\"", 1);
    write(copy.path(), "Cargo.toml", manifest);
    let stamp = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.arg(copy.path().join("packaging/make.py")).arg("stamp").args(arguments).output().unwrap()
    };
    let wrong = stamp(&["--check"]);
    assert_eq!(wrong.status.code(), Some(1));
    for name in named {
        assert!(stderr(&wrong).contains(name), "{name} names no version: {}", stderr(&wrong));
    }
    assert!(stamp(&[]).status.success() && stamp(&["--check"]).status.success());
    for name in named {
        let text = std::fs::read_to_string(copy.path().join(name)).unwrap();
        assert!(text.contains("9.8.7"), "{name}");
        assert!(!text.contains(&format!("v{VERSION}")), "{name} still names {VERSION}");
    }
}

/// A folder with a leak.
fn leaky() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (text, _) = Mint::new(23).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n");
    write(folder.path(), "app/.env", text);
    folder
}

/// The first finding, as a newcomer would come to it.
fn finds(program: &Path, arguments: &[&str]) {
    let folder = leaky();
    let mut command = Command::new(program);
    command.args(arguments).args(["scan", "app"]).current_dir(folder.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains(".env:2"), "{}", stdout(&output));
}

fn worked(output: &Output) {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
}

/// Whether the program that was built is one for this test's package.
fn runs_here() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

#[test]
fn pip_installs_the_wheel_without_a_network() {
    if !runs_here() || !has_python() || !has("python3", &["-m", "venv", "--help"]) {
        return;
    }
    let release = Release::packed();
    let folder = tempfile::tempdir().unwrap();
    let venv = folder.path().join("venv");
    worked(&Command::new("python3").args(["-m", "venv"]).arg(&venv).output().unwrap());
    let wheels = release.dist().join("wheels");
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--no-index", "--find-links"])
        .arg(&wheels)
        .arg(format!("sidsweep=={VERSION}"));
    worked(&pip.output().unwrap());
    finds(&venv.join("bin/sidsweep"), &[]);
}

#[test]
fn npm_takes_the_platforms_package_and_no_install_script() {
    if !runs_here() || !has_python() || !has("npm", &["--version"]) {
        return;
    }
    let release = Release::packed();
    let registry = registry::serve(&release.dist().join("npm"));
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let home = here.join("home");
    let npm = |program: &str| {
        let mut command = Command::new(program);
        command
            .current_dir(here)
            .env("HOME", &home)
            .env("npm_config_registry", &registry)
            .env("npm_config_cache", home.join("cache"))
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_ignore_scripts", "true");
        command
    };
    worked(&npm("npm").args(["install", "--prefix", "project", "sidsweep"]).output().unwrap());
    let modules = here.join("project/node_modules");
    let platforms: Vec<String> = std::fs::read_dir(modules.join("@sidsweep"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(platforms, ["linux-x64"], "only this platform's");
    finds(&modules.join(".bin/sidsweep"), &[]);
    // Without an installation before it.
    let leaky = leaky();
    let output =
        npm("npx").current_dir(leaky.path()).args(["--yes", "sidsweep", "scan", "app"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains(".env:2"));
    // The package of the platform was left out: it says so, and is no all-clear.
    std::fs::remove_dir_all(modules.join("@sidsweep")).unwrap();
    let output =
        Command::new(modules.join(".bin/sidsweep")).arg("scan").current_dir(leaky.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("@sidsweep/linux-x64 is not installed"), "{}", stderr(&output));
}

#[test]
fn dpkg_unpacks_the_debian_package() {
    if !runs_here() || !has_python() || !has("dpkg-deb", &["--version"]) {
        return;
    }
    let release = Release::packed();
    let package = release.dist().join(format!("sidsweep_{VERSION}-1_amd64.deb"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("root");
    worked(&Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&to).output().unwrap());
    finds(&to.join("usr/bin/sidsweep"), &[]);
    let fields = Command::new("dpkg-deb").arg("--field").arg(&package).output().unwrap();
    assert!(stdout(&fields).contains("Description: Finds leaked Twilio credentials"), "{}", stdout(&fields));
}

#[test]
fn the_version_names_the_commit_and_the_features() {
    let folder = tempfile::tempdir().unwrap();
    let shown = stdout(&common::run(folder.path(), &["--version"]));
    let mut lines = shown.lines();
    assert_eq!(lines.next(), Some(format!("sidsweep {VERSION}").as_str()));
    assert!(lines.next().is_some_and(|line| line.starts_with("commit: ")), "{shown}");
    let features =
        if cfg!(feature = "audit") { "features: audit" } else { "features: none (built without audit)" };
    assert_eq!(lines.next(), Some(features));
    assert_eq!(stdout(&common::run(folder.path(), &["-V"])), format!("sidsweep {VERSION}\n"));
}

/// Workflows, the action and the templates as their own checkers read them.
#[test]
fn workflows_the_action_and_the_hooks_pass_their_checkers() {
    let checks: [(&str, &[&str]); 5] = [
        ("zizmor", &["--offline", "--no-progress", "--quiet", ".github/workflows", "action.yml"]),
        (
            "check-jsonschema",
            &[
                "--builtin-schema",
                "vendor.github-workflows",
                ".github/workflows/ci.yml",
                ".github/workflows/release.yml",
            ],
        ),
        ("check-jsonschema", &["--builtin-schema", "vendor.github-actions", "action.yml"]),
        ("check-jsonschema", &["--builtin-schema", "vendor.gitlab-ci", "ci/gitlab.yml"]),
        ("pre-commit", &["validate-manifest", ".pre-commit-hooks.yaml"]),
    ];
    for (program, arguments) in checks {
        if has(program, &["--version"]) {
            worked(&Command::new(program).args(arguments).current_dir(root()).output().unwrap());
        }
    }
    // An action that is not pinned to a commit is whatever its owner makes of it.
    let pinned = regex::Regex::new(r"^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").unwrap();
    let files = ["action.yml", ".github/workflows/ci.yml", ".github/workflows/release.yml"];
    let mut count = 0;
    for file in files.map(|file| root().join(file)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for used in text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "))
        {
            assert!(pinned.is_match(used), "{}: {used}", file.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count} actions were found");
}
