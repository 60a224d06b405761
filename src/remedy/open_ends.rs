//! What was begun and is not known to be done and proven, and the command that goes on.

use super::journal;
use crate::model::{Event, Record};

/// Something that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEnd {
    /// What, in words.
    pub what: String,
    /// The command that goes on.
    pub goes_on: String,
    /// The job, as the journal has it: of a plan, its digest.
    pub job: String,
    /// The command that goes on where the plan is lost, if there is one.
    pub without_plan: Option<String>,
    /// The run did not come to its end, and each step that it began is done and proven.
    pub is_only_stopped: bool,
}

/// What is open in a journal, in the order in which it was begun.
#[must_use]
pub fn open_ends(records: &[Record]) -> Vec<OpenEnd> {
    let mut jobs: Vec<&str> = Vec::new();
    for record in records {
        if !jobs.contains(&record.job.as_str()) {
            jobs.push(&record.job);
        }
    }
    jobs.into_iter().flat_map(|name| Job::of(name, records).open()).collect()
}

/// One piece of work: a plan, or a command about one thing.
struct Job<'a> {
    name: &'a str,
    records: Vec<&'a Record>,
    all: &'a [Record],
}

impl<'a> Job<'a> {
    fn of(name: &'a str, all: &'a [Record]) -> Self {
        Self { name, records: all.iter().filter(|record| record.job == name).collect(), all }
    }

    fn open(&self) -> Vec<OpenEnd> {
        let mut ends: Vec<OpenEnd> = self
            .last_of_steps()
            .into_iter()
            .filter_map(|record| {
                let words = self.words(record)?;
                if self.is_settled_elsewhere(record) {
                    return None;
                }
                let what =
                    record.key_sid.as_deref().or(record.target.as_deref()).or(record.account_sid.as_deref());
                let step = record.step.map(|step| format!(" step {step}")).unwrap_or_default();
                let words = format!("{step}: {} {words} ({})", what.unwrap_or("a credential"), record.at);
                Some(OpenEnd { without_plan: without_plan(record), ..self.end(&words) })
            })
            .collect();
        if ends.is_empty()
            && let Some(started) = journal::stopped(self.records.iter().copied())
        {
            let words = format!(": the run that began at {} did not come to its end", started.at);
            ends.push(OpenEnd { is_only_stopped: true, ..self.end(&words) });
        }
        ends
    }

    fn end(&self, words: &str) -> OpenEnd {
        let name: String = self.name.chars().take(40).collect();
        OpenEnd {
            what: format!("{name}{words}"),
            goes_on: self.goes_on(),
            job: self.name.to_owned(),
            without_plan: None,
            is_only_stopped: false,
        }
    }

    /// Whether another piece of work showed later that what a step was about is gone or dead. SIDs are never given again.
    fn is_settled_elsewhere(&self, open: &Record) -> bool {
        let old = self.name.strip_prefix("rotate key ");
        let is_handed_over = open.action.as_deref() == Some("make_key")
            && matches!(open.event, Event::HandedOver | Event::Unproven | Event::Proven);
        let is_same = |record: &Record| {
            let of_key = record.key_sid.is_some()
                && (record.key_sid == open.key_sid || is_handed_over && record.key_sid.as_deref() == old);
            of_key
                || record.target.is_some() && record.target == open.target
                || record.credential.is_some() && record.credential == open.credential
        };
        let is_shown = |record: &Record| {
            let action = record.action.as_deref().unwrap_or_default();
            let is_deletion = matches!(action, "delete_key" | "delete_oauth_app" | "delete_shared_key");
            match record.event {
                Event::Proven => is_deletion || action == "delete_secondary_token" || action == "manual",
                // Without its secret a key is done when it is gone.
                Event::Done => is_deletion && record.credential.is_none(),
                _ => false,
            }
        };
        let later = self.all.iter().skip_while(|record| !std::ptr::eq(*record, open)).skip(1);
        // What was asked for again after that is open again.
        let last = later.filter(|record| is_same(record)).last();
        last.is_some_and(is_shown)
    }

    /// The last record of each step.
    fn last_of_steps(&self) -> Vec<&'a Record> {
        let mut last: Vec<&Record> = Vec::new();
        for record in &self.records {
            if matches!(record.event, Event::Started | Event::Finished) {
                continue;
            }
            match last.iter_mut().find(|known| known.step == record.step) {
                Some(known) => *known = record,
                None => last.push(record),
            }
        }
        last
    }

    /// What is open about the last record of a step; `None` where nothing is.
    fn words(&self, record: &Record) -> Option<String> {
        let action = record.action.as_deref().unwrap_or_default();
        let making = matches!(action, "make_key" | "make_secondary_token");
        let words = match (record.event, action) {
            (Event::Intent, _) => "was about to be changed, and nothing says what came of it",
            (Event::Unsure, _) => "was to be changed, and what came of it is not known",
            (Event::Refused, _) => "was not changed: Twilio refused",
            (Event::NotDone, _) => {
                return Some(format!(
                    "was not begun: {}",
                    record.note.as_deref().unwrap_or("no reason is known")
                ));
            }
            (Event::Unproven, "manual") => "needs a person; it was not shown to be dead",
            (Event::Unproven, _) if making => "was handed over, and was not seen to work",
            (Event::Unproven, _) => "was changed, and was not shown to be dead",
            (Event::HandOverFailed, _) => "could not be handed over",
            (Event::HandedOver, _) => "was handed over, and was not tried yet",
            (Event::Done, "make_key" | "make_secondary_token") => {
                "has a new secret that was not handed over, so nobody has it"
            }
            (Event::Proven, "make_key") if !self.old_is_gone() => {
                "works; the key that it replaces is not deleted yet"
            }
            (Event::Proven, "make_secondary_token") => {
                "has a secondary token that was handed over and works; it is not promoted yet"
            }
            (Event::Done, "suspend" | "activate") => "was changed, and not looked at yet",
            (Event::Done, "promote") if record.note.as_deref() != Some(ALREADY) => {
                "has a new primary token; the old one was not tried yet"
            }
            // Without its secret a key is done when it is gone.
            (Event::Done, _) if record.credential.is_some() => "was changed, and not tried yet",
            _ => return None,
        };
        Some(words.to_owned())
    }

    /// A successor that was handed over and not seen to work.
    fn untried(&self) -> Option<&'a str> {
        let made = self.records.iter().rev().find(|record| record.action.as_deref() == Some("make_key"))?;
        let is_untried = matches!(made.event, Event::HandedOver | Event::Unproven);
        made.key_sid.as_deref().filter(|_| is_untried)
    }

    /// Whether the key that a rotation replaces was deleted, by this job or another.
    fn old_is_gone(&self) -> bool {
        let old = self.name.strip_prefix("rotate key ");
        self.all.iter().any(|record| {
            record.key_sid.as_deref() == old
                && record.action.as_deref() == Some("delete_key")
                && matches!(record.event, Event::Done | Event::Proven)
        })
    }

    fn goes_on(&self) -> String {
        if self.name.starts_with("rotate auth-token ") {
            let is_made = self.records.iter().any(|record| record.event == Event::HandedOver);
            let account = self.name.trim_start_matches("rotate auth-token ");
            return if is_made {
                format!(
                    "sidsweep rotate auth-token {account} --finish --new-file FILE (the file or store that --begin gave the token to)"
                )
            } else {
                format!(
                    "delete the secondary token in the console if it shows one, since nobody has it; then sidsweep rotate auth-token {account} --begin"
                )
            };
        }
        if self.name.starts_with("rotate key ") {
            let begun = format!("sidsweep {} (with the options that it was begun with)", self.name);
            let old = self.name.trim_start_matches("rotate key ");
            return match self.untried() {
                Some(new) => format!(
                    "{begun}. If a command got the secret, sidsweep cannot try it: try it yourself; if it works, sidsweep revoke key {old}; if not, sidsweep revoke key {new}"
                ),
                None => begun,
            };
        }
        if self.records.last().is_some_and(|record| record.action.as_deref() == Some("activate")) {
            return format!("sidsweep {} --release", self.name);
        }
        let one = ["revoke key ", "revoke oauth-app ", "revoke shared-key ", "contain "];
        if one.iter().any(|beginning| self.name.starts_with(beginning)) {
            return format!("sidsweep {}", self.name);
        }
        let started = self.records.iter().rev().find(|record| record.event == Event::Started);
        let noted = started.and_then(|record| record.note.clone());
        noted.unwrap_or_else(|| "sidsweep revoke apply PLAN.json".to_owned())
    }
}

/// The command that brings a step to its end without its plan.
fn without_plan(record: &Record) -> Option<String> {
    let target = record.target.as_deref();
    Some(match record.action.as_deref()? {
        "delete_key" => format!("sidsweep revoke key {}", record.key_sid.as_deref()?),
        "delete_oauth_app" => format!("sidsweep revoke oauth-app {}", target?),
        "delete_shared_key" => format!("sidsweep revoke shared-key {}", target?),
        _ => return None,
    })
}

/// What is noted where a token was the primary already.
pub(super) const ALREADY: &str = "it is the primary already";
