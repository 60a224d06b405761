//! What must be as it was when the plan was made, before anything is changed.

use futures_util::stream::{self, StreamExt};

use super::apply::Work;
use super::presence::inactive;
use super::proof;
use crate::model::{Action, Event, Step};
use crate::twilio::verify::Still;

impl Work<'_> {
    /// How accounts and keys differ from the plan, in words; empty where the plan can be carried out. Steps that the journal
    /// says are done, or that broke off, are looked into when their turn comes.
    pub async fn differences(&self) -> Vec<String> {
        let open = self.plan.steps.iter().filter(|step| {
            let past = self.journal.of_step(step.n);
            past.when(Event::Done).is_none() && past.when(Event::Proven).is_none() && !past.broke_off()
        });
        let found: Vec<Option<String>> =
            stream::iter(open).map(|step| self.difference(step)).buffered(16).collect().await;
        found.into_iter().flatten().collect()
    }

    async fn difference(&self, step: &Step) -> Option<String> {
        let n = step.n;
        let account = &step.account_sid;
        let Some(own) = self.inventory.account(account) else {
            return Some(format!("step {n}: {account} is not one of your accounts any more"));
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
