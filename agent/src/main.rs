//! The program: TLS provider, arguments, run.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: kube and reqwest would each choose a provider of their own, and panic.
    starform_verify::collect::install_crypto_provider();
    shuttle::args::parse_and_run()
}
