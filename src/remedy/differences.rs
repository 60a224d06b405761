//! What must be as it was when the plan was made, before anything is changed.

use futures_util::stream::{self, StreamExt};

use super::account_plan;
use super::apply::Work;
use super::presence::inactive;
use super::proof;
use crate::model::{Action, Event, OwnAccount, Step};
use crate::twilio::verify::Still;

impl Work<'_> {
    /// How accounts and keys differ from the plan, in words; empty where the plan can be carried out. Steps that the journal
    /// says are done, or that broke off, are looked into when their turn comes.
    pub async fn differences(&self) -> Vec<String> {
        let open = self.plan.steps.iter().filter(|step| !self.is_begun(step));
        let found: Vec<Option<String>> =
            stream::iter(open).map(|step| self.difference(step)).buffered(16).collect().await;
        let mut differences: Vec<String> = found.into_iter().flatten().collect();
        differences.extend(account_plan::unplanned(self.plan, self.inventory, self.admin));
        differences
    }

    /// Whether an earlier run of this plan asked for the change of a step.
    fn is_begun(&self, step: &Step) -> bool {
        let past = self.journal.of_step(step.n);
        past.when(Event::Done).is_some() || past.when(Event::Proven).is_some() || past.broke_off()
    }

    /// The steps that an earlier run began and did not prove: they are looked into, whatever became of the others. The key that the tool
    /// runs on is not among them, since it goes last.
    #[must_use]
    pub fn begun(&self) -> Vec<Step> {
        let own = &self.admin.pair.user;
        let is_open = |step: &&Step| {
            let is_proven = self.journal.of_step(step.n).when(Event::Proven).is_some();
            self.is_begun(step) && !is_proven && step.key_sid.as_ref() != Some(own)
        };
        self.plan.steps.iter().filter(is_open).cloned().collect()
    }

    /// Whether what a step deletes is gone since its deletion was begun: by this plan, where somebody else took its place meanwhile, or
    /// by another piece of work. It is looked for when its turn comes.
    fn is_gone_since(&self, step: &Step, own: &OwnAccount) -> bool {
        let Some(sid) = step.key_sid.as_deref().or(step.target.as_deref()) else { return false };
        let unread = match step.action {
            Action::DeleteKey => &own.keys_unread,
            Action::DeleteOauthApp => &own.oauth_apps_unread,
            Action::DeleteSharedKey => &own.shared_keys_unread,
            Action::DeleteSecondaryToken | Action::Manual => return false,
        };
        let is_begun = || self.journal.past().any(|record| record.event == Event::Intent);
        unread.is_none() && !self.lives(step) && (is_begun() || self.journal.was_begun(sid))
    }

    /// How the thing that a step deletes differs from what the plan saw. Of a whole account it is no difference that something is gone.
    fn of_thing(&self, step: &Step, own: &OwnAccount) -> Option<String> {
        let n = step.n;
        let account = &step.account_sid;
        let (sid, what) = match (&step.key_sid, &step.target) {
            (Some(sid), _) => (sid, "key"),
            (None, Some(id)) => {
                (id, if step.action == Action::DeleteOauthApp { "OAuth app" } else { "SharedKey" })
            }
            (None, None) => return None,
        };
        let (found, unread) = match step.action {
            Action::DeleteOauthApp => {
                let app = own.oauth_apps.iter().flatten().find(|app| app.sid == *sid);
                (app.map(|app| (&app.friendly_name, &app.date_created)), &own.oauth_apps_unread)
            }
            Action::DeleteSharedKey => {
                let key = own.shared_keys.iter().flatten().find(|key| key.id == *sid);
                (key.map(|key| (&key.friendly_name, &key.date_created)), &own.shared_keys_unread)
            }
            Action::DeleteKey | Action::DeleteSecondaryToken | Action::Manual => {
                let key = own.keys.iter().find(|key| key.key.sid == *sid && key.region == step.region);
                (key.map(|key| (&key.key.friendly_name, &key.key.date_created)), &own.keys_unread)
            }
        };
        let Some((name, created)) = found else {
            return match unread {
                Some(reason) => {
                    Some(format!("step {n}: the {what}s of {account} could not be listed: {reason}"))
                }
                None if self.plan.account.is_some() => None,
                None => Some(format!("step {n}: {account} has no {what} {sid} any more")),
            };
        };
        (*name != step.seen.key_name || *created != step.seen.key_created)
            .then(|| format!("step {n}: {sid} has another name or date than it had"))
    }

    async fn difference(&self, step: &Step) -> Option<String> {
        let n = step.n;
        let account = &step.account_sid;
        let Some(own) = self.inventory.account(account) else {
            return Some(format!("step {n}: {account} is not one of your accounts any more"));
        };
        if self.is_gone_since(step, own) {
            return None;
        }
        if step.seen.account_status.as_ref() != Some(&own.account.status) {
            let then = step.seen.account_status.as_deref().unwrap_or("not known");
            return Some(format!("step {n}: {account} is {}, and was {then}", own.account.status));
        }
        if step.action == Action::Manual {
            return None;
        }
        if let Some(difference) = self.of_thing(step, own) {
            return Some(difference);
        }
        // What is named on the command line is deleted without a leak.
        step.credential.as_ref()?;
        let Some(pair) = proof::pair(step, self.vault) else {
            return Some(format!(
                "step {n}: the leaked value was not found again in {}, so nothing shows that it is this {}; give --root if the folder was moved",
                step.places.first().map_or("the plan's sources", String::as_str),
                if step.key_sid.is_some() || step.target.is_some() { "key's" } else { "account's" },
            ));
        };
        if step.action == Action::DeleteSecondaryToken && own.account.token.is_of(&pair.secret) == Some(true)
        {
            return Some(format!("step {n}: the leaked token is the primary of {account} now"));
        }
        // While its account is not active a secret is refused, whether it is the key's or not.
        if inactive(self.inventory, account).is_some() {
            return None;
        }
        match proof::once(self.client, &pair, step.region, account).await {
            Still::Works | Still::Partly(_) => None,
            Still::Refused { .. } => {
                Some(format!("step {n}: the leaked credential of {} does not work (any more)", pair.user))
            }
            Still::Unsure(reason) => {
                Some(format!("step {n}: {} could not be asked about: {reason}", pair.user))
            }
        }
    }
}
