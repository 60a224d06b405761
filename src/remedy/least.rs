//! Least privilege: from the calls of Twilio's API that code makes, by its client libraries or by address, the permissions that a
//! Restricted key needs for them. It is a proposal: a person sees where each comes from, and may change it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use regex::Regex;

/// Twilio allows a key at most so many permissions.
pub const MOST: usize = 100;

const ALL: &[&str] = &["read", "list", "create", "update", "delete"];

/// One of Twilio's resources, as libraries and addresses call it.
struct Resource {
    /// What its permissions begin with.
    permission: &'static str,
    /// How Python, Node.js, Ruby and PHP call it, as an expression.
    accessor: &'static str,
    /// How C#, Java and Go call it.
    class: &'static str,
    /// How it is called in addresses, as an expression.
    segment: &'static str,
    /// The permissions that there are.
    actions: &'static [&'static str],
}

const fn resource(
    permission: &'static str,
    accessor: &'static str,
    class: &'static str,
    segment: &'static str,
    actions: &'static [&'static str],
) -> Resource {
    Resource { permission, accessor, class, segment, actions }
}

/// The resources whose permissions are known.
const RESOURCES: [Resource; 19] = [
    resource("messaging/messages", "messages", "Message", "Messages", ALL),
    resource("messaging/services", r"messaging(?:\.v1)?(?:\.|->)services", "MessagingService", "NONE", ALL),
    resource("voice/calls", "calls", "Call", "Calls", ALL),
    resource("voice/recordings", "recordings", "Recording", "Recordings", &["read", "list", "delete"]),
    resource("voice/conferences", "conferences", "Conference", "Conferences", &["read", "list", "update"]),
    resource("voice/conferences.participants", "participants", "Participant", "Participants", ALL),
    resource("voice/queues", "queues", "Queue", "Queues", ALL),
    resource(
        "voice/outgoing-caller-ids",
        "outgoing_?[cC]aller_?[iI]ds",
        "OutgoingCallerId",
        "OutgoingCallerIds",
        ALL,
    ),
    resource(
        "verify/verification",
        "verifications",
        "Verification",
        "Verifications",
        &["read", "create", "update"],
    ),
    resource(
        "verify/verification-check",
        "verification_?[cC]hecks",
        "VerificationCheck",
        "VerificationCheck",
        &["create"],
    ),
    resource(
        "lookup/phone-numbers",
        r"lookups(?:(?:\.|->)v[12])?(?:\.|->)phone_?[nN]umbers",
        "PhoneNumber",
        "PhoneNumbers",
        &["read"],
    ),
    resource(
        "phone-numbers/active-numbers",
        "incoming_?[pP]hone_?[nN]umbers",
        "IncomingPhoneNumber",
        "IncomingPhoneNumbers",
        ALL,
    ),
    resource(
        "phone-numbers/available-numbers",
        "available_?[pP]hone_?[nN]umbers",
        "AvailablePhoneNumber",
        "AvailablePhoneNumbers",
        &["list"],
    ),
    resource("taskrouter/workspaces.tasks", "tasks", "Task", "Tasks", ALL),
    resource("taskrouter/workspaces.workers", "workers", "Worker", "Workers", ALL),
    resource("taskrouter/workspaces.task-queues", "task_?[qQ]ueues", "TaskQueue", "TaskQueues", ALL),
    resource("video/rooms", "rooms", "Room", "Rooms", &["read", "list", "create", "update"]),
    resource(
        "monitor/events",
        r"monitor(?:(?:\.|->)v1)?(?:\.|->)events",
        "MonitorEvent",
        "NONE",
        &["read", "list"],
    ),
    resource("billing/usage", r"usage(?:\.|->)records", "UsageRecord", "Records", &["read"]),
];

/// Parts of Twilio's API whose permissions are not known here: a call of them is named.
const UNKNOWN: &str = r"\b\w*[cC]lient\w*\s*(?:\.|->)\s*(studio|conversations|sync|flexApi|flex_api|proxy|notify|chat|trunking|serverless|trusthub|intelligence|wireless|supersim|content|bulkexports|events)\b";

/// Access Tokens are signed by Main and Standard keys alone.
const SIGNS: &str = r"\bAccessToken\s*(?:\.Builder\s*)?\(|JWT::AccessToken|new\s+\S*AccessToken\b";

/// What is proposed for some code.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Each permission with the places that need it.
    pub allow: BTreeMap<String, Vec<String>>,
    /// Calls of which no permission is known, each with its place.
    pub unknown: Vec<String>,
    /// Where Access Tokens are signed, which no Restricted key may.
    pub signs: Vec<String>,
}

struct Patterns {
    accessors: Regex,
    classes: Regex,
    go: Regex,
    addresses: Regex,
    unknown: Regex,
    signs: Regex,
}

fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let joined = |part: fn(&Resource) -> &'static str| {
            let mut text = String::new();
            for (number, resource) in RESOURCES.iter().enumerate() {
                let _ = write!(text, "{}(?P<r{number}>{})", if number > 0 { "|" } else { "" }, part(resource));
            }
            text
        };
        let new = |text: String| Regex::new(&text).expect("a test makes them all");
        let methods = "create|fetch|list|stream|each|page|update|remove|delete|read";
        Patterns {
            accessors: new(format!(
                r"\b(?:{})\s*(?:\([^()\n]{{0,200}}\)\s*)?(?:(?:\.|->)\s*(?:local|mobile|toll_?[fF]ree)\s*)?(?:\??\.|->)\s*(?P<method>{methods})(?:_async|Async)?\b",
                joined(|resource| resource.accessor)
            )),
            classes: new(format!(
                r"\b(?:{})(?:Resource)?\s*\.\s*(?P<method>Create|Fetch|Read|Update|Delete|creator|fetcher|reader|updater|deleter)(?:Async)?\b",
                joined(|resource| resource.class)
            )),
            go: new(format!(
                r"\.(?P<method>Create|Fetch|List|Page|Stream|Update|Delete)(?:{})\(",
                joined(|resource| resource.class)
            )),
            addresses: new(format!(
                r"twilio\.com/\S*?/(?:{})(?P<one>/[^\s./?]+)?(?:\.json|\b)",
                joined(|resource| resource.segment)
            )),
            unknown: new(UNKNOWN.to_owned()),
            signs: new(SIGNS.to_owned()),
        }
    })
}

/// Which of the actions a method of a library is.
fn action(method: &str) -> &'static str {
    match method {
        "create" | "Create" | "creator" => "create",
        "fetch" | "Fetch" | "fetcher" => "read",
        "update" | "Update" | "updater" => "update",
        "remove" | "delete" | "Delete" | "deleter" => "delete",
        _ => "list",
    }
}

/// Which actions the rest of a line around an address speaks of.
fn actions_of_address(line: &str, is_one: bool) -> Vec<&'static str> {
    let line = line.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if says(&["delete"]) {
        vec!["delete"]
    } else if says(&["post", "--data", " -d ", "body"]) {
        vec![if is_one { "update" } else { "create" }]
    } else if says(&["get", "curl"]) {
        vec![if is_one { "read" } else { "list" }]
    } else if is_one {
        vec!["read", "update"]
    } else {
        // Nothing tells whether it is read or written to.
        vec!["list", "create"]
    }
}

impl Proposal {
    /// Adds what one file calls. A file that does not name Twilio calls something else by the same words.
    pub fn add(&mut self, path: &str, text: &str) {
        if !text.to_ascii_lowercase().contains("twilio") {
            return;
        }
        let patterns = patterns();
        for (number, line) in (1..).zip(text.lines()) {
            let place = || format!("{path}:{number}");
            for pattern in [&patterns.accessors, &patterns.classes, &patterns.go] {
                for call in pattern.captures_iter(line) {
                    let method = call.name("method").map_or("", |found| found.as_str());
                    self.note(which(&call), action(method), &place());
                }
            }
            for call in patterns.addresses.captures_iter(line) {
                for action in actions_of_address(line, call.name("one").is_some()) {
                    self.note(which(&call), action, &place());
                }
            }
            for call in patterns.unknown.captures_iter(line) {
                self.unknown.push(format!("{} ({})", &call[1], place()));
            }
            if patterns.signs.is_match(line) {
                self.signs.push(place());
            }
        }
    }

    fn note(&mut self, resource: Option<&Resource>, action: &str, place: &str) {
        let Some(resource) = resource else { return };
        // Where there is one permission only for reading, a list needs it too.
        let only_read = action == "list" && !resource.actions.contains(&"list");
        let action = if only_read { "read" } else { action };
        if resource.actions.contains(&action) {
            let permission = format!("/twilio/{}/{action}", resource.permission);
            let places = self.allow.entry(permission).or_default();
            if places.iter().all(|known| known != place) {
                places.push(place.to_owned());
            }
        } else {
            self.unknown.push(format!("{action} of {} ({place})", resource.permission));
        }
    }
}

fn which<'a>(call: &regex::Captures<'_>) -> Option<&'a Resource> {
    let number = (0..RESOURCES.len()).find(|number| call.name(&format!("r{number}")).is_some())?;
    RESOURCES.get(number)
}

/// Whether a policy is one that Twilio may take; why not.
pub fn check(allow: &[String]) -> Result<(), String> {
    if allow.is_empty() {
        return Err("it allows nothing".to_owned());
    }
    if allow.len() > MOST {
        return Err(format!("it has {} permissions, and a key may have {MOST}", allow.len()));
    }
    let is_permission = |text: &String| {
        text.strip_prefix("/twilio/").is_some_and(|rest| {
            rest.split('/').count() == 3
                && rest.split('/').all(|part| !part.is_empty())
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_*".contains(&b))
        })
    };
    match allow.iter().find(|text| !is_permission(text)) {
        Some(text) => Err(format!("{text:?} is not of the form /twilio/PRODUCT/RESOURCE/ACTION")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Proposal, check};

    fn proposed(text: &str) -> Vec<String> {
        let mut proposal = Proposal::default();
        proposal.add("a", &format!("// twilio\n{text}"));
        proposal.allow.into_keys().collect()
    }

    #[test]
    fn calls_of_each_library_and_addresses_are_known() {
        for (text, permissions) in [
            ("client.messages.create(to=to)", &["messaging/messages/create"][..]),
            ("await client.messages.create_async(", &["messaging/messages/create"]),
            ("client.messages('SM1').fetch()", &["messaging/messages/read"]),
            ("for m in client.messages.stream():", &["messaging/messages/list"]),
            ("$client->messages->create($to, [", &["messaging/messages/create"]),
            ("$client->calls($sid)->update([", &["voice/calls/update"]),
            ("MessageResource.Create(", &["messaging/messages/create"]),
            ("await CallResource.FetchAsync(sid)", &["voice/calls/read"]),
            ("Message.creator(to, from, body).create()", &["messaging/messages/create"]),
            ("Call.reader().read()", &["voice/calls/list"]),
            ("client.Api.CreateMessage(params)", &["messaging/messages/create"]),
            ("client.VerifyV2.CreateVerification(sid, p)", &["verify/verification/create"]),
            ("client.verify.v2.services(s).verifications.create(", &["verify/verification/create"]),
            (
                "client.verify.v2.services(s).verificationChecks.create(",
                &["verify/verification-check/create"],
            ),
            ("client.lookups.v2.phone_numbers(n).fetch()", &["lookup/phone-numbers/read"]),
            ("client.availablePhoneNumbers('US').local.list(", &["phone-numbers/available-numbers/list"]),
            ("client.incoming_phone_numbers.list()", &["phone-numbers/active-numbers/list"]),
            ("client.usage.records.list()", &["billing/usage/read"]),
            (
                "curl -X POST https://api.twilio.com/2010-04-01/Accounts/$A/Messages.json",
                &["messaging/messages/create"],
            ),
            ("curl https://api.twilio.com/2010-04-01/Accounts/$A/Calls/CA1.json", &["voice/calls/read"]),
            (
                "URL = 'https://api.twilio.com/2010-04-01/Accounts/A/Calls.json'",
                &["voice/calls/create", "voice/calls/list"],
            ),
        ] {
            let expected: Vec<String> = permissions.iter().map(|text| format!("/twilio/{text}")).collect();
            assert_eq!(proposed(text), expected, "{text}");
            check(&expected).expect("a policy");
        }
        let mut other = Proposal::default();
        other.add("a", "openai.messages.create()");
        assert_eq!(other, Proposal::default(), "a file that does not name Twilio");
    }

    #[test]
    fn what_has_no_known_permission_and_what_no_restricted_key_may_is_named() {
        let mut proposal = Proposal::default();
        proposal.add("a.py", "import twilio\nclient.studio.v2.flows(f).executions.create()\nclient.recordings.create()\nAccessToken(a, k, s)\n");
        assert_eq!(proposal.unknown, ["studio (a.py:2)", "create of voice/recordings (a.py:3)"]);
        assert_eq!(proposal.signs, ["a.py:4"]);
        for wrong in ["", "/twilio/a/b", "/2010-04-01/Accounts", "/twilio/a/b/c d", "/twilio//b/c"] {
            assert!(check(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        assert!(check(&[]).is_err() && check(&vec!["/twilio/a/b/c".to_owned(); 101]).is_err());
    }
}
