//! The truth: accounts, tokens, keys and what belongs to them, with the switches for what Twilio does not state.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::log::Entry;
use crate::resources::{ConnectApp, Country, OauthApp, Organization, Rule, Setting, SharedKey};

/// Where a credential is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// United States, the default.
    Us1,
    /// Ireland.
    Ie1,
    /// Australia.
    Au1,
    /// Japan.
    Jp1,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Us1, Self::Ie1, Self::Au1, Self::Jp1];

    /// The host of a product in this region.
    #[must_use]
    pub fn host(self, product: &str) -> String {
        match self {
            Self::Us1 => format!("{product}.twilio.com"),
            Self::Ie1 => format!("{product}.dublin.ie1.twilio.com"),
            Self::Au1 => format!("{product}.sydney.au1.twilio.com"),
            Self::Jp1 => format!("{product}.tokyo.jp1.twilio.com"),
        }
    }
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Active,
    /// Not for now.
    Suspended,
    /// Never again.
    Closed,
}

impl Status {
    /// Twilio's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// The Auth Tokens of an account in one region.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The one that signs webhooks.
    pub primary: String,
    /// The one that is to follow it.
    pub secondary: Option<String>,
}

/// An account or subaccount.
#[derive(Debug, Clone)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// Its parent, or itself.
    pub owner: String,
    /// What people call it.
    pub friendly_name: String,
    /// Whether it may be used.
    pub status: Status,
    /// A trial account.
    pub trial: bool,
    /// Its tokens by region.
    pub tokens: BTreeMap<Region, Tokens>,
    /// SIDs of its phone numbers.
    pub numbers: Vec<String>,
    /// What it spent: today, yesterday, this month, in USD.
    pub spend: [&'static str; 3],
    /// What was changed in it.
    pub events: Vec<Event>,
    /// Whether Auth Tokens can be rotated by the API.
    pub token_api: bool,
    /// Whether only Main keys may be used (public key client validation).
    pub token_disabled: bool,
    /// Whether only signed requests are taken (public key client validation): Basic authentication is told 70052.
    pub signed_only: bool,
    /// How many API keys it may have; one more is refused with 70151.
    pub most_keys: usize,
}

/// A change that was recorded.
#[derive(Debug, Clone)]
pub struct Event {
    /// `account-api-keys.created` and so on.
    pub type_: String,
    /// What was changed.
    pub resource: String,
    /// When.
    pub date: String,
    /// From where.
    pub ip: String,
    /// By whom; none: the account itself.
    pub actor: Option<String>,
}

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// All.
    Main,
    /// All but accounts and keys.
    Standard,
    /// What its policy allows.
    Restricted(Vec<String>),
}

/// An API key.
#[derive(Debug, Clone)]
pub struct Key {
    /// `SK…`.
    pub sid: String,
    /// Its secret.
    pub secret: String,
    /// Whose it is.
    pub account: String,
    /// Where it is valid.
    pub region: Region,
    /// What it may do.
    pub kind: KeyKind,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was deleted; it may linger for a while.
    pub deleted: Option<Timestamp>,
    /// How many more requests it authenticates after it was deleted.
    pub lingers: u32,
}

/// Test credentials: an account of their own with a token of its own.
#[derive(Debug, Clone)]
pub struct TestCredentials {
    /// `AC…`.
    pub sid: String,
    /// The token.
    pub token: String,
}

/// What a suspended or closed account's credentials are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InactiveAnswer {
    /// 401/20003.
    Unauthorized,
    /// 403/20403.
    Forbidden,
    /// 401/20005.
    NotActive,
    /// 200, with the status in the account's body.
    Authenticated,
    /// This status, with this code and these words.
    Other(u16, u32, &'static str),
}

/// What the hosts of a product answer in a region whose list of products does not name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// 404: there is no such host.
    Absent,
    /// 401/20003, whoever asks.
    Refuses,
    /// As in us1.
    Answers,
}

/// What Twilio does not state: each is a switch, and tests run both ways.
#[derive(Debug, Clone)]
pub struct Switches {
    /// Whether the parent's Main key may read subaccounts and manage their keys.
    pub main_key_reaches_subaccounts: bool,
    /// What `auth_token` shows to the secondary token: itself, or the primary.
    pub secondary_sees_itself: bool,
    /// Whether `auth_token` shows the token of us1 in other regions too.
    pub regional_body_shows_us1: bool,
    /// Whether a Restricted key is told 70051 (or 20003) on Accounts.
    pub restricted_told_on_accounts: bool,
    /// What verify, iam, insights … answer outside of us1.
    pub products_in_regions: Elsewhere,
    /// Whether the classic API lists, reads and deletes Restricted keys.
    pub classic_shows_restricted: bool,
    /// The status of 70051, which a Restricted key is told that lacks a permission.
    pub lacks_status: u16,
    /// The status of 70052, which Basic authentication is told where only signed requests are taken.
    pub signed_only_status: u16,
    /// Whether `auth_token` is masked, whoever asks.
    pub token_is_masked: bool,
    /// Whether prices are numbers (or strings).
    pub price_is_number: bool,
    /// The only product where a deleted key still works for a while; none: all of them.
    pub lingers_at: Option<&'static str>,
    /// How far Twilio's clock, as the header `Date` has it, is ahead of this machine's, in seconds.
    pub clock_ahead: i64,
    /// What a suspended account's credentials are told.
    pub inactive: InactiveAnswer,
    /// Whether a Main key may delete itself.
    pub main_key_deletes_itself: bool,
    /// Whether a Main key may rotate tokens.
    pub main_key_rotates_tokens: bool,
    /// Whether Insights answers where the product was never used.
    pub insights_answers: bool,
    /// Whether a second delete answers 404 (or 204).
    pub second_delete_is_404: bool,
    /// Whether a SID in upper case is the same SID.
    pub sid_in_any_case: bool,
    /// For how many requests a deleted key still works.
    pub delete_lag: u32,
    /// Requests in flight at once above which an account is told 429.
    pub most_concurrent: usize,
    /// Whether OAuth apps are listed and shown, or only made, changed and deleted.
    pub oauth_apps_are_shown: bool,
    /// The name of the rows in the list of OAuth apps.
    pub oauth_list: &'static str,
    /// What a token request with a wrong secret is told: status and code.
    pub oauth_refusal: (u16, u32),
    /// Whether the account has the beta of webhooks' SharedKeys and Rules.
    pub webhooks_beta: bool,
    /// Whether the deletion of a SharedKey is accepted with 202, and after how many looks it is gone; none: 204, at once.
    pub shared_key_goes_after: Option<u32>,
    /// For how many days recorded changes are kept.
    pub events_are_kept: i64,
    /// Whether the dates that events are asked for by count.
    pub events_know_dates: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            main_key_reaches_subaccounts: false,
            secondary_sees_itself: false,
            regional_body_shows_us1: false,
            restricted_told_on_accounts: true,
            products_in_regions: Elsewhere::Absent,
            classic_shows_restricted: true,
            lacks_status: 401,
            signed_only_status: 401,
            token_is_masked: false,
            price_is_number: false,
            lingers_at: None,
            clock_ahead: 0,
            inactive: InactiveAnswer::Unauthorized,
            main_key_deletes_itself: true,
            main_key_rotates_tokens: false,
            insights_answers: true,
            second_delete_is_404: true,
            sid_in_any_case: false,
            delete_lag: 0,
            most_concurrent: 100,
            oauth_apps_are_shown: true,
            oauth_list: "oauth_apps",
            oauth_refusal: (401, 322_402),
            webhooks_beta: true,
            shared_key_goes_after: None,
            events_are_kept: 30,
            events_know_dates: true,
        }
    }
}

/// Everything that the simulated Twilio knows.
#[derive(Debug)]
pub struct World {
    /// By SID.
    pub accounts: BTreeMap<String, Account>,
    /// By SID.
    pub keys: BTreeMap<String, Key>,
    /// By SID.
    pub tests: BTreeMap<String, TestCredentials>,
    /// By SID.
    pub oauth_apps: BTreeMap<String, OauthApp>,
    /// Access tokens that OAuth apps were given, each with the client id.
    pub minted: Vec<(String, String)>,
    /// When phone numbers were bought, where that was lately.
    pub number_dates: BTreeMap<String, Timestamp>,
    /// Keys that sign webhooks.
    pub shared_keys: Vec<SharedKey>,
    /// Who signs webhooks.
    pub settings: Vec<Setting>,
    /// Which webhooks have which setting.
    pub rules: Vec<Rule>,
    /// Connect apps.
    pub connect_apps: Vec<ConnectApp>,
    /// Geographic permissions.
    pub countries: Vec<Country>,
    /// The organization, if there is one.
    pub organization: Option<Organization>,
    /// The unstated.
    pub switches: Switches,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What was asked.
    pub log: Vec<Entry>,
    /// Present an expired certificate.
    pub expired_certificate: bool,
    pub(crate) in_flight: BTreeMap<String, usize>,
    /// The most requests that were in flight at once, by account.
    pub peak: BTreeMap<String, usize>,
    random: fastrand::Rng,
}

impl World {
    /// An empty world whose values come from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            tests: BTreeMap::new(),
            oauth_apps: BTreeMap::new(),
            minted: Vec::new(),
            number_dates: BTreeMap::new(),
            shared_keys: Vec::new(),
            settings: Vec::new(),
            rules: Vec::new(),
            connect_apps: Vec::new(),
            countries: Vec::new(),
            organization: None,
            switches: Switches::default(),
            faults: Vec::new(),
            log: Vec::new(),
            expired_certificate: false,
            in_flight: BTreeMap::new(),
            peak: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// 32 hex digits.
    pub fn hex(&mut self) -> String {
        (0..32).map(|_| char::from_digit(self.random.u32(..16), 16).expect("a digit")).collect()
    }

    /// 32 letters and digits.
    pub fn base62(&mut self) -> String {
        (0..32).map(|_| self.random.alphanumeric()).collect()
    }

    /// A SID with this prefix.
    pub fn sid(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.hex())
    }

    /// Makes an account; `parent` makes it a subaccount.
    pub fn account(&mut self, name: &str, parent: Option<&str>) -> String {
        let sid = self.sid("AC");
        let primary = self.hex();
        let numbers = (0..2).map(|_| self.sid("PN")).collect();
        self.accounts.insert(
            sid.clone(),
            Account {
                owner: parent.unwrap_or(&sid).to_owned(),
                sid: sid.clone(),
                friendly_name: name.to_owned(),
                status: Status::Active,
                trial: false,
                tokens: BTreeMap::from([(Region::Us1, Tokens { primary, secondary: None })]),
                numbers,
                spend: ["1.25", "3.50", "41.75"],
                events: Vec::new(),
                token_api: true,
                token_disabled: false,
                signed_only: false,
                most_keys: usize::MAX,
            },
        );
        sid
    }

    /// The primary token of an account in us1.
    #[must_use]
    pub fn token(&self, account: &str) -> String {
        self.accounts[account].tokens[&Region::Us1].primary.clone()
    }

    /// Makes a secondary token in us1.
    pub fn secondary(&mut self, account: &str) -> String {
        let token = self.hex();
        let tokens = self.accounts.get_mut(account).expect("an account").tokens.get_mut(&Region::Us1);
        tokens.expect("tokens").secondary = Some(token.clone());
        token
    }

    /// Makes a token for another region.
    pub fn regional_token(&mut self, account: &str, region: Region) -> String {
        let primary = self.hex();
        let tokens = Tokens { primary: primary.clone(), secondary: None };
        self.accounts.get_mut(account).expect("an account").tokens.insert(region, tokens);
        primary
    }

    /// Makes a key and returns its SID and secret.
    pub fn key(&mut self, account: &str, kind: KeyKind) -> (String, String) {
        self.regional_key(account, kind, Region::Us1)
    }

    /// The same in another region.
    pub fn regional_key(&mut self, account: &str, kind: KeyKind, region: Region) -> (String, String) {
        let (sid, secret) = (self.sid("SK"), self.base62());
        self.keys.insert(
            sid.clone(),
            Key {
                sid: sid.clone(),
                secret: secret.clone(),
                account: account.to_owned(),
                region,
                kind,
                friendly_name: None,
                created: Timestamp::UNIX_EPOCH,
                deleted: None,
                lingers: 0,
            },
        );
        (sid, secret)
    }

    /// Makes test credentials: SID and token.
    pub fn test_credentials(&mut self) -> (String, String) {
        let (sid, token) = (self.sid("AC"), self.hex());
        self.tests.insert(sid.clone(), TestCredentials { sid: sid.clone(), token: token.clone() });
        (sid, token)
    }

    /// Whether a key exists.
    #[must_use]
    pub fn key_exists(&self, sid: &str) -> bool {
        self.keys.get(sid).is_some_and(|key| key.deleted.is_none())
    }

    /// Sets an account's status, as the console would.
    pub fn set_status(&mut self, account: &str, status: Status) {
        self.accounts.get_mut(account).expect("an account").status = status;
    }

    /// Every secret there is: what no output may hold.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut all: Vec<String> = self.keys.values().map(|key| key.secret.clone()).collect();
        for account in self.accounts.values() {
            for tokens in account.tokens.values() {
                all.push(tokens.primary.clone());
                all.extend(tokens.secondary.clone());
            }
        }
        all.extend(self.tests.values().map(|test| test.token.clone()));
        all.extend(self.oauth_apps.values().map(|app| app.secret.clone()));
        all.extend(self.minted.iter().map(|(token, _)| token.clone()));
        all.extend(self.organization.iter().map(|one| one.secret.clone()));
        all
    }
}
