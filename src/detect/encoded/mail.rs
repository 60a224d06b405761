//! Quoted-printable, in which mails write what is not plain ASCII, and lines that are too long for them.

use super::{View, contains_ignore_case};

/// What a mail says of itself that is written so.
pub const MAIL: &[u8] = b"quoted-printable";

/// Whether a text begins like a mail or a mailbox.
#[must_use]
pub fn is_mail(text: &[u8]) -> bool {
    let head = &text[..text.len().min(48)];
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b' ' | b',' | b'+');
    memchr::memchr(b':', head)
        .is_some_and(|colon| head.starts_with(b"From ") || head[..colon].iter().all(is_of_name))
}

/// Whether a mail, or a window of one, says that it is written as quoted-printable.
#[must_use]
pub fn is_quoted_printable(mail: &[u8]) -> bool {
    contains_ignore_case(mail, MAIL)
}

/// The text of a mail, decoded from quoted-printable.
#[must_use]
pub fn quoted_printable(text: &[u8]) -> View {
    let mut view = View::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'=' {
            let rest = &text[at + 1..];
            let soft = if rest.starts_with(b"\r\n") {
                3
            } else if rest.starts_with(b"\n") {
                2
            } else {
                0
            };
            if soft > 0 {
                view.changed.push(at..at + soft);
                at += soft;
                continue;
            }
            if let Some(byte) = rest
                .get(..2)
                .and_then(|d| std::str::from_utf8(d).ok())
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|d| u8::from_str_radix(d, 16).ok())
            {
                view.push(byte, at);
                view.changed.push(at..at + 3);
                at += 3;
                continue;
            }
        }
        view.push(text[at], at);
        at += 1;
    }
    view.origin.push(text.len() as u32);
    view
}
