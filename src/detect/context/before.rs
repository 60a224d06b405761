//! What stands before a value, across glue and the ends of lines.

use super::Reader;
use crate::detect::lex::{Op, TokenKind};
use crate::rules::Tag;

pub(super) enum Before {
    /// The token before, quotes passed over.
    Token(usize),
    /// Nothing but white space stands before it on its line.
    LineStart,
}

/// How many words of a remark may stand before a value that was there before.
const MOST_REMARKS: usize = 3;

impl Reader<'_> {
    /// A value that is part of a path, a file name, a version or a longer word.
    pub(super) fn is_glued(&self, index: usize) -> bool {
        let page = self.page;
        let token = &page.tokens[index];
        let before = index.checked_sub(1).map(|before| &page.tokens[before]);
        let left = before.is_some_and(|before| {
            before.end == token.start
                && self.comment_start(index - 1).is_none()
                && match before.kind {
                    TokenKind::Op(Op::Slash) => !self.is_behind_value(index - 1),
                    TokenKind::Op(Op::Hash) => true,
                    // `{cipher}…`: encrypted.
                    TokenKind::Close(b'}') => page.partner(index - 1).is_some_and(|opener| {
                        self.name(page.slice(opener + 1, index - 1)).is_one_word(Tag::Hash)
                    }),
                    TokenKind::Op(Op::Other(b'*')) => !self.is_emphasis(index - 1),
                    TokenKind::Op(Op::Other(b'?' | b'%' | b'^')) => true,
                    TokenKind::Op(Op::Dash | Op::Dot) => {
                        !before.spaced
                            && index >= 2
                            && page.tokens[index - 2].end == before.start
                            && matches!(page.kind(index - 2), TokenKind::Word | TokenKind::Close(_))
                    }
                    _ => false,
                }
        });
        // `key=twilio_token:…`: a key in a cache.
        let in_key = index >= 4
            && page.is(index - 1, Op::Colon)
            && page.tokens[index - 4..index].windows(2).all(|pair| pair[0].end == pair[1].start)
            && page.tokens[index - 1].end == token.start
            && page.kind(index - 2) == TokenKind::Word
            && page.is(index - 3, Op::Assign)
            && page.kind(index - 4) == TokenKind::Word
            && self.name(page.slice(index - 4, index - 3)).is_one_word(Tag::Key);
        let assigned = before.is_some_and(|before| matches!(before.kind, TokenKind::Op(Op::Assign)));
        let right = !assigned
            && page.tokens.get(index + 1).is_some_and(|after| {
                after.start == token.end
                    && match after.kind {
                        // The password of a link, unless it leads to Twilio.
                        TokenKind::Op(Op::At) => {
                            let host = (index + 2..page.tokens.len().min(index + 12))
                                .take_while(|&t| {
                                    !matches!(page.kind(t), TokenKind::Line(_) | TokenKind::Op(Op::Slash))
                                })
                                .last()
                                .map_or("", |last| page.slice(index + 2, last + 1));
                            // `AC…:token@` is a pair whatever the host is called.
                            let is_paired = before
                                .is_some_and(|before| before.kind == TokenKind::Op(Op::Colon))
                                && index.checked_sub(2).is_some_and(|user| {
                                    !matches!(page.kind(user), TokenKind::Word | TokenKind::Op(_))
                                });
                            !is_paired && !self.name(host).brand
                        }
                        TokenKind::Op(Op::Slash) => true,
                        // `iv:ciphertext`
                        TokenKind::Op(Op::Colon) => page.tokens.get(index + 2).is_some_and(|next| {
                            const LONG: usize = 16;
                            next.start == after.end
                                && next.kind == TokenKind::Word
                                && next.end - next.start >= LONG
                        }),
                        TokenKind::Op(Op::Other(b'*')) => !self.is_emphasis(index + 1),
                        TokenKind::Op(Op::Other(b'?')) => true,
                        TokenKind::Op(Op::Dash | Op::Dot) => page
                            .tokens
                            .get(index + 2)
                            .is_some_and(|next| next.start == after.end && next.kind == TokenKind::Word),
                        _ => false,
                    }
            });
        left || right || in_key
    }

    /// Whether a slash stands right behind a value that begins its word, as in `AC…/token` and not in a link.
    pub(super) fn is_behind_value(&self, slash: usize) -> bool {
        let page = self.page;
        let Some(value) = slash.checked_sub(1) else { return false };
        let is_value = matches!(page.kind(value), TokenKind::Value(_));
        let in_path = value.checked_sub(1).is_some_and(|before| {
            page.is(before, Op::Slash) && page.tokens[before].end == page.tokens[value].start
        });
        is_value && !in_path
    }

    /// Whether an asterisk makes what it stands at bold, as Markdown does: `**value**`, `*value*`.
    fn is_emphasis(&self, asterisk: usize) -> bool {
        let page = self.page;
        let is_asterisk = |at: Option<usize>| at.is_some_and(|at| page.is(at, Op::Other(b'*')));
        is_asterisk(asterisk.checked_sub(1))
            || is_asterisk(Some(asterisk + 1))
            || (is_asterisk(asterisk.checked_sub(2)) || is_asterisk(Some(asterisk + 2)))
                && page.tokens[asterisk].spaced
    }

    /// The token before `at` that says how it is used: quotes, string prefixes and continued lines passed over.
    pub(super) fn before(&self, at: usize) -> Before {
        let page = self.page;
        let mut index = at;
        let mut quoted = false;
        while let Some(previous) = index.checked_sub(1) {
            if let Some(continued) = self.comment_mark(previous).and_then(|mark| self.continued(mark)) {
                index = continued;
                continue;
            }
            let token = &page.tokens[previous];
            let touches = token.end == page.tokens[index].start;
            match token.kind {
                TokenKind::Quote => quoted = true,
                // Erlang's binaries: `<<"…">>`.
                TokenKind::Op(Op::Less) if quoted && touches => {}
                TokenKind::Op(Op::Slash) => match self.comment_start(previous) {
                    Some(start) => {
                        index = start;
                        continue;
                    }
                    None => return Before::Token(previous),
                },
                TokenKind::Op(Op::At | Op::Other(b'$')) if quoted && touches => {}
                TokenKind::Word
                    if quoted
                        && touches
                        && matches!(
                            page.slice(previous, index),
                            "b" | "r" | "u" | "f" | "L" | "N" | "E" | "rb" | "br" | "u8" | "$"
                        ) => {}
                TokenKind::Line(_) => match self.continued(previous) {
                    Some(continued) => {
                        index = continued;
                        continue;
                    }
                    None => return Before::LineStart,
                },
                // A list's dash, a comment's mark, a quotation's or a table's edge at the start of a line.
                TokenKind::Op(Op::Dash | Op::Hash | Op::Greater | Op::Colon | Op::Other(b'*' | b'+'))
                    if page.lines[page.line(previous)].first == previous
                        && page.line(previous) == page.line(at)
                        && token.spaced =>
                {
                    return Before::LineStart;
                }
                _ => return Before::Token(previous),
            }
            index = previous;
        }
        Before::LineStart
    }

    /// Where a line's code ends: before the comment behind it.
    fn code_end(&self, range: &std::ops::Range<usize>) -> usize {
        let page = self.page;
        let is_mark = |t: &usize| {
            page.tokens[*t].spaced
                && (page.is(*t, Op::Hash) || (page.is(*t, Op::Slash) && page.is(t + 1, Op::Slash)))
        };
        (range.start + 1..range.end).find(is_mark).unwrap_or(range.end)
    }

    /// Where a comment begins that ends with the slash at `slash`: `/* the token */ "…"`.
    fn comment_start(&self, slash: usize) -> Option<usize> {
        const LONGEST: usize = 40;
        let page = self.page;
        let is_asterisk = |at: usize| page.is(at, Op::Other(b'*'));
        if !page.is(slash, Op::Slash) || !slash.checked_sub(1).is_some_and(is_asterisk) {
            return None;
        }
        (slash.saturating_sub(LONGEST)..slash - 1)
            .rev()
            .find(|&at| page.is(at, Op::Slash) && is_asterisk(at + 1))
    }

    /// The value whose place this one could take, in a comment behind it: `token = "…"; // "…"`.
    pub(super) fn alternate(&self, index: usize) -> Option<usize> {
        let page = self.page;
        let mut mark = index.checked_sub(1)?;
        while matches!(page.kind(mark), TokenKind::Quote | TokenKind::Op(Op::At)) {
            mark = mark.checked_sub(1)?;
        }
        // `// was …`, `# old: …`
        let mut has_words = false;
        for _ in 0..MOST_REMARKS {
            let is_remark = match page.kind(mark) {
                TokenKind::Word => !self.name(page.slice(mark, mark + 1)).is_informative(),
                TokenKind::Op(Op::Colon) => true,
                _ => false,
            };
            if !is_remark {
                break;
            }
            has_words = true;
            mark = mark.checked_sub(1)?;
        }
        if page.is(mark, Op::Slash) {
            mark = mark.checked_sub(1).filter(|&first| page.is(first, Op::Slash))?;
        } else if !page.is(mark, Op::Hash) {
            return None;
        }
        let ends = |at: &usize| {
            matches!(page.kind(*at), TokenKind::Quote | TokenKind::Op(Op::Semicolon | Op::Comma))
        };
        let before = (0..mark).rev().find(|at| !ends(at))?;
        let length = |at: usize| page.tokens[at].end - page.tokens[at].start;
        let is_value = matches!(page.kind(before), TokenKind::Value(_))
            && (!has_words || length(before) == length(index));
        (is_value && page.tokens[mark].spaced && page.line(before) == page.line(index)).then_some(before)
    }

    /// The end of the line above, for the last token of the mark that makes a line a comment as the one above is: a statement of
    /// several lines, commented out.
    fn comment_mark(&self, last: usize) -> Option<usize> {
        let page = self.page;
        let line = page.line(last);
        let first = page.lines[line].first;
        let is_mark = |at: usize| matches!(page.kind(at), TokenKind::Op(_));
        let above = line.checked_sub(1).filter(|&above| page.is_comment(above) && page.is_comment(line))?;
        (first..=last).all(is_mark).then(|| page.line_range(above).end)
    }

    /// Where the statement goes on above a line's start: one past the token that the line continues.
    fn continued(&self, line_token: usize) -> Option<usize> {
        let page = self.page;
        let mut end = line_token;
        let commented = page.is_comment(page.line(line_token) + 1);
        for _ in 0..6 {
            let line = page.line(end);
            let range = page.line_range(line);
            if range.is_empty() || (page.is_comment(line) && !commented) {
                // Blank lines and comments may stand inside of a call, nowhere else.
                let inside = page.parent(line_token).is_some_and(|p| page.kind(p) != TokenKind::Open(b'{'));
                if (range.is_empty() && !inside) || range.start == 0 {
                    return None;
                }
                end = range.start - 1;
                continue;
            }
            let mut last = self.code_end(&range) - 1;
            // YAML's block marks: `key: >-`.
            while last > range.start
                && matches!(page.kind(last), TokenKind::Op(Op::Greater | Op::Pipe | Op::Dash | Op::Join))
                && !page.tokens[last].spaced | matches!(page.kind(last - 1), TokenKind::Op(Op::Colon))
                && page.tokens[range.start..last].iter().any(|t| t.kind == TokenKind::Op(Op::Colon))
            {
                last -= 1;
            }
            let goes_on = match page.kind(last) {
                TokenKind::Op(Op::Assign | Op::Colon | Op::Or | Op::Join | Op::Backslash | Op::Arrow) => true,
                TokenKind::Op(Op::Comma) => {
                    page.parent(line_token).is_some_and(|p| page.kind(p) != TokenKind::Open(b'{'))
                }
                TokenKind::Open(_) => true,
                _ => false,
            };
            return goes_on.then_some(last + 1);
        }
        None
    }
}
