//! Places in history that an earlier scan named, read again without scanning all of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use gix::ObjectId;
use gix::object::Kind as ObjectKind;

use super::gather::Origin;
use super::history::{COMMIT_MESSAGE, message};
use super::provenance::outer;
use super::{Found, Scanned, look};
use crate::detect::Detector;
use crate::model::{Finding, Tally, Unit};
use crate::source::{commits, repository};

/// Reads again what findings of an earlier scan name: a path in the commit that brought it or in HEAD, a message, a blob.
pub fn read_again(
    detector: &Detector,
    root: &Path,
    findings: &[&Finding],
) -> Result<Scanned, repository::Error> {
    let repository = repository::open_fully(root)?;
    let (tally, mut found) = (Tally::default(), Found::default());
    let mut read: HashSet<ObjectId> = HashSet::new();
    for finding in findings {
        let path = finding.location.path.as_str();
        let commit = finding.commit.as_ref().and_then(|commit| ObjectId::from_hex(commit.id.as_bytes()).ok());
        let named = path.strip_prefix("(blob ").and_then(|rest| rest.strip_suffix(')'));
        let id = match (named, commit) {
            (Some(id), _) => ObjectId::from_hex(id.as_bytes()).ok(),
            (None, Some(commit)) if path == COMMIT_MESSAGE => Some(commit),
            (None, Some(commit)) => commits::blob_at(&repository, commit, outer(path)),
            (None, None) => repository
                .head_id()
                .ok()
                .and_then(|head| commits::blob_at(&repository, head.detach(), outer(path))),
        };
        let Some(object) = id.filter(|id| read.insert(*id)).and_then(|id| repository.find_object(id).ok())
        else {
            continue;
        };
        let is_commit = object.kind == ObjectKind::Commit;
        let data = if is_commit { message(&object.data) } else { Cow::Borrowed(object.data.as_slice()) };
        let searched = look::bytes(detector, &data, outer(path), &tally);
        searched.left.close(tally.know(Unit::Objects, path));
        found.add_looked(searched.looked, &Origin::default());
    }
    Ok(found.covering(tally))
}
