//! The journal file: append-only, one JSON line before and one after each change, on the disk before anything goes on.
//! One process at a time; each line holds the hash of the one before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::{Timestamp, Unit};
use sha2::{Digest, Sha256};

use crate::model::{AdminName, Event, Fingerprint, JOURNAL_SCHEMA, Record};
use crate::private;
use crate::twilio::change::Told;

/// Why there is no journal to write to: then nothing is changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Two runs at once.
    #[error("{}: another run is writing to it; wait until it ends, or give another --journal", .0.display())]
    Locked(PathBuf),
    /// Not a journal, or one that was changed.
    #[error("{}: line {line}: {reason}; keep it as it is, and give another --journal", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// What begins a note on the region of a key that is about to be deleted.
pub const IN_REGION: &str = "in ";

/// The lines of a journal.
#[derive(Debug, Default)]
pub struct Lines {
    /// In the order in which they were written.
    pub records: Vec<Record>,
    /// The hash of the last line.
    last: String,
    /// Bytes of the file up to the end of the last whole line.
    whole: u64,
    /// The last line broke off: a process ended while it wrote.
    pub torn: bool,
}

/// An open journal, locked against other processes.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    user: String,
    host: String,
    job: String,
    admin: AdminName,
    lines: Lines,
}

/// What is to be noted, besides who and when.
#[derive(Debug, Clone, Default)]
pub struct Entry<'a> {
    /// What is done, in a word.
    pub action: Option<&'a str>,
    /// The step of a plan.
    pub step: Option<u32>,
    /// In which account.
    pub account: Option<&'a str>,
    /// Which key.
    pub key: Option<&'a str>,
    /// Which OAuth app or SharedKey.
    pub target: Option<&'a str>,
    /// Which leaked credential.
    pub credential: Option<&'a Fingerprint>,
}

impl Journal {
    /// Opens a journal for one piece of work, makes it if need be, and locks it. A line that broke off is cut away: what
    /// it was to say was not done yet.
    pub fn open(path: &Path, job: &str, admin: AdminName) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Io { path: path.to_owned(), error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::folder(folder).map_err(failed)?;
        }
        let file = private::file(OpenOptions::new().read(true).append(true).create(true))
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = Vec::new();
        (&file).read_to_end(&mut text).map_err(failed)?;
        let lines = parse(path, &text)?;
        if lines.torn {
            file.set_len(lines.whole).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        sync_folder(path);
        let (user, host) = who();
        Ok(Self { file, path: path.to_owned(), user, host, job: job.to_owned(), admin, lines })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was noted for this piece of work.
    pub fn past(&self) -> impl Iterator<Item = &Record> {
        self.lines.records.iter().filter(|record| record.job == self.job)
    }

    /// Closes a run of this piece of work that did not come to its end, where none of its steps was begun.
    pub fn end_stopped(&mut self, why: &str) -> Result<(), Error> {
        if stopped(self.past()).is_some() {
            self.note(Event::Finished, &Entry::default(), None, Some(why.to_owned()))?;
        }
        Ok(())
    }

    /// Whether any piece of work was about to delete this.
    #[must_use]
    pub fn was_begun(&self, sid: &str) -> bool {
        self.lines.records.iter().any(|record| {
            record.event == Event::Intent
                && (record.key_sid.as_deref() == Some(sid) || record.target.as_deref() == Some(sid))
        })
    }

    /// What was noted for all pieces of work.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.lines.records
    }

    /// What was noted for this step of this piece of work.
    #[must_use]
    pub fn of_step(&self, step: u32) -> Past<'_> {
        Past(self.past().filter(|record| record.step == Some(step)).collect())
    }

    /// Writes a line and waits until it is on the disk.
    pub fn note(
        &mut self,
        event: Event,
        entry: &Entry,
        told: Option<&Told>,
        note: Option<String>,
    ) -> Result<(), Error> {
        let told = told.cloned().unwrap_or_default();
        let now = Timestamp::now();
        let record = Record {
            schema: JOURNAL_SCHEMA.to_owned(),
            at: now.round(Unit::Millisecond).unwrap_or(now).to_string(),
            user: self.user.clone(),
            host: self.host.clone(),
            pid: std::process::id(),
            job: self.job.clone(),
            event,
            action: entry.action.map(str::to_owned),
            step: entry.step,
            admin: Some(self.admin.clone()),
            account_sid: entry.account.map(str::to_owned),
            key_sid: entry.key.map(str::to_owned),
            target: entry.target.map(str::to_owned),
            credential: entry.credential.cloned(),
            status: told.status,
            code: told.code,
            request_id: told.request_id,
            note,
            previous: self.lines.last.clone(),
        };
        let failed = |error: io::Error| Error::Io { path: self.path.clone(), error };
        let mut line = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        // One write: a line is there whole, or it is the last one and broke off.
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.lines.last = hash(&line[..line.len() - 1]);
        self.lines.records.push(record);
        Ok(())
    }
}

/// What is known of a step from earlier runs, and from this one.
#[derive(Debug)]
pub struct Past<'a>(Vec<&'a Record>);

impl Past<'_> {
    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last line that says so.
    #[must_use]
    pub fn when(&self, event: Event) -> Option<&Record> {
        self.0.iter().rev().find(|record| record.event == event).copied()
    }

    /// All lines that say so, in their order.
    pub fn all(&self, event: Event) -> impl Iterator<Item = &Record> {
        self.0.iter().copied().filter(move |record| record.event == event)
    }

    /// A change was about to be asked for, and nothing says what came of it. That a later run asked for nothing says nothing.
    #[must_use]
    pub fn broke_off(&self) -> bool {
        let last = self.0.iter().rev().find(|record| record.event != Event::NotDone);
        last.is_some_and(|record| matches!(record.event, Event::Intent | Event::Unsure))
    }
}

/// The beginning of the last run of a piece of work, if that has no end.
pub fn stopped<'a>(records: impl Iterator<Item = &'a Record>) -> Option<&'a Record> {
    let ends = records.filter(|record| matches!(record.event, Event::Started | Event::Finished));
    ends.last().filter(|record| record.event == Event::Started)
}

/// Reads a journal without locking it.
pub fn read(path: &Path) -> Result<Lines, Error> {
    let text = std::fs::read(path).map_err(|error| Error::Io { path: path.to_owned(), error })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &[u8]) -> Result<Lines, Error> {
    let mut lines = Lines::default();
    for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let damaged = |reason: String| Error::Damaged { path: path.to_owned(), line: number + 1, reason };
        let Some(whole) = line.strip_suffix(b"\n") else {
            if !is_begun(line) {
                return Err(damaged("not a line of a journal".to_owned()));
            }
            lines.torn = true;
            break;
        };
        let record: Record = serde_json::from_slice(whole)
            .map_err(|error| damaged(format!("not a line of a journal ({error})")))?;
        if record.schema != JOURNAL_SCHEMA {
            return Err(damaged(format!("its schema is {:?}, not {JOURNAL_SCHEMA:?}", record.schema)));
        }
        if record.previous != lines.last {
            return Err(damaged("the line before it was changed or taken out".to_owned()));
        }
        lines.last = hash(whole);
        lines.whole += line.len() as u64;
        lines.records.push(record);
    }
    Ok(lines)
}

/// Whether a line that broke off is the beginning of one of ours.
fn is_begun(line: &[u8]) -> bool {
    let beginning = format!("{{\"schema\":\"{JOURNAL_SCHEMA}\"");
    let length = line.len().min(beginning.len());
    line[..length] == beginning.as_bytes()[..length]
}

fn hash(line: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(line))
}

/// A new file's name is on the disk only when its folder is. Not every file system lets a folder be synced.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Who runs this, and where, as the machine says.
fn who() -> (String, String) {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    #[cfg(unix)]
    {
        let uid = rustix::process::getuid().as_raw();
        let user = name.map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"));
        (user, rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
    #[cfg(not(unix))]
    {
        (name.unwrap_or_default(), std::env::var("COMPUTERNAME").unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Error, Journal, read};
    use crate::model::{AdminName, Event};

    fn open(path: &std::path::Path) -> Result<Journal, Error> {
        Journal::open(path, "job", AdminName { user: "AC1".into(), account: "AC1".into() })
    }

    #[test]
    fn a_line_that_broke_off_is_cut_and_a_changed_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/journal.jsonl");
        let mut journal = open(&path).unwrap();
        for step in 1..=3 {
            let entry = Entry { step: Some(step), ..Entry::default() };
            journal.note(Event::Intent, &entry, None, None).unwrap();
        }
        assert!(matches!(open(&path), Err(Error::Locked(_))));
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 20, 200] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut journal = open(&path).unwrap();
            assert!(journal.lines.torn);
            assert_eq!(journal.past().count(), 2);
            journal.note(Event::Done, &Entry { step: Some(2), ..Entry::default() }, None, None).unwrap();
            drop(journal);
            let lines = read(&path).unwrap();
            assert_eq!((lines.records.len(), lines.torn), (3, false));
        }
        let text = String::from_utf8(whole).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for tampered in [
            format!("{}\n{}\n", lines[0], lines[2]),
            format!("{}\n{}\n", lines[1], lines[2]),
            format!("{}\n{}\n{}\n", lines[0].replace("intent", "proven"), lines[1], lines[2]),
            format!("{}\nhello\n", lines[0]),
        ] {
            std::fs::write(&path, tampered).unwrap();
            assert!(matches!(open(&path), Err(Error::Damaged { .. })));
        }
    }
}
