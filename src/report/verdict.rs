//! A verdict and an exposure in words, for every format that people read.

use std::fmt::Write as _;

use crate::model::{Asked, AskedDoubtful, Credential, Exposure, Verdict, VerdictState};

/// One word for the answer.
#[must_use]
pub fn word(state: VerdictState) -> &'static str {
    match state {
        VerdictState::Live => "live",
        VerdictState::Test => "test",
        VerdictState::Rejected => "rejected",
        VerdictState::Inactive => "inactive",
        VerdictState::Unknown => "unknown",
        VerdictState::Unverified => "unverified",
    }
}

/// Most dangerous first: the order in which people want to see them.
#[must_use]
pub fn urgency(state: VerdictState) -> u8 {
    match state {
        VerdictState::Live => 0,
        VerdictState::Unknown => 1,
        VerdictState::Unverified => 2,
        VerdictState::Inactive => 3,
        VerdictState::Rejected => 4,
        VerdictState::Test => 5,
    }
}

/// What is known beyond the one word, and since when; `None` where nobody asked and there is nothing to say.
#[must_use]
pub fn sentence(verdict: &Verdict) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    if let Some(kind) = verdict.kind {
        let region = verdict.region.as_deref().map(|region| format!(" in {region}")).unwrap_or_default();
        parts.push(format!("{}{region}", kind.title()));
    }
    parts.extend(verdict.reason.clone());
    if let Some(parent) = &verdict.parent {
        parts.push(format!("of a subaccount of {parent}"));
    }
    match verdict.ours {
        Some(true) => parts.push("ours".to_owned()),
        Some(false) => parts.push("not ours".to_owned()),
        None => {}
    }
    if let Some(code) = verdict.code {
        parts.push(format!("code {code}"));
    }
    if let Some(at) = &verdict.checked_at {
        parts.push(format!("asked {at}"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What a live credential reaches, line by line.
#[must_use]
pub fn exposure(exposure: &Exposure) -> Vec<String> {
    let count =
        |n: Option<u64>, one: &str, many: &str| n.map(|n| format!("{n} {}", if n == 1 { one } else { many }));
    let mut lines = Vec::new();
    if let Some(status) = &exposure.account_status {
        let name = exposure.account_name.as_deref().unwrap_or("an account without a name");
        let type_ = exposure.account_type.as_deref().unwrap_or_default();
        lines.push(format!("{name} ({status} {type_})").replace(" )", ")"));
    }
    let counts: Vec<String> = [
        count(exposure.subaccounts, "subaccount", "subaccounts"),
        count(exposure.numbers, "phone number", "phone numbers"),
        count(exposure.keys, "API key", "API keys"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !counts.is_empty() {
        lines.push(counts.join(", "));
    }
    if !exposure.spend.is_empty() {
        let spent: Vec<String> = exposure
            .spend
            .iter()
            .map(|spend| {
                format!("{} {} {}", spend.price, spend.unit.to_uppercase(), spend.span.replace('_', " "))
            })
            .collect();
        lines.push(format!("spent {}", spent.join(", ")));
    }
    if exposure.events.is_empty() && exposure.events_read {
        lines.push(
            "no configuration change recorded in 30 days; reads and sends are never recorded".to_owned(),
        );
    }
    for event in &exposure.events {
        let by = event.source_ip.as_deref().map(|ip| format!(" from {ip}")).unwrap_or_default();
        let of = event.resource.as_deref().map(|sid| format!(" {sid}")).unwrap_or_default();
        lines.push(format!("{} {}{of}{by}", event.date, event.type_));
    }
    // By reason, so that a key's limits are said once.
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for unread in &exposure.unread {
        match reasons.iter_mut().find(|(reason, _)| *reason == unread.reason) {
            Some((_, what)) => what.push(&unread.what),
            None => reasons.push((&unread.reason, vec![&unread.what])),
        }
    }
    for (reason, what) in reasons {
        lines.push(format!("not read: {} ({reason})", what.join(", ")));
    }
    lines
}

/// What was asked about values that nothing but their shape speaks for; `None` where there were none.
#[must_use]
pub fn doubtful(asked: &Asked) -> Option<String> {
    let doubtful = asked.doubtful.as_ref().filter(|doubtful| doubtful.candidates > 0)?;
    let AskedDoubtful { candidates, asked, left, pairs, accepted, unsettled, most_per_sid, most } = *doubtful;
    let values = if candidates == 1 {
        "1 more value has the shape of a secret and a SID nearby".to_owned()
    } else {
        format!("{candidates} more values have the shape of a secret and a SID nearby")
    };
    let pairs = if pairs == 1 { "1 pair".to_owned() } else { format!("{pairs} pairs") };
    let mut text =
        format!("{values}: Twilio was asked about {asked} of them ({pairs}) and accepts {accepted}");
    if unsettled > 0 {
        let _ = write!(text, "; about {unsettled} it gave no clear answer");
    }
    if left > 0 {
        let _ = write!(text, "; {left} were left (--ask-per-sid is {most_per_sid}, --ask-most is {most})");
    }
    text.push('.');
    Some(text)
}

/// How many credentials came out in which way, most dangerous first.
#[must_use]
pub fn tally(credentials: &[&Credential]) -> String {
    let states = [
        VerdictState::Live,
        VerdictState::Unknown,
        VerdictState::Unverified,
        VerdictState::Inactive,
        VerdictState::Rejected,
        VerdictState::Test,
    ];
    states
        .into_iter()
        .filter_map(|state| {
            let count = credentials.iter().filter(|credential| credential.verdict.state == state).count();
            (count > 0).then(|| format!("{count} {}", word(state)))
        })
        .collect::<Vec<_>>()
        .join(", ")
}
