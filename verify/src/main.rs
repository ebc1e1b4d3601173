//! `starform-verify`: audits a cluster against Starform's install contract.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    starform_verify::collect::install_crypto_provider();
    cli::run(std::env::args_os().collect()).into()
}
