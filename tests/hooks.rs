//! `sidsweep hook`: real commits and pushes that are refused, and other people's hooks that stay.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
#[path = "hooks/policies.rs"]
mod policies;

use std::path::Path;
use std::process::{Command, Output};

use common::fixture::Mint;
use common::{git, repository, run, stderr, stdout, write};

fn leak(seed: u64) -> String {
    Mint::new(seed).fill("TWILIO_ACCOUNT_SID={{ac:1}}\nTWILIO_AUTH_TOKEN={{token:1}}\n").0
}

/// git as a user runs it, whatever comes of it.
fn try_git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

fn install(folder: &Path, kind: &str) {
    let output = run(folder, &["hook", "install", "--type", kind]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_leak_is_not_committed_in_any_way_of_committing() {
    let folder = repository();
    let at = folder.path();
    write(at, "a.env", "clean\n");
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "first"]);
    install(at, "pre-commit");
    write(at, "a.env", leak(1));
    let refused: [&[&str]; 4] = [
        &["commit", "-q", "-a", "-m", "x"],
        &["commit", "-q", "a.env", "-m", "x"],
        &["commit", "-q", "--amend", "-a", "--no-edit"],
        &["-C", ".", "commit", "-q", "-am", "x"],
    ];
    for arguments in refused {
        let output = try_git(at, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let shown = stderr(&output);
        assert!(
            shown.contains("a.env:2  Auth Token") && shown.lines().count() <= 12 && !shown.contains('\u{1b}'),
            "{shown}"
        );
        let token = leak(1).lines().nth(1).unwrap().split_once('=').unwrap().1.to_owned();
        assert!(!shown.contains(&token));
        assert_eq!(git(at, &["rev-list", "--count", "HEAD"]), "1");
    }
    // Staged, then cleaned in the work tree.
    git(at, &["add", "a.env"]);
    write(at, "a.env", "clean\n");
    assert!(!try_git(at, &["commit", "-q", "-m", "x"]).status.success());
    // Clean again, and the ways on.
    git(at, &["add", "a.env"]);
    assert!(try_git(at, &["commit", "-q", "--allow-empty", "-m", "clean"]).status.success());
    write(at, "a.env", leak(1));
    assert!(try_git(at, &["commit", "-q", "-am", "x", "--no-verify"]).status.success());
    // What is in HEAD already does not stop a commit on another line.
    write(at, "a.env", format!("# touched\n{}", leak(1)));
    assert!(try_git(at, &["commit", "-q", "-am", "touch"]).status.success());
}

#[test]
fn a_reason_on_the_line_lets_it_pass_and_is_listed() {
    let folder = repository();
    let at = folder.path();
    install(at, "pre-commit");
    let text = Mint::new(2).fill("TWILIO_AUTH_TOKEN={{token:1}}").0;
    write(at, "a.env", format!("{text} # sidsweep:allow\n"));
    git(at, &["add", "-A"]);
    assert!(
        !try_git(at, &["commit", "-q", "-m", "x"]).status.success(),
        "without a reason it does not count"
    );
    write(at, "a.env", format!("{text} # sidsweep:allow revoked in May\n"));
    git(at, &["add", "-A"]);
    assert!(try_git(at, &["commit", "-q", "-m", "x"]).status.success());
    let (report, code) = common::report(at, &[]);
    assert_eq!((code, report["suppressed"][0]["reason"].as_str()), (0, Some("revoked in May")));
    write(at, "a.env", format!("# sidsweep:allow revoked in May\n{text}\n\n{}", leak(3)));
    let (report, code) = common::report(at, &[]);
    assert_eq!((code, report["suppressed"].as_array().unwrap().len()), (1, 1), "only the line below");
}

#[test]
fn hooks_work_in_linked_worktrees_and_submodules() {
    let folder = repository();
    let at = folder.path();
    git(at, &["commit", "-q", "--allow-empty", "-m", "first"]);
    install(at, "pre-commit");
    let linked = folder.path().join("linked");
    git(at, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    write(&linked, "a.env", leak(1));
    git(&linked, &["add", "-A"]);
    assert!(!try_git(&linked, &["commit", "-q", "-m", "x"]).status.success());
    let outer = repository();
    git(outer.path(), &["submodule", "--quiet", "add", at.to_str().unwrap(), "sub"]);
    let sub = outer.path().join("sub");
    install(&sub, "pre-commit");
    write(&sub, "a.env", leak(2));
    git(&sub, &["add", "-A"]);
    assert!(!try_git(&sub, &["commit", "-q", "-m", "x"]).status.success());
}

#[test]
fn somebody_elses_hook_is_kept_chained_and_comes_back_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = repository();
    let at = folder.path();
    let hook = at.join(".git/hooks/pre-commit");
    let own = "#!/bin/sh\necho own >> own.log\nexit 0\n";
    write(at, ".git/hooks/pre-commit", own);
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    install(at, "pre-commit");
    let once = std::fs::read(&hook).unwrap();
    install(at, "pre-commit");
    assert_eq!(std::fs::read(&hook).unwrap(), once, "twice is the same as once");
    assert!(
        stdout(&run(at, &["hook", "status"])).contains("pre-commit   installed, with your own hook after it")
    );
    write(at, "a", "clean");
    git(at, &["add", "a"]);
    assert!(try_git(at, &["commit", "-q", "-m", "x"]).status.success());
    assert_eq!(std::fs::read_to_string(at.join("own.log")).unwrap(), "own\n");
    run(at, &["hook", "uninstall"]);
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), own);
    assert!(!at.join(".git/hooks/pre-commit.before-sidsweep").exists());
    run(at, &["hook", "uninstall"]);
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), own, "not ours: left alone");
}

/// Installs a hook where somebody else manages them, which must be refused, and returns the lines that are to be written instead.
fn lines_instead(at: &Path, kind: &str) -> String {
    let output = run(at, &["hook", "install", "--type", kind]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    said.split_once("\n\n").unwrap_or_else(|| panic!("{said}")).1.to_owned()
}

fn status(at: &Path) -> (Option<i32>, String) {
    let output = run(at, &["hook", "status"]);
    (output.status.code(), stdout(&output))
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The program by its name, as a manager's configuration calls it.
fn git_with_program(at: &Path, arguments: &[&str]) -> Output {
    let bin = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sidsweep"), bin.path().join("sidsweep")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(bin.path().to_owned()).chain(std::env::split_paths(&path));
    Command::new("git")
        .current_dir(at)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

#[test]
fn the_lines_for_husky_stop_a_leak() {
    let server = tempfile::tempdir().unwrap();
    git(server.path(), &["init", "-q", "--bare", "s.git"]);
    let folder = repository();
    let at = folder.path();
    git(at, &["remote", "add", "origin", server.path().join("s.git").to_str().unwrap()]);
    git(at, &["commit", "-q", "--allow-empty", "-m", "first"]);
    git(at, &["config", "core.hooksPath", ".husky/_"]);
    assert_eq!(status(at).0, Some(1));
    for kind in ["pre-commit", "pre-push"] {
        // What husky 9 makes of a file of its folder.
        executable(
            &at.join(".husky/_").join(kind),
            "#!/bin/sh\nexec sh -e \".husky/$(basename \"$0\")\" \"$@\"\n",
        );
        write(at, &format!(".husky/{kind}"), lines_instead(at, kind));
    }
    let (code, shown) = status(at);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("pre-commit   run by husky") && shown.contains("pre-push     run by husky"),
        "{shown}"
    );
    write(at, "a.env", leak(1));
    git(at, &["add", "a.env"]);
    let refused = git_with_program(at, &["commit", "-q", "-m", "x"]);
    assert!(
        !refused.status.success() && stderr(&refused).contains("this commit would leak"),
        "{}",
        stderr(&refused)
    );
    assert!(git_with_program(at, &["commit", "-q", "--no-verify", "-m", "x"]).status.success());
    let refused = git_with_program(at, &["push", "-q", "origin", "main"]);
    assert!(
        !refused.status.success() && stderr(&refused).contains("this push would leak"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn lefthook_gets_lines_of_the_hooks_own_kind() {
    let folder = repository();
    let at = folder.path();
    write(at, "lefthook.yml", "");
    assert!(
        lines_instead(at, "pre-commit")
            .contains("pre-commit:\n  commands:\n    sidsweep:\n      run: sidsweep hook run pre-commit\n")
    );
    let lines = lines_instead(at, "pre-push");
    assert!(lines.contains("run: sidsweep hook run pre-push -- {0}\n      use_stdin: true"), "{lines}");
    assert_eq!(status(at).0, Some(1));
    write(at, "lefthook.yml", lines);
    let (code, shown) = status(at);
    assert!(code == Some(0) && shown.contains("pre-push     run by lefthook"), "{shown}");
    assert!(shown.contains("pre-commit   not in the configuration of lefthook"), "{shown}");
    // On a server there is no lefthook.
    install(at, "pre-receive");
}

#[test]
fn status_tells_a_hook_that_does_not_run() {
    let folder = repository();
    let at = folder.path();
    let (code, shown) = status(at);
    assert!(code == Some(1) && shown.matches("not installed").count() == 3, "{shown}");
    install(at, "pre-commit");
    assert_eq!(status(at).0, Some(0));
    let hook = at.join(".git/hooks/pre-commit");
    let text = std::fs::read_to_string(&hook).unwrap();
    // The program is gone, is a folder, or is not named at all.
    let program = env!("CARGO_BIN_EXE_sidsweep");
    for (other, words) in [
        ("/gone/sidsweep", "no program at /gone/sidsweep"),
        ("/tmp", "no program at /tmp"),
        ("x'\n: '", "installed"),
    ] {
        executable(&hook, &text.replace(program, other));
        let (code, shown) = status(at);
        assert!(code == Some(1) && shown.contains(words), "{other}: {shown}");
    }
    executable(&hook, &text);
    assert_eq!(status(at).0, Some(0));
    // One that is broken is not made good by another one that works.
    install(at, "pre-push");
    let sane = std::fs::read(&hook).unwrap();
    std::fs::remove_file(&hook).unwrap();
    std::fs::write(&hook, sane).unwrap();
    let (code, shown) = status(at);
    assert!(code == Some(1) && shown.contains("not executable"), "{shown}");
    executable(&hook, &text);
    // Git looks elsewhere.
    git(at, &["config", "core.hooksPath", "tools/hooks"]);
    let (code, shown) = status(at);
    assert!(code == Some(1) && shown.contains("git does not run it: core.hooksPath is"), "{shown}");
    install(at, "pre-commit");
    install(at, "pre-push");
    assert!(at.join("tools/hooks/pre-commit").exists());
    assert_eq!(status(at).0, Some(0), "{}", status(at).1);
}

/// Puts something into a repository.
#[cfg(unix)]
type Plant<'a> = &'a dyn Fn(&Path);

#[test]
#[cfg(unix)]
fn what_lies_in_a_git_folder_is_looked_at_before_it_is_opened() {
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    // git itself would wait at the pipe.
    let include = |at: &Path| {
        let settings = std::fs::read_to_string(at.join(".git/config")).unwrap();
        write(at, ".git/config", format!("{settings}[include]\n\tpath = included\n"));
    };
    let plants: [(&str, Plant<'_>); 5] = [
        ("HEAD", &|at| {
            std::fs::remove_file(at.join(".git/HEAD")).unwrap();
            pipe(&at.join(".git/HEAD"));
        }),
        ("config", &|at| {
            std::fs::remove_file(at.join(".git/config")).unwrap();
            pipe(&at.join(".git/config"));
        }),
        ("packed-refs", &|at| pipe(&at.join(".git/packed-refs"))),
        ("included", &|at| (include(at), pipe(&at.join(".git/included"))).1),
        ("deeper", &|at| {
            include(at);
            write(at, ".git/included", "[includeIf \"gitdir:**\"]\n\tpath = deeper\n");
            pipe(&at.join(".git/deeper"));
        }),
    ];
    for (name, plant) in plants {
        let folder = repository();
        let at = folder.path();
        plant(at);
        for arguments in [&["hook", "install"][..], &["hook", "uninstall"], &["hook", "status"]] {
            let output = Command::new("timeout")
                .args(["-s", "KILL", "60", env!("CARGO_BIN_EXE_sidsweep")])
                .args(arguments)
                .current_dir(at)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
            assert!(stderr(&output).contains(name), "{name}: {}", stderr(&output));
            assert!(stderr(&output).contains("named pipe"), "{name}: {}", stderr(&output));
        }
        assert!(!at.join(".git/hooks/pre-commit").exists(), "{name}");
    }
    // Settings that are included still say where hooks are.
    let folder = repository();
    write(folder.path(), ".git/included", "[core]\n\thooksPath = tools/hooks\n");
    include(folder.path());
    install(folder.path(), "pre-commit");
    assert!(folder.path().join("tools/hooks/pre-commit").exists());
}

#[test]
fn a_hook_whose_program_is_gone_fails_closed() {
    let folder = repository();
    let at = folder.path();
    install(at, "pre-commit");
    let hook = at.join(".git/hooks/pre-commit");
    let text =
        std::fs::read_to_string(&hook).unwrap().replace(env!("CARGO_BIN_EXE_sidsweep"), "/gone/sidsweep");
    std::fs::write(&hook, text).unwrap();
    let output = try_git(at, &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("sidsweep is gone from /gone/sidsweep"), "{}", stderr(&output));
}

#[test]
fn a_push_is_checked_for_what_the_other_side_does_not_have() {
    let server = tempfile::tempdir().unwrap();
    git(server.path(), &["init", "-q", "--bare", "s.git"]);
    let folder = repository();
    let at = folder.path();
    git(at, &["remote", "add", "origin", server.path().join("s.git").to_str().unwrap()]);
    write(at, "old.env", leak(1));
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "old leak"]);
    git(at, &["push", "-q", "origin", "main"]);
    install(at, "pre-push");
    // The old leak is there already; a new branch without a new leak passes, and so does a deletion.
    git(at, &["checkout", "-q", "-b", "clean"]);
    git(at, &["commit", "-q", "--allow-empty", "-m", "clean"]);
    assert!(try_git(at, &["push", "-q", "origin", "clean"]).status.success());
    assert!(try_git(at, &["push", "-q", "origin", ":clean"]).status.success());
    // Added and removed again: it would be in the pushed history.
    write(at, "new.env", leak(2));
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "leak"]);
    git(at, &["rm", "-q", "new.env"]);
    git(at, &["commit", "-q", "-m", "remove"]);
    for target in ["clean", "clean:main"] {
        let output = try_git(at, &["push", "-q", "origin", target]);
        assert!(!output.status.success(), "{target}");
        assert!(
            stderr(&output).contains("this push would leak") && stderr(&output).contains("new.env"),
            "{}",
            stderr(&output)
        );
        assert!(!stderr(&output).contains("old.env"));
        // The commit, and how it is rewritten: another one on top would leave it in history.
        let commit = git(at, &["rev-parse", "--short=12", "HEAD~1"]);
        assert!(
            stderr(&output).contains(&format!("git rebase --interactive {commit}~1")),
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains(&format!(", in commit {commit}")), "{}", stderr(&output));
    }
    // A tag that stands for what no branch leads to.
    git(at, &["tag", "-a", "v1", "-m", "one"]);
    git(at, &["reset", "-q", "--hard", "origin/main"]);
    let output = try_git(at, &["push", "-q", "origin", "v1"]);
    assert!(!output.status.success() && stderr(&output).contains("new.env"), "{}", stderr(&output));
    // A tag of a file is no commit.
    git(at, &["tag", "file", "HEAD:old.env"]);
    assert!(try_git(at, &["push", "-q", "origin", "file"]).status.success());
}

#[test]
fn a_server_refuses_a_push_whose_objects_are_still_in_quarantine() {
    let server = tempfile::tempdir().unwrap();
    git(server.path(), &["init", "-q", "--bare", "s.git"]);
    let bare = server.path().join("s.git");
    install(&bare, "pre-receive");
    let folder = repository();
    let at = folder.path();
    git(at, &["remote", "add", "origin", bare.to_str().unwrap()]);
    write(at, "a", "clean");
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "clean"]);
    let output = try_git(at, &["push", "-q", "origin", "main"]);
    assert!(output.status.success(), "{}", stderr(&output));
    write(at, "b.env", leak(1));
    git(at, &["add", "-A"]);
    git(at, &["commit", "-q", "-m", "leak"]);
    let output = try_git(at, &["push", "-q", "origin", "main"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("b.env:2"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("--no-verify"), "whoever pushes cannot skip a server's hook");
    assert_eq!(git(&bare, &["rev-list", "--count", "main"]), "1");
}

#[test]
fn hooks_refuse_what_cannot_be_read_unless_it_is_accepted_by_name() {
    // A Zstandard frame that needs a window of 256 MB, and a container that is not opened.
    let huge = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x01, 0x00, 0x00];
    let server = tempfile::tempdir().unwrap();
    for (kind, pushes) in [("pre-commit", false), ("pre-push", true), ("pre-receive", true)] {
        // A server each: commits of one second are the same commits, and of those nothing is new.
        let name = format!("{kind}.git");
        git(server.path(), &["init", "-q", "--bare", &name]);
        let bare = server.path().join(name);
        let folder = repository();
        let at = folder.path();
        git(at, &["remote", "add", "origin", bare.to_str().unwrap()]);
        git(at, &["checkout", "-q", "-b", kind]);
        write(at, "fixtures/it's huge.zst", huge);
        write(at, "box.rar", b"Rar!\x1a\x07\x01\0");
        git(at, &["add", "-A"]);
        let place = if kind == "pre-receive" { bare.as_path() } else { at };
        let attempt = |options: &[&str]| {
            let installed = run(place, &[&["hook", "install", "--type", kind], options].concat());
            assert!(installed.status.success(), "{}", stderr(&installed));
            if pushes {
                try_git(at, &["commit", "-q", "--allow-empty", "-m", "huge"]);
                try_git(at, &["push", "-q", "origin", kind])
            } else {
                try_git(at, &["commit", "-q", "-m", "huge"])
            }
        };
        let output = attempt(&[]);
        assert!(
            !output.status.success() && stderr(&output).contains("it's huge.zst"),
            "{kind}: {}",
            stderr(&output)
        );
        assert!(!stderr(&output).contains("box.rar"), "{kind}: {}", stderr(&output));
        let output = attempt(&["--accept-unread", "it's huge.zst", "--fail-on-opaque"]);
        assert!(
            !output.status.success() && stderr(&output).contains("box.rar"),
            "{kind}: {}",
            stderr(&output)
        );
        let output = attempt(&["--accept-unread", "it's huge.zst"]);
        assert!(output.status.success(), "{kind}: {}", stderr(&output));
        run(place, &["hook", "uninstall", "--type", kind]);
    }
    let wrong = run(&server.path().join("pre-push.git"), &["hook", "install", "--accept-unread", "[z-a]"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("--accept-unread [z-a]"), "{}", stderr(&wrong));
}

/// Repositories with a clean commit on the server, and a change that makes what is to be refused; what is pushed.
type Change = fn(&Path) -> &'static str;

#[test]
fn what_tags_say_and_stand_for_is_looked_at_by_both_hooks_of_a_push() {
    let cases: [(&str, Change); 5] = [
        ("a tag's message", |at| {
            git(at, &["tag", "-a", "v1", "-m", &leak(5)]);
            "v1"
        }),
        ("a tag of a tag", |at| {
            git(at, &["tag", "-a", "inner", "-m", &leak(5)]);
            git(at, &["tag", "-a", "outer", "-m", "words", "inner"]);
            "outer"
        }),
        ("a tag of a file", |at| {
            write(at, "loose.env", leak(5));
            let blob = git(at, &["hash-object", "-w", "loose.env"]);
            git(at, &["tag", "file", &blob]);
            "file"
        }),
        ("an annotated tag of a folder", |at| {
            write(at, "sub/loose.env", leak(5));
            git(at, &["add", "sub"]);
            let tree = git(at, &["write-tree"]);
            git(at, &["tag", "-a", "folder", "-m", "words", &tree]);
            "folder"
        }),
        ("a tag that was merged", |at| {
            let merge = common::merge_of_tag(at, &leak(5));
            git(at, &["reset", "-q", "--hard", &merge]);
            "main"
        }),
    ];
    for kind in ["pre-push", "pre-receive"] {
        for (case, change) in cases {
            let server = tempfile::tempdir().unwrap();
            git(server.path(), &["init", "-q", "--bare", "s.git"]);
            let bare = server.path().join("s.git");
            let folder = repository();
            let at = folder.path();
            git(at, &["remote", "add", "origin", bare.to_str().unwrap()]);
            write(at, "a", "clean");
            git(at, &["add", "-A"]);
            git(at, &["commit", "-q", "-m", "clean"]);
            git(at, &["push", "-q", "origin", "main"]);
            install(if kind == "pre-push" { at } else { &bare }, kind);
            let pushed = change(at);
            let output = try_git(at, &["push", "-q", "origin", pushed]);
            assert!(!output.status.success(), "{case} passes {kind}");
            assert!(stderr(&output).contains("Auth Token"), "{case}, {kind}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_server_with_a_work_tree_checks_what_it_receives() {
    let server = repository();
    let there = server.path();
    git(there, &["commit", "-q", "--allow-empty", "-m", "first"]);
    git(there, &["config", "receive.denyCurrentBranch", "updateInstead"]);
    install(there, "pre-receive");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("clone");
    git(folder.path(), &["clone", "-q", there.to_str().unwrap(), "clone"]);
    write(&at, "a", "clean");
    git(&at, &["add", "-A"]);
    git(&at, &["commit", "-q", "-m", "clean"]);
    let output = try_git(&at, &["push", "-q", "origin", "HEAD:main"]);
    assert!(output.status.success(), "{}", stderr(&output));
    write(&at, "b.env", leak(1));
    git(&at, &["add", "-A"]);
    git(&at, &["commit", "-q", "-m", "leak"]);
    let output = try_git(&at, &["push", "-q", "origin", "HEAD:main"]);
    assert!(!output.status.success() && stderr(&output).contains("b.env:2"), "{}", stderr(&output));
    assert!(!there.join("b.env").exists());
}

#[test]
fn hooks_of_a_repository_whose_references_cannot_be_read_say_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    git(at, &["init", "-q", "--ref-format=reftable"]);
    install(at, "pre-commit");
    write(at, "a", "clean");
    git(at, &["add", "-A"]);
    let output = try_git(at, &["commit", "-q", "-m", "x"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("git refs migrate --ref-format=files"), "{}", stderr(&output));
}
