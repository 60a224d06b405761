//! What a scan costs, in instructions a byte: a figure that is the same however busy the machine is. Valgrind counts them, for
//! the tests' own build; two sizes of each input are measured, so that starting the program is left out.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::fixture::Mint;

/// Half of the sizes that are compared, in bytes.
const SIZE: usize = 600_000;
/// How much more than what was measured is let pass: processors and compilers differ, and a mistake costs more than that.
const TOLERANCE: f64 = 1.75;

/// A kind of input, how it is made, and how many instructions a byte of it took when this was written: more than in a release,
/// since valgrind knows fewer of a processor's ways to compare many bytes at once.
type Input = (&'static str, fn(&mut Mint) -> String, f64);

const INPUTS: [Input; 4] = [
    (
        "prose",
        |_| {
            "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals.\n"
                .into()
        },
        3.5,
    ),
    (
        "code",
        |mint| {
            format!(
                "  const item{} = lookup(table, 'name-{}', {{ depth: 3 }}); // twilio\n",
                mint.hex(3),
                mint.hex(4)
            )
        },
        3.6,
    ),
    ("hashes", |mint| format!("{}  src/dir/{}.c\n", mint.hex(32), mint.hex(3)), 9.0),
    ("one line", |mint| format!("function(e,t){{return e.{}||t[{}]}},", mint.base62(2), mint.hex(2)), 3.1),
];

fn instructions(folder: &Path) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_sidsweep")])
        .args(["scan", "--jobs", "1", "--no-ignore"])
        .arg(folder)
        .env("HOME", "/nonexistent")
        .output()
        .ok()?;
    let said = common::stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_byte_costs_no_more_than_it_did() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing");
        println!("skipped: valgrind is missing");
        return;
    }
    let mut wrong = Vec::new();
    for (name, line, expected) in INPUTS {
        let mut mint = Mint::new(5);
        let mut text = String::new();
        let mut counts = Vec::new();
        for size in [SIZE, 2 * SIZE] {
            while text.len() < size {
                text += &line(&mut mint);
            }
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("input.txt"), &text).expect("written");
            counts.push((text.len() as f64, instructions(folder.path()).expect("a count")));
        }
        let each = (counts[1].1 - counts[0].1) / (counts[1].0 - counts[0].0);
        println!("{name}: {each:.2} instructions a byte (was {expected})");
        if each > expected * TOLERANCE {
            wrong.push(format!("{name}: {each:.2} instructions a byte, where it took {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
