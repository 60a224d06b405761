//! What happened in an account, for people: first what it comes to, then each change and each thing, and what could not be read.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use super::wrap::{labelled, wrap};
use crate::model::{Recorded, Sweep, Thing};

const BOLD: Style = Style::new().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How many lines of a section are shown unless all are wished for.
const MOST: usize = 40;

fn several(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What it comes to, in a sentence or two.
#[must_use]
pub fn headline(sweep: &Sweep) -> String {
    let (account, since) = (&sweep.account_sid, &sweep.since);
    let reach = match &sweep.reach {
        Some(reach) => format!(" Recorded changes reach back to {}: {}.", reach.from, reach.why),
        None if sweep.left_out.iter().any(|part| part == "events") => String::new(),
        None => " Recorded changes could not be read.".to_owned(),
    };
    let mut text = if sweep.events.is_empty() && sweep.new.is_empty() {
        format!("Nothing recorded in what could be read of {account} since {since}.{reach}")
    } else {
        let changes = several(sweep.events.len(), "recorded change", "recorded changes");
        let new = several(sweep.new.len(), "thing is new", "things are new");
        format!("{account} since {since}: {changes}, {new}.{reach}")
    };
    if !sweep.unread.is_empty() {
        text += &format!(" {} could not be read.", several(sweep.unread.len(), "part", "parts"));
    }
    text
}

/// Writes it in lines of at most `width` columns where words allow.
pub fn write(sweep: &Sweep, all: bool, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(&printable(&headline(sweep)), width) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }
    let events: Vec<(String, String)> = sweep.events.iter().map(event).collect();
    section("Recorded changes", &events, all, width, out)?;
    section("New", &things(&sweep.new), all, width, out)?;
    section("Without a date: look at each", &things(&sweep.undated), all, width, out)?;
    if !sweep.unread.is_empty() {
        writeln!(out, "\n{YELLOW}Not read{YELLOW:#}")?;
        for unread in &sweep.unread {
            labelled(out, width, "  ", &printable(&format!("{}: {}", unread.what, unread.reason)))?;
        }
    }
    let read: Vec<String> = sweep.read.iter().map(|part| format!("{} {}", part.count, part.what)).collect();
    writeln!(out)?;
    labelled(out, width, "Read: ", &printable(&read.join(", ")))?;
    if !sweep.left_out.is_empty() {
        labelled(out, width, "Left out by --without: ", &printable(&sweep.left_out.join(", ")))?;
    }
    labelled(
        out,
        width,
        "",
        "Twilio records changes, and neither reads nor sends; and it names a user or the account as who made a change, never an API key.",
    )
}

fn event(event: &Recorded) -> (String, String) {
    let resource = event.resource_sid.as_deref().map(|sid| format!(" {sid}")).unwrap_or_default();
    let actor = event.actor_sid.as_deref().unwrap_or("somebody who is not named");
    let source = event.source.as_deref().map(|source| format!(" by {source}")).unwrap_or_default();
    let from = event.source_ip.as_deref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    let mark = if event.telling { "! " } else { "  " };
    let at = event.at.get(..19).unwrap_or(&event.at);
    (format!("{mark}{at}  "), format!("{}{resource}, {actor}{source}{from}", event.type_))
}

fn things(things: &[Thing]) -> Vec<(String, String)> {
    things
        .iter()
        .map(|thing| {
            let name = thing.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
            let made = thing.created.as_deref().map(|at| format!(", made {at}")).unwrap_or_default();
            ("  ".to_owned(), format!("{} {}{name}{made}", thing.kind.title().0, thing.id))
        })
        .collect()
}

fn section(
    title: &str,
    lines: &[(String, String)],
    all: bool,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
    let shown = if all { lines.len() } else { MOST };
    for (label, text) in lines.iter().take(shown) {
        labelled(out, width, &printable(label), &printable(text))?;
    }
    if lines.len() > shown {
        let text = format!("and {} more; --all and --format json list them", lines.len() - shown);
        labelled(out, width, "  ", &text)?;
    }
    Ok(())
}
