//! Who asks, by the Basic pair, as twilio.md section 2 has it.

use data_encoding::BASE64;

use crate::answer::Answer;
use crate::world::{InactiveAnswer, KeyKind, Region, Status, World};

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that signs webhooks.
    Primary,
    /// The other one.
    Secondary,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Principal {
    /// An account with its Auth Token.
    Token(String, Which),
    /// Test credentials.
    Test,
    /// An API key.
    Key(String, String, KeyKind),
}

impl Principal {
    /// The account that asks.
    pub fn account(&self) -> &str {
        match self {
            Self::Token(account, _) | Self::Key(_, account, _) => account,
            Self::Test => "",
        }
    }

    /// What an ordinary resource says to it; `permission` is what a Restricted key must have.
    pub fn may(&self, world: &World, permission: &str) -> Result<(), Answer> {
        match self {
            Self::Test => {
                Err(Answer::error(403, 20008, "Resource not accessible with Test Account Credentials"))
            }
            Self::Key(_, _, KeyKind::Restricted(allow))
                if !allow.iter().any(|p| p == &format!("/{permission}")) =>
            {
                Err(Answer::lacks(world.switches.lacks_status, permission))
            }
            _ => Ok(()),
        }
    }

    /// What Accounts and Keys say to it: Standard keys are kept out.
    pub fn may_manage(&self, world: &World, permission: &str) -> Result<(), Answer> {
        match self {
            Self::Key(_, _, KeyKind::Standard) => Err(Answer::unauthorized()),
            _ => self.may(world, permission),
        }
    }
}

/// The Basic pair of an Authorization header.
pub fn basic(header: Option<&str>) -> Option<(String, String)> {
    let decoded = BASE64.decode(header?.strip_prefix("Basic ")?.as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Who asks in this region, or what they are told.
pub fn authenticate(
    world: &mut World,
    pair: Option<&(String, String)>,
    region: Region,
    product: &str,
) -> Result<Principal, Answer> {
    let Some((user, password)) = pair else {
        return Err(Answer::error(401, 20003, "Authentication Error - No credentials provided"));
    };
    let invalid = || Answer::error(401, 20003, "Authentication Error - invalid username");
    if user.len() != 34
        || !user[2..].bytes().all(|b| b.is_ascii_hexdigit())
        || !(user.starts_with("AC") || user.starts_with("SK"))
    {
        return Err(invalid());
    }
    let user = if world.switches.sid_in_any_case {
        format!("{}{}", &user[..2], user[2..].to_ascii_lowercase())
    } else {
        user.clone()
    };
    if let Some(test) = world.tests.get(&user) {
        return if &test.token == password { Ok(Principal::Test) } else { Err(Answer::unauthorized()) };
    }
    let principal = if user.starts_with("AC") {
        let account = world.accounts.get(&user).ok_or_else(invalid)?;
        let tokens = account.tokens.get(&region).ok_or_else(Answer::unauthorized)?;
        if account.token_disabled {
            return Err(Answer::unauthorized());
        }
        if tokens.primary == *password {
            Principal::Token(user.clone(), Which::Primary)
        } else if tokens.secondary.as_ref() == Some(password) {
            Principal::Token(user.clone(), Which::Secondary)
        } else {
            return Err(Answer::unauthorized());
        }
    } else {
        let key = world.keys.get_mut(&user).ok_or_else(invalid)?;
        if key.secret != *password || key.region != region {
            return Err(Answer::unauthorized());
        }
        if key.deleted.is_some() {
            let elsewhere = world.switches.lingers_at.is_some_and(|only| only != product);
            if key.lingers == 0 || elsewhere {
                return Err(Answer::unauthorized());
            }
            key.lingers -= 1;
        }
        Principal::Key(user.clone(), key.account.clone(), key.kind.clone())
    };
    let account = &world.accounts[principal.account()];
    let parent = &world.accounts[&account.owner];
    if account.signed_only {
        let words = "Only requests that are signed are accepted (public key client validation)";
        return Err(Answer::error(world.switches.signed_only_status, 70052, words));
    }
    if account.status != Status::Active || parent.status != Status::Active {
        match world.switches.inactive {
            InactiveAnswer::Unauthorized => return Err(Answer::unauthorized()),
            InactiveAnswer::Forbidden => {
                return Err(Answer::error(403, 20403, "Account lacks permission"));
            }
            InactiveAnswer::NotActive => return Err(Answer::error(401, 20005, "Account not active")),
            InactiveAnswer::Authenticated => {}
            InactiveAnswer::Other(status, code, words) => return Err(Answer::error(status, code, words)),
        }
    }
    Ok(principal)
}
