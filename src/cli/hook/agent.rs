//! Hooks of coding agents: what an agent is about to run, write or send to a model is checked before it does.
//!
//! The interfaces are those that the agents' makers publish; docs/agents.md names the pages.

mod call;
mod check;
mod settings;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::script::{self, quoted};
use super::status::State;
use super::{Options, script::is_executable};
use crate::cli::{Failure, Outcome, output};
pub(super) use check::check;
use settings::Settings;

/// A coding agent whose interface for hooks is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Agent {
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// Gemini CLI
    GeminiCli,
    /// Codex
    Codex,
}

/// How an agent's settings list hooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Groups with a matcher, which hold hooks.
    Grouped,
    /// Hooks, one beside the other.
    Flat,
}

impl Agent {
    const ALL: [Self; 4] = [Self::ClaudeCode, Self::Cursor, Self::GeminiCli, Self::Codex];

    fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::GeminiCli => "gemini-cli",
            Self::Codex => "codex",
        }
    }

    /// The user's folder of settings: the one that a variable names, or the one in the home.
    fn folder(self) -> Result<PathBuf, Failure> {
        let (variable, name) = match self {
            Self::ClaudeCode => (Some("CLAUDE_CONFIG_DIR"), ".claude"),
            Self::Cursor => (None, ".cursor"),
            Self::GeminiCli => (None, ".gemini"),
            Self::Codex => (Some("CODEX_HOME"), ".codex"),
        };
        let named = variable.and_then(std::env::var_os).filter(|folder| !folder.is_empty());
        match named {
            Some(folder) => Ok(PathBuf::from(folder)),
            None => Ok(etcetera::home_dir()?.join(name)),
        }
    }

    fn settings(self) -> Result<PathBuf, Failure> {
        let name = match self {
            Self::ClaudeCode | Self::GeminiCli => "settings.json",
            Self::Cursor | Self::Codex => "hooks.json",
        };
        Ok(self.folder()?.join(name))
    }

    fn layout(self) -> Layout {
        match self {
            Self::ClaudeCode | Self::GeminiCli | Self::Codex => Layout::Grouped,
            Self::Cursor => Layout::Flat,
        }
    }

    /// The events before a tool is called and before a prompt is sent.
    fn events(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode | Self::Codex => &["PreToolUse", "UserPromptSubmit"],
            Self::GeminiCli => &["BeforeTool", "BeforeAgent"],
            // Its older versions know no event for all tools.
            Self::Cursor => {
                &["preToolUse", "beforeShellExecution", "beforeMCPExecution", "beforeSubmitPrompt"]
            }
        }
    }

    /// What a person still has to do.
    fn remark(self) -> Option<&'static str> {
        match self {
            Self::Codex => Some(
                "Codex runs a new hook only after you trust it: start `codex`, open `/hooks` and review it",
            ),
            Self::ClaudeCode | Self::Cursor | Self::GeminiCli => None,
        }
    }
}

/// The agents that were named, or those that this user has.
fn chosen(named: &[Agent]) -> Result<Vec<Agent>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let is_here = |agent: &Agent| agent.folder().is_ok_and(|folder| folder.is_dir());
    let here: Vec<Agent> = Agent::ALL.into_iter().filter(is_here).collect();
    if here.is_empty() {
        let names: Vec<&str> = Agent::ALL.iter().map(|agent| agent.name()).collect();
        return Err(Failure(format!(
            "no coding agent is set up for this user; name one with --agent: {}",
            names.join(", ")
        )));
    }
    Ok(here)
}

/// The line that an agent runs. Agents go on after a hook that could not be run, unless it ends with 2.
fn command(program: &Path, words: &[String]) -> Result<String, Failure> {
    let program = program.to_str().ok_or_else(|| {
        Failure(format!("{}: its path is not UTF-8, so no agent can name it", program.display()))
    })?;
    if cfg!(windows) {
        let options: String = words.iter().map(|word| format!(" \"{word}\"")).collect();
        return Ok(format!("\"{program}\"{}{options}", settings::RUN));
    }
    let options: String = words.iter().map(|word| format!(" {}", quoted(word))).collect();
    Ok(format!("{}{}{options} || exit 2", quoted(program), settings::RUN))
}

pub(super) fn install(named: &[Agent], options: &Options) -> Result<Outcome, Failure> {
    check::refuse_options(options)?;
    let command = command(&script::this_program()?, &options.words(None)?)?;
    for agent in chosen(named)? {
        let mut settings = Settings::read(agent)?;
        settings.remove()?;
        settings.add(&command)?;
        settings.write()?;
        output::say(&format!("{}: installed in {}", agent.name(), settings.path.display()))?;
        if let Some(remark) = agent.remark() {
            output::say(remark)?;
        }
    }
    Ok(Outcome::Clean)
}

pub(super) fn uninstall(named: &[Agent]) -> Result<Outcome, Failure> {
    for agent in chosen(named)? {
        let mut settings = Settings::read(agent)?;
        let path = settings.path.display().to_string();
        if settings.remove()? {
            settings.write()?;
            output::say(&format!("{}: removed from {path}", agent.name()))?;
        } else {
            output::say(&format!("{}: {path} has no hook of sidsweep's: nothing to remove", agent.name()))?;
        }
    }
    Ok(Outcome::Clean)
}

/// How the agents of this user stand.
pub(super) fn states() -> Vec<(&'static str, State)> {
    let is_here = |agent: &Agent| agent.folder().is_ok_and(|folder| folder.is_dir());
    Agent::ALL.into_iter().filter(is_here).map(|agent| (agent.name(), state(agent))).collect()
}

fn state(agent: Agent) -> State {
    let settings = match Settings::read(agent) {
        Ok(settings) => settings,
        Err(Failure(reason)) => return State::Missing(format!("not known: {reason}")),
    };
    let again = format!("run `sidsweep hook install --type agent --agent {}` again", agent.name());
    let (commands, missing) = settings.ours();
    let gone = commands.iter().filter_map(|command| settings::program(command));
    match (commands.len(), missing.as_slice()) {
        (0, _) => State::Missing("not installed".to_owned()),
        (_, [event, ..]) => State::Broken(format!("installed, but not for {event}: {again}")),
        (_, []) => match gone.into_iter().find(|program| !is_executable(program)) {
            Some(program) => {
                State::Broken(format!("installed, but there is no program at {}: {again}", program.display()))
            }
            None => State::Works("installed".to_owned()),
        },
    }
}
