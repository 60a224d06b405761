//! Heads of tables that stand far above their rows, or before the window of a large text: the first line of a delimited file,
//! `INSERT INTO table (a, b) VALUES`, `COPY table (a, b) FROM stdin;`.

use std::cell::{Cell, OnceCell};

use memchr::memmem;

use super::runs::Span;

/// A head is no longer than this, in bytes.
const LONGEST_HEAD: usize = 4096;

/// Before a seam of windows rows are looked for so far, in bytes.
const NEAR_SEAM: usize = 64 * 1024;

/// What introduces the head of a statement's rows.
const WORDS: [(&[u8], Statement); 3] =
    [(b"VALUES", Statement::Insert), (b"values", Statement::Insert), (b"COPY ", Statement::Copy)];

/// Which statement a head belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// `INSERT INTO … VALUES (…), (…);`
    Insert,
    /// `COPY … FROM stdin;`, with tabs between the fields.
    Copy,
}

/// The head of a statement's rows.
#[derive(Debug, Clone)]
pub struct Head {
    statement: Statement,
    /// What the table is called.
    pub table: String,
    /// What its columns are called, in order.
    pub columns: Vec<String>,
}

/// What is known of heads where a window begins.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The first line of the whole text, empty where it is too long for a head; none before the text has begun.
    pub first_line: Option<Vec<u8>>,
    /// The statement whose rows go on.
    table: Option<Head>,
    /// The first line of the Markdown table that goes on.
    cells: Option<Vec<u8>>,
}

/// Where the head of a statement stands in a text; none if that is before the text.
struct Place {
    statement: Statement,
    head: Option<(Span, Span)>,
    rows: Span,
}

/// The heads of the tables in a text, found when they are first asked for.
pub struct Heads<'a> {
    text: &'a [u8],
    /// The first line, where the text is a window that does not begin with it.
    first_line: Option<&'a [u8]>,
    /// The head whose rows go on where the window begins.
    before: Option<&'a Head>,
    places: OnceCell<Vec<Place>>,
    /// The first line of the Markdown table that goes on where the window begins.
    cells: Option<&'a [u8]>,
    /// A row of Markdown's that was asked about last, and where its table begins.
    row: Cell<Option<(usize, usize)>>,
}

impl<'a> Heads<'a> {
    /// The heads of a text, or of a window with what is known of the text before it.
    #[must_use]
    pub fn of(text: &'a [u8], before: &'a Before) -> Self {
        let Before { first_line, table, cells } = before;
        let (first_line, cells) = (first_line.as_deref(), cells.as_deref());
        Self {
            text,
            first_line,
            before: table.as_ref(),
            cells,
            places: OnceCell::new(),
            row: Cell::new(None),
        }
    }

    /// What the next window has to know of heads.
    #[must_use]
    pub fn before(&self, seam: usize) -> Before {
        let line = line_start(self.text, seam);
        Before {
            first_line: Some(self.first_line().unwrap_or_default().to_owned()),
            table: self.at_seam(seam),
            cells: if is_cells(&self.text[line..]) { self.cells(line).map(ToOwned::to_owned) } else { None },
        }
    }

    /// The first line of the Markdown table that has a row at a place, where a line begins. Rows are asked about in order, so the
    /// way up ends at the row that was asked about before.
    #[must_use]
    pub fn cells(&self, row: usize) -> Option<&[u8]> {
        let mut head = row;
        while head > 0 {
            if let Some((known, its_head)) = self.row.get().filter(|&(known, _)| known == head) {
                debug_assert!(its_head <= known);
                head = its_head;
                break;
            }
            let above = line_start(self.text, head - 1);
            // A window may begin within a row.
            let is_cut = above == 0 && self.cells.is_some();
            if !is_cut && !is_cells(&self.text[above..head]) {
                break;
            }
            head = above;
        }
        self.row.set(Some((row, head)));
        if head == 0 && self.cells.is_some() {
            return self.cells;
        }
        first_line(&self.text[head..])
    }

    /// The first line of the whole text, if it is no longer than a head.
    #[must_use]
    pub fn first_line(&self) -> Option<&'a [u8]> {
        match self.first_line {
            Some(line) => Some(line).filter(|line| !line.is_empty()),
            None => first_line(self.text),
        }
    }

    /// The head whose rows go on at a place.
    #[must_use]
    pub fn at(&self, place: usize, statement: Statement) -> Option<Head> {
        let found = self.place(place).filter(|found| found.statement == statement)?;
        self.head(found)
    }

    /// The head whose rows go on where the next window begins. Where nothing looks like rows none is looked for.
    fn at_seam(&self, seam: usize) -> Option<Head> {
        let near = &self.text[seam.saturating_sub(NEAR_SEAM)..seam];
        let is_row = |at: usize| near[at + 2..].trim_ascii_start().first() == Some(&b'(');
        let has_rows = memchr::memchr(b'\t', near).is_some() || memmem::find_iter(near, b"),").any(is_row);
        if has_rows { self.head(self.place(seam)?) } else { None }
    }

    /// Whether something holds for the text of any of the heads.
    #[must_use]
    pub fn any(&self, holds: impl Fn(&[u8]) -> bool) -> bool {
        let is_delimited = |line: &&[u8]| line.iter().any(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'));
        let in_head =
            |head: &Head| holds(head.table.as_bytes()) || head.columns.iter().any(|c| holds(c.as_bytes()));
        let in_text = |(table, columns): &(Span, Span)| holds(&self.text[table.start..columns.end]);
        // Lists of hashes hold neither mark, and are gone through quickly.
        let has = |mark: u8| memchr::memchr(mark, self.text).is_some();
        self.first_line().filter(is_delimited).is_some_and(&holds)
            || self.cells.is_some_and(&holds)
            || self.before.is_some_and(in_head)
            || (has(b'|') && markdown(self.text).any(&holds))
            || (has(b'(') && self.places().iter().filter_map(|place| place.head.as_ref()).any(in_text))
    }

    fn place(&self, place: usize) -> Option<&Place> {
        let places = self.places();
        let last = places.partition_point(|head| head.rows.start <= place).checked_sub(1)?;
        Some(&places[last]).filter(|head| head.rows.contains(&place))
    }

    fn head(&self, place: &Place) -> Option<Head> {
        let Some((table, columns)) = &place.head else { return self.before.cloned() };
        let text = |span: &Span| String::from_utf8_lossy(&self.text[span.clone()]).into_owned();
        let is_mark = |c: char| c.is_whitespace() || matches!(c, '"' | '`' | '\'' | '[' | ']');
        Some(Head {
            statement: place.statement,
            table: text(table).trim_matches(is_mark).to_owned(),
            columns: text(columns).split(',').map(|column| column.trim_matches(is_mark).to_owned()).collect(),
        })
    }

    fn places(&self) -> &[Place] {
        self.places.get_or_init(|| places(self.text, self.before))
    }
}

/// The first line of a text, if it is no longer than a head.
#[must_use]
pub fn first_line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take(LONGEST_HEAD).position(|&byte| byte == b'\n' || byte == b'\r')?;
    Some(&text[..end])
}

/// Where the line begins that a place stands on.
fn line_start(text: &[u8], place: usize) -> usize {
    memchr::memrchr(b'\n', &text[..place]).map_or(0, |at| at + 1)
}

/// The lines above the rules of Markdown tables, as in `|---|---|`.
fn markdown(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_rule = |at: &usize| text[at + 2..].trim_ascii_start().starts_with(b"-");
    let head = |at: usize| &text[line_start(text, at).max(at.saturating_sub(LONGEST_HEAD))..at];
    memmem::find_iter(text, b"\n|").filter(is_rule).map(head)
}

/// Whether a text begins with a row of a Markdown table.
fn is_cells(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"|")
}

fn places(text: &[u8], before: Option<&Head>) -> Vec<Place> {
    let found = |(word, statement)| memmem::find_iter(text, word).map(move |at: usize| (at, statement));
    let mut words: Vec<(usize, Statement)> = WORDS.into_iter().flat_map(found).collect();
    words.sort_unstable_by_key(|&(at, _)| at);
    let before = before.map(|head| Place { statement: head.statement, head: None, rows: 0..0 });
    let mut places: Vec<Place> = before.into_iter().collect();
    for (at, statement) in words {
        let place = match statement {
            Statement::Insert => insert(text, at),
            Statement::Copy => copy(text, at),
        };
        if let Some(place) = place {
            let start = place.head.as_ref().map_or(at, |(table, _)| table.start);
            end_rows(text, places.last_mut(), start);
            places.push(place);
        }
    }
    end_rows(text, places.last_mut(), text.len());
    places
}

/// Finds where the rows of a statement end, which is before the next one begins.
fn end_rows(text: &[u8], place: Option<&mut Place>, next: usize) {
    let Some(place) = place else { return };
    let rows = text.get(place.rows.start..next).unwrap_or_default();
    let end = match place.statement {
        Statement::Insert => memmem::find(rows, b";\n").or_else(|| memmem::find(rows, b";\r")),
        Statement::Copy => memmem::find(rows, b"\n\\."),
    };
    place.rows.end = place.rows.start + end.unwrap_or(rows.len());
}

/// `INSERT INTO table (a, b) VALUES`, whose last word stands at a place.
fn insert(text: &[u8], word: usize) -> Option<Place> {
    let is_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let rows = word + b"VALUES".len();
    if is_name(text.get(rows)) || is_name(word.checked_sub(1).and_then(|at| text.get(at))) {
        return None;
    }
    let from = word.saturating_sub(LONGEST_HEAD);
    let head = text[from..word].trim_ascii_end().strip_suffix(b")")?;
    let open = memchr::memrchr2(b'(', b')', head).filter(|&at| head[at] == b'(')?;
    let table = head[..open].trim_ascii_end();
    let name = table.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    let head = (from + name..from + table.len(), from + open + 1..from + head.len());
    Some(Place { statement: Statement::Insert, head: Some(head), rows: rows..rows })
}

/// `COPY table (a, b) FROM stdin;`, whose first word stands at a place.
fn copy(text: &[u8], word: usize) -> Option<Place> {
    if word.checked_sub(1).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let line = &text[word..text.len().min(word + LONGEST_HEAD)];
    let line = &line[..memchr::memchr(b'\n', line)?];
    let open = memchr::memchr(b'(', line)?;
    let close = open + memchr::memchr(b')', &line[open..])?;
    let from = line[close + 1..].trim_ascii_start();
    if !from.get(..10)?.eq_ignore_ascii_case(b"from stdin") {
        return None;
    }
    let table = word + b"COPY ".len()..word + open.max(b"COPY ".len());
    let rows = word + line.len();
    let head = (table, word + open + 1..word + close);
    Some(Place { statement: Statement::Copy, head: Some(head), rows: rows..rows })
}
