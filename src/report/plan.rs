//! A plan for people: what stays live, what is left out, and each step with why, what breaks and what is done by hand; and the
//! journal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use super::wrap::{labelled, wrap};
use crate::model::{Action, Event, LeftOut, Plan, Record, Region, Step, VerdictKind, VerdictState};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How many files of a step are named; the rest are counted.
const MOST_PLACES: usize = 3;

/// What stays as it is, and for which reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Live credentials of accounts that are not the administrator's.
    pub foreign: usize,
    /// Live credentials that a person has to deal with.
    pub manual: usize,
    /// Live credentials of which a change was wanted and not made, or not shown.
    pub failed: usize,
    /// Live credentials that no step is made for, for other reasons.
    pub other: usize,
    /// Credentials of which it is not known whether they work.
    pub unknown: usize,
}

impl Left {
    /// What stays live when a plan is carried out.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let live = |left: &&LeftOut| left.state == Some(VerdictState::Live);
        let foreign = plan.left_out.iter().filter(live).filter(|left| left.ours == Some(false)).count();
        let unknown = plan.left_out.iter().filter(|left| left.state == Some(VerdictState::Unknown)).count();
        Self {
            foreign,
            manual: plan.steps.iter().filter(|step| step.action == Action::Manual).count(),
            failed: 0,
            other: plan.left_out.iter().filter(live).count() - foreign,
            unknown,
        }
    }

    /// How many live credentials stay live and why, in a sentence or two.
    #[must_use]
    pub fn headline(self) -> String {
        let parts = [
            (
                self.foreign,
                "belongs to an account you do not administer",
                "belong to accounts you do not administer",
            ),
            (self.manual, "needs a person", "need a person"),
            (self.failed, "was not revoked or not proven dead", "were not revoked or not proven dead"),
            (self.other, "cannot be revoked from here", "cannot be revoked from here"),
        ];
        let live = self.foreign + self.manual + self.failed + self.other;
        let mut told: Vec<String> = Vec::new();
        for (count, one, many) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            let noun = match (told.is_empty(), count) {
                (true, 1) => " live credential",
                (true, _) => " live credentials",
                (false, _) => "",
            };
            told.push(format!("{count}{noun} {}", if count == 1 { one } else { many }));
        }
        let last = told.pop();
        let mut text = match (last, told.is_empty()) {
            (None, _) => "No live credential stays live.".to_owned(),
            (Some(only), true) => {
                format!("{only}: {} live.", if live == 1 { "it stays" } else { "they stay" })
            }
            (Some(last), false) => format!("{} and {last}: they stay live.", told.join(", ")),
        };
        match self.unknown {
            0 => {}
            1 => text += " Whether 1 more works is not known.",
            more => text += &format!(" Whether {more} more work is not known."),
        }
        text
    }
}

/// Writes a plan in lines of at most `width` columns where words allow: what stays live first, and what is deleted last, right above
/// the question that follows. What is left out is listed with `all` only.
pub fn write(plan: &Plan, all: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(&headline(plan, Left::of(plan)), width) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }
    writeln!(out)?;
    left_out(plan, all, width, out)?;
    kept(plan, all, width, out)?;
    let (manual, own): (Vec<&Step>, Vec<&Step>) =
        plan.steps.iter().partition(|step| step.action == Action::Manual);
    for step in manual.into_iter().chain(own) {
        self::step(step, width, out)?;
    }
    labelled(out, width, "", &summary(plan))
}

/// What a plan comes to, first of all: what stays live, and for a whole account what of it.
#[must_use]
pub fn headline(plan: &Plan, left: Left) -> String {
    let Some(whole) = &plan.account else { return left.headline() };
    let made = whole.since.as_ref().map(|since| format!(" made since {since}")).unwrap_or_default();
    let mut text = format!("Every key and OAuth app of {}{made} is to be deleted.", whole.account_sid);
    if left.failed > 0 {
        text = format!(
            "Of {}, {} not deleted or not shown to be gone.",
            whole.account_sid,
            several(left.failed, "key or app was", "keys and apps were")
        );
    }
    if left.manual > 0 {
        text += " Not all of it could be listed: a person has to look.";
    }
    if !whole.kept.is_empty() {
        text += &format!(" {} before that and stays.", several(whole.kept.len(), "was made", "were made"));
        if whole.kept.len() > 1 {
            text = text.replace("before that and stays.", "before that and stay.");
        }
    }
    text
}

/// What of a whole account stays.
fn kept(plan: &Plan, all: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let kept = plan.account.as_ref().map_or(&[][..], |whole| &whole.kept);
    if kept.is_empty() {
        return Ok(());
    }
    if !all {
        let text = format!("{} older; --all lists what stays.", several(kept.len(), "is", "are"));
        labelled(out, width, "", &text)?;
        return writeln!(out);
    }
    writeln!(out, "{BOLD}Stays{BOLD:#}")?;
    for one in kept {
        let name = one.name.as_ref().map(|name| format!(" ({})", printable(name))).unwrap_or_default();
        labelled(out, width, "  ", &format!("{}{name}: {}", printable(&one.sid), printable(&one.reason)))?;
    }
    writeln!(out)
}

fn left_out(plan: &Plan, all: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let count = plan.left_out.len();
    if count == 0 {
        return Ok(());
    }
    if !all {
        let (is, it) = if count == 1 { ("credential is", "it") } else { ("credentials are", "them") };
        let text =
            format!("{count} {is} left out; --all lists {it} with the reasons, and so does the plan's file.");
        labelled(out, width, "", &text)?;
        return writeln!(out);
    }
    writeln!(out, "{BOLD}Left out{BOLD:#}")?;
    for left in &plan.left_out {
        let name =
            left.key_sid.as_deref().or(left.account_sid.as_deref()).unwrap_or("a secret without a SID");
        let text =
            format!("{} (credential {}): {}", printable(name), left.credential, printable(&left.reason));
        labelled(out, width, "  ", &text)?;
    }
    writeln!(out)
}

fn several(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// How many steps do what, with the words for one and for several.
fn counts(plan: &Plan) -> Vec<(usize, &'static str, &'static str)> {
    [
        (Action::DeleteKey, "key", "keys"),
        (Action::DeleteOauthApp, "OAuth app", "OAuth apps"),
        (Action::DeleteSharedKey, "SharedKey", "SharedKeys"),
        (Action::DeleteSecondaryToken, "secondary token", "secondary tokens"),
    ]
    .into_iter()
    .map(|(action, one, many)| (plan.steps.iter().filter(|step| step.action == action).count(), one, many))
    .filter(|(count, ..)| *count > 0)
    .collect()
}

fn by_hand(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| step.action == Action::Manual).count()
}

/// What a plan comes to, in a sentence.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let mut parts: Vec<String> = counts(plan)
        .into_iter()
        .map(|(count, one, many)| format!("{} to delete", several(count, one, many)))
        .collect();
    let manual = by_hand(plan);
    if manual > 0 {
        parts.push(format!("{manual} by hand"));
    }
    let parts = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    let left = match plan.left_out.len() {
        0 => String::new(),
        left => format!("; {} left out", several(left, "credential", "credentials")),
    };
    format!("{}: {parts}{left}.", several(plan.steps.len(), "step", "steps"))
}

/// What a person is asked before a plan is carried out.
#[must_use]
pub fn question(plan: &Plan) -> String {
    let mut parts: Vec<String> = counts(plan)
        .into_iter()
        .map(|(count, one, many)| format!("delete {}", several(count, one, many)))
        .collect();
    if plan.account.is_some() {
        let what = if parts.is_empty() { "go on".to_owned() } else { parts.join(" and ") };
        return format!("Type the Account SID to {what}");
    }
    let manual = by_hand(plan);
    if manual > 0 {
        parts.push(format!("try {}", several(manual, "credential again", "credentials again")));
    }
    format!("Type yes to {}", parts.join(" and "))
}

/// What a step does, in a line without colour.
#[must_use]
pub fn title(step: &Step) -> String {
    match (step.action, &step.key_sid) {
        (Action::Manual, None) if step.credential.is_none() => format!("by hand: {}", subject(step)),
        (Action::Manual, Some(_)) => format!("by hand: delete the {}", subject(step)),
        (Action::Manual, None) => format!("by hand: the {}", subject(step)),
        _ => format!("delete the {}", subject(step)),
    }
}

/// What a step is about.
#[must_use]
pub fn subject(step: &Step) -> String {
    if step.action == Action::Manual && step.credential.is_none() {
        return format!("what could not be listed of {}", printable(&step.account_sid));
    }
    let otherwise = match step.action {
        Action::DeleteSharedKey => "SharedKey",
        // Which of an account's tokens it is cannot be told while the account is not active.
        Action::Manual if step.key_sid.is_none() && step.target.is_none() => "Auth Token",
        Action::DeleteKey | Action::DeleteOauthApp | Action::DeleteSecondaryToken | Action::Manual => {
            "API key"
        }
    };
    let kind = step.kind.map_or(otherwise, VerdictKind::title);
    let key = step
        .key_sid
        .as_deref()
        .or(step.target.as_deref())
        .map(|key| format!(" {}", printable(key)))
        .unwrap_or_default();
    let region = if step.region == Region::Us1 { String::new() } else { format!(" in {}", step.region) };
    format!("{kind}{key} of {}{region}", printable(&step.account_sid))
}

fn step(step: &Step, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let colour = if step.action == Action::Manual { YELLOW } else { RED };
    let title = title(step);
    for (number, line) in wrap(&title, width.saturating_sub(5).max(20)).into_iter().enumerate() {
        let n = if number == 0 { step.n.to_string() } else { String::new() };
        writeln!(out, "{BOLD}{n:>3}{BOLD:#}  {colour}{line}{colour:#}")?;
    }
    if let Some(parent) = &step.parent_sid {
        labelled(out, width, "     parent   ", &printable(parent))?;
    }
    if let Some(name) = &step.seen.key_name {
        labelled(out, width, "     name     ", &printable(name))?;
    }
    labelled(out, width, "     why      ", &printable(&step.why))?;
    for (number, line) in step.breaks.iter().enumerate() {
        labelled(
            out,
            width,
            if number == 0 { "     breaks   " } else { "              " },
            &printable(line),
        )?;
    }
    let mut places: Vec<String> = step.places.iter().take(MOST_PLACES).map(|path| printable(path)).collect();
    if step.places.len() > MOST_PLACES {
        places.push(format!("and {} more", step.places.len() - MOST_PLACES));
    }
    if !places.is_empty() {
        labelled(out, width, "     at       ", &places.join(", "))?;
    }
    for (number, line) in step.manual.iter().enumerate() {
        let label = if number == 0 { "     by hand  " } else { "              " };
        labelled(out, width, label, &format!("{}. {}", number + 1, printable(line)))?;
    }
    writeln!(out)
}

/// Writes a journal: one line a record, and the whole record's facts in it.
pub fn journal(records: &[Record], width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut job = None;
    for record in records {
        if job != Some(&record.job) {
            writeln!(
                out,
                "{BOLD}{}{BOLD:#}  {DIM}by {} on {}{DIM:#}",
                printable(&record.job),
                printable(&record.user),
                printable(&record.host)
            )?;
            job = Some(&record.job);
        }
        let mut parts = vec![event(record).to_owned()];
        parts.extend(record.action.as_ref().map(|action| action.replace('_', " ")));
        parts.extend(record.key_sid.clone().or(record.target.clone()).or(record.account_sid.clone()));
        parts.extend(record.status.map(|status| format!("status {status}")));
        parts.extend(record.code.map(|code| format!("code {code}")));
        parts.extend(record.request_id.clone());
        parts.extend(record.step.map(|step| format!("(step {step})")));
        parts.extend(record.note.clone().map(|note| format!("({note})")));
        labelled(
            out,
            width,
            &format!("  {}  ", record.at.get(..19).unwrap_or(&record.at)),
            &printable(&parts.join(" ")),
        )?;
    }
    Ok(())
}

/// The word for what happened.
fn event(record: &Record) -> &'static str {
    // What is made, suspended or activated was shown to work or to be so.
    let is_other = matches!(
        record.action.as_deref(),
        Some("make_key" | "make_secondary_token" | "suspend" | "activate")
    );
    match record.event {
        Event::Started => "started",
        Event::Intent => "about to",
        Event::Done => "done",
        Event::Refused => "refused",
        Event::Unsure => "not known",
        Event::Proven if is_other => "proven",
        Event::Proven => "proven dead",
        Event::Unproven if is_other => "not proven",
        Event::Unproven => "not proven dead",
        Event::HandedOver => "handed over",
        Event::HandOverFailed => "not handed over",
        Event::NotDone => "not begun",
        Event::Finished => "finished",
    }
}
