//! What happened in an account since a date: everything that can be read is read, to its last page, and what cannot is named. That
//! nothing was recorded is said only of what was read, with how far back that reaches.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, Unit};

use crate::model::{
    Inventory, OwnAccount, PartRead, Reach, Recorded, Region, SWEEP_SCHEMA, Secret, Sweep, Thing, ThingKind,
    Unread, instant,
};
use crate::twilio::account::Unreadable;
use crate::twilio::inventory::Admin;
use crate::twilio::{Client, Pair, account, happenings, oauth, resources, webhooks};

/// For how many days changes are kept, where the edition keeps them no longer.
const KEPT_DAYS: i64 = 30;
/// For how many days paid editions keep them: 13 months.
const KEPT_LONGER: i64 = 395;

/// How the users of the organization are asked about: its SID, and an OAuth app of its own.
pub struct Organization {
    /// `OR…`.
    pub sid: String,
    /// The app's client id.
    pub client: String,
    /// The app's secret.
    pub secret: Secret,
}

/// What is looked for.
pub struct Wish<'a> {
    /// The account.
    pub own: &'a OwnAccount,
    /// Since when.
    pub since: Timestamp,
    /// How to ask about users; none: they are not asked about.
    pub organization: Option<&'a Organization>,
    /// Parts that are left out by wish.
    pub without: &'a [String],
}

/// The parts that can be left out, by the names of the command line.
pub const PARTS: [&str; 10] = [
    "events",
    "keys",
    "oauth-apps",
    "connect-apps",
    "webhooks",
    "numbers",
    "subaccounts",
    "users",
    "calls",
    "messages",
];

struct Gathering<'a> {
    client: &'a Client,
    admin: &'a Admin,
    wish: &'a Wish<'a>,
    now: Timestamp,
    /// The account's own status, or its parent's.
    status: String,
    sweep: Sweep,
}

/// Reads all of it.
pub async fn sweep(client: &Client, admin: &Admin, inventory: &Inventory, wish: &Wish<'_>) -> Sweep {
    let now = client.clock().await.unwrap_or_else(Timestamp::now);
    let now = now.round(Unit::Second).unwrap_or(now);
    let sweep = Sweep {
        schema: SWEEP_SCHEMA.to_owned(),
        admin: admin.name(),
        account_sid: wish.own.account.sid.clone(),
        since: wish.since.to_string(),
        asked_at: now.to_string(),
        reach: None,
        events: Vec::new(),
        new: Vec::new(),
        undated: Vec::new(),
        read: Vec::new(),
        unread: Vec::new(),
        left_out: wish.without.to_vec(),
    };
    let status = inventory.status(wish.own).to_owned();
    let mut gathering = Gathering { client, admin, wish, now, status, sweep };
    gathering.all().await;
    let sweep = &mut gathering.sweep;
    let by_date = |one: &Thing, other: &Thing| {
        (one.kind, &other.created, &one.id).cmp(&(other.kind, &one.created, &other.id))
    };
    sweep.new.sort_by(by_date);
    sweep.undated.sort_by(by_date);
    gathering.sweep
}

impl Gathering<'_> {
    async fn all(&mut self) {
        let account = self.wish.own.account.sid.clone();
        let acting = resources::acting(self.client, self.admin, &account).await.map_err(|e| e.to_string());
        // What the parent may ask of a subaccount too.
        let own = self.admin.pair.clone();
        self.keys(&account, &own, acting.as_ref()).await;
        for (part, list, kind) in [
            ("numbers", "IncomingPhoneNumbers", ThingKind::PhoneNumber),
            ("connect-apps", "ConnectApps", ThingKind::ConnectApp),
            ("connect-apps", "AuthorizedConnectApps", ThingKind::AuthorizedConnectApp),
            ("subaccounts", "Accounts", ThingKind::Subaccount),
        ] {
            let has_none = kind == ThingKind::Subaccount && self.wish.own.account.parent().is_some();
            if self.is_wanted(part) && !has_none {
                let found = happenings::classic(self.client, &account, list, kind, &own).await;
                self.take(kind, found);
            }
        }
        match acting {
            Ok(pair) => self.of_itself(&pair).await,
            Err(reason) => self.unasked(&reason),
        }
        self.users().await;
    }

    fn is_wanted(&self, part: &str) -> bool {
        !self.wish.without.iter().any(|name| name == part)
    }

    /// Why something could not be read. A suspended account's own credentials are refused.
    fn why(&self, unreadable: &Unreadable) -> String {
        if self.status != "active" && unreadable.is_unauthorized() {
            return format!("the account is {}: {unreadable}", self.status);
        }
        unreadable.to_string()
    }

    fn unread(&mut self, what: &str, reason: String) {
        self.sweep.unread.push(Unread { what: what.to_owned(), reason });
    }

    /// Takes over what was found: what is new, and what has no date.
    fn take(&mut self, kind: ThingKind, found: Result<Vec<Thing>, Unreadable>) {
        let what = kind.title().1;
        let things = match found {
            Ok(things) => things,
            Err(unreadable) => return self.unread(what, self.why(&unreadable)),
        };
        self.sweep.read.push(PartRead { what: what.to_owned(), count: things.len() as u64 });
        for thing in things {
            match thing.created.as_deref().and_then(instant) {
                Some(at) if at < self.wish.since => {}
                Some(_) => self.sweep.new.push(thing),
                None => self.sweep.undated.push(thing),
            }
        }
    }

    /// Keys, by both of the APIs for keys: the classic list need not show Restricted ones.
    async fn keys(&mut self, account: &str, own: &Pair, acting: Result<&Pair, &String>) {
        if !self.is_wanted("keys") {
            return;
        }
        let mut all = BTreeMap::new();
        let mut failed = Vec::new();
        match account::keys(self.client, Region::Us1, account, own).await {
            Ok(keys) => all.extend(keys.into_iter().map(|key| (key.sid.clone(), key))),
            Err(unreadable) => failed.push(("API keys", self.why(&unreadable))),
        }
        match acting {
            Ok(pair) => match account::all_keys(self.client, account, pair).await {
                Ok(keys) => all.extend(keys.into_iter().map(|key| (key.sid.clone(), key))),
                Err(unreadable) => failed.push(("Restricted keys", self.why(&unreadable))),
            },
            Err(reason) => failed.push(("Restricted keys", reason.clone())),
        }
        for (what, reason) in failed {
            self.unread(what, reason);
        }
        let things = all.into_values().map(|key| {
            happenings::thing(ThingKind::ApiKey, key.sid, key.friendly_name, key.date_created.as_deref())
        });
        let things = things.collect();
        self.take(ThingKind::ApiKey, Ok(things));
    }

    /// What only the account itself may ask.
    async fn of_itself(&mut self, pair: &Pair) {
        let client = self.client;
        if self.is_wanted("events") {
            self.events(pair).await;
        }
        if self.is_wanted("oauth-apps") {
            let apps = oauth::list(client, pair).await.map(|apps| {
                let of = |app: crate::model::OauthApp| {
                    let created = app.date_created.as_deref();
                    happenings::thing(ThingKind::OauthApp, app.sid, app.friendly_name, created)
                };
                apps.into_iter().map(of).collect()
            });
            self.take(ThingKind::OauthApp, apps);
        }
        if self.is_wanted("webhooks") {
            let rules = none_if_missing(webhooks::rules(client, pair).await).map(|rules| {
                let of = |rule: webhooks::Rule| {
                    let (address, created) = (rule.address().to_owned(), rule.created.as_deref());
                    happenings::thing(ThingKind::WebhookRule, rule.id.clone(), Some(address), created)
                };
                rules.into_iter().map(of).collect()
            });
            self.take(ThingKind::WebhookRule, rules);
            let keys = none_if_missing(webhooks::shared_keys(client, pair).await).map(|keys| {
                let of = |key: crate::model::SharedKey| {
                    let created = key.date_created.as_deref();
                    happenings::thing(ThingKind::SharedKey, key.id, key.friendly_name, created)
                };
                keys.into_iter().map(of).collect()
            });
            self.take(ThingKind::SharedKey, keys);
        }
        if self.is_wanted("calls") {
            let countries = happenings::calls_to(client, pair).await;
            self.take(ThingKind::CallsTo, countries);
        }
        if self.is_wanted("messages") {
            let countries = happenings::messages_to(client, pair).await;
            self.take(ThingKind::MessagesTo, countries);
        }
    }

    /// Nothing can ask as the account: all that only it may ask is named.
    fn unasked(&mut self, reason: &str) {
        let reason = match self.status.as_str() {
            "active" => reason.to_owned(),
            status => format!("the account is {status}: {reason}"),
        };
        for (part, what) in [
            ("events", "recorded changes"),
            ("oauth-apps", ThingKind::OauthApp.title().1),
            ("webhooks", "webhook rules and SharedKeys"),
            ("calls", ThingKind::CallsTo.title().1),
            ("messages", ThingKind::MessagesTo.title().1),
        ] {
            if self.is_wanted(part) {
                self.unread(what, reason.clone());
            }
        }
    }

    async fn events(&mut self, pair: &Pair) {
        let events = match happenings::events(self.client, self.wish.since, pair).await {
            Ok(events) => events,
            Err(unreadable) => return self.unread("recorded changes", self.why(&unreadable)),
        };
        let reach = self.reach(pair, &events).await;
        if !reach.is_whole {
            self.unread(
                &format!("recorded changes from {} to {}", self.wish.since, reach.from),
                reach.why.clone(),
            );
        }
        self.sweep.read.push(PartRead { what: "recorded changes".to_owned(), count: events.len() as u64 });
        self.sweep.reach = Some(reach);
        self.sweep.events = events;
    }

    /// How far back the record goes. Editions differ, and no answer tells: an older change that is still there shows that it is kept
    /// for longer.
    async fn reach(&self, pair: &Pair, events: &[Recorded]) -> Reach {
        let days = |days: i64| self.now.checked_sub((days * 24).hours()).unwrap_or(self.wish.since);
        let (short, long) = (days(KEPT_DAYS), days(KEPT_LONGER));
        if self.wish.since >= short {
            let why = format!("changes are kept for {KEPT_DAYS} days at least");
            return Reach { from: self.wish.since.to_string(), is_whole: true, why };
        }
        let oldest = events.last().and_then(|event| instant(&event.at));
        let is_kept_longer = oldest.is_some_and(|at| at < short)
            || happenings::has_event_until(self.client, short, pair).await.unwrap_or(false);
        if !is_kept_longer {
            let why = format!(
                "Twilio keeps changes for {KEPT_DAYS} days (paid editions for 13 months), and no older one is there"
            );
            return Reach { from: short.to_string(), is_whole: false, why };
        }
        let from = self.wish.since.max(long);
        let why = "older changes are there, so this edition keeps them for 13 months".to_owned();
        Reach { from: from.to_string(), is_whole: self.wish.since >= long, why }
    }

    /// Users are the organization's: a Basic pair may not ask about them.
    async fn users(&mut self) {
        if !self.is_wanted("users") {
            return;
        }
        let Some(organization) = self.wish.organization else {
            return self.unread(
                ThingKind::User.title().1,
                "only an OAuth app of the organization may list them: give --organization OR… with SIDSWEEP_ORGANIZATION_CLIENT_ID and SIDSWEEP_ORGANIZATION_CLIENT_SECRET (an access token is made), look in the console, or leave them out with --without users".to_owned(),
            );
        };
        let found = match oauth::token(self.client, &organization.client, &organization.secret).await {
            Ok(token) => happenings::users(self.client, &organization.sid, &token).await,
            Err(unreadable) => Err(unreadable),
        };
        self.take(ThingKind::User, found);
    }
}

/// A beta that is not open to an account: then it has none of its things.
fn none_if_missing<T>(found: Result<Vec<T>, Unreadable>) -> Result<Vec<T>, Unreadable> {
    match found {
        Err(unreadable) if unreadable.is_missing() => Ok(Vec::new()),
        other => other,
    }
}
