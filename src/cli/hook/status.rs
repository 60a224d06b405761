//! Which hooks are installed, and whether they work.

use super::install::{is_executable, is_ours, kept, program};
use super::manager::Manager;
use super::{Kind, Place};
use crate::cli::{Failure, Outcome, output};

/// How a hook stands.
enum State {
    Missing(String),
    Works(String),
    Broken(String),
}

pub(super) fn status() -> Result<Outcome, Failure> {
    let place = Place::here()?;
    let manager = Manager::of(&place);
    let states: Vec<State> = Kind::ALL.iter().map(|kind| state(&place, manager, *kind)).collect();
    for (kind, state) in Kind::ALL.iter().zip(&states) {
        let (State::Missing(words) | State::Works(words) | State::Broken(words)) = state;
        output::say(&format!("{:<12} {words}", kind.name()))?;
    }
    let works = states.iter().any(|state| matches!(state, State::Works(_)));
    let broken = states.iter().any(|state| matches!(state, State::Broken(_)));
    Ok(if works && !broken { Outcome::Clean } else { Outcome::Found })
}

fn state(place: &Place, manager: Option<Manager>, kind: Kind) -> State {
    let hook = place.folder().join(kind.name());
    let missing = |words: &str| State::Missing(words.to_owned());
    if is_ours(&hook) {
        return installed(kind, &hook);
    }
    if let Some(manager) = manager {
        let name = manager.name();
        return if manager.runs(place, kind) {
            State::Works(format!("run by {name}"))
        } else {
            State::Missing(format!("not in the configuration of {name}, which manages the hooks here"))
        };
    }
    let own = place.own.join(kind.name());
    match &place.configured {
        Some(path) if is_ours(&own) => State::Broken(format!(
            "installed in {}, but git does not run it: core.hooksPath is {}; install it again",
            place.own.display(),
            path.display()
        )),
        _ if !hook.exists() => missing("not installed"),
        _ => missing("another hook, without sidsweep"),
    }
}

fn installed(kind: Kind, hook: &std::path::Path) -> State {
    let again = format!("run `sidsweep hook install --type {}` again", kind.name());
    match program(hook) {
        _ if !is_executable(hook) => State::Broken(format!("installed, but not executable: {again}")),
        None => State::Broken(format!("installed, but it names no program: {again}")),
        Some(program) if !is_executable(&program) => {
            State::Broken(format!("installed, but there is no program at {}: {again}", program.display()))
        }
        Some(_) if kept(hook).exists() => State::Works("installed, with your own hook after it".to_owned()),
        Some(_) => State::Works("installed".to_owned()),
    }
}
