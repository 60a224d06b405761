//! A plan for a whole account, as Twilio's fraud guide asks after a take-over: every key and OAuth app of it, or all that was made since
//! a date. Nothing shows that each of them leaked; that the administrator owns the account stands in for that.

use jiff::Timestamp;

use super::{apps, guide, plan};
use crate::model::{
    Action, Event, Inventory, Kept, OauthApp, OwnAccount, OwnKey, Plan, Record, Region, Step, VerdictKind,
    WholeAccount, instant,
};
use crate::twilio::inventory::Admin;

/// Makes the plan. What was made before `since` is kept, and named; what has no date that can be read counts as new.
#[must_use]
pub fn make(own: &OwnAccount, since: Option<Timestamp>, admin: &Admin) -> Plan {
    let (mut steps, mut kept) = (Vec::new(), Vec::new());
    for key in &own.keys {
        let (name, created) = (key.key.friendly_name.as_deref(), key.key.date_created.as_deref());
        match why(since, created, "API key") {
            Ok(why) => steps.push(key_step(own, key, why, admin)),
            Err(reason) => kept.push(stays(&key.key.sid, name, created, reason)),
        }
    }
    for app in own.oauth_apps.iter().flatten() {
        let (name, created) = (app.friendly_name.as_deref(), app.date_created.as_deref());
        match why(since, created, "OAuth app") {
            Ok(why) => steps.push(app_step(own, app, why)),
            Err(reason) => kept.push(stays(&app.sid, name, created, reason)),
        }
    }
    steps.extend(unread(own));
    let since = since.map(|since| since.to_string());
    let account = WholeAccount { account_sid: own.account.sid.clone(), since, kept };
    let mut plan = plan::finish(steps, Vec::new(), admin.name(), Vec::new(), &admin.pair.user);
    plan.account = Some(account);
    plan.digest = plan.right_digest();
    plan
}

/// Why something is deleted, or why it stays.
fn why(since: Option<Timestamp>, created: Option<&str>, what: &str) -> Result<String, String> {
    let Some(since) = since else {
        return Ok(format!("every {what} of the account is to be deleted, as the command says"));
    };
    match created.and_then(instant) {
        Some(at) if at < since => Err(format!("made at {at}, before {since}")),
        Some(at) => Ok(format!("made at {at}, and all since {since} is to be deleted")),
        None => Ok("when it was made cannot be read, so it counts as new".to_owned()),
    }
}

fn stays(sid: &str, name: Option<&str>, created: Option<&str>, reason: String) -> Kept {
    Kept { sid: sid.to_owned(), name: name.map(str::to_owned), created: created.map(str::to_owned), reason }
}

fn key_step(own: &OwnAccount, key: &OwnKey, why: String, admin: &Admin) -> Step {
    let mut step = plan::key_step(own, key, None, admin);
    step.why = why;
    step.kind = (key.kind == Some("restricted")).then_some(VerdictKind::RestrictedKey);
    step
}

fn app_step(own: &OwnAccount, app: &OauthApp, why: String) -> Step {
    let mut step = apps::app_step(own, app, None);
    step.why = why;
    step
}

/// What could not be listed is a person's: without it the account would look clean that is not.
fn unread(own: &OwnAccount) -> Option<Step> {
    let parts = [("keys", &own.keys_unread), ("OAuth apps", &own.oauth_apps_unread)];
    let manual: Vec<String> = parts
        .into_iter()
        .filter_map(|(what, reason)| Some((what, reason.as_deref()?)))
        .map(|(what, reason)| {
            let at =
                if what == "keys" { guide::console(Region::Us1) } else { guide::OAUTH_CONSOLE.to_owned() };
            format!(
                "Its {what} could not all be listed ({reason}): look at them in {at}, and delete them there."
            )
        })
        .collect();
    if manual.is_empty() {
        return None;
    }
    let mut step = plan::blank(own, Action::Manual, None, Region::Us1);
    "not all of the account could be listed".clone_into(&mut step.why);
    step.manual = manual;
    Some(step)
}

/// What is not part of such a plan, in words.
#[must_use]
pub fn not_part(own: &OwnAccount, inventory: &Inventory) -> Vec<String> {
    let account = &own.account.sid;
    let mut lines = vec![format!(
        "Not part of it: the Auth Tokens of {account} (`sidsweep rotate auth-token {account} --begin`), and keys of other regions, which only credentials of those regions can delete (--regions)."
    )];
    let of = |other: &&OwnAccount| other.account.parent() == Some(account.as_str());
    let count = inventory.accounts.iter().filter(of).count();
    if count > 0 {
        lines.push(format!(
            "Nor its subaccounts ({count}): each is an account of its own, and whoever held the parent's token could read theirs."
        ));
    }
    lines
}

/// Gives each step the number that an earlier run of the same job gave it, so that the journal goes on with it, and adds what an earlier
/// run began and no list shows any more.
pub fn go_on(plan: &mut Plan, own: &OwnAccount, past: &[&Record]) {
    let mut next = past.iter().filter_map(|record| record.step).max().unwrap_or(0) + 1;
    for step in &mut plan.steps {
        let known = past.iter().find(|record| is_about(record, step)).and_then(|record| record.step);
        step.n = known.unwrap_or(next);
        next += u32::from(known.is_none());
    }
    for record in open(past) {
        let is_planned = plan.steps.iter().any(|step| Some(step.n) == record.step);
        if let Some(step) = (!is_planned).then(|| begun(own, record)).flatten() {
            plan.steps.push(step);
        }
    }
    plan.digest = plan.right_digest();
}

fn is_about(record: &Record, step: &Step) -> bool {
    let action = match step.action {
        Action::Manual => "manual",
        Action::DeleteKey => "delete_key",
        Action::DeleteOauthApp => "delete_oauth_app",
        Action::DeleteSharedKey => "delete_shared_key",
        Action::DeleteSecondaryToken => "delete_secondary_token",
    };
    record.step.is_some()
        && record.action.as_deref() == Some(action)
        && record.key_sid == step.key_sid
        && record.target == step.target
}

/// The last record of each step that is not done.
fn open<'a>(past: &[&'a Record]) -> Vec<&'a Record> {
    let mut last: Vec<&Record> = Vec::new();
    for &record in past.iter().filter(|record| record.step.is_some()) {
        match last.iter_mut().find(|known| known.step == record.step) {
            Some(known) => *known = record,
            None => last.push(record),
        }
    }
    last.retain(|record| !matches!(record.event, Event::Done | Event::Proven));
    last
}

/// A step that an earlier run began: what it deletes is not listed any more, which has to be looked into.
fn begun(own: &OwnAccount, record: &Record) -> Option<Step> {
    let action = match record.action.as_deref()? {
        "delete_key" => Action::DeleteKey,
        "delete_oauth_app" => Action::DeleteOauthApp,
        _ => return None,
    };
    let mut step = plan::blank(own, action, None, Region::Us1);
    step.n = record.step?;
    step.key_sid.clone_from(&record.key_sid);
    step.target.clone_from(&record.target);
    "an earlier run began with it".clone_into(&mut step.why);
    Some(step)
}

/// The manual step of an earlier run, where all could be listed this time: it is done.
#[must_use]
pub fn settled_manual(plan: &Plan, past: &[&Record]) -> Option<u32> {
    if plan.steps.iter().any(|step| step.action == Action::Manual) {
        return None;
    }
    let manual = open(past).into_iter().find(|record| record.action.as_deref() == Some("manual"));
    manual.and_then(|record| record.step)
}

/// What the account has that a plan for all of it does not name: made since it was made.
#[must_use]
pub fn unplanned(plan: &Plan, inventory: &Inventory, admin: &Admin) -> Vec<String> {
    let Some(whole) = &plan.account else { return Vec::new() };
    let Some(own) = inventory.account(&whole.account_sid) else { return Vec::new() };
    let since = whole.since.as_deref().and_then(instant);
    let now = make(own, since, admin);
    let is_new = |step: &&Step| {
        step.action != Action::Manual
            && plan.steps.iter().all(|known| known.key_sid != step.key_sid || known.target != step.target)
    };
    let new = now.steps.iter().filter(is_new);
    new.map(|step| {
        let sid = step.key_sid.as_deref().or(step.target.as_deref()).unwrap_or_default();
        format!("{} has {sid}, which the plan does not name: it is newer than the plan", whole.account_sid)
    })
    .collect()
}
