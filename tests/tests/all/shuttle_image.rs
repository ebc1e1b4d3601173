//! Shuttle's image as the command line builds it.

use std::fs;
use std::io::Read;
use std::process::Command;

use serde_json::Value;
use testbed::shuttle::IMAGE;

/// A release's image as it is deployed: a program that needs no library, an entry point, a user, authorities.
#[test]
#[ignore = "needs buildah: tests/run"]
fn the_image_is_one_static_program_and_the_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("shuttle.tar");
    let built = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["image", "--name", IMAGE])
        .arg(&archive)
        .status();
    assert!(built.unwrap().success());
    assert!(fs::metadata(&archive).unwrap().len() < 30_000_000);
    let unpacked = folder.path().join("image");
    tar::Archive::new(fs::File::open(&archive).unwrap())
        .unpack(&unpacked)
        .unwrap();
    let blob =
        |digest: &Value| fs::read(unpacked.join("blobs").join(digest.as_str().unwrap().replace(':', "/"))).unwrap();
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let index = json(&fs::read(unpacked.join("index.json")).unwrap());
    let manifest = json(&blob(&index["manifests"][0]["digest"]));
    let config = json(&blob(&manifest["config"]["digest"]));
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/shuttle"]));
    let environment = config["config"]["Env"].as_array().unwrap().iter();
    let names: Vec<_> = environment.filter_map(|one| one.as_str()?.split('=').next()).collect();
    assert_eq!(
        names,
        ["PATH", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_"],
        "nothing that configures Shuttle"
    );
    let layers = manifest["layers"].as_array().unwrap();
    let size: u64 = layers.iter().map(|layer| layer["size"].as_u64().unwrap()).sum();
    assert!(size < 30_000_000, "{size} bytes");

    let program = file_of(layers, &blob, "shuttle");
    assert_eq!(&program[..4], b"\x7fELF");
    // PT_INTERP names the loader of a program that is not static.
    assert!(
        !program.windows(15).any(|window| window == b"/lib64/ld-linux"),
        "it needs a loader"
    );
    let bundle = String::from_utf8(file_of(layers, &blob, "etc/ssl/certs/ca-certificates.crt")).unwrap();
    assert!(bundle.matches("BEGIN CERTIFICATE").count() > 100);
}

/// The content of a file in the layers; buildah compresses them.
fn file_of(layers: &[Value], blob: &impl Fn(&Value) -> Vec<u8>, path: &str) -> Vec<u8> {
    for layer in layers {
        let bytes = blob(&layer["digest"]);
        let mut layer = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        for entry in layer.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with(path) {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                return content;
            }
        }
    }
    panic!("no layer has {path}");
}
