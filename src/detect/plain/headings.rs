//! Comments that head a paragraph, and say whose the values below are.

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

/// Whether a value stands in a paragraph under the name of something that nothing is known of, `/* Instamojo */`, and the SIDs stand in
/// other paragraphs, one of which is headed by Twilio's name.
pub(super) fn is_under_another(
    reader: &Reader<'_>,
    page: &Page<'_>,
    read: &Read,
    all: &Neighbourhood<'_>,
) -> bool {
    let own = read.context.paragraph;
    if all.sids.iter().any(|&sid| all.reads[sid].context.paragraph == own)
        || heading(reader, page, read) != Some(Heading::Another)
    {
        return false;
    }
    all.sids.iter().any(|&sid| heading(reader, page, &all.reads[sid]) == Some(Heading::Twilio))
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
