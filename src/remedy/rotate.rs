//! Rotating: a successor is made, handed over and tried, and only then does the old credential go. What cannot be handed
//! over is taken back, and the old one stays.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::deletion::{self, Deletion};
use super::handover::{self, Parcel, Receiver};
use super::journal::{self, Entry, Journal};
use super::presence::{Look, Object, Presence};
use super::proof;
use crate::model::{Event, Key, OwnAccount, OwnKey, Region};
use crate::twilio::account::{self, Unreadable};
use crate::twilio::change::{Change, Told};
use crate::twilio::inventory::Admin;
use crate::twilio::keys::{self, Made};
use crate::twilio::verify::Still;
use crate::twilio::{Client, Pair, tokens};

/// Twilio takes names of at most so many characters.
const LONGEST_NAME: usize = 64;
/// How often a key is made whose outcome was not clear.
const MOST_TRIES: usize = 3;
/// The steps of a key's rotation in the journal.
const MAKE: u32 = 1;
/// The deletion of the old key.
pub const DELETE: u32 = 2;

/// What kind of key the successor is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A Standard key.
    Standard,
    /// A Restricted key with this policy.
    Restricted(Vec<String>),
}

/// Why a rotation stopped. The old credential works as before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Twilio, or the hand-over.
    #[error("{0}")]
    Stopped(String),
}

/// A rotation of one key.
pub struct Rotation<'a> {
    /// The way to Twilio.
    pub client: &'a Client,
    /// Whose credential changes things.
    pub admin: &'a Admin,
    /// The account of the key.
    pub own: &'a OwnAccount,
    /// The key.
    pub key: &'a OwnKey,
    /// What follows it.
    pub kind: Kind,
    /// Who gets the secret.
    pub receivers: &'a [Receiver],
    /// The record.
    pub journal: &'a mut Journal,
    /// How long a new key is tried until it works.
    pub patience: Duration,
    /// What an earlier run left that a person must know of.
    pub left: Vec<String>,
}

impl Rotation<'_> {
    /// Makes the successor, hands it over and tries it; its SID. An earlier run that broke off is cleared up first: a key
    /// whose secret nobody has is deleted, one that was handed over is kept.
    pub async fn successor(&mut self) -> Result<String, Error> {
        if let Some(sid) = self.earlier().await? {
            return Ok(sid);
        }
        let made = self.make().await?;
        let account = self.own.account.sid.clone();
        let parcel = Parcel { account: &account, key: Some(&made.sid), secret: &made.secret };
        if let Err(reason) = handover::to_all(self.receivers, &parcel) {
            self.note(Event::HandOverFailed, &made.sid, None, Some(reason.clone()))?;
            let removed = self.remove(&made.sid).await?;
            return Err(Error::Stopped(format!(
                "the new key could not be handed over: {reason}. {removed} {} works as before",
                self.key.key.sid
            )));
        }
        self.note(Event::HandedOver, &made.sid, None, None)?;
        let pair = Pair::key(made.sid.clone(), made.secret, Some(&account));
        match works(self.client, &pair, self.key.region, &account, self.patience).await {
            Still::Works => {
                self.note(Event::Proven, &made.sid, None, Some("the successor works".to_owned()))?;
                Ok(made.sid)
            }
            still => {
                let reason = proof::doubt(&still);
                self.note(Event::Unproven, &made.sid, None, Some(reason.clone()))?;
                Err(Error::Stopped(format!(
                    "the new key {} was handed over, and was not seen to work: {reason}. {} works as before; run this again to go on",
                    made.sid, self.key.key.sid
                )))
            }
        }
    }

    /// What an earlier run left.
    async fn earlier(&mut self) -> Result<Option<String>, Error> {
        let past = self.journal.of_step(MAKE);
        let handed = past.when(Event::HandedOver).and_then(|record| record.key_sid.clone());
        let made: Vec<String> = past.all(Event::Done).filter_map(|record| record.key_sid.clone()).collect();
        let named: Vec<String> = past.all(Event::Intent).filter_map(|record| record.note.clone()).collect();
        if let Some(sid) = handed {
            let tried = past.all(Event::Proven).any(|record| record.key_sid.as_ref() == Some(&sid));
            match self.look(&sid).look().await {
                Presence::Gone => {}
                Presence::There(_) if tried => return Ok(Some(sid)),
                Presence::There(_) => return self.try_handed_over(sid).await.map(Some),
                Presence::OwnRefused | Presence::Unknown(_) => {
                    return Err(Error::Stopped(format!(
                        "whether {sid}, which an earlier run made, exists could not be told; run this again"
                    )));
                }
            }
        }
        if named.is_empty() {
            return Ok(None);
        }
        // Made, and its secret was lost with the run that made it.
        for key in self.list().await? {
            let ours =
                made.contains(&key.sid) || key.friendly_name.as_ref().is_some_and(|n| named.contains(n));
            if ours && key.sid != self.key.key.sid {
                for receiver in self.receivers {
                    receiver.take_back_of(&self.own.account.sid, &key.sid);
                }
                let removed = self.remove(&key.sid).await?;
                self.left.push(format!(
                    "an earlier run made {} and was stopped before its secret was known to be handed over. {removed} A command that it was given to may have stored a dead secret",
                    key.sid
                ));
            }
        }
        Ok(None)
    }

    /// A successor that an earlier run handed over and did not see to work: its secret is read back from the file.
    async fn try_handed_over(&mut self, sid: String) -> Result<String, Error> {
        let secret = self.receivers.iter().find_map(|receiver| receiver.read_back(&sid));
        let account = &self.own.account.sid;
        let still = match secret {
            Some(secret) => {
                let pair = Pair::key(sid.clone(), secret, Some(account));
                works(self.client, &pair, self.key.region, account, self.patience).await
            }
            None => Still::Unsure("its secret is with whoever got it".to_owned()),
        };
        if still == Still::Works {
            self.note(Event::Proven, &sid, None, Some("the successor works".to_owned()))?;
            return Ok(sid);
        }
        let old = &self.key.key.sid;
        Err(Error::Stopped(format!(
            "the new key {sid} was handed over by an earlier run, and was not seen to work ({}). Try it yourself: if it works, `sidsweep revoke key {old}` ends the rotation; if not, `sidsweep revoke key {sid}` undoes it",
            proof::doubt(&still)
        )))
    }

    async fn make(&mut self) -> Result<Made, Error> {
        let account = self.own.account.sid.clone();
        let acting = match &self.kind {
            Kind::Standard => self.admin.pair.clone(),
            Kind::Restricted(_) => tokens_or_own(self.client, self.admin, &account).await?,
        };
        let mut last = String::new();
        for _ in 0..MOST_TRIES {
            let name = successor_name(self.key.key.friendly_name.as_deref());
            let entry = Entry {
                action: Some("make_key"),
                step: Some(MAKE),
                account: Some(&account),
                ..Entry::default()
            };
            self.journal.note(Event::Intent, &entry, None, Some(name.clone()))?;
            let (change, made) = match &self.kind {
                Kind::Standard => keys::make(self.client, self.key.region, &account, &name, &acting).await,
                Kind::Restricted(allow) => {
                    keys::make_restricted(self.client, &account, &name, allow, &acting).await
                }
            };
            match (change, made) {
                (Change::Made(_, told), Some(made)) if self.was_there(&made.sid) => {
                    return self.not_new(&told, &made.sid);
                }
                (Change::Made(_, told), Some(made)) => {
                    self.note(Event::Done, &made.sid, Some(&told), None)?;
                    return Ok(made);
                }
                (Change::Refused(told, words), _) => {
                    self.journal.note(Event::Refused, &entry, Some(&told), Some(words.clone()))?;
                    return Err(Error::Stopped(format!("no key was made: {words}")));
                }
                (Change::Missing(told), _) => {
                    let words = format!("{account} does not take new keys here (404)");
                    self.journal.note(Event::Refused, &entry, Some(&told), Some(words.clone()))?;
                    return Err(Error::Stopped(format!("no key was made: {words}")));
                }
                (Change::Unsure(told, words), _) => {
                    self.journal.note(Event::Unsure, &entry, Some(&told), Some(words.clone()))?;
                    last = words;
                }
                (Change::Made(_, told), None) => {
                    self.journal.note(Event::Unsure, &entry, Some(&told), None)?;
                    "an answer that names no key".clone_into(&mut last);
                }
            }
            // It may have been made; its secret is lost. It is known by its name.
            for key in self.list().await? {
                if key.friendly_name.as_deref() == Some(&name) {
                    self.remove(&key.sid).await?;
                }
            }
        }
        Err(Error::Stopped(format!("no key was made in {MOST_TRIES} tries: {last}")))
    }

    /// Stops where the answer names a key that was there before: a successor that cannot be handed over is deleted.
    fn not_new(&mut self, told: &Told, sid: &str) -> Result<Made, Error> {
        let words = format!("Twilio's answer names {sid}, which existed before");
        let account = Some(self.own.account.sid.as_str());
        let entry = Entry { action: Some("make_key"), step: Some(MAKE), account, ..Entry::default() };
        self.journal.note(Event::Unsure, &entry, Some(told), Some(words.clone()))?;
        Err(Error::Stopped(format!(
            "whether a key was made is not known: {words}; run this again, which looks first"
        )))
    }

    fn was_there(&self, sid: &str) -> bool {
        sid == self.key.key.sid || self.own.keys.iter().any(|known| known.key.sid == sid)
    }

    /// All keys of the account: by the classic list, and for a Restricted key by the account's own, since the classic one need not
    /// show these.
    async fn list(&self) -> Result<Vec<Key>, Error> {
        let account = &self.own.account.sid;
        let failed = |unreadable: Unreadable| {
            Error::Stopped(format!("the keys of {account} could not be listed: {unreadable}"))
        };
        let classic = account::keys(self.client, self.key.region, account, &self.admin.pair).await;
        let mut keys = classic.map_err(failed)?;
        if let Kind::Restricted(_) = self.kind {
            let acting = tokens_or_own(self.client, self.admin, account).await?;
            let all = account::all_keys(self.client, account, &acting).await.map_err(failed)?;
            let more = all.into_iter().filter(|key| keys.iter().all(|known| known.sid != key.sid));
            let more: Vec<Key> = more.collect();
            keys.extend(more);
        }
        Ok(keys)
    }

    fn look<'b>(&'b self, key: &'b str) -> Look<'b> {
        let (account, region) = (&self.own.account.sid, self.key.region);
        Look { client: self.client, admin: self.admin, region, account, key }
    }

    /// Deletes a successor that is of no use to anybody; in words, what came of it.
    async fn remove(&mut self, sid: &str) -> Result<String, Error> {
        let account = self.own.account.sid.clone();
        let entry = Entry {
            action: Some("delete_successor"),
            step: Some(MAKE),
            account: Some(&account),
            key: Some(sid),
            ..Entry::default()
        };
        let Self { client, admin, .. } = *self;
        let look = Look { client, admin, region: self.key.region, account: &account, key: sid };
        let object = Object::Key(look);
        let journal = &mut *self.journal;
        let mut note =
            |event, told: Option<&Told>, note: Option<String>| journal.note(event, &entry, told, note);
        let reason = match deletion::delete(&object, false, client.pause(), &mut note).await? {
            Deletion::Done => return Ok(format!("{sid} was deleted again.")),
            Deletion::Not(reason) => reason,
            Deletion::Refused(told, words) => {
                self.journal.note(Event::Unsure, &entry, Some(&told), Some(words.clone()))?;
                words
            }
        };
        Ok(format!("{sid} could not be deleted again ({reason}): delete it in the console."))
    }

    fn note(
        &mut self,
        event: Event,
        key: &str,
        told: Option<&Told>,
        note: Option<String>,
    ) -> Result<(), journal::Error> {
        let entry = Entry {
            action: Some("make_key"),
            step: Some(MAKE),
            account: Some(&self.own.account.sid),
            key: Some(key),
            ..Entry::default()
        };
        self.journal.note(event, &entry, told, note)
    }
}

/// A pair that acts as the account of a key: the administrator's own, or the subaccount's.
async fn tokens_or_own(client: &Client, admin: &Admin, account: &str) -> Result<Pair, Error> {
    if account == admin.account {
        return Ok(admin.pair.clone());
    }
    tokens::act_as(client, admin, account).await.map_err(|error| Error::Stopped(error.to_string()))
}

/// What a Restricted key may do; `None` for another kind, which Twilio does not name.
pub async fn policy(
    client: &Client,
    admin: &Admin,
    account: &str,
    key: &OwnKey,
) -> Result<Option<Vec<String>>, Error> {
    if key.region != Region::Us1 {
        // Restricted keys exist in us1 only.
        return Ok(None);
    }
    let acting = tokens_or_own(client, admin, account).await?;
    keys::policy(client, &key.key.sid, &acting).await.map_err(|unreadable| {
        Error::Stopped(format!("the policy of {} could not be read: {unreadable}", key.key.sid))
    })
}

/// The old name with the day and a mark by which it is known again.
fn successor_name(old: Option<&str>) -> String {
    let now = jiff::Timestamp::now().to_string();
    let day = now.get(..10).unwrap_or_default();
    let mark = format!(" (rotated {day} {:06x})", fastrand::u32(..1 << 24));
    let room = LONGEST_NAME - mark.chars().count();
    let old: String = old.unwrap_or("key").chars().take(room).collect();
    format!("{old}{mark}")
}

/// Tries a new pair until it works or the time is over.
pub async fn works(client: &Client, pair: &Pair, region: Region, account: &str, patience: Duration) -> Still {
    let began = Instant::now();
    let mut times = proof::schedule(client, patience);
    loop {
        let still = proof::once(client, pair, region, account).await;
        if still == Still::Works {
            return still;
        }
        let Some(at) = times.next() else { return still };
        sleep_until(began + at).await;
    }
}
