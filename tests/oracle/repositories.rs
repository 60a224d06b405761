//! Random repositories, made by git from a seed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fastrand::Rng;

use crate::common::fixture::Mint;

/// How a repository's objects are kept.
const STORAGES: [&[&[&str]]; 12] = [
    // As fast-import writes them: one pack for each of its runs, or loose.
    &[],
    &[&["unpack"]],
    // Deltas by offset, and by id.
    &[&["repack", "-qadf", "--depth=50", "--window=30"]],
    &[&["-c", "repack.useDeltaBaseOffset=false", "repack", "-qadf", "--depth=50", "--window=30"]],
    &[&["-c", "pack.indexVersion=1", "repack", "-qadf"]],
    &[&["-c", "pack.compression=0", "-c", "core.compression=0", "repack", "-qadF"]],
    // The same objects in several packs, and loose as well.
    &[&["repack", "-qa"], &["repack", "-qaf", "--depth=3"]],
    &[&["unpack"], &["repack", "-qa"]],
    &[&["repack", "-qa"], &["multi-pack-index", "write"]],
    &[&["repack", "-qadfb", "--write-midx"]],
    &[&["-c", "pack.packSizeLimit=1m", "repack", "-qadf"]],
    &[&["commit-graph", "write", "--reachable"], &["pack-refs", "--all"]],
];

/// A repository that git made.
pub struct Made {
    pub seed: u64,
    pub folder: tempfile::TempDir,
    /// The git folder.
    pub git: PathBuf,
    /// For what is done with it.
    pub random: Rng,
    /// The marks of its commits, parents before children, as ids.
    pub commits: Vec<git2::Oid>,
    /// A commit's time is not before that of its parents.
    pub is_in_order: bool,
}

impl Made {
    /// Its work tree's folder.
    pub fn at(&self) -> &Path {
        self.folder.path()
    }

    pub fn theirs(&self) -> git2::Repository {
        git2::Repository::open(&self.git).expect("libgit2 opens it")
    }
}

pub fn git(at: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .current_dir(at)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).expect("git reads"));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("written");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What stands at a path: a mode, and the mark of a blob or the commit of a submodule.
type Entry = (&'static str, String);

/// A stream for `git fast-import`, in the making.
struct Stream {
    random: Rng,
    mint: Mint,
    text: Vec<u8>,
    marks: usize,
    /// The versions of texts, by their marks.
    blobs: Vec<(usize, Vec<u8>)>,
    /// The commits, by their marks, with what they hold and the branch that they are the end of.
    commits: Vec<(usize, BTreeMap<String, Entry>, usize)>,
    branches: usize,
    is_in_order: bool,
}

impl Stream {
    fn data(&mut self, bytes: &[u8]) {
        self.text.extend(format!("data {}\n", bytes.len()).bytes());
        self.text.extend(bytes);
        self.text.push(b'\n');
    }

    /// A new blob: mostly a version of an earlier one, with a token that stands in no other.
    fn blob(&mut self) -> usize {
        let fresh = self.random.u8(0..5) == 0;
        let mut bytes = match self.random.choice(&self.blobs) {
            Some((_, text)) if !fresh => text.clone(),
            _ => (0..self.random.usize(0..60))
                .flat_map(|n| format!("line {n} of a text\n").into_bytes())
                .collect(),
        };
        let kind = self.random.u8(0..24);
        match kind {
            0 => bytes.clear(),
            1 => bytes = (0..self.random.usize(1..300)).map(|_| self.random.u8(..)).collect(),
            _ => {
                let lines: Vec<&[u8]> = bytes
                    .split_inclusive(|&byte| byte == b'\n')
                    .filter(|line| !line.starts_with(b"TWILIO_"))
                    .collect();
                let mut lines = if kind == 2 { lines.repeat(40) } else { lines };
                lines.truncate(4_000);
                let at = self.random.usize(0..=lines.len());
                let token = format!("TWILIO_AUTH_TOKEN={}\n", self.mint.hex(32));
                bytes = [&lines[..at].concat(), token.as_bytes(), &lines[at..].concat()].concat();
            }
        }
        self.marks += 1;
        self.text.extend(format!("blob\nmark :{}\n", self.marks).bytes());
        self.data(&bytes);
        // Texts have whole lines.
        if kind != 1 {
            self.blobs.push((self.marks, bytes));
        }
        self.marks
    }

    /// A path; short names are prefixes of others, and folders of others' names.
    fn path(&mut self) -> String {
        let name = |random: &mut Rng| {
            ["a", "a.b", "a-b", "ab", "b", "b c", "ключ", "0", "c\"d"][random.usize(0..9)].to_owned()
        };
        let mut path = name(&mut self.random);
        while self.random.u8(0..5) < 2 {
            path = format!("{path}/{}", name(&mut self.random));
        }
        path
    }

    /// Changes a few paths of what a commit holds.
    fn edit(&mut self, held: &mut BTreeMap<String, Entry>, others: &[BTreeMap<String, Entry>]) {
        for _ in 0..self.random.usize(0..6) {
            let known: Vec<String> = held.keys().cloned().collect();
            let old = self.random.choice(&known).cloned();
            let path = match &old {
                Some(old) if self.random.bool() => old.clone(),
                _ => self.path(),
            };
            match (self.random.u8(0..12), old) {
                // Moved, and copied.
                (kind @ 0..2, Some(old)) => {
                    let entry = held[&old].clone();
                    if kind == 0 {
                        held.remove(&old);
                    }
                    put(held, &path, entry);
                }
                (2, Some(old)) => drop(held.remove(&old)),
                (3, Some(old)) => {
                    let entry = held.get_mut(&old).expect("known");
                    if entry.0 != "160000" {
                        entry.0 = ["100644", "100755", "120000"][self.random.usize(0..3)];
                    }
                }
                (4, _) => {
                    let id: String = (0..40).map(|_| format!("{:x}", self.random.u8(1..16))).collect();
                    put(held, &path, ("160000", id));
                }
                // As in another commit, or as it was before.
                (5 | 6, _) if !others.is_empty() => {
                    let other = &others[self.random.usize(0..others.len())];
                    let taken: Vec<(&String, &Entry)> = other.iter().collect();
                    if let Some((path, entry)) = self.random.choice(&taken) {
                        put(held, path, (*entry).clone());
                    }
                }
                _ => {
                    let mode = ["100644", "100644", "100755", "120000"][self.random.usize(0..4)];
                    let mark = self.blob();
                    put(held, &path, (mode, format!(":{mark}")));
                }
            }
        }
    }

    fn is_end_of_branch(&self, place: usize) -> bool {
        let branch = self.commits[place].2;
        self.commits[place + 1..].iter().all(|(_, _, other)| *other != branch)
    }

    /// A commit on a random one, or on several, or on none.
    fn commit(&mut self, number: u64) {
        let count = if self.commits.is_empty() {
            0
        } else {
            [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3][self.random.usize(0..12)]
        };
        let mut parents: Vec<usize> = Vec::new();
        for _ in 0..count {
            // Mostly the latest.
            let most = if self.random.bool() { 2 } else { 20 };
            let back = self.random.usize(0..self.commits.len().min(most));
            let parent = self.commits.len() - 1 - back;
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        let mut held = parents.first().map(|&parent| self.commits[parent].1.clone()).unwrap_or_default();
        let others: Vec<BTreeMap<String, Entry>> =
            self.commits.iter().rev().take(12).map(|(_, held, _)| held.clone()).collect();
        self.edit(&mut held, &others);
        let branch = match parents.first() {
            // The end of a branch: it goes on.
            Some(&parent) if self.is_end_of_branch(parent) => self.commits[parent].2,
            _ => {
                self.branches += 1;
                self.branches
            }
        };
        let time =
            if self.is_in_order { 1_700_000_000 + number } else { 1_700_000_000 + self.random.u64(0..1000) };
        self.marks += 1;
        self.text.extend(
            format!(
                "commit refs/heads/b{branch}\nmark :{}\ncommitter A <a@example.org> {time} +0000\n",
                self.marks
            )
            .bytes(),
        );
        self.data(format!("commit {number}\n").as_bytes());
        for (place, &parent) in parents.iter().enumerate() {
            let word = if place == 0 { "from" } else { "merge" };
            self.text.extend(format!("{word} :{}\n", self.commits[parent].0).bytes());
        }
        self.text.extend(b"deleteall\n");
        for (path, (mode, what)) in &held {
            let quoted = path.replace('"', "\\\"");
            self.text.extend(format!("M {mode} {what} \"{quoted}\"\n").bytes());
        }
        self.text.push(b'\n');
        self.commits.push((self.marks, held, branch));
        if self.random.u8(0..12) == 0 {
            self.text.extend(
                format!("tag t{number}\nfrom :{}\ntagger A <a@example.org> {time} +0000\n", self.marks)
                    .bytes(),
            );
            self.data(format!("tag {number}\n").as_bytes());
        }
    }
}

/// Puts something at a path; what it cannot stand beside is taken away, as git does.
fn put(held: &mut BTreeMap<String, Entry>, path: &str, entry: Entry) {
    let below = format!("{path}/");
    held.retain(|other, _| !other.starts_with(&below) && !path.starts_with(&format!("{other}/")));
    held.insert(path.to_owned(), entry);
}

/// The repository of a seed.
pub fn made(seed: u64) -> Made {
    let mut random = Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path().join("r");
    std::fs::create_dir(&top).expect("made");
    git(&top, &["init", "-q", "-b", "b1"], b"");
    let (is_in_order, storage) = (random.u8(0..4) > 0, STORAGES[random.usize(0..STORAGES.len())]);
    let mut stream = Stream {
        mint: Mint::new(random.u64(..)),
        random: random.fork(),
        text: Vec::new(),
        marks: 0,
        blobs: Vec::new(),
        commits: Vec::new(),
        branches: 0,
        is_in_order,
    };
    let count = random.u64(1..40);
    let runs = random.u64(1..4);
    let marks = folder.path().join("marks");
    let (export, import) = (
        format!("--export-marks={}", marks.display()),
        format!("--import-marks-if-exists={}", marks.display()),
    );
    for run in 0..runs {
        // What others borrow lies in the first run's repository.
        if run == 1 && random.u8(0..4) == 0 {
            lend(folder.path(), &top);
        }
        for number in count * run / runs..count * (run + 1) / runs {
            stream.commit(number);
        }
        let limit =
            if random.u8(0..3) == 0 { "fastimport.unpackLimit=100000" } else { "fastimport.unpackLimit=1" };
        let text = std::mem::take(&mut stream.text);
        git(&top, &["-c", limit, "fast-import", "--quiet", "--force", &export, &import], &text);
    }
    for step in storage {
        if *step == ["unpack"] {
            unpack(&top);
        } else if let Some(arguments) = (!stream.commits.is_empty()).then_some(*step) {
            git(&top, arguments, b"");
        }
    }
    let text = std::fs::read_to_string(&marks).unwrap_or_default();
    let ids: BTreeMap<usize, git2::Oid> = text
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .map(|(mark, id)| (mark.parse().expect("a mark"), git2::Oid::from_str(id).expect("an id")))
        .collect();
    let commits = stream.commits.iter().map(|(mark, ..)| ids[mark]).collect();
    Made { seed, git: top.join(".git"), folder, random, commits, is_in_order }
}

/// Moves all objects so far to another repository, from which this one borrows.
fn lend(folder: &Path, top: &Path) {
    let lender = folder.join("lender");
    git(folder, &["init", "-q", "--bare", "lender"], b"");
    std::fs::remove_dir_all(lender.join("objects")).expect("removed");
    std::fs::rename(top.join(".git/objects"), lender.join("objects")).expect("moved");
    std::fs::create_dir_all(top.join(".git/objects/info")).expect("made");
    std::fs::create_dir_all(top.join(".git/objects/pack")).expect("made");
    std::fs::write(top.join(".git/objects/info/alternates"), "../../../lender/objects\n").expect("written");
}

/// Makes loose objects of packs.
fn unpack(top: &Path) {
    let folder = top.join(".git/objects/pack");
    let packs: Vec<PathBuf> = files(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "pack"))
        .collect();
    for pack in packs {
        let bytes = std::fs::read(&pack).expect("read");
        std::fs::remove_file(&pack).expect("removed");
        let _ = std::fs::remove_file(pack.with_extension("idx"));
        git(top, &["unpack-objects", "-q"], &bytes);
    }
}

/// All files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
