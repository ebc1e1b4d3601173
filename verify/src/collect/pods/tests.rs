use super::*;
use prost::Message;

const POD: &str = r#"{"metadata":{"name":"web-0","namespace":"shop","uid":"u-1","creationTimestamp":"2026-11-22T14:00:00Z",
    "labels":{"app":"web","starform.io/app":"we\u0062"},"managedFields":[{"a":[]}],
    "ownerReferences":[{"kind":"Job","name":"once"},{"kind":"ReplicaSet","name":"web-6c9f","controller":true}]},
    "spec":{"nodeName":"node-a","containers":[{"name":"web","image":"web:1"},{"name":"log","image":"log:1"}],"volumes":null},
    "status":{"phase":"Running","conditions":null,"containerStatuses":[
    {"name":"web","ready":true,"restartCount":3,"state":{"running":{"startedAt":"2026-11-22T14:30:00Z"}},
     "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","finishedAt":"2026-11-22T14:29:00Z"}}},
    {"name":"log","ready":false,"restartCount":0,"started":null,"state":{"running":{"startedAt":"2026-11-22T14:01:00Z"}},
     "lastState":{}}]}}"#;

fn read(json: &str, namespace: &str) -> Result<Pod, String> {
    let keys = vec!["starform.io/region".to_owned(), "starform.io/app".to_owned()];
    let components = BTreeSet::from([namespace]);
    let mut pods = Pods {
        label_keys: &keys,
        components: &components,
        interner: Interner::default(),
        read: Vec::new(),
    };
    pods.item(json.as_bytes())?;
    // What is written in protobuf is read as the same.
    pods.message(&PodObject::of_json(json.as_bytes())?.encode_to_vec())?;
    assert_eq!(pods.read[0], pods.read[1]);
    Ok(pods.read.remove(0))
}

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_pod_is_what_its_metadata_and_its_containers_say() {
    let pod = read(POD, "kube-system").unwrap();
    assert_eq!((&*pod.namespace, &*pod.name, &*pod.uid), ("shop", "web-0", "u-1"));
    assert_eq!(
        (pod.ready, pod.containers, &*pod.status, pod.restarts),
        (1, 2, "Running", 3)
    );
    assert_eq!(pod.node.as_deref(), Some("node-a"));
    assert_eq!(pod.started, Some(time("2026-11-22T14:30:00Z")));
    let owner = pod.owner.unwrap();
    assert_eq!((&*owner.kind, &*owner.name), ("ReplicaSet", "web-6c9f"));
    let ended = pod.last_termination.unwrap();
    assert_eq!(
        (&*ended.container, &*ended.reason, ended.exit_code),
        ("web", "OOMKilled", 137)
    );
    assert_eq!(ended.finished, Some(time("2026-11-22T14:29:00Z")));
    assert_eq!(pod.waits, None);
    assert_eq!(
        pod.labels.iter().map(Option::as_deref).collect::<Vec<_>>(),
        [None, Some("web")]
    );
}

#[test]
fn images_are_kept_only_where_components_stand() {
    assert!(read(POD, "kube-system").unwrap().images.is_empty());
    let images = read(POD, "shop").unwrap().images;
    assert_eq!(
        images.iter().map(|image| &**image).collect::<Vec<_>>(),
        ["web:1", "log:1"]
    );
}

#[test]
fn the_present_start_is_the_last_container_s_and_unknown_where_one_of_them_does_not_say() {
    let other = POD.replace("2026-11-22T14:01:00Z", "2026-11-22T14:45:00Z");
    assert_eq!(read(&other, "").unwrap().started, Some(time("2026-11-22T14:45:00Z")));
    let silent = POD.replace(r#"{"startedAt":"2026-11-22T14:01:00Z"}"#, r#"{"startedAt":null}"#);
    assert_eq!(read(&silent, "").unwrap().started, None);
    let none = POD.replace("running", "waiting");
    assert_eq!(read(&none, "").unwrap().started, None);
}

#[test]
fn what_a_container_waits_for_is_told() {
    let waits = POD.replace(
        r#""state":{"running":{"startedAt":"2026-11-22T14:01:00Z"}}"#,
        r#""state":{"waiting":{"reason":"ErrImagePull"}}"#,
    );
    let pod = read(&waits, "").unwrap();
    let waiting = pod.waits.unwrap();
    assert_eq!((&*waiting.container, &*waiting.reason), ("log", "ErrImagePull"));
    assert_eq!((&*pod.status, pod.ready), ("ErrImagePull", 1));
}

#[test]
fn what_is_no_pod_is_refused() {
    for (field, says) in [
        (r#""name":"web-0","#, "no name"),
        (r#""namespace":"shop","#, "no namespace"),
        (r#""uid":"u-1","#, "no UID"),
        (r#""creationTimestamp":"2026-11-22T14:00:00Z","#, "when it was created"),
    ] {
        assert!(POD.contains(field));
        let error = read(&POD.replace(field, ""), "").unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    assert!(read("{}", "").is_err());
    assert!(read(r#"{"metadata":{"name":1}}"#, "").is_err());
    let null = POD.replace(r#""2026-11-22T14:00:00Z""#, "null");
    assert!(read(&null, "").is_err());
}
