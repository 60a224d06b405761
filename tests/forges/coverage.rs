//! What a listing does not show is said, and costs no more than itself.

use super::*;

/// All that a report says was not read, in one text.
fn not_read(report: &Value) -> String {
    report["skipped"].to_string()
}

/// Adds a repository with a leak.
fn add(rig: &mut Rig, name: &str) -> Repo {
    let path = rig.folder.path().join(name);
    let text = leak(&mut rig.mint);
    bare(&path, &[&[(".env", Some(&text))]], &[]);
    Repo::new(name, &path)
}

#[test]
fn a_user_is_seen_in_full_with_their_own_token_only() {
    let mut rig = Rig::of(1, 40);
    let mut private = add(&mut rig, "private");
    private.private = true;
    let mut secret = add(&mut rig, "5ecret");
    secret.private = true;
    {
        let mut world = rig.forge.world();
        world.is_user = true;
        world.repos.push(private);
        world.gists.push(secret);
        world.login = Some("Acme".to_owned());
    }
    let source = format!("github:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    // Names of accounts have no case.
    rig.forge.world().login = Some("acme".to_owned());
    let (report, output) = rig.audit(&source, &["--gists"], &rig.github());
    // The gists of a host without `gist.` lie below it.
    let expected = set(&["HOST/acme/r0/app/.env", "HOST/acme/private/.env", "gist.HOST/ada/5ecret/.env"]);
    assert_eq!(places(&report, &host), expected, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
    rig.forge.world().login = Some("bob".to_owned());
    let (report, _) = rig.audit(&source, &["--check-refs"], &rig.github());
    assert_eq!(places(&report, &host), set(&["HOST/acme/r0/app/.env", "HOST/acme/private/.env"]));
    let told = not_read(&report);
    assert!(told.contains("the token is bob's"), "{told}");
    assert!(told.contains("acme/private") && told.contains("not listed any more"), "{told}");
}

#[test]
fn what_github_counts_is_compared_with_what_it_lists() {
    type Case<'a> = (Option<(usize, usize)>, Option<&'a str>, &'a [&'a str], Option<&'a str>);
    let cases: [Case; 7] = [
        (Some((1, 1)), Some("repo, read:org"), &[], None),
        (Some((2, 3)), None, &[], Some("counts 5 repositories, and the token was shown 2")),
        (Some((2, 3)), None, &["--visibility", "public"], None),
        (Some((3, 0)), None, &["--visibility", "public"], Some("counts 3 repositories")),
        (None, Some("read:org, gist"), &[], Some("no scope `repo`")),
        (None, Some("read:org"), &["--visibility", "public"], None),
        // Another kind of token than a classic one.
        (None, Some(""), &[], None),
    ];
    for (totals, scopes, more, words) in cases {
        let rig = Rig::of(2, 41);
        {
            let mut world = rig.forge.world();
            world.totals = totals;
            world.scopes = scopes.map(str::to_owned);
        }
        let (report, output) = rig.audit(&format!("github:{}/acme", rig.forge.address), more, &rig.github());
        match words {
            Some(words) => assert!(not_read(&report).contains(words), "{words}: {}", stderr(&output)),
            None => assert_eq!(report["skipped"], json!([]), "{totals:?} {scopes:?}"),
        }
        assert_eq!(places(&report, rig.forge.host()).len(), 1);
    }
}

#[test]
fn an_app_on_selected_repositories_says_so() {
    let rig = Rig::of(2, 42);
    let Some(key) = super::tokens::app_key(&rig) else { return };
    rig.forge.world().selected = true;
    let environment =
        [("GITHUB_APP_ID", "4711"), ("GITHUB_APP_PRIVATE_KEY", &*key), ("GITHUB_APP_HOST", rig.forge.host())];
    let (report, _) = rig.audit(&format!("github:{}/acme", rig.forge.address), &[], &environment);
    let told = not_read(&report);
    assert!(told.contains("installed on selected repositories of acme only"), "{told}");
}

#[test]
fn a_list_that_is_shorter_than_the_forge_counts_is_said() {
    for (source, owner) in [("gitlab", "acme/team"), ("gitea", "acme"), ("bitbucket", "acme")] {
        let rig = Rig::of(3, 43);
        {
            let mut world = rig.forge.world();
            world.page = 2;
            world.miscounted = 2;
        }
        let (report, output) = rig.audit(&format!("{source}:{}/{owner}", rig.forge.address), &[], &[]);
        let told = not_read(&report);
        assert!(told.contains("the forge counts 5 and showed 3"), "{source}: {told}");
        assert_eq!(report["sources"].as_array().map(Vec::len), Some(3), "{source}: {}", stderr(&output));
    }
}

#[test]
fn a_member_who_vanished_costs_their_own_gists_alone() {
    let mut rig = Rig::of(1, 44);
    let gist = add(&mut rig, "abc123");
    {
        let mut world = rig.forge.world();
        world.gists.push(gist);
        world.members = vec!["bob".to_owned(), "ada".to_owned()];
    }
    let source = format!("github:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    let (report, output) = rig.audit(&source, &["--gists"], &rig.github());
    let expected = set(&["HOST/acme/r0/app/.env", "gist.HOST/ada/abc123/.env"]);
    assert_eq!(places(&report, &host), expected, "{}", stderr(&output));
    assert!(not_read(&report).contains("(gists of bob)"), "{}", not_read(&report));
    let refused = (403, vec![], json!({"message": "Must be a member"}).to_string());
    rig.forge.world().refused.push(("/members".to_owned(), refused));
    let (report, _) = rig.audit(&source, &["--gists"], &rig.github());
    let told = not_read(&report);
    assert!(told.contains("gists of some members") && told.contains("Must be a member"), "{told}");
}

#[test]
fn an_entry_without_an_address_is_named_and_the_others_are_read() {
    for kind in ["github", "gitea"] {
        let rig = Rig::of(4, 45);
        rig.forge.world().without_address = 1;
        let (report, _) = rig.audit(&format!("{kind}:{}/acme", rig.forge.address), &[], &[]);
        let told = not_read(&report);
        assert!(told.contains("acme/r0") && told.contains("states no address to clone it from"), "{told}");
        assert_eq!(places(&report, rig.forge.host()), set(&["HOST/acme/r3/app/.env"]), "{kind}");
    }
}

#[test]
fn a_name_with_a_bracket_is_a_name_of_its_own() {
    let mut rig = Rig::of(0, 46);
    let (own, old) = (add(&mut rig, "shop"), add(&mut rig, "shop (old)"));
    rig.forge.world().repos.extend([own, old]);
    let source = format!("azure:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    for (excluded, left) in [("acme/shop/shop", "shop%20(old)"), ("acme/shop/shop (old)", "shop")] {
        let (report, output) = rig.audit(&source, &["--exclude", excluded, "--check-refs"], &[]);
        let left = left.replace("%20", " ");
        let expected = set(&[&format!("HOST/acme/shop/{left}/.env")]);
        assert_eq!(places(&report, &host), expected, "{excluded}: {}", stderr(&output));
    }
}

#[test]
fn what_was_renamed_is_followed_on_the_same_host() {
    let rig = Rig::of(1, 47);
    {
        let mut world = rig.forge.world();
        let to = "/api/v3/orgs/acme/repos?type=all&per_page=100".to_owned();
        world.refused.push(("orgs/old/repos".to_owned(), (301, vec![("location", to)], String::new())));
        let to = format!("{}/api/v3/orgs/circle/repos", world.address);
        world.refused.push(("orgs/circle/repos".to_owned(), (301, vec![("location", to)], String::new())));
    }
    let (report, output) = rig.audit(&format!("github:{}/old", rig.forge.address), &[], &rig.github());
    assert_eq!(places(&report, rig.forge.host()).len(), 1, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
    let (report, _) = rig.audit(&format!("github:{}/circle", rig.forge.address), &[], &rig.github());
    assert!(not_read(&report).contains("is not followed"), "{}", not_read(&report));
}

#[test]
fn a_server_that_is_away_has_no_limit_and_a_limit_has_an_end() {
    let rig = Rig::of(1, 48);
    let busy = || (503, vec![("retry-after", "1".to_owned())], String::new());
    rig.forge.world().instead.extend([busy(), busy()]);
    let source = format!("github:{}/acme", rig.forge.address);
    let (report, output) = rig.audit(&source, &[], &rig.github());
    assert_eq!(report["skipped"], json!([]), "{}", stderr(&output));
    assert!(!stderr(&output).contains("rate limit"), "{}", stderr(&output));
    let limit = (429, vec![("retry-after", "4000".to_owned())], String::new());
    rig.forge.world().instead.push_back(limit);
    let (report, _) = rig.audit(&source, &["--check-refs"], &rig.github());
    let told = not_read(&report);
    assert!(told.contains("its rate limit is used up, for 4000 s more"), "{told}");
}

#[test]
fn a_repository_that_vanished_from_the_listing_is_said() {
    let rig = Rig::of(3, 49);
    let source = format!("github:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    let (report, _) = rig.audit(&source, &[], &rig.github());
    assert_eq!(report["skipped"], json!([]));
    rig.forge.world().repos.drain(..2);
    let (report, output) = rig.audit(&source, &[], &rig.github());
    let told = not_read(&report);
    assert!(told.contains("acme/r0") && told.contains("acme/r1"), "{told}");
    // What leaked there stays leaked.
    assert_eq!(places(&report, &host), set(&["HOST/acme/r0/app/.env"]), "{}", stderr(&output));
    // Where nothing is known to have leaked, once is enough.
    let (report, _) = rig.audit(&source, &[], &rig.github());
    let told = not_read(&report);
    assert!(told.contains("acme/r0") && !told.contains("acme/r1"), "{told}");
    let (report, output) = rig.audit(&source, &["--exclude", "acme/r0"], &rig.github());
    assert_eq!(report["skipped"], json!([]));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn an_instance_below_a_path_is_asked_there() {
    let rig = Rig::of(1, 50);
    let host = rig.forge.host().to_owned();
    let environment = [("GITEA_TOKEN", "t0p"), ("GITEA_HOST", host.as_str())];
    let (report, output) = rig.audit(&format!("gitea:{}/forge//acme", rig.forge.address), &[], &environment);
    assert_eq!(places(&report, &host), set(&["HOST/forge/acme/r0/app/.env"]), "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
}

#[test]
fn an_authority_of_ones_own_holds_for_the_api_as_for_git_and_https_is_kept() {
    let mut rig = Rig::of(0, 51);
    let (own, plain) = (add(&mut rig, "own"), add(&mut rig, "plain"));
    let (forge, authority) = Forge::start_over_tls(vec![own, plain]);
    {
        let mut world = forge.world();
        let address = world.address.replace("https://", "http://");
        world.repos[1].clone = Some(format!("{address}/acme/plain.git"));
    }
    let file = rig.folder.path().join("authority.pem");
    std::fs::write(&file, authority).expect("written");
    let source = format!("github:{}/acme", forge.address);
    let mut environment = vec![("GH_ENTERPRISE_TOKEN", "t0p"), ("GH_HOST", forge.host())];
    let (report, _) = rig.audit(&source, &[], &environment);
    assert!(not_read(&report).contains("no connection"), "{}", not_read(&report));
    environment.push(("GIT_SSL_CAINFO", file.to_str().expect("UTF-8")));
    let (report, output) = rig.audit(&source, &[], &environment);
    assert_eq!(places(&report, forge.host()), set(&["HOST/acme/own/.env"]), "{}", stderr(&output));
    assert!(not_read(&report).contains("cloned over https alone"), "{}", not_read(&report));
    environment.pop();
    environment.push(("GIT_SSL_CAINFO", "/nonexistent.pem"));
    let (report, _) = rig.audit(&source, &[], &environment);
    assert!(not_read(&report).contains("GIT_SSL_CAINFO: /nonexistent.pem"), "{}", not_read(&report));
}

#[test]
fn the_room_for_mirrors_reckons_with_gitlabs_sizes() {
    let rig = Rig::of(1, 52);
    let source = format!("gitlab:{}/acme/team", rig.forge.address);
    let host = rig.forge.host().to_owned();
    let environment = [("GITLAB_TOKEN", "t0p"), ("GITLAB_HOST", host.as_str())];
    let (report, _) = rig.audit(&source, &["--disk", "1M"], &environment);
    assert!(
        not_read(&report).contains("it takes 4 MiB, more than all mirrors may take"),
        "{}",
        not_read(&report)
    );
    let (report, _) = rig.audit(&source, &["--disk", "9M"], &environment);
    assert_eq!(report["skipped"], json!([]));
}

#[test]
fn a_clone_host_of_its_own_is_taken_where_it_is_named() {
    let rig = Rig::of(1, 53);
    let other = rig.forge.address.replace("127.0.0.1", "localhost");
    rig.forge.world().repos[0].clone = Some(format!("{other}/acme/r0.git"));
    rig.forge.world().token = Some("t0p".to_owned());
    let source = format!("gitea:{}/acme", rig.forge.address);
    let host = rig.forge.host().to_owned();
    let environment = [("GITEA_TOKEN", "t0p"), ("GITEA_HOST", host.as_str())];
    let (report, _) = rig.audit(&source, &[], &environment);
    assert!(not_read(&report).contains("leads to localhost"), "{}", not_read(&report));
    let clones = format!("{host}={}", other.trim_start_matches("http://"));
    let (report, output) = rig.audit(&source, &["--clone-host", &clones], &environment);
    assert_eq!(places(&report, &host), set(&["HOST/acme/r0/app/.env"]), "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
}
