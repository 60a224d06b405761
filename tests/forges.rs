//! Each forge's listing, as it publishes it, and clones over HTTP.
#![cfg(feature = "audit")]

mod common;

use std::collections::BTreeSet;
use std::process::{Command, Output};

use common::fixture::Mint;
use common::forge::{Forge, Repo, bare};
use common::{hold_to_schema, stderr};
use serde_json::{Value, json};

#[path = "forges/coverage.rs"]
mod coverage;
#[path = "forges/texts.rs"]
mod texts;
#[path = "forges/tokens.rs"]
mod tokens;

/// A forge with some repositories, of which each third leaks.
struct Rig {
    forge: Forge,
    folder: tempfile::TempDir,
    mint: Mint,
}

impl Rig {
    fn of(count: usize, seed: u64) -> Self {
        let mut mint = Mint::new(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let mut repos = Vec::new();
        for number in 0..count {
            let name = format!("r{number}");
            let text = leak(&mut mint);
            let path = folder.path().join(&name);
            bare(&path, &[&[("app/.env", Some(if number % 3 == 0 { &text } else { "EMPTY=1\n" }))]], &[]);
            repos.push(Repo::new(&name, &path));
        }
        Self { forge: Forge::start(repos), folder, mint }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = common::sidsweep();
        for name in [
            "GH_TOKEN",
            "GITHUB_TOKEN",
            "GH_ENTERPRISE_TOKEN",
            "GITHUB_ENTERPRISE_TOKEN",
            "GITLAB_TOKEN",
            "GITLAB_HOST",
            "GITEA_TOKEN",
            "GITEA_HOST",
            "FORGEJO_TOKEN",
            "BITBUCKET_TOKEN",
            "BITBUCKET_API_TOKEN",
            "AZURE_DEVOPS_EXT_PAT",
            "SYSTEM_ACCESSTOKEN",
            "GH_HOST",
            "GITHUB_APP_ID",
            "GITHUB_APP_HOST",
        ] {
            command.env_remove(name);
        }
        let database = format!("sqlite:{}", self.folder.path().join("state/audit.db").display());
        command.current_dir(self.folder.path()).arg("audit").args(arguments).args([
            "--database",
            &database,
            "--hurry",
            "--format",
            "json",
        ]);
        command
    }

    /// A token for GitHub on this host.
    fn github(&self) -> [(&str, &str); 2] {
        [("GH_ENTERPRISE_TOKEN", "t0p"), ("GH_HOST", self.forge.host())]
    }

    fn audit(&self, source: &str, more: &[&str], environment: &[(&str, &str)]) -> (Value, Output) {
        let output = self
            .command(&[&[source], more].concat())
            .envs(environment.iter().copied())
            .output()
            .expect("it runs");
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
        hold_to_schema(&report);
        (report, output)
    }
}

fn leak(mint: &mut Mint) -> String {
    format!("TWILIO_ACCOUNT_SID=AC{}\nTWILIO_AUTH_TOKEN={}\n", mint.hex(32), mint.hex(32))
}

/// Repository and path of all tokens that were found.
fn places(report: &Value, host: &str) -> BTreeSet<String> {
    let all = report["findings"].as_array().expect("a list").iter();
    all.filter(|one| one["kind"] == "auth_token")
        .map(|one| {
            let repository = one["repository"].as_str().expect("a name").replace(host, "HOST");
            format!("{repository}/{}", one["path"].as_str().expect("a path"))
        })
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_forge_is_paged_to_its_end_with_its_own_token() {
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 7] = [
        ("github:ADDRESS/acme", "acme", &[("GH_ENTERPRISE_TOKEN", "t0p"), ("GH_HOST", "HOST")], "Bearer t0p"),
        (
            "gitlab:ADDRESS/acme/team",
            "acme/team",
            &[("GITLAB_TOKEN", "t0p"), ("GITLAB_HOST", "HOST")],
            "Bearer t0p",
        ),
        ("gitea:ADDRESS/acme", "acme", &[("GITEA_TOKEN", "t0p"), ("GITEA_HOST", "HOST")], "token t0p"),
        (
            "bitbucket:ADDRESS/acme",
            "acme",
            &[("BITBUCKET_TOKEN", "t0p"), ("BITBUCKET_HOST", "HOST")],
            "Bearer t0p",
        ),
        (
            "bitbucket:ADDRESS/acme",
            "acme",
            &[("BITBUCKET_API_TOKEN", "t0p"), ("BITBUCKET_EMAIL", "ada@x.io"), ("BITBUCKET_HOST", "HOST")],
            "Basic YWRhQHguaW86dDBw",
        ),
        (
            "azure:ADDRESS/acme/shop",
            "acme/shop",
            &[("AZURE_DEVOPS_EXT_PAT", "t0p"), ("AZURE_DEVOPS_HOST", "HOST")],
            "Basic OnQwcA==",
        ),
        (
            "azure:ADDRESS/acme",
            "acme/shop",
            &[("AZURE_DEVOPS_EXT_PAT", "t0p"), ("AZURE_DEVOPS_HOST", "HOST")],
            "Basic OnQwcA==",
        ),
    ];
    for (source, path, environment, sent) in cases {
        let rig = Rig::of(7, 20);
        {
            let mut world = rig.forge.world();
            world.page = 3;
            world.token = Some("t0p".to_owned());
            if source.starts_with("gitlab") || source.starts_with("azure") {
                // Their clones lie elsewhere below the same host.
                let address = world.address.clone();
                for repo in &mut world.repos {
                    repo.clone = Some(format!("{address}/acme/{}.git", repo.name));
                }
            }
        }
        let host = rig.forge.host().to_owned();
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|&(name, value)| (name, if value == "HOST" { host.as_str() } else { value }))
            .collect();
        let (report, output) = rig.audit(&source.replace("ADDRESS", &rig.forge.address), &[], &environment);
        let expected: BTreeSet<String> =
            [0, 3, 6].iter().map(|number| format!("HOST/{path}/r{number}/app/.env")).collect();
        assert_eq!(places(&report, &host), expected, "{source}: {}", stderr(&output));
        assert_eq!(report["sources"].as_array().map(Vec::len), Some(7), "{source}");
        assert_eq!(report["skipped"], json!([]), "{source}");
        let world = rig.forge.world();
        let api = world.log.iter().filter(|asked| {
            asked.path.contains("repos")
                || asked.path.contains("projects")
                || asked.path.contains("repositories")
        });
        assert!(api.clone().count() >= 3, "{source}: three pages");
        assert!(api.clone().all(|asked| asked.authorization.as_deref() == Some(sent)), "{source}");
        // Nothing that is written down holds the token.
        drop(world);
        let mut kept = output.stdout.clone();
        kept.extend(&output.stderr);
        everything(&rig.folder.path().join("state"), &mut kept);
        assert!(!kept.windows(3).any(|window| window == b"t0p"), "{source}: the token is kept");
        assert!(!kept.windows(8).any(|window| window == b"OnQwcA=="), "{source}: the token is kept");
    }
}

/// All bytes of all files below a folder.
fn everything(folder: &std::path::Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            everything(&entry.path(), bytes);
        } else {
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
}

#[test]
fn limits_are_waited_for_and_passing_faults_are_sat_out() {
    let rig = Rig::of(4, 21);
    let reset = || (jiff::Timestamp::now().as_second() + 1).to_string();
    {
        let mut world = rig.forge.world();
        world.page = 2;
        let limit = json!({"message": "API rate limit exceeded"}).to_string();
        let second = json!({"message": "You have exceeded a secondary rate limit"}).to_string();
        world.instead.extend([
            (403, vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset())], limit),
            (502, vec![], "<html>bad gateway</html>".to_owned()),
            (403, vec![("retry-after", "1".to_owned())], second),
            (429, vec![("retry-after", "1".to_owned())], String::new()),
            (500, vec![], String::new()),
        ]);
    }
    let (report, output) = rig.audit(&format!("github:{}/acme", rig.forge.address), &[], &rig.github());
    assert_eq!(report["sources"].as_array().map(Vec::len), Some(4), "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
    let told = stderr(&output);
    assert!(told.matches("its rate limit is used up; going on at").count() >= 3, "{told}");
}

#[test]
fn a_forge_that_lies_is_told_and_not_followed() {
    type Case = (&'static str, Vec<(&'static str, String)>, u16, String);
    let elsewhere = Forge::start(Vec::new());
    let cases: [Case; 7] = [
        (
            "is not followed",
            vec![("link", format!("<{}/api/v3/orgs/acme/repos?page=2>; rel=\"next\"", elsewhere.address))],
            200,
            "[]".to_owned(),
        ),
        (
            "is not followed",
            vec![("location", format!("{}/api/v3/x", elsewhere.address))],
            302,
            String::new(),
        ),
        ("do not end", vec![("link", "SELF".to_owned())], 200, "[]".to_owned()),
        ("is not JSON", vec![], 200, "<html>log in</html>".to_owned()),
        ("something else came", vec![], 200, "{\"message\": \"hello\"}".to_owned()),
        ("Bad credentials", vec![], 401, json!({"message": "Bad credentials"}).to_string()),
        ("does not end", vec![], 200, " ".repeat(65 << 20)),
    ];
    for (words, headers, status, body) in cases {
        let rig = Rig::of(1, 22);
        {
            let mut world = rig.forge.world();
            let itself = format!(
                "<{}/api/v3/orgs/acme/repos?type=all&sort=full_name&per_page=100&page=1>; rel=\"next\"",
                world.address
            );
            let headers: Vec<_> = headers
                .into_iter()
                .map(|(name, value)| (name, if value == "SELF" { itself.clone() } else { value }))
                .collect();
            for _ in 0..3 {
                world.instead.push_back((status, headers.clone(), body.clone()));
            }
        }
        let output = rig
            .command(&[&format!("github:{}/acme", rig.forge.address)])
            .envs(rig.github())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{words}: {}", stderr(&output));
        assert!(!stderr(&output).contains("t0p"));
    }
    assert!(elsewhere.world().log.is_empty(), "nobody asked the other host");
}

#[test]
fn what_is_wanted_is_looked_at_and_nothing_else() {
    let cases: [(&[&str], &[usize]); 7] = [
        (&[], &[0, 1, 2, 3, 4, 5]),
        (&["--no-archived"], &[0, 2, 3, 4, 5]),
        (&["--no-forks"], &[0, 1, 3, 4, 5]),
        (&["--visibility", "private"], &[3]),
        (&["--pushed-since", "2026-06-01T00:00:00Z"], &[4]),
        (&["--include", "acme/r[0-3]"], &[0, 1, 2, 3]),
        (&["--exclude", "acme/r5", "--exclude", "r4"], &[0, 1, 2, 3]),
    ];
    for (more, wanted) in cases {
        let rig = Rig::of(6, 23);
        {
            let mut world = rig.forge.world();
            world.repos[1].archived = true;
            world.repos[2].fork = true;
            world.repos[3].private = true;
            world.repos[4].pushed_at = "2026-07-01T00:00:00Z".to_owned();
        }
        let (report, _) = rig.audit(&format!("github:{}/acme", rig.forge.address), more, &[]);
        let names: BTreeSet<String> = report["sources"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| {
                one["repository"]
                    .as_str()
                    .and_then(|name| name.rsplit('/').next())
                    .expect("a name")
                    .to_owned()
            })
            .collect();
        assert_eq!(names, wanted.iter().map(|number| format!("r{number}")).collect(), "{more:?}");
    }
}

#[test]
fn wikis_gists_and_texts_are_looked_at_where_they_are_asked_for() {
    let mut rig = Rig::of(2, 24);
    let (wiki, gist) = (rig.folder.path().join("wiki"), rig.folder.path().join("gist"));
    let text = leak(&mut rig.mint);
    bare(&wiki, &[&[("Home.md", Some(&text))]], &[]);
    let text = leak(&mut rig.mint);
    bare(&gist, &[&[("notes.txt", Some(&text))]], &[]);
    {
        let mut world = rig.forge.world();
        world.date = Some("Wed, 04 Mar 2026 00:00:00 GMT".to_owned());
        world.repos[0].wiki = Some(wiki);
        world.gists.push(Repo::new("abc123", &gist));
        let body = leak(&mut rig.mint);
        world.repos[1].issues.push(json!({"number": 7, "title": "it fails", "body": format!("my .env:\n{body}"), "updated_at": "2026-03-01T00:00:00Z"}));
        world.repos[1].issues.push(json!({"number": 8, "title": "fix", "body": null, "pull_request": {}, "updated_at": "2026-03-02T00:00:00Z"}));
        let body = leak(&mut rig.mint);
        world.repos[1].comments.push(json!({"id": 99, "issue_url": "http://x/issues/7", "body": body, "updated_at": "2026-03-03T00:00:00Z"}));
        let body = leak(&mut rig.mint);
        world.repos[1].reviews.push(json!({"id": 5, "pull_request_url": "http://x/pulls/8", "body": body, "updated_at": "2026-03-03T00:00:00Z"}));
    }
    let source = format!("github:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    let (report, _) = rig.audit(&source, &[], &[]);
    assert_eq!(places(&report, &host), set(&["HOST/acme/r0/app/.env"]));
    let (report, output) = rig.audit(&source, &["--wikis", "--texts"], &rig.github());
    let expected = [
        "HOST/acme/r0 (wiki)/Home.md",
        "HOST/acme/r0/app/.env",
        "HOST/acme/r1 (texts)/comments/of-7-99.md",
        "HOST/acme/r1 (texts)/issues/7.md",
        "HOST/acme/r1 (texts)/reviews/of-8-5.md",
    ];
    assert_eq!(places(&report, &host), set(&expected), "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]), "a wiki without a page is no fault");
    // Later only what was written since is asked for, and what was found stays found.
    let body = leak(&mut rig.mint);
    rig.forge.world().repos[1].comments.push(json!({"id": 100, "issue_url": "http://x/issues/7", "body": body, "updated_at": "2026-03-05T00:00:00Z"}));
    rig.forge.world().log.clear();
    let (report, _) = rig.audit(&source, &["--wikis", "--texts"], &[]);
    let mut expected = set(&expected);
    expected.insert("HOST/acme/r1 (texts)/comments/of-7-100.md".to_owned());
    assert_eq!(places(&report, &host), expected);
    let world = rig.forge.world();
    let asked = world.log.iter().find(|asked| asked.path.ends_with("r1/issues/comments")).expect("asked");
    assert!(asked.query.contains("since=2026-03-03T23%3A55"), "{}", asked.query);
}

#[test]
fn what_a_forge_does_not_give_is_named() {
    let rig = Rig::of(1, 28);
    let source = format!("bitbucket:{}/acme", rig.forge.address);
    let (report, _) = rig.audit(&source, &["--texts", "--gists"], &[]);
    let skipped = report["skipped"].to_string();
    assert!(skipped.contains("(texts)") && skipped.contains("(gists)"), "{skipped}");
    assert_eq!(places(&report, rig.forge.host()).len(), 1);
}

#[test]
fn an_empty_list_is_no_all_clear() {
    let rig = Rig::of(0, 29);
    let output = rig.command(&[&format!("github:{}/acme", rig.forge.address)]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no repository that may be seen"), "{}", stderr(&output));
}

#[test]
fn a_user_is_audited_where_there_is_no_such_organization() {
    let rig = Rig::of(1, 25);
    rig.forge.world().is_user = true;
    for kind in ["github", "gitea"] {
        let (report, output) = rig.audit(&format!("{kind}:{}/acme", rig.forge.address), &[], &[]);
        assert_eq!(places(&report, rig.forge.host()).len(), 1, "{kind}: {}", stderr(&output));
    }
}
