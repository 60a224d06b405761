//! A value whose own name only says "value": the name that stands beside it in the same object, element or item.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::super::page::Page;
use super::{Context, LONGEST_NAME, Named, Reader, Relation};
use crate::rules::Tag;

/// So many tokens away on a long line or in a long item, a name speaks of something else.
const FURTHEST: usize = 1_000;

impl Reader<'_> {
    /// Adds the name that stands beside a value whose own name only says "value", or that has none.
    pub(super) fn name_beside(&self, index: usize, context: &mut Context) {
        if context.names.first().is_some_and(|n| n.name.value_holder) || context.names.is_empty() {
            let holder = !context.names.is_empty();
            let companion =
                self.companion(index).or_else(|| if holder { self.first_argument(index) } else { None });
            let section = context.levels.iter().find(|level| !level.head.words.is_empty());
            let section = section.filter(|_| holder).map(|level| Rc::clone(&level.head));
            match (companion, section) {
                // `TwilioToken: {Type: String, Default: "…"}`: the type says nothing, and the section names it.
                (Some(name), section) if section.is_none() || name.is_informative() => {
                    context.names.insert(0, Named { relation: Relation::NameBeside, name });
                }
                (_, Some(name)) => context.names.push(Named { relation: Relation::Section, name }),
                (_, None) => {}
            }
        }
        if !context.names.iter().any(|named| named.relation.is_own() && !named.name.value_holder)
            && let Some(name) = self.set_before(index)
        {
            context.names.insert(0, Named { relation: Relation::NameBeside, name });
        }
    }

    /// For a value whose own name only says "value": the name that stands beside it in the same object, element,
    /// list item or line.
    fn companion(&self, index: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let tag = (0..80)
            .map_while(|back| index.checked_sub(back))
            .find(|&t| page.is(t, Op::Less) || page.is(t, Op::Greater))
            .filter(|&t| page.is(t, Op::Less));
        for (from, to) in self.around(index, tag) {
            let (from, to) = (from.max(index.saturating_sub(FURTHEST)), to.min(index + FURTHEST));
            let mut best: Option<(usize, Rc<Name>)> = None;
            for at in from..to.min(page.tokens.len()) {
                let Some(name) = self.label(at, index, from, to) else { continue };
                let distance = at.abs_diff(index);
                if best.as_ref().is_none_or(|(d, b)| {
                    (name.is_informative() && !b.is_informative())
                        || (distance < *d && name.is_informative() == b.is_informative())
                }) {
                    best = Some((distance, name));
                }
            }
            if let Some((_, name)) = best {
                return Some(name);
            }
        }
        self.label_before(tag?)
    }

    /// What the object that a value is a part of calls itself: the values of its keys such as `provider`.
    pub(in crate::detect) fn labels(&self, index: usize) -> Vec<Rc<Name>> {
        const MOST: usize = 3;
        let page = self.page;
        let (from, to) = self.object(index);
        let mut labels = Vec::new();
        // In markup the nearest label before a value is its own.
        let is_markup = index.checked_sub(1).is_some_and(|before| page.is(before, Op::Greater));
        let places: Vec<usize> = if is_markup { (from..index).rev().collect() } else { (from..to).collect() };
        for at in places {
            if page.kind(at) != TokenKind::Word
                || page.parent(at) != page.parent(index)
                || labels.len() >= MOST
            {
                continue;
            }
            let Some(op) = (at + 1..to).find(|&op| page.kind(op) != TokenKind::Quote) else { break };
            if !matches!(page.kind(op), TokenKind::Op(Op::Assign | Op::Colon))
                || !self.name(page.slice(at, at + 1)).is_one_word(Tag::LabelKey)
            {
                continue;
            }
            let Some(start) = (op + 1..to).find(|&start| page.kind(start) != TokenKind::Quote) else { break };
            let end = start
                + (start..to.min(start + 6))
                    .take_while(|&t| page.kind(t) == TokenKind::Word && page.line(t) == page.line(op))
                    .count();
            if end > start && !page.is(end, Op::Assign) {
                labels.push(self.name(page.slice(start, end)));
                if is_markup {
                    break;
                }
            }
        }
        labels
    }

    /// The object that a value is a part of, as far as it is near: its brackets, or its list item or section.
    pub(in crate::detect) fn object(&self, index: usize) -> (usize, usize) {
        const REACH: usize = 400;
        let page = self.page;
        let bracket = page.parent(index).filter(|&opener| page.kind(opener) != TokenKind::Open(b'('));
        let (from, to) = if let Some(opener) = bracket {
            (opener, page.partner(opener).unwrap_or(page.tokens.len()))
        } else {
            let (first, last) = self.item_lines(page.line(index));
            let starts =
                |line: usize| page.is(page.line_range(line).start, Op::Dash) || self.is_section(line);
            let first = if starts(first) { first } else { self.section_line(first).unwrap_or(first) };
            (page.line_range(first).start, page.line_range(last).end)
        };
        (from.max(index.saturating_sub(REACH)), to.min(index + REACH).min(page.tokens.len()))
    }

    /// The line of the section that a line belongs to, where that is near.
    fn section_line(&self, line: usize) -> Option<usize> {
        (line.saturating_sub(12)..line)
            .rev()
            .take_while(|&above| !self.page.is_blank(above))
            .find(|&above| self.is_section(above))
    }

    /// Where what describes a value may stand, nearest first: its element's attributes, its brackets, its line, its item.
    fn around(&self, index: usize, tag: Option<usize>) -> Vec<(usize, usize)> {
        let page = self.page;
        let mut regions: Vec<(usize, usize)> = Vec::new();
        if let Some(tag) = tag {
            let end = (index..page.tokens.len().min(index + 80))
                .find(|&t| page.is(t, Op::Greater))
                .unwrap_or(index + 1);
            regions.push((tag, end));
        }
        if let Some(opener) = page.parent(index)
            && (page.kind(opener) != TokenKind::Open(b'(') || regions.is_empty())
        {
            let end = page.partner(opener).unwrap_or(page.tokens.len()).min(index + 400);
            regions.push((opener.max(index.saturating_sub(400)), end));
        }
        let line = page.line(index);
        let own_line = page.line_range(line);
        regions.push((own_line.start, own_line.end));
        if page.parent(index).is_none() {
            let (first, last) = self.item_lines(line);
            regions.push((page.line_range(first).start, page.line_range(last).end));
        }
        regions
    }

    /// The name that a word of a region gives to the value at `index`, if the word is a key such as `name` or `id` beside it.
    fn label(&self, at: usize, index: usize, from: usize, to: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let is_beside = page.parent(at) == page.parent(index) || page.parent(at).is_none_or(|p| p < from);
        if page.kind(at) != TokenKind::Word || !is_beside {
            return None;
        }
        let op = (at + 1..to).find(|&op| page.kind(op) != TokenKind::Quote)?;
        if !matches!(page.kind(op), TokenKind::Op(Op::Assign | Op::Colon)) {
            return None;
        }
        // The whole key must be the word.
        if at > 0
            && page.tokens[at - 1].end == page.tokens[at].start
            && matches!(page.kind(at - 1), TokenKind::Op(Op::Dot | Op::Dash))
        {
            return None;
        }
        let is_own =
            page.line(at) == page.line(index) && op + 3 > index && op < index && page.is_value_of(op, index);
        if is_own || !self.name(page.slice(at, at + 1)).name_holder {
            return None;
        }
        let start = (op + 1..to).find(|&start| page.kind(start) != TokenKind::Quote)?;
        let of_name = |end: &usize| {
            matches!(
                page.kind(*end),
                TokenKind::Word | TokenKind::Op(Op::Dot | Op::Dash | Op::Slash | Op::Colon | Op::Scope)
            ) && page.line(*end) == page.line(start)
        };
        let end = start + (start..to.min(start + 12)).take_while(of_name).count();
        (end > start).then(|| self.name(page.slice(start, end)))
    }

    /// The words right before a tag: `<label>Auth Token <input value="…">`.
    fn label_before(&self, tag: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let skip = |at: &usize| matches!(page.kind(*at), TokenKind::Line(_) | TokenKind::Op(Op::Colon));
        let last = (0..tag).rev().find(|at| !skip(at)).filter(|&at| page.kind(at) == TokenKind::Word)?;
        let first = (0..=last).rev().take(5).take_while(|&at| page.kind(at) == TokenKind::Word).last()?;
        Some(self.name(page.slice(first, last + 1))).filter(|name| name.is_informative())
    }

    /// The first argument of the call that a value stands in: `option("--auth-token", default="…")`.
    fn first_argument(&self, index: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let opener = page.parent(index).filter(|&opener| page.kind(opener) == TokenKind::Open(b'('))?;
        let comma = (opener + 1..index)
            .find(|&token| page.is(token, Op::Comma) && page.parent(token) == Some(opener))?;
        if page.holds_value(opener, comma)
            || page.tokens[opener..comma].iter().any(|t| t.kind == TokenKind::Op(Op::Assign))
        {
            return None;
        }
        let (from, to) = self.trim(opener + 1, comma);
        let text = page.slice(from, to);
        (!text.is_empty() && text.len() <= LONGEST_NAME).then(|| self.name(text))
    }

    /// What the same object was told before: `row.setName("auth_token"); row.setValue(encrypt("…"))`, `.name("auth_token").value("…")`.
    fn set_before(&self, index: usize) -> Option<Rc<Name>> {
        const DEEPEST: usize = 3;
        const REACH: usize = 40;
        let page = self.page;
        let mut opener = page.parent(index)?;
        for _ in 0..DEEPEST {
            if let Some(method) = self.method(opener)
                && self.name(without_set(page.slice(method, method + 1))).value_holder
            {
                let receiver = method.checked_sub(2)?;
                let named = |open: usize| {
                    let word = self.method(open)?;
                    let is_same = page.partner(open) == Some(receiver)
                        || word.checked_sub(2).is_some_and(|object| {
                            page.kind(object) == TokenKind::Word
                                && page.slice(object, object + 1) == page.slice(receiver, receiver + 1)
                        });
                    let holds_name = self.name(without_set(page.slice(word, word + 1))).name_holder;
                    let (from, to) = self.trim(open + 1, page.partner(open)?);
                    let is_one = from < to
                        && !page.tokens[from..to].iter().any(|t| t.kind == TokenKind::Op(Op::Comma));
                    (is_same && holds_name && is_one).then(|| self.name(page.slice(from, to)))
                };
                let openers = (receiver.saturating_sub(REACH)..=receiver)
                    .rev()
                    .filter(|&open| page.kind(open) == TokenKind::Open(b'('));
                return openers.filter_map(named).find(|name| name.is_informative());
            }
            opener = page.parent(opener)?;
        }
        None
    }

    /// The method that a bracket calls: `.setValue(`.
    fn method(&self, opener: usize) -> Option<usize> {
        let page = self.page;
        let word = opener.checked_sub(1)?;
        (page.kind(opener) == TokenKind::Open(b'(')
            && page.kind(word) == TokenKind::Word
            && word > 1
            && page.is(word - 1, Op::Dot))
        .then_some(word)
    }

    /// The lines of the list item (YAML) that a line belongs to.
    pub(super) fn item_lines(&self, line: usize) -> (usize, usize) {
        let page = self.page;
        let starts_item = |l: usize| page.line_range(l).next().is_some_and(|t| page.is(t, Op::Dash));
        let column = |l: usize| page.lines[l].indent + if starts_item(l) { 2 } else { 0 };
        let own = column(line);
        let mut first = line;
        while !starts_item(first)
            && first > 0
            && line - first < 12
            && !page.is_blank(first - 1)
            && column(first - 1) >= own
        {
            first -= 1;
        }
        let mut last = line;
        while last + 1 < page.lines.len()
            && last - line < 12
            && !page.is_blank(last + 1)
            && !starts_item(last + 1)
            && column(last + 1) >= own
        {
            last += 1;
        }
        (first, last)
    }
}

/// A setter's name without the word that says that it is one.
fn without_set(method: &str) -> &str {
    method.strip_prefix("set").map_or(method, |rest| rest.strip_prefix('_').unwrap_or(rest))
}

impl Page<'_> {
    /// Whether the operator at `op` leads to the value at `index` with only quotes between.
    fn is_value_of(&self, op: usize, index: usize) -> bool {
        op < index && self.tokens[op + 1..index].iter().all(|t| t.kind == TokenKind::Quote)
    }
}
