//! The texts of issues and pull requests, brought into a folder of files, one for each text: they are then searched, and read
//! again, as any folder is. Each part (issues, comments, reviews) is brought by itself: one that is refused costs no other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::access::Access;
use super::forge::api::{Api, Problem, Say, part, string};
use super::forge::gitlab;
use super::git::Refusal;
use super::source::{Forge, Source};
use crate::model::{Coverage, Holding, Repository, Tally, Unit};

/// How much earlier than the last pass began a text is asked for again: servers' clocks differ, and what was written in the
/// second of a pass may not be in it.
const OVERLAP: Duration = Duration::from_mins(5);

/// What fetches texts.
#[derive(Clone)]
pub struct Texts {
    /// The ways into the forges.
    pub access: Arc<Access>,
    /// The sources of the audit.
    pub sources: Vec<Source>,
    /// Set when the run ends.
    pub stop: Arc<AtomicBool>,
    /// Says something to the user.
    pub say: Say,
}

/// What one pass brought.
#[derive(Debug)]
pub struct Brought {
    /// Since when each part is asked for next time, as JSON: kept in the place of a digest of references.
    pub marks: String,
    /// Nothing is new or different, and nothing was refused.
    pub unchanged: bool,
    /// Which parts were asked for, and which of them were refused.
    pub coverage: Coverage,
}

impl Texts {
    /// Brings the texts of a repository into a folder: those that were written or changed since the pass that left `known`
    /// marks. What did not go for a passing reason is tried again later, unless this is the last try.
    pub fn update(
        &self,
        repository: &Repository,
        url: &str,
        folder: &Path,
        known: Option<&str>,
        last_try: bool,
    ) -> Result<Brought, Refusal> {
        let (source, tally) = (self.source(repository)?, Tally::default());
        let bring = async {
            // An App's token may have been made anew since the last repository.
            self.access.refresh(source, &self.stop, &self.say).await?;
            let api = self.access.api(source, &self.stop, &self.say)?;
            let writer = Writer { folder, changed: false };
            let mut pass = Pass { api: &api, url, forge: source.forge, writer, tally: &tally, refused: 0 };
            pass.all(known, last_try).await
        };
        let brought = tokio::runtime::Handle::current().block_on(bring).map_err(|problem| match problem {
            Problem::Stopped => Refusal::Stopped,
            Problem::Missing(words) => Refusal::Missing(words),
            Problem::Denied(words) => Refusal::Never(words),
            Problem::Failed(words) => Refusal::Now(words),
        });
        let (marks, unchanged) = brought?;
        Ok(Brought { marks, unchanged, coverage: tally.end() })
    }

    /// The size of a repository in KiB, of a forge that does not state it in a list.
    pub fn size(&self, repository: &Repository) -> Option<u64> {
        let source = self.source(repository).ok().filter(|source| source.forge == Forge::Gitlab)?;
        let host = format!("{}{}/", source.host(), source.below);
        let path = repository.name.strip_prefix(&host).filter(|_| repository.holding == Holding::Code)?;
        let api = self.access.api(source, &self.stop, &self.say).ok()?;
        tokio::runtime::Handle::current().block_on(gitlab::size(&api, path))
    }

    fn source(&self, repository: &Repository) -> Result<&Source, Refusal> {
        let source = self.sources.iter().find(|source| source.text == repository.source);
        source.ok_or_else(|| Refusal::Never(format!("{}: no source of this audit has it", repository.name)))
    }
}

/// A part of a repository's texts.
#[derive(Debug, Clone, Copy)]
enum Part {
    Issues,
    Comments,
    Reviews,
    MergeRequests,
}

impl Part {
    fn of(forge: Forge) -> &'static [Self] {
        match forge {
            Forge::Gitlab => &[Self::Issues, Self::MergeRequests],
            _ => &[Self::Issues, Self::Comments, Self::Reviews],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Issues => "issues",
            Self::Comments => "comments",
            Self::Reviews => "reviews",
            Self::MergeRequests => "merge_requests",
        }
    }
}

/// One pass over a repository's texts.
struct Pass<'a> {
    api: &'a Api,
    /// The repository in the API.
    url: &'a str,
    forge: Forge,
    writer: Writer<'a>,
    /// For the parts, and what is refused within them.
    tally: &'a Tally,
    /// How many things were refused within parts.
    refused: usize,
}

impl Pass<'_> {
    /// Brings all parts; the marks that are left, and whether nothing is new.
    async fn all(&mut self, known: Option<&str>, last_try: bool) -> Result<(String, bool), Problem> {
        let known: BTreeMap<String, Timestamp> =
            known.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let (mut marks, mut refused_parts) = (known.clone(), Vec::new());
        let parts = Part::of(self.forge);
        for part in parts {
            let (texts, inside) = (self.tally.know(Unit::Texts, part.name()), self.refused);
            match self.bring(*part, known.get(part.name()).copied()).await {
                Ok(begun) => {
                    texts.read();
                    // A part of which something was refused is asked for from the same time on.
                    let mark = begun.filter(|_| self.refused == inside);
                    marks.extend(mark.map(|begun| (part.name().to_owned(), begun - OVERLAP)));
                }
                Err(Problem::Stopped) => return Err(Problem::Stopped),
                Err(Problem::Failed(words)) if !last_try => return Err(Problem::Failed(words)),
                Err(problem) => {
                    texts.skip(&problem);
                    refused_parts.push(problem);
                }
            }
        }
        if refused_parts.len() == parts.len() {
            return Err(refused_parts.swap_remove(0));
        }
        let complete = parts.iter().all(|part| known.contains_key(part.name()));
        let unchanged = complete && !self.writer.changed && refused_parts.is_empty() && self.refused == 0;
        Ok((serde_json::to_string(&marks).unwrap_or_default(), unchanged))
    }

    /// Brings a part; when the forge says that it began to answer.
    async fn bring(&mut self, part: Part, since: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
        match (self.forge, part) {
            (Forge::Gitlab, _) => self.gitlab(part, since).await,
            (Forge::Gitea, Part::Reviews) => self.gitea_reviews(since).await,
            (_, Part::Issues) => self.issues(since).await,
            _ => self.comments(part, since).await,
        }
    }

    /// Reads a list and writes its entries; when the forge says that it began to answer.
    async fn list(
        &mut self,
        address: &str,
        mut write: impl FnMut(&mut Writer<'_>, &Value) -> Result<(), Problem>,
    ) -> Result<Option<Timestamp>, Problem> {
        let (mut begun, mut is_first) = (None, true);
        let counted = self.api.pages(address, async |list, page| {
            if std::mem::take(&mut is_first) {
                begun = page.date;
            }
            list.iter().try_for_each(|entry| write(&mut self.writer, entry))
        });
        counted.await?.whole()?;
        Ok(begun)
    }

    /// The query of a list: how long its pages are, and since when.
    fn query(&self, since: Option<Timestamp>) -> String {
        let size = match self.forge {
            // Its lists of comments do not say where the next page is: they are asked for by number.
            Forge::Gitea => "limit=50&page=1",
            _ => "per_page=100",
        };
        let name = if self.forge == Forge::Gitlab { "updated_after" } else { "since" };
        let since = since.map(|time| format!("&{name}={}", part(&format!("{time:.0}")))).unwrap_or_default();
        format!("{size}{since}")
    }

    /// The issues of GitHub and Gitea, which are pull requests too.
    async fn issues(&mut self, since: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
        let address = format!("{}/issues?state=all&{}", self.url, self.query(since));
        self.list(&address, |writer, issue| {
            let Some(id) = number(issue, "number") else { return Ok(()) };
            let is_pull = issue.get("pull_request").is_some_and(|part| !part.is_null());
            writer.write(if is_pull { "pulls" } else { "issues" }, &id.to_string(), issue, &["title", "body"])
        })
        .await
    }

    /// What was said about them; GitHub has the remarks on lines of code in a list of their own.
    async fn comments(&mut self, part: Part, since: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
        let kind = if matches!(part, Part::Reviews) { "pulls" } else { "issues" };
        let address = format!("{}/{kind}/comments?{}", self.url, self.query(since));
        self.list(&address, |writer, comment| {
            let Some(id) = number(comment, "id") else { return Ok(()) };
            let of = last_number(comment, "issue_url").or_else(|| last_number(comment, "pull_request_url"));
            let of = of.map_or_else(|| "of-unknown".to_owned(), |of| format!("of-{of}"));
            writer.write(part.name(), &format!("{of}-{id}"), comment, &["body"])
        })
        .await
    }

    /// The reviews of Gitea's pull requests, with the remarks on lines of code: each pull request has a list, and each review.
    async fn gitea_reviews(&mut self, since: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
        let mut pulls = Vec::new();
        let address = format!("{}/issues?type=pulls&state=all&{}", self.url, self.query(since));
        let begun = self
            .list(&address, |_, pull| {
                let is_pull = pull.get("pull_request").is_some_and(|part| !part.is_null());
                pulls.extend(number(pull, "number").filter(|_| is_pull));
                Ok(())
            })
            .await?;
        for pull in pulls {
            let mut reviews = Vec::new();
            let address = format!("{}/pulls/{pull}/reviews?limit=50&page=1", self.url);
            // Drafts of others are counted and not shown: the numbers need not agree.
            let listed = self.api.pages(&address, async |list, _| {
                for review in &list {
                    let Some(id) = number(review, "id") else { continue };
                    self.writer.write("reviews", &format!("of-{pull}-{id}"), review, &["body"])?;
                    reviews.extend(Some(id).filter(|_| number(review, "comments_count") != Some(0)));
                }
                Ok(())
            });
            let result = listed.await;
            self.within(&format!("reviews of {pull}"), result.map(|_| ()))?;
            for review in reviews {
                let result = self.gitea_remarks(pull, review).await;
                self.within(&format!("remarks of review {review} of {pull}"), result)?;
            }
        }
        Ok(begun)
    }

    async fn gitea_remarks(&mut self, pull: u64, review: u64) -> Result<(), Problem> {
        // This list has no pages.
        let page = self.api.get(&format!("{}/pulls/{pull}/reviews/{review}/comments", self.url)).await?;
        for remark in page.value.as_array().into_iter().flatten() {
            let Some(id) = number(remark, "id") else { continue };
            self.writer.write("reviews", &format!("of-{pull}-{review}-{id}"), remark, &["body"])?;
        }
        Ok(())
    }

    /// GitLab's issues or merge requests, and what was said about each.
    async fn gitlab(&mut self, part: Part, since: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
        let kind = part.name();
        let mut noted = Vec::new();
        let address = format!("{}/{kind}?scope=all&state=all&{}", self.url, self.query(since));
        let begun = self
            .list(&address, |writer, issue| {
                let Some(id) = number(issue, "iid") else { return Ok(()) };
                noted.extend(Some(id).filter(|_| number(issue, "user_notes_count") != Some(0)));
                writer.write(kind, &id.to_string(), issue, &["title", "description"])
            })
            .await?;
        for issue in noted {
            let address = format!("{}/{kind}/{issue}/notes?per_page=100", self.url);
            let notes = self.list(&address, |writer, note| {
                let Some(id) = number(note, "id") else { return Ok(()) };
                writer.write("notes", &format!("of-{issue}-{id}"), note, &["body"])
            });
            let result = notes.await;
            self.within(&format!("notes of {kind} {issue}"), result.map(|_| ()))?;
        }
        Ok(begun)
    }

    /// What is refused within a part is named, and the part goes on; what did not go for a passing reason ends it.
    fn within(&mut self, what: &str, result: Result<(), Problem>) -> Result<(), Problem> {
        match result {
            Err(problem @ (Problem::Missing(_) | Problem::Denied(_))) => {
                self.refused += 1;
                self.tally.skip(Unit::Texts, what, problem);
                Ok(())
            }
            other => other,
        }
    }
}

struct Writer<'a> {
    folder: &'a Path,
    /// Some text is new, or another than it was.
    changed: bool,
}

impl Writer<'_> {
    /// Writes a text under a name made of what the forge numbers; a number is nothing but digits.
    fn write(&mut self, group: &str, name: &str, value: &Value, fields: &[&str]) -> Result<(), Problem> {
        let text: Vec<String> =
            fields.iter().filter_map(|field| string(value, field)).filter(|text| !text.is_empty()).collect();
        let text = text.join("\n\n");
        let folder = self.folder.join(group);
        let path = folder.join(format!("{name}.md"));
        if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        self.changed = true;
        let put = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
        put.map_err(|error| Problem::Failed(format!("{}: {error}", path.display())))
    }
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// The number at the end of an address, which is an issue's.
fn last_number(value: &Value, name: &str) -> Option<u64> {
    string(value, name)?.rsplit('/').next()?.parse().ok()
}
