//! Azure DevOps: <https://learn.microsoft.com/en-us/rest/api/azure/devops/git/repositories/list>. It does not tell when
//! something was pushed.

use serde_json::Value;

use super::api::{Problem, part, string, truth};
use super::lister::{Lister, path_of};
use super::{Listed, Visibility};

/// Lists the repositories of an organization, or of one of its projects.
pub async fn list(lister: &mut Lister<'_>, owner: &str) -> Result<(), Problem> {
    let parts: Vec<String> = owner.split('/').map(part).collect();
    let path = format!("/{}/_apis/git/repositories?api-version=7.1", parts.join("/"));
    let organization = owner.split('/').next().unwrap_or_default();
    let counted = lister.pages(&path, |value| Some(repository(organization, value))).await?;
    lister.part("some repositories", Ok(counted)).await
}

fn repository(organization: &str, value: &Value) -> Listed {
    let project = value.get("project");
    let project_name = project.and_then(|project| string(project, "name"));
    let project_name = project_name.unwrap_or_else(|| "a project without a name".to_owned());
    Listed {
        path: format!("{organization}/{project_name}/{}", path_of(value, "name")),
        clone: string(value, "remoteUrl"),
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
    }
}
