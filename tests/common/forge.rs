//! A forge on loopback: the listing APIs of five forges as they publish them, with their paging and limits, and real clones by
//! `git http-backend`.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use serde_json::{Value, json};

/// A repository of the organization `acme`.
#[derive(Debug, Clone)]
pub struct Repo {
    pub name: String,
    /// The bare repository; none for one that vanished.
    pub folder: Option<PathBuf>,
    pub pushed_at: String,
    pub archived: bool,
    pub fork: bool,
    pub private: bool,
    pub wiki: Option<PathBuf>,
    /// Where it says that it is cloned from, where it lies.
    pub clone: Option<String>,
    pub issues: Vec<Value>,
    pub comments: Vec<Value>,
    pub reviews: Vec<Value>,
    /// It needs another password.
    pub locked: bool,
}

impl Repo {
    pub fn new(name: &str, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            folder: Some(folder.to_owned()),
            pushed_at: "2026-03-01T12:00:00Z".to_owned(),
            archived: false,
            fork: false,
            private: false,
            wiki: None,
            clone: None,
            issues: Vec::new(),
            comments: Vec::new(),
            reviews: Vec::new(),
            locked: false,
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    pub headers: HeaderMap,
}

/// An answer in the place of the right one: status, headers, body.
pub type Instead = (u16, Vec<(&'static str, String)>, String);

/// What the forge knows.
#[derive(Debug, Default)]
pub struct World {
    pub repos: Vec<Repo>,
    /// Entries a page at most, whatever is asked for.
    pub page: usize,
    /// The token without which nothing is told; both of the API and of git.
    pub token: Option<String>,
    /// Answers to the next API requests.
    pub instead: VecDeque<Instead>,
    pub log: Vec<Asked>,
    /// There is no organization, but a user.
    pub is_user: bool,
    pub gists: Vec<Repo>,
    pub address: String,
}

pub struct Forge {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    world: Arc<Mutex<World>>,
    _runtime: tokio::runtime::Runtime,
}

impl Forge {
    pub fn start(repos: Vec<Repo>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let world =
            Arc::new(Mutex::new(World { repos, page: 100, address: address.clone(), ..World::default() }));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&world));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, world, _runtime: runtime }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no answer panicked")
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// The paths of requests of git's.
    pub fn cloned(&self) -> Vec<String> {
        self.world()
            .log
            .iter()
            .map(|asked| asked.path.clone())
            .filter(|path| path.contains("/info/refs"))
            .collect()
    }
}

type Shared = Arc<Mutex<World>>;

async fn answer(
    State(world): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = Asked {
        path: path.clone(),
        query: query.clone(),
        authorization: text("authorization"),
        headers: headers.clone(),
    };
    let is_api = ["/api/", "/2.0/"].iter().any(|start| path.starts_with(start)) || path.contains("/_apis/");
    let (instead, allowed) = {
        let mut world = world.lock().expect("no answer panicked");
        world.log.push(asked.clone());
        let allowed = world.token.as_ref().is_none_or(|token| opens(token, asked.authorization.as_deref()));
        (if is_api { world.instead.pop_front() } else { None }, allowed)
    };
    if let Some((status, headers, body)) = instead {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        return response.body(Body::from(body)).expect("an answer");
    }
    let app = path.ends_with("/installation") || path.ends_with("/access_tokens");
    if is_api && app {
        return installation(&asked, &method);
    }
    if !allowed {
        return Response::builder()
            .status(401)
            .header("www-authenticate", "Basic realm=\"forge\"")
            .body(Body::from(json!({"message": "Bad credentials"}).to_string()))
            .expect("an answer");
    }
    if is_api {
        let world = world.lock().expect("no answer panicked");
        return api(&world, &path, &query);
    }
    let world = Arc::clone(&world);
    tokio::task::spawn_blocking(move || git(&world, &method, &path, &query, &headers, &body))
        .await
        .expect("git answered")
}

/// Whether an Authorization header holds the token, in any of the ways.
fn opens(token: &str, header: Option<&str>) -> bool {
    let Some((scheme, value)) = header.and_then(|header| header.split_once(' ')) else { return false };
    match scheme {
        "Basic" => data_encoding::BASE64.decode(value.as_bytes()).is_ok_and(|pair| {
            String::from_utf8_lossy(&pair).split_once(':').is_some_and(|(_, given)| given == token)
        }),
        _ => value == token,
    }
}

/// A GitHub App's installation: its statement must be a JWT of three parts.
fn installation(asked: &Asked, method: &Method) -> Response<Body> {
    let statement = asked.authorization.clone().unwrap_or_default();
    let parts: Vec<&str> = statement.trim_start_matches("Bearer ").split('.').collect();
    let claims = parts.get(1).and_then(|part| data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let right = parts.len() == 3
        && claims
            .is_some_and(|claims| claims["iss"] == "4711" && claims["exp"].as_i64() > claims["iat"].as_i64());
    let (status, body) = match (right, method.as_str()) {
        (false, _) => (401, json!({"message": "A JSON web token could not be decoded"})),
        (true, "POST") => (201, json!({"token": "installation-token", "expires_at": "2030-01-01T00:00:00Z"})),
        (true, _) => (200, json!({"id": 17})),
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

#[expect(clippy::too_many_lines, reason = "one arm an address")]
fn api(world: &World, path: &str, query: &str) -> Response<Body> {
    let address = &world.address;
    let list: Vec<Value>;
    let paged = |list: Vec<Value>, size: Option<usize>| {
        let size = size.unwrap_or(30).min(world.page);
        let page = number(query, "page").unwrap_or(1);
        let part: Vec<Value> = list.iter().skip((page - 1) * size).take(size).cloned().collect();
        let mut response = Response::builder().status(200);
        let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("page=")).collect();
        let link = |page: usize| format!("<{address}{path}?{}&page={page}>", rest.join("&"));
        let last = list.len().div_ceil(size).max(1);
        if page < last {
            response = response
                .header("link", format!("{}; rel=\"next\", {}; rel=\"last\"", link(page + 1), link(last)));
        }
        response
            .header("x-ratelimit-remaining", "4999")
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::from(Value::Array(part).to_string()))
            .expect("an answer")
    };
    let missing = || {
        Response::builder()
            .status(StatusCode::NOT_FOUND)
            .body(Body::from(json!({"message": "Not Found"}).to_string()))
            .expect("an answer")
    };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let clone =
        |repo: &Repo| repo.clone.clone().unwrap_or_else(|| format!("{address}/acme/{}.git", repo.name));
    match parts.as_slice() {
        ["api", "v3" | "v1", kind @ ("orgs" | "users"), "acme", "repos"] => {
            if (*kind == "orgs") == world.is_user {
                return missing();
            }
            let version = parts[1];
            list = world
                .repos
                .iter()
                .map(|repo| {
                    let mut value = json!({
                        "full_name": format!("acme/{}", repo.name), "clone_url": clone(repo), "archived": repo.archived,
                        "fork": repo.fork, "private": repo.private, "has_wiki": true, "size": 1,
                        "url": format!("{address}/api/{version}/repos/acme/{}", repo.name),
                    });
                    if version == "v3" {
                        value["visibility"] = json!(if repo.private { "private" } else { "public" });
                        value["pushed_at"] = json!(repo.pushed_at);
                    } else {
                        value["internal"] = json!(false);
                        value["updated_at"] = json!(repo.pushed_at);
                    }
                    value
                })
                .collect();
            paged(list, number(query, "per_page").or(number(query, "limit")))
        }
        ["api", "v3", "orgs", "acme", "members"] => paged(vec![json!({"login": "ada"})], None),
        ["api", "v3", "users", "ada", "gists"] => {
            list = world
                .gists
                .iter()
                .map(|gist| {
                    json!({"id": gist.name, "git_pull_url": format!("{address}/gists/{}.git", gist.name), "public": true,
                        "updated_at": gist.pushed_at, "owner": {"login": "ada"}})
                })
                .collect();
            paged(list, None)
        }
        ["api", "v3" | "v1", "repos", "acme", name, rest @ ..] => {
            let Some(repo) = world.repos.iter().find(|repo| repo.name == *name) else { return missing() };
            let since = value_of(query, "since").unwrap_or_default();
            let all = match rest {
                ["issues"] => &repo.issues,
                ["issues", "comments"] => &repo.comments,
                ["pulls", "comments"] => &repo.reviews,
                _ => return missing(),
            };
            list = all
                .iter()
                .filter(|one| one["updated_at"].as_str().unwrap_or_default() >= since.as_str())
                .cloned()
                .collect();
            paged(list, number(query, "per_page").or(number(query, "limit")))
        }
        ["api", "v4", "groups", group, "projects"] => {
            if *group != "acme%2Fteam" {
                return missing();
            }
            list = (1..)
                .zip(&world.repos)
                .map(|(id, repo)| {
                    json!({"id": id, "path_with_namespace": format!("acme/team/{}", repo.name),
                        "http_url_to_repo": clone(repo), "archived": repo.archived, "visibility": "private",
                        "last_activity_at": repo.pushed_at, "wiki_enabled": repo.wiki.is_some(), "forked_from_project": null})
                })
                .collect();
            paged(list, number(query, "per_page"))
        }
        ["api", "v4", "projects", id, rest @ ..] => {
            let Some(repo) = id.parse::<usize>().ok().and_then(|id| world.repos.get(id - 1)) else {
                return missing();
            };
            let list = match rest {
                ["issues"] => repo.issues.clone(),
                ["merge_requests"] => Vec::new(),
                ["issues", _, "notes"] => repo.comments.clone(),
                _ => return missing(),
            };
            paged(list, number(query, "per_page"))
        }
        ["2.0", "repositories", "acme"] => {
            let page = number(query, "page").unwrap_or(1);
            let values: Vec<Value> = world
                .repos
                .iter()
                .skip((page - 1) * world.page)
                .take(world.page)
                .map(|repo| {
                    json!({"full_name": format!("acme/{}", repo.name), "is_private": true, "updated_on": repo.pushed_at,
                        "size": 2048, "has_wiki": false, "links": {"clone": [
                            {"name": "ssh", "href": format!("git@bitbucket.org:acme/{}.git", repo.name)},
                            {"name": "https", "href": clone(repo).replace("http://", "http://ada@")}]}})
                })
                .collect();
            let mut value = json!({"values": values, "pagelen": world.page, "page": page});
            if page * world.page < world.repos.len() {
                value["next"] = json!(format!("{address}{path}?pagelen=100&page={}", page + 1));
            }
            Response::builder().status(200).body(Body::from(value.to_string())).expect("an answer")
        }
        ["acme", "shop", "_apis", "git", "repositories"] | ["acme", "_apis", "git", "repositories"] => {
            let from = number(query, "continuationToken").unwrap_or(0);
            let values: Vec<Value> = world
                .repos
                .iter()
                .skip(from)
                .take(world.page)
                .map(|repo| {
                    json!({"name": repo.name, "remoteUrl": format!("{address}/acme/shop/_git/{}", repo.name), "size": 4096,
                        "isDisabled": false, "project": {"name": "shop", "visibility": "private"}})
                })
                .collect();
            let mut response = Response::builder().status(200);
            if from + world.page < world.repos.len() {
                response = response.header("x-ms-continuationtoken", (from + world.page).to_string());
            }
            let value = json!({"count": values.len(), "value": values});
            response.body(Body::from(value.to_string())).expect("an answer")
        }
        _ => missing(),
    }
}

/// git's own server, as a CGI program.
fn git(
    world: &Shared,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response<Body> {
    let status = |status: u16| Response::builder().status(status).body(Body::from("no")).expect("an answer");
    let path = path.replacen("/acme/shop/_git/", "/acme/", 1);
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, rest) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let name = name.trim_end_matches(".git");
    let found = {
        let world = world.lock().expect("no answer panicked");
        let list = if owner == "gists" { &world.gists } else { &world.repos };
        if let Some(repo) = list.iter().find(|repo| repo.name == name) {
            if repo.locked {
                return Response::builder()
                    .status(401)
                    .header("www-authenticate", "Basic realm=\"forge\"")
                    .body(Body::from("no"))
                    .expect("an answer");
            }
            repo.folder.clone()
        } else if let Some(base) = name.strip_suffix(".wiki") {
            list.iter().find(|repo| repo.name == base).and_then(|repo| repo.wiki.clone())
        } else {
            None
        }
    };
    let Some(folder) = found else { return status(404) };
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("GIT_CONFIG_KEY_1", "uploadpack.allowAnySHA1InWant")
        .env("GIT_CONFIG_VALUE_1", "true")
        .env("GIT_PROJECT_ROOT", &folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{rest}"))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method.as_str())
        .env("CONTENT_TYPE", text("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("GIT_PROTOCOL", text("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git runs");
    let mut input = child.stdin.take().expect("a pipe");
    let body = body.clone();
    let feeder = std::thread::spawn(move || {
        let _ = input.write_all(&body);
    });
    let output = child.wait_with_output().expect("git ends");
    feeder.join().expect("fed");
    let Some(end) = output.stdout.windows(4).position(|window| window == b"\r\n\r\n") else {
        return status(500);
    };
    let mut response = Response::builder().status(200);
    for line in String::from_utf8_lossy(&output.stdout[..end]).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name == "Status" {
            response = response
                .status(value.split(' ').next().and_then(|code| code.parse::<u16>().ok()).unwrap_or(500));
        } else {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(output.stdout[end + 4..].to_vec())).expect("an answer")
}

/// What a commit changes: paths with their new texts, or none where one is removed.
pub type Files<'a> = &'a [(&'a str, Option<&'a str>)];

/// A bare repository made in one go: commits on `main`, each a list of files (none: removed); then other references.
pub fn bare(folder: &Path, commits: &[Files], refs: &[(&str, Files)]) {
    super::git(Path::new("/"), &["init", "-q", "--bare", &folder.display().to_string()]);
    let mut stream = String::new();
    let mut mark = 0;
    let mut commit = |stream: &mut String, name: &str, from: Option<u32>, files: &[(&str, Option<&str>)]| {
        mark += 1;
        stream.push_str(&format!(
            "commit {name}\nmark :{mark}\ncommitter Ada <ada@example.com> {} +0000\ndata 6\nchange\n",
            1_700_000_000 + mark * 60
        ));
        if let Some(from) = from {
            stream.push_str(&format!("from :{from}\n"));
        }
        for (path, text) in files {
            match text {
                Some(text) => {
                    stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
                }
                None => stream.push_str(&format!("D {path}\n")),
            }
        }
        mark
    };
    let mut last = None;
    for files in commits {
        last = Some(commit(&mut stream, "refs/heads/main", last, files));
    }
    for (name, files) in refs {
        commit(&mut stream, name, last, files);
    }
    let mut child = Command::new("git")
        .arg("--git-dir")
        .arg(folder)
        .args(["fast-import", "--quiet"])
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    child.stdin.take().expect("a pipe").write_all(stream.as_bytes()).expect("fed");
    assert!(child.wait().expect("git ends").success(), "fast-import of {}", folder.display());
    super::git(folder, &["symbolic-ref", "HEAD", "refs/heads/main"]);
}
