//! GitLab: <https://docs.gitlab.com/api/groups/#list-projects>.

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::lister::{Lister, path_of};
use super::{Listed, Visibility, wiki_of};

/// Lists the projects of a group with those of its subgroups, or of a user where there is no such group.
pub async fn list(lister: &mut Lister<'_>, owner: &str) -> Result<(), Problem> {
    let owner = part(owner);
    let query = "statistics=true&per_page=100&order_by=id&sort=asc";
    let paths = [
        format!("/groups/{owner}/projects?include_subgroups=true&with_shared=false&{query}"),
        format!("/users/{owner}/projects?{query}"),
    ];
    let base = lister.api.base.clone();
    let read = |value: &Value| Some(project(&base, value));
    lister.pages_of_either([&paths[0], &paths[1]], read).await.map(|_| ())
}

/// The size of a project's repository in KiB. A group's list does not have it, and one project does.
pub async fn size(api: &Api, path: &str) -> Option<u64> {
    let page = api.get(&format!("/projects/{}?statistics=true", part(path))).await.ok()?;
    kib(&page.value)
}

fn kib(value: &Value) -> Option<u64> {
    let size = value.get("statistics").and_then(|all| all.get("repository_size")).and_then(Value::as_u64);
    size.map(|bytes| bytes >> 10)
}

fn project(base: &str, value: &Value) -> Listed {
    let clone = string(value, "http_url_to_repo");
    let has_wiki = truth(value, "wiki_enabled")
        || string(value, "wiki_access_level").is_some_and(|level| level != "disabled");
    Listed {
        path: path_of(value, "path_with_namespace"),
        wiki: clone.as_deref().and_then(wiki_of).filter(|_| has_wiki),
        clone,
        archived: truth(value, "archived"),
        fork: value.get("forked_from_project").is_some_and(|origin| !origin.is_null()),
        visibility: match string(value, "visibility").as_deref() {
            Some("public") => Visibility::Public,
            Some("internal") => Visibility::Internal,
            _ => Visibility::Private,
        },
        pushed: string(value, "last_activity_at"),
        size_kib: kib(value),
        api: value.get("id").and_then(Value::as_u64).map(|id| format!("{base}/projects/{id}")),
        gist: false,
    }
}
