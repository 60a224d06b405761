//! A value in a table: Markdown's and other cells, delimited files, rows of SQL.

use std::rc::Rc;

use super::super::heads::Statement;
use super::super::lex::{Op, TokenKind};
use super::super::name::Name;
use super::{Context, Named, Reader, Relation};
use crate::rules::Tag;

/// Further into its row no field is looked for, in bytes: a row of very many would be counted through for each.
const LONGEST_ROW: usize = 8192;

/// No more rows of an insert are gone back over.
const MOST_ROWS: usize = 5_000;

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
        if head == 0
            && let Some(name) = self.cell_head(range.start, row.len(), column)
        {
            context.names.push(Named { relation: Relation::Column, name });
            return;
        }
        if previous_start < pipe {
            let (from, to) = self.trim(previous_start, pipe);
            self.push(context, Relation::CellBefore, page.slice(from, to));
        }
    }

    /// The head of a column in a table that begins before this page.
    fn cell_head(&self, first: usize, width: usize, column: usize) -> Option<Rc<Name>> {
        let page = self.page;
        let start = page.tokens.get(first)?.start;
        let line = memchr::memrchr(b'\n', &page.text[start.saturating_sub(LONGEST_ROW)..start])
            .map_or(0, |at| start.saturating_sub(LONGEST_ROW) + at + 1);
        let head = std::str::from_utf8(self.heads.cells(line)?).ok()?;
        let name = head.split('|').nth(column + 1).filter(|_| head.matches('|').count() == width)?;
        Some(self.name(name.trim())).filter(|name| name.is_informative())
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
        let Some(head) = self.head_line(line_start, delimiter) else { return false };
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
        let head = self.heads.at(line_start, Statement::Copy);
        let found = match head.as_ref().and_then(|head| head.columns.get(place)) {
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
        let Columns { heads, table } = match self.columns_above(opener) {
            Above::Columns(columns) => columns,
            Above::OutOfSight => self.columns_far_above(opener)?,
            Above::None => return None,
        };
        let head = heads.get(page.position(opener, at))?;
        if head.value_holder
            && let Some(named) = heads.iter().position(|head| head.name_holder && !head.value_holder)
            && let Some(name) = self.items(opener, page.partner(opener).unwrap_or(at)).get(named)
        {
            return Some((Rc::clone(name), table));
        }
        Some((Rc::clone(head), table))
    }

    /// Goes back over earlier rows to the word VALUES, and reads what stands before it.
    fn columns_above(&self, opener: usize) -> Above {
        let page = self.page;
        let before = |at: usize| (0..at).rev().find(|&token| !matches!(page.kind(token), TokenKind::Line(_)));
        let mut row = opener;
        for _ in 0..MOST_ROWS {
            let Some(last) = before(row) else { return Above::OutOfSight };
            let is_values = page.slice(last, last + 1).eq_ignore_ascii_case("values");
            if !page.is(last, Op::Comma) && (page.kind(last) != TokenKind::Word || !is_values) {
                return Above::None;
            }
            let Some(close) = before(last) else { return Above::OutOfSight };
            if !matches!(page.kind(close), TokenKind::Close(_)) {
                return Above::None;
            }
            // A row whose beginning is not on this page.
            let Some(open) = page.partner(close) else { return Above::OutOfSight };
            if is_values {
                let table = (open.saturating_sub(3)..open)
                    .rev()
                    .find(|&token| page.kind(token) == TokenKind::Word)
                    .map(|token| self.name(page.slice(token, token + 1)));
                return Above::Columns(Columns { heads: self.items(open, close), table });
            }
            row = open;
        }
        Above::OutOfSight
    }

    /// The columns of the insert whose rows go on at a bracket, where its head is not on this page.
    fn columns_far_above(&self, opener: usize) -> Option<Columns> {
        let head = self.heads.at(self.page.tokens[opener].start, Statement::Insert)?;
        let heads = head.columns.iter().map(|column| self.name(column)).collect();
        Some(Columns { heads, table: Some(self.name(&head.table)) })
    }
}

/// The columns that an insert names, and its table.
struct Columns {
    heads: Vec<Rc<Name>>,
    table: Option<Rc<Name>>,
}

/// What stands above a row.
enum Above {
    /// No insert.
    None,
    /// Rows, as far as the page goes.
    OutOfSight,
    Columns(Columns),
}

impl Reader<'_> {
    /// The head of the delimited file that a line belongs to, if its first line is one.
    fn head_line(&self, line_start: usize, delimiter: u8) -> Option<&[u8]> {
        let first = self.heads.first_line()?;
        let width = |line: &[u8]| fields_of(line, delimiter).len();
        let row = row_at(self.page.text, line_start);
        (looks_like_head(first, delimiter) && width(first) == width(row)).then_some(first)
    }

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

/// Whether a line names columns.
fn looks_like_head(line: &[u8], delimiter: u8) -> bool {
    let fields = fields_of(line, delimiter);
    fields.len() >= 2
        && fields.iter().all(|field| {
            field.len() <= 40 && !field.contains(&b'=') && !field.contains(&b'(') && !is_long_value(field)
        })
        && fields.iter().filter(|field| field.iter().any(u8::is_ascii_alphabetic)).count() * 2 > fields.len()
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
