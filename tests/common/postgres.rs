//! A real PostgreSQL in a folder of its own, on loopback; it ends when dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub struct Postgres {
    folder: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts one, if this machine has one; CI has to.
    pub fn start() -> Option<Self> {
        let Some(bin) = bin() else {
            assert!(std::env::var_os("CI").is_none(), "CI has to have PostgreSQL");
            eprintln!("SKIPPED: there is no PostgreSQL on this machine");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address")
            .port();
        let postgres = Self { folder, bin, port };
        if root() {
            // PostgreSQL does not run as root.
            let status = Command::new("chown")
                .arg("postgres")
                .arg(postgres.folder.path())
                .status()
                .expect("chown runs");
            assert!(status.success(), "there is a user postgres");
        }
        let data = postgres.folder.path().join("data");
        let made = postgres
            .command("initdb")
            .args(["-A", "trust", "-U", "ada", "-E", "UTF8", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.up();
        let made = postgres.psql("postgres", "CREATE DATABASE audits");
        assert!(made, "a database is made");
        Some(postgres)
    }

    pub fn url(&self) -> String {
        format!("postgres://ada@127.0.0.1:{}/audits", self.port)
    }

    /// Starts the server.
    pub fn up(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off",
            self.port,
            self.folder.path().display()
        );
        let status = self
            .command("pg_ctl")
            .args(["-w", "-l"])
            .arg(self.folder.path().join("log"))
            .args(["-o", &options, "-D"])
            .arg(self.folder.path().join("data"))
            .arg("start")
            .stdout(Stdio::null())
            .status()
            .expect("pg_ctl runs");
        assert!(status.success());
        let begin = Instant::now();
        while !self.psql("postgres", "SELECT 1") {
            assert!(begin.elapsed() < Duration::from_secs(30), "PostgreSQL answers");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server at once, as a crash would.
    pub fn down(&self) {
        let _ = self
            .command("pg_ctl")
            .args(["-m", "immediate", "-D"])
            .arg(self.folder.path().join("data"))
            .arg("stop")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }

    /// Changes something in the database of audits by hand.
    pub fn change(&self, statements: &[&str]) {
        for statement in statements {
            assert!(self.psql("audits", statement), "{statement}");
        }
    }

    fn psql(&self, database: &str, statement: &str) -> bool {
        self.command("psql")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "ada", "-qc", statement, database])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.down();
    }
}

fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Where its programs are: on the path, or where Debian puts them.
fn bin() -> Option<PathBuf> {
    let has = |folder: &Path| {
        folder.join("initdb").exists() && folder.join("pg_ctl").exists() && folder.join("psql").exists()
    };
    let path = std::env::var_os("PATH")?;
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    folders.into_iter().chain(std::env::split_paths(&path)).find(|folder| has(folder))
}
