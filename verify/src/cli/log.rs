//! What `-v` tells.

use super::printer::Printer;
use std::io;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Installs a subscriber that writes to stderr, if asked to.
pub(crate) fn install(verbose: u8, printer: Printer) {
    let filter = match verbose {
        0 => return,
        1 => "starform_verify=debug",
        2 => "starform_verify=debug,kube_client=debug",
        _ => "starform_verify=trace,kube_client=trace,hyper_util=debug",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(Stderr(printer))
        .with_target(verbose > 1)
        .finish();
    // It fails only where one is installed already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Gives the subscriber a fresh handle for each line.
struct Stderr(Printer);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Box<dyn io::Write>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(self.0.stderr())
    }
}
