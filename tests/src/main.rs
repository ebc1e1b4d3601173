//! The command line: `cargo run -p testbed -- up`.

use std::process::ExitCode;

fn main() -> ExitCode {
    testbed::run()
}
