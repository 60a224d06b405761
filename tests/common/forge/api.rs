//! The answers of five forges' APIs, by their published documentation.

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::{Asked, Repo, World};

/// One request to the API.
struct Request<'a> {
    world: &'a World,
    path: &'a str,
    query: &'a str,
}

pub fn answer(world: &World, asked: &Asked) -> Response<Body> {
    let request = Request { world, path: &asked.path, query: &asked.query };
    if let Some((_, (status, headers, body))) =
        world.refused.iter().find(|(end, _)| asked.path.ends_with(end))
    {
        let mut response = Response::builder().status(*status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        return response.body(Body::from(body.clone())).expect("an answer");
    }
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["api", "v3", ref rest @ ..] => request.github(rest, asked.authorization.as_deref()),
        ["api", "v1", ref rest @ ..] => request.gitea(rest),
        ["forge", "api", "v1", ref rest @ ..] => request.gitea(rest),
        ["api", "v4", ref rest @ ..] => request.gitlab(rest),
        ["2.0", ref rest @ ..] => request.bitbucket(rest),
        _ => request.azure(&parts),
    }
}

/// A GitHub App's installation: its statement must be a JWT of three parts.
pub fn installation(world: &World, asked: &Asked, method: &Method) -> Response<Body> {
    let statement = asked.authorization.clone().unwrap_or_default();
    let parts: Vec<&str> = statement.trim_start_matches("Bearer ").split('.').collect();
    let claims = parts.get(1).and_then(|part| data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let right = parts.len() == 3
        && claims
            .is_some_and(|claims| claims["iss"] == "4711" && claims["exp"].as_i64() > claims["iat"].as_i64());
    // Each organization has an installation of its own, with a token of its own.
    let other = world.others.iter().position(|one| asked.path.contains(&format!("orgs/{}/", one.name)));
    let id = other.map_or(17, |place| 100 + place);
    let made = asked.path.split('/').find_map(|part| part.parse::<usize>().ok()).unwrap_or(17);
    let token = made.checked_sub(100).and_then(|place| world.others.get(place));
    let token = token.map_or("installation-token", |one| &one.token);
    let (status, body) = match (right, method.as_str()) {
        (false, _) => (401, json!({"message": "A JSON web token could not be decoded"})),
        (true, "POST") => (201, json!({"token": token, "expires_at": "2030-01-01T00:00:00Z"})),
        (true, _) => {
            (200, json!({"id": id, "repository_selection": if world.selected { "selected" } else { "all" }}))
        }
    };
    Response::builder().status(status).body(Body::from(body.to_string())).expect("an answer")
}

fn number(query: &str, name: &str) -> Option<usize> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn value_of(query: &str, name: &str) -> Option<String> {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(percent_encoding::percent_decode_str(raw).decode_utf8_lossy().into_owned())
}

fn missing() -> Response<Body> {
    let body = json!({"message": "Not Found"}).to_string();
    Response::builder().status(404).body(Body::from(body)).expect("an answer")
}

/// How a list says that there is more.
struct Paged {
    /// A `Link` header.
    link: bool,
    /// The header with the number of all entries.
    total: Option<&'static str>,
    /// The field of an object that the list is in.
    field: Option<&'static str>,
}

const GITHUB: Paged = Paged { link: true, total: None, field: None };
const GITLAB: Paged = Paged { link: true, total: Some("x-total"), field: None };
const GITEA: Paged = Paged { link: true, total: Some("x-total-count"), field: None };
/// Lists of comments and reviews: <https://github.com/go-gitea/gitea/issues/38051>.
const GITEA_COMMENTS: Paged = Paged { link: false, total: Some("x-total-count"), field: None };

impl Request<'_> {
    fn clone_of(&self, repo: &Repo, owner: &str) -> String {
        let address = &self.world.address;
        repo.clone.clone().unwrap_or_else(|| format!("{address}/{owner}/{}.git", repo.name))
    }

    fn json(&self, value: &Value) -> Response<Body> {
        self.headed().body(Body::from(value.to_string())).expect("an answer")
    }

    fn headed(&self) -> axum::http::response::Builder {
        let mut response = Response::builder()
            .status(200)
            .header("x-ratelimit-remaining", "4999")
            .header("content-type", "application/json; charset=utf-8");
        if let Some(date) = &self.world.date {
            response = response.header("date", date);
        }
        if let Some(scopes) = &self.world.scopes {
            response = response.header("x-oauth-scopes", scopes);
        }
        response
    }

    fn paged(&self, list: &[Value], paged: &Paged) -> Response<Body> {
        let asked = number(self.query, "per_page").or(number(self.query, "limit"));
        let size = asked.unwrap_or(30).min(self.world.page);
        let page = number(self.query, "page").unwrap_or(1);
        let part: Vec<Value> = list.iter().skip((page - 1) * size).take(size).cloned().collect();
        let rest: Vec<&str> = self.query.split('&').filter(|pair| !pair.starts_with("page=")).collect();
        let (address, path) = (&self.world.address, self.path);
        let link = |page: usize| format!("<{address}{path}?{}&page={page}>", rest.join("&"));
        let last = list.len().div_ceil(size).max(1);
        let mut response = self.headed();
        if page < last && paged.link {
            response = response
                .header("link", format!("{}; rel=\"next\", {}; rel=\"last\"", link(page + 1), link(last)));
        }
        if let Some(name) = paged.total {
            response = response.header(name, (list.len() + self.miscounted()).to_string());
        }
        let body = match paged.field {
            Some(field) => json!({"total_count": list.len() + self.miscounted(), field: part}),
            None => Value::Array(part),
        };
        response.body(Body::from(body.to_string())).expect("an answer")
    }

    fn miscounted(&self) -> usize {
        if self.path.ends_with(&self.world.miscounted_at) { self.world.miscounted } else { 0 }
    }

    fn since<'a>(&self, all: &'a [Value], name: &str) -> Vec<&'a Value> {
        let since = value_of(self.query, name).unwrap_or_default();
        let is_later = |one: &&Value| one["updated_at"].as_str().unwrap_or_default() >= since.as_str();
        all.iter().filter(is_later).collect()
    }

    /// Repositories as GitHub and Gitea list them; the first of them may lack a clone address.
    fn repositories(&self, owner: &str, github: bool, wanted: impl Fn(&Repo) -> bool) -> Vec<Value> {
        let other = self.world.others.iter().find(|one| one.name == owner);
        let repos = other.map_or(&self.world.repos, |one| &one.repos).iter().filter(|repo| wanted(repo));
        let entry = |(place, repo): (usize, &Repo)| {
            let mut value = json!({
                            "full_name": format!("{owner}/{}", repo.name), "clone_url": self.clone_of(repo, owner),
                            "owner": {"login": owner}, "archived": repo.archived, "fork": repo.fork,
                            "private": repo.private, "has_wiki": true, "size": 1,
            // An address that an instance behind a proxy may state wrongly.
                            "url": "https://elsewhere.example/api",
                        });
            if github {
                value["visibility"] = json!(if repo.private { "private" } else { "public" });
                value["pushed_at"] = json!(repo.pushed_at);
            } else {
                value["internal"] = json!(false);
                value["updated_at"] = json!(repo.pushed_at);
            }
            if place < self.world.without_address {
                value["clone_url"] = Value::Null;
            }
            value
        };
        repos.enumerate().map(|(place, repo)| entry((place, repo))).collect()
    }

    fn gists(&self, wanted: impl Fn(&Repo) -> bool) -> Vec<Value> {
        let entry = |gist: &Repo| {
            let clone = format!("{}/gists/{}.git", self.world.address, gist.name);
            json!({"id": gist.name, "git_pull_url": clone, "public": !gist.private,
                "updated_at": gist.pushed_at, "owner": {"login": "ada"}})
        };
        self.world.gists.iter().filter(|gist| wanted(gist)).map(entry).collect()
    }

    fn github(&self, parts: &[&str], token: Option<&str>) -> Response<Body> {
        let world = self.world;
        let is_there = |owner: &str| owner == "acme" || world.others.iter().any(|one| one.name == owner);
        match *parts {
            ["orgs", owner, "repos"] if is_there(owner) && !world.is_user => {
                self.paged(&self.repositories(owner, true, |_| true), &GITHUB)
            }
            ["orgs", "acme"] if !world.is_user => match world.totals {
                Some((public, private)) => self
                    .json(&json!({"login": "acme", "public_repos": public, "total_private_repos": private})),
                None => self.json(&json!({"login": "acme"})),
            },
            ["orgs", "acme", "members"] => {
                let ada = ["ada".to_owned()];
                let members = if world.members.is_empty() { &ada[..] } else { &world.members };
                let members: Vec<Value> = members.iter().map(|name| json!({"login": name})).collect();
                self.paged(&members, &GITHUB)
            }
            ["users", "acme", "repos"] if world.is_user => {
                self.paged(&self.repositories("acme", true, |repo| !repo.private), &GITHUB)
            }
            ["users", "ada", "gists"] => self.paged(&self.gists(|gist| !gist.private), &GITHUB),
            ["user"] if token.is_some() && world.login.is_some() => self.json(&json!({"login": world.login})),
            ["user", "repos"] if world.login.is_some() => {
                let own = world.login.as_deref() == Some("acme");
                self.paged(&self.repositories("acme", true, |_| own), &GITHUB)
            }
            ["gists"] if world.login.is_some() => self.paged(&self.gists(|_| true), &GITHUB),
            ["installation", "repositories"] => {
                let token = token.unwrap_or_default().trim_start_matches("Bearer ");
                let other = world.others.iter().find(|one| one.token == token);
                let owner = other.map_or("acme", |one| one.name.as_str());
                let listed = Paged { field: Some("repositories"), ..GITHUB };
                self.paged(&self.repositories(owner, true, |_| true), &listed)
            }
            ["repos", "acme", name, ref rest @ ..] => {
                let Some(repo) = world.repos.iter().find(|repo| repo.name == name) else { return missing() };
                let all = match rest {
                    ["issues"] => &repo.issues,
                    ["issues", "comments"] => &repo.comments,
                    ["pulls", "comments"] => &repo.reviews,
                    _ => return missing(),
                };
                let list: Vec<Value> = self.since(all, "since").into_iter().cloned().collect();
                self.paged(&list, &GITHUB)
            }
            _ => missing(),
        }
    }

    fn gitea(&self, parts: &[&str]) -> Response<Body> {
        let world = self.world;
        match *parts {
            ["orgs", "acme", "repos"] if !world.is_user => {
                self.paged(&self.repositories("acme", false, |_| true), &GITEA)
            }
            ["users", "acme", "repos"] if world.is_user => {
                self.paged(&self.repositories("acme", false, |_| true), &GITEA)
            }
            ["repos", "acme", name, ref rest @ ..] => {
                let Some(repo) = world.repos.iter().find(|repo| repo.name == name) else { return missing() };
                let of = |name: &str, value: &str| -> Vec<Value> {
                    let fits = |one: &&Value| one[name].as_u64() == value.parse().ok();
                    repo.reviews.iter().filter(fits).cloned().collect()
                };
                match *rest {
                    ["issues"] => {
                        let list: Vec<Value> =
                            self.since(&repo.issues, "since").into_iter().cloned().collect();
                        self.paged(&list, &GITEA)
                    }
                    ["issues", "comments"] => {
                        let list: Vec<Value> =
                            self.since(&repo.comments, "since").into_iter().cloned().collect();
                        self.paged(&list, &GITEA_COMMENTS)
                    }
                    ["pulls", pull, "reviews"] => self.paged(&of("pull", pull), &GITEA_COMMENTS),
                    ["pulls", _, "reviews", id, "comments"] => {
                        let comments = of("id", id).first().map(|review| review["comments"].clone());
                        self.json(&comments.unwrap_or_else(|| json!([])))
                    }
                    _ => missing(),
                }
            }
            _ => missing(),
        }
    }

    fn project(&self, id: usize, repo: &Repo) -> Value {
        json!({"id": id, "path_with_namespace": format!("acme/team/{}", repo.name),
            "http_url_to_repo": self.clone_of(repo, "acme"), "archived": repo.archived, "visibility": "private",
            "last_activity_at": repo.pushed_at, "wiki_enabled": repo.wiki.is_some(), "forked_from_project": null})
    }

    fn gitlab(&self, parts: &[&str]) -> Response<Body> {
        match *parts {
            ["groups", "acme%2Fteam", "projects"] => {
                let list: Vec<Value> =
                    (1..).zip(&self.world.repos).map(|(id, repo)| self.project(id, repo)).collect();
                self.paged(&list, &GITLAB)
            }
            // A project by its path; a group's list does not have its statistics.
            ["projects", path] if path.starts_with("acme%2Fteam%2F") => {
                let mut repos = self.world.repos.iter();
                let Some(repo) = repos.find(|repo| path.ends_with(&format!("%2F{}", repo.name))) else {
                    return missing();
                };
                let mut value = self.project(1, repo);
                if value_of(self.query, "statistics").as_deref() == Some("true") {
                    value["statistics"] = json!({"repository_size": 4 << 20});
                }
                self.json(&value)
            }
            ["projects", id, ref rest @ ..] => {
                let place = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
                let Some(repo) = place.and_then(|place| self.world.repos.get(place)) else {
                    return missing();
                };
                let list: Vec<Value> = match rest {
                    ["issues"] => self.since(&repo.issues, "updated_after").into_iter().cloned().collect(),
                    ["merge_requests"] => {
                        self.since(&repo.merges, "updated_after").into_iter().cloned().collect()
                    }
                    ["issues" | "merge_requests", _, "notes"] => repo.comments.clone(),
                    _ => return missing(),
                };
                self.paged(&list, &GITLAB)
            }
            _ => missing(),
        }
    }

    fn bitbucket(&self, parts: &[&str]) -> Response<Body> {
        let ["repositories", "acme"] = *parts else { return missing() };
        let world = self.world;
        let page = number(self.query, "page").unwrap_or(1);
        let entry = |repo: &Repo| {
            json!({"full_name": format!("acme/{}", repo.name), "is_private": true, "updated_on": repo.pushed_at,
                "size": 2048, "has_wiki": false, "links": {"clone": [
                    {"name": "ssh", "href": format!("git@bitbucket.org:acme/{}.git", repo.name)},
                    {"name": "https", "href": self.clone_of(repo, "acme").replace("http://", "http://ada@")}]}})
        };
        let values: Vec<Value> =
            world.repos.iter().skip((page - 1) * world.page).take(world.page).map(entry).collect();
        let size = world.repos.len() + self.miscounted();
        let mut value = json!({"values": values, "pagelen": world.page, "page": page, "size": size});
        if page * world.page < world.repos.len() {
            value["next"] = json!(format!("{}{}?pagelen=100&page={}", world.address, self.path, page + 1));
        }
        self.json(&value)
    }

    fn azure(&self, parts: &[&str]) -> Response<Body> {
        let (["acme", "shop", "_apis", "git", "repositories"] | ["acme", "_apis", "git", "repositories"]) =
            *parts
        else {
            return missing();
        };
        let world = self.world;
        let from = number(self.query, "continuationToken").unwrap_or(0);
        let entry = |repo: &Repo| {
            json!({"name": repo.name, "remoteUrl": format!("{}/acme/shop/_git/{}", world.address, part(&repo.name)),
                "size": 4096, "isDisabled": false, "project": {"name": "shop", "visibility": "private"}})
        };
        let values: Vec<Value> = world.repos.iter().skip(from).take(world.page).map(entry).collect();
        let mut response = self.headed();
        if from + world.page < world.repos.len() {
            response = response.header("x-ms-continuationtoken", (from + world.page).to_string());
        }
        let value = json!({"count": values.len(), "value": values});
        response.body(Body::from(value.to_string())).expect("an answer")
    }
}

/// A part of a path, as it stands in an address.
fn part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
