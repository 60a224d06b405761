//! Gitea and Forgejo: <https://docs.gitea.com/api/#tag/organization/operation/orgListRepos>.

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::{Listed, Sink, Visibility, pages_of_either, wiki_of};

/// Lists the repositories of an organization, or of a user where there is no such organization.
pub async fn list(api: &Api, owner: &str, sink: &Sink) -> Result<(), Problem> {
    let owner = part(owner);
    let paths = ["orgs", "users"].map(|kind| format!("/{kind}/{owner}/repos?limit=50&page=1"));
    pages_of_either(api, [&paths[0], &paths[1]], sink, repository).await.map(|_| ())
}

fn repository(value: &Value) -> Option<Listed> {
    let clone = string(value, "clone_url")?;
    Some(Listed {
        path: string(value, "full_name")?,
        wiki: wiki_of(&clone).filter(|_| truth(value, "has_wiki")),
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
        api: string(value, "url"),
        gist: false,
    })
}
