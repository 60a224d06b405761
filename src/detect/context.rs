//! What stands around a value, read the way a person would: the name it is assigned to in any syntax, the call or
//! list it stands in, the value or name right before it, and the sections that enclose it.

use super::lex::{Op, TokenKind};
use super::name::{Name, Role};
use super::page::Page;
use crate::rules::Rules;

/// How many steps outwards (`Some(String::from(env("X", …)))`) are followed.
const MOST_STEPS: usize = 8;
/// How many enclosing sections are looked at.
const MOST_LEVELS: usize = 10;
/// How far up a section's head is looked for, in lines.
const MOST_LINES_UP: usize = 300;
/// A name longer than this is no name.
const LONGEST_NAME: usize = 120;

/// A section that encloses a value: a bracket, an indented block, an INI section.
#[derive(Debug, Clone)]
pub struct Level {
    /// Where it begins, in bytes of the text: its identity.
    pub id: usize,
    /// What it is called: the words before the bracket, the head line.
    pub head: Name,
    /// The head is a key (`twilio:`, `[twilio]`), not a statement.
    pub is_key: bool,
}

/// A name that bears on a value, and how.
#[derive(Debug, Clone)]
pub struct Named {
    /// How it bears on the value: `name`, `argument before it`, `call` …
    pub relation: &'static str,
    /// The name.
    pub name: Name,
}

/// What stands around a value.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Names that bear on it, the nearest first.
    pub names: Vec<Named>,
    /// The identifier that it is assigned to.
    pub ident: Option<String>,
    /// The candidate that stands right before it, with only separators between.
    pub after_value: Option<usize>,
    /// The words that stand right before it, with only a separator between.
    pub after_word: Option<String>,
    /// The call or list that it stands in: the bracket's place in bytes.
    pub list: Option<usize>,
    /// Its position in that list.
    pub position: usize,
    /// The enclosing sections, innermost first.
    pub levels: Vec<Level>,
    /// How many of the names were found before a list or call was left: those are its own.
    pub own_names: Option<usize>,
    /// It is an argument of a call that does not just pass it on, so the name that takes the result is not its own.
    pub in_call: bool,
    /// It is a part of a path, a file name or a longer word.
    pub glued: bool,
    /// The line, counted within the page.
    pub line: usize,
    /// The first and last line of its paragraph.
    pub paragraph: (usize, usize),
}

impl Context {
    /// The nearest name that says something of the value.
    #[must_use]
    pub fn informative(&self) -> Option<&Named> {
        self.names.iter().find(|named| named.name.is_informative())
    }
}

/// Reads what stands around tokens of a page.
pub struct Reader<'a> {
    rules: &'a Rules,
    page: &'a Page<'a>,
    has_sections: bool,
}

enum Before {
    /// The token before, quotes passed over.
    Token(usize),
    /// Nothing but white space stands before it on its line.
    LineStart,
}

impl<'a> Reader<'a> {
    /// A reader of a page.
    #[must_use]
    pub fn new(rules: &'a Rules, page: &'a Page<'a>) -> Self {
        let mut reader = Self { rules, page, has_sections: false };
        reader.has_sections = (0..page.lines.len()).any(|line| reader.is_section(line));
        reader
    }

    /// Reads what stands around the token at `index`, a value or a word.
    #[must_use]
    pub fn read(&self, index: usize) -> Context {
        let page = self.page;
        let mut context = Context {
            line: page.line(index),
            paragraph: self.paragraph(page.line(index)),
            ..Context::default()
        };
        context.glued = self.is_glued(index);
        let mut at = index;
        for _ in 0..MOST_STEPS {
            match self.step(index, at, &mut context) {
                Some(outer) => at = outer,
                None => break,
            }
        }
        if context.informative().is_none() && !context.names.iter().any(|n| n.name.value_holder) {
            self.trailing_comment(index, &mut context);
        }
        context.levels = self.levels(index);
        if context.names.first().is_some_and(|n| n.name.value_holder) || context.names.is_empty() {
            let holder = !context.names.is_empty();
            let companion =
                self.companion(index).or_else(|| if holder { self.first_argument(index) } else { None });
            if let Some(name) = companion {
                context.names.insert(0, Named { relation: "name beside it", name });
            } else if context.names.first().is_some_and(|n| n.name.value_holder)
                && let Some(level) = context.levels.iter().find(|level| !level.head.words.is_empty())
            {
                let name = level.head.clone();
                context.names.push(Named { relation: "section", name });
            }
        }
        if context.names.first().is_some_and(|n| n.name.value_holder)
            && context.informative().is_none()
            && let Some(name) = self.declared_left(index)
        {
            context.names.push(Named { relation: "declaration", name });
        }
        context
    }

    /// The first words of a value's line, for a tag behind a declaration: ``Token string `default:"…"` ``.
    fn declared_left(&self, index: usize) -> Option<Name> {
        let page = self.page;
        let range = page.line_range(page.line(index));
        let first = range.start;
        if first >= index || page.kind(first) != TokenKind::Word || page.holds_value(first, index) {
            return None;
        }
        let end = (first..index).take(4).take_while(|&token| page.kind(token) == TokenKind::Word).last()? + 1;
        Some(Name::read(self.rules, page.slice(first, end))).filter(Name::is_informative)
    }

    /// A value that is part of a path, a file name, a version or a longer word.
    fn is_glued(&self, index: usize) -> bool {
        let page = self.page;
        let token = &page.tokens[index];
        let before = index.checked_sub(1).map(|before| &page.tokens[before]);
        let left = before.is_some_and(|before| {
            before.end == token.start
                && match before.kind {
                    TokenKind::Op(Op::Slash | Op::Hash) => true,
                    TokenKind::Op(Op::Other(b'?' | b'*' | b'%' | b'^')) => true,
                    TokenKind::Op(Op::Dash | Op::Dot) => {
                        !before.spaced
                            && index >= 2
                            && page.tokens[index - 2].end == before.start
                            && matches!(page.kind(index - 2), TokenKind::Word | TokenKind::Close(_))
                    }
                    _ => false,
                }
        });
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
                            !host.to_ascii_lowercase().contains("twilio")
                        }
                        TokenKind::Op(Op::Slash) => true,
                        TokenKind::Op(Op::Other(b'?' | b'*')) => true,
                        TokenKind::Op(Op::Dash | Op::Dot) => page
                            .tokens
                            .get(index + 2)
                            .is_some_and(|next| next.start == after.end && next.kind == TokenKind::Word),
                        _ => false,
                    }
            });
        left || right
    }

    /// The token before `at` that says how it is used: quotes, string prefixes and continued lines passed over.
    fn before(&self, at: usize) -> Before {
        let page = self.page;
        let mut index = at;
        let mut quoted = false;
        while let Some(previous) = index.checked_sub(1) {
            let token = &page.tokens[previous];
            let touches = token.end == page.tokens[index].start;
            match token.kind {
                TokenKind::Quote => quoted = true,
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

    /// Where the statement goes on above a line's start: one past the token that the line continues.
    fn continued(&self, line_token: usize) -> Option<usize> {
        let page = self.page;
        let mut end = line_token;
        for _ in 0..6 {
            let line = page.line(end);
            let range = page.line_range(line);
            if range.is_empty() || page.is_comment(line) {
                // Blank lines and comments may stand inside of a call, nowhere else.
                let inside = page.parent(line_token).is_some_and(|p| page.kind(p) != TokenKind::Open(b'{'));
                if (range.is_empty() && !inside) || range.start == 0 {
                    return None;
                }
                end = range.start - 1;
                continue;
            }
            let mut last = range.end - 1;
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

    fn push(&self, context: &mut Context, relation: &'static str, text: &str) {
        let text = text.trim();
        if !text.is_empty() && text.len() <= LONGEST_NAME {
            context.names.push(Named { relation, name: Name::read(self.rules, text) });
        }
    }

    /// Looks at what stands before `at`, notes it, and returns where to look further outwards.
    fn step(&self, index: usize, at: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let before = match self.before(at) {
            Before::Token(before) => before,
            Before::LineStart => {
                if at == index {
                    self.line_start(index, context);
                }
                return None;
            }
        };
        match page.kind(before) {
            TokenKind::Op(Op::Assign) => {
                self.assigned(before, context);
                None
            }
            TokenKind::Op(Op::Arrow) => {
                self.key(before, context);
                None
            }
            TokenKind::Op(Op::Colon) => {
                if let Some(condition) = self.ternary(before) {
                    return self.conditional(condition, context);
                }
                self.key(before, context);
                None
            }
            TokenKind::Op(Op::Other(b'?')) if page.tokens[before].spaced => self.conditional(before, context),
            // `|_| value`
            TokenKind::Op(Op::Pipe) if self.closure(before).is_some() => self.closure(before),
            // `${NAME:-value}`
            TokenKind::Op(Op::Dash | Op::Other(b'?')) if before > 0 && page.is(before - 1, Op::Colon) => {
                self.key(before - 1, context);
                None
            }
            TokenKind::Op(Op::Or) => self.operand(before, context),
            TokenKind::Word if matches!(page.slice(before, before + 1), "or" | "else") => {
                self.operand(before, context)
            }
            TokenKind::Open(bracket) => self.opened(bracket, before, at, context),
            TokenKind::Op(Op::Comma) => self.listed(before, at, context),
            TokenKind::Op(Op::Greater) => {
                self.element(before, context);
                None
            }
            TokenKind::Op(Op::Pipe) => {
                self.cell(before, index, context);
                None
            }
            TokenKind::Op(Op::Semicolon) => {
                self.column(index, b';', context);
                None
            }
            TokenKind::Op(Op::Slash) => {
                if page.tokens[before].spaced {
                    // `account / token`
                    context.after_value =
                        self.skip_quotes(before).and_then(|last| self.last_value(last, last + 1));
                }
                context.glued |= at == index && !page.tokens[at].spaced;
                None
            }
            TokenKind::Op(Op::Join | Op::Dot) => self.joined(before, context),
            TokenKind::Value(value) => {
                if !page.tokens[index].spaced && page.tokens[before].end == page.tokens[index].start {
                    context.glued = true;
                }
                context.after_value = Some(value);
                None
            }
            _ => self.words_before(before, context),
        }
    }

    /// `left = value`: the declarator.
    fn assigned(&self, op: usize, context: &mut Context) {
        let page = self.page;
        let Some(mut last) = self.skip_quotes(op) else { return };
        let mut declared: Option<(usize, usize)> = None;
        for _ in 0..9 {
            match page.kind(last) {
                TokenKind::Word | TokenKind::Close(_) => {
                    let start = page.chain_start(last);
                    let name = Name::read(self.rules, page.slice(start, last + 1));
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
                // `Option<&str> =`, `&'static str =`, `*const c_char =`
                TokenKind::Op(Op::Greater | Op::Less | Op::Join | Op::Other(b'*')) | TokenKind::Quote => {
                    let Some(further) = last.checked_sub(1) else { break };
                    last = further;
                }
                TokenKind::Op(Op::Colon) => {
                    let Some(further) = last.checked_sub(1) else { break };
                    last = further;
                    declared = None;
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
            let text = page.slice(start, last + 1);
            if context.in_call {
                return self.result(context, text);
            }
            context.after_word.get_or_insert_with(|| text.to_owned());
            context.ident = identifier(page, start, last);
            self.push(context, "name", text);
        }
    }

    /// `key: value` and `user:password`.
    fn key(&self, op: usize, context: &mut Context) {
        let page = self.page;
        let Some(previous) = op.checked_sub(1) else { return };
        let Some(last) = self.skip_quotes(op) else { return };
        if let TokenKind::Value(value) = page.kind(last) {
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
            // A quoted key: everything back to the opening quote.
            let mut start = last;
            while start > 0
                && page.line(start - 1) == page.line(last)
                && page.kind(start - 1) != TokenKind::Quote
            {
                if matches!(page.kind(start - 1), TokenKind::Value(_)) {
                    break;
                }
                start -= 1;
            }
            let text = page.slice(start, last + 1);
            context.after_word.get_or_insert_with(|| text.to_owned());
            context.ident = identifier(page, last, last);
            return self.push(context, "key", text);
        }
        match page.kind(last) {
            TokenKind::Word | TokenKind::Close(_) => {
                let start = page.chain_start(last);
                let chain = page.slice(start, last + 1);
                context.after_word.get_or_insert_with(|| chain.to_owned());
                context.ident = identifier(page, start, last);
                let name = Name::read(self.rules, chain);
                let short = name.is_informative() || name.value_holder;
                let exact = name.role == Role::Exact || (name.is_informative() && name.role == Role::None);
                context.names.push(Named { relation: "key", name });
                // `Auth Token: …`, `the token for production: …`
                if !exact {
                    let start = self.phrase_start(start, 5);
                    let phrase = page.slice(start, last + 1);
                    if phrase.len() > chain.len() && phrase.len() <= LONGEST_NAME {
                        let name = Name::read(self.rules, phrase);
                        if !short
                            || name.role > context.names[context.names.len() - 1].name.role
                            || name.innocent
                        {
                            let place = context.names.len() - 1;
                            context.names.insert(place, Named { relation: "key", name });
                        }
                    }
                }
            }
            TokenKind::Op(Op::Other(b'*' | b'_') | Op::Greater) => {
                let _ = self.words_before(last, context);
            }
            _ => {}
        }
    }

    /// The `?` of `condition ? value : …` whose colon this is.
    fn ternary(&self, colon: usize) -> Option<usize> {
        let page = self.page;
        let value = self.skip_quotes(colon)?;
        let mut before = value.checked_sub(1)?;
        while page.kind(before) == TokenKind::Quote {
            before = before.checked_sub(1)?;
        }
        (page.is(before, Op::Other(b'?')) && page.tokens[before].spaced).then_some(before)
    }

    /// `name = condition ? value : value`: what the whole is assigned to; the condition has no say.
    fn conditional(&self, question: usize, context: &mut Context) -> Option<usize> {
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
    fn closure(&self, pipe: usize) -> Option<usize> {
        let page = self.page;
        let open = (pipe.saturating_sub(6)..pipe).rev().find(|&token| page.is(token, Op::Pipe))?;
        let called =
            open.checked_sub(1).is_some_and(|before| matches!(page.kind(before), TokenKind::Open(b'(')));
        called.then_some(open)
    }

    /// `left || value`: what the value stands in for, then what the whole is assigned to.
    fn operand(&self, op: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let last = self.skip_quotes(op)?;
        let start = match page.kind(last) {
            TokenKind::Word | TokenKind::Close(_) => page.chain_start(last),
            _ => return None,
        };
        self.push(context, "what it stands in for", page.slice(start, last + 1));
        Some(start)
    }

    /// The value is the first thing in a bracket.
    fn opened(&self, bracket: u8, opener: usize, at: usize, context: &mut Context) -> Option<usize> {
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
        let name = Name::read(self.rules, text);
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
    fn callee(&self, opener: usize) -> Option<(usize, usize)> {
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
    fn result(&self, context: &mut Context, text: &str) {
        let name = Name::read(self.rules, text);
        if name.role != Role::None && text.len() <= LONGEST_NAME {
            context.names.push(Named { relation: "name", name });
        }
    }

    /// After an informative call nothing further out is nearer, but the variable that takes its result may be the
    /// one that is used: `client = Client("…")` has no say, `authToken = decrypt("…")` has.
    fn through(&self, start: usize, context: &mut Context) {
        if let Some(before) = start.checked_sub(1)
            && self.page.is(before, Op::Assign)
            && context.names.last().is_some_and(|n| n.name.role == Role::None)
        {
            self.assigned(before, context);
        }
    }

    /// The value comes after a comma.
    fn listed(&self, comma: usize, at: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        let opener = page.parent(comma);
        // The argument before.
        let mut start = comma;
        while start > 0 {
            let token = start - 1;
            if Some(token) == opener || (page.is(token, Op::Comma) && page.parent(token) == opener) {
                break;
            }
            if opener.is_none()
                && matches!(page.kind(token), TokenKind::Line(_) | TokenKind::Op(Op::Semicolon))
            {
                break;
            }
            if comma - start > 60 {
                break;
            }
            start -= 1;
        }
        if let Some(opener) = opener {
            if context.list.is_none() {
                context.list = Some(page.tokens[opener].start);
            }
            if context.position == 0 {
                context.position = (opener..=comma)
                    .filter(|&t| page.is(t, Op::Comma) && page.parent(t) == Some(opener))
                    .count();
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
                let name = Name::read(self.rules, text);
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

    /// `a + ":" + value`
    fn joined(&self, op: usize, context: &mut Context) -> Option<usize> {
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

    /// `<name>value`, `<string name="name">value`, `<key>name</key><string>value`, `<b>Name</b> value`.
    fn element(&self, close: usize, context: &mut Context) {
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
                let name = Name::read(self.rules, page.slice(open + 1, tag_end));
                if depth == 0 && name.is_informative() && !name.value_holder {
                    context.names.push(Named { relation: "element", name });
                    return;
                }
                if let Some(attribute) = self.attribute(open + 1, at) {
                    context.names.push(Named { relation: "element", name: attribute });
                    if context.names.last().is_some_and(|n| n.name.is_informative()) {
                        return;
                    }
                } else if depth == 0 && !text.is_empty() {
                    context.names.push(Named { relation: "element", name });
                }
            }
            // What stands before the tag: another tag, or text.
            let mut previous = open;
            loop {
                let Some(before) = previous.checked_sub(1) else { return };
                match page.kind(before) {
                    TokenKind::Line(_) | TokenKind::Op(Op::Colon | Op::Dash) => previous = before,
                    _ => break,
                }
            }
            let Some(before) = previous.checked_sub(1) else { return };
            match page.kind(before) {
                TokenKind::Op(Op::Greater) => at = before,
                TokenKind::Word => {
                    let mut start = before;
                    while start > 0
                        && before - start < 8
                        && matches!(
                            page.kind(start - 1),
                            TokenKind::Word | TokenKind::Op(Op::Dot | Op::Dash | Op::Colon)
                        )
                    {
                        start -= 1;
                    }
                    let name = Name::read(self.rules, page.slice(start, before + 1));
                    // `<key>name</key>` and the like come first; the element's own name says little.
                    context.names.insert(0, Named { relation: "label", name });
                    return;
                }
                TokenKind::Value(value) => {
                    context.after_value = Some(value);
                    return;
                }
                _ => return,
            }
        }
    }

    /// The name in an element's `name="…"`, `key="…"` or `id="…"`.
    fn attribute(&self, from: usize, to: usize) -> Option<Name> {
        let page = self.page;
        let mut best: Option<Name> = None;
        for at in from..to {
            if page.kind(at) != TokenKind::Word || !page.is(at + 1, Op::Assign) {
                continue;
            }
            if !Name::read(self.rules, page.slice(at, at + 1)).name_holder {
                continue;
            }
            let start = (at + 2..to).find(|&t| page.kind(t) != TokenKind::Quote)?;
            let end = (start..to).find(|&t| page.kind(t) == TokenKind::Quote).unwrap_or(to);
            if start < end && !page.holds_value(start, end) {
                let name = Name::read(self.rules, page.slice(start, end));
                if best.as_ref().is_none_or(|b| !b.is_informative()) {
                    best = Some(name);
                }
            }
        }
        best
    }

    /// A cell of a Markdown or ASCII table: the cell before it, or the head of its column.
    fn cell(&self, pipe: usize, index: usize, context: &mut Context) {
        let page = self.page;
        let line = page.line(index);
        let range = page.line_range(line);
        let pipes =
            |range: std::ops::Range<usize>| range.filter(|&t| page.is(t, Op::Pipe)).collect::<Vec<_>>();
        let row = pipes(range.clone());
        if row.len() < 2 && range.start != pipe && row.first() != Some(&pipe) {
            return;
        }
        let column = row.iter().position(|&p| p == pipe).unwrap_or(0);
        let offset = usize::from(range.start != row[0]);
        let previous_start = if column > 0 { row[column - 1] + 1 } else { range.start };
        if let Some(value) = self.last_value(previous_start, pipe) {
            context.after_value = Some(value);
        }
        // The table's first line.
        let mut head = line;
        while head > 0 && pipes(page.line_range(head - 1)).len() == row.len() {
            head -= 1;
        }
        if head < line {
            let cells = page.line_range(head);
            let edges = pipes(cells.clone());
            if let Some(&edge) = edges.get(column) {
                let to = edges.get(column + 1).copied().unwrap_or(cells.end);
                let (from, to) = self.trim(edge + 1, to.max(edge + 1));
                let name = Name::read(self.rules, page.slice(from, to));
                if name.is_informative() && !page.holds_value(from, to.max(from)) {
                    context.names.push(Named { relation: "column", name });
                    return;
                }
            }
        }
        let _ = offset;
        if previous_start < pipe {
            let (from, to) = self.trim(previous_start, pipe);
            self.push(context, "cell before it", page.slice(from, to));
        }
    }

    /// A field of a delimited file: the head of its column. Says whether there is one.
    fn column(&self, index: usize, delimiter: u8, context: &mut Context) -> bool {
        let text = self.page.text;
        let start = self.page.tokens[index].start;
        let line_start = text[..start].iter().rposition(|&b| b == b'\n' || b == b'\r').map_or(0, |at| at + 1);
        if line_start == 0 || start - line_start > 8192 {
            return false;
        }
        let Some(head) = head_line(text, line_start, delimiter) else { return false };
        let fields = fields_of(head, delimiter);
        let place = fields_before(&text[line_start..start], delimiter);
        let Some(field) = fields.get(place).and_then(|f| std::str::from_utf8(f).ok()) else { return false };
        let field =
            field.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '\u{feff}');
        if field.is_empty() {
            return false;
        }
        if place > 0 && Name::read(self.rules, field).value_holder {
            // `key,value`: the field before it is its name.
            let row = fields_of(&text[line_start..start], delimiter);
            let Some(name) = row.get(place - 1).and_then(|f| std::str::from_utf8(f).ok()) else {
                return false;
            };
            self.push(context, "field before it", name.trim_matches(['"', '\'', ' ']));
            return true;
        }
        self.push(context, "column", field);
        true
    }

    /// The column that a value of an SQL insert goes into: `(a, b) VALUES ('…', '…'), ('…', '…')`.
    fn sql_column(&self, opener: usize, at: usize) -> Option<Name> {
        let page = self.page;
        if page.kind(opener) != TokenKind::Open(b'(') {
            return None;
        }
        // Back over earlier rows to the word VALUES.
        let mut row = opener;
        for _ in 0..5_000 {
            let mut before = row.checked_sub(1)?;
            while matches!(page.kind(before), TokenKind::Line(_)) {
                before = before.checked_sub(1)?;
            }
            match page.kind(before) {
                TokenKind::Op(Op::Comma) => {
                    let mut close = before.checked_sub(1)?;
                    while matches!(page.kind(close), TokenKind::Line(_)) {
                        close = close.checked_sub(1)?;
                    }
                    row = page.partner(close)?;
                }
                TokenKind::Word if page.slice(before, before + 1).eq_ignore_ascii_case("values") => {
                    let mut close = before.checked_sub(1)?;
                    while matches!(page.kind(close), TokenKind::Line(_)) {
                        close = close.checked_sub(1)?;
                    }
                    let columns = page.partner(close)?;
                    let place = (opener..at)
                        .filter(|&t| page.is(t, Op::Comma) && page.parent(t) == Some(opener))
                        .count();
                    let mut start = columns + 1;
                    let mut seen = 0;
                    for token in columns + 1..=close {
                        let ends = token == close
                            || (page.is(token, Op::Comma) && page.parent(token) == Some(columns));
                        if ends {
                            if seen == place {
                                let (from, to) = self.trim(start, token);
                                return Some(Name::read(self.rules, page.slice(from, to)));
                            }
                            seen += 1;
                            start = token + 1;
                        }
                    }
                    return None;
                }
                _ => return None,
            }
        }
        None
    }

    /// `ENV NAME value`, `--auth-token value`, `the auth token is value`, `login AC… password value`.
    ///
    /// Returns where to look further outwards, where the only word is a command that passes its argument on.
    fn words_before(&self, mut last: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        // A length in brackets says nothing: `string(32) "…"`.
        if let (TokenKind::Close(_), Some(opener)) = (page.kind(last), page.partner(last))
            && opener > 0
            && page.slice(opener + 1, last).bytes().all(|b| b.is_ascii_digit())
        {
            last = opener - 1;
        }
        let line = page.line(last);
        let mut start = last + 1;
        let mut words = 0;
        let mut best: Option<Name> = None;
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
                    let name = Name::read(self.rules, phrase);
                    let done = name.role == Role::Exact
                        || (best.as_ref().is_some_and(|b| b.role >= Role::Plain && name.role == b.role)
                            && words > 2);
                    if best
                        .as_ref()
                        .is_none_or(|b| !b.is_informative() || (name.role > b.role && !name.innocent))
                    {
                        best = Some(name);
                    }
                    if done {
                        break;
                    }
                }
                TokenKind::Value(value) => {
                    context.after_value = Some(value);
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
        if let Some(name) = best {
            if (name.wrapper || name.value_holder) && words == 1 {
                return Some(start);
            }
            if page.kind(last) == TokenKind::Word {
                context.ident = Some(page.slice(last, last + 1).to_owned());
                context.after_word = Some(page.slice(page.chain_start(last), last + 1).to_owned());
            }
            context.names.push(Named { relation: "words before it", name });
        }
        None
    }

    /// A value that stands first on its line: the label or value on the line above, or the first column of a table.
    fn line_start(&self, index: usize, context: &mut Context) {
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
        let line = page.line(index);
        let mut above = line;
        for _ in 0..2 {
            let Some(previous) = above.checked_sub(1) else { return };
            above = previous;
            if !page.is_blank(above) {
                break;
            }
        }
        let range = page.line_range(above);
        if range.is_empty() {
            return;
        }
        if let Some(value) = self.last_value(range.start, range.end) {
            // Two values on two lines, nothing else on either.
            if range.len() <= 3 {
                context.after_value = Some(value);
            }
            return;
        }
        let words = range.clone().filter(|&t| page.kind(t) == TokenKind::Word).count();
        if words > 0 && words <= 5 && range.len() <= 10 {
            self.push(context, "line above", page.slice(range.start, range.end));
        }
    }

    /// `"value", // Auth Token`
    fn trailing_comment(&self, index: usize, context: &mut Context) {
        let page = self.page;
        let range = page.line_range(page.line(index));
        let mark = (index + 1..range.end).find(|&t| {
            page.tokens[t].spaced
                && (page.is(t, Op::Hash)
                    || (page.is(t, Op::Slash) && page.is(t + 1, Op::Slash))
                    || (page.is(t, Op::Dash)
                        && page.is(t + 1, Op::Dash)
                        && page.tokens.get(t + 2).is_some_and(|next| next.spaced)))
        });
        let Some(mark) = mark else { return };
        if page.holds_value(mark, range.end) || page.holds_value(index + 1, mark) {
            return;
        }
        let from = (mark..range.end).find(|&t| page.kind(t) == TokenKind::Word);
        if let Some(from) = from {
            let to = range.end.min(from + 8);
            let name = Name::read(self.rules, page.slice(from, to));
            if name.is_informative() {
                context.names.push(Named { relation: "comment", name });
            }
        }
    }

    /// For a value whose own name only says "value": the name that stands beside it in the same object, element,
    /// list item or line.
    fn companion(&self, index: usize) -> Option<Name> {
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
            let mut best: Option<(usize, Name)> = None;
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
                let key = Name::read(self.rules, page.slice(at, at + 1));
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
                let name = Name::read(self.rules, page.slice(start, end));
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
        None
    }

    /// The first argument of the call that a value stands in: `option("--auth-token", default="…")`.
    fn first_argument(&self, index: usize) -> Option<Name> {
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
        (!text.is_empty() && text.len() <= LONGEST_NAME).then(|| Name::read(self.rules, text))
    }

    /// The lines of the list item (YAML) that a line belongs to.
    fn item_lines(&self, line: usize) -> (usize, usize) {
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

    /// The sections around a token, innermost first.
    fn levels(&self, index: usize) -> Vec<Level> {
        let page = self.page;
        let mut levels: Vec<Level> = Vec::new();
        let mut inner = index;
        while let Some(opener) = page.parent(inner) {
            levels.push(self.bracket_level(opener));
            inner = opener;
            if levels.len() >= MOST_LEVELS {
                break;
            }
        }
        let line = page.line(index);
        let mut indent = page.lines[line].indent;
        let range = page.line_range(line);
        if range
            .clone()
            .next()
            .is_some_and(|t| page.is(t, Op::Dash) && page.tokens.get(t + 1).is_some_and(|n| n.spaced))
        {
            levels.push(Level { id: page.tokens[range.start].start, head: Name::default(), is_key: false });
        }
        let mut section = false;
        let mut above = line;
        let mut found = 0;
        while above > 0 && line - above < MOST_LINES_UP && found < MOST_LEVELS {
            above -= 1;
            let range = page.line_range(above);
            if range.is_empty() {
                continue;
            }
            if indent == 0 && (section || !self.has_sections) {
                break;
            }
            if !section && self.has_sections && self.is_section(above) {
                section = true;
                levels.push(Level {
                    id: page.tokens[range.start].start,
                    head: Name::read(self.rules, page.slice(range.start, range.end)),
                    is_key: true,
                });
            }
            if page.lines[above].indent >= indent || page.is_comment(above) {
                continue;
            }
            indent = page.lines[above].indent;
            found += 1;
            let last = page.kind(range.end - 1);
            let heads = matches!(last, TokenKind::Op(Op::Colon | Op::Pipe | Op::Greater))
                || page.is(range.start, Op::Dash)
                || (last == TokenKind::Word && matches!(page.slice(range.end - 1, range.end), "do" | "then"))
                || page.tokens[range.clone()].iter().any(|t| {
                    t.kind == TokenKind::Word
                        && matches!(
                            &page.text[t.start..t.end],
                            b"class" | b"module" | b"def" | b"defmodule" | b"object" | b"config"
                        )
                });
            if heads {
                let is_key = matches!(last, TokenKind::Op(Op::Colon)) && range.len() <= 6;
                let text = page.slice(range.start, range.end.min(range.start + 16));
                let holds = page.holds_value(range.start, range.end);
                let head = if holds { Name::default() } else { Name::read(self.rules, text) };
                levels.push(Level { id: page.tokens[range.start].start, head, is_key });
            }
        }
        levels.sort_by_key(|level| std::cmp::Reverse(level.id));
        levels.dedup_by_key(|level| level.id);
        levels.truncate(MOST_LEVELS);
        levels
    }

    fn bracket_level(&self, opener: usize) -> Level {
        let page = self.page;
        let id = page.tokens[opener].start;
        let mut start = opener;
        let mut words = 0;
        let line = page.line(opener);
        while start > 0 && words < 5 {
            let token = start - 1;
            match page.kind(token) {
                TokenKind::Word => {
                    start = page.chain_start(token);
                    words += 1;
                }
                TokenKind::Quote
                | TokenKind::Op(
                    Op::Assign | Op::Colon | Op::Scope | Op::Dot | Op::Greater | Op::Less | Op::Arrow,
                ) => start = token,
                TokenKind::Close(_) => match page.partner(token) {
                    Some(inner) if !page.holds_value(inner, token) && token - inner < 30 => {
                        start = page.chain_start(token).min(inner);
                    }
                    _ => break,
                },
                TokenKind::Line(_) if words == 0 && page.line(token) + 1 == line => start = token,
                _ => break,
            }
            if page.line(start) + 1 < line {
                break;
            }
        }
        while start < opener && !matches!(page.kind(start), TokenKind::Word) {
            start += 1;
        }
        // What is passed to a call, or listed in a statement's brackets, does not say what the section is.
        let mut text = String::new();
        let mut token = start;
        while token < opener && text.len() < LONGEST_NAME {
            text.push_str(page.slice(token, token + 1));
            text.push(if page.tokens.get(token + 1).is_some_and(|next| next.spaced) { ' ' } else { '\u{1}' });
            let skip =
                matches!(page.kind(token), TokenKind::Open(b'(')).then(|| page.partner(token)).flatten();
            token = skip.filter(|&close| close < opener).unwrap_or(token) + 1;
        }
        let text = text.replace('\u{1}', "");
        Level { id, head: Name::read(self.rules, &text), is_key: words <= 2 }
    }

    /// `[section]` or `--- section ---` alone on a line.
    fn is_section(&self, line: usize) -> bool {
        let page = self.page;
        let range = page.line_range(line);
        range.len() >= 3
            && range.len() <= 12
            && page.lines[line].indent == 0
            && page.kind(range.start) == TokenKind::Open(b'[')
            && page.kind(range.end - 1) == TokenKind::Close(b']')
            && !page.holds_value(range.start, range.end)
            && range.clone().any(|t| page.kind(t) == TokenKind::Word)
            && !range.clone().any(|t| page.is(t, Op::Comma))
    }

    /// The first and last line of the paragraph around a line: no blank line, no more than 40 lines either way.
    fn paragraph(&self, line: usize) -> (usize, usize) {
        let page = self.page;
        let mut first = line;
        while first > 0 && line - first < 40 && !page.is_blank(first - 1) {
            first -= 1;
        }
        let mut last = line;
        while last + 1 < page.lines.len() && last - line < 40 && !page.is_blank(last + 1) {
            last += 1;
        }
        (first, last)
    }

    fn skip_quotes(&self, op: usize) -> Option<usize> {
        let mut last = op.checked_sub(1)?;
        while self.page.kind(last) == TokenKind::Quote {
            last = last.checked_sub(1)?;
        }
        Some(last)
    }

    fn last_value(&self, from: usize, to: usize) -> Option<usize> {
        self.page.tokens[from..to]
            .iter()
            .rev()
            .find_map(|t| if let TokenKind::Value(v) = t.kind { Some(v) } else { None })
    }

    fn phrase_start(&self, mut start: usize, most: usize) -> usize {
        let page = self.page;
        for _ in 0..most {
            let Some(previous) = start.checked_sub(1) else { break };
            if page.line(previous) != page.line(start) || page.kind(previous) != TokenKind::Word {
                break;
            }
            start = page.chain_start(previous);
        }
        start
    }

    /// `from..to` without quotes and line ends at its edges.
    fn trim(&self, mut from: usize, mut to: usize) -> (usize, usize) {
        let page = self.page;
        let edge = |kind: TokenKind| {
            matches!(
                kind,
                TokenKind::Quote | TokenKind::Line(_) | TokenKind::Op(Op::Other(b'*') | Op::Colon | Op::At)
            )
        };
        while from < to && edge(page.kind(from)) {
            from += 1;
        }
        while to > from && edge(page.kind(to - 1)) {
            to -= 1;
        }
        (from, to)
    }
}

impl Page<'_> {
    /// Whether the operator at `op` leads to the value at `index` with only quotes between.
    fn is_value_of(&self, op: usize, index: usize) -> bool {
        op < index && self.tokens[op + 1..index].iter().all(|t| t.kind == TokenKind::Quote)
    }
}

/// Whether a name is that of an identifier that goes before a secret: `account_sid`, `sid`, `username`.
#[must_use]
pub fn ends_with_sid(name: &Name) -> bool {
    name.words.iter().any(|word| matches!(word.as_str(), "sid" | "sids" | "username" | "user"))
        && !name.words.iter().any(|word| matches!(word.as_str(), "secret" | "token" | "password"))
}

fn identifier(page: &Page<'_>, start: usize, last: usize) -> Option<String> {
    let word = (start..=last).rev().find(|&t| page.kind(t) == TokenKind::Word)?;
    let text = page.slice(word, word + 1).trim_start_matches('$');
    (!text.is_empty() && text.len() <= 64).then(|| text.to_owned())
}

/// The head of a delimited file or of the block that a line belongs to, if its first line is one.
fn head_line(text: &[u8], line_start: usize, delimiter: u8) -> Option<&[u8]> {
    let first = &text[..text.iter().take(4096).position(|&b| b == b'\n' || b == b'\r')?];
    let looks_like_head = |line: &[u8]| {
        let fields = fields_of(line, delimiter);
        fields.len() >= 2
            && fields.iter().all(|field| {
                field.len() <= 40 && !field.contains(&b'=') && !field.contains(&b'(') && !is_long_value(field)
            })
            && fields.iter().filter(|field| field.iter().any(u8::is_ascii_alphabetic)).count() * 2
                > fields.len()
    };
    let width = |line: &[u8]| fields_of(line, delimiter).len();
    let row_end = text[line_start..]
        .iter()
        .position(|&b| b == b'\n' || b == b'\r')
        .map_or(text.len(), |at| line_start + at);
    let row = &text[line_start..row_end];
    (looks_like_head(first) && width(first) == width(row)).then_some(first)
}

/// Whether a field is a value and no name: long, with many digits.
fn is_long_value(field: &[u8]) -> bool {
    field.len() >= 24 && field.iter().filter(|b| b.is_ascii_digit()).count() >= 4
}

fn fields_of(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let mut quoted = false;
    line.split(|&b| {
        quoted ^= b == b'"';
        b == delimiter && !quoted
    })
    .collect()
}

fn fields_before(text: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    text.iter()
        .filter(|&&b| {
            quoted ^= b == b'"';
            b == delimiter && !quoted
        })
        .count()
}
