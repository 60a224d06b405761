//! Gitea and Forgejo: <https://docs.gitea.com/api/#tag/organization/operation/orgListRepos>.

use serde_json::Value;

use super::api::{Problem, part, string, truth};
use super::lister::{Lister, path_of};
use super::{Listed, Visibility, wiki_of};

/// Lists the repositories of an organization, or of a user where there is no such organization.
pub async fn list(lister: &mut Lister<'_>, owner: &str) -> Result<(), Problem> {
    let owner = part(owner);
    let paths = ["orgs", "users"].map(|kind| format!("/{kind}/{owner}/repos?limit=50&page=1"));
    let base = lister.api.base.clone();
    let read = |value: &Value| Some(repository(&base, value));
    lister.pages_of_either([&paths[0], &paths[1]], read).await.map(|_| ())
}

fn repository(base: &str, value: &Value) -> Listed {
    let clone = string(value, "clone_url");
    Listed {
        path: path_of(value, "full_name"),
        wiki: clone.as_deref().and_then(wiki_of).filter(|_| truth(value, "has_wiki")),
        clone,
        archived: truth(value, "archived"),
        fork: truth(value, "fork"),
        visibility: if truth(value, "internal") {
            Visibility::Internal
        } else if truth(value, "private") {
            Visibility::Private
        } else {
            Visibility::Public
        },
        pushed: string(value, "updated_at"),
        size_kib: value.get("size").and_then(Value::as_u64),
        // The address that it states may be another than the one that it is asked at.
        api: string(value, "full_name").map(|name| format!("{base}/repos/{name}")),
        gist: false,
    }
}
