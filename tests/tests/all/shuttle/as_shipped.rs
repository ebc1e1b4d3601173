//! The manifests as they are shipped: what `kubectl apply -f manifests/shuttle/` takes, with the image set and the Secret
//! made as the README has it, and nothing else changed. Their Starbase is the testbed's: the cluster's DNS says so, and
//! its certificate is signed by an authority in the image.

use super::{restarts, site};
use site::{NAMESPACE, Site};

#[test]
#[ignore = "needs a cluster: tests/run"]
fn the_manifests_as_they_are_shipped_register_and_both_replicas_are_ready() {
    let site = Site::without_shuttle();
    let authority = std::fs::read_to_string(site.authority()).unwrap();
    let image = site.cluster.build_trusting_shuttle_image(&authority).unwrap();
    let serving = site.starbase().serve_within(site.cluster.name(), 443).unwrap();
    let before = site.request_count();
    site.cluster.apply_shuttle(image).unwrap();
    site.make_secret();
    site.wait_until_active();

    assert_eq!(restarts(&site), [0, 0]);
    let get = |what: &[&str]| {
        let words = [&["kubectl", "--namespace", NAMESPACE, "get"], what].concat();
        site.cluster.run(&words).unwrap()
    };
    let data = get(&["configmap", "starbase", "--output=jsonpath={.data}"]);
    assert_eq!(data, r#"{"address":"https://starbase.starform.io","ca.crt":""}"#);
    let images = "--output=jsonpath={.items[*].spec.containers[*].image}";
    let images = get(&["pods", images]);
    assert_eq!(
        images.split(' ').collect::<Vec<_>>(),
        [image; 4],
        "two agents, one on each node"
    );
    let requests = site.requests_since(before);
    assert!(!requests.is_empty());
    for request in requests {
        let host = request.headers.iter().find(|(name, _)| name == "host").unwrap();
        assert_eq!(host.1, "starbase.starform.io");
    }

    // The tests that follow install it with an authority of its own.
    site.cluster.uninstall_shuttle().unwrap();
    drop(serving);
}
