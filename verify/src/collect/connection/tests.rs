//! Nothing in a kubeconfig panics. Nothing is connected to but a port of this machine that nobody listens on.

use super::*;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

/// Every string of a kubeconfig that is read of a context, its cluster and its user, as pointers; and what it is put behind
/// where it is a program that would be run.
const FIELDS: [(&str, &str); 36] = [
    ("/apiVersion", ""),
    ("/kind", ""),
    ("/current-context", ""),
    ("/preferences/extensions/0/name", ""),
    ("/extensions/0/name", ""),
    ("/clusters/0/name", ""),
    ("/clusters/0/cluster/server", ""),
    ("/clusters/0/cluster/certificate-authority", ""),
    ("/clusters/0/cluster/certificate-authority-data", ""),
    ("/clusters/0/cluster/proxy-url", ""),
    ("/clusters/0/cluster/tls-server-name", ""),
    ("/contexts/0/name", ""),
    ("/contexts/0/context/cluster", ""),
    ("/contexts/0/context/user", ""),
    ("/contexts/0/context/namespace", ""),
    ("/users/0/name", ""),
    ("/users/0/user/username", ""),
    ("/users/0/user/password", ""),
    ("/users/0/user/token", ""),
    ("/users/0/user/tokenFile", ""),
    ("/users/0/user/client-certificate", ""),
    ("/users/0/user/client-certificate-data", ""),
    ("/users/0/user/client-key", ""),
    ("/users/0/user/client-key-data", ""),
    ("/users/0/user/as", ""),
    ("/users/0/user/as-uid", ""),
    ("/users/0/user/as-groups/0", ""),
    ("/users/0/user/as-user-extra/scopes/0", ""),
    ("/users/0/user/auth-provider/name", ""),
    ("/users/0/user/auth-provider/config/id-token", ""),
    ("/users/0/user/auth-provider/config/expiry", ""),
    ("/users/0/user/auth-provider/config/cmd-path", "/nonexistent/"),
    ("/users/0/user/exec/apiVersion", ""),
    ("/users/0/user/exec/command", "/nonexistent/"),
    ("/users/0/user/exec/args/0", ""),
    ("/users/0/user/exec/env/0/value", ""),
];

/// A kubeconfig that can be connected by, with what the field needs around it.
fn kubeconfig(field: &str) -> Value {
    let mut user = json!({});
    if field.contains("/username") || field.contains("/password") {
        user = json!({"username": "me", "password": "hush"});
    } else if field.contains("/auth-provider/") {
        let name = if field.ends_with("id-token") { "oidc" } else { "gcp" };
        user["auth-provider"] = json!({"name": name, "config": {"access-token": "hush"}});
    } else if field.contains("/exec/") {
        user["exec"] = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/nonexistent/plugin",
            "args": ["a"], "env": [{"name": "A", "value": "b"}], "interactiveMode": "Never"});
    } else if field.contains("/as") {
        user = json!({"as": "me", "as-groups": ["us"], "as-user-extra": {"scopes": ["a"]}});
    }
    json!({"apiVersion": "v1", "kind": "Config", "preferences": {"extensions": [{"name": "a", "extension": {}}]},
        "extensions": [{"name": "a", "extension": {}}], "current-context": "here",
        "clusters": [{"name": "blue", "cluster": {"server": "https://127.0.0.1:1", "proxy-url": NOBODY,
            "insecure-skip-tls-verify": true}}],
        "contexts": [{"name": "here", "context": {"cluster": "blue", "user": "me", "namespace": "a"}}],
        "users": [{"name": "me", "user": user}]})
}

fn put(kubeconfig: &mut Value, field: &str, text: &str) {
    let (place, key) = field.rsplit_once('/').unwrap();
    match kubeconfig.pointer_mut(place).unwrap() {
        Value::Array(values) => values[key.parse::<usize>().unwrap()] = text.into(),
        place => place[key] = text.into(),
    }
}

/// Connects, and asks for what nobody answers. A panic of kube's own is told by the message of a plugin's end.
fn connect(kubeconfig: &Value, asks: bool) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(kubeconfig.to_string().as_bytes()).unwrap();
    let options = ConnectOptions {
        kubeconfig: Some(file.path().to_owned()),
        request_timeout: Duration::from_secs(2),
        ..ConnectOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match Connection::from_kubeconfig(&options).await {
            Ok(connection) if asks => {
                let request = Request::get("/version").body(Vec::new()).unwrap();
                let answer = tokio::time::timeout(Duration::from_secs(2), connection.client.request_text(request));
                assert!(!matches!(answer.await, Ok(Ok(_))), "somebody answered");
            }
            Ok(_) => {}
            Err(error) => assert!(
                !error.to_string().contains("are none that a request can carry"),
                "{kubeconfig}: {error}"
            ),
        }
    });
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9:/@?#%*.\\[\\]-]{0,24}",
        "(https?|socks5|ftp|)(://|:|)[a-z0-9@.:\\[\\]-]{0,16}[/?#]{0,2}[a-z%]{0,4}",
        "[ -~]{0,16}[\\x00-\\x1f\\x7f]{0,2}[ -~]{0,4}",
        "[A-Za-z0-9+/]{0,12}={0,3}",
        Just("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCllRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_string_of_a_kubeconfig_panics((field, behind) in prop::sample::select(&FIELDS[..]), text in text()) {
        let mut kubeconfig = kubeconfig(field);
        put(&mut kubeconfig, field, &format!("{behind}{text}"));
        // A proxy of any name would be looked for.
        connect(&kubeconfig, !field.ends_with("proxy-url"));
    }

    #[test]
    fn no_server_and_no_token_panics(server in text(), token in text()) {
        let mut kubeconfig = kubeconfig("/users/0/user/token");
        put(&mut kubeconfig, "/users/0/user/token", &token);
        put(&mut kubeconfig, "/clusters/0/cluster/server", &server);
        connect(&kubeconfig, true);
    }
}
