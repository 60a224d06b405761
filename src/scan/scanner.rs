//! A scan of what changes bring: of secrets only those that did not stand there before.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;

use super::Scanned;
use super::gather::value_key;
use super::look::{self, Looked, Text};
use crate::detect::Detector;
use crate::model::{Confidence, Skipped};
use crate::source::folders::Change;
use crate::source::versions::Versions;

/// A scan in progress.
pub struct Scanner<'a, 'b> {
    detector: &'a Detector,
    blobs: &'a mut Versions<'b>,
    /// What was found so far.
    pub scanned: Scanned,
    /// The values of blobs that were looked at as what stood before.
    known: HashMap<ObjectId, HashSet<u64>>,
}

impl<'a, 'b> Scanner<'a, 'b> {
    /// A scan that has not begun.
    #[must_use]
    pub fn new(detector: &'a Detector, blobs: &'a mut Versions<'b>) -> Self {
        Self { detector, blobs, scanned: Scanned::default(), known: HashMap::new() }
    }

    /// What a changed blob holds that the blobs before it did not.
    pub fn hits(&mut self, change: &Change, before: &[ObjectId]) -> Looked {
        let path = change.path.to_string();
        let data = match self.blobs.read(&change.blob) {
            Ok(data) => data,
            Err(reason) => {
                self.scanned.skipped.push(Skipped { path, reason });
                return Vec::new();
            }
        };
        self.scanned.stats.blobs += 1;
        self.scanned.stats.bytes += data.len() as u64;
        let mut looked = look::bytes(self.detector, &data, &path, &mut self.scanned.skipped);
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
            let looked = look::bytes(detector, &data, path, &mut Vec::new());
            looked.iter().flat_map(Text::all).map(value_key).collect()
        })
    }
}
