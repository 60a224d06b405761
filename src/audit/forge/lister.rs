//! What lists a source's repositories: it hands over each page as it comes, and names what could not be seen.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::api::{Api, Problem, string};
use super::paging::Counted;
use super::{Listed, Owner};

/// What a lister finds.
#[derive(Debug)]
pub enum Listing {
    /// A page of repositories, and the forge's own time.
    Page(Vec<Listed>, Option<Timestamp>),
    /// A part of the source that this token does not see, or that was refused.
    Unseen {
        /// Which part.
        what: String,
        /// Why.
        reason: String,
    },
}

/// Where a lister puts what it finds.
pub type Sink = tokio::sync::mpsc::Sender<Listing>;

/// The listing of one source.
pub struct Lister<'a> {
    /// The forge.
    pub api: &'a Api,
    sink: &'a Sink,
    /// Nothing but what anybody may see is asked for.
    only_public: bool,
    /// The paths that were listed: some lists overlap.
    seen: BTreeSet<String>,
    /// What GitHub says of a classic token's scopes.
    pub scopes: Option<String>,
    /// GitHub left out what needs single sign-on.
    pub partial: bool,
}

impl<'a> Lister<'a> {
    /// A lister that has found nothing yet.
    pub fn new(api: &'a Api, sink: &'a Sink, only_public: bool) -> Self {
        Self { api, sink, only_public, seen: BTreeSet::new(), scopes: None, partial: false }
    }

    /// How many repositories were listed.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.seen.len()
    }

    /// Reads a list to its end, and hands over those of its entries that are wanted and were not listed before.
    pub async fn pages(
        &mut self,
        path: &str,
        read: impl Fn(&Value) -> Option<Listed>,
    ) -> Result<Counted, Problem> {
        let (api, sink) = (self.api, self.sink);
        api.pages(path, async |list, page| {
            self.scopes = page.scopes.clone().or(self.scopes.take());
            self.partial |= page.partial;
            let new = list.iter().filter_map(&read).filter(|listed| self.seen.insert(listed.path.clone()));
            sink.send(Listing::Page(new.collect(), page.date)).await.map_err(|_| Problem::Stopped)
        })
        .await
    }

    /// The repositories of an organization, or of a user where there is no such organization; which of the two it was. A
    /// list that is shorter than the forge counts is said.
    pub async fn pages_of_either(
        &mut self,
        [organization, user]: [&str; 2],
        read: impl Fn(&Value) -> Option<Listed>,
    ) -> Result<Owner, Problem> {
        let (counted, owner) = match self.pages(organization, &read).await {
            Err(Problem::Missing(_)) => (self.pages(user, &read).await?, Owner::User { own: false }),
            other => (other?, Owner::Organization),
        };
        self.part("some repositories", Ok(counted)).await?;
        Ok(owner)
    }

    /// A part of a listing: if it is refused, or shorter than the forge counts, that part alone is missing, and said.
    pub async fn part(&self, what: &str, result: Result<Counted, Problem>) -> Result<(), Problem> {
        match result.and_then(Counted::whole) {
            Ok(()) => Ok(()),
            Err(Problem::Stopped) => Err(Problem::Stopped),
            Err(problem) => self.unseen(what, problem.to_string()).await,
        }
    }

    /// Names a part that was not seen.
    pub async fn unseen(&self, what: &str, reason: String) -> Result<(), Problem> {
        let unseen = Listing::Unseen { what: what.to_owned(), reason };
        self.sink.send(unseen).await.map_err(|_| Problem::Stopped)
    }

    /// Names a part that was not seen, unless only what anybody may see is asked for.
    pub async fn unseen_private(&self, what: &str, reason: String) -> Result<(), Problem> {
        if self.only_public { Ok(()) } else { self.unseen(what, reason).await }
    }

    /// How many repositories the forge counts, of those that are asked for.
    #[must_use]
    pub fn expected(&self, public: u64, private: u64) -> usize {
        usize::try_from(if self.only_public { public } else { public + private }).unwrap_or(usize::MAX)
    }
}

/// Owner and name of an entry; of one that has no name what else it can be known by.
pub fn path_of(value: &Value, name: &str) -> String {
    string(value, name).unwrap_or_else(|| match value.get("id") {
        Some(id) => format!("an entry without a name, id {}", id.to_string().trim_matches('"')),
        None => "an entry without a name".to_owned(),
    })
}
