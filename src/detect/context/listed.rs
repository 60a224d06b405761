//! A value in a call, list or sum: what is called, what stands before it, and what takes the result.

use super::super::lex::{Op, TokenKind};
use super::super::name::Role;
use super::{Context, LONGEST_NAME, Named, Reader, Relation, ends_with_sid};
use crate::rules::Tag;

impl Reader<'_> {
    /// The value is the first thing in a bracket.
    pub(super) fn opened(
        &self,
        bracket: u8,
        opener: usize,
        at: usize,
        context: &mut Context,
    ) -> Option<usize> {
        let page = self.page;
        if context.list.is_none() {
            context.list = Some(page.tokens[opener].start);
        }
        context.own_names.get_or_insert(context.names.len());
        if let Some((column, table)) = self.sql_column(opener, at) {
            context.own_names = None;
            context.names.push(Named { relation: Relation::Column, name: column });
            context.names.extend(table.map(|name| Named { relation: Relation::Section, name }));
            return None;
        }
        // A bare list or group: look further out.
        let Some((start, last)) = self.callee(opener) else { return Some(opener) };
        let text = page.slice(start, last + 1);
        let name = self.name(text);
        let keyword = name.is_one_word(Tag::Keyword);
        if bracket == b'[' && !page.tokens[opener].spaced && !keyword {
            // An index, or `ENC[…]`.
            self.push(context, Relation::Bracket, text);
            return None;
        }
        let informative = name.is_informative();
        let passes = name.wrapper || keyword;
        if !keyword {
            context.callee.get_or_insert_with(|| name.clone());
            context.names.push(Named { relation: Relation::Call, name });
        }
        context.in_call |= !passes;
        if informative && !passes {
            self.through(start, context);
            None
        } else {
            Some(start)
        }
    }

    /// What is called by the bracket at `opener`: the first and last token of its chain of names.
    pub(super) fn callee(&self, opener: usize) -> Option<(usize, usize)> {
        let page = self.page;
        if page.tokens[opener].spaced && page.kind(opener) != TokenKind::Open(b'(') {
            return None;
        }
        let mut last = opener.checked_sub(1)?;
        if page.is(last, Op::Greater) {
            // `foo::<T>("…")`, `Foo<T>("…")`
            let less = (last.saturating_sub(24)..last).rev().find(|&token| page.is(token, Op::Less))?;
            last = less.checked_sub(1)?;
            if page.is(last, Op::Scope) {
                last = last.checked_sub(1)?;
            }
        }
        if page.is(last, Op::Other(b'!')) {
            last = last.checked_sub(1)?;
        }
        matches!(page.kind(last), TokenKind::Word | TokenKind::Close(_))
            .then(|| (page.chain_start(last), last))
    }

    /// The name that takes a call's result: it bears on an argument only if it says secret (`authToken = decrypt("…")`).
    pub(super) fn result(&self, context: &mut Context, text: &str) {
        let name = self.name(text);
        if name.role != Role::None && text.len() <= LONGEST_NAME {
            context.names.push(Named { relation: Relation::Name, name });
        }
    }

    /// After an informative call nothing further out is nearer, but the variable that takes its result may be the
    /// one that is used: `client = Client("…")` has no say, `authToken = decrypt("…")` has.
    pub(super) fn through(&self, start: usize, context: &mut Context) {
        if let Some(before) = start.checked_sub(1)
            && self.page.is(before, Op::Assign)
            && context.names.last().is_some_and(|n| n.name.role == Role::None)
        {
            self.assigned(before, context);
        }
    }

    /// The value comes after a comma.
    pub(super) fn listed(&self, comma: usize, at: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let opener = page.parent(comma);
        let mut start = self.argument_before(comma);
        // `string(sid, ":", "…")`: a colon between the two is no argument of its own.
        let (from, to) = self.trim(start, comma);
        let first = (start..comma).find(|&t| page.is(t, Op::Colon));
        if from == to && first.is_some() && start > 0 && page.is(start - 1, Op::Comma) {
            context.basic = self.is_basic(first.unwrap_or(comma), at);
            start = self.argument_before(start - 1);
        }
        // A value that stands in brackets of its own stands right after nothing outside of them.
        let is_direct = context.list.is_none();
        if let Some(opener) = opener {
            if context.list.is_none() {
                context.list = Some(page.tokens[opener].start);
            }
            if context.position == 0 {
                context.position = page.position(opener, comma);
            }
            if let Some((column, table)) = self.sql_column(opener, at) {
                context.own_names = None;
                context.after_value = self.last_value(start, comma);
                context.names.push(Named { relation: Relation::Column, name: column });
                context.names.extend(table.map(|name| Named { relation: Relation::Section, name }));
                return None;
            }
        } else if self.column(at, b',', context) {
            context.after_value = self.last_value(start, comma);
            return None;
        }
        // `set :session_secret, "…"`: a symbol of Ruby's is no key.
        let is_symbol = |t: usize| {
            let touches = |a: usize, b: usize| page.tokens[a].end == page.tokens[b].start;
            page.kind(t + 1) == TokenKind::Word && touches(t, t + 1) && !(t > start && touches(t - 1, t))
        };
        let keyed =
            (start..comma).any(|t| page.is(t, Op::Assign) || (page.is(t, Op::Colon) && !is_symbol(t)));
        if let Some(value) = self.last_value(start, comma) {
            if context.after_value.is_none() && is_direct {
                context.after_value = Some(value);
            }
        } else if start < comma {
            let (from, to) = self.trim(start, comma);
            let text = page.slice(from, to);
            if context.after_word.is_none() {
                context.after_word = Some(text.to_owned());
            }
            if !keyed && context.previous.is_none() && text.len() <= LONGEST_NAME {
                context.is_previous_literal = from > start && page.kind(from - 1) == TokenKind::Quote;
                context.previous = Some(self.name(text));
                // `define('T_TWO', '…')`, `config.set("phrase", "…")`
                if context.is_previous_literal
                    && start > 0
                    && Some(start - 1) == opener
                    && is_identifier(text)
                {
                    context.ident.get_or_insert_with(|| text.to_owned());
                }
            }
            if opener.is_none() && context.callee.is_none() {
                self.command(start, comma, context);
            }
            if !keyed && !context.in_call && !text.is_empty() && text.len() <= 60 {
                let name = self.name(text);
                // `Client(account_sid, "…")` names the argument before, not this one.
                let names_this = name.role != Role::None
                    || name.is_innocent()
                    || name.says(Tag::Thing)
                    || name.says(Tag::Purpose)
                    || name.vendor;
                if names_this && !ends_with_sid(&name) {
                    context.names.push(Named { relation: Relation::Argument, name });
                }
            }
        }
        let opener = opener?;
        context.own_names.get_or_insert(context.names.len());
        if let Some((chain, last)) = self.callee(opener) {
            self.push(context, Relation::Call, page.slice(chain, last + 1));
            context.callee.get_or_insert_with(|| self.name(page.slice(chain, last + 1)));
            let known = context.names.iter().any(|n| n.name.is_informative());
            context.in_call |= !context.names.last().is_some_and(|n| n.name.wrapper);
            if known {
                self.through(chain, context);
                return None;
            }
            return Some(chain);
        }
        if context.names.iter().any(|n| n.name.is_informative()) { None } else { Some(opener) }
    }

    /// `Client(username=cfg.sid, password="…")`: the argument before one that has a name of its own, and what is called.
    pub(super) fn keyword_argument(&self, index: usize, context: &mut Context) {
        let page = self.page;
        let Some(opener) = page.parent(index).filter(|&opener| page.kind(opener) == TokenKind::Open(b'('))
        else {
            return;
        };
        if context.previous.is_some() || context.callee.is_some() {
            return;
        }
        let comma = (opener.max(index.saturating_sub(12))..index)
            .rev()
            .find(|&t| page.is(t, Op::Comma) && page.parent(t) == Some(opener));
        let Some(comma) = comma else { return };
        let start = self.argument_before(comma);
        let text = page.slice(start, comma);
        let is_literal = page.tokens[start..comma].iter().any(|t| t.kind == TokenKind::Quote);
        if is_literal || text.len() > LONGEST_NAME || page.holds_value(start, comma) {
            return;
        }
        context.previous = Some(self.name(text)).filter(|name| name.says(Tag::Sid));
        if context.previous.is_some()
            && let Some((first, last)) = self.callee(opener)
        {
            context.callee = Some(self.name(page.slice(first, last + 1)));
            context.position = context.position.max(1);
        }
    }

    /// `Client.new first, "…"`: a call without brackets.
    fn command(&self, start: usize, comma: usize, context: &mut Context) {
        let page = self.page;
        let assign =
            (start..comma).rev().find(|&t| page.is(t, Op::Assign) && page.parent(t) == page.parent(comma));
        let first =
            (assign.map_or(start, |assign| assign + 1)..comma).find(|&t| page.kind(t) == TokenKind::Word);
        let Some(first) = first else { return };
        // A bracket that is open here is another call's.
        if (first..comma).any(|t| {
            matches!(page.kind(t), TokenKind::Open(_)) && page.partner(t).is_none_or(|close| close > comma)
        }) {
            return;
        }
        let Some(argument) = (first + 1..comma).find(|&t| {
            page.tokens[t].spaced
                && page.parent(t) == page.parent(comma)
                && matches!(page.kind(t), TokenKind::Word | TokenKind::Quote)
        }) else {
            return;
        };
        let (callee, previous) = (page.slice(first, argument), page.slice(argument, comma));
        if callee.len() <= LONGEST_NAME && previous.len() <= LONGEST_NAME {
            let name = self.name(callee.trim());
            context.callee = Some(name.clone());
            context.names.push(Named { relation: Relation::Call, name });
            context.previous = Some(self.name(previous));
            context.position = context.position.max(1);
        }
    }

    /// Where the argument or element that ends at a comma begins.
    fn argument_before(&self, comma: usize) -> usize {
        let page = self.page;
        let opener = page.parent(comma);
        let is_of_it = |token: &usize| {
            let ends = Some(*token) == opener
                || (page.is(*token, Op::Comma) && page.parent(*token) == opener)
                || (opener.is_none()
                    && matches!(page.kind(*token), TokenKind::Line(_) | TokenKind::Op(Op::Semicolon)));
            !ends
        };
        let before = comma.saturating_sub(61)..comma;
        let start = comma - before.rev().take_while(is_of_it).count();
        // A comment behind the argument before belongs to that one.
        let is_comment =
            page.is(start, Op::Hash) || (page.is(start, Op::Slash) && page.is(start + 1, Op::Slash));
        let line_end = (start..comma).find(|&token| matches!(page.kind(token), TokenKind::Line(_)));
        line_end.filter(|_| is_comment).map_or(start, |end| end + 1)
    }

    /// `a + ":" + value`
    pub(super) fn joined(&self, op: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let mut at = op;
        for _ in 0..12 {
            let previous = at.checked_sub(1)?;
            if page.is(previous, Op::Colon) {
                context.basic |= self.is_basic(previous, op);
            }
            match page.kind(previous) {
                TokenKind::Quote | TokenKind::Op(Op::Join | Op::Colon | Op::Dot) => at = previous,
                TokenKind::Value(value) => {
                    context.after_value = Some(value);
                    at = previous;
                }
                TokenKind::Word | TokenKind::Close(_) => {
                    let start = page.chain_start(previous);
                    let text = page.slice(start, previous + 1);
                    if context.after_word.is_none() {
                        context.after_word = Some(text.to_owned());
                    }
                    if context.previous.is_none() && text.len() <= LONGEST_NAME {
                        context.previous = Some(self.name(text));
                    }
                    at = start;
                }
                _ => break,
            }
        }
        Some(at)
    }
}

/// Whether a literal is written as an identifier is: `T_TWO`, `smsPhrase`.
fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
