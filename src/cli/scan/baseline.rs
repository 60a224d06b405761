//! `--write-baseline`: accepting all that is found.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::super::{Failure, Outcome, output};
use crate::model::Report;
use crate::scan::accept::{Baseline, today};

/// Who a person is, by the environment, the most telling first.
const WHO: [&str; 5] = ["GIT_AUTHOR_EMAIL", "EMAIL", "USER", "LOGNAME", "USERNAME"];

#[derive(Clone, Default, clap::Args)]
pub struct WriteArgs {
    /// Accept all secrets that are found now, and write them to this baseline; needs --reason
    #[arg(long, value_name = "FILE", requires = "reason")]
    write_baseline: Option<PathBuf>,
    /// With --write-baseline: why they may stay
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    reason: Option<String>,
    /// With --write-baseline: who says so [default: the e-mail address or the user's name in the environment]
    #[arg(long, value_name = "WHO", requires = "write_baseline")]
    by: Option<String>,
    /// With --write-baseline: the last day on which they may stay, e.g. 2027-01-31
    #[arg(long, value_name = "DATE", requires = "write_baseline")]
    until: Option<Date>,
}

impl WriteArgs {
    /// The baseline that is to be written, after a look at what is said of it.
    pub(super) fn file(&self) -> Result<Option<&Path>, Failure> {
        let Some(path) = &self.write_baseline else { return Ok(None) };
        for (option, text) in [("--reason says why they may stay", &self.reason), ("--by says who", &self.by)]
        {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return Err(Failure(format!("{option}; it is empty")));
            }
        }
        if let Some(until) = self.until.filter(|until| *until < today()) {
            return Err(Failure(format!("--until {until} is over already")));
        }
        Ok(Some(path))
    }

    /// Accepts all that counts.
    pub(super) fn write(&self, path: &Path, report: &Report) -> Result<Outcome, Failure> {
        let mut baseline = if path.exists() { Baseline::read(path)? } else { Baseline::default() };
        let before = baseline.len();
        let by = self.by.clone().unwrap_or_else(who);
        baseline.add(report, self.reason.as_deref().unwrap_or_default(), &by, self.until);
        baseline.write(path)?;
        output::say(&format!(
            "{}: {} accepted values, {} of them new. Use it with --baseline; what works is shown all the same.",
            path.display(),
            baseline.len(),
            baseline.len() - before
        ))?;
        Ok(if report.coverage.is_complete() { Outcome::Clean } else { Outcome::Incomplete })
    }
}

fn who() -> String {
    let named = WHO.iter().filter_map(|name| std::env::var(name).ok()).find(|who| !who.trim().is_empty());
    named.unwrap_or_else(number)
}

/// A container's user often has a number only.
fn number() -> String {
    #[cfg(unix)]
    return format!("user {}", rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    return "a user without a name".to_owned();
}
