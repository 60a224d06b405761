//! What of that which could not be read counts for the exit code.

use super::{Failure, output};
use crate::model::Report;
use crate::scan::accept::today;
use crate::scan::policy::Policy;
use crate::scan::unread::{self, Pattern};

#[derive(clap::Args, Debug, Clone, Default)]
pub struct UnreadArgs {
    /// Accept what could not be read where its path matches a pattern as in .gitignore: it stays listed and does not count for
    /// the exit code; may be given several times
    #[arg(long, value_name = "GLOB")]
    accept_unread: Vec<String>,
    /// Count containers that are known and not opened (ISO, RAR, encrypted files ...) like all else that could not be read
    #[arg(long)]
    fail_on_opaque: bool,
}

impl UnreadArgs {
    /// Reads the patterns, so that a wrong one is told before anything is done.
    pub fn check(&self) -> Result<(), Failure> {
        self.patterns().map(|_| ())
    }

    fn patterns(&self) -> Result<Vec<Pattern>, Failure> {
        self.accept_unread.iter().map(|text| Pattern::of(text).map_err(Failure)).collect()
    }

    /// The same options as words of a command.
    pub fn words(&self) -> Vec<String> {
        let accepted = self.accept_unread.iter().map(|text| format!("--accept-unread={text}"));
        accepted.chain(self.fail_on_opaque.then(|| "--fail-on-opaque".to_owned())).collect()
    }

    /// Applies them to a report, after the scan. A pattern that matches nothing is named: it may be misspelt, or not be needed
    /// any more.
    pub fn apply(&self, report: &mut Report, policies: &[Policy]) -> Result<(), Failure> {
        if self.fail_on_opaque {
            report.coverage.refuse_opaque();
        }
        let patterns = self.patterns()?;
        for unused in unread::accept(report, &patterns, policies, today()) {
            output::complain(&format!(
                "warning: --accept-unread {unused} matches nothing that could not be read; correct it or leave it out"
            ));
        }
        Ok(())
    }
}
