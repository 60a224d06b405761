//! Where the journal is kept.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::Failure;

/// The file's name, where only a folder is given.
const NAME: &str = "journal.jsonl";

/// The file that was named, that of `SIDSWEEP_JOURNAL`, or the one in the user's state folder. A folder stands for a file
/// in it.
pub fn place(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    if let Some(path) = std::env::var_os("SIDSWEEP_JOURNAL").filter(|path| !path.is_empty()) {
        let folder = path.to_string_lossy().ends_with('/');
        let path = PathBuf::from(path);
        return Ok(if folder || path.is_dir() { path.join(NAME) } else { path });
    }
    let base = etcetera::choose_base_strategy()
        .map_err(|error| Failure(format!("no place for the journal: {error}; give --journal FILE")))?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(state.join("sidsweep").join(NAME))
}
