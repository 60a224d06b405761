//! What stands around a value, read the way a person would: the name it is assigned to in any syntax, the call or
//! list it stands in, the value or name right before it, and the sections that enclose it.

mod assigned;
mod before;
mod companion;
mod listed;
mod markup;
mod named;
mod section;
mod spoken;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::lex::{Op, TokenKind};
use super::name::{Name, Role};
use super::page::Page;
use crate::rules::{Rules, Tag};
use before::Before;

pub use named::{Named, Relation};

/// How many steps outwards (`Some(String::from(env("X", …)))`) are followed.
const MOST_STEPS: usize = 8;
/// How many enclosing sections are looked at.
const MOST_LEVELS: usize = 10;
/// How far up a section's head is looked for, in lines.
const MOST_LINES_UP: usize = 300;
/// How many names of one page are kept: those that recur come early.
const MOST_NAMES: usize = 2_048;
/// A name longer than this is no name.
const LONGEST_NAME: usize = 120;

/// A section that encloses a value: a bracket, an indented block, an INI section.
#[derive(Debug, Clone)]
pub struct Level {
    /// Where it begins, in bytes of the text: its identity.
    pub id: usize,
    /// What it is called: the words before the bracket, the head line.
    pub head: Rc<Name>,
    /// The head is a key (`twilio:`, `[twilio]`), not a statement.
    pub is_key: bool,
}

impl Level {
    /// Whether it says that what it holds are secrets: `tokens: {…}`, `const tokens = {…}`.
    #[must_use]
    pub fn names_secrets(&self) -> bool {
        let is_declared = self.head.text.trim_end().ends_with('=');
        // Of `token: {iv: …, tag: …}` each is a part of one.
        let is_plural = self.head.words.last().is_some_and(|word| word.ends_with('s'));
        (self.is_key || is_declared) && is_plural && self.head.role >= Role::Plain
    }
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
    /// What stands right before it in its list or before its separator, where that is no value: `Client(account_sid, "…")`.
    pub previous: Option<Rc<Name>>,
    /// That is a literal: `define("USER_ID", "…")` says what the value is called, and not what goes before it.
    pub is_previous_literal: bool,
    /// What the row that it stands in is called, where a column says so.
    pub row: Option<Rc<Name>>,
    /// It stands behind a user and a colon where a user and a password are put together.
    pub basic: bool,
    /// It is compared with what a call returns.
    pub compared: bool,
    /// What is called, where the value is an argument.
    pub callee: Option<Rc<Name>>,
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
    /// It stands in a comment behind another value, whose place it could take.
    pub is_alternate: bool,
    /// Its line is one of a log's: it has a time of day at its start.
    pub is_logged: bool,
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
    /// Names that were read already: most recur.
    names: RefCell<HashMap<Box<str>, Rc<Name>>>,
    page: &'a Page<'a>,
    heads: &'a super::heads::Heads<'a>,
    has_sections: bool,
    /// A row of the table that was looked at last: its line, how many pipes it has, and the table's first line.
    table: Cell<(usize, usize, usize)>,
}

impl<'a> Reader<'a> {
    /// A reader of a page.
    #[must_use]
    pub fn new(rules: &'a Rules, page: &'a Page<'a>, heads: &'a super::heads::Heads<'a>) -> Self {
        let names = RefCell::default();
        let mut reader = Self { rules, names, page, heads, has_sections: false, table: Cell::default() };
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
            is_logged: page.has_time(page.line(index)),
            ..Context::default()
        };
        context.glued = self.is_glued(index);
        let alternate = self.alternate(index);
        context.is_alternate = alternate.is_some();
        let index = alternate.unwrap_or(index);
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
        self.keyword_argument(index, &mut context);
        context.levels = self.levels(index);
        self.name_beside(index, &mut context);
        // `tokens: {eu: "…", us: "…"}`
        if let [Named { relation: Relation::Key, name }] = &context.names[..]
            && !name.is_informative()
            && let Some(level) = context.levels.first().filter(|level| level.names_secrets())
        {
            let name = level.head.clone();
            context.names.push(Named { relation: Relation::Section, name });
        }
        if context.names.first().is_some_and(|n| n.name.value_holder)
            && context.informative().is_none()
            && let Some(name) = self.declared_left(index)
        {
            context.names.push(Named { relation: Relation::Declaration, name });
        }
        context
    }

    /// The file's name, for a value that is all that the file holds, as secrets are mounted into containers.
    pub(in crate::detect) fn name_by_file(&self, index: usize, path: &str, context: &mut Context) {
        let page = self.page;
        let token = &page.tokens[index];
        let is_alone = page.text[..token.start].trim_ascii().is_empty()
            && page.text[token.end..].trim_ascii().is_empty();
        let file = path.rsplit(['/', '!']).next().unwrap_or(path);
        let stem = file.split_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem });
        if is_alone && !stem.is_empty() && stem.len() <= LONGEST_NAME {
            context.names.push(Named { relation: Relation::File, name: self.name(stem) });
        }
    }

    /// The first words of a value's line, for a tag behind a declaration: ``Token string `default:"…"` ``.
    fn declared_left(&self, index: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let range = page.line_range(page.line(index));
        let first = range.start;
        if first >= index || page.kind(first) != TokenKind::Word || page.holds_value(first, index) {
            return None;
        }
        let end = (first..index).take(4).take_while(|&token| page.kind(token) == TokenKind::Word).last()? + 1;
        Some(self.name(page.slice(first, end))).filter(|name| name.is_informative())
    }

    /// A name, read once for each of its texts. What is too long to be one says nothing.
    pub(in crate::detect) fn name(&self, text: &str) -> Rc<Name> {
        let text = if text.len() <= LONGEST_NAME { text } else { "" };
        if let Some(name) = self.names.borrow().get(text) {
            return Rc::clone(name);
        }
        let name = Rc::new(Name::read(self.rules, text));
        let mut names = self.names.borrow_mut();
        if names.len() < MOST_NAMES {
            names.insert(text.into(), Rc::clone(&name));
        }
        name
    }

    fn push(&self, context: &mut Context, relation: Relation, text: &str) {
        let text = text.trim();
        if !text.is_empty() && text.len() <= LONGEST_NAME {
            context.names.push(Named { relation, name: self.name(text) });
        }
    }

    /// Looks at what stands before `at`, notes it, and returns where to look further outwards.
    fn step(&self, index: usize, at: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        if at == index
            && page.text.get(page.tokens[at].start.wrapping_sub(1)) == Some(&b'\t')
            && self.tab_column(index, context)
        {
            return None;
        }
        let before = match self.before(at) {
            Before::Token(before) => before,
            Before::LineStart => {
                if at == index {
                    self.line_start(index, context);
                }
                return None;
            }
        };
        self.outwards(index, at, before, context)
    }

    /// Reads the token before `at`.
    fn outwards(&self, index: usize, at: usize, before: usize, context: &mut Context) -> Option<usize> {
        let page = self.page;
        match page.kind(before) {
            TokenKind::Op(Op::Assign) => {
                self.assigned(before, context);
                None
            }
            TokenKind::Op(Op::Arrow) => {
                self.key(before, context);
                None
            }
            TokenKind::Op(Op::Colon) if self.user(before, at, context) => None,
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
                self.slash(index, at, before, context);
                None
            }
            TokenKind::Op(Op::Join | Op::Dot) => self.joined(before, context),
            TokenKind::Value(value) => {
                if !page.tokens[index].spaced && page.tokens[before].end == page.tokens[index].start {
                    context.glued = true;
                }
                // Of many in one list only the first stands after it.
                context.after_value.get_or_insert(value);
                None
            }
            _ => self.words_before(before, context),
        }
    }

    /// `account / token`, and a path.
    fn slash(&self, index: usize, at: usize, slash: usize, context: &mut Context) {
        let page = self.page;
        let is_pair = self.is_behind_value(slash);
        if page.tokens[slash].spaced || is_pair {
            context.after_value = self.skip_quotes(slash).and_then(|last| self.last_value(last, last + 1));
        }
        context.glued |= at == index && !page.tokens[at].spaced && !is_pair;
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
        // In text that is not what it looks like, a place that was looked for backwards may lie before `from`.
        let tokens = self.page.tokens.get(from..to)?;
        tokens.iter().rev().find_map(|t| if let TokenKind::Value(v) = t.kind { Some(v) } else { None })
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

/// Whether a name is that of an identifier that goes before a secret: `account_sid`, `sid`, `username`.
#[must_use]
pub fn ends_with_sid(name: &Name) -> bool {
    (name.says(Tag::Sid) || name.says(Tag::User))
        && ![Tag::Secret, Tag::Token, Tag::Password].iter().any(|&tag| name.says(tag))
}

fn identifier(page: &Page<'_>, start: usize, last: usize) -> Option<String> {
    let word = (start..=last).rev().find(|&t| page.kind(t) == TokenKind::Word)?;
    let text = page.slice(word, word + 1).trim_start_matches('$');
    (!text.is_empty() && text.len() <= 64).then(|| text.to_owned())
}
