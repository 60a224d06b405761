//! An npm registry of a folder of packages, on loopback.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::packed::untarred;

/// Its address; it lives as long as the test.
pub fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (folder, base) = (folder.to_owned(), address.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (folder, base) = (folder.clone(), base.clone());
            std::thread::spawn(move || answer(stream.unwrap(), &folder, &base));
        }
    });
    address
}

fn answer(mut stream: TcpStream, folder: &Path, base: &str) {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    // The headers, to the empty line.
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        header.clear();
    }
    let path =
        line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').replace("%2f", "/").replace("%2F", "/");
    let body = match path.strip_prefix("files/") {
        Some(file) => std::fs::read(folder.join(file)).ok(),
        None => document(folder, &path, base),
    };
    let (status, body) = body.map_or(("404 Not Found", b"{}".to_vec()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// What a registry says of a package.
fn document(folder: &Path, name: &str, base: &str) -> Option<Vec<u8>> {
    let packages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_wanted = |path: PathBuf| {
        let held = untarred(&std::fs::read(&path).unwrap());
        let mut manifest: Value = serde_json::from_slice(&held["package/package.json"].0).unwrap();
        if manifest["name"] != name {
            return None;
        }
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        manifest["dist"] = serde_json::json!({"tarball": format!("{base}/files/{file}")});
        Some(manifest)
    };
    let manifest =
        packages.filter(|path| path.extension().is_some_and(|end| end == "tgz")).find_map(is_wanted)?;
    let version = manifest["version"].as_str().unwrap().to_owned();
    let document =
        serde_json::json!({"name": name, "dist-tags": {"latest": version}, "versions": {version: manifest}});
    Some(serde_json::to_vec(&document).unwrap())
}
