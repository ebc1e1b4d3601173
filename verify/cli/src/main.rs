//! `starform-verify`: audits a cluster against Starform's install contract.

use std::process::ExitCode;

fn main() -> ExitCode {
    starform_verify_cli::run(std::env::args_os().collect()).into()
}
