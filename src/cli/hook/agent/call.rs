//! What an agent tells a hook, and the texts of it that are checked.

use serde_json::{Map, Value};

/// What an edit takes out: it may hold the very leak that is being removed.
const TAKEN_OUT: [&str; 4] = ["old_string", "old_str", "oldString", "old_text"];
/// Who names the file that a text is for.
const FILES: [&str; 7] =
    ["file_path", "filePath", "absolute_path", "notebook_path", "target_file", "path", "filename"];
/// How the patches of Codex begin.
const PATCH: &str = "*** Begin Patch";
/// What the model says beside a call, which Cursor hands over as well.
const BESIDE: [&str; 1] = ["agent_message"];

/// A text that is about to be run, written or sent.
pub(super) struct Text {
    /// Its name, for people and as evidence.
    pub path: String,
    pub text: String,
    /// The lines that count, where not all of them do.
    pub lines: Option<Vec<bool>>,
}

/// What an agent asks about.
pub(super) struct Call {
    value: Value,
}

impl Call {
    /// Reads what an agent wrote. No word of it is quoted in an error, since it may hold a secret.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("not JSON (line {}, column {})", error.line(), error.column()))?;
        let call = Self { value };
        if call.event().is_empty() {
            return Err("it names no event (hook_event_name)".to_owned());
        }
        Ok(call)
    }

    fn event(&self) -> &str {
        self.value.get("hook_event_name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether Cursor asks, and not for a hook that is written for another agent.
    pub(super) fn is_cursors(&self) -> bool {
        self.value.get("cursor_version").is_some()
            && self.event().starts_with(|c: char| c.is_ascii_lowercase())
    }

    /// Whether it is a person's prompt, and no call of a tool.
    pub(super) fn is_prompt(&self) -> bool {
        matches!(self.event(), "UserPromptSubmit" | "BeforeAgent" | "beforeSubmitPrompt")
    }

    /// Each text by itself, and the call as a whole, in which texts are named by their keys.
    pub(super) fn texts(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        let mut whole = self.value.clone();
        prune(&mut whole);
        collect(&whole, "", "", &mut texts);
        let text = serde_json::to_string_pretty(&whole).unwrap_or_default();
        texts.push(Text { path: self.name("json"), text, lines: None });
        texts
    }

    /// What edits take out.
    pub(super) fn taken_out(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        taken_out(&self.value, &mut texts);
        texts
    }

    fn name(&self, ending: &str) -> String {
        let tool = self.value.get("tool_name").and_then(Value::as_str).unwrap_or("");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let tool: String = tool.chars().filter(|c| is_plain(*c)).take(40).collect();
        match (self.is_prompt(), tool.is_empty()) {
            (true, _) => format!("prompt.{ending}"),
            (false, true) => format!("call.{ending}"),
            (false, false) => format!("{tool}.{ending}"),
        }
    }
}

/// Leaves out what is taken out, and lines that a patch takes out.
fn prune(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !TAKEN_OUT.contains(&key.as_str()) && !BESIDE.contains(&key.as_str()));
            object.values_mut().for_each(prune);
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        Value::String(text) if text.trim_start().starts_with(PATCH) => {
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
            *text = kept.join("\n");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// All strings, each named by the file that it is for, or by its key.
fn collect(value: &Value, key: &str, file: &str, texts: &mut Vec<Text>) {
    match value {
        Value::Object(object) => {
            let file = file_of(object).unwrap_or(file);
            for (key, value) in object {
                collect(value, key, file, texts);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, key, file, texts)),
        Value::String(text) => {
            let path = match (key, file) {
                ("command" | "cmd" | "script", _) => "command.sh".to_owned(),
                ("prompt", _) => "prompt.txt".to_owned(),
                (_, "") => format!("{key}.txt"),
                (_, file) => file.to_owned(),
            };
            texts.push(of_patch(&path, text).unwrap_or_else(|| Text {
                path,
                text: text.clone(),
                lines: None,
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn file_of(object: &Map<String, Value>) -> Option<&str> {
    FILES.iter().find_map(|key| object.get(*key)?.as_str()).filter(|path| !path.is_empty())
}

/// A patch as the file that comes of it; only the lines that it adds count.
fn of_patch(path: &str, text: &str) -> Option<Text> {
    if !text.trim_start().starts_with(PATCH) {
        return None;
    }
    let named = text.lines().find_map(|line| {
        let (_, file) = line.split_once(" File: ").filter(|(head, _)| head.starts_with("***"))?;
        Some(file.trim())
    });
    let (mut lines, mut kept) = (Vec::new(), Vec::new());
    for line in text.lines() {
        lines.push(line.starts_with('+'));
        kept.push(line.strip_prefix(['+', ' ']).unwrap_or(line));
    }
    Some(Text { path: named.unwrap_or(path).to_owned(), text: kept.join("\n"), lines: Some(lines) })
}

fn taken_out(value: &Value, texts: &mut Vec<Text>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str().filter(|_| TAKEN_OUT.contains(&key.as_str())) {
                    Some(text) => {
                        let path = file_of(object).unwrap_or(key).to_owned();
                        texts.push(Text { path, text: text.to_owned(), lines: None });
                    }
                    None => taken_out(value, texts),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| taken_out(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
