//! The sections around a value: brackets, indented blocks, INI sections.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::{LONGEST_NAME, Level, MOST_LEVELS, MOST_LINES_UP, Reader};
use crate::rules::Tag;

impl Reader<'_> {
    /// The sections around a token, innermost first.
    pub(super) fn levels(&self, index: usize) -> Vec<Level> {
        let page = self.page;
        let mut levels: Vec<Level> = Vec::new();
        let mut inner = index;
        while let Some(opener) = page.parent(inner) {
            levels.push(self.bracket_level(opener));
            inner = opener;
            if levels.len() >= MOST_LEVELS {
                break;
            }
        }
        let line = page.line(index);
        let range = page.line_range(line);
        if range
            .clone()
            .next()
            .is_some_and(|t| page.is(t, Op::Dash) && page.tokens.get(t + 1).is_some_and(|n| n.spaced))
        {
            levels.push(Level { id: page.tokens[range.start].start, head: Rc::default(), is_key: false });
        }
        self.lines_above(line, &mut levels);
        self.elements(index, &mut levels);
        levels.sort_by_key(|level| std::cmp::Reverse(level.id));
        levels.dedup_by_key(|level| level.id);
        levels.truncate(MOST_LEVELS);
        levels
    }

    /// The elements that enclose a value in markup, but for the one that holds nothing else.
    fn elements(&self, index: usize, levels: &mut Vec<Level>) {
        /// So far up elements are looked for, in tokens.
        const REACH: usize = 1_500;
        let page = self.page;
        let starts_with_tag = |line: usize| page.is(page.line_range(line).start, Op::Less);
        let line = page.line(index);
        if !starts_with_tag(line) && !line.checked_sub(1).is_some_and(starts_with_tag) {
            return;
        }
        let (mut closed, mut at, mut own) = (0, index, true);
        while at > index.saturating_sub(REACH) {
            at -= 1;
            let in_tag = own && page.is(at, Op::Less) && page.kind(at + 1) == TokenKind::Word;
            if in_tag {
                // The value is an attribute: its element counts where it holds another value.
                own = false;
                let end = (index..page.tokens.len().min(index + 80)).find(|&t| page.is(t, Op::Greater));
                if page.holds_value(at, index) || page.holds_value(index + 1, end.unwrap_or(index + 1)) {
                    levels.push(self.element_level(at, index));
                }
                continue;
            }
            if !page.is(at, Op::Greater) {
                continue;
            }
            let Some(open) = (at.saturating_sub(80)..at).rev().find(|&t| page.is(t, Op::Less)) else {
                return;
            };
            if page.is(open + 1, Op::Slash) {
                closed += 1;
            } else if page.is(at - 1, Op::Slash) || page.kind(open + 1) != TokenKind::Word {
                // Complete by itself, or no element.
            } else if closed > 0 {
                closed -= 1;
            } else if (!own || page.holds_value(at, index)) && self.is_closed_after(open + 1, index) {
                levels.push(self.element_level(open, at));
            }
            own = false;
            at = open;
            if levels.len() >= 2 * MOST_LEVELS {
                return;
            }
        }
    }

    /// What a property list calls the element at `open`: `<key>name</key><dict>`.
    fn key_before(&self, open: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let end = (0..open).rev().find(|&at| !matches!(page.kind(at), TokenKind::Line(_)))?;
        let tag = end.checked_sub(3)?;
        let is_key = page.is(end, Op::Greater)
            && page.is(tag, Op::Less)
            && page.is(tag + 1, Op::Slash)
            && self.name(page.slice(tag + 2, tag + 3)).name_holder;
        let start = (tag.saturating_sub(12)..tag).rev().find(|&at| page.is(at, Op::Greater))? + 1;
        (is_key && start < tag).then(|| self.name(page.slice(start, tag)))
    }

    /// Whether the element of this name ends behind a value: many are never closed.
    fn is_closed_after(&self, name: usize, index: usize) -> bool {
        const REACH: usize = 1_500;
        let page = self.page;
        let text = page.slice(name, name + 1);
        (index..page.tokens.len().min(index + REACH)).any(|at| {
            page.is(at, Op::Less)
                && page.is(at + 1, Op::Slash)
                && page.tokens.len() > at + 2
                && page.slice(at + 2, at + 3) == text
        })
    }

    fn element_level(&self, open: usize, close: usize) -> Level {
        let text = self.page.slice(open + 1, close);
        let text = text.get(..LONGEST_NAME).unwrap_or(text);
        if let Some(head) = self.key_before(open) {
            return Level { id: self.page.tokens[open].start, head, is_key: true };
        }
        Level { id: self.page.tokens[open].start, head: self.name(text), is_key: true }
    }

    /// The lines above that are less indented, and the INI section.
    fn lines_above(&self, line: usize, levels: &mut Vec<Level>) {
        let page = self.page;
        let mut indent = page.lines[line].indent;
        let mut section = false;
        let mut above = line;
        let mut found = 0;
        while above > 0 && line - above < MOST_LINES_UP && found < MOST_LEVELS {
            above -= 1;
            let range = page.line_range(above);
            if range.is_empty() {
                continue;
            }
            if indent == 0 && (section || !self.has_sections) {
                break;
            }
            if !section && self.has_sections && self.is_section(above) {
                section = true;
                levels.push(Level {
                    id: page.tokens[range.start].start,
                    head: self.name(page.slice(range.start, range.end)),
                    is_key: true,
                });
            }
            if page.lines[above].indent >= indent || page.is_comment(above) {
                continue;
            }
            indent = page.lines[above].indent;
            found += 1;
            if self.heads(&range) {
                let is_key = page.is(range.end - 1, Op::Colon) && range.len() <= 6;
                let text = page.slice(range.start, range.end.min(range.start + 16));
                let holds = page.holds_value(range.start, range.end);
                let head = if holds { Rc::default() } else { self.name(text) };
                levels.push(Level { id: page.tokens[range.start].start, head, is_key });
            }
        }
    }

    /// Whether a line of these tokens begins a block.
    fn heads(&self, range: &std::ops::Range<usize>) -> bool {
        let page = self.page;
        let last = page.kind(range.end - 1);
        matches!(last, TokenKind::Op(Op::Colon | Op::Pipe | Op::Greater))
            || page.is(range.start, Op::Dash)
            || (last == TokenKind::Word && matches!(page.slice(range.end - 1, range.end), "do" | "then"))
            || page.tokens[range.clone()].iter().any(|t| {
                t.kind == TokenKind::Word
                    && matches!(
                        &page.text[t.start..t.end],
                        b"class" | b"module" | b"def" | b"defmodule" | b"object" | b"config"
                    )
            })
    }

    pub(super) fn bracket_level(&self, opener: usize) -> Level {
        let page = self.page;
        let id = page.tokens[opener].start;
        let mut start = opener;
        let mut words = 0;
        let line = page.line(opener);
        while start > 0 && words < 5 {
            let token = start - 1;
            match page.kind(token) {
                TokenKind::Word => {
                    start = page.chain_start(token);
                    words += 1;
                }
                TokenKind::Quote
                | TokenKind::Op(
                    Op::Assign | Op::Colon | Op::Scope | Op::Dot | Op::Greater | Op::Less | Op::Arrow,
                ) => start = token,
                TokenKind::Close(_) => match page.partner(token) {
                    Some(inner) if !page.holds_value(inner, token) && token - inner < 30 => {
                        start = page.chain_start(token).min(inner);
                    }
                    _ => break,
                },
                TokenKind::Line(_) if words == 0 && page.line(token) + 1 == line => start = token,
                _ => break,
            }
            if page.line(start) + 1 < line {
                break;
            }
        }
        while start < opener && !matches!(page.kind(start), TokenKind::Word) {
            start += 1;
        }
        // What is passed to a call, or listed in a statement's brackets, does not say what the section is.
        let mut text = String::new();
        let mut token = start;
        while token < opener && text.len() < LONGEST_NAME {
            text.push_str(page.slice(token, token + 1));
            text.push(if page.tokens.get(token + 1).is_some_and(|next| next.spaced) { ' ' } else { '\u{1}' });
            let skip =
                matches!(page.kind(token), TokenKind::Open(b'(')).then(|| page.partner(token)).flatten();
            token = skip.filter(|&close| close < opener).unwrap_or(token) + 1;
        }
        let text = text.replace('\u{1}', "");
        let head = self.name(&text);
        let is_call = page.kind(opener) == TokenKind::Open(b'(')
            && !page.tokens[opener].spaced
            && opener.checked_sub(1).is_some_and(|callee| {
                page.kind(callee) == TokenKind::Word
                    && !self.name(page.slice(callee, callee + 1)).is_one_word(Tag::Collection)
            });
        Level { id, head, is_key: words <= 2 && !is_call && !text.contains('(') }
    }

    /// `[section]` or `--- section ---` alone on a line.
    pub(super) fn is_section(&self, line: usize) -> bool {
        let page = self.page;
        let range = page.line_range(line);
        range.len() >= 3
            && range.len() <= 12
            && page.lines[line].indent == 0
            && page.kind(range.start) == TokenKind::Open(b'[')
            && page.kind(range.end - 1) == TokenKind::Close(b']')
            && !page.holds_value(range.start, range.end)
            && range.clone().any(|t| page.kind(t) == TokenKind::Word)
            && !range.clone().any(|t| page.is(t, Op::Comma))
    }
}
