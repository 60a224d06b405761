//! A scan of what changes bring: of secrets only those that did not stand there before.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;

use super::Found;
use super::content;
use super::gather::value_key;
use super::look::{self, Left, Looked, Text};
use crate::detect::Detector;
use crate::model::{Confidence, Tally, Unit};
use crate::source::folders::Change;
use crate::source::versions::Versions;

/// A scan in progress.
pub struct Scanner<'a, 'b> {
    detector: &'a Detector,
    blobs: &'a mut Versions<'b>,
    tally: &'a Tally,
    /// What was found so far.
    pub found: Found,
    /// The values of blobs that were looked at as what stood before.
    known: HashMap<ObjectId, HashSet<u64>>,
}

impl<'a, 'b> Scanner<'a, 'b> {
    /// A scan that has not begun.
    #[must_use]
    pub fn new(detector: &'a Detector, blobs: &'a mut Versions<'b>, tally: &'a Tally) -> Self {
        Self { detector, blobs, tally, found: Found::default(), known: HashMap::new() }
    }

    /// What a changed blob holds that the blobs before it did not.
    pub fn hits(&mut self, change: &Change, before: &[ObjectId]) -> Looked {
        let path = change.path.to_string();
        let known = self.tally.know(Unit::Objects, &path);
        let data = match self.blobs.read(&change.blob) {
            Ok(data) => data,
            Err(reason) => {
                known.skip(reason);
                return Vec::new();
            }
        };
        self.found.stats.blobs += 1;
        self.found.stats.bytes += data.len() as u64;
        let searched = look::bytes(self.detector, &data, &path, self.tally);
        let mut looked = searched.looked;
        if searched.left == Left::Content {
            let common = self.blobs.repository().common_dir();
            let (content, bytes) = content::read(self.detector, common, &data, &path, known, self.tally);
            self.found.stats.bytes += bytes;
            looked.extend(content);
        } else {
            searched.left.close(known);
        }
        let secret =
            |looked: &Looked| looked.iter().any(|text| text.hits.iter().any(|hit| hit.kind.is_secret()));
        let doubtful = |looked: &Looked| looked.iter().any(|text| !text.doubtful.is_empty());
        let had_secret = secret(&looked);
        if had_secret || doubtful(&looked) {
            for &blob in before {
                let known = self.values(blob, &path);
                for text in &mut looked {
                    text.hits.retain(|hit| !hit.kind.is_secret() || !known.contains(&value_key(hit)));
                    text.doubtful.retain(|hit| !known.contains(&value_key(hit)));
                }
            }
        }
        if had_secret && !secret(&looked) {
            if doubtful(&looked) {
                // The SIDs are no news, but Twilio is asked about what is new beside them.
                let hits = looked.iter_mut().flat_map(|text| &mut text.hits);
                hits.for_each(|hit| hit.confidence = Confidence::Doubtful);
            } else {
                looked.clear();
            }
        }
        looked
    }

    fn values(&mut self, blob: ObjectId, path: &str) -> &HashSet<u64> {
        let (blobs, detector) = (&mut self.blobs, self.detector);
        self.known.entry(blob).or_insert_with(|| {
            let data = blobs.read(&blob).unwrap_or_default();
            // What is not read of it was named when it was new.
            let looked = look::bytes(detector, &data, path, &Tally::default()).looked;
            looked.iter().flat_map(Text::all).map(value_key).collect()
        })
    }
}
