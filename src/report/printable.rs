//! The terminal's escape function: names, messages and authors are hostile until shown harmless.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// The text with control characters, and characters that turn the direction of writing, shown as escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_acted_on(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for a text of several lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Whether a text would be shown as it is.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    !text.chars().any(is_acted_on)
}

/// Writes a value as JSON, on one line or indented. What a terminal would act on is written as JSON's own escapes.
pub fn json<T: Serialize>(out: &mut impl Write, value: &T, indented: bool) -> io::Result<()> {
    if indented {
        value.serialize(&mut Serializer::with_formatter(out, Harmless(PrettyFormatter::new())))?;
    } else {
        value.serialize(&mut Serializer::with_formatter(out, Harmless(CompactFormatter)))?;
    }
    Ok(())
}

/// A formatter whose strings are harmless on a terminal.
struct Harmless<F>(F);

macro_rules! forwarded {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(out $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    forwarded! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        if is_printable(text) {
            return self.0.write_string_fragment(out, text);
        }
        for character in text.chars() {
            let mut buffer = [0; 4];
            if is_acted_on(character) {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                self.0.write_string_fragment(out, character.encode_utf8(&mut buffer))?;
            }
        }
        Ok(())
    }
}

/// Whether a terminal acts on a character, or shows nothing for it.
fn is_acted_on(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_and_bidi_marks_are_shown_not_sent() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\nd"), "a\\u{1b}[31mb\\u{202e}c\\u{a}d");
        assert_eq!(printable("naïve/ファイル.env"), "naïve/ファイル.env");
    }
}
