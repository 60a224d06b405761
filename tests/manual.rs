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
