//! Deleting: what is about to be deleted is in the journal before it is asked for, 204 is the only answer that is taken at its word,
//! and any other is looked into.

use std::time::Duration;

use super::apply::{Work, entry};
use super::journal::{self, IN_REGION};
use super::presence::{Api, Object, Presence, inactive};
use super::proof;
use crate::model::{Event, Region, Step};
use crate::twilio::account;
use crate::twilio::change::{Change, Told};
use crate::twilio::verify::Still;
use crate::twilio::{Pair, tokens};

/// How often a change is asked for whose outcome was not clear, and that was then seen not to be made.
const MOST_TRIES: usize = 3;
/// How long a token is tried of which an earlier run may have deleted the account's other one, before it is deleted again.
const LINGERS: Duration = Duration::from_secs(10);

/// What came of asking for a deletion.
pub enum Deletion {
    /// It is gone, or Twilio says that it was deleted.
    Done,
    /// Twilio said no: nothing was changed.
    Refused(Told, String),
    /// It was not done, or what came of it is not known.
    Not(String),
}

/// Writes a line of the journal about the thing that is deleted.
pub type Note<'a> = dyn FnMut(Event, Option<&Told>, Option<String>) -> Result<(), journal::Error> + Send + 'a;

/// Deletes a key, an OAuth app or a SharedKey. `look_first` for one that an earlier run may have deleted.
pub async fn delete(
    object: &Object<'_>,
    look_first: bool,
    pause: Duration,
    note: &mut Note<'_>,
) -> Result<Deletion, journal::Error> {
    let (mut is_looking, mut api) = (look_first, Api::Classic);
    let mut last = String::new();
    for _ in 0..MOST_TRIES {
        if is_looking {
            match object.look().await {
                Presence::There(found) => api = found,
                Presence::Gone | Presence::OwnRefused => {
                    note(Event::Done, None, Some("gone when it was looked at again".to_owned()))?;
                    return Ok(Deletion::Done);
                }
                Presence::Unknown(reason) => {
                    let reason = format!("whether it was deleted is not known: {reason}");
                    note(Event::Unsure, None, Some(reason.clone()))?;
                    return Ok(Deletion::Not(reason));
                }
            }
        }
        note(Event::Intent, None, None)?;
        match object.delete(api).await {
            // Accepted, and done later: it is looked for until it is gone.
            Change::Made(answer, told) if answer.status == 202 => {
                note(Event::Unsure, Some(&told), Some("202: accepted, and done later".to_owned()))?;
                if let Some(reason) = until_gone(object, pause).await {
                    return Ok(Deletion::Not(reason));
                }
                note(Event::Done, None, Some("gone when it was looked at again".to_owned()))?;
                return Ok(Deletion::Done);
            }
            Change::Made(_, told) => {
                note(Event::Done, Some(&told), None)?;
                return Ok(Deletion::Done);
            }
            Change::Missing(told) => {
                last = format!("Twilio answered 404, though the {} exists", object.noun());
                note(Event::Unsure, Some(&told), Some("404, which is looked into".to_owned()))?;
            }
            Change::Refused(told, words) => return Ok(Deletion::Refused(told, words)),
            Change::Unsure(told, words) => {
                note(Event::Unsure, Some(&told), Some(words.clone()))?;
                last = words;
            }
        }
        is_looking = true;
    }
    // The last try is looked into as well.
    match object.look().await {
        Presence::Gone | Presence::OwnRefused => {
            note(Event::Done, None, Some("gone when it was looked at again".to_owned()))?;
            Ok(Deletion::Done)
        }
        _ => Ok(Deletion::Not(format!(
            "no clear answer in {MOST_TRIES} tries: {last}; run this again to go on"
        ))),
    }
}

/// How often something is looked for whose deletion was accepted and is done later: Twilio speaks of 30 to 60 seconds.
const LOOKS: u32 = 30;

/// Looks for something until it is gone; why that was not seen.
async fn until_gone(object: &Object<'_>, pause: Duration) -> Option<String> {
    let mut last = Presence::There(Api::Only);
    for _ in 0..LOOKS {
        tokio::time::sleep(pause).await;
        last = object.look().await;
        if last == Presence::Gone {
            return None;
        }
    }
    Some(match last {
        Presence::Unknown(reason) => {
            format!("its deletion was accepted, and whether it is gone is not known: {reason}")
        }
        Presence::There(_) | Presence::OwnRefused | Presence::Gone => {
            "its deletion was accepted, and Twilio still shows it; run this again".to_owned()
        }
    })
}

impl Work<'_> {
    /// Deletes the key, OAuth app or SharedKey of a step.
    pub(super) async fn delete_object(
        &mut self,
        step: &Step,
        look_first: bool,
    ) -> Result<Result<(), String>, journal::Error> {
        let Self { client, admin, .. } = *self;
        let Some(object) = Object::of_step(client, admin, step) else {
            return Ok(Err("it names nothing to delete".to_owned()));
        };
        // A journal is only a file: a key that exists is deleted if the leaked secret opens it, whatever was noted of it.
        if look_first
            && let Presence::There(_) = object.look().await
            && let Some(doubt) = self.does_not_open(step).await
        {
            return self.not_done(step, doubt);
        }
        let (journal, asked) = (&mut *self.journal, &mut self.asked);
        let mut note = |event, told: Option<&Told>, note: Option<String>| {
            // Where a key is looked for again if its plan is lost.
            let region = (event == Event::Intent && step.region != Region::Us1)
                .then(|| format!("{IN_REGION}{}", step.region));
            journal.note(event, &entry(step), told, note.or(region))?;
            if event == Event::Intent {
                asked.insert(step.n);
            }
            Ok(())
        };
        let deletion = delete(&object, look_first, client.pause(), &mut note).await?;
        Ok(match deletion {
            Deletion::Done => Ok(()),
            Deletion::Not(reason) => Err(reason),
            Deletion::Refused(told, words) => {
                let words = self.advice(&told, words, step).await;
                self.journal.note(Event::Refused, &entry(step), Some(&told), Some(words.clone()))?;
                Err(words)
            }
        })
    }

    /// Why nothing shows right now that the leaked secret opens the key of a step; `None` where it does, or where that cannot be asked.
    async fn does_not_open(&self, step: &Step) -> Option<String> {
        step.credential.as_ref()?;
        if inactive(self.inventory, &step.account_sid).is_some() {
            return None;
        }
        let Some(pair) = proof::pair(step, self.vault) else {
            return Some("the leaked value was not found again where it stood".to_owned());
        };
        match proof::once(self.client, &pair, step.region, &step.account_sid).await {
            Still::Works | Still::Partly(_) => None,
            Still::Refused { .. } => {
                Some("Twilio shows it, and the leaked secret does not open it; run this again".to_owned())
            }
            still @ Still::Unsure(_) => Some(proof::doubt(&still)),
        }
    }

    async fn advice(&self, told: &Told, words: String, step: &Step) -> String {
        if told.code != Some(20003) {
            return words;
        }
        let user = &self.admin.pair.user;
        if step.key_sid.as_ref() == Some(user) {
            return format!("{words}: this key may not delete itself; use the Auth Token or the console");
        }
        let own = account::accounts(self.client, crate::model::Region::Us1, &self.admin.pair).await;
        if own.is_err_and(|unreadable| unreadable.is_unauthorized()) {
            return format!(
                "{words}: Twilio does not accept the administrator's credential {user} any more. If its token was promoted away or the key deleted, give the new one and run this again"
            );
        }
        if step.account_sid != self.admin.account && user.starts_with("SK") {
            return format!("{words}: use the parent's Auth Token or the subaccount's own credential");
        }
        words
    }

    /// Deletes the secondary token of a step's account.
    pub(super) async fn delete_secondary(
        &mut self,
        step: &Step,
        look_first: bool,
    ) -> Result<Result<(), String>, journal::Error> {
        let Some(leaked) = proof::pair(step, self.vault) else {
            return self.not_done(step, "the leaked token was not found again where it stood".to_owned());
        };
        let mut is_looking = look_first;
        let mut last = String::new();
        for _ in 0..MOST_TRIES {
            let acting = match tokens::act_as(self.client, self.admin, &step.account_sid).await {
                Ok(pair) => pair,
                Err(error) => return self.not_done(step, error.to_string()),
            };
            if let Some(ended) = self.is_the_secondary(step, &leaked, &acting, is_looking).await? {
                return Ok(ended);
            }
            self.journal.note(Event::Intent, &entry(step), None, None)?;
            self.asked.insert(step.n);
            match tokens::delete_secondary(self.client, &acting).await {
                Change::Made(_, told) => {
                    self.journal.note(Event::Done, &entry(step), Some(&told), None)?;
                    return Ok(Ok(()));
                }
                Change::Refused(told, words) => {
                    self.journal.note(Event::Refused, &entry(step), Some(&told), Some(words.clone()))?;
                    return Ok(Err(words));
                }
                Change::Missing(told) => {
                    "Twilio answered 404, though the leaked token works".clone_into(&mut last);
                    let note = "404, which is looked into".to_owned();
                    self.journal.note(Event::Unsure, &entry(step), Some(&told), Some(note))?;
                }
                Change::Unsure(told, words) => {
                    self.journal.note(Event::Unsure, &entry(step), Some(&told), Some(words.clone()))?;
                    last = words;
                }
            }
            is_looking = true;
        }
        Ok(Err(format!("no clear answer in {MOST_TRIES} tries: {last}; apply again goes on here")))
    }

    /// Makes sure, right before deleting, that the secondary token is the leaked one: two products accept it and it is not the
    /// primary. Where the deletion was asked for before, a refusal says that it was done, and a token that works may linger: by
    /// then the account's secondary may be a new one.
    async fn is_the_secondary(
        &mut self,
        step: &Step,
        leaked: &Pair,
        acting: &Pair,
        is_looking: bool,
    ) -> Result<Option<Result<(), String>>, journal::Error> {
        let account = &step.account_sid;
        if acting.secret == leaked.secret {
            let words = "the leaked token is the primary now; rotate it in the console".to_owned();
            return self.not_done(step, words).map(Some);
        }
        if is_looking {
            let patience = self.patience.min(LINGERS);
            let still = proof::until_refused(self.client, leaked, step.region, account, patience).await;
            if matches!(still, Still::Refused { .. }) {
                let note = "refused when it was looked at again".to_owned();
                self.journal.note(Event::Done, &entry(step), None, Some(note))?;
                return Ok(Some(Ok(())));
            }
        }
        match proof::thoroughly(self.client, leaked, step.region, account).await {
            Still::Works => Ok(None),
            Still::Refused { .. } => {
                let words =
                    "the leaked token does not work any more; the secondary may be another".to_owned();
                self.not_done(step, words).map(Some)
            }
            still => self.not_done(step, proof::doubt(&still)).map(Some),
        }
    }

    /// Notes that nothing was asked for, and why.
    pub(super) fn not_done(
        &mut self,
        step: &Step,
        words: String,
    ) -> Result<Result<(), String>, journal::Error> {
        self.journal.note(Event::NotDone, &entry(step), None, Some(words.clone()))?;
        Ok(Err(words))
    }
}
