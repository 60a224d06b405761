//! Comments that head a paragraph, and say whose the values below are.

use std::collections::HashSet;

use super::around::Neighbourhood;
use super::examination::Read;
use crate::detect::context::Reader;
use crate::detect::lex::TokenKind;
use crate::detect::page::Page;

/// A longer comment is a sentence, and no heading.
const MOST_WORDS: usize = 6;

/// Whose a heading says that the values below are.
#[derive(PartialEq, Eq)]
enum Heading {
    Twilio,
    /// A name that nothing is known of, or another service's.
    Another,
}

/// Where the SIDs of a page stand.
pub(super) struct SidHeadings {
    /// Their paragraphs, by the first and last line.
    paragraphs: HashSet<(usize, usize)>,
    /// One of them stands under Twilio's name.
    is_one_twilios: bool,
}

/// Whether a value stands in a paragraph under the name of something that nothing is known of, `/* Instamojo */`, and the SIDs stand in
/// other paragraphs, one of which is headed by Twilio's name.
pub(super) fn is_under_another(
    reader: &Reader<'_>,
    page: &Page<'_>,
    read: &Read,
    all: &Neighbourhood<'_>,
) -> bool {
    if heading(reader, page, read) != Some(Heading::Another) {
        return false;
    }
    // The same for every value of a page.
    let of_sids = all.headed.get_or_init(|| {
        let sids = || all.sids.iter().map(|&sid| &all.reads[sid]);
        SidHeadings {
            paragraphs: sids().map(|sid| sid.context.paragraph).collect(),
            is_one_twilios: sids().any(|sid| heading(reader, page, sid) == Some(Heading::Twilio)),
        }
    });
    of_sids.is_one_twilios && !of_sids.paragraphs.contains(&read.context.paragraph)
}

/// What the nearest comment above in its paragraph says, if it is short enough to be a heading.
fn heading(reader: &Reader<'_>, page: &Page<'_>, read: &Read) -> Option<Heading> {
    let (first, line) = (read.context.paragraph.0, read.context.line);
    let comment = (first..line).rev().find(|&line| page.is_comment(line))?;
    let range = page.line_range(comment);
    if page.holds_value(range.start, range.end) {
        return None;
    }
    let words: Vec<&str> =
        range.filter(|&at| page.kind(at) == TokenKind::Word).map(|at| page.slice(at, at + 1)).collect();
    let names: Vec<_> = words.iter().map(|word| reader.name(word)).collect();
    if names.iter().any(|name| name.brand) {
        return Some(Heading::Twilio);
    }
    // A service's name is capitalized.
    let is_proper = |word: &str| word.starts_with(|letter: char| letter.is_ascii_uppercase());
    let is_another = words.len() <= MOST_WORDS
        && words
            .iter()
            .zip(&names)
            .any(|(word, name)| name.vendor || (is_proper(word) && !name.unknown.is_empty()));
    is_another.then_some(Heading::Another)
}
