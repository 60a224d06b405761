//! The entries of a pack in the order in which they lie there, as a forest of deltas.

use std::cmp::Reverse;

use gix::object::Kind;
use gix::odb::pack::Bundle;
use rayon::prelude::*;

use super::entry;

/// An entry of a pack.
pub struct Entry {
    /// Its number in the index.
    pub number: u32,
    /// Where it begins.
    pub offset: u64,
    /// Where its deflated bytes begin.
    pub data_offset: u64,
    /// What it inflates to, in bytes.
    pub size: u64,
    link: Link,
}

#[derive(Clone, Copy)]
enum Link {
    Whole(Kind),
    /// A delta against the entry at this place.
    Delta(u32),
    /// The header cannot be read, or the base is not in the pack.
    Broken,
}

/// All entries.
pub struct Forest {
    /// Each at its place.
    pub entries: Vec<Entry>,
    /// The deltas against each entry: those of entry `n` are `children[first_child[n]..first_child[n + 1]]`.
    first_child: Vec<u32>,
    children: Vec<u32>,
}

impl Forest {
    /// Reads the headers of all entries.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        let index = &bundle.index;
        let mut offsets: Vec<(u64, u32)> =
            (0..index.num_objects()).map(|number| (index.pack_offset_at_index(number), number)).collect();
        offsets.par_sort_unstable();
        let place_of = |offset: u64| {
            offsets.binary_search_by_key(&offset, |&(offset, _)| offset).ok().map(|place| place as u32)
        };
        let read = |&(offset, number): &(u64, u32)| {
            let Some(header) = entry::header(bundle, offset) else {
                return Entry { number, offset, data_offset: offset, size: 0, link: Link::Broken };
            };
            let link = match header.header.as_kind() {
                Some(kind) => Link::Whole(kind),
                None => entry::base(bundle, offset, &header.header)
                    .and_then(place_of)
                    .map_or(Link::Broken, Link::Delta),
            };
            Entry { number, offset, data_offset: header.data_offset, size: header.decompressed_size, link }
        };
        let entries: Vec<Entry> = offsets.par_iter().with_min_len(1024).map(read).collect();
        let mut first_child = vec![0_u32; entries.len() + 1];
        for entry in &entries {
            if let Link::Delta(base) = entry.link {
                first_child[base as usize + 1] += 1;
            }
        }
        for place in 1..first_child.len() {
            first_child[place] += first_child[place - 1];
        }
        let mut next = first_child.clone();
        let mut children = vec![0; first_child.last().map_or(0, |&count| count as usize)];
        for (place, entry) in (0..).zip(&entries) {
            if let Link::Delta(base) = entry.link {
                let slot = &mut next[base as usize];
                children[*slot as usize] = place;
                *slot += 1;
            }
        }
        Self { entries, first_child, children }
    }

    /// The whole entries, those with the most bytes in deltas below them first, so that no thread is left with a long one.
    #[must_use]
    pub fn roots(&self) -> Vec<(u32, Kind)> {
        let mut weights: Vec<u64> = self.entries.iter().map(|entry| entry.size).collect();
        // A delta lies after its base, but for a few that name it by its id.
        for (place, entry) in self.entries.iter().enumerate().rev() {
            if let Link::Delta(base) = entry.link {
                weights[base as usize] = weights[base as usize].saturating_add(weights[place]);
            }
        }
        let mut roots: Vec<(u32, Kind)> = (0..)
            .zip(&self.entries)
            .filter_map(|(place, entry)| match entry.link {
                Link::Whole(kind) => Some((place, kind)),
                Link::Delta(_) | Link::Broken => None,
            })
            .collect();
        roots.sort_by_key(|&(place, _)| Reverse(weights[place as usize]));
        roots
    }

    /// The place of the entry that one is a delta against.
    #[must_use]
    pub fn base(&self, place: u32) -> Option<u32> {
        match self.entries[place as usize].link {
            Link::Delta(base) => Some(base),
            Link::Whole(_) | Link::Broken => None,
        }
    }

    /// The places of the deltas against an entry.
    #[must_use]
    pub fn children(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.children[self.first_child[place] as usize..self.first_child[place + 1] as usize]
    }

    /// Where the entry after one begins. Two at one place are an index that lies; both are read.
    #[must_use]
    pub fn end(&self, place: u32) -> Option<u64> {
        let entries = &self.entries[place as usize..];
        entries.iter().map(|entry| entry.offset).find(|&other| other > entries[0].offset)
    }
}
