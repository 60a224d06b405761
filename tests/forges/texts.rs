//! Texts of issues and pull requests: all of them, once, and each part by itself.

use super::*;
use common::forge::Instead;

/// The environment with a token for Gitea on a rig's host.
fn gitea(rig: &Rig) -> [(&str, &str); 2] {
    [("GITEA_TOKEN", "t0p"), ("GITEA_HOST", rig.forge.host())]
}

/// A comment of a certain time, with a leak.
fn comment(rig: &mut Rig, id: u64, time: &str) -> Value {
    let body = leak(&mut rig.mint);
    json!({"id": id, "issue_url": "http://x/issues/7", "body": body, "updated_at": time})
}

fn texts(report: &Value, rig: &Rig) -> BTreeSet<String> {
    let all = places(report, rig.forge.host());
    all.iter().filter_map(|place| place.split_once(" (texts)/")).map(|(_, path)| path.to_owned()).collect()
}

#[test]
fn comments_and_reviews_of_gitea_are_read_to_the_number_that_it_counts() {
    let mut rig = Rig::of(1, 60);
    let last = comment(&mut rig, 120, "2026-03-03T00:00:00Z");
    let (summary, remark) = (leak(&mut rig.mint), leak(&mut rig.mint));
    {
        let mut world = rig.forge.world();
        world.page = 50;
        let repo = &mut world.repos[0];
        repo.comments = (1..120)
            .map(|id| json!({"id": id, "issue_url": "http://x/issues/7", "body": "hm", "updated_at": "2026-03-03T00:00:00Z"}))
            .collect();
        repo.comments.push(last);
        repo.issues.push(json!({"number": 8, "title": "fix", "body": "", "pull_request": {}, "updated_at": "2026-03-03T00:00:00Z"}));
        repo.reviews.extend(
            (1..70).map(|id| json!({"id": id, "pull": 8, "body": "hm", "comments_count": 0, "comments": []})),
        );
        repo.reviews.push(json!({"id": 70, "pull": 8, "body": summary, "comments_count": 0, "comments": []}));
        repo.reviews.push(json!({"id": 71, "pull": 8, "body": "", "comments_count": 1, "comments": [{"id": 5, "body": remark}]}));
    }
    let source = format!("gitea:{}/acme", rig.forge.address);
    let (report, output) = rig.audit(&source, &["--texts"], &gitea(&rig));
    let expected = set(&["comments/of-7-120.md", "reviews/of-8-70.md", "reviews/of-8-71-5.md"]);
    assert_eq!(texts(&report, &rig), expected, "{}", stderr(&output));
    assert_eq!(report["skipped"], json!([]));
    // A list that is shorter than what is counted is said.
    {
        let mut world = rig.forge.world();
        world.miscounted = 1;
        world.miscounted_at = "/issues/comments".to_owned();
    }
    let (report, _) = rig.audit(&source, &["--texts", "--include", "acme/r0"], &gitea(&rig));
    let told = report["skipped"].to_string();
    assert!(told.contains("(texts): comments") && told.contains("counts 1 and showed 0"), "{told}");
    assert_eq!(texts(&report, &rig), expected);
}

#[test]
fn a_refused_part_costs_that_part_alone() {
    let off = |message: &str| -> Instead { (403, vec![], json!({"message": message}).to_string()) };
    for (refused, lost, kept) in [
        ("1/merge_requests", "merge_requests", "issues/7.md"),
        ("1/issues", "issues", "merge_requests/9.md"),
        ("1/issues/7/notes", "notes of issues 7", "issues/7.md"),
    ] {
        let mut rig = Rig::of(1, 61);
        let (issue, merge) = (leak(&mut rig.mint), leak(&mut rig.mint));
        {
            let mut world = rig.forge.world();
            let time = "2026-03-01T00:00:00Z";
            let repo = &mut world.repos[0];
            repo.issues.push(json!({"iid": 7, "title": "a", "description": issue, "updated_at": time}));
            repo.merges.push(json!({"iid": 9, "title": "b", "description": merge, "user_notes_count": 0, "updated_at": time}));
            world.refused.push((refused.to_owned(), off("is disabled")));
        }
        let source = format!("gitlab:{}/acme/team", rig.forge.address);
        let host = rig.forge.host().to_owned();
        let environment = [("GITLAB_TOKEN", "t0p"), ("GITLAB_HOST", host.as_str())];
        let (report, output) = rig.audit(&source, &["--texts"], &environment);
        let told = report["skipped"].to_string();
        assert!(told.contains(&format!("(texts): {lost}")) && told.contains("is disabled"), "{told}");
        assert!(texts(&report, &rig).contains(kept), "{refused}: {}", stderr(&output));
        // Once it is allowed it is read from its beginning, and nothing is said any more.
        rig.forge.world().refused.clear();
        let (report, output) = rig.audit(&source, &["--texts"], &environment);
        assert_eq!(report["skipped"], json!([]), "{refused}");
        assert_eq!(texts(&report, &rig), set(&["issues/7.md", "merge_requests/9.md"]), "{}", stderr(&output));
    }
}

#[test]
fn what_was_edited_during_a_pass_or_in_its_second_is_read_the_next_time() {
    let mut rig = Rig::of(1, 62);
    let early = comment(&mut rig, 1, "2026-03-05T11:59:00Z");
    {
        let mut world = rig.forge.world();
        // The last text is much later than the pass began: another clock, or an edit during it.
        world.date = Some("Thu, 05 Mar 2026 12:00:00 GMT".to_owned());
        world.repos[0].comments.push(early);
        world.repos[0]
            .issues
            .push(json!({"number": 3, "title": "late", "body": "", "updated_at": "2026-03-05T12:09:00Z"}));
    }
    let source = format!("github:{}/acme", rig.forge.address);
    let (report, _) = rig.audit(&source, &["--texts"], &rig.github());
    assert_eq!(texts(&report, &rig), set(&["comments/of-7-1.md"]));
    let (during, same) =
        (comment(&mut rig, 2, "2026-03-05T12:00:01Z"), comment(&mut rig, 3, "2026-03-05T12:00:00Z"));
    let behind = comment(&mut rig, 4, "2026-03-05T11:58:00Z");
    {
        let mut world = rig.forge.world();
        world.date = Some("Thu, 05 Mar 2026 13:00:00 GMT".to_owned());
        world.repos[0].comments.extend([during, same, behind]);
        world.log.clear();
    }
    let (report, output) = rig.audit(&source, &["--texts"], &rig.github());
    let expected: Vec<String> = (1..5).map(|id| format!("comments/of-7-{id}.md")).collect();
    let expected: BTreeSet<String> = expected.into_iter().collect();
    assert_eq!(texts(&report, &rig), expected, "{}", stderr(&output));
    // It is asked for what is new, and not for all.
    let world = rig.forge.world();
    let asked = world.log.iter().find(|asked| asked.path.ends_with("r0/issues/comments")).expect("asked");
    assert!(asked.query.contains("since=2026-03-05T11%3A55%3A00Z"), "{}", asked.query);
}

#[test]
fn what_a_forge_cannot_bring_of_any_repository_is_not_asked_for_again_and_again() {
    let rig = Rig::of(8, 67);
    let fault = (500, vec![], String::new());
    rig.forge.world().refused.push(("/issues/comments".to_owned(), fault));
    let source = format!("gitea:{}/acme", rig.forge.address);
    let (report, output) = rig.audit(&source, &["--texts"], &gitea(&rig));
    let told = report["skipped"].to_string();
    for number in 0..8 {
        assert!(told.contains(&format!("acme/r{number} (texts): comments")), "{told}");
    }
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let asked = rig.forge.world().log.iter().filter(|asked| asked.path.contains("/issues/comments")).count();
    // Four tries of eight repositories, each repeated five times, would be 192.
    assert!((8..=64).contains(&asked), "{asked}");
}
