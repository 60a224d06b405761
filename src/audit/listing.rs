//! Finding out which repositories there are, and which of them are as they were.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use globset::GlobSet;
use jiff::Timestamp;
use rayon::prelude::*;

use super::forge::api::Problem;
use super::forge::{self, Listed, Lister, Listing, Refused, Visibility};
use super::source::{Forge, Source};
use super::url::Url;
use super::{Options, Run, folder};
use crate::model::{Holding, Place, Repository};
use crate::store::{Audit, Before, Entry, Error};

/// How long the forge's word that nothing was pushed is taken without asking the repository itself.
const TRUSTED_FOR: i64 = 24 * 3600;

/// The names of an audit's repositories.
pub(super) struct Names {
    include: GlobSet,
    exclude: GlobSet,
    any: bool,
}

impl Names {
    /// Whether a repository of this name is wanted. It is the name of the repository itself, for its wiki and texts too.
    fn want(&self, name: &str) -> bool {
        (self.any || self.include.is_match(name)) && !self.exclude.is_match(name)
    }
}

impl Options {
    pub(super) fn names(&self) -> Result<Names, String> {
        let set = |patterns: &[String]| {
            let mut builder = globset::GlobSetBuilder::new();
            for pattern in patterns {
                // `acme/*` is meant for owner and name, wherever the forge is.
                for form in [pattern.clone(), format!("**/{pattern}")] {
                    builder.add(globset::Glob::new(&form).map_err(|error| error.to_string())?);
                }
            }
            builder.build().map_err(|error| error.to_string())
        };
        Ok(Names { include: set(&self.include)?, exclude: set(&self.exclude)?, any: self.include.is_empty() })
    }

    /// Whether nothing else than what anybody may see is asked for.
    fn only_public(&self) -> bool {
        !self.visibility.is_empty() && self.visibility.iter().all(|wanted| wanted == "public")
    }

    /// Whether a repository that a forge lists is wanted.
    fn wants(&self, listed: &Listed) -> bool {
        let visible = match listed.visibility {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
            Visibility::Private => "private",
        };
        let since: Option<Timestamp> = self.pushed_since.as_deref().and_then(|time| time.parse().ok());
        let pushed: Option<Timestamp> = listed.pushed.as_deref().and_then(|time| time.parse().ok());
        // What the forge does not say is no reason to pass over anything.
        let recent = since.zip(pushed).is_none_or(|(since, pushed)| pushed >= since);
        (self.visibility.is_empty() || self.visibility.iter().any(|wanted| wanted == visible))
            && !(self.no_archived && listed.archived)
            && !(self.no_forks && listed.fork)
            && recent
    }
}

impl Run {
    /// Finds out what there is to look at, and puts it into the queue as it comes. What is known to be unchanged is not
    /// worked on.
    pub(super) async fn list_all(
        &self,
        audit: &Audit,
        sources: &[Source],
        options: &Options,
    ) -> Result<(), Error> {
        self.bury().await?;
        let names = options.names().map_err(Error::Foreign)?;
        let before = Arc::new(self.store.before(self.detector.rules().version()).await?);
        for source in sources {
            // Nobody is to think that these were looked at.
            let lacking: Vec<Entry> = source
                .forge
                .lacks(options.extras)
                .into_iter()
                .map(|what| {
                    let name = format!("{} ({what})", source.text);
                    Entry::Failed(nameless(source, name), format!("{what} cannot be read from such a source"))
                })
                .collect();
            self.add(audit, &lacking).await?;
            let entries = match source.forge {
                Forge::Folder => {
                    let entries = folders(source, &names, &before).await;
                    // What stands for a folder that could not be read has no place.
                    if entries.iter().all(|one| one.repository().place != nowhere()) {
                        let found = entries.iter().map(|one| one.repository().name.clone()).collect();
                        self.tell_vanished(audit, source, options, &names, &found).await?;
                    }
                    entries
                }
                Forge::List => listed_in_file(source, &names, &before),
                _ => {
                    if let Some(listed) = self.list_forge(audit, source, options, &names, &before).await? {
                        self.tell_vanished(audit, source, options, &names, &listed).await?;
                    }
                    continue;
                }
            };
            self.add(audit, &entries).await?;
        }
        if !self.stop.load(Ordering::Relaxed) {
            self.store.listed(&audit.id).await?;
        }
        Ok(())
    }

    /// Lists what a forge has; the names of all of it, unless the list broke off.
    async fn list_forge(
        &self,
        audit: &Audit,
        source: &Source,
        options: &Options,
        names: &Names,
        before: &HashMap<String, Before>,
    ) -> Result<Option<BTreeSet<String>>, Error> {
        let (sink, mut pages) = tokio::sync::mpsc::channel(4);
        let lister = async move {
            self.access.refresh(source, &self.stop, &self.say).await?;
            let api = self.access.api(source, &self.stop, &self.say)?;
            let mut lister = Lister::new(&api, &sink, options.only_public());
            forge::list(&mut lister, source, options.extras).await
        };
        let taker = async move {
            let mut listed = BTreeSet::new();
            while let Some(listing) = pages.recv().await {
                let entries = match listing {
                    Listing::Page(page, date) => {
                        listed.extend(page.iter().map(|one| one.name(source)));
                        let wanted =
                            page.iter().filter(|one| options.wants(one) && names.want(&one.name(source)));
                        let all = wanted.flat_map(|one| one.repositories(source, options.extras, date));
                        all.map(|one| entry(source, one, before, options.check_refs)).collect()
                    }
                    Listing::Unseen { what, reason } => {
                        vec![Entry::Failed(nameless(source, format!("{} ({what})", source.text)), reason)]
                    }
                };
                self.add(audit, &entries).await?;
            }
            Ok(listed)
        };
        let (result, taken): (_, Result<_, Error>) = futures_util::future::join(lister, taker).await;
        let listed = taken?;
        let result = match result {
            // A token that may see nothing gets an empty list, not a refusal.
            Ok(()) if listed.is_empty() => {
                Err(Problem::Missing("it has no repository that may be seen with this token".to_owned()))
            }
            other => other,
        };
        match result {
            Ok(()) => {}
            Err(Problem::Stopped) => return Ok(None),
            Err(problem) => {
                self.add(audit, &[self.unlisted(source, &problem)]).await?;
                return Ok(None);
            }
        }
        if let Some(reason) = self.access.anonymous(source).filter(|_| !options.only_public()) {
            let name = format!("{} (what is not public)", source.text);
            let reason = format!("{reason}, or accept it with --visibility public");
            self.add(audit, &[Entry::Failed(nameless(source, name), reason)]).await?;
        }
        Ok(Some(listed))
    }

    /// Says which repositories of the last audit are not listed any more: what was not looked at is no all-clear, and what
    /// leaked in them stays leaked. One that nothing is known to have leaked in is said once.
    async fn tell_vanished(
        &self,
        audit: &Audit,
        source: &Source,
        options: &Options,
        names: &Names,
        listed: &BTreeSet<String>,
    ) -> Result<(), Error> {
        const VANISHED: &str = "it was there at the last audit and is not listed any more: it was deleted, moved or renamed, or may not be seen; once that is right, --exclude it";
        let earlier = self.store.earlier(audit, &source.text).await?;
        let vanished = earlier.into_iter().filter(|one| {
            let repository = &one.repository;
            let asked = match repository.holding {
                Holding::Code => true,
                Holding::Gist => options.extras.gists,
                Holding::Wiki | Holding::Texts => false,
            };
            let is_told = one.reason.as_deref() == Some(VANISHED) && one.findings == 0;
            asked
                && !is_told
                && repository.place != nowhere()
                && names.want(&repository.name)
                && !listed.contains(&repository.name)
        });
        let entries: Vec<Entry> =
            vanished.map(|one| Entry::Failed(one.repository, VANISHED.to_owned())).collect();
        self.add(audit, &entries).await
    }

    fn unlisted(&self, source: &Source, problem: &Problem) -> Entry {
        let hint = self.access.anonymous(source).map(|reason| format!(" ({reason})")).unwrap_or_default();
        Entry::Failed(
            nameless(source, source.text.clone()),
            format!("it could not be listed: {problem}{hint}"),
        )
    }

    async fn add(&self, audit: &Audit, entries: &[Entry]) -> Result<(), Error> {
        self.store.add_repositories(&audit.id, entries).await?;
        for entry in entries {
            if let Entry::Queued(repository) = entry {
                self.push(audit, &repository.name, 0).await?;
            }
        }
        Ok(())
    }
}

/// What becomes of something that was listed.
fn entry(
    source: &Source,
    listed: Result<Repository, Refused>,
    before: &HashMap<String, Before>,
    check_refs: bool,
) -> Entry {
    match listed {
        Ok(repository) => {
            let known = before.get(&repository.name).filter(|_| !check_refs);
            let unchanged = known.is_some_and(|known| trusted(known, &repository));
            if unchanged { Entry::Unchanged(repository) } else { Entry::Queued(repository) }
        }
        Err((name, reason)) => Entry::Failed(nameless(source, name), reason),
    }
}

/// Whether the forge's word that nothing was pushed is enough.
fn trusted(known: &Before, repository: &Repository) -> bool {
    let age =
        known.checked_at.parse::<Timestamp>().map(|time| Timestamp::now().as_second() - time.as_second());
    // What was asked in the future was asked by a clock that was set back since.
    let is_fresh = age.is_ok_and(|age| (0..TRUSTED_FOR).contains(&age));
    known.pushed.is_some() && known.pushed == repository.pushed && is_fresh
}

/// The place of what has none.
fn nowhere() -> Place {
    Place::Remote(String::new())
}

/// What stands for something that has no repository: a source that could not be listed, an address that was refused.
fn nameless(source: &Source, name: String) -> Repository {
    Repository {
        name,
        holding: Holding::Code,
        place: nowhere(),
        source: source.text.clone(),
        pushed: None,
        settled: false,
        size_kib: None,
    }
}

fn local(source: &Source, folder: &Path) -> Repository {
    Repository {
        place: Place::Folder(folder.display().to_string()),
        ..nameless(source, folder.display().to_string())
    }
}

/// The repositories below a folder; those whose files are as they were need no work.
async fn folders(source: &Source, names: &Names, before: &Arc<HashMap<String, Before>>) -> Vec<Entry> {
    let root = match PathBuf::from(&source.path).canonicalize() {
        Ok(root) => root,
        Err(error) => return vec![Entry::Failed(nameless(source, source.text.clone()), error.to_string())],
    };
    let look = {
        let root = root.clone();
        tokio::task::spawn_blocking(move || folder::repositories(&root))
    };
    let (found, unread) = look.await.unwrap_or_default();
    let mut entries: Vec<Entry> = unread
        .into_iter()
        .map(|reason| Entry::Failed(nameless(source, format!("{} (a part)", source.text)), reason))
        .collect();
    if found.is_empty() && entries.is_empty() {
        entries.push(Entry::Failed(
            nameless(source, source.text.clone()),
            "there is no git repository below it".to_owned(),
        ));
    }
    let wanted: Vec<Repository> =
        found.iter().map(|folder| local(source, folder)).filter(|one| names.want(&one.name)).collect();
    let before = Arc::clone(before);
    let judged = tokio::task::spawn_blocking(move || {
        wanted.into_par_iter().map(|repository| unchanged_or_queued(repository, &before)).collect::<Vec<_>>()
    });
    entries.extend(judged.await.unwrap_or_default());
    entries
}

fn unchanged_or_queued(repository: Repository, before: &HashMap<String, Before>) -> Entry {
    let Place::Folder(folder) = &repository.place else { return Entry::Queued(repository) };
    let same =
        before.get(&repository.name).is_some_and(|known| known.refs == folder::state(Path::new(folder)));
    if same { Entry::Unchanged(repository) } else { Entry::Queued(repository) }
}

/// The addresses in a file, one a line; what follows a `#` is a remark.
fn listed_in_file(source: &Source, names: &Names, before: &HashMap<String, Before>) -> Vec<Entry> {
    let text = match std::fs::read_to_string(&source.path) {
        Ok(text) => text,
        Err(error) => return vec![Entry::Failed(nameless(source, source.text.clone()), error.to_string())],
    };
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let entry = match Url::parse(line) {
                Ok(url) if url.scheme() == "file" && !line.starts_with("file:") => {
                    let folder = url.as_str().trim_start_matches("file://").to_owned();
                    unchanged_or_queued(local(source, Path::new(&folder)), before)
                }
                Ok(url) => Entry::Queued(Repository {
                    place: Place::Remote(url.as_str().to_owned()),
                    ..nameless(source, url.name())
                }),
                Err(reason) => Entry::Failed(nameless(source, line.to_owned()), reason),
            };
            names.want(&entry.repository().name).then_some(entry)
        })
        .collect()
}
