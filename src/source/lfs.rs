//! Git LFS and git-annex: what git holds in the place of a file's content, and where the content lies.

use std::path::{Path, PathBuf};

/// What a pointer begins with, by the names that the format had.
const MARKS: [&[u8]; 3] = [
    b"version https://git-lfs.github.com/spec/v1",
    b"version https://hawser.github.com/spec/v1",
    b"version http://git-media.io/v/2",
];
/// A pointer is no longer, in bytes.
const LONGEST: usize = 1024;

/// What a pointer says of the content that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The content's SHA-256.
    pub id: String,
    /// Its size in bytes, if that is said.
    pub size: Option<u64>,
}

/// The pointer that a text is, if it is one.
#[must_use]
pub fn pointer(text: &[u8]) -> Option<Pointer> {
    if !is_pointer(text) || text.len() > LONGEST {
        return None;
    }
    let lines = || std::str::from_utf8(text).ok().map(str::lines).into_iter().flatten();
    let id = lines().find_map(|line| line.strip_prefix("oid sha256:"))?.trim();
    let size = lines().find_map(|line| line.strip_prefix("size ")).and_then(|size| size.trim().parse().ok());
    let is_sum = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sum.then(|| Pointer { id: id.to_owned(), size })
}

/// Whether a text begins as a pointer does.
#[must_use]
pub fn is_pointer(head: &[u8]) -> bool {
    MARKS.iter().any(|mark| head.starts_with(mark))
}

/// Whether a text that begins like this may stand for a file that git-annex keeps.
#[must_use]
pub fn may_be_annexed(head: &[u8]) -> bool {
    (head.starts_with(b"/") || head.starts_with(b"."))
        && memchr::memmem::find(head, b"annex/objects/").is_some()
}

/// Whether a text stands for a file that git-annex keeps: the target of a link, or a pointer.
#[must_use]
pub fn is_annexed(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let is_one_line = text.len() <= LONGEST && !text.contains(&b'\n');
    is_one_line && (text.starts_with(b"/annex/objects/") || annexed(text).is_some())
}

/// Where below a git folder the content lies that a link of git-annex leads to.
fn annexed(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?.trim_end();
    let below = text.split_once(".git/annex/objects/")?;
    let is_plain = below.0.split('/').all(|part| part.is_empty() || part == "..");
    (is_plain && !below.1.is_empty() && below.1.split('/').all(|part| part != "..")).then_some(below.1)
}

/// Where the content lies in a git folder that a text stands for, if it is there.
#[must_use]
pub fn content(common: &Path, text: &[u8]) -> Option<PathBuf> {
    let path = match pointer(text) {
        Some(Pointer { id, .. }) => common.join("lfs/objects").join(&id[..2]).join(&id[2..4]).join(id),
        None => common.join("annex/objects").join(annexed(text)?),
    };
    path.symlink_metadata().is_ok_and(|found| found.is_file()).then_some(path)
}

/// Why the content was not read.
pub const ABSENT: &str = "a pointer of Git LFS or git-annex, whose content is not here: it was not read; `git lfs fetch --all` or `git annex get` brings it";
