//! Gitea and Forgejo: <https://docs.gitea.com/api/#tag/organization/operation/orgListRepos>.

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::github::put;
use super::{Listed, Sink, Visibility};

/// Lists the repositories of an organization, or of a user where there is no such organization.
pub async fn list(api: &Api, owner: &str, sink: &Sink) -> Result<(), Problem> {
    let owner = part(owner);
    let each = |path: String| async move {
        api.pages(&path, async |list, date| {
            put(sink, list.iter().filter_map(repository).collect(), date).await
        })
        .await
    };
    match each(format!("/orgs/{owner}/repos?limit=50&page=1")).await {
        Err(Problem::Missing(_)) => each(format!("/users/{owner}/repos?limit=50&page=1")).await,
        other => other,
    }
}

fn repository(value: &Value) -> Option<Listed> {
    let clone = string(value, "clone_url")?;
    let wiki = clone.strip_suffix(".git").map(|base| format!("{base}.wiki.git"));
    Some(Listed {
        path: string(value, "full_name")?,
        wiki: wiki.filter(|_| truth(value, "has_wiki")),
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
