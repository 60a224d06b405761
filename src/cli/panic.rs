//! What is said when the program itself breaks.

use std::panic::{PanicHookInfo, set_hook};

/// From here on a panic tells where it was, and nothing else: what it would say may quote the text that was being read.
pub fn hide_values() {
    set_hook(Box::new(tell));
}

/// The same, and the process ends with the exit code by which a coding agent's hook refuses: an agent goes on after any other one.
pub fn refuse() {
    set_hook(Box::new(|panic: &PanicHookInfo| {
        tell(panic);
        std::process::exit(2);
    }));
}

fn tell(panic: &PanicHookInfo) {
    let place = panic
        .location()
        .map_or_else(|| "an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    super::output::complain(&format!(
        "error: sidsweep {} broke at {place}. Nothing that it read is shown here, since that may hold a secret. \
         Please report this line; a scan of one half of the files after the other shows which file it was.",
        env!("CARGO_PKG_VERSION")
    ));
}

/// From here on a crash leaves no image of memory on the disk: what is read holds secrets. Where the system refuses, nothing is lost
/// by going on.
pub fn leave_no_image() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// Set for the process that panics.
    const CHILD: &str = "SIDSWEEP_TEST_PANICS";

    #[test]
    fn a_panic_shows_no_value() {
        let value = "3f9a0c4be1d2\u{e9}7586";
        if let Ok(way) = std::env::var(CHILD) {
            if way == "refuse" {
                super::refuse();
                panic!("{value}");
            }
            super::hide_values();
            match way.as_str() {
                // A slice of a text quotes the text.
                "slice" => drop(value[..13].to_owned()),
                "result" => value.parse::<u8>().map(drop).map_err(|_| value).expect("it goes"),
                _ => panic!("{value}"),
            }
        }
        for way in ["slice", "result", "words", "refuse"] {
            let program = std::env::current_exe().expect("this program");
            let output = Command::new(program)
                .args(["--exact", "cli::panic::tests::a_panic_shows_no_value", "--nocapture"])
                .env(CHILD, way)
                .env("RUST_BACKTRACE", "full")
                .env("RUST_LOG", "trace")
                .output()
                .expect("it runs");
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(!output.status.success(), "{way}");
            assert!(said.contains("broke at src/cli/panic.rs:"), "{way}: {said}");
            assert!(!said.contains("3f9a"), "{way}: {said}");
            assert_eq!(output.status.code() == Some(2), way == "refuse", "{way}");
        }
    }
}
