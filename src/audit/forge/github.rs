//! GitHub, github.com or Enterprise: <https://docs.github.com/en/rest/repos/repos#list-organization-repositories>.

use serde_json::Value;

use super::api::{Bearer, Problem, part, string, truth};
use super::lister::{Lister, path_of};
use super::{Extras, Listed, Owner, Visibility, wiki_of};

const QUERY: &str = "sort=full_name&per_page=100";

/// Lists the repositories of an organization, or of a user where there is no such organization.
pub async fn list(lister: &mut Lister<'_>, owner: &str, extras: Extras) -> Result<(), Problem> {
    let found = repositories(lister, owner).await?;
    limits(lister, owner).await?;
    if extras.gists { gists(lister, owner, found).await } else { Ok(()) }
}

async fn repositories(lister: &mut Lister<'_>, owner: &str) -> Result<Owner, Problem> {
    let base = lister.api.base.clone();
    if let Bearer::Installation { .. } = lister.api.bearer {
        // Private ones are in no other list of a user's.
        let path = "/installation/repositories?per_page=100";
        let given =
            lister.pages(path, |value| Some(repository(&base, value)).filter(|_| is_of(owner, value)));
        let given = given.await;
        lister.part("some repositories of the App's installation", given).await?;
    }
    let path = format!("/orgs/{}/repos?type=all&{QUERY}", part(owner));
    match lister.pages(&path, |value| Some(repository(&base, value))).await {
        Err(Problem::Missing(_)) => of_user(lister, owner).await,
        Err(problem) => Err(problem),
        Ok(_) => {
            // Of an organization that the token is not a member of, only public ones are counted.
            if let Ok(page) = lister.api.get(&format!("/orgs/{}", part(owner))).await {
                compare(lister, &page.value, "total_private_repos").await?;
            }
            Ok(Owner::Organization)
        }
    }
}

/// The repositories of a user: all of them where the token is the user's own.
async fn of_user(lister: &mut Lister<'_>, owner: &str) -> Result<Owner, Problem> {
    let base = lister.api.base.clone();
    let person = match lister.api.bearer {
        Bearer::Person { .. } => match lister.api.get("/user").await {
            Ok(page) => Some(page.value),
            Err(Problem::Stopped) => return Err(Problem::Stopped),
            // The token of a workflow is nobody's.
            Err(_) => None,
        },
        Bearer::Nobody | Bearer::Installation { .. } => None,
    };
    let login = person.as_ref().and_then(|person| string(person, "login"));
    let own = login.as_ref().is_some_and(|login| login.eq_ignore_ascii_case(owner));
    let path = if own {
        format!("/user/repos?affiliation=owner&{QUERY}")
    } else {
        format!("/users/{}/repos?type=owner&{QUERY}", part(owner))
    };
    lister.pages(&path, |value| Some(repository(&base, value))).await?;
    match (person, login) {
        (Some(person), _) if own => compare(lister, &person, "owned_private_repos").await?,
        (_, Some(login)) => {
            let path = format!("/user/repos?affiliation=collaborator&{QUERY}");
            let shared =
                lister.pages(&path, |value| Some(repository(&base, value)).filter(|_| is_of(owner, value)));
            let shared = shared.await;
            lister.part(&format!("what {owner} shares with {login}"), shared).await?;
            let reason = format!(
                "the token is {login}'s: of {owner} it shows only what is public, or shared with {login}; use a token of {owner}"
            );
            lister.unseen_private("private repositories", reason).await?;
        }
        _ => {}
    }
    Ok(Owner::User { own })
}

/// Whether an entry is of this owner: some lists are of all owners.
fn is_of(owner: &str, value: &Value) -> bool {
    let login = value.get("owner").and_then(|owner| string(owner, "login"));
    login.is_none_or(|login| login.eq_ignore_ascii_case(owner))
}

/// Compares what was listed with what GitHub counts.
async fn compare(lister: &Lister<'_>, counts: &Value, private: &str) -> Result<(), Problem> {
    let count = |name: &str| counts.get(name).and_then(Value::as_u64);
    let expected = lister.expected(count("public_repos").unwrap_or(0), count(private).unwrap_or(0));
    let listed = lister.listed();
    if listed >= expected {
        return Ok(());
    }
    let reason = format!(
        "GitHub counts {expected} repositories, and the token was shown {listed}: it may not see the others"
    );
    lister.unseen(&format!("{} of {expected} repositories", expected - listed), reason).await
}

/// What is known to be hidden from the token.
async fn limits(lister: &Lister<'_>, owner: &str) -> Result<(), Problem> {
    if lister.partial {
        let reason = "GitHub left out what the token is not authorized for: authorize it for the organization's single sign-on";
        lister.unseen("what needs single sign-on", reason.to_owned()).await?;
    }
    match lister.api.bearer {
        Bearer::Person { classic } => {
            // A token without any scopes is one of another kind, or a classic one that may see what is public.
            let lacks = lister.scopes.as_deref().is_some_and(|scopes| {
                let mut scopes =
                    scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).peekable();
                (classic || scopes.peek().is_some()) && !scopes.any(|scope| scope == "repo")
            });
            if lacks {
                let reason =
                    "the token has no scope `repo`, and shows only what is public: give it that scope";
                lister.unseen_private("private repositories", reason.to_owned()).await?;
            }
        }
        Bearer::Installation { selected: true } => {
            let reason = format!(
                "the App is installed on selected repositories of {owner} only: install it on all of them"
            );
            lister.unseen_private("repositories that the App is not installed on", reason).await?;
        }
        Bearer::Installation { .. } | Bearer::Nobody => {}
    }
    Ok(())
}

/// The gists of a user, or of each member of an organization.
async fn gists(lister: &mut Lister<'_>, owner: &str, found: Owner) -> Result<(), Problem> {
    if found == (Owner::User { own: true }) {
        // With the secret ones.
        let own = lister.pages("/gists?per_page=100", |value| Some(gist(value))).await;
        return lister.part("some gists", own).await;
    }
    let mut people = vec![owner.to_owned()];
    if found == Owner::Organization {
        people.clear();
        let path = format!("/orgs/{}/members?per_page=100", part(owner));
        let members = lister.api.pages(&path, async |list, _| {
            people.extend(list.iter().filter_map(|person| string(person, "login")));
            Ok(())
        });
        let members = members.await;
        lister.part("gists of some members", members).await?;
    }
    for person in people {
        let path = format!("/users/{}/gists?per_page=100", part(&person));
        let theirs = lister.pages(&path, |value| Some(gist(value))).await;
        lister.part(&format!("gists of {person}"), theirs).await?;
    }
    Ok(())
}

fn repository(base: &str, value: &Value) -> Listed {
    let clone = string(value, "clone_url");
    Listed {
        path: path_of(value, "full_name"),
        wiki: clone.as_deref().and_then(wiki_of).filter(|_| truth(value, "has_wiki")),
        clone,
        archived: truth(value, "archived"),
        fork: truth(value, "fork"),
        visibility: match string(value, "visibility").as_deref() {
            Some("public") => Visibility::Public,
            Some("internal") => Visibility::Internal,
            Some(_) => Visibility::Private,
            None if truth(value, "private") => Visibility::Private,
            None => Visibility::Public,
        },
        pushed: string(value, "pushed_at"),
        size_kib: value.get("size").and_then(Value::as_u64),
        api: string(value, "full_name").map(|name| format!("{base}/repos/{name}")),
        gist: false,
    }
}

fn gist(value: &Value) -> Listed {
    let owner =
        value.get("owner").and_then(|owner| string(owner, "login")).unwrap_or_else(|| "anonymous".to_owned());
    Listed {
        path: format!("{owner}/{}", path_of(value, "id")),
        clone: string(value, "git_pull_url"),
        archived: false,
        fork: false,
        visibility: if truth(value, "public") { Visibility::Public } else { Visibility::Private },
        pushed: string(value, "updated_at"),
        size_kib: None,
        wiki: None,
        api: None,
        gist: true,
    }
}
