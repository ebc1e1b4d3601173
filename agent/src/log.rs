//! Logs: one JSON document a line, to stderr, so that what a subcommand prints stays apart from them. What comes from outside
//! acts on no screen that shows them, in either form.

use clap::ValueEnum;
use starform_verify::printable::{printable_json, printable_line};
use std::borrow::Cow;
use std::io;
use std::str::FromStr;
use tracing::{Metadata, error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The directives that stand before whatever is asked for. kube_client logs every answer of status 5xx as an error of
/// its own, and a dead metrics-server is one: what an answer means is said by whoever asked.
const BASE: &str = "info,kube_client=off,kube_runtime=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn";

/// The crates that log here, as targets are called.
const CRATES: [&str; 10] = [
    "shuttle",
    "starform_verify",
    "kube_client",
    "kube_runtime",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tower",
    "tower_http",
];

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
    /// A word of it is neither a level nor a part of this program: taken for a target it would show nothing.
    #[error(
        "{word:?} in the log filter {filter:?} is no level (off, error, warn, info, debug, trace) and no crate that logs here; an example is \"info,shuttle=debug\""
    )]
    Word {
        /// The filter as it was given.
        filter: String,
        /// The word.
        word: String,
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
        if starform_verify::collect::panic_is_told() {
            return;
        }
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
    if let Some(word) = words_that_show_nothing(filter).next() {
        return Err(LogError::Word {
            filter: filter.to_owned(),
            word: word.to_owned(),
        });
    }
    let directives = if filter.is_empty() {
        BASE.to_owned()
    } else {
        format!("{BASE},{filter}")
    };
    let parsed = EnvFilter::try_new(directives).map_err(|error| LogError::Filter {
        filter: filter.to_owned(),
        error,
    })?;
    let writer = Neutral { writer, form };
    let builder = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(writer);
    Ok(match form {
        Form::Json => Box::new(builder.json().flatten_event(true).with_span_list(false).finish()),
        Form::Text => Box::new(builder.with_ansi(false).finish()),
    })
}

/// The words of a filter that stand alone, as a level does, and are none: `debgu`. `EnvFilter` takes each for a target, and shows
/// everything of a crate that is not there.
fn words_that_show_nothing(filter: &str) -> impl Iterator<Item = &str> {
    let words = filter.split(',').map(str::trim).filter(|word| !word.is_empty());
    let alone = words.filter(|word| !word.contains(['=', '[', '{', ' ']));
    let is_of = |word: &str, name: &str| {
        word.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    alone.filter(move |word| LevelFilter::from_str(word).is_err() && !CRATES.iter().any(|name| is_of(word, name)))
}

/// Hands out writers of lines in which nothing acts on a screen.
struct Neutral<W> {
    writer: W,
    form: Form,
}

/// A writer of one line, which the subscriber hands over whole.
struct NeutralLine<W> {
    writer: W,
    form: Form,
}

// === impl Neutral ===

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Neutral<W> {
    type Writer = NeutralLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        NeutralLine {
            writer: self.writer.make_writer(),
            form: self.form,
        }
    }

    fn make_writer_for(&'w self, meta: &Metadata<'_>) -> Self::Writer {
        NeutralLine {
            writer: self.writer.make_writer_for(meta),
            form: self.form,
        }
    }
}

// === impl NeutralLine ===

impl<W: io::Write> io::Write for NeutralLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.trim_end();
        let neutral = match self.form {
            Form::Json => printable_json(line),
            Form::Text => printable_line(line),
        };
        match neutral {
            Cow::Borrowed(_) => self.writer.write_all(bytes)?,
            Cow::Owned(neutral) => self.writer.write_all(format!("{neutral}\n").as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
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
        logged_as(Form::Json, filter, log)
    }

    fn logged_as(form: Form, filter: &str, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(filter, form, move || writer.clone()).unwrap();
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
    fn what_comes_from_outside_acts_on_no_screen_in_either_form() {
        let hostile = "cart\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{7f}\n\u{2028}√ forged";
        for form in [Form::Json, Form::Text] {
            let text = logged_as(form, "", || {
                let _span = info_span!("labeler", pod = hostile).entered();
                info!(pod = %hostile, "labelled {hostile}");
            });
            let line = text.strip_suffix('\n').unwrap();
            let acts = |c: char| c.is_control() || ['\u{202e}', '\u{200b}', '\u{2028}'].contains(&c);
            assert!(!line.chars().any(acts), "{line:?}");
            assert!(line.contains("cart"), "{line}");
            if form == Form::Json {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["pod"], hostile);
            }
        }
    }

    #[test]
    fn kube_s_own_client_is_silent_unless_it_is_asked_for() {
        let log = || error!(target: "kube_client::client::builder", "failed with status 503");
        assert_eq!(logged("", log), "");
        assert_eq!(logged("shuttle=debug", log), "");
        assert!(logged("kube_client=info", log).contains("503"));
    }

    #[rstest]
    #[case("debgu", Some("debgu"))]
    #[case("info,shutle", Some("shutle"))]
    #[case("info,shuttles", Some("shuttles"))]
    #[case("debug", None)]
    #[case("WARN", None)]
    #[case("shuttle", None)]
    #[case("off,shuttle::leader", None)]
    #[case("shuttle[labeler]=trace", None)]
    fn a_word_that_would_show_nothing_is_refused(#[case] filter: &str, #[case] refused: Option<&str>) {
        let told = subscriber(filter, Form::Json, io::sink).err();
        match (told, refused) {
            (None, None) => {}
            (Some(LogError::Word { word, .. }), Some(refused)) => assert_eq!(word, refused),
            (told, _) => panic!("{filter}: {told:?}"),
        }
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
