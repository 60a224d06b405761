//! A value in a call, list or sum: what is called, what stands before it, and what takes the result.

use super::super::lex::{Op, TokenKind};
use super::super::name::Role;
use super::{Context, LONGEST_NAME, Named, Reader, ends_with_sid};

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
        if let Some(column) = self.sql_column(opener, at) {
            context.own_names = None;
            context.names.push(Named { relation: "column", name: column });
            return None;
        }
        // A bare list or group: look further out.
        let Some((start, last)) = self.callee(opener) else { return Some(opener) };
        let text = page.slice(start, last + 1);
        let keyword = matches!(
            text,
            "if" | "while"
                | "return"
                | "and"
                | "or"
                | "in"
                | "not"
                | "assert"
                | "print"
                | "case"
                | "when"
                | "def"
                | "setq"
                | "defvar"
        );
        if bracket == b'[' && !page.tokens[opener].spaced && !keyword {
            // An index, or `ENC[…]`.
            self.push(context, "bracket", text);
            return None;
        }
        let name = self.name(text);
        let informative = name.is_informative();
        let passes = name.wrapper || keyword;
        if !keyword {
            context.names.push(Named { relation: "call", name });
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
            context.names.push(Named { relation: "name", name });
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
        let start = self.argument_before(comma);
        if let Some(opener) = opener {
            if context.list.is_none() {
                context.list = Some(page.tokens[opener].start);
            }
            if context.position == 0 {
                context.position = page.position(opener, comma);
            }
            if let Some(column) = self.sql_column(opener, at) {
                context.own_names = None;
                context.after_value = self.last_value(start, comma);
                context.names.push(Named { relation: "column", name: column });
                return None;
            }
        } else if self.column(at, b',', context) {
            context.after_value = self.last_value(start, comma);
            return None;
        }
        let keyed =
            page.tokens[start..comma].iter().any(|t| matches!(t.kind, TokenKind::Op(Op::Assign | Op::Colon)));
        if let Some(value) = self.last_value(start, comma) {
            if context.after_value.is_none() {
                context.after_value = Some(value);
            }
        } else if start < comma {
            let (from, to) = self.trim(start, comma);
            let text = page.slice(from, to);
            if context.after_word.is_none() {
                context.after_word = Some(text.to_owned());
            }
            if !keyed && !context.in_call && !text.is_empty() && text.len() <= 60 {
                let name = self.name(text);
                // `Client(account_sid, "…")` names the argument before, not this one.
                let names_this = name.role != Role::None
                    || name.innocent
                    || name.innocent_alone
                    || name.other_purpose
                    || name.vendor.is_some();
                if names_this && !ends_with_sid(&name) {
                    context.names.push(Named { relation: "argument before it", name });
                }
            }
        }
        let opener = opener?;
        context.own_names.get_or_insert(context.names.len());
        if let Some((chain, last)) = self.callee(opener) {
            self.push(context, "call", page.slice(chain, last + 1));
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
        comma - before.rev().take_while(is_of_it).count()
    }

    /// `a + ":" + value`
    pub(super) fn joined(&self, op: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let mut at = op;
        for _ in 0..12 {
            let previous = at.checked_sub(1)?;
            match page.kind(previous) {
                TokenKind::Quote | TokenKind::Op(Op::Join | Op::Colon | Op::Dot) => at = previous,
                TokenKind::Value(value) => {
                    context.after_value = Some(value);
                    at = previous;
                }
                TokenKind::Word | TokenKind::Close(_) => {
                    let start = page.chain_start(previous);
                    if context.after_word.is_none() {
                        context.after_word = Some(page.slice(start, previous + 1).to_owned());
                    }
                    at = start;
                }
                _ => break,
            }
        }
        Some(at)
    }
}
