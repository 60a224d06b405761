//! A value in an element: its name, its attributes, and the label before it.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::{Context, Named, Reader, Relation};

impl Reader<'_> {
    /// `<name>value`, `<string name="name">value`, `<key>name</key><string>value`, `<b>Name</b> value`.
    pub(super) fn element(&self, close: usize, context: &mut Context) {
        let page = self.page;
        let mut at = close;
        for depth in 0..4 {
            // One tag, from its `>` to its `<`.
            let mut open = at;
            while open > 0 && !page.is(open, Op::Less) && at - open < 60 {
                open -= 1;
            }
            if !page.is(open, Op::Less) {
                break;
            }
            let closing = page.is(open + 1, Op::Slash);
            if !closing {
                let text = page.slice(open + 1, at);
                // The element's own name, then its attributes' words.
                let tag_end = (open + 1..at).find(|&t| page.tokens[t].spaced && t > open + 1).unwrap_or(at);
                let name = self.name(page.slice(open + 1, tag_end));
                if depth == 0
                    && name.value_holder
                    && !self.follows_name(open)
                    && let Some(name) = self.sibling_after(close)
                {
                    context.names.push(Named { relation: Relation::Label, name });
                    return;
                }
                if depth == 0 && name.is_informative() && !name.value_holder {
                    context.names.push(Named { relation: Relation::Element, name });
                    return;
                }
                if let Some(attribute) = self.attribute(open + 1, at) {
                    context.names.push(Named { relation: Relation::Element, name: attribute });
                    if context.names.last().is_some_and(|n| n.name.is_informative()) {
                        return;
                    }
                } else if depth == 0 && !text.is_empty() {
                    context.names.push(Named { relation: Relation::Element, name });
                }
            }
            // What stands before the tag: another tag, or text.
            let glue = |at: &usize| {
                matches!(page.kind(*at), TokenKind::Line(_) | TokenKind::Op(Op::Colon | Op::Dash))
            };
            let Some(before) = (0..open).rev().find(|at| !glue(at)) else { return };
            match page.kind(before) {
                TokenKind::Op(Op::Greater) => at = before,
                TokenKind::Word | TokenKind::Quote | TokenKind::Close(b']' | b'}' | b')') => {
                    return self.text_before(before, context);
                }
                TokenKind::Value(value) => {
                    context.after_value = Some(value);
                    return;
                }
                _ => return,
            }
        }
    }

    /// Whether a name's element ends right before the tag at `open`: `<key>name</key><string>…`.
    fn follows_name(&self, open: usize) -> bool {
        let page = self.page;
        let before = (0..open).rev().find(|&at| !matches!(page.kind(at), TokenKind::Line(_)));
        before
            .filter(|&close| page.is(close, Op::Greater))
            .and_then(|close| close.checked_sub(1))
            .is_some_and(|word| {
                page.kind(word) == TokenKind::Word && self.name(page.slice(word, word + 1)).name_holder
            })
    }

    /// `<value>…</value><name>name</name>`: the name that stands behind a value, whose tag ends at `close`.
    fn sibling_after(&self, close: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let is_tag = |at: usize| page.is(at, Op::Less) && page.is(at + 2, Op::Greater);
        // The value, its closing tag of four tokens, and the next element.
        let open = (close + 5..(close + 10).min(page.tokens.len())).find(|&at| is_tag(at))?;
        if !page.is(open - 1, Op::Greater) && !matches!(page.kind(open - 1), TokenKind::Line(_)) {
            return None;
        }
        let holder = self.name(page.slice(open + 1, open + 2));
        let end = (open + 3..(open + 15).min(page.tokens.len())).find(|&at| page.is(at, Op::Less))?;
        (holder.name_holder && end > open + 3 && !page.holds_value(open + 3, end))
            .then(|| self.name(page.slice(open + 3, end)))
    }

    /// `<key>name</key>` and the like come first; the element's own name says little.
    fn text_before(&self, last: usize, context: &mut Context) {
        let page = self.page;
        let mut start = last;
        while start > 0
            && last - start < 8
            && page.line(start - 1) == page.line(last)
            && matches!(
                page.kind(start - 1),
                TokenKind::Word
                    | TokenKind::Quote
                    | TokenKind::Open(b'[' | b'{' | b'(')
                    | TokenKind::Close(b']' | b'}' | b')')
                    | TokenKind::Op(Op::Dot | Op::Dash | Op::Colon)
            )
        {
            start -= 1;
        }
        let name = self.name(page.slice(start, last + 1));
        context.names.insert(0, Named { relation: Relation::Label, name });
    }

    /// The name in an element's `name="…"`, `key="…"` or `id="…"`.
    pub(super) fn attribute(&self, from: usize, to: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let mut best: Option<Rc<Name>> = None;
        for at in from..to {
            if page.kind(at) != TokenKind::Word || !page.is(at + 1, Op::Assign) {
                continue;
            }
            if !self.name(page.slice(at, at + 1)).name_holder {
                continue;
            }
            let start = (at + 2..to).find(|&t| page.kind(t) != TokenKind::Quote)?;
            let end = (start..to).find(|&t| page.kind(t) == TokenKind::Quote).unwrap_or(to);
            if start < end && !page.holds_value(start, end) {
                let name = self.name(page.slice(start, end));
                if best.as_ref().is_none_or(|b| !b.is_informative()) {
                    best = Some(name);
                }
            }
        }
        best
    }
}
