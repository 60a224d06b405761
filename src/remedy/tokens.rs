//! Auth Tokens, by a person's explicit wish: a secondary is made and handed over; later it is promoted, and the old one is
//! shown to be dead. Between the two, people move their clients.

use std::time::Duration;

use super::handover::{self, Parcel, Receiver};
use super::journal::{Entry, Journal};
use super::open_ends::ALREADY;
use super::proof;
use super::rotate::{Error, works};
use crate::model::{Event, Fingerprint, Kind, Region, Secret};
use crate::twilio::change::Change;
use crate::twilio::inventory::Admin;
use crate::twilio::verify::Still;
use crate::twilio::{Client, Pair, tokens, webhooks};

/// Work on the tokens of one account.
pub struct Tokens<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential changes things.
    pub admin: &'a Admin,
    /// The account.
    pub account: &'a str,
    /// The record.
    pub journal: &'a mut Journal,
    /// How long a token is tried.
    pub patience: Duration,
}

impl Tokens<'_> {
    /// Makes the secondary token, hands it over and tries it. The primary works as before.
    pub async fn begin(&mut self, receivers: &[Receiver]) -> Result<(), Error> {
        let acting = self.acting().await?;
        let token = self.make(&acting).await?;
        let parcel = Parcel { account: self.account, key: None, secret: &token };
        if let Err(reason) = handover::to_all(receivers, &parcel) {
            self.note(Event::HandOverFailed, "make_secondary_token", None, Some(reason.clone()))?;
            let made = Pair::token(self.account.to_owned(), token);
            let removed = self.unmake(&acting, &made).await?;
            return Err(Error::Stopped(format!(
                "the new token could not be handed over: {reason}. {removed} The primary works as before"
            )));
        }
        self.note(Event::HandedOver, "make_secondary_token", None, None)?;
        let pair = Pair::token(self.account.to_owned(), token);
        match works(self.client, &pair, Region::Us1, self.account, self.patience).await {
            Still::Works => {
                self.note(
                    Event::Proven,
                    "make_secondary_token",
                    None,
                    Some("the new token works".to_owned()),
                )?;
                Ok(())
            }
            still => Err(Error::Stopped(format!(
                "the new token was handed over, and was not seen to work ({}); the primary works as before",
                proof::doubt(&still)
            ))),
        }
    }

    /// Makes the secondary token.
    async fn make(&mut self, acting: &Pair) -> Result<Secret, Error> {
        self.note(Event::Intent, "make_secondary_token", None, None)?;
        match tokens::make_secondary(self.client, acting).await {
            (Change::Made(_, told), Some(token)) => {
                let id = fingerprint(&token);
                let entry = Entry {
                    action: Some("make_secondary_token"),
                    account: Some(self.account),
                    credential: Some(&id),
                    ..Entry::default()
                };
                self.journal.note(Event::Done, &entry, Some(&told), None)?;
                Ok(token)
            }
            (Change::Refused(told, words), _) => {
                self.note(Event::Refused, "make_secondary_token", Some(&told), Some(words.clone()))?;
                Err(Error::Stopped(if told.code == Some(70002) {
                    format!(
                        "{} has a secondary token already, which may be {}: delete it in the console, or let `sidsweep revoke plan` find it; then begin again",
                        self.account,
                        if self.began_before() {
                            "that of an earlier --begin that was stopped (see `sidsweep revoke status`), or the leaked one"
                        } else {
                            "the leaked one"
                        }
                    )
                } else {
                    format!("no token was made: {words}")
                }))
            }
            (Change::Missing(told), _) => {
                self.note(Event::Refused, "make_secondary_token", Some(&told), None)?;
                Err(Error::Stopped(format!(
                    "{} may not rotate its token by the API (404); use the console",
                    self.account
                )))
            }
            (Change::Unsure(told, words), _) => {
                self.note(Event::Unsure, "make_secondary_token", Some(&told), Some(words.clone()))?;
                Err(Error::Stopped(self.lost(&words)))
            }
            (Change::Made(_, told), None) => {
                self.note(Event::Unsure, "make_secondary_token", Some(&told), None)?;
                Err(Error::Stopped(self.lost("the answer held no token")))
            }
        }
    }

    /// Deletes it again, since it was not handed over; says what came of it. Only 204 is taken at its word.
    async fn unmake(&mut self, acting: &Pair, made: &Pair) -> Result<String, Error> {
        const ACTION: &str = "delete_secondary_token";
        self.note(Event::Intent, ACTION, None, None)?;
        let words = match tokens::delete_secondary(self.client, acting).await {
            Change::Made(_, told) => {
                self.note(Event::Done, ACTION, Some(&told), None)?;
                return Ok("The secondary token was deleted again.".to_owned());
            }
            Change::Missing(told) => {
                self.note(Event::Unsure, ACTION, Some(&told), Some("404, which is looked into".to_owned()))?;
                "Twilio answered 404".to_owned()
            }
            Change::Refused(told, words) | Change::Unsure(told, words) => {
                self.note(Event::Unsure, ACTION, Some(&told), Some(words.clone()))?;
                words
            }
        };
        let still = proof::until_refused(self.client, made, Region::Us1, self.account, self.patience).await;
        if let Still::Refused { .. } = still {
            self.note(Event::Done, ACTION, None, Some("refused when it was looked at".to_owned()))?;
            return Ok("The secondary token is gone again.".to_owned());
        }
        Ok(format!("The secondary token could not be deleted again ({words}): delete it in the console."))
    }

    /// Tries the new token before anything is asked of a person: it works, and it is not the primary yet. `false`: it is
    /// the primary already.
    pub async fn ready(&self, new: &Secret) -> Result<bool, Error> {
        let acting = self.acting().await?;
        if acting.secret == *new {
            if self.is_of_before(new) {
                return Err(Error::Stopped(format!(
                    "nothing was changed: this is not the token that --begin made but the one of before, and it is still the primary of {}; give the file or store that --begin gave the new token to. If nobody has the new token, delete the secondary in the console and begin again",
                    self.account
                )));
            }
            return Ok(false);
        }
        let pair = Pair::token(self.account.to_owned(), new.clone());
        match proof::once(self.client, &pair, Region::Us1, self.account).await {
            Still::Works => Ok(true),
            still => Err(Error::Stopped(format!(
                "nothing was changed: the new token was not seen to work ({})",
                match still {
                    Still::Refused { code } => format!("refused, code {code}"),
                    other => proof::doubt(&other),
                }
            ))),
        }
    }

    /// Which webhooks the token still signs, by the account's rules, in words.
    pub async fn signed(&self) -> Vec<String> {
        let acting = match self.acting().await {
            Ok(acting) => acting,
            Err(error) => return vec![format!("Which webhooks the token signs could not be read: {error}")],
        };
        match webhooks::signed(self.client, &acting).await {
            Ok(signed) => {
                let mut lines = vec![
                    "The token signs all webhooks that no rule gives to a SharedKey: their validators need the new one at that moment.".to_owned(),
                ];
                lines.extend(
                    signed.by_token.iter().map(|address| format!("  the token signs, by a rule: {address}")),
                );
                lines.extend(
                    signed
                        .by_key
                        .iter()
                        .map(|address| format!("  a SharedKey signs, and nothing changes: {address}")),
                );
                lines
            }
            Err(unreadable) if unreadable.is_missing() => {
                vec!["The token signs all webhooks of the account, which has no rules for them: validators need the new one at that moment.".to_owned()]
            }
            Err(unreadable) => vec![format!(
                "Which webhooks the token signs could not be read ({unreadable}): count on all of them."
            )],
        }
    }

    /// Whether an earlier run asked for a secondary token.
    fn began_before(&self) -> bool {
        let asked = self.journal.past().filter(|record| {
            record.action.as_deref() == Some("make_secondary_token") && record.event == Event::Intent
        });
        asked.count() > 1
    }

    /// Whether the record has a secondary token that was made and not promoted, and that is not this one.
    fn is_of_before(&self, token: &Secret) -> bool {
        let mut made: Option<Option<Fingerprint>> = None;
        let mut before = None;
        for record in self.journal.past() {
            match (record.action.as_deref(), record.event) {
                // Made perhaps, and known to nobody.
                (Some("make_secondary_token"), Event::Intent) => before = made.replace(None),
                (Some("make_secondary_token"), Event::Refused) => made = before.take(),
                (Some("make_secondary_token"), Event::Done) => made = Some(record.credential.clone()),
                (Some("promote" | "delete_secondary_token"), Event::Done | Event::Proven) => made = None,
                _ => {}
            }
        }
        made.is_some_and(|made| made.as_ref() != Some(&fingerprint(token)))
    }

    /// Notes that the new token is the primary: an earlier run, or somebody else, promoted it.
    pub fn already(&mut self) -> Result<(), Error> {
        Ok(self.note(Event::Done, "promote", None, Some(ALREADY.to_owned()))?)
    }

    /// Promotes the new token, and tries the old one until it is refused.
    pub async fn finish(&mut self, new: &Secret) -> Result<(), Error> {
        let old = self.acting().await?;
        let acting = Pair::token(self.account.to_owned(), new.clone());
        self.note(Event::Intent, "promote", None, None)?;
        // The secondary is taken: who holds it may promote it, and if it is gone this fails.
        match tokens::promote(self.client, &acting).await {
            Change::Made(_, told) => self.note(Event::Done, "promote", Some(&told), None)?,
            Change::Refused(told, words) => {
                self.note(Event::Refused, "promote", Some(&told), Some(words.clone()))?;
                return Err(Error::Stopped(format!("nothing was changed: {words}")));
            }
            Change::Missing(told) => {
                self.note(
                    Event::Unsure,
                    "promote",
                    Some(&told),
                    Some("404, which is looked into".to_owned()),
                )?;
                let words = "Twilio answered 404: there is no secondary token, or it is the primary by now";
                self.look_at_promotion(&old, &acting, words).await?;
            }
            Change::Unsure(told, words) => {
                self.note(Event::Unsure, "promote", Some(&told), Some(words.clone()))?;
                self.look_at_promotion(&old, &acting, &words).await?;
            }
        }
        let still = proof::until_refused(self.client, &old, Region::Us1, self.account, self.patience).await;
        if let Still::Refused { .. } = still {
            self.note(Event::Proven, "promote", None, Some("the old token is refused".to_owned()))?;
            return Ok(());
        }
        let doubt = proof::doubt(&still);
        self.note(Event::Unproven, "promote", None, Some(doubt.clone()))?;
        Err(Error::Stopped(format!("the new token is the primary, but of the old one: {doubt}")))
    }

    /// Looks whether a promotion without a clear answer was made: then the old token is refused and the new one works.
    async fn look_at_promotion(&mut self, old: &Pair, new: &Pair, words: &str) -> Result<(), Error> {
        let of_old = proof::once(self.client, old, Region::Us1, self.account).await;
        let of_new = proof::once(self.client, new, Region::Us1, self.account).await;
        if matches!(of_old, Still::Refused { .. }) && of_new == Still::Works {
            let note = "the old token was refused when it was looked at, and the new one works".to_owned();
            self.note(Event::Done, "promote", None, Some(note))?;
            return Ok(());
        }
        let of_new = match of_new {
            Still::Works => "the new token works".to_owned(),
            other => format!("of the new token: {}", proof::doubt(&other)),
        };
        Err(Error::Stopped(format!(
            "it was not seen to be promoted ({words}); of the old token: {}; {of_new}. Run --finish again, which looks first",
            proof::doubt(&of_old)
        )))
    }

    async fn acting(&self) -> Result<Pair, Error> {
        tokens::act_as(self.client, self.admin, self.account)
            .await
            .map_err(|error| Error::Stopped(error.to_string()))
    }

    fn lost(&self, words: &str) -> String {
        format!(
            "whether a secondary token was made for {} is not known ({words}). If the console shows one, delete it, since nobody has it; then begin again",
            self.account
        )
    }

    fn note(
        &mut self,
        event: Event,
        action: &str,
        told: Option<&crate::twilio::change::Told>,
        note: Option<String>,
    ) -> Result<(), super::journal::Error> {
        let entry = Entry { action: Some(action), account: Some(self.account), ..Entry::default() };
        self.journal.note(event, &entry, told, note)
    }
}

/// By what a token is known again in the record. It tells nothing of the token, which is random.
fn fingerprint(token: &Secret) -> Fingerprint {
    Fingerprint::of_credential(&[Kind::AuthToken.as_str(), token.expose()])
}
