//! What stands around a value: SIDs, what the text says of Twilio, and other services.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::examination::{Examination, Read};
use super::headings::{self, SidHeadings};
use super::{FAR, services};
use crate::detect::candidate::{Candidate, Shape};
use crate::detect::classify::{SidTie, Surroundings};
use crate::detect::context::{Level, Named, Reader, Relation};
use crate::detect::lex::{Op, TokenKind};
use crate::detect::name::{Name, Role};
use crate::detect::page::Page;
use crate::detect::runs::Span;
use crate::rules::Tag;

/// How many SIDs on each side of a value can matter.
const NEIGHBOURS: usize = 16;
/// What the values of one page have to do with each other.
pub(super) struct Neighbourhood<'b> {
    pub(super) reads: &'b [Read],
    /// The SIDs among them, in order.
    pub(super) sids: Vec<usize>,
    /// How many values of a shape a line holds.
    pub(super) on_line: HashMap<(usize, Shape), usize>,
    /// The values of a shape in one section whose names say nothing of a secret.
    pub(super) nameless: HashMap<(usize, Shape), Nameless>,
    /// Under which headings the SIDs stand, once a value asks.
    pub(super) headed: OnceCell<SidHeadings>,
}

/// Values whose names say nothing of a secret.
#[derive(Clone, Copy, Default)]
pub(super) struct Nameless {
    values: usize,
    /// Values beside them whose names say that they are digests or parts of something encrypted.
    hashes: usize,
    /// Those of them that have the name of a SID, and are none.
    sids: usize,
}

impl<'b> Neighbourhood<'b> {
    pub(super) fn of(examination: &Examination<'_>, reads: &'b [Read]) -> Self {
        let mut on_line: HashMap<(usize, Shape), usize> = HashMap::new();
        let mut nameless: HashMap<(usize, Shape), Nameless> = HashMap::new();
        for read in reads {
            let shape = examination.shape(read);
            *on_line.entry((read.context.line, shape)).or_default() += 1;
            if is_nameless(read) {
                let among = nameless.entry((group(read), shape)).or_default();
                among.values += 1;
                among.sids += usize::from(is_named_sid(read));
            }
            if own_name(read).is_some_and(|named| named.name.says(Tag::Hash)) {
                // `{"iv": …, "content": …}` is one encrypted value.
                nameless.entry((group(read), shape)).or_default().hashes += 1;
            }
        }
        let sids = (0..reads.len()).filter(|&read| examination.shape(&reads[read]).is_sid()).collect();
        Self { reads, sids, on_line, nameless, headed: OnceCell::new() }
    }
}

/// What values stand in together: their innermost section, or their paragraph.
fn group(read: &Read) -> usize {
    read.context.levels.first().map_or(usize::MAX - read.context.paragraph.0, |level| level.id)
}

/// Whether a value has a name, which says nothing of a secret.
fn is_nameless(read: &Read) -> bool {
    own_name(read).is_some_and(|named| {
        let is_blank = named.name.role == Role::None && !named.name.value_holder;
        is_blank && (!named.name.brand || named.name.says(Tag::Sid))
    })
}

fn is_named_sid(read: &Read) -> bool {
    own_name(read).is_some_and(|named| named.name.says(Tag::Sid))
}

/// The name that is the value's own, if it has one.
fn own_name(read: &Read) -> Option<&Named> {
    read.context.names.iter().find(|named| named.relation.is_own())
}

impl Examination<'_> {
    /// What stands around a value, and which SID it is tied to.
    pub(super) fn surroundings(
        &self,
        reader: &Reader<'_>,
        page: &Page<'_>,
        read: &Read,
        all: &Neighbourhood<'_>,
    ) -> (Surroundings, Option<usize>) {
        let candidate = &self.candidates[read.candidate];
        let mut around = Surroundings { path_brand: self.path_brand, ..Surroundings::default() };
        around.mention_bytes = self.nearest_mention(&candidate.span);
        if candidate.shape.is_sid() {
            return (around, None);
        }
        around.hash_file = self.hash_file;
        around.crowded =
            all.on_line.get(&(read.context.line, candidate.shape)).is_some_and(|&number| number > 2);
        let siblings = all.nameless.get(&(group(read), candidate.shape));
        around.hash_siblings = siblings.is_some_and(|among| {
            let itself = is_nameless(read);
            (among.hashes > 0 && itself && !read.context.levels.is_empty())
                || among.sids > usize::from(itself && is_named_sid(read))
                // Of `tokens: {us: …, eu: …}` the section says what they are.
                || (among.values - usize::from(itself) >= 2 && !names_secrets(read))
        });
        let tied = self.tie(page, read, all, &mut around);
        around.unknown_section =
            self.is_in_unknown_section(read, all) || headings::is_under_another(reader, page, read, all);
        around.query_of_other = self.is_query_of_other(read);
        services::observe(reader, page, read, &mut around);
        around.label = services::label(reader, read, all);
        around.sid_served = tied.is_some_and(|sid| services::is_served(reader, page, read, sid, all));
        self.write(page, read, &mut around);
        (around, tied)
    }

    /// The closest tie to a SID.
    fn tie(
        &self,
        page: &Page<'_>,
        read: &Read,
        all: &Neighbourhood<'_>,
        around: &mut Surroundings,
    ) -> Option<usize> {
        let shape = self.candidates[read.candidate].shape;
        let partner = if shape == Shape::Hex32 { Shape::AccountSid } else { Shape::KeySid };
        let is_partner = |index: &usize| {
            self.candidates[*index].shape == partner && self.candidates[*index].password().is_none()
        };
        let mut closest: Option<(SidTie, u64, usize)> = None;
        let mut tie = |tie: SidTie, lines: u64, sid: usize| {
            if closest.is_none_or(|(other, distance, _)| (tie, lines) < (other, distance)) {
                closest = Some((tie, lines, sid));
            }
        };
        if let Some(sid) = read.context.after_value.filter(is_partner) {
            tie(SidTie::Before, 0, sid);
        } else if let Some(sid) = read.used_after.filter(|&sid| self.candidates[sid].shape == partner) {
            tie(SidTie::ByUse, 0, sid);
        } else if let Some((after, sid)) = value_after(page, read.token).filter(|(_, sid)| is_partner(sid))
            && (read.context.list.is_some() || page.line(after) == page.line(read.token))
        {
            tie(SidTie::After, 0, sid);
        }
        let place = all.sids.partition_point(|&sid| all.reads[sid].token < read.token);
        let own = own_name(read).or_else(|| read.context.informative());
        for &sid in &all.sids[place.saturating_sub(NEIGHBOURS)..(place + NEIGHBOURS).min(all.sids.len())] {
            let other = &all.reads[sid];
            let lines = other.context.line.abs_diff(read.context.line) as u64;
            let right = self.shape(other) == partner;
            if !right && (partner == Shape::AccountSid || self.shape(other) != Shape::AccountSid) {
                continue;
            }
            // Each line of a log is a statement of its own.
            let is_apart = read.context.is_logged && lines > 0 && !(read.is_said && other.is_said);
            let together = if right && !is_apart { together(read, other, lines) } else { None };
            let in_block = together == Some(SidTie::Block);
            let sid_name = other.context.names.first().map(|named| &named.name);
            let alike = own.zip(sid_name).is_some_and(|(own, sid)| {
                let same_stem =
                    own.name.stem == sid.stem && (!sid.stem.is_empty() || (own.name.brand && sid.brand));
                same_stem || is_next_name(&sid.text, &own.name.text)
            });
            around.namesake |= in_block && alike;
            let sid_brand = other.context.names.iter().map(|named| &named.name).find(|name| name.brand);
            around.bare_among_branded |= in_block && sid_brand.is_some_and(|sid| is_bare(own, sid));
            tie(
                match (together, lines) {
                    (Some(SidTie::Block), _) if alike => SidTie::Namesake,
                    (Some(SidTie::Sibling) | None, 0..=40)
                        if right && names_secrets(read) && is_of_one_key(own, other) =>
                    {
                        SidTie::Namesake
                    }
                    (Some(together), _) => together,
                    // The next line of a log speaks of something else.
                    (None, 1..=40) if read.context.is_logged => SidTie::Around,
                    (None, 0..=2) => SidTie::OnLine,
                    (None, 3..=12) => SidTie::Near,
                    (None, 13..=40) => SidTie::Around,
                    (None, _) => SidTie::InText,
                },
                lines,
                other.candidate,
            );
        }
        around.sid_is_user = closest.is_some_and(|(.., sid)| {
            let names = all.sids.iter().map(|&at| &all.reads[at]).find(|other| other.candidate == sid);
            names.and_then(own_name).is_some_and(|named| named.name.says(Tag::User))
        });
        around.sid = closest.map(|(tie, ..)| tie);
        closest.map(|(.., sid)| sid)
    }

    fn nearest_mention(&self, span: &Span) -> Option<usize> {
        let place = self.mentions.partition_point(|&at| at < span.start);
        let before = place.checked_sub(1).map(|p| span.start - self.mentions[p]);
        let after = self.mentions.get(place).map(|&at| at.saturating_sub(span.end));
        before.into_iter().chain(after).min().filter(|&distance| distance <= FAR)
    }

    /// Whether its own section is called something that nothing is known of, no SID stands in it, and Twilio's things stand
    /// elsewhere.
    fn is_in_unknown_section(&self, read: &Read, all: &Neighbourhood<'_>) -> bool {
        let is_called = |level: &&Level| level.is_key && !level.head.words.is_empty();
        let Some(own) = read.context.levels.iter().find(is_called) else { return false };
        if own.head.unknown.is_empty() || own.head.brand || own.head.role != Role::None {
            return false;
        }
        let holds_sid =
            all.sids.iter().any(|&sid| all.reads[sid].context.levels.iter().any(|level| level.id == own.id));
        !(holds_sid || (all.sids.is_empty() && self.mentions.is_empty()))
    }

    /// Whether it is a parameter of an address that is not Twilio's: `https://shop.example/index.php?token=…`. Behind a SID it may be
    /// the SID's secret all the same.
    fn is_query_of_other(&self, read: &Read) -> bool {
        const LONGEST_ADDRESS: usize = 400;
        let value = &self.candidates[read.candidate].span;
        let before = &self.text[value.start.saturating_sub(LONGEST_ADDRESS)..value.start];
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>()".contains(byte);
        let address = &before[before.iter().rposition(is_end).map_or(0, |end| end + 1)..];
        // `route=a/b&token=…`: the rest of an address.
        let Some(question) = memchr::memchr(b'?', address).or_else(|| is_query(address).then_some(0)) else {
            return false;
        };
        let name_at = memchr::memrchr2(b'?', b'&', address).unwrap_or(question) + 1;
        let is_parameter = address.ends_with(b"=")
            && address[name_at..address.len() - 1]
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(byte));
        let (place, query) = address.split_at(question);
        let host = match memchr::memmem::find(place, b"://") {
            Some(at) => &place[at + 3..],
            None if place.is_empty() || place.starts_with(b"/") || place.contains(&b'.') => b"",
            None => return false,
        };
        let host = host.split(|byte| *byte == b'/').next().unwrap_or_default();
        // Candidates are in order, so that only those within the address are looked at.
        let within = |other: &&Candidate| other.span.start + query.len() > value.start;
        let has_sid = || {
            self.candidates[..read.candidate]
                .iter()
                .rev()
                .take_while(within)
                .any(|other| other.shape.is_sid())
        };
        is_parameter && !has_sid() && !super::speaks(self.rules, host)
    }

    /// How the value is written: as an identifier of a program, in a longer word, without quotes.
    fn write(&self, page: &Page<'_>, read: &Read, around: &mut Surroundings) {
        let shape = self.candidates[read.candidate].shape;
        let token = &page.tokens[read.token];
        let before = read.token.checked_sub(1).map(|before| (before, &page.tokens[before]));
        let after = page.tokens.get(read.token + 1).filter(|after| after.start == token.end);
        // `"value": …`
        let is_quote = |at: usize| page.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Quote);
        let is_quoted = read.token.checked_sub(1).is_some_and(is_quote) && is_quote(read.token + 1);
        around.is_key = is_quoted
            && read.token >= 2
            && matches!(
                page.kind(read.token - 2),
                TokenKind::Open(b'{') | TokenKind::Op(Op::Comma) | TokenKind::Line(_)
            )
            && page.is(read.token + 2, Op::Colon);
        let byte = |at: Option<usize>| at.and_then(|at| self.text.get(at)).copied().unwrap_or(b' ');
        let joins = |byte: u8| matches!(byte, b'_' | b'-');
        if shape != Shape::Hex32 {
            let is_member = |token: &crate::detect::lex::Token| {
                matches!(token.kind, TokenKind::Op(Op::Dot | Op::Scope | Op::Arrow | Op::Other(b'!')))
            };
            let touching = before.filter(|(_, before)| before.end == token.start);
            let declared = before.is_some_and(|(at, before)| {
                before.kind == TokenKind::Word
                    && before.end != token.start
                    && self.rules.word(&page.slice(at, at + 1).to_lowercase()).is(Tag::Keyword)
            });
            around.invoked = after.is_some_and(|after| {
                matches!(after.kind, TokenKind::Open(b'(' | b'{' | b'[')) || is_member(after)
            }) || touching.is_some_and(|(_, before)| is_member(before))
                || declared;
            let quoted = before.is_some_and(|(_, before)| matches!(before.kind, TokenKind::Quote));
            // `x = y;` is a statement whatever the file is called.
            let statement =
                self.text.get(token.end) == Some(&b';') && byte(token.start.checked_sub(1)) == b' ';
            around.unquoted = !quoted && (self.is_code || statement) && !page.is_comment(read.context.line);
        }
        around.part_of_word = (joins(byte(token.start.checked_sub(1)))
            && byte(token.start.checked_sub(2)).is_ascii_alphanumeric())
            || (joins(byte(Some(token.end))) && byte(Some(token.end + 1)).is_ascii_alphanumeric());
        if around.part_of_word
            && let Some((at, before)) = before
            && before.end == token.start
        {
            // `token_…` and `SK…_…` are a name and its value.
            let is_named = before.kind == TokenKind::Word && {
                let name = Name::read(self.rules, page.slice(at, at + 1));
                name.role != Role::None || name.brand
            };
            around.part_of_word = !is_named && !matches!(before.kind, TokenKind::Value(_));
        }
    }
}

/// Forgets who said a value in a conversation: of `Ada: AC…` and `Ada: 3f…` right below it the name is nobody's but the speaker's.
pub(super) fn forget_speakers(examination: &Examination<'_>, reads: &mut [Read]) {
    /// Whoever tells both does so in a row, in lines.
    const NEAR: usize = 3;
    let said = |read: &Read| {
        let speaker = read.context.names.first().filter(|_| read.context.is_logged)?;
        Some((read.context.line, speaker.name.text.clone(), examination.shape(read).is_sid()))
    };
    let all: Vec<_> = reads.iter().map(said).collect();
    for at in 0..reads.len() {
        let Some((line, speaker, is_sid)) = &all[at] else { continue };
        let around = at.saturating_sub(NEAR)..all.len().min(at + NEAR + 1);
        let is_same = all[around].iter().flatten().any(|(other_line, other, other_is_sid)| {
            other == speaker && other_is_sid != is_sid && (1..=NEAR).contains(&other_line.abs_diff(*line))
        });
        if is_same {
            reads[at].context.names.retain(|named| named.name.text != *speaker);
            reads[at].is_said = true;
        }
    }
}

/// Whether it begins as the query of an address does: `name=…&`.
fn is_query(text: &[u8]) -> bool {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    name > 0 && text.get(name) == Some(&b'=') && text.contains(&b'&')
}

/// Whether its section says that its values are secrets.
fn names_secrets(read: &Read) -> bool {
    read.context.levels.first().is_some_and(Level::names_secrets)
}

/// Whether a value and a SID have one key in maps side by side: `sids.us` and `tokens.us`.
fn is_of_one_key(own: Option<&Named>, sid: &Read) -> bool {
    let key = |named: &Named| {
        named.relation == Relation::Key && named.name.role == Role::None && !named.name.value_holder
    };
    own.filter(|own| key(own)).zip(own_name(sid)).is_some_and(|(own, sid)| own.name.text == sid.name.text)
}

/// Whether a name is the next after another: `K1` and `K2`, `A` and `B`.
fn is_next_name(name: &str, next: &str) -> bool {
    match (name.as_bytes().split_last(), next.as_bytes().split_last()) {
        (Some((&last, stem)), Some((&next, other))) => {
            stem == other && last.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() && next == last + 1
        }
        _ => false,
    }
}

/// Whether a name stands bare among names that say Twilio: `TOKEN` and `SECRET_KEY` beside `TWILIO_ACCOUNT_SID` in an environment
/// file are somebody else's, and so is the password in the row of a user that has a `twilio_sid`.
fn is_bare(own: Option<&Named>, sid: &Name) -> bool {
    let Some(own) = own.filter(|own| sid.brand && !own.name.brand && own.name.role < Role::Exact) else {
        return false;
    };
    let is_capitals = |text: &str| !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    is_capitals(&own.name.text) || own.relation == Relation::Column || own.name.says(Tag::Password)
}

/// Whether a value and a SID stand together: in one section or one paragraph of plain lines, or in sections side by side.
fn together(read: &Read, sid: &Read, lines: u64) -> Option<SidTie> {
    let (a, b) = (&read.context.levels, &sid.context.levels);
    if a.is_empty() && b.is_empty() {
        return (lines <= 12 && read.context.paragraph == sid.context.paragraph).then_some(SidTie::Block);
    }
    let depths =
        a.iter().take(2).enumerate().filter_map(|(depth, level)| {
            Some((depth, b.iter().take(3).position(|other| other.id == level.id)?))
        });
    let (own, its) = depths.min_by_key(|(own, its)| own + its).filter(|_| lines <= 40)?;
    Some(if own == 0 || its == 0 { SidTie::Block } else { SidTie::Sibling })
}

/// The candidate that stands right after a value, with only quotes and a separator between, and its token.
fn value_after(page: &Page<'_>, token: usize) -> Option<(usize, usize)> {
    let mut separators = 0;
    for next in token + 1..page.tokens.len().min(token + 8) {
        match page.kind(next) {
            TokenKind::Value(value) => return Some((next, value)),
            TokenKind::Quote | TokenKind::Line(_) => {}
            TokenKind::Op(Op::Comma) if separators == 0 => separators += 1,
            _ => return None,
        }
    }
    None
}

pub(super) fn is_named_brand(read: &Read) -> bool {
    read.context.names.iter().any(|named| named.name.brand)
}
