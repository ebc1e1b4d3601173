//! `cargo run -p testdata -- serve [CASE]`.

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    testdata::serve::Command::parse().run().await
}
