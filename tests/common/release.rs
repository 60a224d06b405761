//! A made-up release, packed by `packaging/make.py` as the release workflow does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The platforms of a release; the first is the one that tests can run on.
pub const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
];
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The file name of the program on a platform.
pub fn program(target: &str) -> &'static str {
    if target.contains("windows") { "sidsweep.exe" } else { "sidsweep" }
}

/// Whether a program is here. CI must have it.
pub fn has(program: &str, arguments: &[&str]) -> bool {
    let ran = Command::new(program).args(arguments).output();
    let is_here = ran.is_ok_and(|output| output.status.success());
    if !is_here {
        assert!(std::env::var_os("CI").is_none(), "CI has to have {program}");
        eprintln!("SKIPPED: there is no {program} {arguments:?} on this machine");
    }
    is_here
}

/// Python as `packaging/make.py` needs it.
pub fn has_python() -> bool {
    has("python3", &["-c", "import tomllib"])
}

pub fn make(arguments: &[&str]) -> Output {
    let mut command = Command::new("python3");
    command.arg(root().join("packaging/make.py")).args(arguments).env_remove("SOURCE_DATE_EPOCH");
    command.output().expect("python3 runs")
}

/// A release: for this machine with the program under test, for others with a few bytes that name the platform.
pub struct Release {
    /// Where it lies, for as long as the tests run; nobody changes it.
    folder: PathBuf,
}

impl Release {
    /// It is packed once for the tests of one binary.
    pub fn packed() -> &'static Self {
        static PACKED: OnceLock<Release> = OnceLock::new();
        PACKED.get_or_init(Self::pack)
    }

    fn pack() -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("release-", env!("CARGO_CRATE_NAME")));
        let _ = std::fs::remove_dir_all(&folder);
        let built = Path::new(env!("CARGO_BIN_EXE_sidsweep"));
        for target in TARGETS {
            super::write(&folder, &format!("binaries/{target}/{}", program(target)), target);
        }
        let release = Self { folder };
        let here = release.binaries().join(TARGETS[0]).join("sidsweep");
        // What tells debuggers about it is most of it, and would be packed several times.
        let stripped = Command::new("strip").arg("-o").arg(&here).arg(built).status();
        if !stripped.is_ok_and(|status| status.success()) {
            std::fs::copy(built, &here).expect("copied");
        }
        let path = |path: PathBuf| path.display().to_string();
        let (binaries, dist) = (path(release.binaries()), path(release.dist()));
        let pages = path(built.to_owned());
        let output = make(&["release", "--binaries", &binaries, "--out", &dist, "--pages", &pages]);
        assert!(output.status.success(), "{}", super::stderr(&output));
        release
    }

    pub fn binaries(&self) -> PathBuf {
        self.folder.join("binaries")
    }

    pub fn dist(&self) -> PathBuf {
        self.folder.join("dist")
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dist().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("text")
    }
}
