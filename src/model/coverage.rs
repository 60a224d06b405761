//! How much of what a source knew of was read, and what was not. A [`Coverage`] is made by a [`Tally`](super::Tally), so that
//! nothing which a source knew of can be missing from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Skipped;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Files of work trees, standard input, and the contents that Git LFS keeps elsewhere.
    Files,
    /// What stands inside of archives and documents.
    Entries,
    /// Git objects.
    Objects,
    /// Git references.
    References,
    /// Repositories: submodules and nested ones, and all that an audit looks at.
    Repositories,
    /// What an audit asked a forge or a folder to list.
    Listings,
    /// Issues, comments and reviews of a forge.
    Texts,
    /// Policies, rules and settings that should have been followed, and sources as a whole.
    Settings,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Files,
        Self::Entries,
        Self::Objects,
        Self::References,
        Self::Repositories,
        Self::Listings,
        Self::Texts,
        Self::Settings,
    ];

    /// What so many of them are called.
    #[must_use]
    pub fn word(self, number: u64) -> &'static str {
        let (one, many) = match self {
            Self::Files => ("file", "files"),
            Self::Entries => ("archive entry", "archive entries"),
            Self::Objects => ("git object", "git objects"),
            Self::References => ("reference", "references"),
            Self::Repositories => ("repository", "repositories"),
            Self::Listings => ("listing", "listings"),
            Self::Texts => ("list of texts", "lists of texts"),
            Self::Settings => ("setting", "settings"),
        };
        if number == 1 { one } else { many }
    }
}

/// How many things of one unit there were. `known` is always `read`, `skipped` and `opaque` together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What the source knew of.
    pub known: u64,
    /// What was read to its end.
    pub read: u64,
    /// What was not.
    pub skipped: u64,
    /// Known containers that are not opened.
    pub opaque: u64,
    /// How many of those that were skipped or are opaque somebody accepted as unread.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub accepted: u64,
}

impl Count {
    /// Whether it says of everything what became of it.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.known == self.read + self.skipped + self.opaque && self.accepted <= self.skipped + self.opaque
    }

    fn add(&mut self, other: Self) {
        self.known += other.known;
        self.read += other.read;
        self.skipped += other.skipped;
        self.opaque += other.opaque;
        self.accepted += other.accepted;
    }
}

/// Something that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotRead {
    /// What.
    pub path: String,
    /// Why, in words.
    pub reason: String,
    /// What it is.
    #[serde(default = "settings")]
    pub unit: Unit,
    /// How many things it stands for.
    #[serde(skip_serializing_if = "is_one", default = "one")]
    pub count: u64,
}

/// A known container that is not opened. Its bytes are searched as they are; what it holds is compressed or encrypted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opaque {
    /// Where it stands.
    pub path: String,
    /// What it is, in words.
    pub container: String,
    /// What it was known as.
    pub unit: Unit,
}

/// Something that was not read, and that somebody accepted as unread.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AcceptedUnread {
    /// What it is, and why it was not read.
    #[serde(flatten)]
    pub unread: NotRead,
    /// By what: the option with its pattern, or the policy with its reason.
    pub accepted: String,
}

/// Whether somebody accepts something as unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// Who does, and why.
    By(String),
    /// Somebody did, for a time that is over.
    Over(String),
    /// Nobody does.
    None,
}

/// What was read of what was known of. It can only be made by a [`Tally`](super::Tally), be put together of others, and be read
/// from a saved report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Coverage {
    #[serde(rename = "coverage")]
    counts: BTreeMap<Unit, Count>,
    skipped: Vec<NotRead>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    opaque: Vec<Opaque>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_unread: Vec<AcceptedUnread>,
}

/// A coverage as it was written: reports of older versions have no counts.
#[derive(Deserialize)]
struct Stored {
    coverage: Option<BTreeMap<Unit, Count>>,
    #[serde(default)]
    skipped: Vec<NotRead>,
    #[serde(default)]
    opaque: Vec<Opaque>,
    #[serde(default)]
    accepted_unread: Vec<AcceptedUnread>,
}

impl From<Stored> for Coverage {
    fn from(Stored { coverage, skipped, opaque, accepted_unread }: Stored) -> Self {
        let Some(counts) = coverage else { return Self::of(BTreeMap::new(), skipped, opaque) };
        Self { counts, skipped, opaque, accepted_unread }
    }
}

impl Coverage {
    /// What was read, by unit, and all that was not.
    pub(super) fn of(read: BTreeMap<Unit, u64>, skipped: Vec<NotRead>, opaque: Vec<Opaque>) -> Self {
        let mut counts: BTreeMap<Unit, Count> = BTreeMap::new();
        for (unit, read) in read.into_iter().filter(|(_, read)| *read > 0) {
            counts.entry(unit).or_default().add(Count { known: read, read, ..Count::default() });
        }
        for unread in &skipped {
            let count = Count { known: unread.count, skipped: unread.count, ..Count::default() };
            counts.entry(unread.unit).or_default().add(count);
        }
        for container in &opaque {
            let count = Count { known: 1, opaque: 1, ..Count::default() };
            counts.entry(container.unit).or_default().add(count);
        }
        Self { counts, skipped, opaque, accepted_unread: Vec::new() }
    }

    /// How many things of each unit there were.
    pub fn counts(&self) -> impl Iterator<Item = (Unit, Count)> {
        self.counts.iter().map(|(unit, count)| (*unit, *count))
    }

    /// Whether it says of everything what became of it.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.counts.values().all(Count::is_balanced)
    }

    /// What was not read, and was not accepted as unread.
    #[must_use]
    pub fn skipped(&self) -> &[NotRead] {
        &self.skipped
    }

    /// Known containers that were not opened, and were not accepted as unread.
    #[must_use]
    pub fn opaque(&self) -> &[Opaque] {
        &self.opaque
    }

    /// What was accepted as unread.
    #[must_use]
    pub fn accepted(&self) -> &[AcceptedUnread] {
        &self.accepted_unread
    }

    /// Whether nothing was skipped but what somebody accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.skipped.is_empty()
    }

    /// Adds something that should have been followed, or read, and was not.
    pub fn skip(&mut self, unit: Unit, Skipped { path, reason }: Skipped) {
        let unread = NotRead { path, reason, unit, count: 1 };
        self.append(Self::of(BTreeMap::new(), vec![unread], Vec::new()));
    }

    /// Adds what another part of the same source came to.
    pub fn append(&mut self, other: Self) {
        for (unit, count) in other.counts {
            self.counts.entry(unit).or_default().add(count);
        }
        self.skipped.extend(other.skipped);
        self.opaque.extend(other.opaque);
        self.accepted_unread.extend(other.accepted_unread);
        self.skipped.sort();
        self.opaque.sort();
        debug_assert!(self.is_balanced(), "{:?}", self.counts);
    }

    /// The same with other names, as where a source is a part of another.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        let accepted = self.accepted_unread.iter_mut().map(|accepted| &mut accepted.unread);
        for unread in self.skipped.iter_mut().chain(accepted) {
            unread.path = name(&unread.path);
        }
        for container in &mut self.opaque {
            container.path = name(&container.path);
        }
        self
    }

    /// Counts containers that are not opened like all else that was not read.
    pub fn refuse_opaque(&mut self) {
        for Opaque { path, container, unit } in std::mem::take(&mut self.opaque) {
            let count = self.counts.entry(unit).or_default();
            count.opaque -= 1;
            count.skipped += 1;
            let reason = format!("{container}, which is not opened, and --fail-on-opaque was given");
            self.skipped.push(NotRead { path, reason, unit, count: 1 });
        }
        self.skipped.sort();
        debug_assert!(self.is_balanced(), "{:?}", self.counts);
    }

    /// Moves what somebody accepts as unread out of what counts; `by` says of a path who does.
    pub fn accept(&mut self, mut by: impl FnMut(&str) -> Acceptance) {
        for mut unread in std::mem::take(&mut self.skipped) {
            match by(&unread.path) {
                Acceptance::By(accepted) => {
                    self.counts.entry(unread.unit).or_default().accepted += unread.count;
                    self.accepted_unread.push(AcceptedUnread { unread, accepted });
                }
                Acceptance::Over(reason) => {
                    unread.reason = format!("{} ({reason})", unread.reason);
                    self.skipped.push(unread);
                }
                Acceptance::None => self.skipped.push(unread),
            }
        }
        for container in std::mem::take(&mut self.opaque) {
            match by(&container.path) {
                Acceptance::By(accepted) => {
                    let Opaque { path, container, unit } = container;
                    self.counts.entry(unit).or_default().accepted += 1;
                    let unread =
                        NotRead { path, reason: format!("{container}, which is not opened"), unit, count: 1 };
                    self.accepted_unread.push(AcceptedUnread { unread, accepted });
                }
                Acceptance::Over(_) | Acceptance::None => self.opaque.push(container),
            }
        }
        self.accepted_unread.sort();
        debug_assert!(self.is_balanced(), "{:?}", self.counts);
    }
}

fn settings() -> Unit {
    Unit::Settings
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_one(count: &u64) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
