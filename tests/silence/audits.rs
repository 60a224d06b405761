//! What an audit could not read is in its balance, stays there until somebody accepts it, and is green in no format.

use super::*;

/// What an audit of `org` is about, and what it comes to.
struct Case {
    name: &'static str,
    planted: Plant,
    more: &'static [&'static str],
    found: usize,
    said: &'static str,
    code: i32,
}

const fn case(
    name: &'static str,
    planted: Plant,
    more: &'static [&'static str],
    (found, said, code): (usize, &'static str, i32),
) -> Case {
    Case { name, planted, more, found, said, code }
}

/// A repository of the organization, with a file in it.
fn holding(at: &Path, name: &str, file: &str, bytes: impl AsRef<[u8]>) {
    let repository = at.join("org").join(name);
    fs::create_dir_all(&repository).unwrap();
    clean(&repository);
    write(&repository, file, bytes);
    commit(&repository, "more");
}

/// The beginning of a RAR archive.
const RAR: &[u8] = b"Rar!\x1a\x07\x01\0";
/// A Zstandard frame that needs a window of 256 MB.
const HUGE: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x01, 0x00, 0x00];

const CASES: &[Case] = &[
    case("a clean one", |at| holding(at, "shop", "b.txt", "b"), &[], (0, "\"repositories\"", 0)),
    case("a leak", |at| holding(at, "shop", "near.env", leak(1)), &[], (1, "", 1)),
    case("a container", |at| holding(at, "shop", "a.rar", RAR), &[], (0, "a RAR archive", 0)),
    case(
        "a container, strictly",
        |at| holding(at, "shop", "a.rar", RAR),
        &["--fail-on-opaque"],
        (0, "shop: a.rar", 2),
    ),
    case(
        "a container, strictly and accepted",
        |at| holding(at, "shop", "a.rar", RAR),
        &["--fail-on-opaque", "--accept-unread", "**/org/shop/a.rar"],
        (0, "accepted_unread", 0),
    ),
    case("what cannot be read", |at| holding(at, "shop", "a.zst", HUGE), &[], (0, "shop: a.zst", 2)),
    case(
        "what cannot be read, accepted",
        |at| holding(at, "shop", "a.zst", HUGE),
        &["--accept-unread", "*.zst"],
        (0, "--accept-unread *.zst", 0),
    ),
    case(
        "what cannot be read, accepted with its repository",
        |at| holding(at, "shop", "a.zst", HUGE),
        &["--accept-unread", "**/org/shop/a.zst"],
        (0, "accepted_unread", 0),
    ),
    case(
        "what cannot be read of another repository is accepted",
        |at| holding(at, "shop", "a.zst", HUGE),
        &["--accept-unread", "**/org/other/a.zst"],
        (0, "matches nothing", 2),
    ),
    case(
        "a repository that cannot be opened",
        |at| {
            holding(at, "shop", "b.txt", "b");
            holding(at, "broken", "b.txt", "b");
            pipe(at, "org/broken/.git/config");
        },
        &[],
        (0, "org/broken", 2),
    ),
    case(
        "a repository that cannot be opened is accepted",
        |at| {
            holding(at, "shop", "b.txt", "b");
            holding(at, "broken", "b.txt", "b");
            pipe(at, "org/broken/.git/config");
        },
        &["--accept-unread", "**/org/broken"],
        (0, "accepted_unread", 0),
    ),
    case(
        "a repository that cannot be opened beside a leak",
        |at| {
            holding(at, "shop", "near.env", leak(1));
            holding(at, "broken", "b.txt", "b");
            pipe(at, "org/broken/.git/config");
        },
        &[],
        (1, "org/broken", 1),
    ),
    case(
        "a pointer of Git LFS",
        |at| {
            fs::create_dir_all(at.join("org/shop")).unwrap();
            pointer(&at.join("org/shop"), false);
        },
        &[],
        (0, "Git LFS", 2),
    ),
    case(
        "an object that is lost",
        |at| {
            holding(at, "shop", "b.txt", "b");
            lose(&at.join("org/shop"), "HEAD:b.txt");
        },
        &[],
        (0, "shop: b.txt", 2),
    ),
    case("a folder without repositories", |at| write(at, "org/a.txt", "a"), &[], (0, "no git repository", 2)),
];

fn audit(at: &Path, more: &[&str]) -> (serde_json::Value, String, Option<i32>) {
    let base = ["audit", "dir:org", "--database", "sqlite:a.db", "--hurry", "--format", "json"];
    let output = run(at, &[&base, more].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (report, format!("{}{}", common::stdout(&output), common::stderr(&output)), output.status.code())
}

#[test]
fn what_an_audit_could_not_read_is_in_its_balance() {
    let mut failed = Vec::new();
    for Case { name, planted, more, found, said, code } in CASES {
        let folder = tempfile::tempdir().unwrap();
        planted(folder.path());
        let (report, told, ended) = audit(folder.path(), more);
        let tokens = report["findings"].as_array().into_iter().flatten();
        let tokens = tokens.filter(|finding| finding["kind"] == "auth_token").count();
        if ended != Some(*code) || tokens != *found || !told.contains(said) || !is_balanced(&report) {
            failed.push(format!("{name}: {ended:?}, not {code}; {tokens} tokens\n{told}"));
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), CASES.len(), failed.join("\n"));
}

#[test]
fn an_audit_that_is_not_finished_is_green_in_no_format() {
    use sqlx::Connection;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    holding(at, "shop", "b.txt", "b");
    holding(at, "more", "b.txt", "b");
    let (report, told, ended) = audit(at, &[]);
    assert_eq!(ended, Some(0), "{told}");
    let units = &report["coverage"];
    assert_eq!(
        (&units["repositories"]["known"], &units["listings"]["read"]),
        (&2.into(), &1.into()),
        "{units}"
    );
    // As it is while a worker is at one of the two, and as while they are listed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (statement, said) in [
        ("UPDATE work SET state = 'running' WHERE repository LIKE '%more'", "still to be looked at"),
        ("UPDATE audits SET listed_at = NULL, finished_at = NULL", "listing is not finished"),
    ] {
        runtime.block_on(async {
            let file = format!("sqlite://{}", at.join("a.db").display());
            let mut database = sqlx::SqliteConnection::connect(&file).await.unwrap();
            sqlx::query(statement).execute(&mut database).await.unwrap();
            database.close().await.unwrap();
        });
        let shown = |format: &str| {
            let output = run(at, &["audit", "report", "--database", "sqlite:a.db", "--format", format]);
            assert_eq!(output.status.code(), Some(2), "{format}: {}", common::stderr(&output));
            common::stdout(&output)
        };
        let report: serde_json::Value = serde_json::from_str(&shown("json")).unwrap();
        assert!(is_balanced(&report) && report["skipped"].to_string().contains(said), "{report}");
        let sarif: serde_json::Value = serde_json::from_str(&shown("sarif")).unwrap();
        let invocation = &sarif["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false, "{invocation}");
        assert!(invocation["toolExecutionNotifications"].to_string().contains(said), "{invocation}");
        let junit = shown("junit");
        assert!(junit.contains("<error") && junit.contains(said), "{junit}");
        let gitlab: serde_json::Value = serde_json::from_str(&shown("gitlab")).unwrap();
        assert_eq!(gitlab["scan"]["status"], "failure");
        assert!(gitlab["scan"]["messages"].to_string().contains(said), "{gitlab}");
        for format in ["text", "markdown", "html", "csv", "github", "jsonl", "codequality"] {
            assert!(shown(format).contains(&said[said.len() - 8..]), "{format}: {}", shown(format));
        }
    }
}
