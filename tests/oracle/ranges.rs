//! The commits of a range, the blobs that they add, and what is found in those; and the findings of all of history.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gix::ObjectId;
use sidsweep::detect::Detector;
use sidsweep::model::{Coverage, Tally, Unit};
use sidsweep::rules::Rules;
use sidsweep::scan::{Progress, Scanned, changes, history};
use sidsweep::source::commits::Commits;
use sidsweep::source::repository;

use super::damage::damage;
use super::repositories::{Made, made};
use super::{is_whole_run, ours, seeds};

/// What a commit adds: paths with blobs that none of its parents has there.
type Added = BTreeMap<(String, String), git2::Oid>;

/// The paths of blobs and links in a tree.
fn texts(tree: &git2::Tree<'_>) -> BTreeMap<String, git2::Oid> {
    let mut found = BTreeMap::new();
    tree.walk(git2::TreeWalkMode::PreOrder, |root, entry| {
        if entry.kind() == Some(git2::ObjectType::Blob) {
            found.insert(format!("{root}{}", entry.name().expect("UTF-8")), entry.id());
        }
        git2::TreeWalkResult::Ok
    })
    .expect("walked");
    found
}

/// What libgit2 says that some commits add.
fn added(repository: &git2::Repository, commits: &[git2::Oid]) -> Added {
    let mut added = Added::new();
    for &id in commits {
        let commit = repository.find_commit(id).expect("a commit");
        let mut fresh = texts(&commit.tree().expect("a tree"));
        for parent in commit.parents() {
            let tree = parent.tree().expect("a tree");
            // Else a file that became a link to the same words is one that goes and one that comes.
            let mut options = git2::DiffOptions::new();
            options.include_typechange(true);
            let diff = repository
                .diff_tree_to_tree(Some(&tree), Some(&commit.tree().expect("a tree")), Some(&mut options))
                .expect("compared");
            let differing: HashSet<(Vec<u8>, git2::Oid)> = diff
                .deltas()
                .filter(|delta| delta.new_file().id() != delta.old_file().id())
                .filter_map(|delta| Some((delta.new_file().path_bytes()?.to_vec(), delta.new_file().id())))
                .collect();
            fresh.retain(|path, id| differing.contains(&(path.clone().into_bytes(), *id)));
        }
        added.extend(fresh.into_iter().map(|(path, blob)| ((id.to_string(), path), blob)));
    }
    added
}

/// The tokens in a blob: each stands on a line of its own.
fn tokens(repository: &git2::Repository, blob: git2::Oid) -> Vec<String> {
    let blob = repository.find_blob(blob).expect("a blob");
    let text = String::from_utf8_lossy(blob.content()).into_owned();
    text.lines().filter_map(|line| line.strip_prefix("TWILIO_AUTH_TOKEN=")).map(str::to_owned).collect()
}

/// A commit, a path, a token, and whether that stands in the last commit.
type Found = (String, String, String, bool);

fn found(scanned: &Scanned) -> BTreeSet<Found> {
    let texts = scanned.texts.iter();
    texts
        .flat_map(|text| {
            let commit = text.origin.commit.as_ref().map(|commit| commit.id.clone()).unwrap_or_default();
            let value = |hit: &sidsweep::detect::Hit| hit.value.expose().to_owned();
            let at_head = text.origin.at_head;
            text.hits.iter().map(move |hit| (commit.clone(), text.path.clone(), value(hit), at_head))
        })
        .collect()
}

/// A range of a repository, as libgit2 has it.
struct Range {
    spec: String,
    from: git2::Oid,
    to: git2::Oid,
    commits: Vec<git2::Oid>,
}

/// Two commits of a repository, and those that lead to the second and not to the first.
fn range(made: &mut Made, repository: &git2::Repository) -> Range {
    let (from, to) = (made.random.choice(&made.commits), made.random.choice(&made.commits));
    let (from, to) = (*from.expect("a commit"), *to.expect("a commit"));
    let mut walk = repository.revwalk().expect("a walk");
    walk.push(to).expect("known");
    walk.hide(from).expect("known");
    let commits = walk.collect::<Result<_, _>>().expect("walked");
    Range { spec: format!("{from}..{to}"), from, to, commits }
}

/// What a scan of these commits finds.
fn expected(repository: &git2::Repository, to: git2::Oid, added: &Added) -> BTreeSet<Found> {
    let tip = texts(&repository.find_commit(to).expect("a commit").tree().expect("a tree"));
    let mut all = BTreeSet::new();
    for ((commit, path), &blob) in added {
        let at_head = tip.get(path) == Some(&blob);
        all.extend(
            tokens(repository, blob).into_iter().map(|token| (commit.clone(), path.clone(), token, at_head)),
        );
    }
    all
}

/// Whether all was read; the submodules that a range moves are nowhere here, and are named.
fn is_all_but_submodules(coverage: &Coverage) -> bool {
    coverage.skipped().iter().all(|skipped| {
        skipped.unit == Unit::Repositories && skipped.reason.starts_with("a submodule whose commit")
    })
}

#[test]
fn a_range_has_the_same_commits_and_they_add_the_same_blobs() {
    let detector = Detector::new(Rules::built_in());
    let (mut commits, mut blobs, mut values) = (0, 0, 0);
    for seed in seeds(30) {
        let mut made = made(seed);
        let theirs = made.theirs();
        let opened = repository::open_fully(&made.git).expect("it is whole");
        for _ in 0..4 {
            let range = range(&mut made, &theirs);
            let context = format!("seed {seed}: {}", range.spec);
            let tally = Tally::default();
            let listed = Commits::between(&opened, &[ours(range.to)], &[ours(range.from)], &tally);
            let coverage = tally.end();
            assert!(is_all_but_submodules(&coverage), "{context}: {coverage:?}");
            for (place, node) in listed.nodes.iter().enumerate() {
                assert!(node.parents.iter().all(|&parent| parent < place), "{context}: parents come first");
            }
            let ids: Vec<ObjectId> = listed.nodes.iter().map(|node| node.id).collect();
            let (own, all): (HashSet<ObjectId>, HashSet<ObjectId>) =
                (ids.iter().copied().collect(), range.commits.iter().map(|&id| ours(id)).collect());
            if made.is_in_order {
                assert_eq!(own, all, "{context}");
            } else {
                // Where clocks went wrong there may be more, as with git itself, and never fewer.
                assert!(own.is_superset(&all), "{context}");
            }
            let listed: Vec<git2::Oid> = ids.into_iter().map(super::theirs).collect();
            let added = added(&theirs, &listed);
            let scanned = changes::range(&detector, &made.git, &range.spec, 2).expect("it is whole");
            assert!(is_all_but_submodules(&scanned.coverage), "{context}: {:?}", scanned.coverage);
            let bytes = added
                .values()
                .map(|&blob| theirs.find_blob(blob).expect("a blob").size() as u64)
                .sum::<u64>();
            let stats = (scanned.stats.commits, scanned.stats.blobs, scanned.stats.bytes);
            assert_eq!(stats, (listed.len() as u64, added.len() as u64, bytes), "{context}");
            let expected = expected(&theirs, range.to, &added);
            assert_eq!(found(&scanned), expected, "{context}");
            commits += listed.len();
            blobs += added.len();
            values += expected.len();

            let since_parted = format!("{}...{}", range.from, range.to);
            let bases: Vec<ObjectId> = theirs
                .merge_bases(range.from, range.to)
                .map(|all| all.iter().map(|&id| ours(id)).collect())
                .unwrap_or_default();
            match changes::base(&opened, &since_parted) {
                Ok(base) => assert!(bases.contains(&base), "{context}: {base} of {bases:?}"),
                Err(error) => assert!(bases.is_empty(), "{context}: {error}; {bases:?}"),
            }
        }
    }
    println!("{commits} commits, {blobs} blobs, {values} values");
    assert!(!is_whole_run() || commits > 100 && values > 100, "{commits} {values}");
}

/// All tokens of blobs that commits lead to.
fn all_tokens(repository: &git2::Repository, commits: &[git2::Oid]) -> BTreeSet<String> {
    let trees =
        commits.iter().map(|&id| repository.find_commit(id).expect("a commit").tree().expect("a tree"));
    let blobs: BTreeSet<git2::Oid> = trees.flat_map(|tree| texts(&tree).into_values()).collect();
    blobs.into_iter().flat_map(|blob| tokens(repository, blob)).collect()
}

#[test]
fn damage_hides_nothing_without_a_word() {
    let detector = Detector::new(Rules::built_in());
    let (mut whole, mut said) = (0, 0);
    for seed in seeds(40) {
        let mut made = made(seed);
        let theirs = made.theirs();
        let range = range(&mut made, &theirs);
        let expected = expected(&theirs, range.to, &added(&theirs, &range.commits));
        let all = all_tokens(&theirs, &made.commits);
        drop(theirs);
        let how = damage(&mut made);
        match changes::range(&detector, &made.git, &range.spec, 2) {
            Ok(scanned) if scanned.coverage.is_complete() => {
                let found = found(&scanned);
                let lost: Vec<_> = expected.difference(&found).collect();
                assert!(lost.is_empty(), "seed {seed}: {}, {how}: {lost:?}", range.spec);
                whole += 1;
            }
            Ok(_) | Err(_) => said += 1,
        }
        match history::scan(&detector, &made.git, 2, false, &Progress::default()) {
            Ok(scanned) if scanned.coverage.is_complete() => {
                let found: BTreeSet<String> =
                    found(&scanned).into_iter().map(|(_, _, value, _)| value).collect();
                let lost: Vec<_> = all.difference(&found).collect();
                assert!(lost.is_empty(), "seed {seed}: all of history, {how}: {lost:?}");
                whole += 1;
            }
            Ok(_) | Err(_) => said += 1,
        }
    }
    println!("{whole} as before, {said} with something named");
    assert!(!is_whole_run() || whole > 5 && said > 5, "{whole} {said}");
}
