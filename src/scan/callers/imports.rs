//! Whether a file means by a name what another file defines: by where the two stand, and by what it imports.

use super::Source;
use crate::scan::doubtful::folder;

/// Whether a file uses a name as another file's: it stands in the same folder, or imports that file, and does not define the name itself.
pub(super) fn refers_to(caller: &Source, source: &Source, name: &str) -> bool {
    let (own, its) = (folder(&caller.path), folder(&source.path));
    let file = source.path.rsplit('/').next().unwrap_or(&source.path);
    let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or(file);
    let is_qualified = |at: usize| {
        let before = caller.text[..at].trim_ascii_end();
        [&b"."[..], b"::", b"->", b"[\"", b"['"].iter().any(|joiner| before.ends_with(joiner))
    };
    let all: Vec<usize> = words(&caller.text, name).collect();
    let is_defined =
        all.iter().any(|&at| !is_qualified(at) && is_definition(&caller.text[at + name.len()..]));
    if is_defined {
        return false;
    }
    if own == its {
        return true;
    }
    let names = [stem, its.rsplit('/').next().unwrap_or_default()];
    names.iter().filter(|module| module.len() >= 2).any(|module| {
        words(&caller.text, module).any(|at| {
            let after = &caller.text[at + module.len()..];
            let line = &caller.text[line_start(&caller.text, at)..];
            let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
            // `Keys.B`, `from secret import pw`, `from config import *`
            let is_named = || {
                let joined = [&b"."[..], b"::", b"->"].iter().find_map(|joiner| after.strip_prefix(*joiner));
                joined.is_some_and(|rest| rest.starts_with(name.as_bytes()))
                    || words(line, name).next().is_some()
                    || line.trim_ascii_end().ends_with(b"*")
            };
            is_import(caller, at, source) || (is_near(own, its) && is_named())
        })
    })
}

/// Whether what follows a name defines it: `name = …`, `name: …`, `name := …`.
fn is_definition(after: &[u8]) -> bool {
    let after =
        after.strip_prefix(b"'").or_else(|| after.strip_prefix(b"\"")).unwrap_or(after).trim_ascii_start();
    match after {
        [b'=', next, ..] => !matches!(next, b'=' | b'>' | b'~'),
        [b':', next, ..] => *next != b':',
        _ => false,
    }
}

/// Whether a word stands in a quoted path that leads from a file to another: `require('../config')`, `include "inc/keys.php"`.
fn is_import(caller: &Source, at: usize, source: &Source) -> bool {
    const LONGEST: usize = 120;
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\n');
    let text = &caller.text;
    let Some(start) = text[at.saturating_sub(LONGEST)..at].iter().rposition(is_end) else { return false };
    let start = at.saturating_sub(LONGEST) + start + 1;
    let Some(length) = text[start..].iter().take(LONGEST).position(is_end) else { return false };
    let Ok(path) = std::str::from_utf8(&text[start..start + length]) else { return false };
    let mut base: Vec<&str> = folder(&caller.path).split('/').filter(|part| !part.is_empty()).collect();
    let is_relative = path.starts_with('.');
    let mut wanted: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            base.pop();
        } else {
            wanted.push(part);
        }
    }
    let leads_to = |from: &[&str]| {
        let full = from.iter().chain(&wanted).copied().collect::<Vec<_>>().join("/");
        let rest = source.path.strip_prefix(full.as_str());
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(['.', '/']) && !rest[1..].contains('/')))
    };
    // What is not relative is looked for from the file's folder up.
    !wanted.is_empty()
        && (leads_to(&base) || (!is_relative && (0..base.len()).any(|depth| leads_to(&base[..depth]))))
}

/// Whether two folders are parts of one program, as far as their names tell: at most two levels below the folder that holds both.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('/').collect(), b.split('/').collect());
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.len() - common <= 2 && b.len() - common <= 2
}

/// Where a word stands in a text, and not only as a part of another.
pub(super) fn words<'t>(text: &'t [u8], word: &str) -> impl Iterator<Item = usize> + 't {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let word = word.as_bytes().to_vec();
    let length = word.len();
    let places: Vec<usize> = memchr::memmem::find_iter(text, &word).collect();
    places.into_iter().filter(move |&at| {
        !is_part(at.checked_sub(1).and_then(|at| text.get(at))) && !is_part(text.get(at + length))
    })
}

/// Where the line of a place begins.
pub(super) fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1)
}
