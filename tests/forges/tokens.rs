//! Tokens: which is sent where, by us and by git.

use super::*;
use common::forge::Organization;

/// A private key for an App; none where openssl is missing.
pub fn app_key(rig: &Rig) -> Option<String> {
    let key = rig.folder.path().join("app.pem");
    let made =
        Command::new("openssl").args(["genrsa", "-traditional", "-out"]).arg(&key).arg("2048").output();
    if made.is_ok_and(|output| output.status.success()) {
        return Some(key.to_str().expect("UTF-8").to_owned());
    }
    assert!(std::env::var_os("CI").is_none(), "CI has to have openssl");
    eprintln!("SKIPPED: a GitHub App needs openssl to make a key");
    None
}

#[test]
fn a_github_app_makes_its_own_token() {
    let mut rig = Rig::of(2, 26);
    let body = leak(&mut rig.mint);
    {
        let mut world = rig.forge.world();
        world.token = Some("installation-token".to_owned());
        world.repos[1].issues.push(
            json!({"number": 7, "title": "it fails", "body": body, "updated_at": "2026-03-01T00:00:00Z"}),
        );
    }
    let Some(key) = app_key(&rig) else { return };
    let environment =
        [("GITHUB_APP_ID", "4711"), ("GITHUB_APP_PRIVATE_KEY", &key), ("GITHUB_APP_HOST", rig.forge.host())];
    let (report, output) =
        rig.audit(&format!("github:{}/acme", rig.forge.address), &["--texts"], &environment);
    assert_eq!(places(&report, rig.forge.host()).len(), 2, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
}

#[test]
fn an_app_in_two_organizations_asks_and_clones_in_each_with_that_ones_token() {
    let mut rig = Rig::of(1, 30);
    let path = rig.folder.path().join("till");
    let text = leak(&mut rig.mint);
    bare(&path, &[&[(".env", Some(&text))]], &[]);
    {
        let mut world = rig.forge.world();
        world.token = Some("installation-token".to_owned());
        world.others.push(Organization {
            name: "beta".to_owned(),
            repos: vec![Repo::new("till", &path)],
            token: "token-of-beta".to_owned(),
        });
    }
    let Some(key) = app_key(&rig) else { return };
    let environment =
        [("GITHUB_APP_ID", "4711"), ("GITHUB_APP_PRIVATE_KEY", &key), ("GITHUB_APP_HOST", rig.forge.host())];
    let beta = format!("github:{}/beta", rig.forge.address);
    let (report, output) = rig.audit(&format!("github:{}/acme", rig.forge.address), &[&beta], &environment);
    let expected = set(&["HOST/acme/r0/app/.env", "HOST/beta/till/.env"]);
    assert_eq!(places(&report, rig.forge.host()), expected, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
}

/// The sources of a rig with the variables that have a token for another host.
const OTHERS: [(&str, &[(&str, &str)]); 7] = [
    ("github", &[("GH_TOKEN", "t0p"), ("GITHUB_TOKEN", "t0p")]),
    ("github", &[("GH_ENTERPRISE_TOKEN", "t0p")]),
    ("github", &[("GH_ENTERPRISE_TOKEN", "t0p"), ("GH_HOST", "git.example")]),
    ("gitlab", &[("GITLAB_TOKEN", "t0p")]),
    ("gitea", &[("GITEA_TOKEN", "t0p"), ("FORGEJO_TOKEN", "t0p")]),
    (
        "bitbucket",
        &[("BITBUCKET_API_TOKEN", "t0p"), ("BITBUCKET_EMAIL", "ada@x.io"), ("BITBUCKET_TOKEN", "t0p")],
    ),
    ("azure", &[("AZURE_DEVOPS_EXT_PAT", "t0p"), ("SYSTEM_ACCESSTOKEN", "t0p")]),
];

#[test]
fn a_token_for_one_host_is_never_sent_to_another() {
    for (forge, others) in OTHERS {
        let rig = Rig::of(1, 27);
        // Tools that give out what stands in their environment, as gh and glab do.
        let tools = rig.folder.path().join("tools");
        for name in ["gh", "glab"] {
            common::write(&tools, name, "#!/bin/sh\necho $GH_TOKEN$GH_ENTERPRISE_TOKEN$GITLAB_TOKEN\n");
            let run = Command::new("chmod").arg("+x").arg(tools.join(name)).status();
            assert!(run.expect("chmod runs").success());
        }
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
        let environment = [others, &[("PATH", path.as_str())]].concat();
        let owner = if forge == "gitlab" { "acme/team" } else { "acme" };
        let (report, output) =
            rig.audit(&format!("{forge}:{}/{owner}", rig.forge.address), &[], &environment);
        let world = rig.forge.world();
        assert!(!world.log.is_empty(), "{forge}");
        assert!(world.log.iter().all(|asked| asked.authorization.is_none()), "{forge} {others:?}");
        // What could not be seen without it is said.
        let told = report["skipped"].to_string();
        let reason = if others.iter().any(|(name, _)| *name == "GH_TOKEN") {
            "set GH_ENTERPRISE"
        } else {
            "is not sent to"
        };
        assert!(told.contains("what is not public") && told.contains(reason), "{forge}: {told}");
        assert_eq!(output.status.code(), Some(1), "{forge}");
    }
}

#[test]
fn an_app_shows_its_statement_to_its_own_host_only() {
    let rig = Rig::of(1, 31);
    let Some(key) = app_key(&rig) else { return };
    for host in [None, Some("git.example")] {
        let mut environment = vec![("GITHUB_APP_ID", "4711"), ("GITHUB_APP_PRIVATE_KEY", key.as_str())];
        environment.extend(host.map(|host| ("GITHUB_APP_HOST", host)));
        let (report, _) = rig.audit(&format!("github:{}/acme", rig.forge.address), &[], &environment);
        assert!(rig.forge.world().log.iter().all(|asked| asked.authorization.is_none()));
        let told = report["skipped"].to_string();
        assert!(told.contains("set GITHUB_APP_HOST="), "{told}");
    }
}

#[test]
fn without_a_token_what_is_not_public_counts_as_not_seen() {
    let rig = Rig::of(0, 32);
    let path = rig.folder.path().join("clean");
    bare(&path, &[&[("README.md", Some("nothing\n"))]], &[]);
    rig.forge.world().repos.push(Repo::new("clean", &path));
    let source = format!("github:{}/acme", rig.forge.address);
    let (report, output) = rig.audit(&source, &[], &[]);
    assert_eq!(output.status.code(), Some(2), "{report}");
    let told = report["skipped"].to_string();
    assert!(told.contains("asked without a token: set GH_ENTERPRISE_TOKEN, and GH_HOST="), "{told}");
    let (_, output) = rig.audit(&source, &["--visibility", "public"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (_, output) = rig.audit(&source, &[], &rig.github());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn git_gets_the_token_of_its_repository_and_no_other_secret() {
    let rig = Rig::of(1, 33);
    let tools = rig.folder.path().join("tools");
    let real = String::from_utf8(Command::new("which").arg("git").output().expect("which").stdout);
    let log = rig.folder.path().join("environment");
    let script = format!("#!/bin/sh\nenv >>{}\nexec {} \"$@\"\n", log.display(), real.expect("UTF-8").trim());
    common::write(&tools, "git", script);
    assert!(Command::new("chmod").arg("+x").arg(tools.join("git")).status().expect("chmod").success());
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let mut environment = rig.github().to_vec();
    environment.extend([
        ("PATH", path.as_str()),
        ("GITLAB_TOKEN", "s3cret"),
        ("AZURE_DEVOPS_EXT_PAT", "s3cret"),
    ]);
    rig.audit(&format!("github:{}/acme", rig.forge.address), &[], &environment);
    let seen = std::fs::read_to_string(&log).expect("git was run");
    assert!(seen.contains("extraHeader") && !seen.contains("s3cret") && !seen.contains("t0p"), "{seen}");
}

#[test]
fn an_app_password_of_bitbucket_is_told_what_took_its_place() {
    let rig = Rig::of(1, 34);
    for (variable, words) in
        [("BITBUCKET_APP_PASSWORD", "make an API token"), ("BITBUCKET_API_TOKEN", "needs BITBUCKET_EMAIL")]
    {
        let output = rig
            .command(&[&format!("bitbucket:{}/acme", rig.forge.address)])
            .env(variable, "t0p")
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert!(rig.forge.world().log.is_empty());
    }
}
