//! An inventory for people: a tree of accounts with their keys, and whose the SIDs of a report are.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::printable::printable;
use crate::model::{Inventory, Leaked, OwnAccount, Region};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Writes the accounts, parent first, each with its keys.
pub fn write(
    inventory: &Inventory,
    leaked: Option<&[Leaked]>,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    for own in &inventory.accounts {
        account(own, width, out)?;
    }
    let keys: usize = inventory.accounts.iter().map(|own| own.keys.len()).sum();
    let several = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    writeln!(
        out,
        "{}, {}, seen by {}.",
        several(inventory.accounts.len(), "account", "accounts"),
        several(keys, "key", "keys"),
        printable(&inventory.admin.user)
    )?;
    let Some(leaked) = leaked else { return Ok(()) };
    writeln!(out, "\n{BOLD}In the report{BOLD:#}")?;
    for sid in leaked {
        let account = sid
            .account_sid
            .as_deref()
            .filter(|a| *a != sid.sid)
            .map(|a| format!(" in {a}"))
            .unwrap_or_default();
        writeln!(out, "  {}  {}{account}", printable(&sid.sid), printable(&sid.note))?;
    }
    Ok(())
}

fn account(own: &OwnAccount, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = if own.account.parent().is_some() { "  " } else { "" };
    let name = own.account.friendly_name.as_deref().unwrap_or_default();
    let colour = if own.account.status == "active" { DIM } else { YELLOW };
    let kind = own.account.type_.as_deref().unwrap_or_default();
    writeln!(
        out,
        "{indent}{BOLD}{}{BOLD:#}  {}  {colour}{} {}{colour:#}",
        printable(&own.account.sid),
        short(name, width.saturating_sub(60)),
        printable(&own.account.status),
        printable(kind)
    )?;
    for key in &own.keys {
        let name = key.key.friendly_name.as_deref().unwrap_or("(no name)");
        let created = key.key.date_created.as_deref().unwrap_or_default();
        let kind = key.kind.map(|kind| kind.replace('_', " ")).unwrap_or_default();
        let region = if key.region == Region::Us1 { String::new() } else { format!(" {}", key.region) };
        writeln!(
            out,
            "{indent}  {}  {}  {DIM}{kind}{region}  {}{DIM:#}",
            printable(&key.key.sid),
            short(name, width.saturating_sub(80).max(16)),
            printable(created.get(5..16).unwrap_or(created))
        )?;
    }
    for app in own.oauth_apps.iter().flatten() {
        let policy = match app.policy.as_slice() {
            [] => "no permissions".to_owned(),
            [only] => printable(only),
            [first, rest @ ..] => format!("{} and {} more", printable(first), rest.len()),
        };
        let lifetime =
            app.access_token_ttl.map(|seconds| format!(", tokens live {seconds} s")).unwrap_or_default();
        writeln!(
            out,
            "{indent}  {}  {}  {DIM}OAuth app: {policy}{lifetime}  {}{DIM:#}",
            printable(&app.sid),
            short(app.friendly_name.as_deref().unwrap_or("(no name)"), 16),
            printable(app.date_created.as_deref().unwrap_or_default())
        )?;
    }
    for key in own.shared_keys.iter().flatten() {
        writeln!(
            out,
            "{indent}  {}  {}  {DIM}signs webhooks  {}{DIM:#}",
            printable(&key.id),
            short(key.friendly_name.as_deref().unwrap_or("(no name)"), 16),
            printable(key.date_created.as_deref().unwrap_or_default())
        )?;
    }
    let more = [("OAuth apps", &own.oauth_apps_unread), ("webhook SharedKeys", &own.shared_keys_unread)];
    for (what, reason) in more.into_iter().filter_map(|(what, reason)| Some((what, reason.as_deref()?))) {
        writeln!(out, "{indent}  {YELLOW}{what} not read{YELLOW:#}: {}", printable(reason))?;
    }
    if let Some(reason) = &own.keys_unread {
        writeln!(out, "{indent}  {YELLOW}keys not read{YELLOW:#}: {}", printable(reason))?;
    }
    Ok(())
}

fn short(text: &str, room: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= room.max(12) {
        return text;
    }
    format!("{}…", text.chars().take(room.max(12) - 1).collect::<String>())
}
