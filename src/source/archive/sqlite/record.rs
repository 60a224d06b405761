//! One row, and what the statement that made its table says of it.

use std::io;

use super::broken;

/// How a database writes its text.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
}

impl Encoding {
    /// Bytes as text.
    pub fn text(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf16(unit) => {
                let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }
}

/// One value of a row.
pub enum Value {
    Null,
    Integer(i64),
    Float(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// A row's values: a header of types, then the values.
pub fn values(encoding: Encoding, payload: &[u8]) -> io::Result<Vec<Value>> {
    let short = || broken("a row that ends early");
    let (head, mut types_at) = varint(payload, 0).ok_or_else(short)?;
    let mut at = usize::try_from(head).map_err(|_| short())?;
    let mut values = Vec::new();
    while types_at < usize::try_from(head).unwrap_or(0) {
        let (kind, next) = varint(payload, types_at).ok_or_else(short)?;
        types_at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(broken("a value of no known type")),
            _ => (kind - 12) / 2,
        };
        let end = usize::try_from(length).ok().and_then(|length| at.checked_add(length));
        let bytes = end.and_then(|end| payload.get(at..end)).ok_or_else(short)?;
        at += bytes.len();
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Float(f64::from_bits(integer(bytes).cast_unsigned())),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(encoding.text(bytes)),
        });
    }
    Ok(values)
}

/// A table's columns, from the statement that made it; none where their order is not the rows'.
pub fn columns(sql: &str) -> Vec<String> {
    let Some((_, list)) = sql.split_once('(') else { return Vec::new() };
    if list.rsplit_once(')').is_some_and(|(_, after)| after.to_ascii_uppercase().contains("WITHOUT")) {
        return Vec::new();
    }
    let mut columns = Vec::new();
    let (mut depth, mut quote, mut part) = (1_u32, None, String::new());
    for character in list.chars() {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '\'') => quote = Some(character),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        if depth == 0 || (depth == 1 && quote.is_none() && character == ',') {
            columns.extend(column(&part));
            part.clear();
            if depth == 0 {
                break;
            }
        } else {
            part.push(character);
        }
    }
    columns
}

/// The name that a column's definition begins with; none for a constraint of the table.
fn column(definition: &str) -> Option<String> {
    let definition = definition.trim_start();
    let name = match definition.chars().next()? {
        open @ ('"' | '`' | '\'' | '[') => {
            let close = if open == '[' { ']' } else { open };
            return definition[1..].split(close).next().map(str::to_owned);
        }
        _ => definition.split(|c: char| c.is_whitespace() || c == '(').next()?,
    };
    let constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    (!constraint.iter().any(|word| name.eq_ignore_ascii_case(word))).then(|| name.to_owned())
}

/// A signed number of at most eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let first = bytes.first().map_or(0, |&byte| i64::from(byte.cast_signed()));
    bytes.iter().skip(1).fold(first, |number, &byte| number << 8 | i64::from(byte))
}

/// A number of one to nine bytes, and where it ends.
pub fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for place in 0..8 {
        let byte = *bytes.get(at + place)?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((number, at + place + 1));
        }
    }
    Some((number << 8 | u64::from(*bytes.get(at + 8)?), at + 9))
}
