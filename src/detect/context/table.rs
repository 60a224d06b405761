//! A value in a table: Markdown's and other cells, delimited files, rows of SQL.

use std::rc::Rc;

use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::{Context, Named, Reader, Relation};
use crate::rules::Tag;

/// Further into its row no field is looked for, in bytes: a row of very many would be counted through for each.
const LONGEST_ROW: usize = 8192;

/// A line of more is no row of a table.
const MOST_TOKENS: usize = 8192;

impl Reader<'_> {
    /// A cell of a Markdown or ASCII table: the cell before it, or the head of its column.
    pub(super) fn cell(&self, pipe: usize, index: usize, context: &mut Context) {
        let page = self.page;
        let line = page.line(index);
        let range = page.line_range(line);
        if range.len() > MOST_TOKENS {
            return;
        }
        let pipes =
            |range: std::ops::Range<usize>| range.filter(|&t| page.is(t, Op::Pipe)).collect::<Vec<_>>();
        let row = pipes(range.clone());
        if row.len() < 2 && range.start != pipe && row.first() != Some(&pipe) {
            return;
        }
        let column = row.iter().position(|&p| p == pipe).unwrap_or(0);
        let previous_start = if column > 0 { row[column - 1] + 1 } else { range.start };
        if let Some(value) = self.last_value(previous_start, pipe) {
            context.after_value = Some(value);
        }
        let head = self.table_head(line, row.len());
        if head < line {
            let cells = page.line_range(head);
            let edges = pipes(cells.clone());
            if let Some(&edge) = edges.get(column) {
                let to = edges.get(column + 1).copied().unwrap_or(cells.end);
                let (from, to) = self.trim(edge + 1, to.max(edge + 1));
                let name = self.name(page.slice(from, to));
                if name.is_informative() && !page.holds_value(from, to.max(from)) {
                    context.names.push(Named { relation: Relation::Column, name });
                    return;
                }
            }
        }
        if previous_start < pipe {
            let (from, to) = self.trim(previous_start, pipe);
            self.push(context, Relation::CellBefore, page.slice(from, to));
        }
    }

    /// The first line of the table that a row belongs to. Rows are asked about one after the other, so the way up ends at the row
    /// that was asked about before.
    fn table_head(&self, line: usize, width: usize) -> usize {
        let page = self.page;
        let (known, known_width, known_head) = self.table.get();
        let mut head = line;
        while head > 0 {
            if head == known && width == known_width {
                head = known_head;
                break;
            }
            if page.line_range(head - 1).filter(|&token| page.is(token, Op::Pipe)).count() != width {
                break;
            }
            head -= 1;
        }
        self.table.set((line, width, head));
        head
    }

    /// A field of a delimited file: the head of its column. Says whether there is one.
    pub(super) fn column(&self, index: usize, delimiter: u8, context: &mut Context) -> bool {
        let text = self.page.text;
        let start = self.page.tokens[index].start;
        let from = start.saturating_sub(LONGEST_ROW + 1);
        // The first line is the head, and no row.
        let Some(line_end) = memchr::memrchr2(b'\n', b'\r', &text[from..start]) else { return false };
        let line_start = from + line_end + 1;
        let Some(head) = head_line(text, line_start, delimiter) else { return false };
        let fields = fields_of(head, delimiter);
        let place = fields_before(&text[line_start..start], delimiter);
        let Some(field) = fields.get(place).and_then(|f| std::str::from_utf8(f).ok()) else { return false };
        let field =
            field.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '\u{feff}');
        if field.is_empty() {
            return false;
        }
        if place > 0 && self.name(field).value_holder {
            // `key,value`: the field before it is its name, or the one whose column says so.
            let row = fields_of(&text[line_start..start], delimiter);
            let is_name = |field: &&[u8]| {
                std::str::from_utf8(field).is_ok_and(|f| self.name(f.trim_matches(['"', ' '])).name_holder)
            };
            let named = fields[..place].iter().rposition(is_name).unwrap_or(place - 1);
            let Some(name) = row.get(named).and_then(|f| std::str::from_utf8(f).ok()) else {
                return false;
            };
            self.push(context, Relation::FieldBefore, name.trim_matches(['"', '\'', ' ']));
            return true;
        }
        let row_text = row_at(text, line_start);
        let row = fields_of(row_text, delimiter);
        let is_label = |field: &&[u8]| {
            std::str::from_utf8(field)
                .is_ok_and(|f| self.name(f.trim_matches(['"', ' '])).is_one_word(Tag::LabelKey))
        };
        context.row = fields
            .iter()
            .position(is_label)
            .filter(|&label| label != place)
            .and_then(|label| std::str::from_utf8(row.get(label)?).ok())
            .map(|label| label.trim_matches(['"', '\'', ' ']))
            .filter(|label| !label.is_empty() && label.len() <= 60)
            .map(|label| self.name(label));
        self.push(context, Relation::Column, field);
        true
    }

    /// A field of a line whose fields are parted by tabs: the column of the file's head, or of `PostgreSQL`'s
    /// `COPY table (a, b) FROM stdin;` above. Says whether there is one.
    pub(super) fn tab_column(&self, index: usize, context: &mut Context) -> bool {
        let text = self.page.text;
        let start = self.page.tokens[index].start;
        let from = start.saturating_sub(LONGEST_ROW);
        let line_start = memchr::memrchr(b'\n', &text[from..start]).map_or(from, |at| from + at + 1);
        let place = fields_before(&text[line_start..start], b'\t');
        let column = copied_columns(&text[..line_start]).and_then(|columns| columns.get(place).copied());
        let found = match column {
            Some(column) => {
                self.push(context, Relation::Column, column);
                true
            }
            None => self.column(index, b'\t', context),
        };
        if found && let Some(before) = index.checked_sub(1) {
            context.after_value = self.last_value(before, index);
        }
        found
    }

    /// The column that a value of an SQL insert goes into: `(a, b) VALUES ('…', '…'), ('…', '…')`; where that only says `value`,
    /// what stands in the row's column of names.
    /// Beside it the table's name.
    pub(super) fn sql_column(&self, opener: usize, at: usize) -> Option<(Rc<Name>, Option<Rc<Name>>)> {
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
                    let table = (columns.saturating_sub(3)..columns)
                        .rev()
                        .find(|&token| page.kind(token) == TokenKind::Word)
                        .map(|token| self.name(page.slice(token, token + 1)));
                    let heads = self.items(columns, close);
                    let head = heads.get(page.position(opener, at))?;
                    if head.value_holder
                        && let Some(named) =
                            heads.iter().position(|head| head.name_holder && !head.value_holder)
                        && let Some(name) = self.items(opener, page.partner(opener).unwrap_or(at)).get(named)
                    {
                        return Some((Rc::clone(name), table));
                    }
                    return Some((Rc::clone(head), table));
                }
                _ => return None,
            }
        }
        None
    }
}

impl Reader<'_> {
    /// The items between two brackets, read as names.
    fn items(&self, open: usize, close: usize) -> Vec<Rc<Name>> {
        let page = self.page;
        let mut items = Vec::new();
        let mut start = open + 1;
        for token in open + 1..=close.min(page.tokens.len() - 1) {
            if token == close || (page.is(token, Op::Comma) && page.parent(token) == Some(open)) {
                let (from, to) = self.trim(start, token);
                items.push(self.name(page.slice(from, to)));
                start = token + 1;
            }
        }
        items
    }
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
    let row = row_at(text, line_start);
    (looks_like_head(first) && width(first) == width(row)).then_some(first)
}

/// The line that begins at a place.
fn row_at(text: &[u8], line_start: usize) -> &[u8] {
    let end = text[line_start..].iter().take(LONGEST_ROW * 2).position(|&b| b == b'\n' || b == b'\r');
    &text[line_start..end.map_or(text.len().min(line_start + LONGEST_ROW * 2), |at| line_start + at)]
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

/// The columns of the `COPY … FROM stdin` whose rows go on at the end of this text.
fn copied_columns(text: &[u8]) -> Option<Vec<&str>> {
    /// How far up the head of the rows is looked for, in bytes.
    const FAR: usize = 64 * 1024;
    let near = &text[text.len().saturating_sub(FAR)..];
    let copy = memchr::memmem::rfind(near, b"COPY ")?;
    let head_end = copy + near[copy..].iter().position(|&b| b == b'\n')?;
    let rows = &near[head_end..];
    if memchr::memmem::find(rows, b"\n\\.").is_some() {
        return None;
    }
    let head = std::str::from_utf8(&near[copy..head_end]).ok()?;
    let (_, columns) = head.split_once('(')?;
    let (columns, rest) = columns.split_once(')')?;
    rest.trim_start()
        .to_ascii_lowercase()
        .starts_with("from stdin")
        .then(|| columns.split(',').map(str::trim).collect())
}
