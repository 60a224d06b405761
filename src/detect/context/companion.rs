//! A value whose own name only says "value": the name that stands beside it in the same object, element or item.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::super::page::Page;
use super::{LONGEST_NAME, Reader};

/// So many tokens away on a long line or in a long item, a name speaks of something else.
const FURTHEST: usize = 1_000;

impl Reader<'_> {
    /// For a value whose own name only says "value": the name that stands beside it in the same object, element,
    /// list item or line.
    pub(super) fn companion(&self, index: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let mut regions: Vec<(usize, usize)> = Vec::new();
        // An element's attributes.
        let line = page.line(index);
        let tag = (0..80)
            .map_while(|back| index.checked_sub(back))
            .find(|&t| page.is(t, Op::Less) || page.is(t, Op::Greater));
        if let Some(tag) = tag.filter(|&t| page.is(t, Op::Less)) {
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
        regions.push({
            let r = page.line_range(line);
            (r.start, r.end)
        });
        if page.parent(index).is_none() {
            let (first, last) = self.item_lines(line);
            regions.push((page.line_range(first).start, page.line_range(last).end));
        }
        let own = page.parent(index);
        for (from, to) in regions {
            let mut best: Option<(usize, Rc<Name>)> = None;
            let (from, to) = (from.max(index.saturating_sub(FURTHEST)), to.min(index + FURTHEST));
            for at in from..to.min(page.tokens.len()) {
                if page.kind(at) != TokenKind::Word {
                    continue;
                }
                let inside = page.parent(at) == own || page.parent(at).is_none_or(|p| p < from);
                if !inside {
                    continue;
                }
                let mut op = at + 1;
                while op < to && page.kind(op) == TokenKind::Quote {
                    op += 1;
                }
                if op >= to || !matches!(page.kind(op), TokenKind::Op(Op::Assign | Op::Colon)) {
                    continue;
                }
                // The whole key must be the word.
                if at > 0
                    && page.tokens[at - 1].end == page.tokens[at].start
                    && matches!(page.kind(at - 1), TokenKind::Op(Op::Dot | Op::Dash))
                {
                    continue;
                }
                let key = self.name(page.slice(at, at + 1));
                if !key.name_holder
                    || (page.line(at) == line && op + 3 > index && op < index && page.is_value_of(op, index))
                {
                    continue;
                }
                let mut start = op + 1;
                while start < to && matches!(page.kind(start), TokenKind::Quote) {
                    start += 1;
                }
                let mut end = start;
                while end < to
                    && end - start < 12
                    && matches!(
                        page.kind(end),
                        TokenKind::Word
                            | TokenKind::Op(Op::Dot | Op::Dash | Op::Slash | Op::Colon | Op::Scope)
                    )
                    && (end == start || page.line(end) == page.line(start))
                {
                    end += 1;
                }
                if start == end {
                    continue;
                }
                let name = self.name(page.slice(start, end));
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
        self.label_before(tag.filter(|&tag| page.is(tag, Op::Less))?)
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
    pub(super) fn first_argument(&self, index: usize) -> Option<Rc<Name>> {
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

impl Page<'_> {
    /// Whether the operator at `op` leads to the value at `index` with only quotes between.
    fn is_value_of(&self, op: usize, index: usize) -> bool {
        op < index && self.tokens[op + 1..index].iter().all(|t| t.kind == TokenKind::Quote)
    }
}
