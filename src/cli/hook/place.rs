//! Where git looks for the hooks of a repository.

use std::path::{Path, PathBuf};

use super::machine;
use crate::cli::Failure;
use crate::source::{repository, settings};

/// Where git looks for hooks.
pub(super) struct Place {
    /// The top of the work tree, or the git folder of a bare repository.
    pub top: PathBuf,
    /// Whether there is a work tree.
    pub has_work_tree: bool,
    /// The repository's own folder of hooks.
    pub own: PathBuf,
    /// `core.hooksPath` of any level of configuration, where it is set and is not our folder for this machine.
    pub configured: Option<PathBuf>,
    /// Whether git runs the hooks of this machine here, which run the repository's own in turn.
    pub runs_machine: bool,
}

impl Place {
    pub(super) fn here() -> Result<Self, Failure> {
        let none = || Failure("not in a git repository: go into one first".to_owned());
        Self::find()?.ok_or_else(none)
    }

    /// The same, or nothing outside of a repository.
    pub(super) fn find() -> Result<Option<Self>, Failure> {
        let repository = match settings::open(Path::new(".")) {
            Ok(repository) => repository,
            Err(repository::Error::None { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let has_work_tree = repository.workdir().is_some();
        let top = repository.workdir().unwrap_or_else(|| repository.git_dir()).to_owned();
        let configured = repository.config_snapshot().trusted_path("core.hooksPath").ok().flatten();
        let configured = configured.map(|path| if path.is_absolute() { path } else { top.join(path) });
        let runs_machine = configured.as_deref().is_some_and(machine::is_folder);
        let configured = configured.filter(|_| !runs_machine);
        let own = repository.common_dir().join("hooks");
        Ok(Some(Self { top, has_work_tree, own, configured, runs_machine }))
    }

    /// The folder that this repository's hooks belong into.
    pub(super) fn folder(&self) -> &Path {
        self.configured.as_deref().unwrap_or(&self.own)
    }

    /// The folder that hooks run in, where files can be named from.
    pub(super) fn work_tree(&self) -> Option<&Path> {
        self.has_work_tree.then_some(self.top.as_path())
    }
}
