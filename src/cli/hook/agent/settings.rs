//! An agent's file of settings. All that is not ours stays as it is written: other hooks, comments, order and indentation.

use std::io::Write;
use std::path::{Path, PathBuf};

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};

use super::{Agent, Layout};
use crate::cli::Failure;

/// What our command has behind the program, by which it is known.
pub(super) const RUN: &str = " hook run agent";

/// A file of settings that is read, and may be written again.
pub(super) struct Settings {
    agent: Agent,
    pub path: PathBuf,
    root: CstRootNode,
}

impl Settings {
    /// Reads the settings of an agent; where there are none, they are empty.
    pub(super) fn read(agent: Agent) -> Result<Self, Failure> {
        let path = agent.settings()?;
        let wrong = |reason: String| Failure(format!("{}: {reason}", path.display()));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let options = ParseOptions {
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            ..ParseOptions::default()
        };
        let root = CstRootNode::parse(&text, &options)
            .map_err(|error| wrong(format!("not JSON ({error}); mend it first, nothing was changed")))?;
        if root.object_value_or_create().is_none() {
            return Err(wrong("not a JSON object; mend it first, nothing was changed".to_owned()));
        }
        Ok(Self { agent, path, root })
    }

    fn wrong(&self, place: &str, what: &str) -> Failure {
        Failure(format!("{}: {place} is not {what}; mend it first, nothing was changed", self.path.display()))
    }

    /// The lists of hooks, by event.
    fn lists(&self) -> Vec<(String, CstArray)> {
        let hooks = self.root.object_value().and_then(|root| root.object_value("hooks"));
        let properties = hooks.map(|hooks| hooks.properties()).unwrap_or_default();
        properties
            .into_iter()
            .filter_map(|property| Some((property.decoded_name()?, property.array_value()?)))
            .collect()
    }

    /// Adds our hook to each event.
    pub(super) fn add(&mut self, command: &str) -> Result<(), Failure> {
        let root = self.root.object_value_or_set();
        if self.agent == Agent::Cursor && root.get("version").is_none() {
            root.append("version", CstInputValue::from(1_u32));
        }
        let hooks = root.object_value_or_create("hooks").ok_or_else(|| self.wrong("`hooks`", "an object"))?;
        for event in self.agent.events() {
            let list = hooks
                .array_value_or_create(event)
                .ok_or_else(|| self.wrong(&format!("`hooks.{event}`"), "a list"))?;
            list.append(self.entry(command));
        }
        Ok(())
    }

    fn entry(&self, command: &str) -> CstInputValue {
        let text = |text: &str| CstInputValue::from(text);
        let pair = |name: &str, value: CstInputValue| (name.to_owned(), value);
        match self.agent.layout() {
            // A hook that could not be run, or did not end in time, refuses.
            Layout::Flat => CstInputValue::Object(vec![
                pair("command", text(command)),
                pair("failClosed", CstInputValue::Bool(true)),
            ]),
            // Without a matcher it is run for all tools.
            Layout::Grouped => {
                let hook = vec![pair("type", text("command")), pair("command", text(command))];
                let hooks = CstInputValue::Array(vec![CstInputValue::Object(hook)]);
                CstInputValue::Object(vec![pair("hooks", hooks)])
            }
        }
    }

    /// Removes our hooks, and what was only there for them; says whether there were any.
    pub(super) fn remove(&mut self) -> Result<bool, Failure> {
        let mut found = false;
        for (event, list) in self.lists() {
            let is_changed = remove_ours(&list);
            found |= is_changed;
            if is_changed && list.elements().is_empty() {
                let hooks = self.root.object_value().and_then(|root| root.object_value("hooks"));
                if let Some(property) = hooks.and_then(|hooks| hooks.get(&event)) {
                    property.remove();
                }
            }
        }
        if found
            && let Some(hooks) = self.root.object_value().and_then(|root| root.get("hooks"))
            && hooks.object_value().is_some_and(|hooks| hooks.properties().is_empty())
        {
            hooks.remove();
        }
        Ok(found)
    }

    /// Our commands, and the events that should have one and do not.
    pub(super) fn ours(&self) -> (Vec<String>, Vec<&'static str>) {
        let lists = self.lists();
        let of = |event: &str| -> Vec<String> {
            let lists = lists.iter().filter(|(name, _)| name == event);
            lists.flat_map(|(_, list)| commands(list)).filter(|command| is_ours(command)).collect()
        };
        let all = lists.iter().flat_map(|(_, list)| commands(list)).filter(|command| is_ours(command));
        let missing = self.agent.events().iter().filter(|event| of(event).is_empty());
        (all.collect(), missing.copied().collect())
    }

    /// Whether nothing is left but what a new file would have.
    fn is_empty(&self) -> bool {
        let properties = self.root.object_value().map(|root| root.properties()).unwrap_or_default();
        let is_version = |name: Option<String>| name.as_deref() == Some("version");
        properties.iter().all(|property| self.agent == Agent::Cursor && is_version(property.decoded_name()))
    }

    /// Writes the settings beside their place and then puts them there: an agent never reads half of them. A link is followed, since
    /// many keep such files elsewhere.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let named = |error: std::io::Error| Failure(format!("{}: {error}", self.path.display()));
        let place = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let is_there = place.exists();
        if self.is_empty() && is_there {
            return std::fs::remove_file(&place).map_err(named);
        }
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(named)?;
        let mut text = self.root.to_string();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(named)?;
        file.write_all(text.as_bytes()).map_err(named)?;
        if is_there {
            let permissions = place.metadata().map_err(named)?.permissions();
            file.as_file().set_permissions(permissions).map_err(named)?;
        }
        file.as_file().sync_all().map_err(named)?;
        file.persist(&place).map_err(|error| named(error.error))?;
        Ok(())
    }
}

fn is_ours(command: &str) -> bool {
    command.contains("sidsweep") && command.contains(RUN)
}

/// The program that one of our commands runs.
pub(super) fn program(command: &str) -> Option<PathBuf> {
    let (quoted, _) = command.split_once(RUN)?;
    let text = quoted.trim_matches(['\'', '"']);
    Some(PathBuf::from(text.replace("'\\''", "'")))
}

fn command(hook: &CstObject) -> Option<String> {
    hook.get("command")?.value()?.as_string_lit()?.decoded_value().ok()
}

/// The hooks of a list: its elements, or those of the groups that are its elements.
fn hooks(element: &CstNode) -> Vec<CstObject> {
    let Some(object) = element.as_object() else { return Vec::new() };
    match object.array_value("hooks") {
        Some(inner) => inner.elements().iter().filter_map(CstNode::as_object).collect(),
        None => vec![object],
    }
}

fn commands(list: &CstArray) -> Vec<String> {
    list.elements().iter().flat_map(hooks).filter_map(|hook| command(&hook)).collect()
}

fn remove_ours(list: &CstArray) -> bool {
    let mut found = false;
    for element in list.elements() {
        let ours: Vec<CstObject> = hooks(&element)
            .into_iter()
            .filter(|hook| command(hook).is_some_and(|command| is_ours(&command)))
            .collect();
        let group = element.as_object().and_then(|object| object.array_value("hooks"));
        found |= !ours.is_empty();
        match group {
            Some(group) if ours.len() < group.elements().len() => {
                for hook in ours {
                    hook.remove();
                }
            }
            Some(_) | None if !ours.is_empty() => element.remove(),
            Some(_) | None => {}
        }
    }
    found
}
