//! A leaky repository, a simulated Twilio, and the real binary between them: scan, verify, plan, apply, verify again.
//!
//!     cargo run --release --example demo
//!
//! Nothing leaves this machine: all values are made up on the spot, and the simulator listens on loopback.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use twilio_sim::{KeyKind, Sim, World};

/// Files with their text; none where a file is taken out.
type Files<'a> = &'a [(&'a str, Option<String>)];
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let binary = binary()?;
    let folder = tempfile::Builder::new().prefix("sidsweep-demo-").tempdir()?.keep();
    let repository = folder.join("shop");
    std::fs::create_dir(&repository)?;
    let mut world = World::new(fastrand::u64(..));
    let cast = Cast::new(&mut world);
    leak(&repository, &cast)?;
    let sim = Sim::start(world);
    let authority = folder.join("authority.pem");
    std::fs::write(&authority, &sim.authority)?;

    println!("A shop's repository, with a history, is at {}.", repository.display());
    println!("A simulated Twilio stands in for the real one at {}.\n", sim.endpoint);
    let stage = Stage { binary, repository, folder: folder.clone(), sim: &sim, authority, admin: cast.admin };
    let (report, plan) = (folder.join("report.json"), folder.join("plan.json"));
    let (report, plan) = (report.display().to_string(), plan.display().to_string());
    let json = format!("json={report}");
    stage.run("What leaked?", &["scan", "--history"], &[1])?;
    stage.run(
        "Which of it works, and whose is it?",
        &["scan", "--history", "--verify", "--report", &json],
        &[1],
    )?;
    stage.run("What is to be done about it?", &["revoke", "plan", &report, "--out", &plan], &[0])?;
    stage.run("Do it, and prove it.", &["revoke", "apply", &plan, "--yes"], &[1])?;
    stage.run("What works now?", &["verify", &report], &[1])?;
    stage.run("What does the record say?", &["revoke", "status"], &[1])?;

    println!("What is where, in {}:", folder.display());
    for (name, what) in [
        ("shop/", "the leaky repository; `git log -p` shows what was done wrong"),
        ("report.json", "what was found, with the verdicts; it holds no secret"),
        ("plan.json", "what was to be done, and why"),
        ("state/journal.jsonl", "what was done, by whom, when, and what Twilio answered"),
    ] {
        println!("  {name:<21} {what}");
    }
    println!("The shop's Auth Token works still: that one a person rotates, by the steps above.");
    println!("Delete the folder when you have seen enough.");
    Ok(())
}

/// Who owns what.
struct Cast {
    admin: (String, String),
    shop: (String, String),
    worker: (String, String),
    mailer: (String, String),
    stranger: (String, String),
    old: (String, String),
}

impl Cast {
    fn new(world: &mut World) -> Self {
        let parent = world.account("Example Inc.", None);
        let shop = world.account("Example Shop", Some(&parent));
        let partner = world.account("A partner's account", None);
        let worker = world.key(&shop, KeyKind::Standard);
        let mailer =
            world.key(&parent, KeyKind::Restricted(vec!["/twilio/messaging/messages/create".into()]));
        let stranger = world.key(&partner, KeyKind::Standard);
        let old = (world.sid("SK"), world.base62());
        for (key, name) in [(&worker, "sms worker"), (&mailer, "newsletter")] {
            if let Some(key) = world.keys.get_mut(&key.0) {
                key.friendly_name = Some(name.to_owned());
            }
        }
        let (admin, token) = (world.token(&parent), world.token(&shop));
        Self { admin: (parent, admin), shop: (shop, token), worker, mailer, stranger, old }
    }
}

/// Writes the repository as people do: a key goes in, is taken out, and stays in history.
fn leak(repository: &Path, cast: &Cast) -> Result<()> {
    let (shop, token) = &cast.shop;
    let commits: [(&str, Files); 4] = [
        (
            "Send order confirmations",
            &[
                (".env", Some(format!("TWILIO_ACCOUNT_SID={shop}\nTWILIO_API_KEY={}\nTWILIO_API_SECRET={}\n", cast.worker.0, cast.worker.1))),
                ("send.js", Some("const client = require('twilio')(process.env.TWILIO_API_KEY, process.env.TWILIO_API_SECRET);\n".to_owned())),
            ],
        ),
        (
            "Add the newsletter",
            &[(
                "newsletter/mail.py",
                Some(format!("from twilio.rest import Client\n\nclient = Client(\"{}\", \"{}\", \"{}\")\n", cast.mailer.0, cast.mailer.1, cast.admin.0)),
            )],
        ),
        (
            "Try the partner's line, and an old key",
            &[
                ("partner.env", Some(format!("TWILIO_API_KEY_SID={}\nTWILIO_API_KEY_SECRET={}\n", cast.stranger.0, cast.stranger.1))),
                ("old/legacy.rb", Some(format!("Twilio::REST::Client.new '{}', '{}'\n", cast.old.0, cast.old.1))),
            ],
        ),
        (
            "Take the key out of .env; check webhooks",
            &[
                (".env", None),
                ("config/webhooks.json", Some(format!("{{\"twilio\": {{\"accountSid\": \"{shop}\", \"authToken\": \"{token}\"}}}}\n"))),
            ],
        ),
    ];
    git(repository, &["init", "--quiet"])?;
    for (message, files) in commits {
        for (path, text) in files {
            let path = repository.join(path);
            match text {
                Some(text) => {
                    std::fs::create_dir_all(path.parent().unwrap_or(repository))?;
                    std::fs::write(path, text)?;
                }
                None => std::fs::remove_file(path)?,
            }
        }
        git(repository, &["add", "--all"])?;
        git(repository, &["commit", "--quiet", "--no-verify", "--message", message])?;
    }
    Ok(())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let identity =
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "core.hooksPath=/dev/null"];
    let status = Command::new("git").current_dir(folder).args(identity).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {} failed", arguments.join(" ")).into()) }
}

/// What each command runs in.
struct Stage<'a> {
    binary: PathBuf,
    repository: PathBuf,
    folder: PathBuf,
    sim: &'a Sim,
    authority: PathBuf,
    admin: (String, String),
}

impl Stage<'_> {
    /// Runs the binary as a user would, and holds it to the exit code that its help promises.
    fn run(&self, question: &str, arguments: &[&str], exits: &[i32]) -> Result<()> {
        println!("── {question}");
        println!("$ sidsweep {}", arguments.join(" "));
        let status = Command::new(&self.binary)
            .current_dir(&self.repository)
            .args(arguments)
            .env("SIDSWEEP_TWILIO_ENDPOINT", &self.sim.endpoint)
            .env("SIDSWEEP_TWILIO_CA", &self.authority)
            .env("SIDSWEEP_ADMIN_USER", &self.admin.0)
            .env("SIDSWEEP_ADMIN_SECRET", &self.admin.1)
            .env_remove("SIDSWEEP_ADMIN_ACCOUNT")
            .env("SIDSWEEP_JOURNAL", self.folder.join("state/journal.jsonl"))
            .status()?;
        println!("(exit code {})\n", status.code().unwrap_or(-1));
        match status.code() {
            Some(code) if exits.contains(&code) => Ok(()),
            _ => Err(format!("sidsweep {} ended with {status}", arguments.join(" ")).into()),
        }
    }
}

/// The binary: the one that a test names, or the one of this build, which cargo makes first.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SIDSWEEP_DEMO_BINARY") {
        return Ok(path.into());
    }
    let example = std::env::current_exe()?;
    let folder = example.parent().and_then(Path::parent).ok_or("no folder above the example")?;
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--locked", "--bin", "sidsweep"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err("sidsweep could not be built".into());
        }
    }
    Ok(folder.join(format!("sidsweep{}", std::env::consts::EXE_SUFFIX)))
}
