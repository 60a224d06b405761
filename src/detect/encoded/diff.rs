//! Unified diffs: each line of a hunk begins with a sign, which is no part of the line.

use super::View;

/// So far into a text its first hunk is looked for, in bytes: mails and headers come before it.
const HEAD: usize = 8 * 1024;

/// Whether a text begins as a diff does.
#[must_use]
pub fn is_diff(text: &[u8]) -> bool {
    let head = &text[..text.len().min(HEAD)];
    let is_hunk = |at: usize| head[at..].starts_with(b"@@ -") && (at == 0 || head[at - 1] == b'\n');
    memchr::memchr_iter(b'@', head).any(is_hunk)
}

/// The text of a diff, or of a window of one, without the signs at the beginning of its hunks' lines. `in_hunk`: whether a hunk
/// stands where the text begins; and is then whether one stands at `next`.
#[must_use]
pub fn unified(text: &[u8], in_hunk: &mut bool, next: Option<usize>) -> View {
    let mut view = View::with_capacity(text.len());
    let mut at_next = *in_hunk;
    let mut at = 0;
    while at < text.len() {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline + 1);
        let line = &text[at..end];
        if line.starts_with(b"@@ -") {
            *in_hunk = true;
        } else if line.starts_with(b"diff ") || line.starts_with(b"Index: ") {
            *in_hunk = false;
        } else if *in_hunk && matches!(line[0], b'+' | b'-' | b' ') {
            view.changed.push(at..at + 1);
            at += 1;
        }
        view.copy(text, at..end);
        at = end;
        if next.is_some_and(|next| at <= next) {
            at_next = *in_hunk;
        }
    }
    *in_hunk = at_next;
    view.origin.push(text.len() as u32);
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_hunks_are_left_out_and_places_stay() {
        let text = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a: 1\n+a: 2\n+  - b\n";
        assert!(is_diff(text) && !is_diff(b"a @@ -1\n+b"));
        let mut in_hunk = false;
        let view = unified(text, &mut in_hunk, Some(text.len()));
        assert_eq!(view.text, b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\na: 1\na: 2\n  - b\n");
        let place = view.text.windows(4).position(|part| part == b"a: 2").unwrap();
        assert_eq!(&text[view.source(&(place..place + 4))], b"a: 2");
        // A window that begins inside of a hunk.
        let view = unified(b"+b: 1\ndiff --git a/y b/y\n+b: 2\n", &mut in_hunk, Some(9));
        assert_eq!((&view.text[..6], in_hunk), (&b"b: 1\nd"[..], true));
        assert!(view.text.ends_with(b"\n+b: 2\n"));
    }
}
