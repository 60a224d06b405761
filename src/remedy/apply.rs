//! Carrying a plan out: first the world is compared with the plan, then each step is journaled, done, journaled, and
//! proven by trying the leaked credential until it is refused. What broke off is looked into, not repeated blindly.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::journal::{self, Entry, Journal};
use super::proof;
use crate::model::{Action, Event, Inventory, Plan, Step, Vault};
use crate::twilio::account::Unreadable;
use crate::twilio::change::{Change, Told};
use crate::twilio::inventory::Admin;
use crate::twilio::verify::Still;
use crate::twilio::{Client, Pair, keys, tokens};

/// How often a change is asked for whose outcome was not clear, and that was then seen not to be made.
const MOST_TRIES: usize = 3;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The change was made, and the old credential was tried and refused. When, if an earlier run did it.
    Revoked(Option<String>),
    /// The key is gone from its account; its secret is not known here, so it was not tried.
    Deleted,
    /// The change was made, and the old credential was not shown to be dead.
    Unproven(String),
    /// The change was not made.
    Failed(String),
    /// A person has to do it.
    ByHand(String),
}

impl State {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Revoked(_) | Self::Deleted)
    }
}

/// A plan with what is needed to carry it out.
pub struct Work<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential changes things.
    pub admin: &'a Admin,
    /// What is to be done.
    pub plan: &'a Plan,
    /// The values of the leaked credentials.
    pub vault: &'a Vault,
    /// The record.
    pub journal: &'a mut Journal,
    /// How long an old credential is tried until it is refused.
    pub patience: Duration,
}

/// What came of asking for a change.
enum Made {
    Done,
    Not(String),
}

impl Work<'_> {
    /// How the world differs from the plan, in words; empty where the plan can be carried out. Steps that the journal
    /// says are done, or that broke off, are looked into when their turn comes.
    pub async fn differences(&self, inventory: &Inventory) -> Vec<String> {
        let open = self.plan.steps.iter().filter(|step| {
            let past = self.journal.of_step(step.n);
            past.when(Event::Done).is_none() && past.when(Event::Proven).is_none() && !past.broke_off()
        });
        let found: Vec<Option<String>> =
            stream::iter(open).map(|step| self.difference(step, inventory)).buffered(16).collect().await;
        found.into_iter().flatten().collect()
    }

    async fn difference(&self, step: &Step, inventory: &Inventory) -> Option<String> {
        let n = step.n;
        let account = &step.account_sid;
        let Some(own) = inventory.account(account) else {
            return Some(format!("step {n}: {account} is no account of ours any more"));
        };
        if step.seen.account_status.as_ref() != Some(&own.account.status) {
            let then = step.seen.account_status.as_deref().unwrap_or("not known");
            return Some(format!("step {n}: {account} is {}, and was {then}", own.account.status));
        }
        if step.action == Action::Manual {
            return None;
        }
        if let Some(sid) = &step.key_sid {
            let Some(key) = own.keys.iter().find(|key| key.key.sid == *sid && key.region == step.region)
            else {
                return Some(match &own.keys_unread {
                    Some(reason) => format!("step {n}: the keys of {account} could not be listed: {reason}"),
                    None => format!("step {n}: {account} has no key {sid} any more"),
                });
            };
            if key.key.friendly_name != step.seen.key_name || key.key.date_created != step.seen.key_created {
                return Some(format!("step {n}: {sid} has another name or date than it had"));
            }
        }
        // Only `revoke key` acts without a leak.
        step.credential.as_ref()?;
        let Some(pair) = proof::pair(step, self.vault) else {
            return Some(format!(
                "step {n}: the leaked value was not found again in {}, so nothing shows that it is this {}; give --root if the folder was moved",
                step.places.first().map_or("the plan's sources", String::as_str),
                if step.key_sid.is_some() { "key's" } else { "account's" },
            ));
        };
        if step.action == Action::DeleteSecondaryToken && own.account.token.is_of(&pair.secret) == Some(true)
        {
            return Some(format!("step {n}: the leaked token is the primary of {account} now"));
        }
        match proof::once(self.client, &pair, step.region, account).await {
            Still::Works => None,
            Still::Refused { .. } => {
                Some(format!("step {n}: the leaked credential of {} does not work (any more)", pair.user))
            }
            Still::Unsure(reason) => {
                Some(format!("step {n}: {} could not be asked about: {reason}", pair.user))
            }
        }
    }

    /// Does all steps in their order. `tell` hears how each ended, as soon as that is known.
    pub async fn run(
        &mut self,
        tell: &mut dyn FnMut(&Step, &State),
    ) -> Result<Vec<(u32, State)>, journal::Error> {
        self.journal.note(Event::Started, &Entry::default(), None, None)?;
        let plan = self.plan;
        let mut states = Vec::new();
        let mut waiting: Vec<&Step> = Vec::new();
        for step in &plan.steps {
            match self.step(step).await? {
                Some(state) => {
                    tell(step, &state);
                    states.push((step.n, state));
                }
                None => waiting.push(step),
            }
        }
        // Those that lingered are tried on, side by side, in the order of the plan.
        let (client, vault, patience) = (self.client, self.vault, self.patience);
        let mut tried = stream::iter(waiting)
            .map(|step| async move {
                let still = match proof::pair(step, vault) {
                    Some(pair) => {
                        proof::until_refused(client, &pair, step.region, &step.account_sid, patience).await
                    }
                    None => Still::Unsure("its value was not found again where it stood".to_owned()),
                };
                (step, still)
            })
            .buffered(64);
        while let Some((step, still)) = tried.next().await {
            let state = if let Still::Refused { code } = still {
                self.proven(step, code)?
            } else {
                let doubt = proof::doubt(&still);
                self.journal.note(Event::Unproven, &entry(step), None, Some(doubt.clone()))?;
                State::Unproven(doubt)
            };
            tell(step, &state);
            states.push((step.n, state));
        }
        drop(tried);
        states.sort_by_key(|(n, _)| *n);
        let left = states.iter().filter(|(_, state)| !state.is_done()).count();
        let note = format!("{} steps, {left} not done", states.len());
        self.journal.note(Event::Finished, &Entry::default(), None, Some(note))?;
        Ok(states)
    }

    fn proven(&mut self, step: &Step, code: u32) -> Result<State, journal::Error> {
        let told = Told { status: None, code: Some(code), request_id: None };
        self.journal.note(Event::Proven, &entry(step), Some(&told), None)?;
        Ok(State::Revoked(None))
    }

    /// Does one step and tries the old credential once. `None`: it was done, and the old credential lingers.
    async fn step(&mut self, step: &Step) -> Result<Option<State>, journal::Error> {
        let past = self.journal.of_step(step.n);
        if let Some(proven) = past.when(Event::Proven) {
            return Ok(Some(State::Revoked(Some(proven.at.clone()))));
        }
        if step.action != Action::Manual && past.when(Event::Done).is_none() {
            let broke_off = past.broke_off();
            let made = match step.action {
                Action::DeleteKey => self.delete_key(step, broke_off).await?,
                _ => self.delete_secondary(step, broke_off).await?,
            };
            if let Made::Not(reason) = made {
                return Ok(Some(State::Failed(reason)));
            }
        }
        if step.credential.is_none() {
            return Ok(Some(State::Deleted));
        }
        let pair = proof::pair(step, self.vault);
        let still = match &pair {
            Some(pair) => proof::once(self.client, pair, step.region, &step.account_sid).await,
            None => Still::Unsure("its value was not found again where it stood".to_owned()),
        };
        match still {
            Still::Refused { code } => self.proven(step, code).map(Some),
            still if step.action == Action::Manual => {
                let doubt = proof::doubt(&still);
                self.journal.note(Event::Unproven, &entry(step), None, Some(doubt.clone()))?;
                Ok(Some(State::ByHand(doubt)))
            }
            _ => Ok(None),
        }
    }

    async fn delete_key(&mut self, step: &Step, broke_off: bool) -> Result<Made, journal::Error> {
        let Some(sid) = step.key_sid.clone() else { return Ok(Made::Not("it names no key".to_owned())) };
        let (client, account, region) = (self.client, &step.account_sid, step.region);
        let mut look = broke_off;
        let mut last = String::new();
        for _ in 0..MOST_TRIES {
            if look {
                match keys::read(client, region, account, &sid, &self.admin.pair).await {
                    Ok(_) => {}
                    Err(unreadable) if self.is_gone(&unreadable, &sid) => {
                        let note = "gone when it was looked at again".to_owned();
                        self.journal.note(Event::Done, &entry(step), None, Some(note))?;
                        return Ok(Made::Done);
                    }
                    Err(unreadable) => {
                        let reason = format!("whether it was deleted is not known: {unreadable}");
                        self.journal.note(Event::Unsure, &entry(step), None, Some(reason.clone()))?;
                        return Ok(Made::Not(reason));
                    }
                }
            }
            self.journal.note(Event::Intent, &entry(step), None, None)?;
            match keys::delete(client, region, account, &sid, &self.admin.pair).await {
                Change::Made(_, told) => {
                    self.journal.note(Event::Done, &entry(step), Some(&told), None)?;
                    return Ok(Made::Done);
                }
                Change::Missing(told) => {
                    let note = "there was no such key any more".to_owned();
                    self.journal.note(Event::Done, &entry(step), Some(&told), Some(note))?;
                    return Ok(Made::Done);
                }
                Change::Refused(told, words) => {
                    let words = self.advice(&told, words, step);
                    self.journal.note(Event::Refused, &entry(step), Some(&told), Some(words.clone()))?;
                    return Ok(Made::Not(words));
                }
                Change::Unsure(told, words) => {
                    self.journal.note(Event::Unsure, &entry(step), Some(&told), Some(words.clone()))?;
                    last = words;
                    look = true;
                }
            }
        }
        Ok(Made::Not(format!("no clear answer in {MOST_TRIES} tries: {last}; apply again goes on here")))
    }

    /// Whether an answer about a key says that it is gone. A key that deleted itself cannot ask any more.
    fn is_gone(&self, unreadable: &Unreadable, sid: &str) -> bool {
        unreadable.is_missing() || (self.admin.pair.user == sid && unreadable.is_unauthorized())
    }

    fn advice(&self, told: &Told, words: String, step: &Step) -> String {
        let own = step.key_sid.as_deref() == Some(self.admin.pair.user.as_str());
        match told.code {
            Some(20003) if own => {
                format!("{words}: this key may not delete itself; use the Auth Token or the console")
            }
            Some(20003)
                if step.account_sid != self.admin.account && self.admin.pair.user.starts_with("SK") =>
            {
                format!("{words}: use the parent's Auth Token or the subaccount's own credential")
            }
            _ => words,
        }
    }

    async fn delete_secondary(&mut self, step: &Step, broke_off: bool) -> Result<Made, journal::Error> {
        let account = &step.account_sid;
        let Some(leaked) = proof::pair(step, self.vault) else {
            return Ok(Made::Not("the leaked token was not found again where it stood".to_owned()));
        };
        let mut look = broke_off;
        let mut last = String::new();
        for _ in 0..MOST_TRIES {
            let acting = match tokens::act_as(self.client, self.admin, account).await {
                Ok(pair) => pair,
                Err(error) => return Ok(Made::Not(error.to_string())),
            };
            if let Some(made) = self.is_the_secondary(step, &leaked, &acting, look).await? {
                return Ok(made);
            }
            self.journal.note(Event::Intent, &entry(step), None, None)?;
            match tokens::delete_secondary(self.client, &acting).await {
                Change::Made(_, told) | Change::Missing(told) => {
                    self.journal.note(Event::Done, &entry(step), Some(&told), None)?;
                    return Ok(Made::Done);
                }
                Change::Refused(told, words) => {
                    self.journal.note(Event::Refused, &entry(step), Some(&told), Some(words.clone()))?;
                    return Ok(Made::Not(words));
                }
                Change::Unsure(told, words) => {
                    self.journal.note(Event::Unsure, &entry(step), Some(&told), Some(words.clone()))?;
                    last = words;
                    look = true;
                }
            }
        }
        Ok(Made::Not(format!("no clear answer in {MOST_TRIES} tries: {last}; apply again goes on here")))
    }

    /// Makes sure, right before deleting, that the secondary token is the leaked one: it works and is not the primary.
    async fn is_the_secondary(
        &mut self,
        step: &Step,
        leaked: &Pair,
        acting: &Pair,
        looking: bool,
    ) -> Result<Option<Made>, journal::Error> {
        if acting.secret == leaked.secret {
            return Ok(Some(Made::Not(
                "the leaked token is the primary now; rotate it in the console".to_owned(),
            )));
        }
        Ok(match proof::once(self.client, leaked, step.region, &step.account_sid).await {
            Still::Works => None,
            Still::Refused { .. } if looking => {
                let note = "refused when it was looked at again".to_owned();
                self.journal.note(Event::Done, &entry(step), None, Some(note))?;
                Some(Made::Done)
            }
            Still::Refused { .. } => Some(Made::Not(
                "the leaked token does not work any more; the secondary may be another".to_owned(),
            )),
            still @ Still::Unsure(_) => Some(Made::Not(proof::doubt(&still))),
        })
    }
}

/// What the journal says of a step.
fn entry(step: &Step) -> Entry<'_> {
    Entry {
        action: Some(match step.action {
            Action::DeleteKey => "delete_key",
            Action::DeleteSecondaryToken => "delete_secondary_token",
            Action::Manual => "manual",
        }),
        step: Some(step.n),
        account: Some(&step.account_sid),
        key: step.key_sid.as_deref(),
        credential: step.credential.as_ref(),
    }
}
