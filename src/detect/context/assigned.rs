//! What a value is assigned to: `name = value`, `key: value`, `left || value`, `condition ? value : value`.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::{Name, Role};
use super::{Context, LONGEST_NAME, Named, Reader, Relation, identifier};
use crate::rules::Tag;

impl Reader<'_> {
    /// `left = value`: the declarator.
    pub(super) fn assigned(&self, op: usize, context: &mut Context) {
        let page = self.page;
        let Some(mut last) = self.skip_quotes(op) else { return };
        let sign = &page.text[page.tokens[op].start..page.tokens[op].end];
        context.compared |=
            matches!(sign, b"==" | b"===" | b"!=" | b"!==") && page.kind(last) == TokenKind::Close(b')');
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
        self.push(context, Relation::Name, text);
    }

    /// `$SID:value`, `#{sid}:value`, `sid + ":value"`: whether what stands before the colon is the user that goes with the value,
    /// and no key.
    pub(super) fn user(&self, colon: usize, at: usize, context: &mut Context) -> bool {
        let page = self.page;
        if page.tokens[at].start != page.tokens[colon].end && page.kind(colon + 1) != TokenKind::Quote {
            return false;
        }
        let Some(mut last) = colon.checked_sub(1) else { return false };
        if page.kind(last) == TokenKind::Quote {
            // A literal that begins with the colon, behind what it is joined to.
            let Some(joiner) = last.checked_sub(1) else { return false };
            if !matches!(page.kind(joiner), TokenKind::Op(Op::Join | Op::Comma | Op::Dot | Op::Other(_))) {
                return false;
            }
            let Some(user) = joiner.checked_sub(1) else { return false };
            last = user;
        } else {
            let touches = page.tokens[last].end == page.tokens[colon].start;
            let is_variable = match page.kind(last) {
                TokenKind::Word => page.text[page.tokens[last].start] == b'$' || self.follows_option(last),
                TokenKind::Close(bracket) => bracket != b']',
                TokenKind::Op(Op::Other(b'%')) => true,
                _ => false,
            };
            if !touches || !is_variable {
                return false;
            }
        }
        while page.kind(last) == TokenKind::Quote && last > 0 {
            last -= 1;
        }
        let start = match page.kind(last) {
            TokenKind::Word => page.chain_start(last),
            TokenKind::Close(_) => match page.partner(last) {
                Some(opener) if !page.holds_value(opener, last) => opener.min(page.chain_start(last)),
                _ => return false,
            },
            _ => return false,
        };
        let text = page.slice(start, last + 1);
        if text.len() > LONGEST_NAME {
            return false;
        }
        context.basic = self.is_basic(colon, at) || self.is_user_option(start);
        if context.basic {
            // What touches the colon and is no variable is written out: `-u deploy:…`.
            context.is_previous_literal = last + 1 == colon
                && page.tokens[at].start == page.tokens[colon].end
                && page.kind(last) == TokenKind::Word
                && page.text[page.tokens[last].start] != b'$';
            context.previous = Some(self.name(text));
        }
        context.basic
    }

    /// The string before a serialized one: `s:5:"token";s:32:"…"`, as PHP writes it.
    fn serialized(&self, colon: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let is_string = |length: usize| {
            length >= 2
                && page.kind(length) == TokenKind::Word
                && page.slice(length, length + 1).bytes().all(|b| b.is_ascii_digit())
                && page.is(length - 1, Op::Colon)
                && page.slice(length - 2, length - 1) == "s"
        };
        let length = colon.checked_sub(1).filter(|&length| is_string(length))?;
        let end = (length.saturating_sub(8)..length - 2).rev().find(|&t| page.kind(t) == TokenKind::Word)?;
        let start =
            (end.saturating_sub(8)..=end).rev().take_while(|&t| page.kind(t) != TokenKind::Quote).last()?;
        Some(self.name(page.slice(start, end + 1)))
    }

    /// The token before a word and the quotes at it.
    fn unquoted_before(&self, word: usize) -> Option<usize> {
        (word.saturating_sub(4)..word).rev().find(|&t| self.page.kind(t) != TokenKind::Quote)
    }

    /// Whether a command's option for a user stands right before: `http -a $SID:…`.
    fn is_user_option(&self, user: usize) -> bool {
        let page = self.page;
        self.unquoted_before(user).is_some_and(|option| {
            page.kind(option) == TokenKind::Word
                && option.checked_sub(1).is_some_and(|dash| page.is(dash, Op::Dash))
                && self.name(page.slice(option, option + 1)).is_one_word(Tag::UserOption)
        })
    }

    /// Whether the token right before is a command's option for a user: `-u user:password`.
    fn follows_option(&self, word: usize) -> bool {
        let page = self.page;
        self.unquoted_before(word).is_some_and(|option| {
            page.kind(option) == TokenKind::Word
                && self.name(page.slice(option, option + 1)).says(Tag::BasicAuth)
                || page.is(option, Op::Slash)
        })
    }

    /// Whether something near says that a user and a password are put together: an option, an encoder, a host behind them.
    pub(super) fn is_basic(&self, colon: usize, at: usize) -> bool {
        const REACH: usize = 40;
        let page = self.page;
        let tokens = colon.saturating_sub(REACH)..(at + REACH).min(page.tokens.len());
        page.tokens
            .get(at + 1)
            .is_some_and(|after| after.kind == TokenKind::Op(Op::At) && after.start == page.tokens[at].end)
            || tokens.clone().any(|token| {
                page.kind(token) == TokenKind::Word
                    && page.line(token).abs_diff(page.line(at)) <= 1
                    && self.name(page.slice(token, token + 1)).says(Tag::BasicAuth)
            })
    }

    /// `key: value` and `user:password`.
    pub(super) fn key(&self, op: usize, context: &mut Context) {
        let page = self.page;
        if let Some(name) = self.serialized(op) {
            context.names.push(Named { relation: Relation::Key, name });
            return;
        }
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
        // `twilio:token:cache:…` is one key of a cache, the value included.
        let touches = |at: usize| page.tokens[at].end == page.tokens[at + 1].start;
        context.glued |= matches!(page.kind(op + 1), TokenKind::Value(_))
            && last > 2
            && touches(last)
            && touches(op)
            && touches(last - 1)
            && page.is(last - 1, Op::Colon)
            && touches(last - 2)
            && page.kind(last - 2) == TokenKind::Word;
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
        self.push(context, Relation::Key, text);
    }

    /// A key without quotes: `token:`, `Auth Token:`, `the token for production:`.
    fn bare_key(&self, last: usize, context: &mut Context) {
        let page = self.page;
        let start = page.chain_start(last);
        let chain = page.slice(start, last + 1);
        context.after_word.get_or_insert_with(|| chain.to_owned());
        context.ident = identifier(page, start, last);
        let name = self.name(chain);
        context.names.push(Named { relation: Relation::Key, name: Rc::clone(&name) });
        if name.role == Role::Exact || (name.is_informative() && name.role == Role::None) {
            return;
        }
        let phrase = page.slice(self.phrase_start(start, 5), last + 1);
        if phrase.len() > chain.len() && phrase.len() <= LONGEST_NAME {
            let said = self.name(phrase);
            let short = name.is_informative() || name.value_holder;
            if !short || said.role > name.role || said.is_innocent() {
                context.names.insert(context.names.len() - 1, Named { relation: Relation::Key, name: said });
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
        self.push(context, Relation::StandsInFor, page.slice(start, last + 1));
        Some(start)
    }
}
