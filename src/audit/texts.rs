//! The texts of issues and pull requests, brought into a folder of files, one for each text: they are then searched, and read
//! again, as any folder is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::access::Access;
use super::forge::api::{Api, Problem, Say, part, string};
use super::git::Refusal;
use super::source::{Forge, Source};
use crate::model::Repository;

/// What fetches texts.
#[derive(Clone)]
pub struct Texts {
    /// The ways into the forges.
    pub access: Arc<Access>,
    /// The sources of the audit.
    pub sources: Vec<Source>,
    /// Set when the run ends.
    pub stop: Arc<AtomicBool>,
    /// Says something to the user.
    pub say: Say,
}

impl Texts {
    /// Brings the texts of a repository into a folder, those that were written or changed since a time; the time of the
    /// last of them.
    pub fn update(
        &self,
        repository: &Repository,
        url: &str,
        folder: &Path,
        since: Option<&str>,
    ) -> Result<Option<String>, Refusal> {
        let Some(source) = self.sources.iter().find(|source| source.text == repository.source) else {
            return Err(Refusal::Never(format!("{url}: no source of this audit has its texts")));
        };
        let mut writer = Writer { folder, latest: since.map(str::to_owned) };
        let bring = async {
            // An App's token may have been made anew since the last repository.
            self.access.refresh(source, &self.stop, &self.say).await?;
            let api = self.access.api(source, &self.stop, &self.say)?;
            match source.forge {
                Forge::Gitlab => gitlab(&api, url, since, &mut writer).await,
                forge => github(&api, url, since, forge == Forge::Github, &mut writer).await,
            }
        };
        tokio::runtime::Handle::current().block_on(bring).map_err(|problem| match problem {
            Problem::Stopped => Refusal::Stopped,
            Problem::Missing(words) => Refusal::Missing(words),
            Problem::Denied(words) => Refusal::Never(words),
            Problem::Failed(words) => Refusal::Now(words),
        })?;
        Ok(writer.latest)
    }
}

struct Writer<'a> {
    folder: &'a Path,
    latest: Option<String>,
}

impl Writer<'_> {
    /// Writes a text under a name made of what the forge numbers; a number is nothing but digits.
    fn write(&mut self, group: &str, name: &str, value: &Value, fields: &[&str]) -> Result<(), Problem> {
        let text: Vec<String> =
            fields.iter().filter_map(|field| string(value, field)).filter(|text| !text.is_empty()).collect();
        let path = self.folder.join(group);
        let put = std::fs::create_dir_all(&path)
            .and_then(|()| std::fs::write(path.join(format!("{name}.md")), text.join("\n\n")));
        put.map_err(|error| Problem::Failed(format!("{}: {error}", path.display())))?;
        let updated = string(value, "updated_at");
        if updated > self.latest {
            self.latest = updated;
        }
        Ok(())
    }
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// The number at the end of an address, which is an issue's.
fn last_number(value: &Value, name: &str) -> Option<u64> {
    string(value, name)?.rsplit('/').next()?.parse().ok()
}

/// GitHub and Gitea, whose issues are pull requests too.
async fn github(
    api: &Api,
    url: &str,
    since: Option<&str>,
    reviews: bool,
    writer: &mut Writer<'_>,
) -> Result<(), Problem> {
    let since = since.map(|time| format!("&since={}", part(time))).unwrap_or_default();
    let size = if reviews { "per_page=100" } else { "limit=50" };
    api.pages(&format!("{url}/issues?state=all&{size}{since}"), async |list, _| {
        for issue in &list {
            let Some(id) = number(issue, "number") else { continue };
            let group = if issue.get("pull_request").is_some_and(|part| !part.is_null()) {
                "pulls"
            } else {
                "issues"
            };
            writer.write(group, &id.to_string(), issue, &["title", "body"])?;
        }
        Ok(())
    })
    .await?;
    let mut comments = vec![("comments", format!("{url}/issues/comments?{size}{since}"))];
    if reviews {
        comments.push(("reviews", format!("{url}/pulls/comments?{size}{since}")));
    }
    for (group, address) in comments {
        api.pages(&address, async |list, _| {
            for comment in &list {
                let Some(id) = number(comment, "id") else { continue };
                let of =
                    last_number(comment, "issue_url").or_else(|| last_number(comment, "pull_request_url"));
                let of = of.map_or_else(|| "of-unknown".to_owned(), |of| format!("of-{of}"));
                writer.write(group, &format!("{of}-{id}"), comment, &["body"])?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn gitlab(api: &Api, url: &str, since: Option<&str>, writer: &mut Writer<'_>) -> Result<(), Problem> {
    let since = since.map(|time| format!("&updated_after={}", part(time))).unwrap_or_default();
    for (kind, query) in [("issues", "scope=all"), ("merge_requests", "scope=all&state=all")] {
        let mut numbers = Vec::new();
        api.pages(&format!("{url}/{kind}?{query}&per_page=100{since}"), async |list, _| {
            for issue in &list {
                let Some(id) = number(issue, "iid") else { continue };
                writer.write(kind, &id.to_string(), issue, &["title", "description"])?;
                if number(issue, "user_notes_count") != Some(0) {
                    numbers.push(id);
                }
            }
            Ok(())
        })
        .await?;
        for issue in numbers {
            api.pages(&format!("{url}/{kind}/{issue}/notes?per_page=100"), async |list, _| {
                for note in &list {
                    let Some(id) = number(note, "id") else { continue };
                    writer.write("notes", &format!("of-{issue}-{id}"), note, &["body"])?;
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}
