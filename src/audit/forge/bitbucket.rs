//! Bitbucket Cloud: <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/>. Its pages name the next
//! one in their body.

use serde_json::Value;

use super::api::{Problem, part, string, truth};
use super::lister::{Lister, path_of};
use super::{Listed, Visibility};

/// Lists the repositories of a workspace.
pub async fn list(lister: &mut Lister<'_>, workspace: &str) -> Result<(), Problem> {
    let path = format!("/repositories/{}?pagelen=100&sort=full_name", part(workspace));
    let counted = lister.pages(&path, |value| Some(repository(value))).await?;
    lister.part("some repositories", Ok(counted)).await
}

fn repository(value: &Value) -> Listed {
    let links = value.get("links").and_then(|links| links.get("clone")).and_then(Value::as_array);
    let over_http = |link: &&Value| string(link, "name").is_some_and(|name| name.starts_with("http"));
    let link = links.into_iter().flatten().find(over_http);
    let clone = link.and_then(|link| string(link, "href"));
    let wiki = clone.as_ref().filter(|_| truth(value, "has_wiki"));
    Listed {
        path: path_of(value, "full_name"),
        wiki: wiki.map(|clone| format!("{clone}/wiki")),
        clone,
        archived: false,
        fork: value.get("parent").is_some_and(|parent| !parent.is_null()),
        visibility: if truth(value, "is_private") { Visibility::Private } else { Visibility::Public },
        pushed: string(value, "updated_on"),
        size_kib: value.get("size").and_then(Value::as_u64).map(|bytes| bytes >> 10),
        api: None,
        gist: false,
    }
}
