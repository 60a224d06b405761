//! A plan for people: each step with why, what breaks and what is done by hand; then what is left out; and the journal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use super::wrap::labelled;
use crate::model::{Action, Event, Plan, Record, Region, Step, VerdictKind};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How many files of a step are named; the rest are counted.
const MOST_PLACES: usize = 3;

/// Writes a plan in lines of at most `width` columns where words allow.
pub fn write(plan: &Plan, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for step in &plan.steps {
        self::step(step, width, out)?;
    }
    if !plan.left_out.is_empty() {
        writeln!(out, "{BOLD}Left out{BOLD:#}")?;
        for left in &plan.left_out {
            let name =
                left.key_sid.as_deref().or(left.account_sid.as_deref()).unwrap_or("a secret without a SID");
            let text =
                format!("{} (credential {}): {}", printable(name), left.credential, printable(&left.reason));
            labelled(out, width, "  ", &text)?;
        }
        writeln!(out)?;
    }
    labelled(out, width, "", &summary(plan))
}

/// What a plan comes to, in a sentence.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let count = |action| plan.steps.iter().filter(|step| step.action == action).count();
    let several = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    format!(
        "{}: {} to delete, {} to delete, {} by hand; {} left out.",
        several(plan.steps.len(), "step", "steps"),
        several(count(Action::DeleteKey), "key", "keys"),
        several(count(Action::DeleteSecondaryToken), "secondary token", "secondary tokens"),
        count(Action::Manual),
        several(plan.left_out.len(), "credential", "credentials"),
    )
}

/// What a step does, in a line without colour.
#[must_use]
pub fn title(step: &Step) -> String {
    match (step.action, &step.key_sid) {
        (Action::Manual, Some(_)) => format!("by hand: delete the {}", subject(step)),
        (Action::Manual, None) => format!("by hand: the {}", subject(step)),
        _ => format!("delete the {}", subject(step)),
    }
}

/// What a step is about.
#[must_use]
pub fn subject(step: &Step) -> String {
    let kind = step.kind.map_or("API key", VerdictKind::title);
    let key = step.key_sid.as_deref().map(|key| format!(" {}", printable(key))).unwrap_or_default();
    let region = if step.region == Region::Us1 { String::new() } else { format!(" in {}", step.region) };
    format!("{kind}{key} of {}{region}", printable(&step.account_sid))
}

fn step(step: &Step, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let colour = if step.action == Action::Manual { YELLOW } else { RED };
    let parent = step
        .parent_sid
        .as_deref()
        .map(|parent| format!("  {DIM}subaccount of {}{DIM:#}", printable(parent)))
        .unwrap_or_default();
    writeln!(out, "{BOLD}{:>3}{BOLD:#}  {colour}{}{colour:#}{parent}", step.n, title(step))?;
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
        let mut parts = vec![event(record.event).to_owned()];
        parts.extend(record.action.as_ref().map(|action| action.replace('_', " ")));
        parts.extend(record.key_sid.clone().or(record.account_sid.clone()));
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
fn event(event: Event) -> &'static str {
    match event {
        Event::Started => "started",
        Event::Intent => "about to",
        Event::Done => "done",
        Event::Refused => "refused",
        Event::Unsure => "not known",
        Event::Proven => "proven dead",
        Event::Unproven => "not proven dead",
        Event::HandedOver => "handed over",
        Event::HandOverFailed => "not handed over",
        Event::Finished => "finished",
    }
}
