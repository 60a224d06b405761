//! GitLab: <https://docs.gitlab.com/api/groups/#list-projects>.

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::{Listed, Sink, Visibility, pages_of_either, wiki_of};

/// Lists the projects of a group with those of its subgroups, or of a user where there is no such group.
pub async fn list(api: &Api, owner: &str, sink: &Sink) -> Result<(), Problem> {
    let owner = part(owner);
    let query = "per_page=100&order_by=id&sort=asc";
    let paths = [
        format!("/groups/{owner}/projects?include_subgroups=true&with_shared=false&{query}"),
        format!("/users/{owner}/projects?{query}"),
    ];
    let read = |value: &Value| project(&api.base, value);
    pages_of_either(api, [&paths[0], &paths[1]], sink, read).await.map(|_| ())
}

fn project(base: &str, value: &Value) -> Option<Listed> {
    let clone = string(value, "http_url_to_repo")?;
    let has_wiki = truth(value, "wiki_enabled")
        || string(value, "wiki_access_level").is_some_and(|level| level != "disabled");
    let statistics =
        value.get("statistics").and_then(|all| all.get("repository_size")).and_then(Value::as_u64);
    Some(Listed {
        path: string(value, "path_with_namespace")?,
        wiki: wiki_of(&clone).filter(|_| has_wiki),
        clone,
        archived: truth(value, "archived"),
        fork: value.get("forked_from_project").is_some_and(|origin| !origin.is_null()),
        visibility: match string(value, "visibility").as_deref() {
            Some("public") => Visibility::Public,
            Some("internal") => Visibility::Internal,
            _ => Visibility::Private,
        },
        pushed: string(value, "last_activity_at"),
        size_kib: statistics.map(|bytes| bytes >> 10),
        api: value.get("id").and_then(Value::as_u64).map(|id| format!("{base}/projects/{id}")),
        gist: false,
    })
}
