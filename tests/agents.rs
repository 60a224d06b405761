//! Hooks of coding agents: what they refuse and what not, as each agent asks and wants to be answered; and their files of settings.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in helpers of tests")]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::fixture::Mint;
use common::{sidsweep, stderr, stdout, write};
use serde_json::{Value, json};

struct Leak {
    account: String,
    key: String,
    secret: String,
    token: String,
}

fn leak(seed: u64) -> Leak {
    let text = Mint::new(seed).fill("{{ac:1}} {{sk:1}} {{secret:1}} {{token:1}}").0;
    let mut words = text.split(' ').map(str::to_owned);
    let mut next = || words.next().unwrap();
    Leak { account: next(), key: next(), secret: next(), token: next() }
}

fn ask(bytes: &[u8], options: &[&str]) -> Output {
    let mut child = sidsweep()
        .args(["hook", "run", "agent"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What is refused at once is not read to its end.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    child.wait_with_output().unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "it is made where it is given")]
fn call(tool: &str, input: Value) -> Value {
    json!({"session_id": "s", "cwd": "/work", "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input})
}

#[track_caller]
fn is_refused(case: &str, call: &Value, leak: &Leak) {
    let output = ask(call.to_string().as_bytes(), &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{case}: {said}");
    assert!(said.starts_with("sidsweep: this ") && said.contains("so it was refused"), "{case}: {said}");
    assert!(stdout(&output).is_empty(), "{case}");
    for value in [&leak.token, &leak.secret] {
        assert!(!said.contains(&value[..8]), "{case}: {said}");
    }
}

#[track_caller]
fn passes(case: &str, call: &Value) {
    let output = ask(call.to_string().as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(0), "{case}: {}", stderr(&output));
    assert!(stdout(&output).is_empty() && stderr(&output).is_empty(), "{case}: {}", stderr(&output));
}

#[test]
fn a_call_or_prompt_that_holds_a_secret_is_refused() {
    let leak = leak(1);
    let Leak { account, key, secret, token } = &leak;
    let env = format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n");
    let patch = format!(
        "*** Begin Patch\n*** Update File: app.env\n@@\n TWILIO_ACCOUNT_SID={account}\n+TWILIO_AUTH_TOKEN={token}\n*** End Patch"
    );
    for (case, asked) in [
        (
            "a command",
            call(
                "Bash",
                json!({"command": format!("curl -u {account}:{token} https://api.twilio.com/2010-04-01/Accounts.json")}),
            ),
        ),
        ("a file", call("Write", json!({"file_path": "/work/.env", "content": env}))),
        (
            "an edit",
            call(
                "Edit",
                json!({"file_path": "/work/a.py", "old_string": "x", "new_string": format!("Client('{account}', '{token}')")}),
            ),
        ),
        (
            "the second of several edits",
            call(
                "MultiEdit",
                json!({"file_path": "/work/a.js", "edits": [
                    {"old_string": "a", "new_string": "b"},
                    {"old_string": "c", "new_string": format!("const client = require('twilio')('{account}', '{token}')")},
                ]}),
            ),
        ),
        ("a patch", call("apply_patch", json!({"command": patch}))),
        (
            "named arguments of a tool",
            call("mcp__phone__send", json!({"accountSid": account, "authToken": token})),
        ),
        (
            "the argument of Twilio's server",
            call(
                "mcp__config__add",
                json!({"args": ["-y", "@twilio-alpha/mcp", format!("{account}/{key}:{secret}")]}),
            ),
        ),
        (
            "arguments as JSON in a string",
            call(
                "tool",
                json!({"arguments": json!({"accountSid": account, "authToken": token}).to_string()}),
            ),
        ),
        (
            "a prompt",
            json!({"hook_event_name": "UserPromptSubmit", "prompt": format!("Why does Twilio refuse {account} with the auth token {token}?")}),
        ),
        (
            "Gemini's tool",
            json!({"hook_event_name": "BeforeTool", "tool_name": "write_file", "tool_input": {"file_path": "/work/.env", "content": env}}),
        ),
        ("Gemini's prompt", json!({"hook_event_name": "BeforeAgent", "prompt": env})),
        ("an event that is not known", json!({"hook_event_name": "NewEvent", "data": env})),
        (
            "a comment of its own",
            call(
                "Write",
                json!({"file_path": "/work/.env", "content": env.replace('\n', " # sidsweep:allow it is a test\n")}),
            ),
        ),
    ] {
        is_refused(case, &asked, &leak);
    }
}

#[test]
fn what_is_taken_out_or_harmless_passes() {
    let Leak { account, token, .. } = leak(2);
    let line = format!("Client('{account}', '{token}')");
    let patch = format!(
        "*** Begin Patch\n*** Update File: a.py\n@@\n-{line}\n+Client(*credentials())\n*** End Patch"
    );
    for (case, asked) in [
        ("a command", call("Bash", json!({"command": "cargo test && echo $TWILIO_AUTH_TOKEN"}))),
        (
            "a removal",
            call(
                "Edit",
                json!({"file_path": "/work/a.py", "old_string": line, "new_string": "Client(*credentials())"}),
            ),
        ),
        (
            "an edit beside it",
            call(
                "Edit",
                json!({"file_path": "/work/a.py", "old_string": line, "new_string": format!("# old\n{line}")}),
            ),
        ),
        ("a patch that removes", call("apply_patch", json!({"command": patch}))),
        (
            "an identifier alone",
            call("Bash", json!({"command": format!("twilio api:core:accounts:fetch --sid {account}")})),
        ),
        ("a digest", call("Bash", json!({"command": format!("echo {token}  image.png | md5sum --check")}))),
        ("a prompt", json!({"hook_event_name": "UserPromptSubmit", "prompt": "Send an SMS"})),
    ] {
        passes(case, &asked);
    }
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let deep = format!(
        "{{\"hook_event_name\": \"PreToolUse\", \"tool_input\": {}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    for (case, bytes) in [
        ("nothing", &b""[..]),
        ("no JSON", b"{\"hook_event_name\": "),
        ("no UTF-8", b"{\"hook_event_name\": \"PreToolUse\", \"a\": \"\xff\"}"),
        ("no object", b"[]"),
        ("no event", b"{\"tool_name\": \"Bash\"}"),
        ("an event that is no text", b"{\"hook_event_name\": 1}"),
        ("too deep", deep.as_bytes()),
    ] {
        let output = ask(bytes, &[]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{case}: {said}");
        assert!(said.contains("so it is refused"), "{case}: {said}");
    }
    let fine = call("Bash", json!({"command": "ls"})).to_string();
    for options in [
        &["--baseline", "/nowhere.json"][..],
        &["--rules", "/nowhere.toml"],
        &["--policy", "/nowhere.toml"],
        &["--no-such-option"],
        &["--allow-marker", "gitleaks:allow"],
        &["--accept-unread", "*.zip"],
    ] {
        assert_eq!(ask(fine.as_bytes(), options).status.code(), Some(2), "{options:?}");
    }
}

#[test]
fn cursor_is_answered_in_its_own_way() {
    let Leak { account, token, .. } = leak(3);
    let text = format!("TWILIO_ACCOUNT_SID={account} TWILIO_AUTH_TOKEN={token} ./send");
    for (event, field) in [
        ("beforeShellExecution", "command"),
        ("preToolUse", "tool_input"),
        ("beforeMCPExecution", "tool_input"),
    ] {
        let asked = json!({"cursor_version": "2.0", "hook_event_name": event, field: text});
        let output = ask(asked.to_string().as_bytes(), &[]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &answer["permission"]), (Some(0), &json!("deny")), "{event}");
        assert!(answer["agent_message"].as_str().unwrap().contains("holds a Twilio secret"), "{answer}");
        assert!(!answer.to_string().contains(&token[..8]));
        let asked =
            json!({"cursor_version": "2.0", "hook_event_name": event, field: "ls", "agent_message": text});
        let output = ask(asked.to_string().as_bytes(), &[]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), answer),
            (Some(0), json!({})),
            "it neither refuses nor approves: {event}"
        );
    }
    for (prompt, goes_on) in [(text.as_str(), false), ("hello", true)] {
        let asked =
            json!({"cursor_version": "2.0", "hook_event_name": "beforeSubmitPrompt", "prompt": prompt});
        let output = ask(asked.to_string().as_bytes(), &[]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &answer["continue"]), (Some(0), &json!(goes_on)));
        assert_eq!(answer["user_message"].is_string(), !goes_on);
    }
    assert_eq!(ask(b"{\"cursor_version\": ", &[]).status.code(), Some(2), "2 refuses there too");
}

#[test]
fn a_baseline_accepts_values_for_agents_too() {
    let folder = tempfile::tempdir().unwrap();
    let Leak { account, token, .. } = leak(4);
    let env = format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n");
    write(folder.path(), "a.env", &env);
    let made = common::run(
        folder.path(),
        &["scan", "--write-baseline", "b.json", "--reason", "a test account", "--by", "Ada"],
    );
    assert!(made.status.success(), "{}", stderr(&made));
    let asked = call("Write", json!({"file_path": "/work/.env", "content": env})).to_string();
    let baseline = folder.path().join("b.json");
    assert_eq!(ask(asked.as_bytes(), &["--baseline", baseline.to_str().unwrap()]).status.code(), Some(0));
}

/// Each agent with its folder, its file and what stood in it before.
const AGENTS: [(&str, &str, &str); 4] = [
    (
        "claude-code",
        ".claude/settings.json",
        "{\n    \"model\": \"opus\",\n    \"hooks\": {\n        \"PreToolUse\": [\n            { \"matcher\": \"Bash\", \"hooks\": [{ \"type\": \"command\", \"command\": \"./mine.sh\" }] }\n        ]\n    },\n    \"zeta\": 1, \"alpha\": 2\n}\n",
    ),
    (
        "cursor",
        ".cursor/hooks.json",
        "{\n  \"version\": 1,\n  \"hooks\": {\n    \"afterFileEdit\": [{ \"command\": \"./format.sh\" }],\n    \"preToolUse\": [\n      { \"command\": \"./mine.sh\", \"matcher\": \"Shell\" }\n    ]\n  }\n}\n",
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\n  // what I like\n  \"ui\": { \"theme\": \"dark\" }, /* and this */\n  \"b\": 1e3,\n}\n",
    ),
    (
        "codex",
        ".codex/hooks.json",
        "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"./done.sh\"}]}]}}\n",
    ),
];

struct User(tempfile::TempDir);

impl User {
    fn run(&self, arguments: &[&str]) -> Output {
        sidsweep()
            .current_dir(self.0.path())
            .args(arguments)
            .env("HOME", self.0.path())
            .env_remove("CLAUDE_CONFIG_DIR")
            .env_remove("CODEX_HOME")
            .output()
            .unwrap()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }
}

fn user() -> User {
    User(tempfile::tempdir().unwrap())
}

fn without_comments(text: &str) -> String {
    text.replace("// what I like", "").replace("/* and this */", "").replace(",\n}", "\n}")
}

/// The commands of a settings file, wherever they stand.
fn commands(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => {
            let own = object.get("command").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(object.values().flat_map(commands)).collect()
        }
        Value::Array(list) => list.iter().flat_map(commands).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn settings_keep_all_that_is_not_ours_and_come_back_as_they_were() {
    let user = user();
    for (_, file, text) in AGENTS {
        write(user.0.path(), file, text);
    }
    for time in ["first", "second"] {
        let output = user.run(&["hook", "install", "--type", "agent"]);
        assert!(output.status.success(), "{time}: {}", stderr(&output));
        assert!(stdout(&output).contains("open `/hooks` and review it"), "{}", stdout(&output));
    }
    for (agent, file, text) in AGENTS {
        let now = user.read(file);
        let value: Value = serde_json::from_str(&without_comments(&now))
            .unwrap_or_else(|error| panic!("{agent}: {error}: {now}"));
        let ours: Vec<String> =
            commands(&value).into_iter().filter(|one| one.contains(" hook run agent")).collect();
        assert_eq!(ours.len(), if agent == "cursor" { 4 } else { 2 }, "{agent}: {now}");
        assert!(ours.iter().all(|one| one.starts_with('\'') && one.ends_with(" || exit 2")), "{ours:?}");
        // All lines that were there are there, in their order.
        let mut lines = now.lines().map(|line| line.trim_end_matches(','));
        let whole = |line: &&str| text.lines().count() > 1 && !line.trim().is_empty();
        for line in text.lines().filter(whole) {
            let line = line.trim_end_matches(',');
            assert!(lines.any(|other| other == line), "{agent}: {line:?} is gone or moved: {now}");
        }
    }
    let shown = user.run(&["hook", "status"]);
    let said = stdout(&shown);
    assert_eq!((shown.status.code(), said.matches(" installed").count()), (Some(0), 4), "{said}");
    let output = user.run(&["hook", "uninstall", "--type", "agent"]);
    assert!(output.status.success(), "{}", stderr(&output));
    for (agent, file, text) in AGENTS {
        let same = |text: &str| serde_json::from_str::<Value>(&without_comments(text)).unwrap();
        assert_eq!(same(&user.read(file)), same(text), "{agent}");
        if text.lines().count() > 1 {
            assert_eq!(user.read(file), text, "{agent}: to the letter");
        }
    }
    let again = user.run(&["hook", "uninstall", "--type", "agent"]);
    assert_eq!(stdout(&again).matches("nothing to remove").count(), 4, "{}", stdout(&again));
}

#[test]
fn the_line_in_the_settings_refuses_and_fails_closed() {
    let user = user();
    let Leak { account, token, .. } = leak(5);
    let text = format!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\n");
    for agent in ["claude-code", "codex", "gemini-cli", "cursor"] {
        let output = user.run(&["hook", "install", "--type", "agent", "--agent", agent]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let line = |file: &str| commands(&serde_json::from_str(&user.read(file)).unwrap()).remove(0);
    let shell = |line: &str, asked: &Value| {
        let mut child = std::process::Command::new("sh")
            .args(["-c", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(asked.to_string().as_bytes());
        child.wait_with_output().unwrap()
    };
    let leaking = call("Write", json!({"file_path": ".env", "content": text}));
    let clean = call("Bash", json!({"command": "ls"}));
    for file in [".claude/settings.json", ".codex/hooks.json", ".gemini/settings.json"] {
        let line = line(file);
        assert_eq!(shell(&line, &leaking).status.code(), Some(2), "{line}");
        assert_eq!(shell(&line, &clean).status.code(), Some(0), "{line}");
        let gone = line.replace(env!("CARGO_BIN_EXE_sidsweep"), "/gone/sidsweep");
        let output = shell(&gone, &clean);
        assert_eq!(output.status.code(), Some(2), "{gone}");
        assert!(!stderr(&output).trim().is_empty(), "Codex goes on where no reason is given");
        // One that is killed, as where memory is short.
        let killed = line.replace(env!("CARGO_BIN_EXE_sidsweep"), "/bin/sh' -c 'kill -9 $$' '");
        assert_eq!(shell(&killed, &clean).status.code(), Some(2), "{killed}");
    }
    let cursor: Value = serde_json::from_str(&user.read(".cursor/hooks.json")).unwrap();
    assert_eq!(
        (&cursor["version"], &cursor["hooks"]["preToolUse"][0]["failClosed"]),
        (&json!(1), &json!(true))
    );
    // What was made new goes away again.
    user.run(&["hook", "uninstall", "--type", "agent"]);
    for (_, file, _) in AGENTS {
        assert!(!user.path(file).exists(), "{file}");
    }
}

#[test]
fn settings_that_cannot_be_read_are_left_alone() {
    for (text, words) in [
        ("{ \"hooks\": ", "not JSON"),
        ("[]", "not a JSON object"),
        ("{\"hooks\": 1}", "`hooks` is not an object"),
        ("{\"hooks\": {\"PreToolUse\": {}}}", "`hooks.PreToolUse` is not a list"),
    ] {
        let user = user();
        write(user.0.path(), ".claude/settings.json", text);
        let output = user.run(&["hook", "install", "--type", "agent"]);
        assert!(
            output.status.code() == Some(2) && stderr(&output).contains(words),
            "{text}: {}",
            stderr(&output)
        );
        assert_eq!(user.read(".claude/settings.json"), text);
    }
    let nobody = user();
    let output = nobody.run(&["hook", "install", "--type", "agent"]);
    assert!(
        output.status.code() == Some(2) && stderr(&output).contains("--agent: claude-code, cursor"),
        "{}",
        stderr(&output)
    );
    for wrong in
        [&["hook", "install", "--agent", "codex"][..], &["hook", "install", "--type", "agent", "--global"]]
    {
        assert_eq!(nobody.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_link_to_settings_stays_a_link_and_a_mode_stays_a_mode() {
    use std::os::unix::fs::PermissionsExt;
    let user = user();
    write(user.0.path(), "dotfiles/claude.json", "{}\n");
    let place = user.path("dotfiles/claude.json");
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::create_dir(user.path(".claude")).unwrap();
    std::os::unix::fs::symlink(&place, user.path(".claude/settings.json")).unwrap();
    assert!(user.run(&["hook", "install", "--type", "agent"]).status.success());
    assert!(
        is_link(&user.path(".claude/settings.json"))
            && user.read("dotfiles/claude.json").contains("hook run agent")
    );
    assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let program = user.read("dotfiles/claude.json").replace(env!("CARGO_BIN_EXE_sidsweep"), "/gone/sidsweep");
    std::fs::write(&place, program).unwrap();
    let shown = user.run(&["hook", "status"]);
    assert!(
        shown.status.code() == Some(1) && stdout(&shown).contains("no program at /gone/sidsweep"),
        "{}",
        stdout(&shown)
    );
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().unwrap().is_symlink()
}
