//! The demo of the README runs to its end with the real binary, and shows no secret.

use std::path::Path;
use std::process::Command;

#[test]
fn the_demo_finds_proves_revokes_and_proves_again() {
    let binary = Path::new(env!("CARGO_BIN_EXE_sidsweep"));
    let demo = binary.with_file_name("examples").join(format!("demo{}", std::env::consts::EXE_SUFFIX));
    assert!(
        demo.exists(),
        "{}: `cargo test` builds the examples, `cargo test --test` does not",
        demo.display()
    );
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(demo)
        .env("SIDSWEEP_DEMO_BINARY", binary)
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for (words, count) in [("REVOKED ", 2), ("BY HAND ", 1), ("which is not one of your accounts", 2)] {
        assert_eq!(text.matches(words).count(), count, "{words}: {text}");
    }
    for words in [
        "Send order confirmations",
        "Verdicts: 4 live, 1 rejected",
        "Verdicts: 2 live, 3 rejected",
        "proven dead",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(runs.filter(|run| run.len() == 32).count(), 0, "a value is shown: {text}");
}
