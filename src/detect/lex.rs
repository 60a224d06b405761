//! Text in any language as a flat run of words, quotes, operators and brackets, the way a reader's eye takes it
//! in. Escaped and encoded punctuation (`\"`, `&quot;`, `%3A`, `\u003d`, `\n` inside a string) reads as what it
//! stands for, so that code in a string in a notebook in JSON has the same shape as the code itself.

use super::runs::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Letters, digits, `_`, `$`, and everything that is not ASCII.
    Word,
    /// A candidate: its index in the list given to [`lex`].
    Value(usize),
    /// Any quotation mark.
    Quote,
    /// Punctuation that binds or separates.
    Op(Op),
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// The end of a line; the next one is indented by so many columns.
    Line(u32),
}

/// Punctuation by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`, `:=`, `=>`, `==`, `<-`, `+=` …
    Assign,
    /// `:`
    Colon,
    /// `::`
    Scope,
    /// `->`
    Arrow,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `.`
    Dot,
    /// `||`, `??`, `?:`
    Or,
    /// `|`
    Pipe,
    /// `+`, `..`, `<>`, `++`, `&`, `~`
    Join,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `/`
    Slash,
    /// `-`
    Dash,
    /// `@`
    At,
    /// `#`
    Hash,
    /// `\` that ends a line or escapes nothing.
    Backslash,
    /// Anything else.
    Other(u8),
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it starts, in bytes from the start of the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// White space stands before it.
    pub spaced: bool,
}

/// Reads `text[region]`; `values` are the candidates' spans in order, and each becomes one token.
#[must_use]
pub fn lex(text: &[u8], region: &Span, values: &[Span]) -> Vec<Token> {
    let mut lexer = Lexer { text, at: region.start, end: region.end, spaced: true, tokens: Vec::new() };
    let mut next_value = values.partition_point(|value| value.start < region.start);
    while lexer.at < lexer.end {
        let bound = match values.get(next_value) {
            Some(value) if value.start == lexer.at => {
                let end = value.end;
                lexer.push(TokenKind::Value(next_value), end - value.start);
                next_value += 1;
                continue;
            }
            // An escape that reaches into a value would lose it.
            Some(value) if value.start < lexer.at => {
                next_value += 1;
                continue;
            }
            Some(value) => value.start.min(lexer.end),
            None => lexer.end,
        };
        lexer.step(bound);
    }
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    spaced: bool,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn push(&mut self, kind: TokenKind, length: usize) {
        self.tokens.push(Token { kind, start: self.at, end: self.at + length, spaced: self.spaced });
        self.at += length;
        self.spaced = false;
    }

    fn skip(&mut self, length: usize) {
        self.at += length;
        self.spaced = true;
    }

    /// Takes one token that starts here and does not reach over `bound`.
    fn step(&mut self, bound: usize) {
        let rest = &self.text[self.at..bound];
        let byte = rest[0];
        let written = match byte {
            b'%' => hex_pair(rest, 1)
                .filter(|b| !b.is_ascii_alphanumeric() && *b < 0x7f)
                .map(|decoded| (decoded, 3)),
            b'&' => entity(rest),
            _ => None,
        };
        if let Some((decoded, length)) = written {
            return self.character(decoded, length);
        }
        match byte {
            b' ' | b'\t' | 0x0b | 0x0c | 0 => self.skip(1),
            b'\n' | b'\r' => {
                let length = if rest.starts_with(b"\r\n") { 2 } else { 1 };
                self.line(length);
            }
            // A terminal's colour, as it stands in logs, also where the escape itself got lost.
            0x1b | b'[' if colour(rest).is_some() => self.skip(colour(rest).unwrap_or(1)),
            0x1b => self.skip(1),
            b'\\' => self.backslash(rest),
            b'=' if rest.starts_with(b"=3D") => self.push(TokenKind::Op(Op::Assign), 3),
            b'_' | b'$' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => self.word(rest),
            0xe2 if is_typographic_quote(rest) => self.push(TokenKind::Quote, 3),
            0xef if rest.starts_with(&[0xef, 0xbb, 0xbf]) => self.skip(3),
            0xc2 if rest.starts_with(&[0xc2, 0xa0]) => self.skip(2),
            0x80.. => self.word(rest),
            _ => self.operator(rest),
        }
    }

    fn word(&mut self, rest: &[u8]) {
        let length = (0..rest.len())
            .position(|at| {
                let byte = rest[at];
                let typographic = byte >= 0x80
                    && (is_typographic_quote(&rest[at..]) || rest[at..].starts_with(&[0xc2, 0xa0]));
                !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80) || typographic
            })
            .unwrap_or(rest.len());
        self.push(TokenKind::Word, length.max(1));
    }

    fn line(&mut self, length: usize) {
        let indent =
            self.text[self.at + length..self.end].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.push(TokenKind::Line(indent as u32), length);
        self.spaced = true;
    }

    /// `\"`, `\\\"`, `\n`, `\u003d`, `\x22`, or a backslash that means nothing here.
    fn backslash(&mut self, rest: &[u8]) {
        let slashes = rest.iter().take_while(|&&b| b == b'\\').count();
        let Some(&next) = rest.get(slashes) else {
            return self.push(TokenKind::Op(Op::Backslash), slashes);
        };
        match next {
            b'"' | b'\'' | b'`' => self.push(TokenKind::Quote, slashes + 1),
            b'n' | b'r' => {
                let length = slashes + 1;
                self.line(length);
            }
            b't' => self.skip(slashes + 1),
            b'\n' | b'\r' => {
                // A continued line is one line; its indent is only white space.
                let newline = if rest[slashes..].starts_with(b"\r\n") { 2 } else { 1 };
                self.skip(slashes + newline);
            }
            b'u' | b'x' => {
                let digits = if next == b'u' { 4 } else { 2 };
                let decoded = rest
                    .get(slashes + 1..slashes + 1 + digits)
                    .and_then(|hex| std::str::from_utf8(hex).ok())
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                    .and_then(|code| u8::try_from(code).ok())
                    .filter(|b| !b.is_ascii_alphanumeric() && (0x20..0x7f).contains(b));
                match decoded {
                    Some(byte) => self.character(byte, slashes + 1 + digits),
                    None => self.push(TokenKind::Op(Op::Backslash), slashes),
                }
            }
            _ => self.push(TokenKind::Op(Op::Backslash), slashes),
        }
    }

    /// One character of punctuation that was written in `length` bytes.
    fn character(&mut self, byte: u8, length: usize) {
        match byte {
            b' ' | b'\t' => self.skip(length),
            b'\n' | b'\r' => self.line(length),
            _ => self.push(single(byte), length),
        }
    }

    fn operator(&mut self, rest: &[u8]) {
        const LONG: [(&[u8], Op); 24] = [
            (b"===", Op::Assign),
            (b"!==", Op::Assign),
            (b"||=", Op::Assign),
            (b"??=", Op::Assign),
            (b"<<-", Op::Assign),
            (b"...", Op::Other(b'.')),
            (b":=", Op::Assign),
            (b"=>", Op::Assign),
            (b"==", Op::Assign),
            (b"!=", Op::Assign),
            (b"+=", Op::Assign),
            (b"?=", Op::Assign),
            (b"=~", Op::Assign),
            (b".=", Op::Assign),
            (b"<-", Op::Assign),
            (b"->", Op::Arrow),
            (b"::", Op::Scope),
            (b"||", Op::Or),
            (b"??", Op::Or),
            (b"?:", Op::Or),
            (b"..", Op::Join),
            (b"<>", Op::Join),
            (b"++", Op::Join),
            (b"?.", Op::Dot),
        ];
        match LONG.iter().find(|(text, _)| rest.starts_with(text)) {
            Some((text, op)) => self.push(TokenKind::Op(*op), text.len()),
            None => self.push(single(rest[0]), 1),
        }
    }
}

/// `‘` to `‟`.
fn is_typographic_quote(text: &[u8]) -> bool {
    matches!(text.get(..3), Some([0xe2, 0x80, 0x98..=0x9f]))
}

fn single(byte: u8) -> TokenKind {
    match byte {
        b'"' | b'\'' | b'`' => TokenKind::Quote,
        b'(' | b'[' | b'{' => TokenKind::Open(byte),
        b')' | b']' | b'}' => TokenKind::Close(byte),
        b'=' => TokenKind::Op(Op::Assign),
        b':' => TokenKind::Op(Op::Colon),
        b',' => TokenKind::Op(Op::Comma),
        b';' => TokenKind::Op(Op::Semicolon),
        b'.' => TokenKind::Op(Op::Dot),
        b'|' => TokenKind::Op(Op::Pipe),
        b'+' | b'&' | b'~' => TokenKind::Op(Op::Join),
        b'<' => TokenKind::Op(Op::Less),
        b'>' => TokenKind::Op(Op::Greater),
        b'/' => TokenKind::Op(Op::Slash),
        b'-' => TokenKind::Op(Op::Dash),
        b'@' => TokenKind::Op(Op::At),
        b'#' => TokenKind::Op(Op::Hash),
        b'\\' => TokenKind::Op(Op::Backslash),
        _ => TokenKind::Op(Op::Other(byte)),
    }
}

/// The length of a terminal's colour code: `ESC [ 1 ; 32 m`.
fn colour(text: &[u8]) -> Option<usize> {
    let code = text.strip_prefix(b"\x1b").unwrap_or(text).strip_prefix(b"[")?;
    let digits = code.iter().take(10).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    let escape = usize::from(text[0] == 0x1b);
    (code.get(digits) == Some(&b'm') && digits + escape > 0).then_some(escape + digits + 2)
}

fn hex_pair(text: &[u8], at: usize) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(at..at + 2)?).ok()?;
    if digits.starts_with('+') { None } else { u8::from_str_radix(digits, 16).ok() }
}

/// The character that an XML or HTML entity of punctuation stands for, and its length in bytes.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    const NAMED: [(&[u8], u8); 6] = [
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&amp;", b'&'),
        (b"&nbsp;", b' '),
    ];
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| text.starts_with(name)) {
        return Some((*byte, name.len()));
    }
    let digits = text.strip_prefix(b"&#")?;
    let end = digits.iter().take(6).position(|&b| b == b';')?;
    let digits = std::str::from_utf8(&digits[..end]).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    u8::try_from(code).ok().filter(|b| b.is_ascii() && !b.is_ascii_alphanumeric()).map(|byte| (byte, end + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        lex(text.as_bytes(), &(0..text.len()), &[])
            .iter()
            .map(|token| match token.kind {
                TokenKind::Word => 'w',
                TokenKind::Value(_) => 'v',
                TokenKind::Quote => '"',
                TokenKind::Op(Op::Assign) => '=',
                TokenKind::Op(Op::Colon) => ':',
                TokenKind::Op(_) => 'o',
                TokenKind::Open(_) => '(',
                TokenKind::Close(_) => ')',
                TokenKind::Line(_) => '/',
            })
            .collect()
    }

    #[test]
    fn code_inside_strings_reads_as_the_code() {
        let plain = shape(r#""a": "b""#);
        for written in [
            r#"\"a\": \"b\""#,
            r#"\\\"a\\\": \\\"b\\\""#,
            "&quot;a&quot;: &quot;b&quot;",
            "%22a%22%3A%22b%22",
            r"\u0022a\u0022\u003a\u0022b\u0022",
            "&#34;a&#x22;: \u{201c}b\u{201d}",
        ] {
            assert_eq!(shape(written), plain, "{written}");
        }
        assert_eq!(shape(r"a=b\nc=d"), "w=w/w=w");
        assert_eq!(shape("a = \\\n  b"), "w=w");
    }

    #[test]
    fn arbitrary_bytes_are_lexed_to_the_end() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..2_000 {
            let text: Vec<u8> = (0..random.usize(1..80)).map(|_| random.u8(..)).collect();
            let tokens = lex(&text, &(0..text.len()), &[]);
            assert!(tokens.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
