//! Carrying a plan out: first the world is compared with the plan, then each step is journaled, done, journaled, and
//! proven by trying the leaked credential until it is refused. What broke off is looked into, not repeated blindly.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::journal::{self, Entry, Journal};
use super::proof::{Proof, Proving};
use crate::model::{Action, Event, Inventory, Plan, Step, Vault};
use crate::twilio::Client;
use crate::twilio::change::Told;
use crate::twilio::inventory::Admin;

/// Proofs that go on side by side; the client bounds each account and the rate.
const AT_ONCE: usize = 64;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The change was made, and the old credential was tried and refused. When, if an earlier run did it.
    Revoked(Option<String>),
    /// The key is gone, and trying its secret says nothing, for this reason.
    Gone(String),
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
        matches!(self, Self::Revoked(_) | Self::Gone(_))
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
    /// Accounts and keys as they are now.
    pub inventory: &'a Inventory,
    /// The record.
    pub journal: &'a mut Journal,
    /// How long an old credential is tried until it is refused.
    pub patience: Duration,
    /// The steps of which a change was asked for in this run.
    pub asked: BTreeSet<u32>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ended {
    /// How each step ended.
    pub states: Vec<(u32, State)>,
    /// Why the run stopped before its end: the record could not be written, and without a record nothing is changed.
    pub stopped: Option<journal::Error>,
}

impl Work<'_> {
    /// Does all steps in their order, and the key that the tool itself runs on only if nothing else is left. `tell` hears how each
    /// ended, as soon as that is known. `goes_on` is the command that goes on where this run may be stopped.
    pub async fn run(
        &mut self,
        goes_on: &str,
        tell: &mut dyn FnMut(&Step, &State),
    ) -> Result<Ended, journal::Error> {
        self.journal.note(Event::Started, &Entry::default(), None, Some(goes_on.to_owned()))?;
        let mut states = Vec::new();
        let mut stopped = self.all(&mut states, tell).await.err();
        if stopped.is_some() {
            self.tell_stopped(&mut states, tell);
        } else {
            let left = states.iter().filter(|(_, state)| !state.is_done()).count();
            let note = format!("{} steps, {left} not done", states.len());
            stopped = self.journal.note(Event::Finished, &Entry::default(), None, Some(note)).err();
        }
        states.sort_by_key(|(n, _)| *n);
        Ok(Ended { states, stopped })
    }

    async fn all(
        &mut self,
        states: &mut Vec<(u32, State)>,
        tell: &mut dyn FnMut(&Step, &State),
    ) -> Result<(), journal::Error> {
        let own = self.admin.pair.user.clone();
        let is_own = |step: &&Step| step.key_sid.as_ref() == Some(&own) && step.action == Action::DeleteKey;
        let (last, first): (Vec<&Step>, Vec<&Step>) = self.plan.steps.iter().partition(is_own);
        self.group(&first, states, tell).await?;
        let open: Vec<String> =
            states.iter().filter(|(_, state)| !state.is_done()).map(|(n, _)| n.to_string()).collect();
        if open.is_empty() {
            return self.group(&last, states, tell).await;
        }
        for step in last {
            let words = format!(
                "kept until all else is done, since sidsweep runs on this key: step {} is open",
                open.join(", ")
            );
            let _ = self.not_done(step, words.clone())?;
            let state = State::Failed(words);
            tell(step, &state);
            states.push((step.n, state));
        }
        Ok(())
    }

    /// Makes the changes of some steps one after the other, then proves them side by side.
    async fn group(
        &mut self,
        steps: &[&Step],
        states: &mut Vec<(u32, State)>,
        tell: &mut dyn FnMut(&Step, &State),
    ) -> Result<(), journal::Error> {
        let mut changed: Vec<&Step> = Vec::new();
        for &step in steps {
            match self.change(step).await? {
                Some(state) => {
                    tell(step, &state);
                    states.push((step.n, state));
                }
                None => changed.push(step),
            }
        }
        let Self { client, admin, inventory, vault, patience, .. } = *self;
        let proving = Proving { client, admin, inventory, vault, patience };
        let proving = &proving;
        let mut proofs = stream::iter(changed)
            .map(|step| async move { (step, proving.prove(step).await) })
            .buffered(AT_ONCE);
        while let Some((step, proof)) = proofs.next().await {
            let state = self.proven(step, proof)?;
            tell(step, &state);
            states.push((step.n, state));
        }
        Ok(())
    }

    /// Notes what was shown of a step.
    fn proven(&mut self, step: &Step, proof: Proof) -> Result<State, journal::Error> {
        Ok(match proof {
            Proof::Refused { code } => {
                let told = Told { status: Some(401), code: Some(code), request_id: None };
                self.journal.note(Event::Proven, &entry(step), Some(&told), None)?;
                State::Revoked(None)
            }
            Proof::Gone(words) => {
                // Without a leaked secret there is nothing to prove: the step is done when the key is gone.
                if step.credential.is_some() {
                    self.journal.note(Event::Proven, &entry(step), None, Some(words.clone()))?;
                }
                State::Gone(words)
            }
            Proof::Doubt(doubt) => {
                self.journal.note(Event::Unproven, &entry(step), None, Some(doubt.clone()))?;
                if step.action == Action::Manual { State::ByHand(doubt) } else { State::Unproven(doubt) }
            }
        })
    }

    /// Makes the change of a step, if it has one and it is not made. `None`: what is left is to prove it.
    async fn change(&mut self, step: &Step) -> Result<Option<State>, journal::Error> {
        let past = self.journal.of_step(step.n);
        let broke_off = past.broke_off();
        let proven = past.when(Event::Proven).map(|record| (record.at.clone(), record.code));
        let done = past.when(Event::Done).map(|record| record.status);
        // A key that lives reopens its step, whatever was noted of it.
        let lives = self.lives(step);
        if let Some((at, code)) = proven
            && !lives
        {
            let state = if code.is_some() {
                State::Revoked(Some(at))
            } else {
                State::Gone(format!("gone from its account, as an earlier run saw at {at}"))
            };
            return Ok(Some(state));
        }
        let made = match step.action {
            Action::Manual => return Ok(None),
            Action::DeleteKey | Action::DeleteOauthApp | Action::DeleteSharedKey => {
                if done.is_some() && !lives {
                    return Ok(None);
                }
                self.delete_object(step, broke_off || done.is_some() || !lives).await?
            }
            // What was deleted by a clear answer is never deleted again: there may be a new one.
            Action::DeleteSecondaryToken if done == Some(Some(204)) => return Ok(None),
            Action::DeleteSecondaryToken => self.delete_secondary(step, broke_off || done.is_some()).await?,
        };
        Ok(made.err().map(State::Failed))
    }

    /// Whether the inventory shows what a step deletes.
    pub(super) fn lives(&self, step: &Step) -> bool {
        let target = step.target.as_deref();
        match step.action {
            Action::DeleteKey => step.key_sid.as_deref().is_some_and(|sid| self.inventory.key(sid).is_some()),
            Action::DeleteOauthApp => target.is_some_and(|sid| self.inventory.app(sid).is_some()),
            Action::DeleteSharedKey => target.is_some_and(|id| self.inventory.shared_key(id).is_some()),
            Action::DeleteSecondaryToken | Action::Manual => false,
        }
    }

    /// Says of each step that was not told yet how far it came when the record could not be written any more.
    fn tell_stopped(&self, states: &mut Vec<(u32, State)>, tell: &mut dyn FnMut(&Step, &State)) {
        for step in &self.plan.steps {
            if states.iter().any(|(n, _)| *n == step.n) {
                continue;
            }
            let state = if self.asked.contains(&step.n) {
                State::Unproven(
                    "its change was asked for, and what came of it could not be recorded or proven".into(),
                )
            } else {
                State::Failed("not begun, since the record cannot be written".to_owned())
            };
            tell(step, &state);
            states.push((step.n, state));
        }
    }
}

/// What the journal says of a step.
pub(super) fn entry(step: &Step) -> Entry<'_> {
    Entry {
        action: Some(match step.action {
            Action::DeleteKey => "delete_key",
            Action::DeleteOauthApp => "delete_oauth_app",
            Action::DeleteSharedKey => "delete_shared_key",
            Action::DeleteSecondaryToken => "delete_secondary_token",
            Action::Manual => "manual",
        }),
        step: Some(step.n),
        account: Some(&step.account_sid),
        key: step.key_sid.as_deref(),
        target: step.target.as_deref(),
        credential: step.credential.as_ref(),
    }
}
