//! Forges: what repositories an organization has there. One file a forge; `api` is what they share.

pub mod api;
pub mod app;
mod azure;
mod bitbucket;
mod gitea;
mod github;
pub mod gitlab;
mod lister;
mod paging;
mod reply;

use jiff::Timestamp;

pub use api::{Api, Problem};
pub use app::App;
pub use lister::{Lister, Listing, Sink};

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
    pub clone: Option<String>,
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

/// Whose repositories they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// An organization, group or workspace.
    Organization,
    /// A user.
    User {
        /// The token is this user's own.
        own: bool,
    },
}

/// The wiki beside a repository, as GitHub, GitLab and Gitea name it.
fn wiki_of(clone: &str) -> Option<String> {
    clone.strip_suffix(".git").map(|base| format!("{base}.wiki.git"))
}

/// Lists what a source has, page by page.
pub async fn list(lister: &mut Lister<'_>, source: &Source, extras: Extras) -> Result<(), Problem> {
    let owner = source.path.as_str();
    match source.forge {
        Forge::Github => github::list(lister, owner, extras).await,
        Forge::Gitlab => gitlab::list(lister, owner).await,
        Forge::Bitbucket => bitbucket::list(lister, owner).await,
        Forge::Gitea => gitea::list(lister, owner).await,
        Forge::Azure => azure::list(lister, owner).await,
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

/// Something that was listed and cannot be looked at: its name, and why.
pub type Refused = (String, String);

impl Listed {
    /// What it is called, whatever of it is looked at: its wiki and its texts have names of their own.
    #[must_use]
    pub fn name(&self, source: &Source) -> String {
        name(source, &self.path, if self.gist { Holding::Gist } else { Holding::Code })
    }

    /// What there is to look at. `listed_at` is the forge's own time.
    #[must_use]
    pub fn repositories(
        &self,
        source: &Source,
        extras: Extras,
        listed_at: Option<Timestamp>,
    ) -> Vec<Result<Repository, Refused>> {
        let pushed_at: Option<Timestamp> = self.pushed.as_deref().and_then(|time| time.parse().ok());
        let settled = match (pushed_at, listed_at) {
            (Some(pushed), Some(listed)) => listed.as_second() - pushed.as_second() > source.forge.late(),
            _ => false,
        };
        let repository = |holding: Holding, place: Place, pushed: Option<String>| Repository {
            name: name(source, &self.path, holding),
            holding,
            place,
            source: source.text.clone(),
            settled: settled && pushed.is_some(),
            pushed,
            size_kib: if holding == Holding::Texts { None } else { self.size_kib },
        };
        let remote = |clone: &str, holding: Holding, pushed: Option<String>| match place(source, clone) {
            Ok(place) => Ok(repository(holding, place, pushed)),
            Err(reason) => Err((name(source, &self.path, holding), reason)),
        };
        let holding = if self.gist { Holding::Gist } else { Holding::Code };
        let mut all = vec![match &self.clone {
            Some(clone) => remote(clone, holding, self.pushed.clone()),
            None => Err((self.name(source), "the forge states no address to clone it from".to_owned())),
        }];
        if let Some(wiki) = self.wiki.as_deref().filter(|_| extras.wikis) {
            // Nothing tells when a wiki was written to.
            all.push(remote(wiki, Holding::Wiki, None));
        }
        if let Some(api) = self.api.as_ref().filter(|_| extras.texts) {
            all.push(Ok(repository(Holding::Texts, Place::Api(api.clone()), None)));
        }
        all
    }
}

/// Where something is cloned from. An address that leads to another host than the forge's, or there by another protocol, is
/// refused: it is where the token would go.
fn place(source: &Source, clone: &str) -> Result<Place, String> {
    let url = Url::parse(clone).map_err(|reason| format!("its address is refused: {reason}"))?;
    if source.clones_from(&url) {
        return Ok(Place::Remote(url.as_str().to_owned()));
    }
    if source.owns(url.host()) {
        return Err(format!(
            "its address begins with {}://, and a forge that is asked over https is cloned over https alone",
            url.scheme()
        ));
    }
    Err(format!("its address leads to {}, which is not the forge's", url.host()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(clone: Option<&str>) -> Listed {
        Listed {
            path: "acme/shop".to_owned(),
            clone: clone.map(str::to_owned),
            archived: false,
            fork: false,
            visibility: Visibility::Private,
            pushed: None,
            size_kib: None,
            wiki: None,
            api: None,
            gist: false,
        }
    }

    #[test]
    fn what_cannot_be_cloned_safely_is_named_with_the_reason() {
        let source: Source = "github:acme".parse().unwrap();
        for (clone, reason) in [
            (Some("http://github.com/acme/shop.git"), "cloned over https alone"),
            (Some("git@github.com:acme/shop.git"), "cloned over https alone"),
            (Some("https://evil.example/acme/shop.git"), "leads to evil.example"),
            (Some("ext::sh"), "is refused"),
            (None, "states no address"),
        ] {
            let all = listed(clone).repositories(&source, Extras::default(), None);
            let Err((name, told)) = &all[0] else { panic!("{clone:?} is taken") };
            assert_eq!(name, "github.com/acme/shop");
            assert!(told.contains(reason), "{clone:?}: {told}");
        }
    }
}
