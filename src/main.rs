//! Start and exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidsweep::cli::main()
}
