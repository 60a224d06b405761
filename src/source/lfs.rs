//! Git LFS: what git holds in the place of a file's content, and where the content lies.

use std::path::{Path, PathBuf};

/// What a pointer begins with.
const MARK: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// A pointer is no longer, in bytes.
const LONGEST: usize = 1024;

/// The id of the content that a pointer stands for; nothing if it is none.
#[must_use]
pub fn pointer(text: &[u8]) -> Option<&str> {
    if !is_pointer(text) || text.len() > LONGEST {
        return None;
    }
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let id = lines.find_map(|line| line.strip_prefix("oid sha256:"))?.trim();
    (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// Whether a text begins as a pointer does.
#[must_use]
pub fn is_pointer(head: &[u8]) -> bool {
    head.starts_with(MARK)
}

/// Where the content lies in a git folder, if it is there.
#[must_use]
pub fn content(common: &Path, id: &str) -> Option<PathBuf> {
    let path = common.join("lfs/objects").join(&id[..2]).join(&id[2..4]).join(id);
    path.symlink_metadata().is_ok_and(|found| found.is_file()).then_some(path)
}

/// Why the content was not read.
pub const ABSENT: &str =
    "a pointer of Git LFS, whose content is not here: it was not read; `git lfs fetch --all` brings it";
