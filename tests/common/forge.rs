//! A forge on loopback: the listing APIs of five forges as they publish them, with their paging and limits, and real clones by
//! `git http-backend`.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};

mod api;
mod tls;

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
    /// Merge requests, of GitLab's.
    pub merges: Vec<Value>,
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
            merges: Vec::new(),
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

/// Another organization, with a token of its own.
#[derive(Debug, Clone)]
pub struct Organization {
    pub name: String,
    pub repos: Vec<Repo>,
    pub token: String,
}

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
    /// Organizations beside `acme`.
    pub others: Vec<Organization>,
    /// Whose the token is.
    pub login: Option<String>,
    /// What GitHub says of a classic token's scopes.
    pub scopes: Option<String>,
    /// How many public and private repositories GitHub says that the organization has.
    pub totals: Option<(usize, usize)>,
    /// The App is installed on selected repositories only.
    pub selected: bool,
    /// The organization's members, `ada` where none is named.
    pub members: Vec<String>,
    /// API paths with this ending are refused: status, headers, body.
    pub refused: Vec<(String, Instead)>,
    /// What the forge says that the time is, as a `Date` header.
    pub date: Option<String>,
    /// How many more entries than there are the forge counts.
    pub miscounted: usize,
    /// Of which lists that holds: those whose path ends so.
    pub miscounted_at: String,
    /// Entries of the listing without a clone address.
    pub without_address: usize,
}

pub struct Forge {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    world: Arc<Mutex<World>>,
    _runtime: tokio::runtime::Runtime,
}

impl Forge {
    pub fn start(repos: Vec<Repo>) -> Self {
        Self::serve(repos, false).0
    }

    /// One that speaks TLS; the certificate of its authority.
    pub fn start_over_tls(repos: Vec<Repo>) -> (Self, String) {
        Self::serve(repos, true)
    }

    fn serve(repos: Vec<Repo>, over_tls: bool) -> (Self, String) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let scheme = if over_tls { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let world =
            Arc::new(Mutex::new(World { repos, page: 100, address: address.clone(), ..World::default() }));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&world));
        let mut authority = String::new();
        if over_tls {
            let (listener, pem) = tls::Listener::new(listener);
            authority = pem;
            runtime.spawn(async move { axum::serve(listener, router).await });
        } else {
            runtime.spawn(async move { axum::serve(listener, router).await });
        }
        (Self { address, world, _runtime: runtime }, authority)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no answer panicked")
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.address.split_once("://").map_or("", |(_, host)| host)
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
    let is_api = ["/api/", "/forge/api/", "/2.0/"].iter().any(|start| path.starts_with(start))
        || path.contains("/_apis/");
    let (instead, allowed) = {
        let mut world = world.lock().expect("no answer panicked");
        world.log.push(asked.clone());
        let owner = world.others.iter().find(|one| path.split('/').any(|part| part == one.name));
        let opens = |token: &String| opens(token, asked.authorization.as_deref());
        let allowed = match owner {
            Some(owner) => opens(&owner.token),
            None if path.contains("/acme") => world.token.as_ref().is_none_or(opens),
            None => {
                world.token.as_ref().is_none_or(opens) || world.others.iter().any(|one| opens(&one.token))
            }
        };
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
        return api::installation(&world.lock().expect("no answer panicked"), &asked, &method);
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
        return api::answer(&world, &asked);
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
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path = path.trim_start_matches("/forge").replacen("/acme/shop/_git/", "/acme/", 1);
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, rest) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let name = name.trim_end_matches(".git");
    let found = {
        let world = world.lock().expect("no answer panicked");
        let other = world.others.iter().find(|one| one.name == owner);
        let own = if owner == "gists" { &world.gists } else { &world.repos };
        let list = other.map_or(own, |one| &one.repos);
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
