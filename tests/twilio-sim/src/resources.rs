//! What an account has besides keys and tokens: OAuth apps, Connect apps, webhooks' rules and keys, geographic permissions; and the
//! organization with its users.

use jiff::{Timestamp, ToSpan};

use crate::world::{Event, World};

/// An OAuth app.
#[derive(Debug, Clone)]
pub struct OauthApp {
    /// `OQ…`.
    pub sid: String,
    /// The secret.
    pub secret: String,
    /// Whose it is.
    pub account: String,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// What its tokens may do.
    pub allow: Vec<String>,
    /// How long its tokens live, in seconds.
    pub lifetime: u32,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// How many more tokens it makes after it was deleted.
    pub lingers: u32,
}

/// A key that signs webhooks.
#[derive(Debug, Clone)]
pub struct SharedKey {
    /// `webhooks_sharedkey_…`.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// What people call it.
    pub friendly_name: String,
    /// When it was made.
    pub created: Timestamp,
    /// For how many more looks it is shown after its deletion was accepted; none: it is not being deleted.
    pub going: Option<u32>,
    /// Gone.
    pub deleted: bool,
}

/// A setting of webhooks: who signs.
#[derive(Debug, Clone)]
pub struct Setting {
    /// `webhooks_setting_…`.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// The key that signs; none: the Auth Token.
    pub shared_key: Option<String>,
}

/// A rule: which webhooks have which setting.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `webhooks_rule_…`.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// The beginning of the addresses that it is for.
    pub prefix: String,
    /// The settings.
    pub settings: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
}

/// A Connect app, of the account's own or authorized by it. Twilio gives these no date.
#[derive(Debug, Clone)]
pub struct ConnectApp {
    /// `CN…`.
    pub sid: String,
    /// Whose list it is in.
    pub account: String,
    /// What people call it.
    pub friendly_name: String,
    /// Somebody else's, which the account lets in.
    pub authorized: bool,
}

/// What may be dialled or written to in a country.
#[derive(Debug, Clone)]
pub struct Country {
    /// Whose permission it is.
    pub account: String,
    /// `US` and so on.
    pub iso: String,
    /// Numbers that are often used for fraud may be called.
    pub toll_fraud: bool,
    /// Messages may be sent there.
    pub messages: bool,
}

/// A user of an organization.
#[derive(Debug, Clone)]
pub struct User {
    /// `US…`.
    pub sid: String,
    /// The name to sign in with.
    pub email: String,
    /// When it was made.
    pub created: Timestamp,
}

/// An organization, which is asked with a token of an app of its own.
#[derive(Debug, Clone)]
pub struct Organization {
    /// `OR…`.
    pub sid: String,
    /// The app's client id.
    pub client: String,
    /// The app's secret.
    pub secret: String,
    /// Its users.
    pub users: Vec<User>,
}

/// So many days ago.
#[must_use]
pub fn days_ago(days: i64) -> Timestamp {
    Timestamp::now().checked_sub((days * 24).hours()).expect("a time")
}

impl World {
    /// Makes an OAuth app: client id and secret.
    pub fn oauth_app(&mut self, account: &str) -> (String, String) {
        let sid = self.sid("OQ");
        let secret = format!("{}{}", self.base62(), self.base62());
        let app = OauthApp {
            sid: sid.clone(),
            secret: secret.clone(),
            account: account.to_owned(),
            friendly_name: Some("server".into()),
            created: Timestamp::UNIX_EPOCH,
            allow: vec!["/twilio/messaging/messages/create".into()],
            lifetime: 3600,
            deleted: None,
            lingers: 0,
        };
        self.oauth_apps.insert(sid.clone(), app);
        (sid, secret)
    }

    /// Whether an OAuth app exists.
    #[must_use]
    pub fn app_exists(&self, sid: &str) -> bool {
        self.oauth_apps.get(sid).is_some_and(|app| app.deleted.is_none())
    }

    /// Makes a key that signs webhooks; its id.
    pub fn shared_key(&mut self, account: &str) -> String {
        let id = format!("webhooks_sharedkey_{}", &self.base62()[..26].to_lowercase());
        self.shared_keys.push(SharedKey {
            id: id.clone(),
            account: account.to_owned(),
            friendly_name: "validator".into(),
            created: Timestamp::UNIX_EPOCH,
            going: None,
            deleted: false,
        });
        id
    }

    /// Makes a rule for webhooks whose addresses begin so; without a key the Auth Token signs them. Its id.
    pub fn rule(&mut self, account: &str, prefix: &str, key: Option<&str>, created: Timestamp) -> String {
        let (id, setting) =
            (format!("webhooks_rule_{}", self.hex()), format!("webhooks_setting_{}", self.hex()));
        let account = account.to_owned();
        let shared_key = key.map(str::to_owned);
        self.settings.push(Setting { id: setting.clone(), account: account.clone(), shared_key });
        let (prefix, settings) = (prefix.to_owned(), vec![setting]);
        self.rules.push(Rule { id: id.clone(), account, prefix, settings, created });
        id
    }

    /// Lets a Connect app in, or makes one; its SID.
    pub fn connect_app(&mut self, account: &str, name: &str, authorized: bool) -> String {
        let sid = self.sid("CN");
        let (account, friendly_name) = (account.to_owned(), name.to_owned());
        self.connect_apps.push(ConnectApp { sid: sid.clone(), account, friendly_name, authorized });
        sid
    }

    /// Makes an organization with an app that may read its users.
    pub fn organization(&mut self) -> Organization {
        let made = Organization {
            sid: self.sid("OR"),
            client: self.sid("OQ"),
            secret: format!("{}{}", self.base62(), self.base62()),
            users: Vec::new(),
        };
        self.organization = Some(made.clone());
        made
    }

    /// Makes a user of the organization; its SID.
    pub fn user(&mut self, email: &str, created: Timestamp) -> String {
        let sid = self.sid("US");
        let user = User { sid: sid.clone(), email: email.to_owned(), created };
        self.organization.as_mut().expect("an organization").users.push(user);
        sid
    }

    /// Records a change of an account, made by a user of the console.
    pub fn record(&mut self, account: &str, type_: &str, resource: &str, at: Timestamp) {
        let actor = self.sid("US");
        let event = Event {
            type_: type_.to_owned(),
            resource: resource.to_owned(),
            date: at.to_string(),
            ip: "203.0.113.7".into(),
            actor: Some(actor),
        };
        self.accounts.get_mut(account).expect("an account").events.push(event);
    }
}
