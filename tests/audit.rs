//! An audit of an organization: everything is looked at once, a second time costs nothing, and nothing is lost or told twice
//! whatever ends in between.
#![cfg(feature = "audit")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::fixture::Mint;
use common::forge::{Repo, bare};
use common::org::{Org, env_of, id, report_of, secrets};
use common::{git, stderr, stdout, write};
use serde_json::Value;

#[path = "audit/again.rs"]
mod again;
#[path = "audit/clocks.rs"]
mod clocks;
#[path = "audit/submodules.rs"]
mod submodules;

/// Does something with an organization's SQLite file.
fn in_database<T>(org: &Org, work: impl AsyncFnOnce(sqlx::SqlitePool) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(org.folder.path().join("state/audit.db"));
        work(sqlx::SqlitePool::connect_with(options).await.expect("opened")).await
    })
}

/// Changes an organization's SQLite file by hand; how many rows the last statement changed.
fn change(org: &Org, statements: &[&str]) -> u64 {
    in_database(org, async |pool| {
        let mut changed = 0;
        for statement in statements {
            let statement = sqlx::query(sqlx::AssertSqlSafe(*statement));
            changed = statement.execute(&pool).await.expect("written").rows_affected();
        }
        changed
    })
}

/// What a database keeps of the objects that were judged.
fn seen(org: &Org) -> Vec<u8> {
    in_database(org, async |pool| {
        let parts: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT ids FROM seen ORDER BY part").fetch_all(&pool).await.expect("read");
        parts.concat()
    })
}

#[test]
fn every_leak_of_an_organization_is_found_once_and_the_second_audit_asks_for_nothing() {
    let org = Org::of(60, 1);
    org.forge.world().page = 25;
    let (report, code) = org.audit(&[]);
    assert_eq!(code, 1);
    assert_eq!(secrets(&report), org.leaks);
    assert_eq!(report["skipped"], serde_json::json!([]));
    assert_eq!(report["sources"].as_array().map(Vec::len), Some(60));
    // One credential, however many repositories hold it.
    let shared = report["credentials"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["findings"].as_array().map_or(0, Vec::len));
    assert_eq!(shared.max(), Some(24), "twelve repositories, each with the token and its account");
    let pull = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["path"] == "try/.env")
        .expect("the pull request's");
    assert_eq!(
        (&pull["at_head"], &pull["owners"]),
        (&serde_json::json!(false), &serde_json::json!(["ada@example.com"]))
    );
    let status = org.status();
    assert_eq!(status["states"], serde_json::json!({"done": 60}));
    assert!(status["finished_at"].is_string());

    let before = org.forge.cloned().len();
    let (again, code) = org.audit(&[]);
    assert_eq!((secrets(&again), code), (org.leaks.clone(), 1));
    assert_eq!(org.forge.cloned().len(), before, "nothing was pushed, so git asks nobody");
    assert_eq!(org.status()["states"], serde_json::json!({"unchanged": 60}));

    // Asked for their references, they are as they were: nothing is judged again.
    let (again, _) = org.audit(&["--check-refs"]);
    assert_eq!(secrets(&again), org.leaks);
    assert_eq!(org.forge.cloned().len(), before + 60);
    let status = org.status();
    assert_eq!(
        (&status["states"], &status["blobs"]),
        (&serde_json::json!({"unchanged": 60}), &serde_json::json!(0))
    );
}

#[test]
fn a_push_is_judged_alone_and_the_report_tells_of_the_whole() {
    let mut org = Org::of(12, 2);
    org.audit(&[]);
    let (account, token) = (format!("AC{}", org.mint.hex(32)), org.mint.hex(32));
    // Somebody takes the shared token out of repo-005, and leaks another one.
    let work = org.folder.path().join("work");
    git(
        Path::new("/"),
        &[
            "clone",
            "-q",
            &org.folder.path().join("repo-005").display().to_string(),
            &work.display().to_string(),
        ],
    );
    std::fs::remove_file(work.join("config/.env")).expect("removed");
    write(&work, "new/.env", env_of(&account, &token));
    let commit = common::commit(&work, "move on");
    git(&work, &["push", "-q", "origin", "HEAD:main"]);
    org.forge.world().repos[5].pushed_at = "2026-03-02T00:00:00Z".to_owned();

    let (report, _) = org.audit(&[]);
    let host = org.forge.host().to_owned();
    let fresh = id("auth_token", &token, &format!("{host}/acme/repo-005/new/.env"));
    let mut expected = org.leaks.clone();
    expected.insert(fresh.clone());
    assert_eq!(secrets(&report), expected);
    let status = org.status();
    assert_eq!(status["states"], serde_json::json!({"done": 1, "unchanged": 11}));
    assert_eq!(status["blobs"], 1, "one new blob; the rest was judged before");
    let of = |path: &str| {
        let repository = format!("{host}/acme/repo-005");
        let all = report["findings"].as_array().expect("a list");
        all.iter()
            .find(|one| {
                one["repository"] == repository.as_str() && one["path"] == path && one["kind"] == "auth_token"
            })
            .cloned()
            .expect("found")
    };
    assert_eq!(of("config/.env")["at_head"], false);
    assert_eq!(of("config/.env")["removed_by"]["id"], commit.as_str());
    assert_eq!(of("new/.env")["at_head"], true);
    assert!(of("new/.env")["first_seen"].as_str() > of("config/.env")["first_seen"].as_str());
    let new = org.run(&["report", "--new-only", "--format", "json"]);
    assert_eq!(secrets(&report_of(&new)), BTreeSet::from([fresh]));

    // It is what a scan of the whole repository tells.
    let mirror =
        org.folder.path().join(format!("state/audit.mirrors/{}/acme/repo-005.git", host.replace(':', "%3A")));
    let (whole, _) = common::report(org.folder.path(), &["--history", &mirror.display().to_string()]);
    let strip = |report: &Value| -> BTreeSet<String> {
        let all = report["findings"].as_array().expect("a list").iter();
        all.filter(|one| one["repository"].as_str().is_none_or(|name| name.ends_with("repo-005")))
            .map(|one| {
                format!(
                    "{} {} {} {} {}",
                    one["path"], one["line"], one["commit"]["id"], one["removed_by"]["id"], one["at_head"]
                )
            })
            .collect()
    };
    assert_eq!(strip(&report), strip(&whole));
}

#[test]
fn workers_that_are_killed_lose_nothing_and_tell_nothing_twice() {
    let org = Org::of(120, 3);
    let source = org.source();
    let mut random = fastrand::Rng::with_seed(3);
    let mut kills = 0;
    // The first run and a worker beside it are killed again and again, at moments nobody chose.
    for _ in 0..12 {
        let mut main = org
            .command(&[&source, "--lease", "2", "--hurry", "--format", "json", "--workers", "2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut other = org
            .command(&["worker", "--lease", "2", "--hurry", "--workers", "2", "--wait", "5"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        std::thread::sleep(Duration::from_millis(random.u64(100..900)));
        for child in [&mut other, &mut main] {
            if child.try_wait().expect("looked").is_none() {
                child.kill().expect("killed");
                kills += 1;
            }
            child.wait().expect("ended");
        }
    }
    assert!(kills > 4, "{kills} kills are too few to show anything");
    let (report, code) = org.audit(&["--lease", "2"]);
    assert_eq!((secrets(&report), code), (org.leaks.clone(), 1));
    assert_eq!(report["skipped"], serde_json::json!([]));
    let status = org.status();
    let states: BTreeMap<String, u64> = serde_json::from_value(status["states"].clone()).expect("numbers");
    assert_eq!(states.values().sum::<u64>(), 120);
    assert!(states.keys().all(|state| state == "done" || state == "unchanged"), "{states:?}");
}

#[test]
fn a_signal_ends_in_order_and_the_next_run_goes_on() {
    let org = Org::of(150, 4);
    let source = org.source();
    let child = org
        .command(&[&source, "--hurry", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let begin = std::time::Instant::now();
    while org.forge.cloned().len() < 10 && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .expect("kill runs")
            .success()
    );
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("The same command goes on later"), "{}", stderr(&output));
    let status = org.status();
    assert!(status["finished_at"].is_null());
    assert_eq!(status["workers"], serde_json::json!([]), "all was given back");
    let first = status["audit"].clone();
    let done = status["states"]["done"].as_u64().unwrap_or(0);
    let text = stdout(&org.run(&["status"]));
    assert!(text.contains("not finished, and nobody is at it"), "{text}");

    let (report, _) = org.audit(&[]);
    assert_eq!(secrets(&report), org.leaks);
    let status = org.status();
    assert_eq!(status["audit"], first, "the same audit, not another");
    assert_eq!(status["states"], serde_json::json!({"done": 150}));
    // What was done stays done: nobody asked for those again.
    assert!(done >= 1);
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for path in org.forge.cloned() {
        *asked.entry(path).or_default() += 1;
    }
    assert!(
        asked.values().filter(|times| **times == 2).count() >= done as usize,
        "each is asked for its references and fetched: {asked:?}"
    );
}

#[test]
fn what_cannot_be_looked_at_is_named_and_the_rest_is_done() {
    let org = Org::of(10, 5);
    {
        let mut world = org.forge.world();
        // One vanished, one wants a password, one is damaged, one is empty, one sends its clone elsewhere.
        world.repos[1].folder = None;
        world.repos[2].locked = true;
        let damaged = world.repos[3].folder.clone().expect("a folder");
        git(&damaged, &["repack", "-adq"]);
        for entry in std::fs::read_dir(damaged.join("objects/pack")).expect("packs") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "pack") {
                let mut bytes = std::fs::read(&path).expect("read");
                let middle = bytes.len() / 2;
                bytes[middle..].fill(0);
                let mut permissions = std::fs::metadata(&path).expect("data").permissions();
                #[expect(clippy::permissions_set_readonly_false, reason = "the test's own file")]
                permissions.set_readonly(false);
                std::fs::set_permissions(&path, permissions).expect("set");
                std::fs::write(&path, bytes).expect("written");
            }
        }
        let empty = org.folder.path().join("empty");
        git(Path::new("/"), &["init", "-q", "--bare", &empty.display().to_string()]);
        world.repos[4].folder = Some(empty);
        world.repos[6].clone = Some("https://evil.example/acme/repo-006.git".to_owned());
        world.repos[8].clone = Some("ext::sh -c touch% /tmp/owned".to_owned());
        world.repos[9].clone = Some("--upload-pack=touch /tmp/owned".to_owned());
    }
    let (report, code) = org.audit(&[]);
    assert_eq!(code, 1, "what was found is found");
    let skipped: BTreeMap<String, String> = report["skipped"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let name = one["path"].as_str().expect("a name").rsplit('/').next().expect("a name").to_owned();
            (name, one["reason"].as_str().expect("a reason").to_owned())
        })
        .collect();
    for (name, reason) in [
        ("repo-001", "there is no such repository"),
        ("repo-002", "needs a password"),
        ("repo-003", "(tried 4 times)"),
        ("repo-006", "leads to evil.example"),
        ("repo-008", "is refused"),
        ("repo-009", "is refused"),
    ] {
        assert!(skipped.get(name).is_some_and(|told| told.contains(reason)), "{name}: {skipped:#?}");
    }
    assert_eq!(skipped.len(), 6, "{skipped:#?}");
    // 000 and 005 leak, and 007; the empty one leaks nothing.
    assert_eq!(secrets(&report).len(), 5);
    assert!(secrets(&report).is_subset(&org.leaks));
    let text = stdout(&org.run(&["status"]));
    assert!(text.contains("not looked at: ") && text.contains("needs a password"), "{text}");
    assert!(!Path::new("/tmp/owned").exists());
}

#[test]
fn a_folder_of_repositories_is_read_where_it_lies_with_its_work_trees() {
    let mut mint = Mint::new(6);
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path().canonicalize().expect("a folder");
    let all = top.join("all");
    for name in ["one", "deep/er/two", "three"] {
        std::fs::create_dir_all(all.join(name)).expect("made");
        git(&all.join(name), &["init", "-q"]);
        write(&all.join(name), "a.txt", name);
        common::commit(&all.join(name), "first");
    }
    let (account, token, other) = (format!("AC{}", mint.hex(32)), mint.hex(32), mint.hex(32));
    write(&all.join("one"), ".env", env_of(&account, &token));
    write(&all.join("deep/er/two"), "b/.env", env_of(&account, &other));
    common::commit(&all.join("deep/er/two"), "leak");
    git(&all.join("deep/er/two"), &["rm", "-q", "b/.env"]);
    common::commit(&all.join("deep/er/two"), "remove");
    std::fs::create_dir_all(all.join("broken/.git")).expect("made");
    let database = format!("sqlite:{}", top.join("a.db").display());
    let run = |more: &[&str]| {
        let all = [&["audit", "dir:all", "--database", &database, "--format", "json"], more].concat();
        let output = common::run(&top, &all);
        (report_of(&output), output.status.code())
    };
    let (report, code) = run(&[]);
    let place = |name: &str, path: &str| format!("{}/{path}", all.join(name).display());
    let expected = BTreeSet::from([
        id("auth_token", &token, &place("one", ".env")),
        id("auth_token", &other, &place("deep/er/two", "b/.env")),
    ]);
    assert_eq!((secrets(&report), code), (expected.clone(), Some(1)));
    let skipped = report["skipped"].to_string();
    assert!(skipped.contains("broken") && skipped.contains("is no repository"), "{skipped}");
    let (again, _) = run(&[]);
    assert_eq!(secrets(&again), expected);
    let status = common::run(&top, &["audit", "status", "--database", &database, "--format", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["states"], serde_json::json!({"failed": 1, "unchanged": 3}));
    // Other rules judge everything anew.
    write(&top, "my.toml", "twilio_names = [\"smsly\"]\n");
    let (other_rules, _) = run(&["--rules", "my.toml"]);
    assert_eq!(secrets(&other_rules), expected);
    let status = common::run(&top, &["audit", "status", "--database", &database, "--format", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["states"], serde_json::json!({"done": 3, "failed": 1}));
    // A file that is written in a work tree, committed or not, is seen.
    let third = mint.hex(32);
    write(&all.join("three"), "x/.env", env_of(&account, &third));
    let (third_time, _) = run(&[]);
    assert!(secrets(&third_time).contains(&id("auth_token", &third, &place("three", "x/.env"))));
    // A folder that is gone is said, and what leaked in it stays leaked.
    std::fs::remove_dir_all(all.join("one")).expect("removed");
    let (report, _) = run(&[]);
    assert!(report["skipped"].to_string().contains("is not listed any more"), "{}", report["skipped"]);
    assert!(expected.is_subset(&secrets(&report)));
}

#[test]
fn a_list_of_addresses_is_cloned_and_its_mistakes_are_named() {
    let org = Org::of(3, 7);
    let list = format!(
        "# ours\n{0}/acme/repo-000.git  # the first\nfile://{1}/repo-001\n{1}/repo-002\n\next::sh -c id\n{1}/nowhere\n",
        org.forge.address,
        org.folder.path().display()
    );
    write(org.folder.path(), "urls.txt", list);
    let output = org.run(&["list:urls.txt", "--format", "json", "--hurry"]);
    let report = report_of(&output);
    let mut names: Vec<&str> = report["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["repository"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("acme/repo-000")));
    assert_eq!(secrets(&report).len(), 3, "repo-000 leaks by all three ways");
    let skipped = report["skipped"].to_string();
    assert!(skipped.contains("ext::sh") && skipped.contains("nowhere"), "{skipped}");
}

#[test]
fn formats_name_the_repository_and_values_are_read_again_from_the_mirrors() {
    let org = Org::of(8, 8);
    let (report, _) = org.audit(&[]);
    let place = format!("{}/acme/repo-005/config/.env", org.forge.host());
    for format in ["text", "csv", "markdown", "sarif", "junit", "html", "gitlab"] {
        let output = org.run(&["report", "--format", format, "--fail-on", "never"]);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        let has = text.contains(&place)
            || (text.contains("repo-005") && matches!(format, "csv" | "html" | "markdown" | "sarif"));
        assert!(has, "{format}: {text}");
    }
    // The database holds no value, and neither do the reports.
    let values: Vec<String> = std::fs::read_dir(org.folder.path())
        .expect("a folder")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("repo-"))
        })
        .flat_map(|path| {
            let all = git(&path, &["log", "--all", "-p", "--format="]);
            all.lines()
                .filter_map(|line| line.split_once("AUTH_TOKEN="))
                .map(|(_, value)| value.to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(!values.is_empty());
    let state = org.folder.path().join("state");
    let mut kept = serde_json::to_vec(&report).expect("JSON");
    for name in ["audit.db", "audit.db-wal"] {
        kept.extend(std::fs::read(state.join(name)).unwrap_or_default());
    }
    for value in &values {
        assert!(!kept.windows(value.len()).any(|window| window == value.as_bytes()), "a value is kept");
    }
    // Only its owner can look.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(state.join("audit.mirrors")).expect("data").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        let mode = std::fs::metadata(&state).expect("data").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn mirrors_keep_to_their_room_and_what_was_judged_stays_judged() {
    let mut org = Org::of(6, 9);
    // Each weighs some hundred KiB that do not pack.
    for number in 0..6 {
        let noise: String = org.mint.base62(300_000);
        let path = org.folder.path().join(format!("big-{number}"));
        bare(&path, &[&[("noise.txt", Some(&noise))]], &[]);
        let mut repo = Repo::new(&format!("big-{number}"), &path);
        repo.pushed_at = "2026-03-01T12:00:00Z".to_owned();
        org.forge.world().repos.push(repo);
    }
    let (report, _) = org.audit(&["--disk", "700K", "--workers", "1"]);
    assert_eq!(secrets(&report), org.leaks);
    assert_eq!(report["skipped"], serde_json::json!([]));
    let kept = size(&org.folder.path().join("state/audit.mirrors"));
    assert!(kept < 1_100_000, "{kept} bytes of mirrors");
    // A mirror that had to go is brought again, and judged only where it is new.
    for repo in &mut org.forge.world().repos {
        repo.pushed_at = "2026-04-01T12:00:00Z".to_owned();
    }
    let work = org.folder.path().join("work");
    git(
        Path::new("/"),
        &["clone", "-q", &org.folder.path().join("big-0").display().to_string(), &work.display().to_string()],
    );
    write(&work, "more.txt", "more");
    common::commit(&work, "more");
    git(&work, &["push", "-q", "origin", "HEAD:main"]);
    org.audit(&["--disk", "700K", "--workers", "1"]);
    let status = org.status();
    assert_eq!(
        (&status["states"], &status["blobs"]),
        (&serde_json::json!({"done": 1, "unchanged": 11}), &serde_json::json!(1))
    );
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .map(|entry| {
            entry.metadata().map_or(0, |data| if data.is_dir() { size(&entry.path()) } else { data.len() })
        })
        .sum()
}

#[test]
fn what_is_asked_for_wrongly_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite:{}", folder.path().join("x/a.db").display());
    for (arguments, words) in [
        (vec!["audit"], "SOURCE"),
        (vec!["audit", "acme"], "github:ORG"),
        (vec!["audit", "github:http://git.example/acme"], "https:// only"),
        (vec!["audit", "dir:.", "--database", "mysql://h/x"], "postgres://"),
        (vec!["audit", "dir:.", "--fail-on", "live"], "--verify"),
        (vec!["audit", "dir:.", "--include", "a[", "--database", &database], "a["),
        (vec!["audit", "status", "--database", &database], "no audit there yet"),
        (vec!["audit", "report", "--database", &database], "no audit there yet"),
        (vec!["audit", "worker", "--wait", "0", "--database", &database], "no audit was begun"),
    ] {
        let output = common::run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn what_kills_its_workers_is_left_alone_and_named() {
    let org = Org::of(40, 10);
    let source = org.source();
    let mut child = org
        .command(&[&source, "--hurry", "--workers", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let begin = std::time::Instant::now();
    while org.forge.cloned().is_empty() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    // As if ten workers had been killed at the last repository.
    let changed = change(
        &org,
        &["UPDATE work SET deaths = 10 WHERE repository LIKE '%/repo-035' AND state = 'queued'"],
    );
    assert_eq!(changed, 1, "it was killed before it came that far");
    let (report, _) = org.audit(&["--lease", "2"]);
    let skipped = report["skipped"].as_array().expect("a list");
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(
        skipped[0]["reason"].as_str().is_some_and(|reason| reason.contains("10 workers crashed on it")),
        "{skipped:?}"
    );
    assert_eq!(org.status()["states"], serde_json::json!({"done": 39, "failed": 1}));
}
