//! What a name says about the value that bears it: `TWILIO_AUTH_TOKEN`, `twilio.authToken`, `Twilio__AuthToken`
//! and `twilioauthtoken` are cut into the same words, and the vocabulary says what each word means.

use crate::rules::{Class, Rules, Word};

/// How much a name says that its value is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Role {
    /// Nothing: `x`, `client`.
    #[default]
    None,
    /// A word that is said of many things: `key`.
    Weak,
    /// One word for a secret: `token`, `secret`, `password`.
    Plain,
    /// Twilio's own terms: `auth token`, `api secret`, `key secret`.
    Exact,
}

/// A name, read.
#[derive(Debug, Clone, Default)]
pub struct Name {
    /// As it is written, for the evidence.
    pub text: String,
    /// The words of the last component, lower case.
    pub words: Vec<String>,
    /// How much it says that the value is a secret.
    pub role: Role,
    /// It says Twilio.
    pub twilio: bool,
    /// Another service that it says.
    pub vendor: Option<String>,
    /// The vendor's name is an ordinary word, or was seen only in the qualifying part.
    pub vendor_is_common: bool,
    /// It says that the value is no credential.
    pub innocent: bool,
    /// It says so, unless it is Twilio's.
    pub innocent_alone: bool,
    /// It says that the value belongs to another part of the program.
    pub other_purpose: bool,
    /// Words that say nothing that is known, and may be anything: another service's name, a customer's.
    pub unknown: Vec<String>,
    /// What tells this credential from its siblings: the words that are neither Twilio's nor a role.
    pub stem: Vec<String>,
    /// It is the name of a place that holds a value, not of the value.
    pub value_holder: bool,
    /// It is the name of a place that holds a name.
    pub name_holder: bool,
    /// Every word of it passes a value through (`String.valueOf`, `os.getenv`).
    pub wrapper: bool,
}

impl Name {
    /// Reads a name. Its last component (after `.`, `/`, `::`, `->`) says what the value is; all components say
    /// whose it is.
    #[must_use]
    pub fn read(rules: &Rules, text: &str) -> Self {
        let words = split(rules, text);
        let mut name = Self { text: text.to_owned(), ..Self::default() };
        name.innocent = is_file(rules, text);
        let last_component = words.iter().rposition(|word| word.starts_component).unwrap_or(0);
        let mut plain = false;
        let mut weak = false;
        for (index, part) in words.iter().enumerate() {
            let word = part.text.as_str();
            let known = rules.word(word).copied().unwrap_or(Word::UNKNOWN);
            let last = index >= last_component;
            match known.class {
                Class::Twilio => name.twilio = true,
                Class::Vendor { common } => {
                    name.vendor = Some(word.to_owned());
                    name.vendor_is_common = common;
                }
                Class::Secret(weight) if last || index + 3 > last_component => {
                    plain |= weight >= 2;
                    weak |= weight == 1;
                }
                Class::Innocent if last => name.innocent = true,
                Class::InnocentAlone if last => name.innocent_alone = true,
                Class::OtherPurpose if last => name.other_purpose = true,
                Class::Unknown if last && !word.bytes().all(|b| b.is_ascii_digit()) => {
                    name.unknown.push(word.to_owned());
                }
                _ => {}
            }
            if is_stem(word, known) {
                name.stem.push(word.to_owned());
            }
            if last {
                name.words.push(word.to_owned());
            }
        }
        name.role = role(&words, plain, weak);
        let each = |test: fn(&Word) -> bool| {
            !name.words.is_empty() && name.words.iter().all(|word| rules.word(word).is_some_and(test))
        };
        name.value_holder = each(|word| word.value_holder) || is_compound(&name.words, &VALUE_HOLDERS);
        name.name_holder = each(|word| word.name_holder);
        name.wrapper =
            !words.is_empty() && words.iter().all(|word| rules.word(&word.text).is_some_and(|w| w.wrapper));
        name
    }

    /// Whether anything in it speaks for or against the value.
    #[must_use]
    pub fn is_informative(&self) -> bool {
        self.role != Role::None
            || self.twilio
            || self.vendor.is_some()
            || self.innocent
            || self.innocent_alone
            || self.other_purpose
    }
}

/// What its words say of the value, given whether one of them is plainly or weakly a secret's.
fn role(words: &[Part], plain: bool, weak: bool) -> Role {
    let place = |any: &[&str]| words.iter().position(|word| any.contains(&word.text.as_str()));
    let has = |any: &[&str]| place(any).is_some();
    let secret = place(&["secret", "secrets"]);
    let key = place(&["key", "keys", "apikey"]);
    // `key secret` is Twilio's term, `secret key` is everybody's.
    let secret_key = match (secret, key) {
        (Some(secret), Some(key)) => secret < key && words[key].text != "apikey",
        _ => false,
    };
    let key_secret = secret.is_some() && key.is_some() && !secret_key;
    let token = has(&["token", "tokens", "tok"]) && has(&["auth", "account", "acct"]);
    if token || key_secret || (secret.is_some() && has(&["api", "apikey"])) {
        Role::Exact
    } else if plain && !secret_key {
        Role::Plain
    } else if weak || plain {
        Role::Weak
    } else {
        Role::None
    }
}

/// Compounds that hold a value: `defaultValue`, `string_value`.
const VALUE_HOLDERS: [[&str; 2]; 6] = [
    ["default", "value"],
    ["string", "value"],
    ["secret", "string"],
    ["initial", "value"],
    ["current", "value"],
    ["plain", "text"],
];

fn is_compound(words: &[String], list: &[[&str; 2]]) -> bool {
    list.iter().any(|pair| words.iter().map(String::as_str).eq(pair.iter().copied()))
}

/// Words that say what a thing is, and so do not tell one credential from another.
const ROLE_WORDS: [&str; 47] = [
    "auth",
    "token",
    "tokens",
    "tok",
    "secret",
    "secrets",
    "key",
    "keys",
    "api",
    "apikey",
    "sid",
    "sids",
    "account",
    "accounts",
    "acct",
    "acc",
    "ac",
    "sk",
    "user",
    "username",
    "password",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "login",
    "id",
    "credential",
    "credentials",
    "cred",
    "creds",
    "client",
    "const",
    "value",
    "val",
    "string",
    "str",
    "my",
    "the",
    "default",
    "process",
    "env",
    "self",
    "this",
    "config",
    "var",
    "setting",
];

fn is_stem(word: &str, known: Word) -> bool {
    known.class != Class::Twilio
        && !ROLE_WORDS.contains(&word)
        && !(known.wrapper && known.class == Class::Neutral)
}

/// Whether a name is that of a file: `vendor/AuthToken.php`, `twilio.js`.
fn is_file(rules: &Rules, text: &str) -> bool {
    let trimmed = text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    trimmed.rsplit_once('.').is_some_and(|(stem, ending)| {
        stem.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && rules.word(&ending.to_ascii_lowercase()).is_some_and(|word| word.file_ending)
    })
}

struct Part {
    text: String,
    starts_component: bool,
}

/// Cuts a name into lower-case words: at everything that is not a letter or digit, at changes of case, between
/// letters and digits, and where a run-together part is made of known words only.
fn split(rules: &Rules, text: &str) -> Vec<Part> {
    let bytes = text.as_bytes();
    let mut parts: Vec<Part> = Vec::new();
    let mut start = 0;
    let mut component = true;
    let mut flush = |from: usize, to: usize, component: &mut bool| {
        if from == to {
            return;
        }
        let chunk = text[from..to].to_lowercase();
        for word in known_words(rules, &chunk) {
            parts.push(Part { text: word, starts_component: std::mem::take(component) });
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !byte.is_ascii_alphanumeric() && byte < 0x80 {
            flush(start, at, &mut component);
            if matches!(byte, b'.' | b'/' | b'[' | b'(')
                || (byte == b':' && bytes.get(at + 1) == Some(&b':'))
                || byte == b'>'
            {
                component = true;
            }
            start = at + 1;
        } else if at > start {
            let previous = bytes[at - 1];
            let next = bytes.get(at + 1).copied().unwrap_or(b' ');
            let hump =
                byte.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit());
            // `SIDs` is one word: the plural of an acronym.
            let plural = next == b's' && !bytes.get(at + 2).is_some_and(u8::is_ascii_lowercase);
            let end_of_acronym = byte.is_ascii_uppercase()
                && previous.is_ascii_uppercase()
                && next.is_ascii_lowercase()
                && !plural;
            let digits = byte.is_ascii_digit()
                && previous.is_ascii_alphabetic()
                && !keeps_digits(rules, text, start, at);
            let letters = byte.is_ascii_alphabetic()
                && previous.is_ascii_digit()
                && !keeps_digits(rules, text, start, at);
            if hump || end_of_acronym || digits || (letters && byte.is_ascii_uppercase()) {
                flush(start, at, &mut component);
                start = at;
            }
        }
        at += 1;
    }
    flush(start, bytes.len(), &mut component);
    parts
}

/// Whether the digits at `at` belong to a known word (`md5`, `sha256`, `auth0`, `us1`).
fn keeps_digits(rules: &Rules, text: &str, start: usize, at: usize) -> bool {
    let rest = &text.as_bytes()[start..];
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let digits_end = text.as_bytes()[at..]
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .map_or(text.len(), |length| at + length);
    [start + end, digits_end].into_iter().any(|to| {
        to > at && text.get(start..to).is_some_and(|word| rules.word(&word.to_lowercase()).is_some())
    })
}

/// The fewest known words that a run-together chunk is made of, or the chunk itself; a brand's name is found even
/// where the rest is not known.
fn known_words(rules: &Rules, chunk: &str) -> Vec<String> {
    if chunk.len() < 4 || chunk.len() > 48 || rules.word(chunk).is_some() || !chunk.is_ascii() {
        return vec![chunk.to_owned()];
    }
    // best[i]: the fewest words that make up chunk[..i], with the start of the last of them.
    let mut best: Vec<Option<(usize, usize)>> = vec![None; chunk.len() + 1];
    best[0] = Some((0, 0));
    for end in 1..=chunk.len() {
        for start in end.saturating_sub(rules.longest_word())..end {
            let Some((count, _)) = best[start] else { continue };
            let word = &chunk[start..end];
            // Short words make up anything; only a few of them join others in practice.
            let fits = (word.len() >= 3
                && rules.word(word).is_some_and(|w| w.class != Class::Unknown || w.wrapper))
                || matches!(word, "my" | "tw" | "ac" | "sk" | "id")
                || (start > 0 && word.bytes().all(|b| b.is_ascii_digit()));
            if fits && best[end].is_none_or(|(fewest, _)| count + 1 < fewest) {
                best[end] = Some((count + 1, start));
            }
        }
    }
    if best[chunk.len()].is_some() {
        let mut words = Vec::new();
        let mut end = chunk.len();
        while end > 0 {
            let start = best[end].map_or(0, |(_, start)| start);
            words.push(chunk[start..end].to_owned());
            end = start;
        }
        words.reverse();
        return words;
    }
    for brand in ["twilio", "twillio"] {
        if let Some(at) = chunk.find(brand) {
            let mut words = Vec::new();
            for part in [&chunk[..at], brand, &chunk[at + brand.len()..]] {
                if !part.is_empty() {
                    words.extend(if part == brand {
                        vec![part.to_owned()]
                    } else {
                        known_words(rules, part)
                    });
                }
            }
            return words;
        }
    }
    vec![chunk.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(&Rules::built_in(), text).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn one_name_in_many_spellings_is_the_same_words() {
        for spelling in [
            "TWILIO_AUTH_TOKEN",
            "twilio.auth-token",
            "twilio.authToken",
            "Twilio__AuthToken",
            "twilio:AuthToken",
            "TwilioAuthToken",
            "twilioauthtoken",
            "TWILIOAUTHTOKEN",
            "twilio-auth-token",
            "twilioAUTHToken",
        ] {
            assert_eq!(words(spelling), ["twilio", "auth", "token"], "{spelling}");
        }
        assert_eq!(words("accountSIDs"), ["account", "sids"]);
        assert_eq!(words("md5sum"), ["md5sum"]);
        assert_eq!(words("auth0ClientSecret"), ["auth0", "client", "secret"]);
        assert_eq!(words("TOKEN_2"), ["token", "2"]);
        assert_eq!(words("token2"), ["token", "2"]);
    }

    #[test]
    fn a_name_says_what_it_says() {
        let rules = Rules::built_in();
        let read = |text: &str| Name::read(&rules, text);
        assert!(read("TWILIO_AUTH_TOKEN").twilio && read("TWILIO_AUTH_TOKEN").role == Role::Exact);
        assert!(read("authTokenMd5").innocent && read("SESSION_SECRET").other_purpose);
        assert_eq!(read("ROLLBAR_AUTH_TOKEN").vendor.as_deref(), Some("rollbar"));
        assert_eq!(read("ACMEPAY_AUTH_TOKEN").unknown, ["acmepay"]);
        assert_eq!(read("PROD_TWILIO_AUTH_TOKEN").stem, ["prod"]);
        assert_eq!(read("api_key_secret").role, Role::Exact);
        assert_eq!(read("SECRET_KEY").role, Role::Weak);
        assert!(read("String.valueOf").wrapper && read("os.environ.get").wrapper);
        assert!(!read("request.headers.auth_token").innocent_alone);
    }
}
