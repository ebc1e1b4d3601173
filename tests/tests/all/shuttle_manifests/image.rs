//! `manifests/set-image`: the one thing that a fleet changes in the manifests.

use super::manifests;
use rstest::rstest;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The repository's files and a copy of them to change.
struct Copy {
    before: BTreeMap<String, String>,
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let parts = ["shuttle", "set-image"].map(manifests);
        let copied = Command::new("cp").arg("-R").args(parts).arg(folder.path()).status();
        assert!(copied.unwrap().success());
        let before = files(&folder.path().join("shuttle"));
        assert!(before.len() > 10, "{} files", before.len());
        Self { before, folder }
    }

    fn set(&self, image: &str) -> Output {
        let mut command = Command::new(self.folder.path().join("set-image"));
        // From wherever it is typed.
        command.arg(image).current_dir("/").output().unwrap()
    }

    fn now(&self) -> BTreeMap<String, String> {
        files(&self.folder.path().join("shuttle"))
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries
        .map(|path| (name(&path), fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn set_image_sets_the_image_of_both_workloads_and_changes_nothing_else() {
    let copy = Copy::new();
    let shipped = format!("image: starform/shuttle:{}\n", env!("CARGO_PKG_VERSION"));
    let digest = format!(
        "registry.example.com/starform/shuttle@sha256:{}",
        "0123456789abcdef".repeat(4)
    );
    for image in [
        "registry.example.com/starform/shuttle:0.1.0",
        "registry.example.com/starform/shuttle:0.1.0",
        "localhost:5000/a__b/shuttle-agent:V1_2.3",
        "localhost/shuttle--agent:0.1.0",
        "10.0.0.1:5000/shuttle:0.1.0",
        &digest,
    ] {
        let set = copy.set(image);
        assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
        let mut expected = copy.before.clone();
        for file in ["50-agent.yaml", "51-node.yaml"] {
            let text = expected.get_mut(file).unwrap();
            assert_eq!(text.matches(&shipped).count(), 1, "{file}");
            *text = text.replace(&shipped, &format!("image: {image}\n"));
        }
        assert_eq!(copy.now(), expected);
    }
}

#[rstest]
#[case("")]
#[case("shuttle")]
#[case("shuttle:0.1.0")]
#[case("registry.example.com/starform/shuttle")]
#[case("registry.example.com/starform/shuttle:")]
#[case("registry.example.com/starform/Shuttle:0.1.0")]
#[case("registry.example.com/starform/shuttle@sha256:0123")]
#[case::of_docker_io("starform/shuttle:0.1.0")]
#[case("../shuttle:0.1.0")]
#[case("registry..example.com/shuttle:0.1.0")]
#[case("-registry.example.com/shuttle:0.1.0")]
#[case("registry.example.com:500000/shuttle:0.1.0")]
#[case("registry.example.com/starform/shuttle___agent:0.1.0")]
#[case("registry.example.com/starform/shuttle.-agent:0.1.0")]
#[case("https://registry.example.com/starform/shuttle:0.1.0")]
#[case("registry.example.com/starform/shuttle:0.1.0 # comment")]
#[case("registry.example.com/starform/shuttle:&")]
#[case("registry.example.com/starform/shuttle:0.1.0\nregistry.example.com/starform/shuttle:0.1.1")]
fn set_image_refuses_what_names_no_image_of_a_registry_and_changes_nothing(#[case] image: &str) {
    let copy = Copy::new();
    let set = copy.set(image);
    assert_eq!(set.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&set.stderr).starts_with("set-image: "));
    assert_eq!(copy.now(), copy.before);
}

#[test]
fn set_image_changes_its_own_folder_whatever_cdpath_says() {
    let (copy, other) = (Copy::new(), Copy::new());
    // As it is typed in a clone: by a path that is relative, which is where `cd` looks into CDPATH.
    let [manifests, elsewhere] = [&copy, &other].map(|copy| {
        let manifests = copy.folder.path().join("manifests");
        fs::create_dir(&manifests).unwrap();
        for part in ["shuttle", "set-image"] {
            fs::rename(copy.folder.path().join(part), manifests.join(part)).unwrap();
        }
        manifests.join("shuttle")
    });
    let set = Command::new(Path::new("manifests").join("set-image"))
        .arg("registry.example.com/starform/shuttle:0.1.0")
        .current_dir(copy.folder.path())
        .env("CDPATH", other.folder.path())
        .output()
        .unwrap();
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    assert_eq!(files(&elsewhere), other.before);
    assert_ne!(files(&manifests), copy.before);
}
