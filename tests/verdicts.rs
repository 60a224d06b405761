//! The verdict matrix: credential kind x account state x region x fault x what Twilio leaves unsaid. Each expected
//! verdict is written by hand from twilio.md, sections 2 to 4, and not from the code.

#![allow(clippy::too_many_lines)] // Tables.

mod common;

use std::time::Duration;

use common::rig::{Rig, token_code};
use serde_json::Value;
use twilio_sim::{Elsewhere, Fault, FaultKind, InactiveAnswer, KeyKind, Region, Status, World};

/// What is expected of the one secret in the code.
struct Expected {
    state: &'static str,
    kind: Option<&'static str>,
    code: Option<u64>,
    region: Option<&'static str>,
    /// A part of the reason.
    reason: &'static str,
}

const fn expect(state: &'static str, kind: Option<&'static str>, code: Option<u64>) -> Expected {
    Expected { state, kind, code, region: None, reason: "" }
}

const fn live(kind: &'static str) -> Expected {
    expect("live", Some(kind), None)
}

const fn rejected() -> Expected {
    Expected {
        state: "rejected",
        kind: None,
        code: Some(20003),
        region: Some("us1"),
        reason: "not accepted in us1",
    }
}

const fn unknown(reason: &'static str) -> Expected {
    Expected { state: "unknown", kind: None, code: None, region: None, reason }
}

impl Expected {
    const fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    const fn at(mut self, region: &'static str) -> Self {
        self.region = Some(region);
        self
    }

    const fn coded(mut self, code: u64) -> Self {
        self.code = Some(code);
        self
    }
}

struct Cell {
    name: &'static str,
    code: String,
    world: World,
    faults: Vec<Fault>,
    arguments: Vec<&'static str>,
    expected: Expected,
}

fn cell(name: &'static str, expected: Expected, build: impl FnOnce(&mut World) -> String) -> Cell {
    let mut world = World::new(name.bytes().fold(7, |seed, byte| seed.wrapping_mul(31) + u64::from(byte)));
    let code = build(&mut world);
    Cell { name, code, world, faults: Vec::new(), arguments: Vec::new(), expected }
}

impl Cell {
    fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    fn asking(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend(arguments);
        self
    }
}

fn key_code(key: &str, secret: &str, account: &str) -> String {
    format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_API_KEY={key}\nTWILIO_API_KEY_SECRET={secret}\n")
}

fn lone_key(key: &str, secret: &str) -> String {
    format!("TWILIO_API_KEY={key}\nTWILIO_API_KEY_SECRET={secret}\n")
}

/// The code of an account with its primary token.
fn primary(world: &mut World) -> String {
    let account = world.account("Shop", None);
    token_code(&account, &world.token(&account))
}

fn key_of(world: &mut World, kind: KeyKind) -> String {
    let account = world.account("Shop", None);
    let (key, secret) = world.key(&account, kind);
    key_code(&key, &secret, &account)
}

fn restricted(permissions: &[&str]) -> KeyKind {
    KeyKind::Restricted(permissions.iter().map(|permission| format!("/twilio/{permission}")).collect())
}

const SERVICES: &str = "verify.twilio.com/v2/Services";
const ACCOUNT: &str = "api.twilio.com/2010-04-01/Accounts/";

fn tokens() -> Vec<Cell> {
    vec![
        cell("the primary token of an active account", live("primary_token").at("us1"), primary),
        cell("the secondary token", live("secondary_token"), |world| {
            let account = world.account("Shop", None);
            let token = world.secondary(&account);
            token_code(&account, &token)
        }),
        cell(
            "the secondary token, where the account's body shows the asking one",
            live("primary_token"),
            |world| {
                world.switches.secondary_sees_itself = true;
                let account = world.account("Shop", None);
                let token = world.secondary(&account);
                token_code(&account, &token)
            },
        ),
        cell("a wrong token of an existing account", rejected(), |world| {
            let account = world.account("Shop", None);
            token_code(&account, &world.hex())
        }),
        cell("a token of an account that never was", rejected(), |world| {
            let account = world.sid("AC");
            token_code(&account, &world.hex())
        }),
        cell("the token of a subaccount", live("primary_token"), |world| {
            let parent = world.account("Parent", None);
            let child = world.account("Child", Some(&parent));
            token_code(&child, &world.token(&child))
        }),
        cell("the parent's token beside a subaccount's SID", rejected(), |world| {
            let parent = world.account("Parent", None);
            let child = world.account("Child", Some(&parent));
            token_code(&child, &world.token(&parent))
        }),
        cell("test credentials", expect("test", Some("test_token"), Some(20008)), |world| {
            let (account, token) = world.test_credentials();
            token_code(&account, &token)
        }),
        cell("a wrong token of test credentials", rejected(), |world| {
            let (account, _) = world.test_credentials();
            token_code(&account, &world.hex())
        }),
        cell("a suspended account that answers 401", rejected(), |world| {
            let code = primary(world);
            suspend(world, InactiveAnswer::Unauthorized);
            code
        }),
        cell("a suspended account that answers 403/20403", expect("inactive", None, Some(20403)), |world| {
            let code = primary(world);
            suspend(world, InactiveAnswer::Forbidden);
            code
        }),
        cell("a suspended account that answers 20005", expect("inactive", None, Some(20005)), |world| {
            let code = primary(world);
            suspend(world, InactiveAnswer::NotActive);
            code
        }),
        cell(
            "a suspended account that still authenticates",
            expect("inactive", None, None).because("suspended"),
            |world| {
                let code = primary(world);
                suspend(world, InactiveAnswer::Authenticated);
                code
            },
        ),
        cell(
            "a closed account that still authenticates",
            expect("inactive", None, None).because("closed"),
            |world| {
                let code = primary(world);
                suspend(world, InactiveAnswer::Authenticated);
                let sid = world.accounts.keys().next().expect("one").clone();
                world.set_status(&sid, Status::Closed);
                code
            },
        ),
        cell("a subaccount of a suspended parent", expect("inactive", None, Some(20403)), |world| {
            world.switches.inactive = InactiveAnswer::Forbidden;
            let parent = world.account("Parent", None);
            let child = world.account("Child", Some(&parent));
            world.set_status(&parent, Status::Suspended);
            token_code(&child, &world.token(&child))
        }),
        cell("an account where only Main keys may ask", rejected(), |world| {
            let code = primary(world);
            for account in world.accounts.values_mut() {
                account.token_disabled = true;
            }
            code
        }),
        cell(
            "an account that takes signed requests only",
            unknown("signed requests").coded(70052),
            |world| {
                let code = primary(world);
                world.accounts.values_mut().for_each(|account| account.signed_only = true);
                code
            },
        ),
        cell("the same under 403", unknown("signed requests").coded(70052), |world| {
            world.switches.signed_only_status = 403;
            let code = primary(world);
            world.accounts.values_mut().for_each(|account| account.signed_only = true);
            code
        }),
        cell("a masked token in the account's body is none", live("auth_token"), |world| {
            world.switches.token_is_masked = true;
            primary(world)
        }),
        cell("the secondary where the account's body masks tokens", live("auth_token"), |world| {
            world.switches.token_is_masked = true;
            let account = world.account("Shop", None);
            let token = world.secondary(&account);
            token_code(&account, &token)
        }),
        cell("a trial account", live("primary_token").because("trial"), |world| {
            let code = primary(world);
            world.accounts.values_mut().for_each(|account| account.trial = true);
            code
        }),
        cell("a SID in upper case that Twilio takes in any case", live("primary_token"), |world| {
            world.switches.sid_in_any_case = true;
            let account = world.account("Shop", None);
            token_code(&format!("AC{}", account[2..].to_uppercase()), &world.token(&account))
        }),
        cell("a SID in upper case that Twilio takes in lower case only", live("primary_token"), |world| {
            let account = world.account("Shop", None);
            token_code(&format!("AC{}", account[2..].to_uppercase()), &world.token(&account))
        }),
    ]
}

fn suspend(world: &mut World, answer: InactiveAnswer) {
    world.switches.inactive = answer;
    for account in world.accounts.values_mut() {
        account.status = Status::Suspended;
    }
}

fn keys() -> Vec<Cell> {
    vec![
        cell("a Standard key with its account", live("standard_key").at("us1"), |w| {
            key_of(w, KeyKind::Standard)
        }),
        cell("a Main key with its account", live("main_key"), |w| key_of(w, KeyKind::Main)),
        cell(
            "a Restricted key that lacks Verify",
            expect("live", Some("restricted_key"), Some(70051)).because("twilio/verify/services/list"),
            |w| key_of(w, restricted(&["messaging/messages/list"])),
        ),
        cell(
            "a Restricted key that may list Verify's services",
            live("restricted_key").because("lacks"),
            |w| key_of(w, restricted(&["verify/services/list"])),
        ),
        cell("the same where Accounts tells it 20003", live("restricted_key"), |world| {
            world.switches.restricted_told_on_accounts = false;
            key_of(world, restricted(&["verify/services/list"]))
        }),
        cell("a Restricted key that may read accounts is no Main key", live("restricted_key"), |world| {
            key_of(world, restricted(&["verify/services/list", "accounts/accounts/list"]))
        }),
        cell(
            "a Restricted key that may read its own policy",
            live("restricted_key").because("it may"),
            |world| key_of(world, restricted(&["verify/services/list", "iam/api-keys/read"])),
        ),
        cell(
            "a Restricted key that lacks Verify and is told so under 403",
            expect("live", Some("restricted_key"), Some(70051)).because("twilio/verify/services/list"),
            |world| {
                world.switches.lacks_status = 403;
                key_of(world, restricted(&["messaging/messages/list"]))
            },
        ),
        cell(
            "a key of an account that takes signed requests only",
            unknown("signed requests").coded(70052),
            |world| {
                let code = key_of(world, KeyKind::Standard);
                world.accounts.values_mut().for_each(|account| account.signed_only = true);
                code
            },
        ),
        cell("a Standard key without an account", live("standard_key"), |world| {
            let account = world.account("Shop", None);
            let (key, secret) = world.key(&account, KeyKind::Standard);
            lone_key(&key, &secret)
        }),
        cell(
            "a Standard key beside somebody else's account is live all the same",
            live("standard_key").because("does not belong to"),
            |world| {
                let (own, other) = (world.account("Own", None), world.account("Other", None));
                let (key, secret) = world.key(&own, KeyKind::Standard);
                key_code(&key, &secret, &other)
            },
        ),
        cell(
            "a Main key beside somebody else's account",
            live("main_key").because("does not belong to"),
            |world| {
                let (own, other) = (world.account("Own", None), world.account("Other", None));
                let (key, secret) = world.key(&own, KeyKind::Main);
                key_code(&key, &secret, &other)
            },
        ),
        cell("a Standard key where Insights does not answer", live("standard_key"), |world| {
            world.switches.insights_answers = false;
            let account = world.account("Shop", None);
            let (key, secret) = world.key(&account, KeyKind::Standard);
            lone_key(&key, &secret)
        }),
        cell("a key that was deleted", rejected(), |world| {
            let account = world.account("Shop", None);
            let (key, secret) = (world.sid("SK"), world.base62());
            key_code(&key, &secret, &account)
        }),
        cell("a key with another secret", rejected(), |world| {
            let account = world.account("Shop", None);
            let (key, _) = world.key(&account, KeyKind::Standard);
            key_code(&key, &world.base62(), &account)
        }),
        cell("a key of a suspended account that answers 401", rejected(), |world| {
            let code = key_of(world, KeyKind::Standard);
            suspend(world, InactiveAnswer::Unauthorized);
            code
        }),
        cell(
            "a key of a suspended account that answers 403",
            expect("inactive", None, Some(20403)),
            |world| {
                let code = key_of(world, KeyKind::Standard);
                suspend(world, InactiveAnswer::Forbidden);
                code
            },
        ),
        cell(
            "a Main key of a suspended account that still authenticates",
            expect("inactive", None, None),
            |world| {
                let code = key_of(world, KeyKind::Main);
                suspend(world, InactiveAnswer::Authenticated);
                code
            },
        ),
        cell("a key of a subaccount", live("main_key"), |world| {
            let parent = world.account("Parent", None);
            let child = world.account("Child", Some(&parent));
            let (key, secret) = world.key(&child, KeyKind::Main);
            key_code(&key, &secret, &child)
        }),
    ]
}

fn regions() -> Vec<Cell> {
    let irish_token = |world: &mut World| -> String {
        let account = world.account("Shop", None);
        let token = world.regional_token(&account, Region::Ie1);
        token_code(&account, &token)
    };
    let irish_key = |kind: KeyKind| {
        move |world: &mut World| {
            let account = world.account("Shop", None);
            let (key, secret) = world.regional_key(&account, kind, Region::Ie1);
            key_code(&key, &secret, &account)
        }
    };
    vec![
        cell("an Irish token, asked in us1 only", rejected(), irish_token),
        cell("an Irish token, asked there", live("primary_token").at("ie1"), irish_token)
            .asking(&["--regions", "us1,ie1"]),
        cell("an Irish token, by a hint in the code", live("primary_token").at("ie1"), |world| {
            let account = world.account("Shop", None);
            let token = world.regional_token(&account, Region::Ie1);
            format!("{}TWILIO_REGION=ie1\nTWILIO_EDGE=dublin\n", token_code(&account, &token))
        }),
        cell(
            "an Irish token, where the account's body shows that of us1",
            live("auth_token").at("ie1"),
            |world| {
                world.switches.regional_body_shows_us1 = true;
                irish_token(world)
            },
        )
        .asking(&["--regions", "ie1"]),
        cell(
            "a dead token, asked everywhere",
            rejected().at("us1,ie1,au1").because("us1, ie1, au1"),
            |world| {
                let account = world.account("Shop", None);
                world.regional_token(&account, Region::Ie1);
                world.regional_token(&account, Region::Au1);
                token_code(&account, &world.hex())
            },
        )
        .asking(&["--regions", "ie1,au1"]),
        cell(
            "an Irish Standard key with its account",
            live("standard_key").at("ie1"),
            irish_key(KeyKind::Standard),
        )
        .asking(&["--regions", "ie1"]),
        cell("an Irish Main key", live("main_key").at("ie1"), irish_key(KeyKind::Main))
            .asking(&["--regions", "ie1"]),
        cell("an Irish Standard key where products exist there", live("standard_key").at("ie1"), |world| {
            world.switches.products_in_regions = Elsewhere::Answers;
            irish_key(KeyKind::Standard)(world)
        })
        .asking(&["--regions", "ie1"]),
        cell("an Irish Standard key asked in us1 only", rejected(), irish_key(KeyKind::Standard)),
        cell(
            "an Irish Standard key beside somebody else's account cannot be told from a dead one",
            unknown("no list that every key may read").coded(20003),
            |world| {
                let (own, other) = (world.account("Own", None), world.account("Other", None));
                let (key, secret) = world.regional_key(&own, KeyKind::Standard, Region::Ie1);
                key_code(&key, &secret, &other)
            },
        )
        .asking(&["--regions", "ie1"]),
        cell(
            "an Irish Standard key where Verify's host there refuses everybody",
            live("standard_key").at("ie1"),
            |world| {
                world.switches.products_in_regions = Elsewhere::Refuses;
                irish_key(KeyKind::Standard)(world)
            },
        )
        .asking(&["--regions", "ie1"]),
        cell("a Japanese Standard key: a region is a row", live("standard_key").at("jp1"), |world| {
            let account = world.account("Shop", None);
            let (key, secret) = world.regional_key(&account, KeyKind::Standard, Region::Jp1);
            key_code(&key, &secret, &account)
        })
        .asking(&["--regions", "jp1"]),
        cell(
            "a dead key where other products exist in the region cannot be told from another account's",
            unknown("no list that every key may read").coded(20003),
            |world| {
                world.switches.products_in_regions = Elsewhere::Answers;
                let account = world.account("Shop", None);
                let (key, secret) = (world.sid("SK"), world.base62());
                key_code(&key, &secret, &account)
            },
        )
        .asking(&["--regions", "ie1"]),
    ]
}

fn faults() -> Vec<Cell> {
    let standard = |world: &mut World| key_of(world, KeyKind::Standard);
    let fault = |kind, within, times| Fault::new(kind, within, times);
    vec![
        cell("429 that passes", live("primary_token"), primary).with(fault(
            FaultKind::TooMany(None),
            ACCOUNT,
            2,
        )),
        cell("429 with Retry-After", live("primary_token"), primary).with(fault(
            FaultKind::TooMany(Some(1)),
            ACCOUNT,
            1,
        )),
        cell("429 without end", unknown("busy").coded(20429), primary).with(fault(
            FaultKind::TooMany(None),
            ACCOUNT,
            u32::MAX,
        )),
        cell("429 without end on a key", unknown("busy").coded(20429), standard).with(fault(
            FaultKind::TooMany(None),
            SERVICES,
            u32::MAX,
        )),
        cell("a Retry-After of an hour is not waited for", unknown("busy").coded(20429), primary)
            .with(fault(FaultKind::TooMany(Some(3600)), ACCOUNT, u32::MAX)),
        cell("500 that passes", live("primary_token"), primary).with(fault(
            FaultKind::ServerError,
            ACCOUNT,
            1,
        )),
        cell("500 without end", unknown("20500").coded(20500), primary).with(fault(
            FaultKind::ServerError,
            ACCOUNT,
            u32::MAX,
        )),
        cell("a reset that passes", live("standard_key"), standard).with(fault(
            FaultKind::ResetBefore,
            SERVICES,
            1,
        )),
        cell("resets without end", unknown("broke off"), standard).with(fault(
            FaultKind::ResetBefore,
            SERVICES,
            u32::MAX,
        )),
        cell("half a body without end", unknown("broke off"), primary).with(fault(
            FaultKind::HalfBody,
            ACCOUNT,
            u32::MAX,
        )),
        cell("a captive portal's page", unknown("not in Twilio's form"), primary).with(fault(
            FaultKind::WrongType,
            ACCOUNT,
            u32::MAX,
        )),
        cell("a captive portal's page for a key", unknown("not in Twilio's form"), standard).with(fault(
            FaultKind::WrongType,
            SERVICES,
            u32::MAX,
        )),
        cell("a proxy's page", unknown("not in Twilio's form"), primary).with(fault(
            FaultKind::ProxyPage,
            ACCOUNT,
            u32::MAX,
        )),
        cell("a redirect to another host", unknown("redirect"), primary).with(fault(
            FaultKind::Redirect("evil.example".into()),
            ACCOUNT,
            u32::MAX,
        )),
        cell("an answer that never ends", unknown("too long"), primary).with(fault(
            FaultKind::Endless,
            ACCOUNT,
            u32::MAX,
        )),
        cell("an answer that comes too late", unknown("no answer within 1 s"), primary)
            .with(fault(FaultKind::Latency(Duration::from_secs(5)), ACCOUNT, u32::MAX))
            .asking(&["--timeout", "1"]),
        cell("credentials that were taken out on the way", unknown("did not reach").coded(20003), primary)
            .with(fault(
                FaultKind::Answer(401, 20003, "Authentication Error - No credentials provided".into()),
                ACCOUNT,
                u32::MAX,
            )),
        cell("70051 without a permission", unknown("70051").coded(70051), standard).with(fault(
            FaultKind::Answer(401, 70051, "Authorization Error: the API key is suspended".into()),
            SERVICES,
            u32::MAX,
        )),
        cell(
            "70051 with a permission under 403",
            expect("live", Some("restricted_key"), Some(70051)).because("twilio/verify/services/list"),
            standard,
        )
        .with(fault(
            FaultKind::Answer(
                403,
                70051,
                "Authorization Error: required permission twilio/verify/services/list is missing".into(),
            ),
            SERVICES,
            u32::MAX,
        ))
        .with(fault(
            FaultKind::Answer(401, 70051, "required permission twilio/iam/api-keys/read is missing".into()),
            "iam.twilio.com",
            u32::MAX,
        )),
        cell(
            "a key that works, with the question of its kind unanswered",
            live("standard_key").because("not known"),
            standard,
        )
        .with(fault(FaultKind::ServerError, "Accounts.json?PageSize=1", u32::MAX))
        .with(fault(FaultKind::ServerError, "iam.twilio.com", u32::MAX)),
        cell("an error that says nothing about the credential", unknown("20006").coded(20006), primary)
            .with(fault(FaultKind::Answer(403, 20006, "Access Denied".into()), ACCOUNT, u32::MAX)),
        cell("20003 under 403 contradicts itself", unknown("contradict each other").coded(20003), standard)
            .with(fault(FaultKind::Answer(403, 20003, "Authenticate".into()), "", u32::MAX)),
        cell("20003 under 404 contradicts itself", unknown("contradict each other").coded(20003), primary)
            .with(fault(FaultKind::Answer(404, 20003, "Authenticate".into()), "", u32::MAX)),
        cell(
            "one refusal of the classic API among answers that work",
            live("primary_token").because("not yet everywhere"),
            primary,
        )
        .with(fault(FaultKind::Answer(401, 20003, "Authenticate".into()), ACCOUNT, 1)),
        cell(
            "a classic API that refuses what Verify accepts",
            live("auth_token").because("not yet everywhere: api refused it (20003), and verify accepts it"),
            primary,
        )
        .with(fault(FaultKind::Answer(401, 20003, "Authenticate".into()), ACCOUNT, u32::MAX)),
        cell(
            "one refusal of Verify among answers that work",
            live("standard_key").because("not yet everywhere"),
            standard,
        )
        .with(fault(FaultKind::Answer(401, 20003, "Authenticate".into()), SERVICES, 1)),
        cell(
            "a Verify that refuses what the classic API accepts",
            live("standard_key").because("not yet everywhere"),
            standard,
        )
        .with(fault(FaultKind::Answer(401, 20003, "Authenticate".into()), SERVICES, u32::MAX)),
        cell(
            "a Verify that refuses a key without an account, which Insights accepts",
            live("standard_key").because("not yet everywhere"),
            |world| {
                let account = world.account("Shop", None);
                let (key, secret) = world.key(&account, KeyKind::Standard);
                lone_key(&key, &secret)
            },
        )
        .with(fault(FaultKind::Answer(401, 20003, "Authenticate".into()), SERVICES, u32::MAX)),
        cell("one product's refusal is not enough", unknown("only api refused it").coded(20500), |world| {
            let account = world.account("Shop", None);
            token_code(&account, &world.hex())
        })
        .with(fault(FaultKind::ServerError, "verify.twilio.com", u32::MAX))
        .with(fault(FaultKind::ServerError, "insights.twilio.com", u32::MAX)),
        cell("a second product that does not answer is made up for by a third", rejected(), |world| {
            let account = world.account("Shop", None);
            token_code(&account, &world.hex())
        })
        .with(fault(FaultKind::ServerError, "verify.twilio.com", u32::MAX)),
        cell("404 for one's own account", unknown("20404").coded(20404), primary).with(fault(
            FaultKind::Answer(404, 20404, "not found".into()),
            ACCOUNT,
            u32::MAX,
        )),
    ]
}

/// The secret's credential in a report.
fn secret(report: &Value) -> &Value {
    let wanted = ["auth_token", "api_key"];
    report["credentials"]
        .as_array()
        .and_then(|list| list.iter().find(|c| wanted.contains(&c["type"].as_str().unwrap_or_default())))
        .unwrap_or_else(|| panic!("no credential: {report}"))
}

fn check(cells: Vec<Cell>) {
    std::thread::scope(|scope| {
        for cell in cells {
            scope.spawn(move || {
                let Cell { name, code, world, faults, arguments, expected } = cell;
                let mut rig = Rig::new(world);
                rig.sim.world().faults = faults;
                rig.write("settings.env", &code);
                code.split(['=', '\n']).filter(|v| v.len() == 32).for_each(|value| rig.plant(value));
                let (report, _) = rig.verified(&arguments);
                let verdict = &secret(&report)["verdict"];
                let told = format!("{name}: {verdict}");
                assert_eq!(verdict["state"], expected.state, "{told}");
                assert_eq!(verdict["kind"].as_str(), expected.kind, "{told}");
                assert_eq!(verdict["code"].as_u64(), expected.code, "{told}");
                if let Some(region) = expected.region {
                    assert_eq!(verdict["region"], region, "{told}");
                }
                assert!(verdict["reason"].as_str().unwrap_or_default().contains(expected.reason), "{told}");
                assert!(verdict["checked_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{told}");
                for entry in rig.sim.log() {
                    assert_eq!(entry.method, "GET", "{name}: verifying reads");
                    assert_eq!(entry.sni.as_deref(), Some(entry.host.as_str()), "{name}");
                    assert!(!entry.path.contains("Messages") && !entry.path.contains("Balance"), "{name}");
                }
            });
        }
    });
}

#[test]
fn auth_tokens() {
    check(tokens());
}

#[test]
fn api_keys() {
    check(keys());
}

#[test]
fn in_other_regions() {
    check(regions());
}

#[test]
fn when_things_go_wrong() {
    check(faults());
}

#[test]
fn the_matrix_is_large_enough() {
    let cells = tokens().len() + keys().len() + regions().len() + faults().len();
    println!("{cells} cells");
    assert!(cells >= 60);
}
