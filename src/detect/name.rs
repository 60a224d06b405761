//! What a name says about the value that bears it: `TWILIO_AUTH_TOKEN`, `twilio.authToken`, `Twilio__AuthToken`
//! and `twilioauthtoken` are cut into the same words, and the vocabulary says what each word means.

use crate::rules::{Rules, Tag, Word};

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
    /// What the words of its last component say, together.
    said: Word,
    /// What the words of all its components say, together.
    spoken: Word,
    /// It says Twilio.
    pub brand: bool,
    /// It says another service.
    pub vendor: bool,
    /// The other service's name is an ordinary word.
    pub vendor_is_common: bool,
    /// It is the name of a file.
    pub file: bool,
    /// Words that say nothing that is known, and may be anything: another service's name, a customer's.
    pub unknown: Vec<String>,
    /// What tells this credential from its siblings: the words that are neither Twilio's nor a role.
    pub stem: Vec<String>,
    /// It is the name of a part of the program, whose own secret this is: `APP_SECRET`, `VERIFY_TOKEN`.
    pub part: bool,
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
        let parts = split(rules, text);
        let words: Vec<(&str, Word)> =
            parts.iter().map(|part| (part.text.as_str(), rules.word(&part.text))).collect();
        let mut name = Self { text: text.to_owned(), file: is_file(rules, text), ..Self::default() };
        let last_component = parts.iter().rposition(|part| part.starts_component).unwrap_or(0);
        let (mut plain, mut weak) = (false, false);
        for (index, &(word, known)) in words.iter().enumerate() {
            let last = index >= last_component;
            name.brand |= known.is(Tag::Brand);
            name.spoken = name.spoken.and(known);
            // The last that is named is the nearest: `SUPABASE_TWILIO_AUTH_TOKEN` is Twilio's, `TWILIO_GITHUB_TOKEN` is not.
            if known.is(Tag::Brand) {
                (name.vendor, name.vendor_is_common) = (false, false);
            } else if known.is_any(&[Tag::Vendor, Tag::CommonVendor]) {
                name.vendor = true;
                name.vendor_is_common = known.is(Tag::CommonVendor);
            }
            if last || index + 3 > last_component {
                plain |= known.is_any(&PLAIN);
                weak |= known.is_any(&[Tag::Key, Tag::Scheme]);
            }
            if last {
                name.said = name.said.and(known);
                if known.is_unknown() && !word.bytes().all(|b| b.is_ascii_digit()) {
                    name.unknown.push(word.to_owned());
                }
                name.words.push(word.to_owned());
            }
            if is_stem(known) {
                name.stem.push(word.to_owned());
            }
        }
        name.role = role(&words, plain, weak);
        name.part = words[last_component.min(words.len())..]
            .windows(2)
            .any(|pair| pair[0].1.is(Tag::Part) && pair[1].1.is_any(&[Tag::Secret, Tag::Key, Tag::Token]));
        let each = |tag: Tag| {
            let mut last = words.iter().skip(last_component).peekable();
            last.peek().is_some() && last.all(|(_, word)| word.is(tag))
        };
        let last = &words[last_component.min(words.len())..];
        name.value_holder = each(Tag::ValueHolder) || is_compound(last, Tag::ValueHolder);
        name.name_holder = each(Tag::NameHolder) || is_compound(last, Tag::NameHolder);
        name.wrapper = !words.is_empty() && words.iter().all(|(_, word)| word.is(Tag::Wrapper));
        name
    }

    /// Whether one of its last component's words says this.
    #[must_use]
    pub fn says(&self, tag: Tag) -> bool {
        self.said.is(tag)
    }

    /// Whether one of all its components' words says this: `expect(md5(x)).toBe`.
    #[must_use]
    pub fn speaks_of(&self, tag: Tag) -> bool {
        self.spoken.is(tag)
    }

    /// Whether it is one word, and that says this.
    #[must_use]
    pub fn is_one_word(&self, tag: Tag) -> bool {
        self.words.len() == 1 && self.said.is(tag)
    }

    /// Whether it says that the value is no credential: a digest, something encrypted, an identifier, a file.
    #[must_use]
    pub fn is_innocent(&self) -> bool {
        self.file || self.said.is_any(&[Tag::Hash, Tag::Identifier])
    }

    /// Whether anything in it speaks for or against the value.
    #[must_use]
    pub fn is_informative(&self) -> bool {
        self.role != Role::None
            || self.brand
            || self.vendor
            || self.is_innocent()
            || self.said.is_any(&[Tag::Thing, Tag::Purpose])
    }
}

/// What says plainly that a value is a secret.
const PLAIN: [Tag; 6] = [Tag::Token, Tag::Secret, Tag::Password, Tag::Auth, Tag::Credential, Tag::Validator];

/// What a name's words say of the value, given whether one of them is plainly or weakly a secret's.
fn role(words: &[(&str, Word)], plain: bool, weak: bool) -> Role {
    let place = |tag: Tag| words.iter().position(|(_, word)| word.is(tag));
    let (secret, key, api) = (place(Tag::Secret), place(Tag::Key), place(Tag::Api));
    // `key secret` is Twilio's term, `secret key` is everybody's.
    let secret_key = match (secret, key) {
        (Some(secret), Some(key)) => secret < key && !words[key].1.is(Tag::Api),
        _ => false,
    };
    let token =
        place(Tag::Token).is_some() && words.iter().any(|(_, word)| word.is_any(&[Tag::Auth, Tag::Account]));
    if token || (secret.is_some() && (api.is_some() || (key.is_some() && !secret_key))) {
        Role::Exact
    } else if plain && !secret_key {
        Role::Plain
    } else if weak || plain {
        Role::Weak
    } else {
        Role::None
    }
}

/// Words of which the last names a place that holds a value or a name, and the others say nothing of whose: `option_value`,
/// `secretString`, `meta_key`.
fn is_compound(words: &[(&str, Word)], holder: Tag) -> bool {
    const BEFORE: [Tag; 5] = [Tag::ValueHolder, Tag::NameHolder, Tag::Wrapper, Tag::Neutral, Tag::Meta];
    match words {
        [before @ .., (_, last)] if !before.is_empty() => {
            let is_filler =
                |word: &Word| word.is_any(&BEFORE) && !word.is_any(&[Tag::Brand, Tag::Api, Tag::Account]);
            let is_secret = |word: &Word| holder == Tag::ValueHolder && word.is(Tag::Secret);
            last.is(holder) && before.iter().all(|(_, word)| is_filler(word) || is_secret(word))
        }
        _ => false,
    }
}

fn is_stem(word: Word) -> bool {
    !(word.is_any(&[Tag::Brand, Tag::Role, Tag::ValueHolder])
        || (word.is(Tag::Wrapper) && word.is(Tag::Neutral)))
}

/// Whether a name is that of a file: `vendor/AuthToken.php`, `twilio.js`, with a version behind it as in `twilio.js?v`.
fn is_file(rules: &Rules, text: &str) -> bool {
    const LONGEST_VERSION: usize = 8;
    let path = match text.split_once('?') {
        Some((path, query)) if query.len() <= LONGEST_VERSION => path,
        _ => text,
    };
    let trimmed = path.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    trimmed.rsplit_once('.').is_some_and(|(stem, ending)| {
        stem.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && rules.word(&ending.to_ascii_lowercase()).is(Tag::FileEnding)
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
        // A brand of one's own is one word however it is written: `NotifyHubToken`.
        if at == start
            && let Some(brand) = rules.own_brands().iter().find(|brand| {
                bytes
                    .get(at..at + brand.len())
                    .is_some_and(|part| part.eq_ignore_ascii_case(brand.as_bytes()))
            })
        {
            flush(at, at + brand.len(), &mut component);
            at += brand.len();
            start = at;
            continue;
        }
        // `ETag` is a word, whatever its capitals say.
        if at == start && byte.is_ascii_alphabetic() {
            let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if length <= rules.longest_word()
                && bytes.get(at + length).is_none_or(u8::is_ascii)
                && rules.word(&text[at..at + length].to_ascii_lowercase()) != Word::UNKNOWN
            {
                flush(at, at + length, &mut component);
                at += length;
                start = at;
                continue;
            }
        }
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
        to > at && text.get(start..to).is_some_and(|word| rules.word(&word.to_lowercase()) != Word::UNKNOWN)
    })
}

/// The fewest known words that a run-together chunk is made of, or the chunk itself; a brand's name is found even
/// where the rest is not known.
fn known_words(rules: &Rules, chunk: &str) -> Vec<String> {
    if !chunk.is_ascii() {
        return foreign_words(rules, chunk);
    }
    if chunk.len() < 4 || chunk.len() > 48 || rules.word(chunk) != Word::UNKNOWN {
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
            let fits = (word.len() >= 3 && !rules.word(word).is_unknown())
                || rules.word(word).is(Tag::Glue)
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
    if let Some((at, brand)) = brand_in(rules, chunk.as_bytes()) {
        let around = |part: &str| if part.is_empty() { Vec::new() } else { known_words(rules, part) };
        let mut words = around(&chunk[..at]);
        words.push(brand.to_owned());
        words.extend(around(&chunk[at + brand.len()..]));
        return words;
    }
    vec![chunk.to_owned()]
}

/// The longest brand that stands in a chunk, and where. Chunks are short, and few of their letters begin a brand.
fn brand_in<'r>(rules: &'r Rules, chunk: &[u8]) -> Option<(usize, &'r str)> {
    let own = rules.own_brands().iter().map(String::as_str);
    let brands = || rules.mentions().iter().copied().chain(own.clone());
    let begins = |at: usize| brands().filter(move |brand| chunk[at..].starts_with(brand.as_bytes()));
    let starts = (0..chunk.len()).filter(|&at| rules.begins_brand(chunk[at]));
    starts
        .flat_map(|at| begins(at).map(move |brand| (at, brand)))
        .max_by_key(|&(at, brand)| (brand.len(), usize::MAX - at))
}

/// The words of a chunk in a script without capitals or spaces: known ones are found wherever they stand in it.
fn foreign_words(rules: &Rules, chunk: &str) -> Vec<String> {
    /// A single character of such a script is a word seldom.
    const SHORTEST: usize = 6;
    let mut words = Vec::new();
    let mut unknown = 0;
    let mut at = 0;
    while at < chunk.len() {
        let ends = (at + SHORTEST..=chunk.len().min(at + rules.longest_word())).rev();
        let known = ends.filter_map(|end| chunk.get(at..end)).find(|word| rules.word(word) != Word::UNKNOWN);
        let step = known.map_or_else(|| chunk[at..].chars().next().map_or(1, char::len_utf8), str::len);
        if let Some(known) = known {
            if unknown < at {
                words.push(chunk[unknown..at].to_owned());
            }
            words.push(known.to_owned());
            unknown = at + step;
        }
        at += step;
    }
    if unknown < chunk.len() {
        words.push(chunk[unknown..].to_owned());
    }
    words
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
        assert!(read("TWILIO_AUTH_TOKEN").brand && read("TWILIO_AUTH_TOKEN").role == Role::Exact);
        assert!(read("authTokenMd5").is_innocent() && read("SESSION_SECRET").says(Tag::Purpose));
        assert!(read("ROLLBAR_AUTH_TOKEN").vendor);
        assert_eq!(read("ACMEPAY_AUTH_TOKEN").unknown, ["acmepay"]);
        assert_eq!(read("PROD_TWILIO_AUTH_TOKEN").stem, ["prod"]);
        assert_eq!(read("api_key_secret").role, Role::Exact);
        assert_eq!(read("SECRET_KEY").role, Role::Weak);
        assert!(read("String.valueOf").wrapper && read("os.environ.get").wrapper);
        assert!(!read("request.headers.auth_token").says(Tag::Thing));
    }
}
