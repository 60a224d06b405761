//! A value among words: a command's option, a sentence, a label on the line above, a comment behind.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::{Name, Role};
use super::{Context, LONGEST_NAME, Named, Reader, Relation};
use crate::rules::Tag;

impl Reader<'_> {
    /// `ENV NAME value`, `--auth-token value`, `the auth token is value`, `login AC… password value`.
    ///
    /// Returns where to look further outwards, where the only word is a command that passes its argument on.
    pub(super) fn words_before(&self, last: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let last = self.without_length(last);
        let line = page.line(last);
        let mut start = last + 1;
        let mut words = 0;
        let mut best: Option<Rc<Name>> = None;
        while start > 0 && words < 6 && page.line(start - 1) == line {
            let token = start - 1;
            match page.kind(token) {
                TokenKind::Word => {
                    start = page.chain_start(token);
                    if page.line(start) != line {
                        break;
                    }
                    words += 1;
                    let phrase = page.slice(start, last + 1);
                    if phrase.len() > LONGEST_NAME {
                        break;
                    }
                    let name = self.name(phrase);
                    let done = name.role == Role::Exact
                        || (best.as_ref().is_some_and(|b| b.role >= Role::Plain && name.role == b.role)
                            && words > 2);
                    // `idempotency token`: the word right before says more than the role.
                    let says_more = words == 2
                        && name.role < Role::Exact
                        && (name.is_innocent() || name.says(Tag::Purpose));
                    if best.as_ref().is_none_or(|b| {
                        says_more || !b.is_informative() || (name.role > b.role && !name.is_innocent())
                    }) {
                        best = Some(name);
                    }
                    if done {
                        break;
                    }
                }
                TokenKind::Value(value) => {
                    // `AC… password value` is a pair, `AC… delivered value` is a line of a log.
                    if best.as_ref().is_none_or(|name| name.role != Role::None) {
                        context.after_value = Some(value);
                    }
                    break;
                }
                TokenKind::Op(Op::Assign | Op::Semicolon | Op::Comma) | TokenKind::Line(_) => break,
                TokenKind::Open(_) if words > 0 => break,
                TokenKind::Close(_) => match page.partner(token) {
                    Some(opener) if page.line(opener) == line && !page.holds_value(opener, token) => {
                        start = opener;
                    }
                    _ => break,
                },
                _ => start = token,
            }
        }
        // `[sid "…"]`: two things in one list.
        if words == 1
            && start > 0
            && matches!(page.kind(start - 1), TokenKind::Open(b'[' | b'('))
            && context.previous.is_none()
        {
            context.previous.clone_from(&best);
            context.basic |= self.bracket_level(start - 1).head.speaks_of(Tag::BasicAuth);
        }
        if let Some(name) = best {
            if (name.wrapper || name.value_holder) && words == 1 {
                return Some(start);
            }
            self.spoken(last, name, context);
        }
        None
    }

    fn spoken(&self, last: usize, name: Rc<Name>, context: &mut Context) {
        let page = self.page;
        if page.kind(last) == TokenKind::Word {
            context.ident = Some(page.slice(last, last + 1).to_owned());
            context.after_word = Some(page.slice(page.chain_start(last), last + 1).to_owned());
        }
        context.names.push(Named { relation: Relation::WordsBefore, name });
    }

    /// A length in brackets says nothing: `string(32) "…"`.
    fn without_length(&self, last: usize) -> usize {
        let page = self.page;
        match (page.kind(last), page.partner(last)) {
            (TokenKind::Close(_), Some(opener))
                if opener > 0 && page.slice(opener + 1, last).bytes().all(|b| b.is_ascii_digit()) =>
            {
                opener - 1
            }
            _ => last,
        }
    }

    /// A value that stands first on its line: the label or value on the line above, or the first column of a table.
    pub(super) fn line_start(&self, index: usize, context: &mut Context) {
        let page = self.page;
        for delimiter in *b",;" {
            let rest_has = page
                .tokens
                .get(index + 1..(index + 3).min(page.tokens.len()))
                .is_some_and(|t| t.iter().any(|t| t.end == t.start + 1 && page.text[t.start] == delimiter));
            if rest_has && self.column(index, delimiter, context) {
                return;
            }
        }
        if let Some(name) = self.file_behind(index) {
            context.names.push(Named { relation: Relation::NameBeside, name });
            return;
        }
        let line = page.line(index);
        // A blank line and a fence may stand between: Markdown's blocks of code.
        let mut above = line;
        for _ in 0..3 {
            let Some(previous) = above.checked_sub(1) else { return };
            above = previous;
            if !(page.is_blank(above) || self.is_fence(above)) {
                break;
            }
        }
        let range = page.line_range(above);
        if range.is_empty() {
            return;
        }
        if let Some(value) = self.last_value(range.start, range.end) {
            // Two values on two lines, nothing else on either.
            if range.len() <= 3 && page.line_range(line).len() <= 3 && page.is_alone(index) {
                context.after_value = Some(value);
            }
            return;
        }
        // `Auth token (the web uses it):` is a label however much it says in brackets.
        let is_bracket = |&t: &usize| t > range.start && matches!(page.kind(t), TokenKind::Open(b'('));
        let end = if page.is(range.end - 1, Op::Colon) {
            range.clone().find(is_bracket).unwrap_or(range.end)
        } else {
            range.end
        };
        if end - range.start > 10 {
            return;
        }
        let words = (range.start..end).filter(|&t| page.kind(t) == TokenKind::Word).count();
        if words > 0 && words <= 5 {
            self.push(context, Relation::LineAbove, page.slice(range.start, end));
        }
    }

    /// The file that a line of `md5sum` names: `value  demo.zip`.
    fn file_behind(&self, index: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let range = page.line_range(page.line(index));
        let first = (index + 1..range.end).next()?;
        let is_apart = page.tokens[first].spaced && page.kind(first) != TokenKind::Quote;
        let has_value = page.holds_value(first, range.end);
        let name = self.name(page.slice(first, range.end));
        (range.start == index && is_apart && !has_value && name.file && !name.text.contains(' '))
            .then_some(name)
    }

    /// Whether a line begins a block of code: quotes, and perhaps a language.
    fn is_fence(&self, line: usize) -> bool {
        let page = self.page;
        let range = page.line_range(line);
        range.len() >= 3
            && range.len() <= 4
            && range.clone().take(3).all(|t| page.kind(t) == TokenKind::Quote)
    }

    /// `"value", // Auth Token`
    pub(super) fn trailing_comment(&self, index: usize, context: &mut Context) {
        let page = self.page;
        let range = page.line_range(page.line(index));
        let is_mark = |t: usize| {
            page.tokens[t].spaced
                && (page.is(t, Op::Hash)
                    || (page.is(t, Op::Slash) && page.is(t + 1, Op::Slash))
                    || (page.is(t, Op::Dash)
                        && page.is(t + 1, Op::Dash)
                        && page.tokens.get(t + 2).is_some_and(|next| next.spaced)))
        };
        // The remark behind another value is that one's; a line may hold very many.
        let is_value = |t: usize| matches!(page.kind(t), TokenKind::Value(_));
        let Some(mark) = (index + 1..range.end).find(|&t| is_value(t) || is_mark(t)) else { return };
        if page.holds_value(mark, range.end) {
            return;
        }
        let from = (mark..range.end).find(|&t| page.kind(t) == TokenKind::Word);
        if let Some(from) = from {
            let to = range.end.min(from + 8);
            let name = self.name(page.slice(from, to));
            if name.is_informative() {
                context.names.push(Named { relation: Relation::Comment, name });
            }
        }
    }
}
