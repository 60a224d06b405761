//! Who answers for a finding: what CODEOWNERS says of its file, else the author of the commit that brought it.

use gix::bstr::ByteSlice;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::Finding;

/// Where forges look for it, the first that there is.
const PLACES: [&str; 4] = [".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// GitHub's own limit, in bytes.
const LARGEST: usize = 3 << 20;

/// The rules of a repository, the last that fits a path counts.
#[derive(Debug, Default)]
pub struct Owners {
    rules: Vec<(Gitignore, Vec<String>)>,
}

impl Owners {
    /// Those of what HEAD names.
    #[must_use]
    pub fn of(repository: &gix::Repository) -> Self {
        let Ok(tree) = repository.head_tree() else { return Self::default() };
        let text = PLACES.iter().find_map(|place| {
            let entry = tree.lookup_entry_by_path(place).ok().flatten()?;
            let object = entry.object().ok()?;
            (object.data.len() <= LARGEST).then(|| object.data.to_str_lossy().into_owned())
        });
        text.map(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        let mut rules = Vec::new();
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            // GitLab's sections have defaults of their own, which are not reckoned with.
            if line.is_empty() || line.starts_with(['#', '[', '^', '!']) {
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else { continue };
            let mut builder = GitignoreBuilder::new("");
            if builder.add_line(None, pattern).is_ok()
                && let Ok(rule) = builder.build()
            {
                rules.push((rule, words.map(str::to_owned).collect()));
            }
        }
        Self { rules }
    }

    /// Says who answers for a finding.
    pub fn name(&self, finding: &mut Finding) {
        let path = finding.location.path.split("!/").next().unwrap_or_default();
        let fits =
            |rule: &&(Gitignore, Vec<String>)| rule.0.matched_path_or_any_parents(path, false).is_ignore();
        let safe = !path.starts_with('/') && !path.is_empty();
        let named = self.rules.iter().rev().filter(|_| safe).find(fits);
        finding.owners = match named {
            Some((_, owners)) if !owners.is_empty() => owners.clone(),
            _ => finding
                .commit
                .iter()
                .map(|commit| commit.email.clone())
                .filter(|email| !email.is_empty())
                .collect(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_fits_names_the_owners() {
        let owners = Owners::parse(
            "* @acme/all\n/src/ @acme/core # the heart\n*.tf ops@example.com @acme/infra\n/docs/free\n# no\n",
        );
        let of = |path: &str| {
            let fits = owners
                .rules
                .iter()
                .rev()
                .find(|rule| rule.0.matched_path_or_any_parents(path, false).is_ignore());
            fits.map(|rule| rule.1.join(" ")).unwrap_or_default()
        };
        assert_eq!(of("src/a/b.rs"), "@acme/core");
        assert_eq!(of("lib/src/b.rs"), "@acme/all");
        assert_eq!(of("src/x.tf"), "ops@example.com @acme/infra");
        assert_eq!(of("docs/free/x"), "");
    }
}
