//! Containing a leak: a subaccount is suspended, which stops its traffic and can be taken back. Closing cannot, and is not
//! offered.

use super::journal::{Entry, Journal};
use super::rotate::Error;
use crate::model::{Event, Inventory, Record, Region};
use crate::twilio::account::{self, Status};
use crate::twilio::change::Change;
use crate::twilio::inventory::Admin;
use crate::twilio::{Client, Pair};

/// How often a change is asked for whose outcome was not clear.
const MOST_TRIES: usize = 3;

/// Why an account cannot be suspended or taken up again from here.
pub fn check(inventory: &Inventory, admin: &Admin, sid: &str, to: Status) -> Result<(), String> {
    let own =
        inventory.account(sid).ok_or_else(|| format!("{sid} is no account that {} sees", admin.pair.user))?;
    if own.account.parent() != Some(admin.account.as_str()) {
        return Err(format!("{sid} is no subaccount of {}: only those can be suspended", admin.account));
    }
    match (own.account.status.as_str(), to) {
        ("closed", _) => Err(format!("{sid} is closed, for good")),
        ("suspended", Status::Suspended) | ("active", Status::Active) => {
            Err(format!("{sid} is {} already", own.account.status))
        }
        _ => Ok(()),
    }
}

/// Whether an earlier run asked for this status, and nothing says that it came to it: then it is enough to look.
#[must_use]
pub fn is_open<'a>(past: impl Iterator<Item = &'a Record>, to: Status) -> bool {
    let last = past.last();
    last.is_some_and(|record| {
        record.action.as_deref() == Some(action(to))
            && matches!(record.event, Event::Intent | Event::Unsure | Event::Done | Event::Refused)
    })
}

/// Notes that an account is seen to be as an earlier run wanted it; closed, it stays so.
pub fn seen(journal: &mut Journal, sid: &str, to: Status, status: &str) -> Result<(), Error> {
    let entry = Entry { action: Some(action(to)), account: Some(sid), ..Entry::default() };
    Ok(journal.note(Event::Proven, &entry, None, Some(format!("seen to be {status}")))?)
}

fn action(to: Status) -> &'static str {
    if to == Status::Suspended { "suspend" } else { "activate" }
}

/// Sets the status, and looks at it.
pub async fn set(
    client: &Client,
    admin: &Admin,
    journal: &mut Journal,
    sid: &str,
    to: Status,
) -> Result<(), Error> {
    let entry = Entry { action: Some(action(to)), account: Some(sid), ..Entry::default() };
    let pair: &Pair = &admin.pair;
    let mut last = String::new();
    for _ in 0..MOST_TRIES {
        journal.note(Event::Intent, &entry, None, None)?;
        match account::set_status(client, sid, to, pair).await {
            Change::Made(_, told) => journal.note(Event::Done, &entry, Some(&told), None)?,
            Change::Refused(told, words) => {
                journal.note(Event::Refused, &entry, Some(&told), Some(words.clone()))?;
                let advice = if told.code == Some(20003) && pair.user.starts_with("SK") {
                    "; a key may not do this: use the parent's Account SID and Auth Token as the administrator's credential"
                } else {
                    ""
                };
                return Err(Error::Stopped(format!("nothing was changed: {words}{advice}")));
            }
            Change::Missing(told) => {
                let note = "404, which is looked into".to_owned();
                journal.note(Event::Unsure, &entry, Some(&told), Some(note))?;
            }
            Change::Unsure(told, words) => {
                journal.note(Event::Unsure, &entry, Some(&told), Some(words))?;
            }
        }
        match account::account(client, Region::Us1, sid, pair).await {
            Ok(seen) if seen.status == to.as_str() => {
                let note = format!("seen to be {}", seen.status);
                journal.note(Event::Proven, &entry, None, Some(note))?;
                return Ok(());
            }
            Ok(seen) => last = format!("it is seen to be {}", seen.status),
            Err(unreadable) => {
                let reason = unreadable.to_string();
                journal.note(Event::Unsure, &entry, None, Some(reason.clone()))?;
                return Err(Error::Stopped(format!("the account's status is not known: {reason}")));
            }
        }
    }
    Err(Error::Stopped(format!("not done in {MOST_TRIES} tries: {last}")))
}

/// What a suspension does not stop, and how it is ended.
#[must_use]
pub fn what_goes_on(account: &str) -> Vec<String> {
    vec![
        "Not stopped: calls in progress, which go on until they end. With the parent's Auth Token, list them and end each:".to_owned(),
        format!("  GET https://api.twilio.com/2010-04-01/Accounts/{account}/Calls.json?Status=in-progress"),
        format!("  POST https://api.twilio.com/2010-04-01/Accounts/{account}/Calls/CA….json with Status=completed"),
        format!("Not revoked: its leaked credentials, which work again once it is active. `sidsweep revoke plan` plans the deletion of its leaked keys while it is suspended; tokens are rotated after `sidsweep contain {account} --release`."),
    ]
}
