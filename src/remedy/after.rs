//! Post-incident steps: how the code moves to API keys in its own language, how a value goes out of history, and what to
//! watch in the account.

use std::collections::BTreeSet;

use crate::model::{Credential, CredentialType, Finding, Report, VerdictKind};

/// A language that Twilio has a library for, or settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// C# and other .NET languages.
    CSharp,
    /// Go.
    Go,
    /// Java, Kotlin and other languages of the JVM.
    Java,
    /// JavaScript and TypeScript.
    Node,
    /// PHP.
    Php,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// Files of settings, scripts and all others.
    Settings,
}

impl Language {
    /// By the name of a file.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "cs" | "fs" | "vb" | "cshtml" => Self::CSharp,
            "go" => Self::Go,
            "java" | "kt" | "kts" | "scala" | "groovy" => Self::Java,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "vue" | "svelte" => Self::Node,
            "php" | "phtml" => Self::Php,
            "py" | "ipynb" | "pyw" => Self::Python,
            "rb" | "erb" | "rake" => Self::Ruby,
            _ => Self::Settings,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::CSharp => "C#",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::Node => "Node.js",
            Self::Php => "PHP",
            Self::Python => "Python",
            Self::Ruby => "Ruby",
            Self::Settings => "settings",
        }
    }

    /// The client with an API key, from the environment. Twilio's libraries take the key's SID as the user name, its
    /// secret as the password, and the Account SID beside them (for Java by `setAccountSid` or a third argument, as here).
    #[must_use]
    pub fn client(self) -> &'static str {
        match self {
            Self::CSharp => {
                "TwilioClient.Init(\n    username: Environment.GetEnvironmentVariable(\"TWILIO_API_KEY\"),\n    password: Environment.GetEnvironmentVariable(\"TWILIO_API_SECRET\"),\n    accountSid: Environment.GetEnvironmentVariable(\"TWILIO_ACCOUNT_SID\"));"
            }
            Self::Go => {
                "client := twilio.NewRestClientWithParams(twilio.ClientParams{\n    Username:   os.Getenv(\"TWILIO_API_KEY\"),\n    Password:   os.Getenv(\"TWILIO_API_SECRET\"),\n    AccountSid: os.Getenv(\"TWILIO_ACCOUNT_SID\"),\n})"
            }
            Self::Java => {
                "Twilio.init(\n    System.getenv(\"TWILIO_API_KEY\"),\n    System.getenv(\"TWILIO_API_SECRET\"),\n    System.getenv(\"TWILIO_ACCOUNT_SID\"));"
            }
            Self::Node => {
                "const client = require('twilio')(\n    process.env.TWILIO_API_KEY,\n    process.env.TWILIO_API_SECRET,\n    { accountSid: process.env.TWILIO_ACCOUNT_SID });"
            }
            Self::Php => {
                "$client = new Twilio\\Rest\\Client(\n    getenv('TWILIO_API_KEY'),\n    getenv('TWILIO_API_SECRET'),\n    getenv('TWILIO_ACCOUNT_SID'));"
            }
            Self::Python => {
                "client = Client(\n    os.environ[\"TWILIO_API_KEY\"],\n    os.environ[\"TWILIO_API_SECRET\"],\n    os.environ[\"TWILIO_ACCOUNT_SID\"])"
            }
            Self::Ruby => {
                "client = Twilio::REST::Client.new(\n    ENV.fetch('TWILIO_API_KEY'),\n    ENV.fetch('TWILIO_API_SECRET'),\n    ENV.fetch('TWILIO_ACCOUNT_SID'))"
            }
            Self::Settings => {
                "TWILIO_ACCOUNT_SID, TWILIO_API_KEY and TWILIO_API_SECRET,\nset where the program runs (the host's or the CI's secret store), in no file of the repository"
            }
        }
    }
}

/// What to do about one leak, once it is dead.
#[derive(Debug, Clone)]
pub struct Advice<'a> {
    /// Which leak.
    pub credential: &'a Credential,
    /// What may be shown of it.
    pub redacted: &'a str,
    /// The files, and the languages that they are in.
    pub places: Vec<&'a str>,
    /// In the order of their names.
    pub languages: Vec<Language>,
    /// What changes in the code, in words.
    pub change: &'static str,
}

/// The advice for each leaked token and key of a report.
#[must_use]
pub fn advice(report: &Report) -> Vec<Advice<'_>> {
    report
        .credentials
        .iter()
        .filter(|credential| matches!(credential.type_, CredentialType::AuthToken | CredentialType::ApiKey))
        .filter_map(|credential| {
            let of = |finding: &&Finding| finding.credential == credential.id && finding.kind.is_secret();
            let findings: Vec<&Finding> = report.findings.iter().filter(of).collect();
            let first = findings.first()?;
            let places: BTreeSet<&str> =
                findings.iter().map(|finding| finding.location.path.as_str()).collect();
            let languages: BTreeSet<Language> = places.iter().map(|path| Language::of(path)).collect();
            Some(Advice {
                credential,
                redacted: first.redacted.as_str(),
                places: places.into_iter().collect(),
                languages: languages.into_iter().collect(),
                change: change(credential),
            })
        })
        .collect()
}

fn change(credential: &Credential) -> &'static str {
    match (credential.type_, credential.verdict.kind) {
        (CredentialType::AuthToken, _) => {
            "Use an API key in the place of Account SID and Auth Token: it can be made, rotated and deleted by itself. Make a Restricted key with just the permissions that this code needs, or a Standard key. Webhook signatures need the Auth Token only where no SharedKey signs them: make one (public beta), name it in the webhook settings and rules, and validators do without the token."
        }
        (_, Some(VerdictKind::MainKey)) => {
            "A Main key may manage accounts and keys: if this code only sends and receives, a Restricted or Standard key will do."
        }
        _ => {
            "Read the key from the environment. If it was a Standard key, a Restricted one with just the permissions that this code needs does less harm next time."
        }
    }
}

/// How a value goes out of history: what to do, and with which command. It does not make a leak undone: who has read it
/// still has it.
#[must_use]
pub fn history() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        (
            "First revoke it: rewriting history takes nothing back from whoever has read it, and a dead value need not be taken out at all.",
            None,
        ),
        ("Work on a fresh mirror.", Some("git clone --mirror URL clean.git && cd clean.git")),
        (
            "List the values outside of it. What stands encoded (base64, percent) needs a line of its own.",
            Some(
                "sidsweep scan --history --show-secrets --format jsonl | jq -r 'select(.kind | endswith(\"_sid\") | not) | .value + \"==>REMOVED\"' | sort -u > ../replace.txt",
            ),
        ),
        (
            "Rewrite, with git filter-repo; then delete the list.",
            Some(
                "git filter-repo --replace-text ../replace.txt --replace-message ../replace.txt; rm ../replace.txt",
            ),
        ),
        ("This must find nothing now.", Some("sidsweep scan --history .")),
        ("Push all of it.", Some("git push --force --mirror URL")),
        (
            "Forges keep more than branches: pull-request heads, forks, cached commits and CI artefacts. On GitHub ask support to drop cached views and pull-request references; on GitLab run repository cleanup with filter-repo's commit map; delete old artefacts and images.",
            None,
        ),
        ("Everybody clones anew: an old clone that is pushed brings it back.", None),
    ]
}

/// What to watch in the account.
#[must_use]
pub fn watch() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        (
            "Changes that were recorded, there or in the console under Monitor > Insights > Audit: API keys, numbers, geographic permissions and webhook URLs that nobody of you made. Reads and sends are not recorded.",
            Some("sidsweep verify REPORT.json --exposure"),
        ),
        (
            "Usage and spend by day, in every subaccount; calls and messages to countries that you do not serve.",
            None,
        ),
        (
            "Usage triggers on spend, so that the next time rings by itself; geographic permissions closed where they are not needed.",
            None,
        ),
        (
            "If there was misuse: Twilio's fraud response guide, and support with the time span and the SIDs.",
            None,
        ),
    ]
}
