//! The entries of a 7z archive.

use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use sevenz_rust2::{ArchiveReader, EntryDecision, Error, Password};

use super::{MOST_WINDOW, Metered, Walk};

impl Walk<'_> {
    pub(super) fn seven(&mut self, source: &mut (impl Read + Seek), path: &str, depth: usize) {
        let opened = source.seek(SeekFrom::Start(0)).map_err(Error::from).and_then(|_| {
            ArchiveReader::new_with_memory_limit(source, Password::empty(), MOST_WINDOW as usize)
        });
        let mut archive = match opened {
            Ok(archive) => archive,
            Err(error) => return self.skip(path, format!("a 7z that cannot be read: {error}")),
        };
        archive.set_thread_count(1);
        let read = archive.for_each_entries_with_decision(|entry, data| {
            if entry.is_directory() {
                return Ok(EntryDecision::Continue);
            }
            if !self.count(path) {
                return Ok(EntryDecision::Stop);
            }
            let left = Rc::clone(&self.left);
            let inner = format!("{path}!/{}", entry.name().trim_start_matches('/'));
            self.entry(&mut Metered { inner: data, left }, &inner, depth);
            // What is left of the entry would be unpacked to its end.
            Ok(if self.left.get() == 0 { EntryDecision::Stop } else { EntryDecision::Continue })
        });
        if let Err(error) = read {
            self.skip(path, format!("a 7z that cannot be read to its end: {error}"));
        }
    }
}
