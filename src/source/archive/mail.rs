//! The parts of mails, and of mailboxes of them, that are not text: archives and documents in base64. Text in base64 and in
//! quoted-printable is seen in the mail as it is, at its own line.

use std::io::{self, BufReader, Cursor, Read};

use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Encoding, Message, MessageParser, MimeHeaders, PartType};

use super::{LARGEST_HELD, MOST_DEPTH, Walk};

/// What the first line of a mail begins with.
const FIRST: [&str; 14] = [
    "From",
    "Return-Path",
    "Received",
    "Delivered-To",
    "MIME-Version",
    "Message-ID",
    "Date",
    "Subject",
    "To",
    "X-Mozilla-Status",
    "X-Gm-Message-State",
    "DKIM-Signature",
    "ARC-Seal",
    "Content-Type",
];

/// Whether a text begins like a mail or a mailbox.
#[must_use]
pub fn is_mail(head: &[u8]) -> bool {
    let Some(end) = head.iter().take(32).position(|&byte| byte == b':' || byte == b' ') else { return false };
    let is_first = FIRST.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&head[..end]));
    is_first && (head[end] == b':' || head.starts_with(b"From ")) && has_second(head)
}

/// Whether another line of a mail's head follows the first: notes may begin with a date or a subject too.
fn has_second(head: &[u8]) -> bool {
    head.split(|&byte| byte == b'\n').skip(1).take(12).any(|line| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        is_name && name.len() > 1 && name.len() < line.len() && name[0].is_ascii_uppercase()
    })
}

impl Walk<'_> {
    pub(super) fn mail(&mut self, source: &mut dyn Read, path: &str, depth: usize) -> io::Result<()> {
        let held = self.memory.hold(source, LARGEST_HELD)?;
        // Its parts are held decoded too.
        let _parts = self.memory.take(held.bytes.len() as u64)?;
        let held = &held.bytes[..];
        if held.len() as u64 == LARGEST_HELD {
            self.skip(path, format!("the parts of a mail above {} MB are not decoded", LARGEST_HELD >> 20));
        } else if held.starts_with(b"From ") {
            for (number, mail) in MessageIterator::new(BufReader::new(held)).enumerate() {
                let mail = mail?;
                self.one_mail(mail.contents(), &format!("{path}!/mail {}", number + 1), depth);
            }
        } else {
            self.one_mail(held, path, depth);
        }
        Ok(())
    }

    fn one_mail(&mut self, mail: &[u8], path: &str, depth: usize) {
        if let Some(mail) = MessageParser::default().parse(mail) {
            self.mail_parts(&mail, path, depth);
        }
    }

    fn mail_parts(&mut self, mail: &Message, path: &str, depth: usize) {
        for (number, part) in mail.parts.iter().enumerate() {
            let name = part.attachment_name().map_or_else(|| format!("part {number}"), str::to_owned);
            let inner = format!("{path}!/{}", name.trim_start_matches('/'));
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(forwarded) if depth + 1 < MOST_DEPTH => {
                    self.mail_parts(forwarded, &inner, depth + 1);
                }
                _ if part.encoding == Encoding::None || is_seen(part.contents()) => {}
                _ if !self.count(path) => return,
                _ => self.entry(&mut Cursor::new(part.contents()), &inner, depth),
            }
        }
    }
}

/// Whether a part is text that detection decodes where it stands.
fn is_seen(contents: &[u8]) -> bool {
    let strange =
        contents.iter().filter(|byte| !byte.is_ascii_graphic() && !byte.is_ascii_whitespace()).count();
    strange * 20 < contents.len() && super::kind(contents).is_none()
}

#[cfg(test)]
mod tests {
    use super::is_mail;

    #[test]
    fn a_mail_is_known_by_its_head() {
        for head in [
            "From: a@b.c\r\nTo: d@e.f\r\n",
            "Received: from x\r\n\tby y\r\nDate: Mon\r\n",
            "From a@b.c Mon Nov 2\nTo: x\n",
        ] {
            assert!(is_mail(head.as_bytes()), "{head}");
        }
        for head in ["From here on\n", "Date: today\n\nwe met\n", "Todo: nothing\nTo: x\n", "", "From"] {
            assert!(!is_mail(head.as_bytes()), "{head}");
        }
    }
}
