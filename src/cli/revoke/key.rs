//! `sidsweep revoke key`: one key, by its SID.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Doing, Failure, Job, Outcome, asking, carry_out, journal, key_sid, output, twilio, verify};
use crate::model::{
    Credential, CredentialType, Event, Key, OwnAccount, OwnKey, Region, Report, Vault, VerdictState,
};
use crate::remedy::journal::{IN_REGION, Journal};
use crate::remedy::{ask, plan};
use crate::scan::again::Wanted;
use crate::twilio::{Client, block_on};

/// Delete one key: plan, prompt and apply in one go
#[derive(clap::Args)]
pub struct Args {
    /// The key's SID
    #[arg(value_name = "SK…", value_parser = key_sid)]
    key: String,
    /// A report that has its secret, which is then tried until it is refused
    #[arg(long, value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// Where the scanned folder is now [default: where the report says]
    #[arg(long, value_name = "PATH", requires = "report")]
    root: Option<PathBuf>,
    #[command(flatten)]
    doing: Doing,
    #[command(flatten)]
    twilio: twilio::Asking,
}

pub fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.twilio.client()?;
    let admin = args.twilio.need_admin(&client)?;
    let mut ours = asking::look(&args.twilio, &client, admin)?;
    asking::find_key(&client, &mut ours, &args.key);
    let leak = match &args.report {
        Some(path) => leak(&args.key, &args.twilio, &client, &mut ours, path, args.root.as_deref())?,
        None => None,
    };
    let job = format!("revoke key {}", args.key);
    let (own, found) = find(&args.key, &job, &ours, &args.doing)?;
    let known = leak.as_ref().map(|leak| (&leak.credential, &leak.report));
    let plan = plan::for_key(&own, &found, known, &ours.admin);
    let empty = Vault::new();
    let vault = leak.as_ref().map_or(&empty, |leak| &leak.vault);
    let goes_on = format!("sidsweep {job}");
    carry_out(
        &client,
        &ours.admin,
        &plan,
        vault,
        &args.doing,
        Job { name: &job, goes_on: &goes_on, confirm: None },
        &args.twilio,
    )
}

/// No account has the key.
fn nowhere(key: &str, ours: &asking::Ours) -> Failure {
    let unread = ours.inventory.unread().len();
    let but =
        if unread > 0 { format!(" ({unread} accounts' keys could not be listed)") } else { String::new() };
    Failure(format!(
        "no account that {} sees has the key {key}{but}: it is deleted, foreign, or of another region",
        ours.admin.pair.user
    ))
}

/// A key with its account: as it is, or as an earlier run of any command left it, which may have deleted it and been
/// stopped before it could say so.
pub fn find(
    key: &str,
    job: &str,
    ours: &asking::Ours,
    doing: &Doing,
) -> Result<(OwnAccount, OwnKey), Failure> {
    if let Some((own, found)) = ours.inventory.key(key) {
        return Ok((own.clone(), found.clone()));
    }
    let journal = Journal::open(&journal::place(doing.journal.as_deref())?, job, ours.admin.name())?;
    let began = journal
        .records()
        .iter()
        .find(|record| record.event == Event::Intent && record.key_sid.as_deref() == Some(key));
    let own = began.and_then(|record| ours.inventory.account(record.account_sid.as_deref()?));
    let own = own.ok_or_else(|| nowhere(key, ours))?;
    let noted = began.and_then(|record| record.note.as_deref()?.strip_prefix(IN_REGION)?.parse().ok());
    let region = noted.unwrap_or(Region::Us1);
    let gone = Key { sid: key.to_owned(), friendly_name: None, date_created: None };
    Ok((own.clone(), OwnKey { key: gone, kind: None, policy: None, region }))
}

/// A key's leaked secret.
pub struct Leak {
    pub credential: Credential,
    pub report: Report,
    pub vault: Vault,
}

/// The credential of a report whose secret opens the key.
pub fn leak(
    key: &str,
    twilio: &twilio::Asking,
    client: &Client,
    ours: &mut asking::Ours,
    path: &Path,
    root: Option<&Path>,
) -> Result<Option<Leak>, Failure> {
    let mut report = verify::load(path)?;
    report.credentials.retain(|credential| {
        credential.type_ == CredentialType::ApiKey && credential.key_sid.as_deref() == Some(key)
    });
    let kept: BTreeSet<_> = report.credentials.iter().map(|credential| credential.id.clone()).collect();
    report.findings.retain(|finding| kept.contains(&finding.credential));
    if let Some(root) = root {
        report.sources.iter_mut().for_each(|source| source.root = root.display().to_string());
    }
    let (vault, _) = verify::read_again(&Wanted::of(&report, None));
    let asked = twilio.options(false);
    let seen = Some((&ours.admin, &mut ours.inventory));
    block_on(ask::ask(client, seen, &mut report, &vault, &asked, &|| {}));
    let of = |state| report.credentials.iter().find(|credential| credential.verdict.state == state);
    // Once the key is gone its secret is refused, and that is what is to be shown.
    let gone = ours.inventory.key(key).is_none();
    // While its account is not active a secret cannot be tried.
    let found = of(VerdictState::Live)
        .or(of(VerdictState::Inactive))
        .or(of(VerdictState::Rejected).filter(|_| gone))
        .cloned();
    if found.is_none() {
        output::complain(&format!(
            "{}: no secret in it opens {key}; the key is known by its SID alone",
            path.display()
        ));
    }
    Ok(found.map(|credential| Leak { credential, report, vault }))
}
