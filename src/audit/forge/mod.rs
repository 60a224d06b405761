//! Forges: what repositories an organization has there. One file a forge; `api` is what they share.

pub mod api;
mod azure;
mod bitbucket;
mod gitea;
pub mod github;
mod gitlab;

use jiff::Timestamp;
use serde_json::Value;

pub use api::{Api, Problem};
pub use github::App;

use super::source::{Forge, Source};
use super::url::Url;
use crate::model::{Holding, Place, Repository};

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Anybody.
    Public,
    /// Whoever is logged in.
    Internal,
    /// Its members.
    Private,
}

/// What is looked at beside code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extras {
    /// Wikis.
    pub wikis: bool,
    /// Gists.
    pub gists: bool,
    /// Issues and pull requests.
    pub texts: bool,
}

/// A repository as a forge lists it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Owner and name.
    pub path: String,
    /// Where it is cloned from, as the forge says.
    pub clone: String,
    /// Nobody can push to it.
    pub archived: bool,
    /// It is a copy of another.
    pub fork: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// When something was pushed last.
    pub pushed: Option<String>,
    /// Its size in KiB.
    pub size_kib: Option<u64>,
    /// Its wiki, which may be empty.
    pub wiki: Option<String>,
    /// Its address in the API, for texts.
    pub api: Option<String>,
    /// It is a gist.
    pub gist: bool,
}

/// Where a lister puts what it finds, a page at a time.
pub type Sink = tokio::sync::mpsc::Sender<(Vec<Listed>, Option<Timestamp>)>;

/// Reads a list that the `Link` header pages through, and hands over what is a repository in it.
async fn pages(
    api: &Api,
    path: &str,
    sink: &Sink,
    repository: impl Fn(&Value) -> Option<Listed>,
) -> Result<(), Problem> {
    api.pages(path, async |list, date| put(sink, list.iter().filter_map(&repository).collect(), date).await)
        .await
}

/// The same of a user, where there is no such organization; says which of the two it was.
async fn pages_of_either(
    api: &Api,
    [organization, user]: [&str; 2],
    sink: &Sink,
    repository: impl Fn(&Value) -> Option<Listed>,
) -> Result<Owner, Problem> {
    match pages(api, organization, sink, &repository).await {
        Err(Problem::Missing(_)) => pages(api, user, sink, &repository).await.map(|()| Owner::User),
        other => other.map(|()| Owner::Organization),
    }
}

/// Whose repositories they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Organization,
    User,
}

async fn put(sink: &Sink, list: Vec<Listed>, date: Option<Timestamp>) -> Result<(), Problem> {
    sink.send((list, date)).await.map_err(|_| Problem::Stopped)
}

/// The wiki beside a repository, as GitHub, GitLab and Gitea name it.
fn wiki_of(clone: &str) -> Option<String> {
    clone.strip_suffix(".git").map(|base| format!("{base}.wiki.git"))
}

/// Lists what a source has, page by page.
pub async fn list(api: &Api, source: &Source, extras: Extras, sink: &Sink) -> Result<(), Problem> {
    let owner = source.path.as_str();
    match source.forge {
        Forge::Github => github::list(api, owner, extras, sink).await,
        Forge::Gitlab => gitlab::list(api, owner, sink).await,
        Forge::Bitbucket => bitbucket::list(api, owner, sink).await,
        Forge::Gitea => gitea::list(api, owner, sink).await,
        Forge::Azure => azure::list(api, owner, sink).await,
        Forge::Folder | Forge::List => Ok(()),
    }
}

impl Forge {
    /// What was asked for and cannot be had from this forge.
    #[must_use]
    pub fn lacks(self, extras: Extras) -> Vec<&'static str> {
        let mut lacking = Vec::new();
        let git = matches!(self, Self::Folder | Self::List);
        if extras.wikis && (self == Self::Azure || git) {
            lacking.push("wikis");
        }
        if extras.gists && self != Self::Github {
            lacking.push("gists");
        }
        if extras.texts && (matches!(self, Self::Bitbucket | Self::Azure) || git) {
            lacking.push("texts");
        }
        lacking
    }

    /// How much later than a push the forge may say so, in seconds: what is younger says nothing.
    fn late(self) -> i64 {
        match self {
            // GitLab writes the time of the last activity at most once an hour.
            Self::Gitlab => 3660,
            _ => 2,
        }
    }
}

impl Listed {
    /// What there is to look at. A clone address that leads to another host than the forge's is refused: it is where the
    /// token would go. `listed_at` is the forge's own time.
    #[must_use]
    pub fn repositories(
        &self,
        source: &Source,
        extras: Extras,
        listed_at: Option<Timestamp>,
    ) -> Vec<Result<Repository, (String, String)>> {
        let mut all = Vec::new();
        let pushed_at: Option<Timestamp> = self.pushed.as_deref().and_then(|time| time.parse().ok());
        let settled = match (pushed_at, listed_at) {
            (Some(pushed), Some(listed)) => listed.as_second() - pushed.as_second() > source.forge.late(),
            _ => false,
        };
        let holding = if self.gist { Holding::Gist } else { Holding::Code };
        let mut remote = |clone: &str, holding: Holding, pushed: Option<String>| {
            let name = name(source, &self.path, holding);
            let place = match Url::parse(clone) {
                Ok(url) if source.clones_from(&url) => Place::Remote(url.as_str().to_owned()),
                Ok(url) if source.owns(url.host()) => {
                    return all.push(Err((
                        name,
                        format!(
                            "its address begins with {}://, and a forge that is asked over https is cloned over https alone",
                            url.scheme()
                        ),
                    )));
                }
                Ok(url) => {
                    return all.push(Err((
                        name,
                        format!("its address leads to {}, which is not the forge's", url.host()),
                    )));
                }
                Err(reason) => return all.push(Err((name, format!("its address is refused: {reason}")))),
            };
            all.push(Ok(Repository {
                name,
                holding,
                place,
                source: source.text.clone(),
                settled: settled && pushed.is_some(),
                pushed,
                size_kib: self.size_kib,
            }));
        };
        remote(&self.clone, holding, self.pushed.clone());
        if let Some(wiki) = self.wiki.as_deref().filter(|_| extras.wikis) {
            // Nothing tells when a wiki was written to.
            remote(wiki, Holding::Wiki, None);
        }
        if let Some(api) = self.api.as_ref().filter(|_| extras.texts) {
            all.push(Ok(Repository {
                name: name(source, &self.path, Holding::Texts),
                holding: Holding::Texts,
                place: Place::Api(api.clone()),
                source: source.text.clone(),
                pushed: None,
                settled: false,
                size_kib: None,
            }));
        }
        all
    }
}

fn name(source: &Source, path: &str, holding: Holding) -> String {
    let host = format!("{}{}", source.host(), source.below);
    match holding {
        Holding::Code => format!("{host}/{path}"),
        Holding::Wiki => format!("{host}/{path} (wiki)"),
        Holding::Gist => format!("{}/{path}", source.gists()),
        Holding::Texts => format!("{host}/{path} (texts)"),
    }
}
