//! What a value is assigned to: `name = value`, `key: value`, `left || value`, `condition ? value : value`.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Role;
use super::{Context, LONGEST_NAME, Named, Reader, identifier};

impl Reader<'_> {
    /// `left = value`: the declarator.
    pub(super) fn assigned(&self, op: usize, context: &mut Context) {
        let page = self.page;
        let Some(mut last) = self.skip_quotes(op) else { return };
        let mut declared: Option<(usize, usize)> = None;
        for _ in 0..9 {
            match page.kind(last) {
                TokenKind::Word | TokenKind::Close(_) => {
                    let start = page.chain_start(last);
                    let name = self.name(page.slice(start, last + 1));
                    let annotation = start >= 2
                        && page.is(start - 1, Op::Colon)
                        && page.kind(start - 2) == TokenKind::Word
                        && page.kind(op) == TokenKind::Op(Op::Assign)
                        && page.tokens[start].spaced;
                    let typelike =
                        !name.is_informative() && (name.unknown.is_empty() || name.words.is_empty());
                    if declared.is_none() || name.is_informative() {
                        declared = Some((start, last));
                    }
                    if annotation {
                        last = start - 2;
                        declared = None;
                        continue;
                    }
                    if !typelike || page.tokens[start].kind == TokenKind::Op(Op::Dash) {
                        break;
                    }
                    // A type may stand between the name and the sign (`var token string =`), or an empty
                    // subscript (`token[] =`).
                    let Some(further) = start.checked_sub(1) else { break };
                    if page.line(further) != page.line(op) {
                        break;
                    }
                    last = further;
                }
                // `Option<&str> =`, `&'static str =`, `*const c_char =`, `name: … =`
                TokenKind::Op(Op::Greater | Op::Less | Op::Join | Op::Other(b'*') | Op::Colon)
                | TokenKind::Quote => {
                    if page.is(last, Op::Colon) {
                        declared = None;
                    }
                    let Some(further) = last.checked_sub(1) else { break };
                    last = further;
                }
                TokenKind::Value(value) => {
                    if declared.is_none() {
                        context.after_value = Some(value);
                    }
                    break;
                }
                _ => break,
            }
            if page.line(last) != page.line(op) {
                break;
            }
        }
        if let Some((start, last)) = declared {
            self.declared(start, last, context);
        }
    }

    fn declared(&self, start: usize, last: usize, context: &mut Context) {
        let text = self.page.slice(start, last + 1);
        if context.in_call {
            return self.result(context, text);
        }
        context.after_word.get_or_insert_with(|| text.to_owned());
        context.ident = identifier(self.page, start, last);
        self.push(context, "name", text);
    }

    /// `key: value` and `user:password`.
    pub(super) fn key(&self, op: usize, context: &mut Context) {
        let page = self.page;
        let Some(previous) = op.checked_sub(1) else { return };
        let Some(last) = self.skip_quotes(op) else { return };
        if let TokenKind::Value(value) = page.kind(last) {
            context.after_value = Some(value);
            return;
        }
        if let (TokenKind::Close(_), Some(opener)) = (page.kind(last), page.partner(last))
            && let Some(value) = self.last_value(opener, last)
        {
            // `{"account"}:{"token"}`
            context.after_value = Some(value);
            return;
        }
        if context.in_call {
            if page.kind(last) == TokenKind::Word {
                self.result(context, page.slice(page.chain_start(last), last + 1));
            }
            return;
        }
        if page.kind(previous) == TokenKind::Quote && last + 1 < op {
            return self.quoted_key(last, context);
        }
        match page.kind(last) {
            TokenKind::Word | TokenKind::Close(_) => self.bare_key(last, context),
            TokenKind::Op(Op::Other(b'*' | b'_') | Op::Greater) => {
                let _ = self.words_before(last, context);
            }
            _ => {}
        }
    }

    /// A quoted key: everything back to the opening quote.
    fn quoted_key(&self, last: usize, context: &mut Context) {
        let page = self.page;
        let mut start = last;
        while start > 0
            && page.line(start - 1) == page.line(last)
            && !matches!(page.kind(start - 1), TokenKind::Quote | TokenKind::Value(_))
        {
            start -= 1;
        }
        let text = page.slice(start, last + 1);
        context.after_word.get_or_insert_with(|| text.to_owned());
        context.ident = identifier(page, last, last);
        self.push(context, "key", text);
    }

    /// A key without quotes: `token:`, `Auth Token:`, `the token for production:`.
    fn bare_key(&self, last: usize, context: &mut Context) {
        let page = self.page;
        let start = page.chain_start(last);
        let chain = page.slice(start, last + 1);
        context.after_word.get_or_insert_with(|| chain.to_owned());
        context.ident = identifier(page, start, last);
        let name = self.name(chain);
        context.names.push(Named { relation: "key", name: Rc::clone(&name) });
        if name.role == Role::Exact || (name.is_informative() && name.role == Role::None) {
            return;
        }
        let phrase = page.slice(self.phrase_start(start, 5), last + 1);
        if phrase.len() > chain.len() && phrase.len() <= LONGEST_NAME {
            let said = self.name(phrase);
            let short = name.is_informative() || name.value_holder;
            if !short || said.role > name.role || said.innocent {
                context.names.insert(context.names.len() - 1, Named { relation: "key", name: said });
            }
        }
    }

    /// The `?` of `condition ? value : …` whose colon this is.
    pub(super) fn ternary(&self, colon: usize) -> Option<usize> {
        let page = self.page;
        let value = self.skip_quotes(colon)?;
        let mut before = value.checked_sub(1)?;
        while page.kind(before) == TokenKind::Quote {
            before = before.checked_sub(1)?;
        }
        (page.is(before, Op::Other(b'?')) && page.tokens[before].spaced).then_some(before)
    }

    /// `name = condition ? value : value`: what the whole is assigned to; the condition has no say.
    pub(super) fn conditional(&self, question: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let line = page.line(question);
        for token in (0..question).rev().take(40) {
            match page.kind(token) {
                TokenKind::Op(Op::Assign)
                    if page.tokens[token].end - page.tokens[token].start < 2
                        || page.text[page.tokens[token].start] == b':' =>
                {
                    self.assigned(token, context);
                    return None;
                }
                TokenKind::Op(Op::Colon) if page.parent(token) == page.parent(question) => {
                    self.key(token, context);
                    return None;
                }
                TokenKind::Op(Op::Semicolon | Op::Comma) | TokenKind::Open(_)
                    if page.parent(token) == page.parent(question) =>
                {
                    return None;
                }
                _ if page.line(token) + 1 < line => return None,
                _ => {}
            }
        }
        None
    }

    /// Where a closure's parameters (`|_|`, `||`) begin, if this bar ends them inside of a call.
    pub(super) fn closure(&self, pipe: usize) -> Option<usize> {
        let page = self.page;
        let open = (pipe.saturating_sub(6)..pipe).rev().find(|&token| page.is(token, Op::Pipe))?;
        let called =
            open.checked_sub(1).is_some_and(|before| matches!(page.kind(before), TokenKind::Open(b'(')));
        called.then_some(open)
    }

    /// `left || value`: what the value stands in for, then what the whole is assigned to.
    pub(super) fn operand(&self, op: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let last = self.skip_quotes(op)?;
        let start = match page.kind(last) {
            TokenKind::Word | TokenKind::Close(_) => page.chain_start(last),
            _ => return None,
        };
        self.push(context, "what it stands in for", page.slice(start, last + 1));
        Some(start)
    }
}
