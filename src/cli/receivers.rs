//! Who gets a new secret: arguments of the commands that make one.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::Failure;
use crate::remedy::handover::{Form, Receiver};

// No doc comment: clap would take it for the command's own.
#[derive(clap::Args)]
pub struct Receivers {
    /// Write the new secret to this new file, which only its owner can read; may be given several times
    #[arg(long, value_name = "FILE")]
    to_file: Vec<PathBuf>,
    /// Give the new secret to this command on its standard input, e.g. `gh secret set TWILIO_API_SECRET`; the new key's
    /// SID is in `SIDSWEEP_NEW_KEY_SID`. May be given several times
    #[arg(long, value_name = "COMMAND")]
    to_command: Vec<String>,
    /// What --to-command is given: the secret alone, or a JSON object with `accountSid`, `apiKeySid` and `apiKeySecret` (or
    /// `authToken`), as AWS Secrets Manager keeps Twilio's secrets
    #[arg(long = "as", value_name = "FORM", value_enum, default_value = "raw")]
    form: CommandForm,
    /// How long a command of --to-command may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    to_within: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CommandForm {
    Raw,
    Json,
}

impl Receivers {
    fn all(&self) -> Vec<Receiver> {
        let files = self.to_file.iter().cloned().map(Receiver::File);
        let form = if self.form == CommandForm::Json { Form::Json } else { Form::Raw };
        let within = Duration::from_secs(self.to_within);
        let commands = self.to_command.iter().cloned();
        files.chain(commands.map(|line| Receiver::Command { line, form, within })).collect()
    }

    pub fn checked(&self) -> Result<Vec<Receiver>, Failure> {
        let all = self.all();
        if all.is_empty() {
            return Err(Failure(
                "the new secret has no destination, and Twilio shows it only once: give --to-file or --to-command"
                    .to_owned(),
            ));
        }
        all.iter().try_for_each(Receiver::check).map_err(Failure)?;
        Ok(all)
    }

    /// The receivers where the files are there: written by an earlier run.
    pub fn again(&self) -> Option<Vec<Receiver>> {
        let all = self.all();
        (!all.is_empty()).then_some(all)
    }
}
