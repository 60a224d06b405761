//! Bitbucket Cloud: <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/>. Its pages name the next
//! one in their body.

use std::collections::BTreeSet;

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::{Listed, Sink, Visibility, put};

/// Lists the repositories of a workspace.
pub async fn list(api: &Api, workspace: &str, sink: &Sink) -> Result<(), Problem> {
    let mut next = Some(format!("/repositories/{}?pagelen=100&sort=full_name", part(workspace)));
    let mut seen = BTreeSet::new();
    while let Some(address) = next {
        if !seen.insert(address.clone()) {
            return Err(Problem::Failed("Bitbucket: its pages do not end".to_owned()));
        }
        let page = api.get(&address).await?;
        let list = page.value.get("values").and_then(Value::as_array);
        let list = list.ok_or_else(|| {
            Problem::Failed("Bitbucket: a list was expected, and something else came".to_owned())
        })?;
        put(sink, list.iter().filter_map(repository).collect(), page.date).await?;
        next = string(&page.value, "next");
    }
    Ok(())
}

fn repository(value: &Value) -> Option<Listed> {
    let links = value.get("links")?.get("clone")?.as_array()?;
    let clone =
        links.iter().find(|link| string(link, "name").is_some_and(|name| name.starts_with("http")))?;
    let clone = string(clone, "href")?;
    Some(Listed {
        path: string(value, "full_name")?,
        wiki: truth(value, "has_wiki").then(|| format!("{clone}/wiki")),
        clone,
        archived: false,
        fork: value.get("parent").is_some_and(|parent| !parent.is_null()),
        visibility: if truth(value, "is_private") { Visibility::Private } else { Visibility::Public },
        pushed: string(value, "updated_on"),
        size_kib: value.get("size").and_then(Value::as_u64).map(|bytes| bytes >> 10),
        api: None,
        gist: false,
    })
}
