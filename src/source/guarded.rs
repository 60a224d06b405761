//! The one place where files are opened that a scanned tree or repository controls. No link leads out, nothing but a regular
//! file is opened, and no more of it is read than its purpose needs: a committed `.gitignore` may be a link to `/dev/zero`,
//! and a folder that somebody unpacked may hold a pipe where git keeps its configuration.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most that is read of a file of one line, such as `HEAD`, in bytes.
pub const LINE: u64 = 64 << 10;
/// The most that is read of a file of rules or settings, in bytes.
pub const SETTINGS: u64 = 4 << 20;

/// Where a symbolic link may lead.
#[derive(Debug, Clone, Copy)]
pub enum Links<'a> {
    /// To a file below this folder, whose path is canonical.
    Below(&'a Path),
    /// To a file of some git folder: `git worktree`'s ancestors and the tool `repo` link between them.
    BetweenGitFolders,
}

/// Opens a file without following a link or waiting for a pipe that took its place meanwhile.
#[cfg(unix)]
pub fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Elsewhere there are no pipes in folders, and links need a privilege.
#[cfg(not(unix))]
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Reads a small file whole; nothing where there is none. The error says in words why it was not read.
pub fn read(path: &Path, most: u64, links: Links<'_>) -> Result<Option<Vec<u8>>, String> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let place = if metadata.is_symlink() { target(path, links)? } else { path.to_owned() };
    let words = |error: io::Error| error.to_string();
    let file = open(&place).map_err(words)?;
    // Asked of the open file: what stood there a moment ago may have been replaced.
    check(&file.metadata().map_err(words)?, most)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() as u64 > most { Err(too_long(most)) } else { Ok(Some(bytes)) }
}

/// The same for text.
pub fn text(path: &Path, most: u64, links: Links<'_>) -> Result<Option<String>, String> {
    let bytes = read(path, most, links)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Whether git's library may open a file by itself: an error, in words, where it may not. A file that is not there may be.
pub fn vet(path: &Path, most: u64, links: Links<'_>) -> Result<(), String> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.is_symlink() {
        return check(&metadata, most);
    }
    let target = target(path, links)?;
    check(&target.metadata().map_err(|error| error.to_string())?, most)
}

/// What a link leads to, if that may be opened.
pub fn target(link: &Path, links: Links<'_>) -> Result<PathBuf, String> {
    let target = link.canonicalize().map_err(|error| format!("a link that leads nowhere: {error}"))?;
    let is_within = match links {
        Links::Below(folder) => target.starts_with(folder),
        Links::BetweenGitFolders => target.ancestors().any(is_git_folder),
    };
    let metadata = target.metadata().map_err(|error| error.to_string())?;
    let is_plain = metadata.is_file() || metadata.is_dir();
    if is_within && is_plain {
        Ok(target)
    } else if is_plain {
        Err("a link that leads out of the repository, so it was not followed".to_owned())
    } else {
        Err("a link to what is no regular file, so it was not followed".to_owned())
    }
}

/// Whether a folder is laid out as git's own.
#[must_use]
pub fn is_git_folder(folder: &Path) -> bool {
    let is_linked = || folder.join("commondir").symlink_metadata().is_ok_and(|found| found.is_file());
    folder.join("HEAD").symlink_metadata().is_ok() && (folder.join("objects").is_dir() || is_linked())
}

fn check(metadata: &Metadata, most: u64) -> Result<(), String> {
    if !metadata.is_file() {
        Err(what_it_is(metadata).to_owned())
    } else if metadata.len() > most {
        Err(too_long(most))
    } else {
        Ok(())
    }
}

fn too_long(most: u64) -> String {
    format!("longer than the {most} bytes that are read of such a file")
}

/// What stands where a regular file was expected.
#[must_use]
pub fn what_it_is(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a named pipe and no regular file, so it was not opened";
        }
        if kind.is_socket() {
            return "a socket and no regular file, so it was not opened";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device and no regular file, so it was not opened";
        }
    }
    if metadata.is_dir() { "a folder and no regular file" } else { "no regular file, so it was not opened" }
}

/// Whether an error says that nothing is there.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
