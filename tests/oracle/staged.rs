//! What an index would commit that HEAD does not have.

use std::collections::{BTreeMap, BTreeSet};

use gix::ObjectId;
use sidsweep::model::Tally;
use sidsweep::source::changes::Changes;
use sidsweep::source::repository;

use super::repositories::{Made, git, made};
use super::{is_whole_run, ours, seeds};

/// A path, what is to be committed there, and what stands there in HEAD.
type Staged = (String, ObjectId, Vec<ObjectId>);

const INTENT_TO_ADD: u16 = 1 << 13;

/// Changes the index at random; says whether it has conflicts.
fn stage(made: &mut Made) -> bool {
    let top = made.at().join("r");
    let tips: Vec<String> = made.commits.iter().map(ToString::to_string).collect();
    let random = &mut made.random;
    let (Some(head), Some(other)) = (random.choice(&tips), random.choice(&tips)) else { return false };
    git(&top, &["update-ref", "--no-deref", "HEAD", head], b"");
    let from = if random.u8(0..3) == 0 { other } else { head };
    git(&top, &["read-tree", from], b"");
    let listed = String::from_utf8(git(&top, &["ls-tree", "-rz", from], b"")).expect("UTF-8");
    let others = String::from_utf8(git(&top, &["ls-tree", "-rz", other], b"")).expect("UTF-8");
    let rows = |text: &str| -> Vec<(String, String)> {
        let lines = text.split('\0').filter_map(|line| line.split_once('\t'));
        lines.map(|(what, path)| (what.to_owned(), path.to_owned())).collect()
    };
    let (here, there) = (rows(&listed), rows(&others));
    let mut lines = Vec::new();
    let mut is_in_conflict = false;
    for _ in 0..random.usize(0..8) {
        let (Some((_, path)), Some((what, elsewhere))) = (random.choice(&here), random.choice(&there)) else {
            break;
        };
        let mut fields = what.split(' ');
        let (mode, id) = (fields.next().expect("a mode"), fields.nth(1).expect("an id"));
        let zeros = "0".repeat(40);
        match random.u8(0..8) {
            0 => lines.push(format!("0 {zeros}\t{path}")),
            1 => {
                lines.push(format!("0 {zeros}\t{path}"));
                lines.push(format!("{mode} {id}\t{path}.moved"));
            }
            // A folder in the place of a file, and a file in the place of a folder.
            2 => {
                lines.push(format!("0 {zeros}\t{path}"));
                lines.push(format!("{mode} {id}\t{path}/below"));
            }
            3 => {
                let top = path.split('/').next().unwrap_or(path);
                let below =
                    here.iter().filter(|(_, other)| other.starts_with(&format!("{top}/")) || other == top);
                lines.extend(below.map(|(_, other)| format!("0 {zeros}\t{other}")));
                lines.push(format!("{mode} {id}\t{top}"));
            }
            4 => {
                is_in_conflict = true;
                lines.push(format!("0 {zeros}\t{path}"));
                for stage in 1..=3 {
                    let choice = random.choice(&there).map_or(what.as_str(), |(what, _)| what);
                    let mut fields = choice.split(' ');
                    let (mode, id) = (fields.next().expect("a mode"), fields.nth(1).expect("an id"));
                    if random.u8(0..3) > 0 {
                        lines.push(format!("{mode} {id} {stage}\t{path}"));
                    }
                }
            }
            5 => lines.push(format!("{mode} {id}\t{elsewhere}")),
            6 => lines.push(format!("160000 {}\t{path}", "1".repeat(40))),
            _ => lines.push(format!("{mode} {id}\t{path}")),
        }
    }
    // `--replace`: what cannot stand beside a new entry goes.
    let mut input = lines.join("\0");
    input.push('\0');
    git(
        &top,
        &["update-index", "--replace", "-z", "--index-info"],
        if lines.is_empty() { b"" } else { input.as_bytes() },
    );
    if random.u8(0..3) == 0 {
        std::fs::write(top.join("intended"), "x").expect("written");
        git(&top, &["add", "-N", "intended"], b"");
    }
    if !is_in_conflict && random.bool() {
        // With the cache of trees that git keeps.
        git(&top, &["write-tree", "--missing-ok"], b"");
        if random.bool() {
            let path = random.choice(&here).map_or("a", |(_, path)| path);
            git(&top, &["rm", "-q", "-r", "-f", "--cached", "--ignore-unmatch", "--", path], b"");
        }
    }
    if random.bool() {
        git(&top, &["update-index", "--index-version", "4"], b"");
    }
    is_in_conflict
}

/// What libgit2 says is new or gone.
fn by_libgit2(made: &Made) -> (BTreeSet<Staged>, Vec<ObjectId>) {
    let repository = made.theirs();
    let head = repository.head().ok().and_then(|head| head.peel_to_tree().ok());
    let index = repository.index().expect("an index");
    let mut held: BTreeMap<String, (i32, ObjectId)> = BTreeMap::new();
    if let Some(head) = &head {
        head.walk(git2::TreeWalkMode::PreOrder, |root, entry| {
            let path = format!("{root}{}", entry.name().expect("UTF-8"));
            held.insert(path, (entry.filemode(), ours(entry.id())));
            git2::TreeWalkResult::Ok
        })
        .expect("walked");
    }
    let is_blob = |mode: i32| mode & 0o170_000 == 0o100_000;
    let is_text = |mode: i32| is_blob(mode) || mode == 0o120_000;
    let before = |path: &str| held.get(path).filter(|(mode, _)| is_text(*mode)).map(|(_, id)| *id);
    let (mut changed, mut gone) = (BTreeSet::new(), Vec::new());
    // Else a file that became a link is one that goes and one that comes.
    let mut options = git2::DiffOptions::new();
    options.include_typechange(true);
    let diff =
        repository.diff_tree_to_index(head.as_ref(), Some(&index), Some(&mut options)).expect("compared");
    for delta in diff.deltas() {
        let path = |file: git2::DiffFile<'_>| {
            String::from_utf8(file.path_bytes().expect("a path").to_vec()).expect("UTF-8")
        };
        match delta.status() {
            git2::Delta::Deleted => {
                let mode: u32 = delta.old_file().mode().into();
                if is_blob(mode.cast_signed()) {
                    gone.push(ours(delta.old_file().id()));
                }
            }
            // Told entry by entry below.
            git2::Delta::Conflicted => {}
            _ => {
                let (path, id) = (path(delta.new_file()), ours(delta.new_file().id()));
                let mode: u32 = delta.new_file().mode().into();
                let is_intended = index
                    .get_path(path.as_ref(), 0)
                    .is_some_and(|entry| entry.flags_extended & INTENT_TO_ADD != 0);
                if is_text(mode.cast_signed()) && before(&path) != Some(id) && !is_intended {
                    let old = before(&path).into_iter().collect();
                    changed.insert((path, id, old));
                }
            }
        }
    }
    for entry in index.iter().filter(|entry| entry.flags >> 12 & 3 > 0 && is_text(entry.mode.cast_signed())) {
        let (path, id) = (String::from_utf8(entry.path).expect("UTF-8"), ours(entry.id));
        if before(&path) != Some(id) {
            let old = before(&path).into_iter().collect();
            changed.insert((path, id, old));
        }
    }
    gone.sort_unstable();
    (changed, gone)
}

#[test]
fn the_same_changes_are_staged() {
    let (mut all, mut all_gone, mut conflicts) = (0, 0, 0);
    for seed in seeds(40) {
        let mut made = made(seed);
        conflicts += usize::from(stage(&mut made));
        let (changed, gone) = by_libgit2(&made);
        let repository = repository::open(&made.at().join("r")).expect("it is whole");
        let tally = Tally::default();
        let changes = Changes::of_index(&repository, &tally).expect("it is whole");
        let coverage = tally.end();
        assert!(coverage.skipped().is_empty(), "seed {seed}: {coverage:?}");
        let found: BTreeSet<Staged> = changes
            .changed
            .into_iter()
            .map(|change| (change.path.to_string(), change.blob, change.before))
            .collect();
        assert_eq!(found, changed, "seed {seed}");
        let mut removed = changes.removed;
        removed.sort_unstable();
        assert_eq!(removed, gone, "seed {seed}: what was taken away");
        all += found.len();
        all_gone += gone.len();
    }
    println!("{all} staged, {all_gone} gone, {conflicts} with conflicts");
    assert!(!is_whole_run() || all > 20 && all_gone > 20 && conflicts > 2, "{all} {all_gone} {conflicts}");
}
