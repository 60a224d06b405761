//! A lexed stretch of text with its structure: which bracket encloses what, and where lines begin.

use super::lex::{Op, Token, TokenKind, lex};
use super::runs::Span;

/// No token.
const NONE: u32 = u32::MAX;
/// How many unclosed brackets a closing one may pass over; prose and broken code must not unravel the stack.
const MISMATCH: usize = 3;

/// One line of a page.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Index of its first token.
    pub first: usize,
    /// Columns of white space before it.
    pub indent: u32,
}

/// A lexed stretch of text with its structure.
pub struct Page<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// Its tokens, in order.
    pub tokens: Vec<Token>,
    /// Its lines, in order; never empty.
    pub lines: Vec<Line>,
    line_of: Vec<u32>,
    parent: Vec<u32>,
    partner: Vec<u32>,
    /// For a comma, how many there are up to it in the same brackets.
    commas: Vec<u32>,
}

impl<'a> Page<'a> {
    /// Reads `text[region]`; `values` are the candidates' spans, in order.
    #[must_use]
    pub fn new(text: &'a [u8], region: &Span, values: &[Span]) -> Self {
        let tokens = lex(text, region, values);
        let first_indent =
            text[region.clone()].iter().take_while(|b| matches!(b, b' ' | b'\t')).count() as u32;
        let mut lines = vec![Line { first: 0, indent: first_indent }];
        let mut line_of = Vec::with_capacity(tokens.len());
        let mut parent = vec![NONE; tokens.len()];
        let mut partner = vec![NONE; tokens.len()];
        let mut commas = vec![0; tokens.len()];
        let mut open: Vec<usize> = Vec::new();
        // How many commas there are so far in each open bracket, and outside of all.
        let mut counts = vec![0];
        for (index, token) in tokens.iter().enumerate() {
            line_of.push(lines.len() as u32 - 1);
            parent[index] = open.last().map_or(NONE, |&opener| opener as u32);
            match token.kind {
                TokenKind::Line(indent) => lines.push(Line { first: index + 1, indent }),
                TokenKind::Open(_) => {
                    open.push(index);
                    counts.push(0);
                }
                TokenKind::Op(Op::Comma) => {
                    let count = counts.last_mut().expect("the outermost is never closed");
                    *count += 1;
                    commas[index] = *count;
                }
                TokenKind::Close(close) => {
                    let wanted = match close {
                        b')' => b'(',
                        b']' => b'[',
                        _ => b'{',
                    };
                    let depth = open
                        .iter()
                        .rev()
                        .take(MISMATCH)
                        .position(|&opener| tokens[opener].kind == TokenKind::Open(wanted));
                    if let Some(depth) = depth {
                        let opener = open[open.len() - 1 - depth];
                        open.truncate(open.len() - 1 - depth);
                        counts.truncate(open.len() + 1);
                        partner[index] = opener as u32;
                        partner[opener] = index as u32;
                        parent[index] = open.last().map_or(NONE, |&opener| opener as u32);
                    }
                }
                _ => {}
            }
        }
        Self { text, tokens, lines, line_of, parent, partner, commas }
    }

    /// Which item of the brackets at `opener` stands at a token or begins behind it, counted from zero.
    #[must_use]
    pub fn position(&self, opener: usize, at: usize) -> usize {
        let comma = (opener..=at).rev().find(|&t| self.is(t, Op::Comma) && self.parent(t) == Some(opener));
        comma.map_or(0, |comma| self.commas[comma] as usize)
    }

    /// The token's kind.
    #[must_use]
    pub fn kind(&self, index: usize) -> TokenKind {
        self.tokens[index].kind
    }

    /// Whether a token is this operator.
    #[must_use]
    pub fn is(&self, index: usize, op: Op) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == TokenKind::Op(op))
    }

    /// The line that a token stands on.
    #[must_use]
    pub fn line(&self, index: usize) -> usize {
        self.line_of[index] as usize
    }

    /// The innermost bracket around a token.
    #[must_use]
    pub fn parent(&self, index: usize) -> Option<usize> {
        let parent = self.parent[index];
        (parent != NONE).then_some(parent as usize)
    }

    /// The bracket that closes or opens with this one.
    #[must_use]
    pub fn partner(&self, index: usize) -> Option<usize> {
        let partner = self.partner[index];
        (partner != NONE).then_some(partner as usize)
    }

    /// The token range of a line, without its end.
    #[must_use]
    pub fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let first = self.lines[line].first;
        let end = self.lines.get(line + 1).map_or(self.tokens.len(), |next| next.first - 1);
        first.min(end)..end
    }

    /// Whether nothing stands on a line.
    #[must_use]
    pub fn is_blank(&self, line: usize) -> bool {
        self.line_range(line).is_empty()
    }

    /// The text of tokens `from..to`, as far as it is UTF-8.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        if from >= to {
            return "";
        }
        let bytes = &self.text[self.tokens[from].start..self.tokens[to - 1].end];
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        }
    }

    /// Whether a line is a comment: its first token is a comment's mark.
    #[must_use]
    pub fn is_comment(&self, line: usize) -> bool {
        let range = self.line_range(line);
        let Some(&token) = self.tokens[range.clone()].first() else { return false };
        match token.kind {
            // `#include "…"` is none.
            TokenKind::Op(Op::Hash) => !self.is_directive(range.start),
            TokenKind::Op(Op::Semicolon) => true,
            TokenKind::Op(Op::Slash) => {
                self.is(range.start + 1, Op::Slash)
                    || matches!(self.second(&range), Some(TokenKind::Op(Op::Other(b'*'))))
            }
            TokenKind::Op(Op::Other(b'*')) => true,
            TokenKind::Op(Op::Dash) => self.is(range.start + 1, Op::Dash),
            TokenKind::Op(Op::Less) => matches!(self.second(&range), Some(TokenKind::Op(Op::Other(b'!')))),
            _ => false,
        }
    }

    /// Whether a hash begins a directive of C's preprocessor.
    fn is_directive(&self, hash: usize) -> bool {
        let next = self.tokens.get(hash + 1).filter(|next| next.start == self.tokens[hash].end);
        next.is_some_and(|next| {
            matches!(
                &self.text[next.start..next.end],
                b"include"
                    | b"import"
                    | b"define"
                    | b"undef"
                    | b"pragma"
                    | b"if"
                    | b"ifdef"
                    | b"ifndef"
                    | b"else"
                    | b"endif"
            )
        })
    }

    /// Whether a time of day stands at the start of a line, as in logs: `09:00:01`.
    #[must_use]
    pub fn has_time(&self, line: usize) -> bool {
        const REACH: usize = 48;
        let range = self.line_range(line);
        let Some(first) = self.tokens[range.clone()].first() else { return false };
        let end = self.tokens[range.end - 1].end.min(first.start + REACH);
        self.text[first.start..end].windows(8).any(|part| {
            part.iter()
                .enumerate()
                .all(|(at, byte)| if at % 3 == 2 { *byte == b':' } else { byte.is_ascii_digit() })
        })
    }

    /// Whether nothing but quotes stands beside a token on its line.
    #[must_use]
    pub fn is_alone(&self, index: usize) -> bool {
        self.line_range(self.line(index)).all(|at| at == index || self.kind(at) == TokenKind::Quote)
    }

    fn second(&self, range: &std::ops::Range<usize>) -> Option<TokenKind> {
        self.tokens.get(range.start + 1).map(|token| token.kind)
    }

    /// Whether tokens `from..to` hold a candidate.
    #[must_use]
    pub fn holds_value(&self, from: usize, to: usize) -> bool {
        self.tokens[from..to].iter().any(|token| matches!(token.kind, TokenKind::Value(_)))
    }

    /// The start of the chain of names (`a.b`, `a::b`, `a-b`, `a["b"].c`, `a.b("c")`) that ends with the token at
    /// `last`, a word or a closing bracket.
    #[must_use]
    pub fn chain_start(&self, last: usize) -> usize {
        let mut start = last;
        loop {
            if let TokenKind::Close(_) = self.kind(start) {
                let Some(opener) = self.partner(start) else { return start };
                if self.holds_value(opener, start) || start - opener > 24 {
                    return start;
                }
                start = opener;
                // What is called or indexed stands right before the bracket.
                match start.checked_sub(1).map(|before| (before, self.kind(before))) {
                    Some((before, TokenKind::Word | TokenKind::Close(_))) if !self.tokens[start].spaced => {
                        start = before;
                        continue;
                    }
                    _ => return start,
                }
            }
            let Some(joiner) = start.checked_sub(1) else { return start };
            let joins = matches!(
                self.kind(joiner),
                TokenKind::Op(
                    Op::Dot | Op::Scope | Op::Arrow | Op::Dash | Op::Colon | Op::Other(b'!' | b'?' | b'*')
                )
            );
            if !joins || self.tokens[start].spaced || self.tokens[joiner].spaced {
                return start;
            }
            match joiner.checked_sub(1).map(|before| self.kind(before)) {
                Some(TokenKind::Word | TokenKind::Close(_)) => start = joiner - 1,
                _ => return start,
            }
        }
    }
}
