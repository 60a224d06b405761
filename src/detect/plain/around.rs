//! What stands around a value: SIDs, what the text says of Twilio, and other services.

use std::collections::HashMap;

use super::FAR;
use super::examination::{Examination, Read};
use crate::detect::candidate::Shape;
use crate::detect::context::{Context, Reader};
use crate::detect::judge::{self, SidName, Surroundings};
use crate::detect::lex::{Op, TokenKind};
use crate::detect::page::Page;
use crate::detect::runs::Span;

impl Examination<'_> {
    pub(super) fn surroundings<'b>(
        &self,
        reader: &Reader<'_>,
        page: &Page<'_>,
        read: &'b Read,
        reads: &'b [Read],
        sids: &[usize],
        crowd: &HashMap<(usize, Shape), usize>,
    ) -> Surroundings<'b> {
        let candidate = &self.candidates[read.candidate];
        let mut around = Surroundings { path_twilio: self.path_twilio, ..Surroundings::default() };
        around.mention_bytes = self.nearest_mention(&candidate.span);
        if candidate.shape.is_sid() {
            return around;
        }
        around.hash_file = judge::is_hash_file(self.path);
        let partner = if candidate.shape == Shape::Hex32 { Shape::AccountSid } else { Shape::KeySid };
        let is_partner = |index: usize| {
            self.candidates[index].shape == partner && self.candidates[index].password().is_none()
        };
        if read.context.after_value.is_some_and(is_partner) {
            around.sid_beside = Some(if partner == Shape::AccountSid {
                "stands right after an Account SID"
            } else {
                "stands right after a key SID"
            });
        } else if value_after(page, read.token).is_some_and(is_partner) && read.context.list.is_some() {
            around.sid_beside = Some("stands right before its SID");
        } else if read.used_after.is_some_and(|sid| self.candidates[sid].shape == partner) {
            around.sid_beside = Some("its variable is used right after that of a SID");
            around.sid_by_use = true;
        }
        around.crowded = crowd.get(&(read.context.line, candidate.shape)).is_some_and(|&number| number > 2);
        let mut nearest: Option<(u64, &Read)> = None;
        // SIDs are in order: only the nearest few on each side can matter.
        let place = sids.partition_point(|&s| reads[s].token < read.token);
        for &sid in &sids[place.saturating_sub(16)..(place + 16).min(sids.len())] {
            let other = &reads[sid];
            let lines = other.context.line.abs_diff(read.context.line) as u64;
            let right = self.shape(other) == partner;
            if !right && (partner == Shape::AccountSid || self.shape(other) != Shape::AccountSid) {
                continue;
            }
            around.sid_lines = Some(around.sid_lines.map_or(lines, |fewest| fewest.min(lines)));
            if right && same_block(read, other, lines) && nearest.is_none_or(|(fewest, _)| lines < fewest) {
                nearest = Some((lines, other));
            }
        }
        around.sid_in_block = nearest.map(|(_, other)| {
            let name = other.context.names.first().map(|named| &named.name);
            SidName {
                stem: name.map_or(&[][..], |name| &name.stem),
                twilio: name.is_some_and(|name| name.twilio),
                capitals: name.is_some_and(|name| !name.text.bytes().any(|b| b.is_ascii_lowercase())),
            }
        });
        around.vendor_near = !named_twilio(&read.context) && Self::vendor_near(reader, page, read);
        around
    }

    fn nearest_mention(&self, span: &Span) -> Option<usize> {
        let place = self.mentions.partition_point(|&at| at < span.start);
        let before = place.checked_sub(1).map(|p| span.start - self.mentions[p]);
        let after = self.mentions.get(place).map(|&at| at.saturating_sub(span.end));
        before.into_iter().chain(after).min().filter(|&distance| distance <= FAR)
    }

    /// Whether the lines right around a value speak of another service, and not, nearer, of Twilio.
    fn vendor_near(reader: &Reader<'_>, page: &Page<'_>, read: &Read) -> bool {
        let line = read.context.line;
        let first = read.context.paragraph.0.max(line.saturating_sub(10));
        for near in (first..=line).rev() {
            let comment = page.is_comment(near);
            let range = page.line_range(near);
            let is_statement = || {
                page.tokens[range.clone()]
                    .iter()
                    .any(|t| matches!(t.kind, TokenKind::Op(Op::Assign | Op::Colon)))
            };
            if near != line && !comment && (line - near > 6 || is_statement()) {
                continue;
            }
            let (from, to) = if near == line {
                // A long line is not about one thing.
                const REACH: usize = 160;
                let (tokens, at) = (&page.tokens[range.clone()], page.tokens[read.token].start);
                let from = tokens.partition_point(|token| token.start + REACH < at);
                let to = tokens.partition_point(|token| token.start <= at + REACH);
                (range.start + from, range.start + to)
            } else {
                (range.start, range.end.min(range.start + 40))
            };
            let (mut twilio, mut vendor) = (false, false);
            for token in from..to {
                // A longer word is a value, and no service's name.
                let span = &page.tokens[token];
                if page.kind(token) == TokenKind::Word && span.end - span.start <= 30 {
                    let name = reader.name(page.slice(token, token + 1));
                    twilio |= name.twilio;
                    vendor |= name.vendor.is_some() && !name.vendor_is_common;
                }
            }
            if twilio {
                return false;
            }
            if vendor {
                return true;
            }
        }
        false
    }
}

/// Whether two values stand in one block: a common section at little depth, or one paragraph of plain lines.
fn same_block(read: &Read, other: &Read, lines: u64) -> bool {
    let (a, b) = (&read.context.levels, &other.context.levels);
    if a.is_empty() && b.is_empty() {
        return lines <= 12 && read.context.paragraph == other.context.paragraph;
    }
    let common = a.iter().take(2).any(|level| b.iter().take(3).any(|l| l.id == level.id));
    common && lines <= 40
}

/// The candidate that stands right after a value, with only quotes and a separator between.
fn value_after(page: &Page<'_>, token: usize) -> Option<usize> {
    let mut separators = 0;
    for next in token + 1..page.tokens.len().min(token + 8) {
        match page.kind(next) {
            TokenKind::Value(value) => return Some(value),
            TokenKind::Quote | TokenKind::Line(_) => {}
            TokenKind::Op(Op::Comma) if separators == 0 => separators += 1,
            _ => return None,
        }
    }
    None
}

pub(super) fn named_twilio(context: &Context) -> bool {
    context.names.iter().any(|named| named.name.twilio)
}
