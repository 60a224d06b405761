//! What could not be read, and what somebody accepts as unread: by patterns of paths, on the command line or in a policy. It stays
//! listed, with who accepted it, and does not count for the exit code any more.

use std::cell::Cell;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use jiff::civil::Date;

use super::accept::{Accepted, root_of};
use super::policy::Policy;
use crate::model::{Acceptance, Report};

/// What a pattern that was accepted is called in reports.
const OPTION: &str = "--accept-unread";

/// A pattern of paths, as in `.gitignore`, of what may stay unread.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    paths: Gitignore,
    /// It matched something.
    is_used: Cell<bool>,
}

impl Pattern {
    /// Reads a pattern; an error in words.
    pub fn of(text: &str) -> Result<Self, String> {
        let mut builder = GitignoreBuilder::new("");
        let built = builder.add_line(None, text).and_then(|builder| builder.build());
        let paths = built.map_err(|error| format!("{OPTION} {text}: {error}"))?;
        Ok(Self { text: text.to_owned(), paths, is_used: Cell::new(false) })
    }

    fn accepts(&self, path: &str) -> bool {
        let is_meant = as_paths(path).iter().any(|path| {
            let path = path.trim_start_matches('/');
            !path.is_empty() && self.paths.matched_path_or_any_parents(path, false).is_ignore()
        });
        self.is_used.set(self.is_used.get() || is_meant);
        is_meant
    }
}

/// What is named as unread, as paths that patterns can be asked about. An entry stands below its archive: whoever accepts an archive
/// accepts what is in it. In audits the repository stands in front of what is in it.
fn as_paths(name: &str) -> Vec<String> {
    let path = name.replace("!/", "/");
    let placed = path.split_once(": ").map(|(repository, path)| format!("{repository}/{path}"));
    std::iter::once(path.clone()).chain(placed).collect()
}

/// Moves what patterns and policies accept as unread out of what counts. Returns the patterns that matched nothing.
pub fn accept<'p>(
    report: &mut Report,
    patterns: &'p [Pattern],
    policies: &[Policy],
    today: Date,
) -> Vec<&'p str> {
    let root = root_of(report);
    report.coverage.accept(|path| {
        // Each is asked, so that none is said to have matched nothing.
        let matching: Vec<&Pattern> = patterns.iter().filter(|pattern| pattern.accepts(path)).collect();
        if let Some(pattern) = matching.first() {
            return Acceptance::By(format!("{OPTION} {}", pattern.text));
        }
        let of_policies = as_paths(path).iter().find_map(|path| {
            let path = std::path::absolute(root.join(path)).ok()?;
            policies.iter().find_map(|policy| policy.of_unread(&path, today))
        });
        match of_policies {
            Some(Accepted::Holds(reason)) => Acceptance::By(reason),
            Some(Accepted::Over(reason)) => Acceptance::Over(reason),
            None => Acceptance::None,
        }
    });
    patterns.iter().filter(|pattern| !pattern.is_used.get()).map(|pattern| pattern.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_pattern_means_what_it_means_in_gitignore() {
        for (pattern, path, is_meant) in [
            ("*.zst", "deep/down/a.tar.zst", true),
            ("a.zip", "x/a.zip!/inner/b.env", true),
            ("fixtures/", "fixtures/a/b", true),
            ("/a.zst", "x/a.zst", false),
            ("a.zst", "ba.zst", false),
            ("object *", "object 12ab", true),
            ("/srv/**", "/srv/x/.git/objects/pack/a.idx", true),
            ("host/shop/*.zst", "host/shop: a.zst", true),
            ("host/shop", "host/shop", true),
            ("!a.zst", "a.zst", false),
            ("*", "", false),
        ] {
            assert_eq!(Pattern::of(pattern).unwrap().accepts(path), is_meant, "{pattern} {path}");
        }
        assert!(Pattern::of("[z-a]").is_err());
    }
}
