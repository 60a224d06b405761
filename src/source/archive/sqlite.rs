//! The rows of a SQLite database, as `INSERT` statements with the columns' names: in the file itself a row's values stand
//! side by side with nothing between them. <https://www.sqlite.org/fileformat2.html>

use std::collections::{HashSet, VecDeque};
use std::io::{self, Read, Seek, SeekFrom, Write};

mod record;

use record::{Encoding, Value, columns, values, varint};

/// What every database begins with.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// A row above this is not put together, in bytes.
const LARGEST_ROW: u64 = 64 << 20;
/// The header of page 1.
const HEADER: usize = 100;

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a SQLite database with {what}"))
}

fn cut_off(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { broken("its end cut off") } else { error }
}

fn missing() -> io::Error {
    broken("a page that it does not have")
}

/// A table by its name, with what it takes to read it.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    columns: Vec<String>,
    root: u32,
}

/// A database that is read page by page, each at most once but for those that hold long rows.
pub struct Database<'a, S> {
    source: &'a mut S,
    page_size: usize,
    usable: usize,
    pages: u32,
    encoding: Encoding,
    /// Pages of trees that were met: what points at one again does not lead there.
    seen: HashSet<u32>,
    /// What rows may still come to: no byte of the file belongs to two.
    left: u64,
}

impl<'a, S: Read + Seek> Database<'a, S> {
    /// Reads the header of a database of `length` bytes.
    pub fn open(source: &'a mut S, length: u64) -> io::Result<Self> {
        let mut head = [0; HEADER];
        source.seek(SeekFrom::Start(0))?;
        source.read_exact(&mut head).map_err(cut_off)?;
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = page_size.saturating_sub(usize::from(head[20]));
        if !head.starts_with(MAGIC) || !page_size.is_power_of_two() || page_size < 512 || usable < 480 {
            return Err(broken("a header that cannot be read"));
        }
        let encoding = match head[59] {
            2 => Encoding::Utf16(u16::from_le_bytes),
            3 => Encoding::Utf16(u16::from_be_bytes),
            _ => Encoding::Utf8,
        };
        let pages = u32::try_from(length / page_size as u64).unwrap_or(u32::MAX);
        Ok(Self { source, page_size, usable, pages, encoding, seen: HashSet::new(), left: length })
    }

    /// Its tables, as far as its schema can be read; with what stopped the reading.
    pub fn tables(&mut self) -> (Vec<Table>, Option<io::Error>) {
        let schema = Table { name: String::new(), columns: Vec::new(), root: 1 };
        let mut tables = Vec::new();
        let mut rows = Rows::new(self, &schema);
        loop {
            let row = match rows.row() {
                Ok(Some(row)) => row,
                Ok(None) => return (tables, rows.broken),
                Err(error) => return (tables, Some(error)),
            };
            let mut row = row.into_iter();
            let (Some(Value::Text(kind)), Some(Value::Text(name))) = (row.next(), row.next()) else {
                continue;
            };
            let (Some(Value::Integer(root)), Some(Value::Text(sql))) = (row.nth(1), row.next()) else {
                continue;
            };
            // A view or a virtual table has no page of its own.
            if let (true, Ok(root @ 1..)) = (kind == "table", u32::try_from(root)) {
                tables.push(Table { name, columns: columns(&sql), root });
            }
        }
    }

    /// A table's rows as text.
    pub fn rows<'d>(&'d mut self, table: &'d Table) -> Rows<'d, 'a, S> {
        Rows::new(self, table)
    }

    fn has(&self, page: u32) -> bool {
        (1..=self.pages).contains(&page)
    }

    fn page(&mut self, number: u32) -> io::Result<Vec<u8>> {
        if !self.has(number) {
            return Err(missing());
        }
        self.source.seek(SeekFrom::Start(u64::from(number - 1) * self.page_size as u64))?;
        let mut page = vec![0; self.page_size];
        self.source.read_exact(&mut page).map_err(cut_off)?;
        Ok(page)
    }

    /// The whole of a row of `length` bytes, whose first part stands in `page` from `at`.
    fn payload(&mut self, page: &[u8], at: usize, length: u64, index: bool) -> io::Result<Vec<u8>> {
        let left = self.left.checked_sub(length).filter(|_| length <= LARGEST_ROW);
        self.left = left.ok_or_else(|| broken(&format!("a row of {length} bytes")))?;
        let length = length as usize;
        let most = if index { (self.usable - 12) * 64 / 255 - 23 } else { self.usable - 35 };
        let local = if length <= most {
            length
        } else {
            let least = (self.usable - 12) * 32 / 255 - 23;
            let fitting = least + (length - least) % (self.usable - 4);
            if fitting <= most { fitting } else { least }
        };
        let here = page.get(at..at + local).ok_or_else(|| broken("a row that leaves its page"))?;
        let mut payload = here.to_vec();
        let mut next = page.get(at + local..at + local + 4).map(be32);
        while payload.len() < length {
            let number = next.ok_or_else(|| broken("a row that leaves its page"))?;
            let more = self.page(number)?;
            next = Some(be32(&more[..4]));
            let count = (length - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(&more[4..4 + count]);
        }
        Ok(payload)
    }
}

/// The rows of a table, read as text.
pub struct Rows<'d, 'a, S> {
    database: &'d mut Database<'a, S>,
    table: &'d Table,
    /// Pages of its tree that are still to be read, in order.
    pages: VecDeque<u32>,
    /// The page that is being read, with the places of its rows.
    page: Vec<u8>,
    cells: VecDeque<usize>,
    /// Text that was not taken yet, from `taken`.
    text: Vec<u8>,
    taken: usize,
    /// What could not be read.
    pub broken: Option<io::Error>,
}

impl<'d, 'a, S: Read + Seek> Rows<'d, 'a, S> {
    fn new(database: &'d mut Database<'a, S>, table: &'d Table) -> Self {
        let pages = database.seen.insert(table.root).then_some(table.root).into_iter().collect();
        Self {
            database,
            table,
            pages,
            page: Vec::new(),
            cells: VecDeque::new(),
            text: Vec::new(),
            taken: 0,
            broken: None,
        }
    }

    /// The next row.
    fn row(&mut self) -> io::Result<Option<Vec<Value>>> {
        loop {
            let Some(cell) = self.cells.pop_front() else {
                let Some(number) = self.pages.pop_front() else { return Ok(None) };
                self.turn_to(number)?;
                continue;
            };
            let index = matches!(self.page[self.head()], 2 | 10);
            // Inside of an index, what a row begins with is the page before it.
            let at = if self.page[self.head()] == 2 { cell + 4 } else { cell };
            let outside = || broken("a row that leaves its page");
            let (length, mut at) = varint(&self.page, at).ok_or_else(outside)?;
            if !index {
                at = varint(&self.page, at).ok_or_else(outside)?.1;
            }
            let payload = self.database.payload(&self.page, at, length, index)?;
            return values(self.database.encoding, &payload).map(Some);
        }
    }

    /// Where the page's own header begins.
    fn head(&self) -> usize {
        if self.page.starts_with(MAGIC) { HEADER } else { 0 }
    }

    fn turn_to(&mut self, number: u32) -> io::Result<()> {
        self.page = self.database.page(number)?;
        let head = self.head();
        let kind = self.page[head];
        let count = usize::from(be16(&self.page[head + 3..]));
        let from = head + if matches!(kind, 2 | 5) { 12 } else { 8 };
        let outside = || broken("a page whose rows leave it");
        let places = self.page.get(from..from + 2 * count).ok_or_else(outside)?;
        let places: Vec<usize> = places.chunks_exact(2).map(|place| usize::from(be16(place))).collect();
        if !matches!(kind, 2 | 5 | 10 | 13) {
            return Err(broken("a page of no known kind"));
        }
        if matches!(kind, 2 | 5) {
            let children = places.iter().map(|&at| self.page.get(at..at + 4).map(be32));
            let mut children = children.collect::<Option<Vec<u32>>>().ok_or_else(outside)?;
            children.push(be32(&self.page[head + 8..]));
            let count = children.len();
            children.retain(|&child| self.database.has(child));
            let has_all = children.len() == count;
            // Met once, and in order: however the pages of a hostile file point at each other, each is kept once.
            children.retain(|&child| self.database.seen.insert(child));
            for child in children.into_iter().rev() {
                self.pages.push_front(child);
            }
            if !has_all {
                self.broken = Some(missing());
            }
        }
        if kind != 5 {
            self.cells = places.into();
        }
        Ok(())
    }

    fn write(&mut self, row: &[Value]) -> io::Result<()> {
        let text = &mut self.text;
        text.clear();
        self.taken = 0;
        write!(text, "INSERT INTO \"{}\"", self.table.name)?;
        // Columns that were added later are not in older rows.
        if !self.table.columns.is_empty() && row.len() <= self.table.columns.len() {
            write!(text, " (\"{}\")", self.table.columns[..row.len()].join("\",\""))?;
        }
        text.extend_from_slice(b" VALUES (");
        for (number, value) in row.iter().enumerate() {
            if number > 0 {
                text.push(b',');
            }
            match value {
                Value::Null => text.extend_from_slice(b"NULL"),
                Value::Integer(number) => write!(text, "{number}")?,
                Value::Float(number) => write!(text, "{number}")?,
                Value::Text(value) => write!(text, "'{}'", value.replace('\'', "''"))?,
                // As it is, so that text which was kept as bytes is seen.
                Value::Blob(value) => {
                    text.push(b'\'');
                    text.extend_from_slice(value);
                    text.push(b'\'');
                }
            }
        }
        text.extend_from_slice(b");\n");
        Ok(())
    }
}

impl<S: Read + Seek> Read for Rows<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() {
            loop {
                match self.row() {
                    Ok(Some(row)) => break self.write(&row)?,
                    Ok(None) => return Ok(0),
                    // The other rows may be whole.
                    Err(error) => self.broken = Some(error),
                }
            }
        }
        let count = buffer.len().min(self.text.len() - self.taken);
        buffer[..count].copy_from_slice(&self.text[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
