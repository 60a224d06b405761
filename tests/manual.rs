//! Completions and manual pages, made from the commands themselves.

mod common;

use common::{run, stdout};

#[test]
fn every_shell_gets_completions_and_every_command_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(folder.path(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let text = stdout(&output);
        for command in ["scan", "revoke", "rotate", "contain", "inventory"] {
            assert!(text.contains(command), "{shell}: {command}");
        }
    }
    let bash = folder.path().join("sidsweep.bash");
    std::fs::write(&bash, stdout(&run(folder.path(), &["completions", "bash"]))).expect("written");
    let script = format!(
        "source {}; COMP_WORDS=(sidsweep rev); COMP_CWORD=1; _sidsweep sidsweep rev sidsweep; echo \"${{COMPREPLY[*]}}\"",
        bash.display()
    );
    let completed = std::process::Command::new("bash").args(["-c", &script]).output().expect("bash runs");
    assert_eq!(stdout(&completed).trim(), "revoke");
    let page = stdout(&run(folder.path(), &["man"]));
    assert!(page.starts_with(".ie") && page.contains("sidsweep"), "{page}");
    let output = run(folder.path(), &["man", "--dir", "pages"]);
    assert_eq!(output.status.code(), Some(0));
    for name in ["sidsweep", "sidsweep-scan", "sidsweep-revoke-apply", "sidsweep-rotate-auth-token"] {
        let page = std::fs::read_to_string(folder.path().join(format!("pages/{name}.1"))).expect(name);
        assert!(page.contains(".SH OPTIONS") || page.contains("SUBCOMMANDS"), "{name}");
    }
}

#[test]
fn alone_it_scans_the_repository_that_it_is_in() {
    let folder = common::repository();
    common::write(folder.path(), "a/readme.md", "hello\n");
    let output = common::run(&folder.path().join("a"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    assert!(common::stderr(&output).contains("sidsweep --help"), "it says what it does");
    assert!(common::stdout(&output).contains("Covered 1 file"), "{}", common::stdout(&output));
    // Elsewhere, in a home for instance, that would be a surprise.
    let folder = tempfile::tempdir().expect("a folder");
    let output = common::run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output.stdout.is_empty() && common::stderr(&output).contains("`sidsweep scan` scans this folder")
    );
}
