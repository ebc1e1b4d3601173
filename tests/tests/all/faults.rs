//! What happens to a cluster under an agent: each fault is one, and ends.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use testbed::{Cluster, cluster};

fn uid(cluster: &Cluster) -> String {
    cluster
        .run(&["kubectl", "get", "node", "node2", "--output=jsonpath={.metadata.uid}"])
        .unwrap()
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_removed_node_comes_back_as_another_one_and_empty() {
    let cluster = cluster().unwrap();
    let before = uid(&cluster);
    cluster.remove_node(2).unwrap();
    let nodes = cluster.run(&["kubectl", "get", "nodes", "--output=name"]).unwrap();
    assert_eq!(nodes, "node/node1\n");
    let words = [
        "kubectl",
        "get",
        "pods",
        "--all-namespaces",
        "--field-selector=spec.nodeName=node2",
        "--output=name",
    ];
    assert_eq!(cluster.run(&words).unwrap(), "");
    cluster.add_node(2).unwrap();
    assert_ne!(uid(&cluster), before);
    cluster.mend().unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_restarted_api_server_is_another_process_with_the_same_data() {
    let cluster = cluster().unwrap();
    let before = uid(&cluster);
    let started = || {
        let metrics = cluster.run(&["kubectl", "get", "--raw", "/metrics"]).unwrap();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("process_start_time_seconds "))
            .unwrap();
        line.to_owned()
    };
    let first = started();
    cluster.restart_api_server().unwrap();
    assert_ne!(started(), first);
    assert_eq!(uid(&cluster), before);
    cluster.wait_until_healthy().unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_killed_container_runs_again_in_the_same_pod() {
    let cluster = cluster().unwrap();
    let pod = cluster.pods("shop", "starform.io/app=storefront").unwrap().remove(0);
    let before = cluster.restarts("shop", &pod).unwrap();
    cluster.kill_container("shop", &pod).unwrap();
    let start = Instant::now();
    while cluster.restarts("shop", &pod).unwrap() == before {
        assert!(start.elapsed() < Duration::from_secs(30), "{pod} was not started again");
        std::thread::sleep(Duration::from_millis(200));
    }
    cluster.wait_until_healthy().unwrap();
}

#[test]
#[ignore = "needs a cluster: tests/run"]
fn a_listener_answers_in_the_clusters_network_and_nowhere_else() {
    let cluster = cluster().unwrap();
    let listener = cluster.listen(8990).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        let mut request = [0; 256];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.0 204 No Content\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&request[..read]).into_owned(), peer)
    });
    // The address is none of the machine's own.
    assert!(std::net::TcpListener::bind(("10.0.0.254", 0)).is_err());
    let said = cluster
        .exec(&["kubectl", "--server=http://10.0.0.254:8990", "get", "--raw", "/hello"])
        .unwrap();
    let (request, peer) = server.join().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(request.starts_with("GET /hello "), "{request}");
    assert_eq!(peer.ip().to_string(), "10.0.0.254");
}
