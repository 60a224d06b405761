//! Asking a person before anything is changed.

use std::io::IsTerminal;

use super::Failure;

/// Goes on with `yes` or a typed yes. Without a terminal and without `--yes` nothing goes on.
pub fn yes(given: bool, question: &str) -> Result<(), Failure> {
    if given {
        return Ok(());
    }
    typed("yes", question, "--yes does it without asking")
}

/// Goes on where the thing itself was typed, or given by `--confirm`.
pub fn named(given: Option<&str>, thing: &str, question: &str) -> Result<(), Failure> {
    match given {
        Some(text) if text == thing => Ok(()),
        Some(text) => {
            Err(Failure(format!("nothing was changed: --confirm says {text:?}, and not {thing:?}")))
        }
        None => typed(thing, question, &format!("--confirm {thing} does it without asking")),
    }
}

/// The same for a whole account, of which a yes is not enough.
pub fn account(given: Option<&str>, sid: &str, question: &str) -> Result<(), Failure> {
    if given.is_some() {
        return named(given, sid, question);
    }
    let otherwise =
        format!("for a whole account --yes is not enough; --confirm {sid} does it without asking");
    typed(sid, question, &otherwise)
}

fn typed(wanted: &str, question: &str, otherwise: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure(format!("nothing was changed: there is no terminal to ask on; {otherwise}")));
    }
    drop_typed_ahead();
    let answer: String = dialoguer::Input::new()
        .with_prompt(question)
        .allow_empty(true)
        .interact_text()
        .map_err(|error| Failure(format!("nothing was changed: {error}")))?;
    if answer.trim() == wanted {
        Ok(())
    } else {
        Err(Failure(format!("nothing was changed: the answer was not {wanted}")))
    }
}

/// What was typed before the question was shown is no answer to it.
#[cfg(unix)]
fn drop_typed_ahead() {
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Elsewhere the terminal keeps what was typed.
#[cfg(not(unix))]
fn drop_typed_ahead() {}
