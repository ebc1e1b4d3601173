use super::*;
use crate::liveness::Liveness;
use rstest::rstest;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

const TOKEN: &str = "starbase_0123456789abcdef";

/// As kubelet mounts a Secret: the files are links through `..data`, which is swapped as a whole.
fn mount(folder: &Path, version: &str, token: &str) {
    let inner = folder.join(version);
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("cluster-id"), "fra1-blue\n").unwrap();
    fs::write(inner.join("region"), "fra1").unwrap();
    fs::write(inner.join("token"), token).unwrap();
    let link = folder.join("..data_tmp");
    symlink(version, &link).unwrap();
    fs::rename(link, folder.join("..data")).unwrap();
    for name in ["cluster-id", "region", "token"] {
        let file = folder.join(name);
        if !file.is_symlink() {
            symlink(Path::new("..data").join(name), file).unwrap();
        }
    }
}

fn mounted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    mount(folder.path(), "..1", &format!("{TOKEN}\n"));
    folder
}

#[test]
fn a_mounted_secret_is_read_without_the_line_s_end() {
    let folder = mounted();
    let parameters = read(folder.path()).unwrap();
    assert_eq!(parameters.cluster_id.as_str(), "fra1-blue");
    assert_eq!(parameters.region.as_str(), "fra1");
    assert_eq!(parameters.token.expose(), TOKEN);
}

#[test]
fn only_one_line_s_end_is_left_out() {
    let folder = mounted();
    fs::write(folder.path().join("..1/region"), "fra1\n\n").unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error.problem, Problem::NotALabelValue), "{error}");
}

#[rstest]
#[case("cluster-id", "", "it is empty")]
#[case("cluster-id", "\n", "it is empty")]
#[case("cluster-id", "-blue", "cannot be a label's value")]
#[case("cluster-id", "fra1/blue", "cannot be a label's value")]
#[case("cluster-id", "..", "cannot be a label's value")]
#[case("region", "frä", "cannot be a label's value")]
#[case("region", &"a".repeat(64), "it has 64 bytes or more, and 63 are allowed")]
#[case("token", "", "it is empty")]
#[case("token", "secret part", "at byte 6")]
#[case("token", "secret\npart\n", "at byte 6")]
#[case("token", &"secret".repeat(2_000), "and 8192 are allowed")]
fn an_error_names_the_file_and_never_its_content(#[case] name: &str, #[case] content: &str, #[case] words: &str) {
    let folder = mounted();
    fs::write(folder.path().join("..1").join(name), content).unwrap();
    let error = read(folder.path()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(words), "{shown}");
    assert!(shown.contains(&format!("/{name}")), "{shown}");
    assert!(shown.contains("Secret `shuttle`"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = mounted();
    fs::write(folder.path().join("..1/token"), [0xff, 0xfe]).unwrap();
    assert!(matches!(read(folder.path()).unwrap_err().problem, Problem::NotText));
}

#[test]
fn a_missing_file_is_named() {
    let folder = mounted();
    fs::remove_file(folder.path().join("..1/token")).unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error.problem, Problem::Unreadable(_)), "{error}");
    assert_eq!(error.file, folder.path().join("token"));
}

#[test]
fn the_token_is_in_no_printed_form() {
    let parameters = read(mounted().path()).unwrap();
    let shown = format!("{parameters:?} {parameters:#?} {:?}", parameters.token);
    assert!(!shown.contains("starbase_") && !shown.contains("0123456789"), "{shown}");
    let error = Token::new(&format!("{TOKEN} ")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("0123"), "{error}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logged {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Logged {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Time is paused: a tick is due as soon as everything waits.
async fn ticks(count: u32) {
    tokio::time::sleep(Duration::from_secs(5) * count + Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn a_swapped_secret_is_published_and_a_broken_one_keeps_the_last() {
    let logged = Logged::default();
    let subscriber = tracing_subscriber::fmt().with_writer(logged.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let folder = mounted();
    let pulse = Liveness::default().watch("parameters", Duration::from_secs(30));
    let (watched, task) = watch(folder.path().to_owned(), read(folder.path()).unwrap(), pulse);
    let task = tokio::spawn(task);

    ticks(2).await;
    assert_eq!(*watched.changes.borrow(), 0, "nothing changed");

    mount(folder.path(), "..2", "starbase_second");
    ticks(2).await;
    assert_eq!(*watched.changes.borrow(), 1);
    assert_eq!(watched.parameters.borrow().token.expose(), "starbase_second");

    fs::write(folder.path().join("..2/token"), "starbase_third with a space").unwrap();
    ticks(5).await;
    assert_eq!(*watched.changes.borrow(), 1);
    assert_eq!(
        watched.parameters.borrow().token.expose(),
        "starbase_second",
        "the last good one stays"
    );

    fs::write(folder.path().join("..2/token"), "starbase_fourth").unwrap();
    ticks(2).await;
    assert_eq!(*watched.changes.borrow(), 2);

    let text = logged.text();
    assert_eq!(text.matches("kept the last parameters").count(), 1, "{text}");
    assert!(text.contains("the parameters can be read again"), "{text}");
    assert!(!text.contains("starbase_"), "{text}");
    assert!(!task.is_finished());
    drop(watched);
    ticks(2).await;
    assert!(task.is_finished(), "nobody receives any more");
}
