//! What a scan is held to: rules of one's own, and what somebody accepted.

use std::path::{Path, PathBuf};

use super::{Failure, rules};
use crate::detect::Detector;
use crate::rules::Rules;
use crate::scan::accept::Baseline;
use crate::scan::policy::Policy;

/// The least characters of another tool's comment: a shorter one would stand on many lines by chance.
const SHORTEST_MARKER: usize = 6;

#[derive(clap::Args, Debug, Clone, Default)]
pub struct AcceptArgs {
    /// A file with names, vendors and examples of your own
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// Values that were accepted, as `scan --write-baseline` wrote them
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Paths that are accepted, in the place of each repository's own .sidsweep.toml
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Another tool's comment that allows a value on its line, e.g. gitleaks:allow, trufflehog:ignore or 'pragma: allowlist secret'.
    /// It has no reason, and the report says so; may be given several times
    #[arg(long, value_name = "COMMENT", value_parser = marker)]
    pub allow_marker: Vec<String>,
}

fn marker(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.chars().count() >= SHORTEST_MARKER && !text.contains(['\n', '\r']) {
        Ok(text.to_owned())
    } else {
        Err(format!("write at least {SHORTEST_MARKER} characters of one line, such as gitleaks:allow"))
    }
}

impl AcceptArgs {
    /// A detector with all rules.
    pub fn detector(&self) -> Result<Detector, Failure> {
        let mut rules = Rules::built_in();
        for file in &self.rules {
            rules::add_file(&mut rules, file)?;
        }
        Ok(Detector::new(rules).with_markers(&self.allow_marker))
    }

    pub fn read_baseline(&self) -> Result<Option<Baseline>, Failure> {
        Ok(self.baseline.as_deref().map(Baseline::read).transpose()?)
    }

    /// Reads all files, so that a wrong one is told before a hook names it.
    pub fn check(&self) -> Result<(), Failure> {
        self.detector()?;
        self.read_baseline()?;
        self.policy.as_deref().map(|file| Policy::read(file, Path::new("."))).transpose()?;
        Ok(())
    }

    /// The same options as words of a command that runs at the top of a work tree, if there is one. What lies in it is named from there,
    /// so that each linked work tree uses its own; anything else is named in full.
    pub fn words(&self, top: Option<&Path>) -> Result<Vec<String>, Failure> {
        let top = top.map(Path::canonicalize).transpose()?;
        let named = |option: &str, file: &Path| {
            let full =
                file.canonicalize().map_err(|error| Failure(format!("{}: {error}", file.display())))?;
            let shown = top.as_ref().and_then(|top| full.strip_prefix(top).ok()).unwrap_or(&full);
            let text = shown.to_str().ok_or_else(|| {
                Failure(format!("{}: its path is not UTF-8, so no hook can name it", full.display()))
            })?;
            Ok::<_, Failure>(format!("--{option}={text}"))
        };
        let mut words = Vec::new();
        for file in &self.rules {
            words.push(named("rules", file)?);
        }
        for (option, file) in [("baseline", &self.baseline), ("policy", &self.policy)] {
            words.extend(file.as_ref().map(|file| named(option, file)).transpose()?);
        }
        words.extend(self.allow_marker.iter().map(|text| format!("--allow-marker={text}")));
        Ok(words)
    }
}
