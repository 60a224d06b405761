//! The documents are true: what they show is what is printed, every command in them runs, and the reference is that of the
//! program. `SIDSWEEP_UPDATE=1` writes the reference anew.
#![cfg(feature = "audit")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::rig::Rig;
use common::{commit, git, stdout};
use twilio_sim::{KeyKind, World};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents that people read.
fn pages() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .expect("the documents")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !path.ends_with("reference.md"))
        .collect();
    all.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    all.sort();
    all
}

#[test]
fn messages_are_those_of_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    fs::create_dir_all(here.join("plain")).expect("made");
    fs::create_dir_all(here.join("shop")).expect("made");
    let shop = here.join("shop");
    git(&shop, &["init", "-q", "-b", "main"]);
    for number in 0..5 {
        common::write(&shop, "a.txt", number.to_string());
        commit(&shop, "More");
    }
    let from = format!("file://{}", shop.display());
    git(here, &["clone", "-q", "--depth", "1", &from, "shallow"]);
    // The commands of a page run where the test is.
    std::env::set_current_dir(here).expect("entered");
    trycmd::TestCases::new()
        .register_bin("sidsweep", Path::new(env!("CARGO_BIN_EXE_sidsweep")))
        .env("HOME", "/nonexistent")
        .env("GIT_CEILING_DIRECTORIES", here.display().to_string())
        .case(root().join("docs/troubleshooting.md"))
        .run();
    std::env::set_current_dir(root()).expect("back before the folder goes");
}

/// The steps after each "next" of an output, on one line each, with shortened SIDs.
fn steps(output: &str) -> BTreeSet<String> {
    let sid = regex::Regex::new("\\b(AC|SK)[0-9a-f]{4,32}…?").expect("a pattern");
    let blocks = output.split("  next     ").skip(1).filter_map(|rest| rest.split("\n\n").next());
    let words = |block: &str| block.split_whitespace().collect::<Vec<_>>().join(" ");
    blocks.map(|block| sid.replace_all(&words(block), "$1…").into_owned()).collect()
}

#[test]
fn the_steps_of_the_readme_are_those_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    git(at, &["init", "-q"]);
    let mut mint = common::fixture::Mint::new(5);
    let (code, key) = (
        mint.fill("client = twilio('{{ac:1}}', '{{token:1}}')\n").0,
        mint.fill("TWILIO_ACCOUNT_SID={{ac:2}}\nTWILIO_API_KEY={{sk:2}}\nTWILIO_API_SECRET={{secret:2}}\n").0,
    );
    common::write(at, "config/sms.js", code);
    common::write(at, ".env", key);
    commit(at, "SMS");
    let printed = steps(&stdout(&common::run(at, &["scan", "--history"])));
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let sample = readme.split("```").nth(1).expect("a sample");
    assert_eq!(steps(sample), printed);
    assert_eq!(printed.len(), 2);
}

/// The commands in a document: lines of its blocks, and what stands between backticks.
fn commands(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            let line = line.trim().trim_start_matches("$ ").trim_start_matches("- script: ");
            let line = line.strip_prefix("sh '").map_or(line, |rest| rest.trim_end_matches('\''));
            if line.starts_with("sidsweep ") {
                all.insert(line.split("  #").next().unwrap_or(line).trim().to_owned());
            }
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            all.extend(
                spans.filter(|span| span.starts_with("sidsweep ")).map(|span| span.replace("\\|", "|")),
            );
        }
    }
    all
}

/// One command for each of the words that `a|b|c` offers.
fn each_choice(command: &str) -> Vec<String> {
    let Some(choice) = command.split(' ').find(|word| {
        word.contains('|')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '|' || c == '-')
            && word.len() > 1
    }) else {
        return vec![command.to_owned()];
    };
    choice.split('|').map(|word| command.replacen(choice, word, 1)).collect()
}

/// A repository that leaks, its report and plan, and an administrator.
fn world() -> (Rig, Vec<(&'static str, String)>) {
    let mut world = World::new(17);
    let parent = world.account("Parent", None);
    let child = world.account("Shop", Some(&parent));
    let (key, secret) = world.key(&child, KeyKind::Standard);
    let token = world.token(&child);
    let (app, shared_key) = (world.oauth_app(&child).0, world.shared_key(&child));
    let organization = world.organization();
    world.record(&child, "account-api-keys.created", &key, twilio_sim::resources::days_ago(1));
    let mut rig = Rig::new(world);
    rig.administer(&parent);
    let code = rig.code();
    git(&code, &["init", "-q", "-b", "main"]);
    rig.write("a.txt", "hello");
    commit(&code, "First");
    git(&code, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    rig.write(
        ".env",
        &format!("TWILIO_ACCOUNT_SID={child}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\nTWILIO_AUTH_TOKEN={token}\n"),
    );
    commit(&code, "Leak");
    rig.write("send.py", "import twilio\nclient.messages.create()\n");
    rig.write("sidsweep-rules.toml", "twilio_names = [\"notifyhub\"]\n");
    let made = rig.run(&["scan", "--history", "--verify", "--report", "json=report.json"]);
    assert_eq!(made.status.code(), Some(1), "{}", common::stderr(&made));
    let made = rig.run(&["revoke", "plan", "report.json", "--out", "plan.json"]);
    assert!(made.status.success(), "{}", common::stderr(&made));
    fs::create_dir(rig.out().join("bin")).expect("made");
    let gh = rig.out().join("bin/gh");
    fs::write(&gh, "#!/bin/sh\ncat > /dev/null\n").expect("written");
    fs::set_permissions(&gh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sidsweep"), rig.out().join("bin/sidsweep"))
        .expect("linked");
    let values = [("SK…", key), ("AC…", child), ("OQ…", app), ("webhooks_sharedkey_…", shared_key)];
    let values = values.into_iter().chain([("OR…", organization.sid)]).collect();
    (rig, values)
}

/// A document's command as it runs here.
fn filled(command: &str, values: &[(&'static str, String)]) -> String {
    let mut command = command.to_owned();
    for (from, to) in [
        ("REPORT.json", "report.json"),
        ("PLAN.json", "plan.json"),
        ("github:ORG", "dir:."),
        ("github:acme", "dir:."),
        ("audit SOURCE", "audit dir:."),
        // A worker waits for an audit that goes on: `tests/audit.rs` has several.
        ("audit worker --database postgres://…", "audit worker --help"),
        ("sqlite:FILE", "sqlite:audit.db"),
        ("--format F", "--format csv"),
        ("--report FORMAT=FILE", "--report csv=out.csv"),
        ("--rules FILE", "--rules sidsweep-rules.toml"),
        ("--policy FILE", "--policy policy.toml"),
        ("baseline FILE", "baseline base.json"),
        ("--reason TEXT", "--reason 'old ones'"),
        ("COMMAND", "'cat > /dev/null'"),
        ("/etc/bash_completion.d/sidsweep", "/dev/null"),
        ("PATH/TO/A/REPOSITORY", "."),
        ("--grace 10m", "--grace 1s"),
        ("--since DATE", "--since 30d"),
        ("--code src", "--code ."),
        (" …", ""),
    ] {
        command = command.replace(from, to);
    }
    for (from, to) in values {
        command = command.replace(from, to);
    }
    command
}

/// What comes before a command, where it goes on from something.
fn before(command: &str) -> &'static str {
    if ["audit report", "audit status", "audit list"].iter().any(|audit| command.contains(audit)) {
        "sidsweep audit dir:."
    } else if command.contains("--release") {
        "sidsweep contain AC… --confirm AC…"
    } else if command.contains("--finish") {
        "sidsweep rotate auth-token AC… --begin --confirm AC… --to-file new.env"
    } else if command.contains("--sweep sweep.json") {
        "sidsweep sweep AC… --since 30d --out sweep.json"
    } else if command.contains("--policy policy.json") {
        "sidsweep rotate key SK… --least-privilege --policy-out policy.json"
    } else if command.contains("--baseline FILE") {
        "sidsweep scan --write-baseline base.json --reason x"
    } else {
        "true"
    }
}

#[test]
fn every_command_in_the_documents_runs() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    let mut all = BTreeSet::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("read");
        if page.ends_with("troubleshooting.md") {
            continue;
        }
        all.extend(commands(&text).iter().flat_map(|command| each_choice(command)));
    }
    for command in all {
        let (rig, values) = world();
        let line = filled(&format!("{} >/dev/null 2>&1; {command}", before(&command)), &values);
        let path = std::env::join_paths(
            std::iter::once(rig.out().join("bin"))
                .chain(std::env::split_paths(&std::env::var_os("PATH").expect("a path"))),
        )
        .expect("a path");
        // What the binary is given in the environment, with a shell in its place.
        let plain = rig.command(&[]);
        let mut shell = Command::new("sh");
        shell.current_dir(rig.code()).args(["-c", &line]).stdin(std::process::Stdio::null());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        // A user with a coding agent, and with settings of git's own.
        let home = shell.get_envs().find(|(name, _)| *name == "HOME").and_then(|(_, home)| home);
        let home = PathBuf::from(home.expect("a home"));
        fs::create_dir_all(home.join(".claude")).expect("made");
        let organization = rig.sim.world().organization.clone().expect("an organization");
        shell
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("SIDSWEEP_ORGANIZATION_CLIENT_ID", organization.client)
            .env("SIDSWEEP_ORGANIZATION_CLIENT_SECRET", organization.secret)
            .env("PATH", path)
            .env("BASE", "origin/main")
            .env("HEAD", "HEAD")
            // A CI, for `--ci`.
            .env("BUILDKITE", "true")
            .env("BUILDKITE_COMMIT", "HEAD");
        let output = shell.output().expect("a shell");
        rig.check(&output);
        let said = common::stderr(&output);
        let code = output.status.code().expect("not killed");
        // What asks a person says how to do without.
        let asks = ["--yes", "--confirm", "no terminal"];
        let needs = code == 2 && asks.iter().any(|words| said.to_lowercase().contains(words));
        if code > 1 && !needs {
            wrong.push(format!("{command}\n  as {line}\n  exit code {code}: {said}"));
        }
        tried += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 40, "only {tried} commands were found");
    println!("{tried} commands");
}

/// The commands below one, by its help.
fn below(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}

fn describe(path: &[String], page: &mut String) {
    let output =
        common::sidsweep().args(path).arg("--help").env("COLUMNS", "100").output().expect("the binary runs");
    assert!(output.status.success(), "{path:?}");
    let help = stdout(&output);
    let name = path.join(" ");
    let _ = writeln!(page, "## sidsweep {name}\n\n```text\n{}\n```\n", help.trim_end());
    for child in below(&help) {
        let path: Vec<String> = path.iter().cloned().chain([child]).collect();
        describe(&path, page);
    }
}

/// What a schema says of itself and of its fields.
fn schema(path: &Path, page: &mut String) {
    let text = fs::read_to_string(path).expect("read");
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let name = path.file_name().expect("a name").to_string_lossy();
    let title = schema["title"].as_str().unwrap_or_default();
    let fields = schema["properties"].as_object().expect("fields");
    let fields: Vec<String> = fields.keys().map(|field| format!("`{field}`")).collect();
    let _ = writeln!(page, "| [{name}](schema/{name}) | {title} | {} |", fields.join(", "));
}

#[test]
fn the_reference_is_that_of_the_program() {
    let mut page = String::from(
        "# Reference\n\nMade from the program by `SIDSWEEP_UPDATE=1 cargo test --locked --test docs`.\n\n",
    );
    describe(&[], &mut page);
    page = page.replacen("## sidsweep \n", "## sidsweep\n", 1);
    page += "## Documents\n\n| schema | what | its fields |\n|---|---|---|\n";
    let mut schemas: Vec<PathBuf> = fs::read_dir(root().join("docs/schema"))
        .expect("the schemas")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    schemas.sort();
    for path in schemas {
        schema(&path, &mut page);
    }
    let path = root().join("docs/reference.md");
    if std::env::var_os("SIDSWEEP_UPDATE").is_some() {
        fs::write(&path, &page).expect("written");
    }
    let kept = fs::read_to_string(&path).expect("docs/reference.md");
    assert!(
        kept == page,
        "docs/reference.md is not that of the program; SIDSWEEP_UPDATE=1 cargo test --test docs writes it anew"
    );
}
