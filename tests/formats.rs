//! Every format as its reader takes it: SARIF by the official schema, GitLab by its rules, a page in a real browser.

#![allow(clippy::unwrap_used)] // In helpers of tests.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::browser::Browser;
use common::rig::Rig;
use common::{commit, git, hold_to, stderr, stdout};
use serde_json::{Value, json};
use twilio_sim::{KeyKind, World};

/// Names and messages that would be something else if they were not escaped.
const HOSTILE_FILE: &str = "=cmd|<img src=x onerror=alert(1)>/a b,%41:\u{202e}é.env";
const HOSTILE_AUTHOR: &str = "</script><script>alert(1)</script>";
const HOSTILE_MESSAGE: &str = "::error::x | [a](javascript:alert(1)) @everyone </article><b>\u{1b}[31m";

struct House {
    rig: Rig,
    report: PathBuf,
    secrets: usize,
}

/// A repository with live and dead leaks, two on one line, hostile names, and an allowed line.
fn house() -> House {
    let mut world = World::new(1);
    let parent = world.account("Example Inc.", None);
    let child = world.account("Shop", Some(&parent));
    let (token, dead) = (world.token(&parent), world.hex());
    let key = world.key(&child, KeyKind::Standard);
    let allowed = world.hex();
    let mut rig = Rig::new(world);
    for value in [&dead, &allowed] {
        rig.plant(value);
    }
    rig.administer(&parent);
    rig.write(HOSTILE_FILE, &format!("TWILIO_ACCOUNT_SID={parent}\nTWILIO_AUTH_TOKEN={token}\n"));
    rig.write("two.js", &format!("twilio('{child}', '{dead}'); twilio('{}', '{}');\n", key.0, key.1));
    rig.write("ok.py", &format!("Client('{child}', '{allowed}')  # sidsweep:allow -- =1+1 our <sandbox>\n"));
    let code = rig.code();
    git(&code, &["init", "-q"]);
    git(&code, &["add", "-A"]);
    git(&code, &["-c", &format!("user.name={HOSTILE_AUTHOR}"), "commit", "-q", "-m", HOSTILE_MESSAGE]);
    std::fs::remove_file(code.join("two.js")).unwrap();
    commit(&code, "Take it out");
    let report = rig.out().join("report.json");
    let output =
        rig.run(&["scan", "--history", "--verify", "--report", &format!("json={}", report.display())]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    House { rig, report, secrets: 3 }
}

impl House {
    fn turned(&self, format: &str) -> String {
        let output = self.rig.run(&["report", &self.report.display().to_string(), "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        let text = stdout(&output);
        assert!(!text.contains('\u{1b}'), "{format}: a terminal's escape");
        assert!(
            !text.contains('\u{202e}') || format == "json" || format == "jsonl",
            "{format}: a turned line"
        );
        text
    }

    fn json(&self, format: &str) -> Value {
        serde_json::from_str(&self.turned(format)).unwrap()
    }
}

/// The official schema, which the crate of SARIF's types carries.
fn sarif_schema() -> String {
    let cargo = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "cargo {arguments:?}: {}", stderr(&output));
        output
    };
    // Crates for other systems are not on a fresh machine.
    let about = stdout(&cargo(&["-vV"]));
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output =
        cargo(&["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host]);
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let crates = metadata["packages"].as_array().unwrap();
    let sarif = crates.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = Path::new(sarif["manifest_path"].as_str().unwrap());
    let schema = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    // One of its patterns (of `language`, which is not written) has a bracket that only JavaScript overlooks.
    schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$")
}

#[test]
fn sarif_is_what_the_official_schema_says_and_tells_alerts_apart() {
    let house = house();
    let sarif = house.json("sarif");
    hold_to(&sarif, &sarif_schema());
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), house.secrets + 1, "identifiers make no alert; the allowed one is carried");
    let open: Vec<&Value> = results.iter().filter(|result| result["suppressions"].is_null()).collect();
    assert_eq!(open.len(), house.secrets);
    let suppressed = results.iter().find(|result| !result["suppressions"].is_null()).unwrap();
    assert_eq!(suppressed["suppressions"][0]["kind"], "inSource");
    assert!(suppressed["suppressions"][0]["justification"].as_str().unwrap().contains("our <sandbox>"));
    // Two secrets of one line are two alerts; the same finding is the same alert in every run.
    let marks = |results: &[Value]| -> BTreeSet<String> {
        results.iter().map(|r| r["partialFingerprints"]["primaryLocationLineHash"].to_string()).collect()
    };
    assert_eq!(marks(results).len(), results.len());
    assert_eq!(marks(results), marks(house.json("sarif")["runs"][0]["results"].as_array().unwrap()));
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(
            !uri.starts_with('/') && !uri.contains([' ', '<', ':', '%']) || uri.contains("%3Cimg"),
            "{uri}"
        );
        assert!(place["region"]["snippet"].is_null());
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let score: f64 = rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        assert!(score > 6.9, "{rule}");
        assert!(rule["help"]["markdown"].as_str().unwrap().len() > 40);
    }
    let live = open.iter().filter(|result| result["properties"]["verdict"] == "live").count();
    assert_eq!(live, 2);
    assert!(open.iter().any(|result| result["level"] == "note"), "a dead one is no error");
}

#[test]
fn gitlab_takes_the_secret_detection_report_and_the_code_quality_report() {
    let house = house();
    let report = house.json("gitlab");
    // What version 15.2.3 of GitLab's schema requires.
    assert_eq!(report["version"], "15.2.3");
    let scan = &report["scan"];
    let time = regex::Regex::new(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$").unwrap();
    for name in ["start_time", "end_time"] {
        assert!(time.is_match(scan[name].as_str().unwrap()), "{scan}");
    }
    assert_eq!((&scan["type"], &scan["status"]), (&json!("secret_detection"), &json!("success")));
    for part in ["analyzer", "scanner"] {
        for name in ["id", "name", "version"] {
            assert!(!scan[part][name].as_str().unwrap().is_empty());
        }
        assert!(!scan[part]["vendor"]["name"].as_str().unwrap().is_empty());
    }
    let all = report["vulnerabilities"].as_array().unwrap();
    assert_eq!(all.len(), house.secrets);
    let uuid =
        regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
    let ids: BTreeSet<&str> = all.iter().map(|v| v["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
    for one in all {
        assert!(uuid.is_match(one["id"].as_str().unwrap()), "{one}");
        assert!(["Critical", "High", "Medium", "Low"].contains(&one["severity"].as_str().unwrap()));
        assert!(one["name"].as_str().unwrap().len() <= 255);
        assert!(one["solution"].as_str().unwrap().len() <= 7000);
        assert!(one["identifiers"][0]["value"].as_str().unwrap().starts_with("twilio-"));
        assert_eq!(one["location"]["commit"]["sha"].as_str().unwrap().len(), 40);
        assert!(one["raw_source_code_extract"].is_null(), "it would hold the secret");
    }
    assert_eq!(all.iter().filter(|one| one["severity"] == "Critical").count(), 1, "the live token");
    let quality = house.json("codequality");
    let issues = quality.as_array().unwrap();
    let (remarks, leaks): (Vec<&Value>, Vec<&Value>) =
        issues.iter().partition(|issue| issue["severity"] == "info");
    assert_eq!(leaks.len(), house.secrets);
    assert!(remarks.iter().all(|remark| remark["check_name"] == "sidsweep-allowed"), "{remarks:?}");
    for issue in &leaks {
        for name in ["description", "check_name", "fingerprint", "severity"] {
            assert!(!issue[name].as_str().unwrap().is_empty());
        }
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        assert!(["minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()));
    }
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let house = house();
    let summary = house.rig.out().join("summary.md");
    let output = house
        .rig
        .command(&["report", &house.report.display().to_string(), "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    house.rig.check(&output);
    let text = stdout(&output);
    // One of them is allowed, and listed as such.
    assert_eq!(text.lines().count(), house.secrets + 1, "a hostile name makes no command of its own: {text}");
    let command = regex::Regex::new(
        r"^::(error|warning|notice) file=[^,]+,line=\d+,title=Twilio(%2C allowed)?%3A [^:]+::.+$",
    )
    .unwrap();
    for line in text.lines() {
        assert!(command.is_match(line), "{line}");
        // One thing to do, in a line that has room in a diff.
        let said = line.rsplit_once("::").unwrap().1;
        assert!(said.len() < 250 && !said.contains("2. "), "{line}");
    }
    assert!(text.contains("sidsweep revoke key SK"), "{text}");
    let clean = tempfile::tempdir().unwrap();
    common::write(clean.path(), "a.txt", "nothing");
    let output = common::run(clean.path(), &["scan", "--format", "github"]);
    assert_eq!(stdout(&output), "sidsweep: no Twilio secrets (files: 1, blobs: 0, commits: 0)\n");
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains("### sidsweep: 3 Twilio secrets, 2 of them **live**"), "{summary}");
}

#[test]
fn markdown_csv_and_junit_carry_hostile_text_as_text() {
    let house = house();
    let markdown = house.turned("markdown");
    for bad in ["<img", "<script", "](javascript", "@everyone", "| [a]"] {
        assert!(!markdown.contains(bad), "{bad}: {markdown}");
    }
    let rows: Vec<&str> =
        markdown.lines().filter(|line| line.starts_with("| ") && line.contains("…")).collect();
    assert_eq!(rows.len(), house.secrets);
    assert!(rows.iter().all(|row| row.matches('|').count() == 6), "{rows:?}");

    let table = house.turned("csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let head = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let report: Value = serde_json::from_slice(&std::fs::read(&house.report).unwrap()).unwrap();
    let listed = |name: &str| report[name].as_array().map_or(0, Vec::len);
    assert_eq!(rows.len(), listed("findings") + listed("suppressed"));
    for row in &rows {
        assert_eq!(row.len(), head.len());
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
    assert!(rows.iter().any(|row| row.iter().any(|cell| cell.starts_with("'=cmd|"))), "{table}");

    let junit = house.turned("junit");
    let parsed = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    let suite = &parsed.test_suites[0];
    assert_eq!((suite.tests, suite.failures), (house.secrets + 1, house.secrets));
    assert!(junit.contains("skipped=\"1\""), "{junit}");
    held_to_xunit(&junit);
    assert!(junit.contains("&lt;img src=x"), "{junit}");
    let empty = tempfile::tempdir().unwrap();
    let output = common::run(empty.path(), &["scan", "--format", "junit"]);
    let parsed = quick_junit::Report::deserialize_from_str(&stdout(&output)).unwrap();
    assert_eq!((parsed.test_suites[0].tests, parsed.test_suites[0].failures), (1, 0));
}

/// What the schema of Jenkins' xUnit plugin takes (its `junit-10.xsd`): these attributes of these elements, and no others.
fn held_to_xunit(junit: &str) {
    let counts = ["name", "tests", "failures", "errors"];
    let known = |element: &str| -> &[&str] {
        match element {
            "testsuites" => &["name", "time", "tests", "failures", "errors"],
            "testsuite" => &["name", "tests", "failures", "errors", "skipped", "time", "timestamp", "file"],
            "testcase" => &["name", "classname", "time", "group"],
            "failure" | "error" | "skipped" => &["message", "type"],
            other => panic!("xUnit knows no {other}"),
        }
    };
    let mut reader = quick_xml::Reader::from_str(junit);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(element) | quick_xml::events::Event::Empty(element) => {
                let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                let written: Vec<String> = element
                    .attributes()
                    .map(|attribute| String::from_utf8(attribute.unwrap().key.as_ref().to_vec()).unwrap())
                    .collect();
                assert!(written.iter().all(|one| known(&name).contains(&one.as_str())), "{name} {written:?}");
                if name == "testsuite" {
                    assert!(counts.iter().all(|count| written.iter().any(|one| one == count)), "{written:?}");
                }
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
}

#[test]
fn a_saved_report_is_turned_without_asking_anybody() {
    let house = house();
    let before = house.rig.sim.log().len();
    let saved: Value = serde_json::from_slice(&std::fs::read(&house.report).unwrap()).unwrap();
    assert_eq!(house.json("json"), saved);
    let listed = |list: &str| saved[list].as_array().map_or(0, Vec::len);
    assert_eq!(house.turned("jsonl").lines().count(), listed("findings") + listed("suppressed"));
    assert!(house.turned("text").contains("LIVE"));
    let page = house.rig.out().join("page.html");
    let report = house.report.display().to_string();
    let output = house.rig.run(&[
        "report",
        &report,
        "--report",
        &format!("html={}", page.display()),
        "--fail-on",
        "live",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(page.exists());
    assert_eq!(house.rig.sim.log().len(), before);
    let output = house.rig.run(&["report", &report, "--format", "pdf"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("possible values: text, json"), "{}", stderr(&output));
}

#[test]
fn what_was_not_read_is_in_every_format_and_no_format_is_green() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // A Zstandard frame that needs a window of 256 MB; one that somebody accepts; a container; something that is read.
    for name in ["a<b>,huge.zst", "accepted.zst"] {
        common::write(here, name, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x01, 0x00, 0x00]);
    }
    common::write(here, "box.rar", b"Rar!\x1a\x07\x01\0");
    common::write(here, "read.txt", "words\n");
    let shown = |format: &str| {
        let output = common::run(here, &["scan", ".", "--format", format, "--accept-unread", "accepted.zst"]);
        assert_eq!(output.status.code(), Some(2), "{format}: {}", stderr(&output));
        stdout(&output)
    };
    let report: Value = serde_json::from_str(&shown("json")).unwrap();
    common::hold_to_schema(&report);
    assert_eq!(report["coverage"]["files"], json!({"known": 4, "read": 3, "skipped": 0, "opaque": 1}));
    assert_eq!(
        report["coverage"]["entries"],
        json!({"known": 2, "read": 0, "skipped": 2, "opaque": 0, "accepted": 1})
    );
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    assert_eq!(report["skipped"][0]["unit"], "entries");
    assert_eq!(report["opaque"], json!([{"path": "box.rar", "container": "a RAR archive", "unit": "files"}]));
    assert_eq!(report["accepted_unread"][0]["accepted"], "--accept-unread accepted.zst");

    let sarif: Value = serde_json::from_str(&shown("sarif")).unwrap();
    hold_to(&sarif, &sarif_schema());
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["properties"]["coverage"]["files"]["known"], 4);
    let levels: Vec<&Value> = invocation["toolExecutionNotifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notification| &notification["level"])
        .collect();
    assert_eq!(levels, ["error", "note", "note"]);

    let junit = quick_junit::Report::deserialize_from_str(&shown("junit")).unwrap();
    let suite = &junit.test_suites[0];
    assert_eq!((suite.tests, suite.errors, suite.failures), (3, 1, 0));
    assert!(shown("junit").contains("skipped=\"2\""));

    let gitlab: Value = serde_json::from_str(&shown("gitlab")).unwrap();
    assert_eq!(gitlab["scan"]["status"], "failure");
    let messages: Vec<&Value> =
        gitlab["scan"]["messages"].as_array().unwrap().iter().map(|message| &message["level"]).collect();
    assert_eq!(messages, ["fatal", "warn", "info", "info"]);

    let quality: Value = serde_json::from_str(&shown("codequality")).unwrap();
    assert_eq!(quality[0]["check_name"], "sidsweep-not-read");
    assert_eq!(quality[1]["check_name"], "sidsweep-not-opened");
    // Whatever counts containers names them.
    let naming = [
        "json",
        "jsonl",
        "sarif",
        "junit",
        "gitlab",
        "codequality",
        "csv",
        "markdown",
        "html",
        "github",
        "text",
    ];
    for format in naming {
        assert!(shown(format).contains("box.rar"), "{format}");
    }
    let csv = shown("csv");
    for first in ["not read,", "not opened,", "accepted as unread,"] {
        assert!(csv.lines().any(|line| line.starts_with(first)), "{first} {csv}");
    }
    let last: Value = serde_json::from_str(shown("jsonl").lines().last().unwrap()).unwrap();
    assert_eq!(last["coverage"], report["coverage"]);
    let markdown = shown("markdown");
    assert!(markdown.contains("**1 of 2 archive entries could not be read**"), "{markdown}");
    assert!(!markdown.contains("<b>") && markdown.contains("Accepted as unread"), "{markdown}");
    let html = shown("html");
    assert!(!html.contains("a<b>") && html.contains("1 of 2 archive entries not read"), "{html}");
    assert!(html.contains("1 not opened") && html.contains("1 accepted as unread"), "{html}");
    let github = shown("github");
    for command in [
        "::warning title=sidsweep could not read",
        "::notice title=sidsweep does not open",
        "accepted as unread",
    ] {
        assert!(github.contains(command), "{command} {github}");
    }
    let text = shown("text");
    for words in ["Not read", "Not opened", "Accepted as unread", "1 of 2 archive entries could not be read"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_a_policy_allows_is_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (here, mut mint) = (folder.path(), common::fixture::Mint::new(61));
    let leak = format!("TWILIO_ACCOUNT_SID=AC{}\nTWILIO_AUTH_TOKEN={}\n", mint.hex(32), mint.hex(32));
    common::write(here, "old/a.env", leak);
    common::write(here, ".sidsweep.toml", "[[allow]]\npath = \"**\"\nreason = \"quokka\"\n");
    common::git(here, &["init", "-q"]);
    let formats = [
        "json",
        "jsonl",
        "sarif",
        "junit",
        "gitlab",
        "codequality",
        "csv",
        "markdown",
        "html",
        "github",
        "text",
    ];
    for format in formats {
        let output = common::run(here, &["scan", ".", "--format", format]);
        let shown = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        assert!(shown.contains("quokka"), "{format}: {shown}");
        assert!(shown.contains("every path of the repository"), "{format}: {shown}");
    }
}

/// The browser; CI must have it.
fn browser() -> Option<Browser> {
    let browser = Browser::start();
    if browser.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has to have chromium and chromedriver");
        eprintln!("SKIPPED: there is no chromedriver on this machine");
    }
    browser
}

#[test]
fn the_page_works_in_a_real_browser_and_asks_nobody() {
    let Some(browser) = browser() else { return };
    let house = house();
    let page = house.rig.out().join("page.html");
    std::fs::write(&page, house.turned("html")).unwrap();
    browser.open(&page);
    let shown = || browser.run("return document.querySelectorAll('main article:not([hidden])').length");
    assert_eq!(shown(), house.secrets);
    assert_eq!(browser.run("return document.title"), "sidsweep: 3 Twilio secrets leaked, 2 of them live");
    assert_eq!(
        browser.run("return document.querySelector('main article').dataset.verdict"),
        "live",
        "live first"
    );
    // Hostile text is text: no element, no script, no picture came of it.
    assert_eq!(browser.run("return document.querySelectorAll('main img, main script, main b').length"), 0);
    let text = browser.run("return document.body.textContent");
    let text = text.as_str().unwrap();
    // Git itself takes angle brackets out of an author's name.
    for words in [
        "<img src=x onerror=alert(1)>",
        "scriptalert(1)",
        "</article><b>",
        "[a](javascript:alert(1)) @everyone",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Filters, by clicking and by keys.
    browser.choose("verdict", "rejected");
    assert_eq!(shown(), 1);
    assert!(
        browser
            .run("return document.getElementById('shown').textContent")
            .as_str()
            .unwrap()
            .starts_with("1 of 3")
    );
    browser.choose("verdict", "");
    browser.choose("kind", "Standard key");
    assert_eq!(shown(), 1);
    browser.press("x");
    assert_eq!(browser.run("return new Promise(r => setTimeout(() => r(document.querySelectorAll('main article:not([hidden])').length), 50))"), 3);
    browser.press("/");
    browser.press("two.js");
    assert_eq!(shown(), 2, "two secrets of one line");
    assert!(browser.run("return document.activeElement.id") == "words");
    browser.press("\u{e00c}");
    browser.press("j");
    assert_eq!(browser.run("return document.activeElement.tagName"), "ARTICLE");
    // A picture, in light and in dark.
    let picture = browser.picture();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5000);
    let (said, asked) = browser.log();
    assert_eq!(said, Vec::<String>::new(), "the console is silent");
    assert_eq!(asked, Vec::<String>::new(), "nothing is asked for over the network");
    // What a script from elsewhere would do is refused by the page itself.
    browser.run("const s = document.createElement('script'); s.textContent = 'window.came = 1'; document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);");
    assert_eq!(browser.run("return window.came ?? null"), Value::Null);
}

#[test]
fn a_page_of_twenty_thousand_findings_is_quick() {
    let Some(browser) = browser() else { return };
    let house = house();
    let mut report: Value = serde_json::from_slice(&std::fs::read(&house.report).unwrap()).unwrap();
    let credential =
        report["credentials"].as_array().unwrap().iter().find(|c| c["type"] == "api_key").unwrap().clone();
    let finding = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["kind"] == "api_key_secret")
        .unwrap()
        .clone();
    let (mut credentials, mut findings) = (Vec::new(), Vec::new());
    for number in 0..20_000_u32 {
        let (mut credential, mut finding) = (credential.clone(), finding.clone());
        let id = format!("{:016x}", number / 4);
        finding["id"] = json!(format!("{number:064x}"));
        finding["credential"] = json!(id);
        finding["path"] = json!(format!("service-{}/config/{number}.env", number % 97));
        credential["id"] = json!(id);
        credential["findings"] = json!([finding["id"]]);
        if number % 4 == 0 {
            credentials.push(credential);
        }
        findings.push(finding);
    }
    report["findings"] = json!(findings);
    report["credentials"] = json!(credentials);
    std::fs::write(&house.report, report.to_string()).unwrap();
    let page = house.rig.out().join("page.html");
    std::fs::write(&page, house.turned("html")).unwrap();
    browser.open(&page);
    assert_eq!(browser.run("return document.querySelectorAll('main article').length"), 5000);
    let spent = browser.run(
        "const words = document.getElementById('words'); const from = performance.now();
         words.value = 'service-42/'; words.dispatchEvent(new Event('input', {bubbles: true}));
         const first = performance.now() - from; const again = performance.now();
         words.value = 'service-43/'; words.dispatchEvent(new Event('input', {bubbles: true}));
         return [first, performance.now() - again, performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart, document.querySelectorAll('main article:not([hidden])').length]",
    );
    println!("first search, second search, loaded (ms), shown: {spent}");
    assert!(spent[3].as_u64().unwrap() > 50, "{spent}");
    let (said, asked) = browser.log();
    assert!(said.is_empty() && asked.is_empty(), "{said:?} {asked:?}");
}
