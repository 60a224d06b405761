//! Azure DevOps: <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/repositories/list>. It does not tell when
//! something was pushed.

use serde_json::Value;

use super::api::{Api, Problem, part, string, truth};
use super::{Listed, Sink, Visibility, put};

/// Lists the repositories of an organization, or of one of its projects.
pub async fn list(api: &Api, owner: &str, sink: &Sink) -> Result<(), Problem> {
    let owner: Vec<String> = owner.split('/').map(part).collect();
    let path = format!("/{}/_apis/git/repositories?api-version=7.1", owner.join("/"));
    let mut mark: Option<String> = None;
    loop {
        let address =
            mark.as_ref().map_or(path.clone(), |mark| format!("{path}&continuationToken={}", part(mark)));
        let page = api.get(&address).await?;
        let list = page.value.get("value").and_then(Value::as_array);
        let list = list.ok_or_else(|| {
            Problem::Failed("Azure DevOps: a list was expected, and something else came".to_owned())
        })?;
        put(sink, list.iter().filter_map(|value| repository(&owner[0], value)).collect(), page.date).await?;
        match page.continuation {
            Some(next) if mark.as_ref() == Some(&next) => {
                return Err(Problem::Failed("Azure DevOps: its pages do not end".to_owned()));
            }
            None => return Ok(()),
            next => mark = next,
        }
    }
}

fn repository(organization: &str, value: &Value) -> Option<Listed> {
    let project = value.get("project");
    let project_name = project.and_then(|project| string(project, "name"))?;
    Some(Listed {
        path: format!("{organization}/{project_name}/{}", string(value, "name")?),
        clone: string(value, "remoteUrl")?,
        // A disabled repository cannot be read either; that is told when it is tried.
        archived: truth(value, "isDisabled"),
        fork: truth(value, "isFork"),
        visibility: match project.and_then(|project| string(project, "visibility")).as_deref() {
            Some("public") => Visibility::Public,
            _ => Visibility::Private,
        },
        pushed: None,
        size_kib: value.get("size").and_then(Value::as_u64).map(|bytes| bytes >> 10),
        wiki: None,
        api: None,
        gist: false,
    })
}
