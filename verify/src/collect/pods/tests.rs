use super::*;

const HEAD: &str = r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Ready"},{"name":"Status"},
    {"name":"Restarts"},{"name":"Age"},{"name":"IP"},{"name":"Node"}],"rows":[]}"#;

fn pods(keys: &[String]) -> Pods<'_> {
    Pods {
        label_keys: keys,
        columns: None,
        interner: Interner::default(),
        pods: Vec::new(),
    }
}

fn row(cells: &str) -> String {
    format!(
        r#"{{"cells":{cells},"object":{{"kind":"PartialObjectMetadata","metadata":{{"name":"web-0","namespace":"shop",
        "uid":"u-1","creationTimestamp":"2026-11-22T14:00:00Z","labels":{{"app":"web","starform.io/app":"we\u0062"}},
        "managedFields":[{{"a":[]}}]}}}}}}"#
    )
}

#[test]
fn a_row_is_a_pod() {
    let keys = vec!["starform.io/region".to_owned(), "starform.io/app".to_owned()];
    let mut pods = pods(&keys);
    pods.open(HEAD.as_bytes()).unwrap();
    pods.item(row(r#"["web-0","1/2","Running","3 (2m ago)","5m","10.0.0.1","node-a"]"#).as_bytes())
        .unwrap();
    pods.item(row(r#"["web-0","0/1","Pending",0,"5m",null,"<none>"]"#).as_bytes())
        .unwrap();
    let [running, pending] = pods.pods.as_slice() else {
        panic!("{} pods", pods.pods.len())
    };
    assert_eq!(
        (&*running.namespace, &*running.name, &*running.uid),
        ("shop", "web-0", "u-1")
    );
    assert_eq!((running.ready, running.containers, &*running.status), (1, 2, "Running"));
    assert_eq!(
        (&*running.restarts, running.node.as_deref()),
        ("3 (2m ago)", Some("node-a"))
    );
    assert_eq!(
        running.labels.iter().map(Option::as_deref).collect::<Vec<_>>(),
        [None, Some("web")]
    );
    assert_eq!((&*pending.restarts, pending.node.as_deref()), ("0", None));
}

#[test]
fn a_table_without_the_columns_is_refused() {
    let mut pods = pods(&[]);
    for head in [
        "{}",
        r#"{"columnDefinitions":[{"name":"Name"}]}"#,
        r#"{"columnDefinitions":null}"#,
    ] {
        assert!(pods.open(head.as_bytes()).is_err(), "{head}");
    }
    pods.open(HEAD.as_bytes()).unwrap();
    // A later page has none, and means those of the first.
    pods.open(br#"{"rows":[]}"#).unwrap();
    for cells in ["[]", r#"["web-0","?","Running","0","5m","",""]"#, r#"["web-0","1/1"]"#] {
        assert!(pods.item(row(cells).as_bytes()).is_err(), "{cells}");
    }
    assert!(pods.item(b"{}").is_err());
}
