//! The contents that pointers of Git LFS stand for: git itself holds the pointers alone.

use std::fmt::Display;
use std::path::{Path, PathBuf};

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
    let place = lfs::pointer(pointer).and_then(|id| lfs::content(common, id));
    let Some(place) = place else {
        Left::Content.close(known);
        return (Looked::new(), 0);
    };
    let searched = guarded::open(&place)
        .and_then(|mut file| look::file(&mut Windows::default(), detector, path, &mut file, tally));
    match searched {
        Ok(searched) => {
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
