//! The text of office documents: docx, xlsx, pptx, odt, ods. It is written in runs, each of which may hold a part of a word
//! only; put together, a paragraph is a line, and a row of a table is one with tabs.
//! <https://ecma-international.org/publications-and-standards/standards/ecma-376/>

use std::io::{Cursor, Read, Seek};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Metered, Walk};

/// The text of a larger part is not put together, in bytes.
const LARGEST_PART: u64 = 16 << 20;

/// Where Excel keeps the strings of all sheets.
const STRINGS: &str = "xl/sharedStrings.xml";

/// Whether an entry of a zip is a part of a document that holds text. Excel's strings are read where sheets name them.
#[must_use]
pub fn is_part(name: &str) -> bool {
    let folders = ["word/", "xl/worksheets/", "xl/comments", "ppt/slides/", "ppt/notesSlides/"];
    name == "content.xml" || name.ends_with(".xml") && folders.iter().any(|folder| name.starts_with(folder))
}

impl Walk<'_> {
    /// Looks at the text of a part, and then at the part as it is.
    pub(super) fn part(&mut self, source: &mut dyn Read, path: &str, strings: &Strings, depth: usize) {
        let mut held = Vec::new();
        if let Err(error) = (&mut *source).take(LARGEST_PART).read_to_end(&mut held) {
            self.skip(path, error);
        }
        let text = text(&held, strings);
        if !text.is_empty() {
            self.plain(&mut text.as_bytes(), &format!("{path}!/text"));
        }
        self.entry(&mut Cursor::new(held).chain(source), path, depth);
    }

    /// The strings of all sheets, if the zip is a workbook.
    pub(super) fn strings(&mut self, archive: &mut zip::ZipArchive<impl Read + Seek>) -> Strings {
        let Ok(entry) = archive.by_name(STRINGS) else { return Strings::default() };
        let mut held = Vec::new();
        let left = std::rc::Rc::clone(&self.left);
        // What cannot be read is named where it is looked at as an entry.
        let _ = Metered { inner: entry.take(LARGEST_PART), left }.read_to_end(&mut held);
        let mut strings = Strings::default();
        strings.text = read(&held, &Strings::default(), |end| strings.ends.push(end));
        strings
    }
}

/// The strings of a workbook, one after another, each of which may have several lines.
#[derive(Default)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        // A line ends it, which is not its own.
        self.text.get(start..end)?.strip_suffix('\n')
    }
}

/// What is read of a part so far.
struct Text<'a> {
    strings: &'a Strings,
    text: String,
    /// Whether the text that stands here is the document's.
    is_inside: bool,
    /// Whether the cell that stands here holds the number of a string.
    is_number: bool,
    /// Whether a table's cell stands here, which may have paragraphs.
    is_cell: bool,
    /// Where the cells of this row end.
    cells: Vec<usize>,
}

/// The text of a part: what can be read of it, where it is damaged.
fn text(xml: &[u8], strings: &Strings) -> String {
    read(xml, strings, |_| {})
}

/// The same; and where each string of a workbook ends is told.
fn read(xml: &[u8], strings: &Strings, mut string: impl FnMut(usize)) -> String {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let (is_inside, is_number, is_cell) = (false, false, false);
    let mut text = Text { strings, text: String::new(), is_inside, is_number, is_cell, cells: Vec::new() };
    // One number may stand for a long string, again and again.
    while text.text.len() < LARGEST_PART as usize {
        match reader.read_event() {
            Ok(Event::Start(start)) => text.start(&start),
            Ok(Event::Empty(start)) => {
                text.empty(start.local_name().as_ref());
                if start.local_name().as_ref() == b"si" {
                    text.end(b"si");
                    string(text.text.len());
                }
            }
            Ok(Event::End(end)) => {
                text.end(end.local_name().as_ref());
                if end.local_name().as_ref() == b"si" {
                    string(text.text.len());
                }
            }
            Ok(Event::Text(part)) if text.is_inside => text.write(&part),
            Ok(Event::CData(part)) if text.is_inside => text.write(&part),
            Ok(Event::GeneralRef(name)) if text.is_inside => text.text.extend(character(&name)),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    text.text
}

impl Text<'_> {
    fn start(&mut self, start: &BytesStart) {
        match start.local_name().as_ref() {
            b"t" | b"delText" | b"instrText" | b"v" | b"f" => self.is_inside = true,
            // OpenDocument's paragraphs hold their text themselves; Word's begin inside of no text.
            b"p" | b"h" | b"span" | b"a" if start.name().as_ref().starts_with(b"text:") => {
                self.is_inside = true;
            }
            b"c" | b"tc" | b"table-cell" => {
                let kind = start.try_get_attribute("t").ok().flatten();
                self.is_number = kind.is_some_and(|kind| kind.value.as_ref() == b"s");
                self.is_cell = true;
            }
            name => self.empty(name),
        }
    }

    fn empty(&mut self, name: &[u8]) {
        match name {
            b"br" | b"cr" | b"line-break" => self.text.push('\n'),
            b"tab" => self.text.push('\t'),
            b"s" if self.is_inside => self.text.push(' '),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"t" | b"delText" | b"instrText" | b"v" | b"f" => self.is_inside = false,
            b"p" | b"h" | b"si" => {
                self.is_inside = false;
                self.text.push(if self.is_cell { ' ' } else { '\n' });
            }
            b"c" | b"tc" | b"table-cell" => {
                self.text.truncate(self.text.trim_end_matches(' ').len());
                self.is_cell = false;
                self.cells.push(self.text.len());
                self.text.push('\t');
            }
            b"row" | b"tr" | b"table-row" => self.row(),
            _ => {}
        }
    }

    /// Ends a row. Of two cells the first is the second one's name.
    fn row(&mut self) {
        if let [name, _] = self.cells[..] {
            self.text.replace_range(name..=name, ": ");
        }
        self.cells.clear();
        self.text.truncate(self.text.trim_end_matches('\t').len());
        self.text.push('\n');
    }

    fn write(&mut self, part: &[u8]) {
        let part = String::from_utf8_lossy(part);
        let string = || self.strings.get(part.trim().parse::<usize>().ok()?);
        match self.is_number.then(string).flatten() {
            Some(string) => self.text.push_str(string),
            None => self.text.push_str(&part),
        }
    }
}

/// The character that a reference stands for.
fn character(name: &BytesRef) -> Option<char> {
    match &**name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_put_together_and_paragraphs_are_lines() {
        let xml = "<w:document><w:body><w:p><w:r><w:t>A_TO</w:t></w:r><w:proofErr/><w:r><w:rPr><w:b/></w:rPr>\
                   <w:t xml:space=\"preserve\">KEN=3f</w:t></w:r></w:p><w:p><w:r><w:t>a&amp;b</w:t><w:br/><w:t>c</w:t></w:r></w:p>";
        assert_eq!(text(xml.as_bytes(), &Strings::default()), "A_TOKEN=3f\na&b\nc\n");
        let xml =
            "<text:p>A_<text:span>TOK</text:span><text:span>EN<text:s/>=</text:span> x</text:p><text:p/>";
        assert_eq!(text(xml.as_bytes(), &Strings::default()), "A_TOKEN = x\n");
    }

    #[test]
    fn rows_are_lines_of_cells() {
        let sst = "<sst><si><t>name</t></si><si/><si><t>two</t><t>\nlines</t></si><si><r><t>val</t></r><r><t>ue</t></r></si></sst>";
        let mut strings = Strings::default();
        strings.text = read(sst.as_bytes(), &Strings::default(), |end| strings.ends.push(end));
        assert_eq!((strings.get(1), strings.get(2), strings.get(4)), (Some(""), Some("two\nlines"), None));
        let xml = "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c t=\"s\"><v>3</v></c></row>\
                   <row><c><v>7</v></c><c t=\"inlineStr\"><is><t>x</t></is></c><c t=\"str\"><v>y</v></c></row></sheetData>";
        let cell = |text: &str| format!("<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>");
        let table = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell("A_TOKEN"), cell("3f"));
        assert_eq!(text(table.as_bytes(), &Strings::default()), "A_TOKEN: 3f\n");
        assert_eq!(text(xml.as_bytes(), &strings), "name: value\n7\tx\ty\n");
    }
}
