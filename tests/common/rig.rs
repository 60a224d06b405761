//! A simulated Twilio, a folder of code, and the real binary between them. Whatever the binary writes is searched for
//! the secrets that were planted.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use twilio_sim::{Sim, World};

/// A simulator with a folder to scan and a home to write into.
pub struct Rig {
    pub sim: Sim,
    root: tempfile::TempDir,
    admin: Option<(String, String)>,
    planted: Vec<String>,
}

impl Rig {
    /// Starts a simulator with this world.
    pub fn new(world: World) -> Self {
        let sim = Sim::start(world);
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["code", "home", "tmp", "out"] {
            std::fs::create_dir(root.path().join(folder)).expect("made");
        }
        std::fs::write(root.path().join("authority.pem"), &sim.authority).expect("written");
        Self { sim, root, admin: None, planted: Vec::new() }
    }

    /// The folder of code.
    pub fn code(&self) -> PathBuf {
        self.root.path().join("code")
    }

    /// Where tests put reports, plans and journals.
    pub fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Writes a file of code.
    pub fn write(&self, path: &str, text: &str) {
        super::write(&self.code(), path, text);
    }

    /// Lets the binary act for an account with its primary token.
    pub fn administer(&mut self, account: &str) {
        let token = self.sim.world().token(account);
        self.admin = Some((account.to_owned(), token));
    }

    /// Lets the binary act with this pair.
    pub fn administer_with(&mut self, user: &str, secret: &str) {
        self.admin = Some((user.to_owned(), secret.to_owned()));
    }

    /// A value that no output may hold, besides those of the simulator.
    pub fn plant(&mut self, value: &str) {
        self.planted.push(value.to_owned());
    }

    /// The binary with its environment, in the folder of code.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = super::sidsweep();
        command
            .current_dir(self.code())
            .args(arguments)
            .env("HOME", self.root.path().join("home"))
            .env_remove("XDG_STATE_HOME")
            .env("TMPDIR", self.root.path().join("tmp"))
            // Whatever a library would log, or a panic show, is searched for secrets like all the rest.
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("SIDSWEEP_TWILIO_ENDPOINT", &self.sim.endpoint)
            // What is refused is asked again after a pause, for which tests need not wait.
            .env("SIDSWEEP_TWILIO_PAUSE_MS", "20")
            .env("SIDSWEEP_TWILIO_CA", self.root.path().join("authority.pem"));
        for name in
            ["SIDSWEEP_ADMIN_USER", "SIDSWEEP_ADMIN_SECRET", "SIDSWEEP_ADMIN_ACCOUNT", "SIDSWEEP_JOURNAL"]
        {
            command.env_remove(name);
        }
        if let Some((user, secret)) = &self.admin {
            command.env("SIDSWEEP_ADMIN_USER", user).env("SIDSWEEP_ADMIN_SECRET", secret);
        }
        command
    }

    /// Runs it, and searches all that it wrote for secrets.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the binary runs");
        self.check(&output);
        output
    }

    /// Searches an output, and all files outside of the code, for secrets.
    pub fn check(&self, output: &Output) {
        let secrets = self.secrets();
        let clean = |what: &str, bytes: &[u8]| {
            for secret in &secrets {
                let shown = memchr_find(bytes, &secret.as_bytes()[..12]);
                assert!(
                    !shown,
                    "{what} shows more than four characters of a secret that begins with {}",
                    &secret[..4]
                );
            }
        };
        clean("standard output", &output.stdout);
        clean("standard error", &output.stderr);
        for folder in ["home", "tmp", "out"] {
            each_file(&self.root.path().join(folder), &mut |path| {
                if path.extension().is_some_and(|extension| extension == "secret") {
                    return;
                }
                clean(&path.display().to_string(), &std::fs::read(path).unwrap_or_default());
            });
        }
    }

    fn secrets(&self) -> Vec<String> {
        let mut all = self.sim.world().secrets();
        all.extend(self.planted.clone());
        let pairs: Vec<String> = self
            .sim
            .world()
            .keys
            .values()
            .map(|key| data_encoding::BASE64.encode(format!("{}:{}", key.sid, key.secret).as_bytes()))
            .map(|encoded| encoded[48..].to_owned())
            .collect();
        all.extend(pairs);
        all
    }

    /// Starts it, and kills it as soon as `when` says so; whether it was killed before it ended by itself.
    pub fn kill(&self, arguments: &[&str], when: &mut dyn FnMut() -> bool) -> bool {
        use std::process::Stdio;
        let mut child = self
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        loop {
            if child.try_wait().expect("waited").is_some() {
                return false;
            }
            if when() {
                child.kill().expect("killed");
                child.wait().expect("waited");
                return true;
            }
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }

    /// The lines of the journal in the place where tests keep it.
    pub fn journal(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.out().join("journal.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Runs a scan with --verify and returns its report and exit code.
    pub fn verified(&self, arguments: &[&str]) -> (serde_json::Value, i32) {
        let mut all = vec!["scan", "--verify", "--rate", "10000", "--format", "json"];
        all.extend(arguments);
        let output = self.run(&all);
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        super::hold_to_schema(&report);
        (report, output.status.code().expect("not killed"))
    }
}

fn memchr_find(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_file(&path, visit);
        } else {
            visit(&path);
        }
    }
}

/// A key and its secret as they leak, with their account.
pub fn key_code(key: &str, secret: &str, account: &str) -> String {
    format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_API_KEY={key}\nTWILIO_API_SECRET={secret}\n")
}

/// An Auth Token as it leaks, with its account.
pub fn token_code(account: &str, token: &str) -> String {
    format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n")
}
