//! Logs: one JSON document a line, to stderr, so that what a subcommand prints stays apart from them.

use clap::ValueEnum;
use std::io;
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The directives that stand before whatever is asked for. kube_client logs every answer of status 5xx as an error of
/// its own, and a dead metrics-server is one: what an answer means is said by whoever asked.
const BASE: &str = "info,kube_client=off,kube_runtime=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn";

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For a collector.
    #[default]
    Json,
    /// For a person.
    Text,
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("the log filter {filter:?} cannot be read: {error}; an example is \"info,shuttle=debug\"")]
    Filter {
        /// As it was given.
        filter: String,
        /// What is wrong.
        error: tracing_subscriber::filter::ParseError,
    },
    /// A subscriber was installed already.
    #[error("logs are written already: {0}")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

/// Installs the subscriber, and has a panic logged like everything else.
///
/// `filter` is in the syntax of tracing's `EnvFilter`, and is added to what holds anyway; empty adds nothing.
///
/// # Errors
/// Where the filter cannot be read, or logs are written already.
pub fn install(filter: &str, form: Form) -> Result<(), LogError> {
    subscriber(filter, form, io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        error!(place, message, "panicked");
    }));
    Ok(())
}

fn subscriber<W>(filter: &str, form: Form, writer: W) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let directives = if filter.is_empty() {
        BASE.to_owned()
    } else {
        format!("{BASE},{filter}")
    };
    let parsed = EnvFilter::try_new(directives).map_err(|error| LogError::Filter {
        filter: filter.to_owned(),
        error,
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(writer);
    Ok(match form {
        Form::Json => Box::new(builder.json().flatten_event(true).with_span_list(false).finish()),
        Form::Text => Box::new(builder.with_ansi(false).finish()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::{info, info_span, subscriber::with_default};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn logged(filter: &str, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(filter, Form::Json, move || writer.clone()).unwrap();
        with_default(subscriber, log);
        written.text()
    }

    #[test]
    fn a_line_is_one_json_document_with_its_fields_and_its_span() {
        let text = logged("", || {
            let _span = info_span!("labeler").entered();
            info!(pod = "cart\n1", "labelled");
        });
        assert_eq!(text.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["pod"], "cart\n1");
        assert_eq!(line["message"], "labelled");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["name"], "labeler");
    }

    #[test]
    fn kube_s_own_client_is_silent_unless_it_is_asked_for() {
        let log = || error!(target: "kube_client::client::builder", "failed with status 503");
        assert_eq!(logged("", log), "");
        assert_eq!(logged("shuttle=debug", log), "");
        assert!(logged("kube_client=info", log).contains("503"));
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_refused_with_an_example() {
        let error = subscriber("shuttle=loud", Form::Json, io::sink)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("shuttle=loud") && error.contains("shuttle=debug"),
            "{error}"
        );
    }
}
