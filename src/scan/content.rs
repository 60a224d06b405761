//! The contents that pointers of Git LFS stand for: git itself holds the pointers alone.

use std::fmt::Display;
use std::io::Read;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::look::{self, Left, Looked};
use crate::detect::Detector;
use crate::model::{Known, Tally};
use crate::source::guarded::{self, Links};
use crate::source::stream::Windows;
use crate::source::{lfs, repository};

/// Looks at the content that a pointer in a git folder stands for, where it is here; what becomes of the pointer is said. With how
/// many bytes were searched.
pub(super) fn read(
    detector: &Detector,
    common: &Path,
    pointer: &[u8],
    path: &str,
    known: Known<'_, impl Display>,
    tally: &Tally,
) -> (Looked, u64) {
    let Some(place) = lfs::content(common, pointer) else {
        Left::Content.close(known);
        return (Looked::new(), 0);
    };
    let searched = guarded::open(&place)
        .and_then(|mut file| look::file(&mut Windows::default(), detector, path, &mut file, tally));
    match searched {
        Ok(searched) => {
            if let Some(pointer) = lfs::pointer(pointer)
                && let Err(reason) = is_content_of(&pointer, &place)
            {
                // What lies there was looked at all the same.
                known.skip(reason);
                return (searched.looked, searched.bytes);
            }
            // What another pointer stands for is no content of this one.
            searched.left.close(known);
            (searched.looked, searched.bytes)
        }
        Err(error) => {
            known.skip(error);
            (Looked::new(), 0)
        }
    }
}

/// Whether what lies at a place is what the pointer stands for; an error in words.
fn is_content_of(pointer: &lfs::Pointer, place: &Path) -> Result<(), String> {
    const OTHER: &str = "what Git LFS keeps for this pointer is not its content";
    let words = |error: std::io::Error| error.to_string();
    let mut file = guarded::open(place).map_err(words)?;
    let length = file.metadata().map_err(words)?.len();
    if let Some(size) = pointer.size.filter(|&size| size != length) {
        return Err(format!("{OTHER}: {length} bytes, and not {size}; `git lfs fsck` tells more"));
    }
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(words)?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
    }
    if HEXLOWER.encode(&sum.finalize()).eq_ignore_ascii_case(&pointer.id) {
        Ok(())
    } else {
        Err(format!("{OTHER}: it has another sum; `git lfs fsck` tells more"))
    }
}

/// The same for a pointer that stands in a work tree below one of these roots.
pub(super) fn read_in_tree(
    detector: &Detector,
    roots: &[PathBuf],
    known: Known<'_, String>,
    tally: &Tally,
) -> (Looked, u64) {
    let path = known.name().clone();
    let places = roots.iter().map(|root| root.join(&path)).chain([PathBuf::from(&path)]);
    let mut found = places.filter_map(|place| {
        let pointer = guarded::read(&place, guarded::LINE, Links::BetweenGitFolders).ok()??;
        let folder = place.parent().filter(|folder| *folder != "").unwrap_or(Path::new("."));
        let common = repository::common_of(&repository::find(folder)?).ok()?;
        Some((pointer, common))
    });
    let (pointer, common) = found.next().unwrap_or_default();
    read(detector, &common, &pointer, &path, known, tally)
}
