//! Which hooks are installed, and whether they work.

use std::path::Path;

use super::manager::Manager;
use super::script::{is_executable, is_ours, kept, program};
use super::{Kind, Place, agent, machine};
use crate::cli::{Failure, Outcome, output};

/// How a hook stands.
pub(super) enum State {
    Missing(String),
    Works(String),
    Broken(String),
}

impl State {
    fn missing(words: &str) -> Self {
        Self::Missing(words.to_owned())
    }
}

pub(super) fn status() -> Result<Outcome, Failure> {
    let agents = agent::states();
    let place = Place::find()?;
    let hooks: Vec<(&str, State)> = if let Some(place) = &place {
        let manager = Manager::of(place);
        Kind::ALL.into_iter().map(|kind| (kind.name(), state(place, manager, kind))).collect()
    } else {
        // Outside of a repository, this machine's hooks can be told of, if there are any.
        let of_machine = |kind: Kind| Some((kind.name(), of_machine(kind, &machine::hook(kind)?)));
        Kind::ALL.into_iter().filter_map(of_machine).collect()
    };
    let is_installed = |(_, state): &(&str, State)| !matches!(state, State::Missing(_));
    if hooks.is_empty() && !agents.iter().any(is_installed) {
        return Place::here().map(|_| Outcome::Found);
    }
    for (name, state) in hooks.iter().chain(&agents) {
        let (State::Missing(words) | State::Works(words) | State::Broken(words)) = state;
        output::say(&format!("{name:<12} {words}"))?;
    }
    let works = |(_, state): &(&str, State)| matches!(state, State::Works(_));
    let is_broken = |(_, state): &(&str, State)| matches!(state, State::Broken(_));
    // An agent's hook is no stand-in for a missing one of git.
    let works = if hooks.is_empty() { agents.iter().any(works) } else { hooks.iter().any(works) };
    let broken = hooks.iter().chain(&agents).any(is_broken);
    Ok(if works && !broken { Outcome::Clean } else { Outcome::Found })
}

fn state(place: &Place, manager: Option<Manager>, kind: Kind) -> State {
    let hook = place.folder().join(kind.name());
    if is_ours(&hook) {
        return installed(&format!("--type {}", kind.name()), &hook);
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
    match (&place.configured, machine::hook(kind)) {
        (None, Some(hook)) if place.runs_machine => of_machine(kind, &hook),
        (Some(path), _) if is_ours(&own) => State::Broken(format!(
            "installed in {}, but git does not run it: core.hooksPath is {}; install it again",
            place.own.display(),
            path.display()
        )),
        (Some(path), Some(_)) => State::Broken(format!(
            "installed for this machine, but git does not run it here: core.hooksPath of this repository is {}",
            path.display()
        )),
        _ if !hook.exists() => State::missing("not installed"),
        _ => State::missing("another hook, without sidsweep"),
    }
}

/// A hook that is installed for this machine.
fn of_machine(kind: Kind, hook: &Path) -> State {
    match installed(&format!("--global --type {}", kind.name()), hook) {
        State::Works(words) => State::Works(format!("{words} for this machine")),
        State::Missing(words) => State::Missing(words),
        State::Broken(words) => State::Broken(words),
    }
}

fn installed(options: &str, hook: &Path) -> State {
    let again = format!("run `sidsweep hook install {options}` again");
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
