//! Which services the text around a value speaks of: on its line, above it, beside it, and in the object that it is a part of.

use std::ops::Range;
use std::rc::Rc;

use super::around::{Neighbourhood, is_named_brand};
use super::examination::Read;
use crate::detect::classify::{Label, Surroundings};
use crate::detect::context::Reader;
use crate::detect::lex::{Op, Token, TokenKind};
use crate::detect::name::{Name, Role};
use crate::detect::page::Page;
use crate::rules::Tag;

/// A longer word is a value, and no service's name, in bytes.
const LONGEST_SERVICE: usize = 30;
/// A long line is not about one thing: so far from a value it is read, in bytes.
const LINE_REACH: usize = 160;

/// What a service's name says that stands somewhere.
#[derive(Clone, Copy, Default)]
struct Spoken {
    brand: bool,
    vendor: bool,
}

/// What the object that a value is a part of calls itself.
pub(super) fn label(reader: &Reader<'_>, read: &Read, all: &Neighbourhood<'_>) -> Option<Label> {
    let labels = match &read.context.row {
        Some(row) => vec![Rc::clone(row)],
        None => reader.labels(read.token),
    };
    if labels.is_empty() {
        return None;
    }
    let holds_sid = || {
        if read.context.row.is_some() {
            return all.sids.iter().any(|&sid| all.reads[sid].context.line == read.context.line);
        }
        let own = read.context.levels.first().map(|level| level.id);
        all.sids.iter().any(|&sid| all.reads[sid].context.levels.first().map(|level| level.id) == own)
    };
    let is_unknown = |label: &Rc<Name>| !label.unknown.is_empty() && label.role == Role::None;
    // Where the SID's own object is called something unknown as well, it is the fields that are called so, and not services.
    let is_sid_labelled_alike = || {
        // SIDs are in order: the nearest is the one before or the one behind.
        let place = all.sids.partition_point(|&sid| all.reads[sid].token < read.token);
        let beside = all.sids[place.saturating_sub(1)..all.sids.len().min(place + 1)].iter();
        let nearest = beside.map(|&sid| &all.reads[sid]).min_by_key(|sid| sid.token.abs_diff(read.token));
        nearest.is_some_and(|sid| reader.labels(sid.token).iter().any(is_unknown))
    };
    if labels.iter().any(|label| label.brand) {
        Some(Label::Brand)
    } else if labels.iter().any(|label| label.vendor) {
        Some(Label::Vendor)
    } else {
        (labels.iter().any(is_unknown) && !holds_sid() && !all.sids.is_empty() && !is_sid_labelled_alike())
            .then_some(Label::Unknown)
    }
}

/// Whether the object that a value is a part of names a user that is neither a SID nor a variable; and one that is the name of a SID.
fn users(reader: &Reader<'_>, page: &Page<'_>, read: &Read) -> (bool, bool) {
    let (from, to) = reader.object(read.token);
    let line = page.line_range(read.context.line);
    // Of a list or section that is not known to be an object, the value's own line.
    let (from, to) = if page.parent(read.token).is_some() { (from, to) } else { (line.start, line.end) };
    let mut other = false;
    for at in from..to {
        if page.kind(at) != TokenKind::Word || page.parent(at) != page.parent(read.token) {
            continue;
        }
        let name = reader.name(page.slice(page.chain_start(at), at + 1));
        if !name.says(Tag::User) || name.says(Tag::Sid) || name.role != Role::None {
            continue;
        }
        let skip =
            |t: &usize| matches!(page.kind(*t), TokenKind::Quote | TokenKind::Op(Op::Colon | Op::Assign));
        match (at + 1..to.min(at + 6)).find(|t| !skip(t)).map(|t| (t, page.kind(t))) {
            Some((_, TokenKind::Value(_))) => return (false, false),
            Some((t, TokenKind::Word)) if is_account(&reader.name(page.slice(t, t + 1))) => {
                return (false, true);
            }
            Some((t, TokenKind::Word)) => other |= page.text[page.tokens[t].start] != b'$',
            _ => {}
        }
    }
    (other, false)
}

/// Whether a name is that of a SID: `account_sid`, `twilioAccount`.
fn is_account(name: &Name) -> bool {
    name.says(Tag::Sid) || (name.says(Tag::Account) && name.role == Role::None && !name.vendor)
}

/// Whether the SID that a value is tied to has a secret of its own by name, written here or not: `TWILIO_AUTH_TOKEN=` beside
/// `API_TOKEN=…`, `"twilio": {"sid": "AC…", "token": ""}` beside another's section.
pub(super) fn is_served(
    reader: &Reader<'_>,
    page: &Page<'_>,
    read: &Read,
    sid: usize,
    all: &Neighbourhood<'_>,
) -> bool {
    const LINES: usize = 12;
    /// What stands in one object so near to a SID is its own, whatever else the paragraph says, in lines.
    const BESIDE: usize = 3;
    if read.is_former() || is_named_brand(read) || read.used.names.iter().any(|named| named.name.brand) {
        return false;
    }
    let Some(sid) = all.sids.iter().map(|&index| &all.reads[index]).find(|other| other.candidate == sid)
    else {
        return false;
    };
    let own_role = read.context.informative().map_or(Role::None, |named| named.name.role);
    if own_role < Role::Exact && is_passed_on(read, sid) {
        return true;
    }
    let section = sid.context.levels.first().map(|level| level.id);
    let own_section = section.is_some() && section == read.context.levels.first().map(|level| level.id);
    let line = sid.context.line;
    let first = page.line_range(line.saturating_sub(LINES).max(sid.context.paragraph.0)).start;
    let last = page.line_range((line + LINES).min(sid.context.paragraph.1)).end;
    let parent = page.parent(sid.token);
    let is_beside = own_section && sid.context.line.abs_diff(read.context.line) <= BESIDE;
    if own_role < Role::Exact
        && !is_beside
        && (first..last).any(|token| is_looked_up_here(reader, page, token))
    {
        return true;
    }
    (first..last).any(|token| {
        if page.kind(token) != TokenKind::Word || page.parent(token) != parent {
            return false;
        }
        // `-u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN"`: a variable holds it.
        let is_assigned = page.is(token + 1, Op::Assign);
        if page.text[page.tokens[token].start] == b'$' && !is_assigned {
            let name = reader.name(page.slice(token, token + 1));
            return name.brand && name.role == Role::Exact;
        }
        let Some(sign) = (token + 1..(token + 3).min(last)).find(|&t| page.kind(t) != TokenKind::Quote)
        else {
            return false;
        };
        if !matches!(page.kind(sign), TokenKind::Op(Op::Assign | Op::Colon)) {
            return false;
        }
        let name = reader.name(page.slice(page.chain_start(token), token + 1));
        let is_secret = name.role >= Role::Plain && !name.vendor;
        // `credentials: { token: "…" }`: what the name holds may be an object with the value in it.
        let end = (sign + 1..(sign + 3).min(page.tokens.len()))
            .find_map(|t| page.partner(t).filter(|&close| close > t))
            .unwrap_or(sign + 4)
            .min(page.tokens.len());
        let is_own = (sign..end).contains(&read.token);
        // `RASA_TOKEN` beside a SID's own `AUTH_TOKEN` serves nothing.
        let fits = name.role >= own_role;
        // `auth_token = os.environ["AUTH"]`: the token is elsewhere, and `client_secret` beside it is somebody else's.
        let is_looked_up = name.role == Role::Exact
            && own_role < Role::Exact
            && page.line(token) == page.line(sign)
            && !page.holds_value(sign, end);
        is_secret && !is_own && (name.brand || is_looked_up || (section.is_some() && !own_section && fits))
    })
}

/// Whether a word is the name of Twilio's secret in a statement that holds no value: `read -s TWILIO_AUTH_TOKEN`,
/// `define('TWILIO_AUTH', getenv('TWILIO_AUTH'))`.
fn is_looked_up_here(reader: &Reader<'_>, page: &Page<'_>, token: usize) -> bool {
    if page.kind(token) != TokenKind::Word || is_in_file_name(page, token) {
        return false;
    }
    let name = reader.name(page.slice(token, token + 1));
    if !name.brand || name.role < Role::Plain || name.vendor || !is_identifier(page.slice(token, token + 1)) {
        return false;
    }
    let line = page.line(token);
    // A label may stand in the line above its value.
    let last = (line + 1).min(page.lines.len() - 1);
    let lines = page.line_range(line).start..page.line_range(last).end;
    !page.is_comment(line) && !page.holds_value(lines.start, lines.end)
}

/// Whether a word is written as identifiers are, and not as a sentence has it.
fn is_identifier(word: &str) -> bool {
    let is_capital = |letter: char| letter.is_ascii_uppercase();
    word.contains('_') || word.trim_start_matches('$').get(1..).is_some_and(|rest| rest.contains(is_capital))
}

/// Whether a SID is passed together with a variable or look-up that is not this value.
fn is_passed_on(read: &Read, sid: &Read) -> bool {
    let ident = read.context.ident.as_deref();
    !sid.partners.is_empty() && !sid.partners.iter().any(|partner| Some(partner.as_str()) == ident)
}

/// What its line says of a value: services, and words for Twilio's secrets, for digests and for cookies.
fn on_line(reader: &Reader<'_>, page: &Page<'_>, read: &Read, around: &mut Surroundings) {
    let line = page.line_range(read.context.line);
    let at = page.tokens[read.token].start;
    let own = &page.tokens[line.clone()];
    let from = line.start + own.partition_point(|token| token.start + LINE_REACH < at);
    let to = line.start + own.partition_point(|token| token.start <= at + LINE_REACH);
    let spoken = services(reader, page, from..to, Some(read.token));
    around.brand_on_line = spoken.brand;
    around.vendor_on_line = spoken.vendor;
    for token in (from..to).filter(|&token| page.kind(token) == TokenKind::Word) {
        let name = reader.name(page.slice(token, token + 1));
        around.cookie_on_line |= token < read.token && name.says(Tag::Cookie) && name.role == Role::None;
        if page.parent(token) == page.parent(read.token) {
            around.hash_on_line |= name.speaks_of(Tag::Hash);
            around.secret_on_line |= name.brand
                && (name.role >= Role::Plain || name.says(Tag::Secret))
                && !is_in_file_name(page, token)
                && !names_another(page, token, read.token);
        }
    }
}

/// Whether a word is the name of another value: `twilioToken: "…"`.
fn names_another(page: &Page<'_>, word: usize, value: usize) -> bool {
    let mut further = (word + 1..page.tokens.len()).filter(|&t| page.kind(t) != TokenKind::Quote);
    let is_sign = |t: usize| matches!(page.kind(t), TokenKind::Op(Op::Assign | Op::Colon));
    further.next().is_some_and(is_sign)
        && further.next().is_some_and(|t| t != value && matches!(page.kind(t), TokenKind::Value(_)))
}

/// Whether a word is a part of a file's name: `sms/twilio_auth.inc`.
fn is_in_file_name(page: &Page<'_>, word: usize) -> bool {
    let touches = |at: usize| page.tokens[at].end == page.tokens[at + 1].start;
    (page.is(word + 1, Op::Dot) && touches(word))
        || word.checked_sub(1).is_some_and(|before| page.is(before, Op::Slash) && touches(before))
}

/// Which services are spoken of on the line, above it, and in the statements before and after it.
pub(super) fn observe(reader: &Reader<'_>, page: &Page<'_>, read: &Read, around: &mut Surroundings) {
    on_line(reader, page, read, around);
    let line = read.context.line;
    let tokens = page.line_range(line);
    let (other_user, sid_user) = users(reader, page, read);
    around.other_user = other_user;
    around.sid_is_user |= sid_user;
    let above = above(reader, page, read);
    around.brand_above = above.brand;
    around.vendor_above = above.vendor;
    let (first, last) = read.context.paragraph;
    let before = line.checked_sub(1).filter(|&before| before >= first);
    let after = Some(line + 1).filter(|&after| after <= last);
    let is_sibling = |neighbour: &usize| {
        let first = page.line_range(*neighbour).start;
        page.lines[*neighbour].indent == page.lines[line].indent
            && page.tokens.get(first).is_some_and(|_| page.parent(first) == page.parent(tokens.start))
    };
    for neighbour in before.into_iter().chain(after).filter(is_sibling) {
        let range = page.line_range(neighbour);
        let spoken = services(reader, page, range.start..range.end.min(range.start + 24), None);
        around.brand_in_neighbour |= spoken.brand;
        around.vendor_in_neighbour |= spoken.vendor && !spoken.brand;
    }
}

/// Which services these tokens name; of a value's own line only what stands in the same brackets as the value.
fn services(reader: &Reader<'_>, page: &Page<'_>, tokens: Range<usize>, beside: Option<usize>) -> Spoken {
    let mut spoken = Spoken::default();
    for token in tokens {
        if beside.is_some_and(|value| page.parent(value) != page.parent(token)) {
            continue;
        }
        let span = &page.tokens[token];
        if span.kind == TokenKind::Word && span.end - span.start <= LONGEST_SERVICE {
            let name = reader.name(page.slice(token, token + 1));
            spoken.brand |= name.brand;
            spoken.vendor |= name.vendor && !name.vendor_is_common;
        }
    }
    spoken
}

/// Which service the nearest comment or heading above a value speaks of.
fn above(reader: &Reader<'_>, page: &Page<'_>, read: &Read) -> Spoken {
    const COMMENTS: usize = 10;
    const HEADINGS: usize = 6;
    let line = read.context.line;
    let first = read.context.paragraph.0.max(line.saturating_sub(COMMENTS));
    for near in (first..line).rev() {
        let range = page.line_range(near);
        let is_statement = || {
            let marks = |t: &Token| {
                matches!(t.kind, TokenKind::Quote | TokenKind::Op(Op::Assign | Op::Colon | Op::Semicolon))
            };
            page.tokens[range.clone()].iter().any(marks)
        };
        if !page.is_comment(near) && (line - near > HEADINGS || is_statement()) {
            continue;
        }
        let spoken = services(reader, page, range.start..range.end.min(range.start + 40), None);
        if spoken.brand || spoken.vendor {
            return Spoken { vendor: spoken.vendor && !spoken.brand, ..spoken };
        }
    }
    Spoken::default()
}
