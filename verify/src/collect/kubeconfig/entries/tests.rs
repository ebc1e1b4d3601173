use super::*;
use kube::config::Kubeconfig;
use rstest::rstest;
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "made where it is given")]
fn fit(cluster: Value, user: Value) -> Result<Option<String>, String> {
    let kubeconfig = json!({"clusters": [{"name": "blue", "cluster": cluster}], "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "blue", "user": "me"}}], "current-context": "here"});
    let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig).unwrap();
    let found = Found {
        read_from: String::new(),
        kubeconfig,
        context: "here".to_owned(),
    };
    let fit = found
        .fit()
        .map_err(|error| format!("{error}; {}", error.tool_error().hints.join("; ")))?;
    Ok(fit.kubeconfig.clusters[0]
        .cluster
        .clone()
        .and_then(|cluster| cluster.server))
}

#[rstest]
#[case::authority(json!({"certificate-authority-data": "YQ=="}), json!({}))]
#[case::authority_in_a_file(json!({"certificate-authority": "/ca.crt"}), json!({}))]
#[case::unverified(json!({"insecure-skip-tls-verify": true}), json!({}))]
#[case::client_certificate(json!({}), json!({"client-certificate": "/c.crt", "client-key": "/c.key"}))]
#[case::client_certificate_data(json!({}), json!({"client-certificate-data": "YQ=="}))]
fn a_server_without_a_scheme_is_reached_by_tls_where_something_speaks_of_it(
    #[case] mut cluster: Value,
    #[case] user: Value,
) {
    for server in [
        "10.0.0.1:6443",
        "api.example",
        "localhost:6443",
        "[fd00::1]:6443",
        "api.example/",
    ] {
        cluster["server"] = server.into();
        let expected = format!("https://{server}");
        assert_eq!(fit(cluster.clone(), user.clone()), Ok(Some(expected)), "{server}");
    }
}

#[rstest]
#[case(json!({}), json!({"token": "hush"}))]
#[case::empty(json!({"certificate-authority-data": ""}), json!({"client-certificate-data": ""}))]
#[case::verified(json!({"insecure-skip-tls-verify": false}), json!({}))]
fn else_it_is_asked_for_its_scheme(#[case] mut cluster: Value, #[case] user: Value) {
    cluster["server"] = "me:hush@api.example:6443".into();
    let error = fit(cluster, user).unwrap_err();
    assert!(
        error.contains("the kubeconfig's server at \"api.example\" has no scheme"),
        "{error}"
    );
    assert!(error.contains("kubectl config set-cluster blue --server"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[rstest]
#[case("https://api.example:6443", true)]
#[case("http://127.0.0.1:8080", true)]
#[case("HTTPS://api.example/k8s/clusters/c-1", true)]
#[case("ftp://api.example", false)]
#[case("unix:///run/api.sock", false)]
#[case("https://", false)]
#[case("https:///path", false)]
#[case("api.example/path", false)]
#[case("api.example?query", false)]
#[case("/path", false)]
#[case("*", true)]
#[case("a b", false)]
#[case("", false)]
fn an_address_is_one_that_can_be_asked(#[case] server: &str, #[case] readable: bool) {
    let fit = fit(json!({"server": server, "insecure-skip-tls-verify": true}), json!({}));
    assert_eq!(fit.is_ok(), readable, "{server:?}: {fit:?}");
}

#[rstest]
#[case(json!({"token": "hush\n"}))]
#[case(json!({"token": "hu\u{0}sh"}))]
#[case(json!({"auth-provider": {"name": "oidc", "config": {"id-token": "hush\r\n"}}}))]
#[case(json!({"auth-provider": {"name": "gcp", "config": {"access-token": "hush\u{7f}"}}}))]
fn a_token_that_no_request_can_carry_is_refused_and_not_repeated(#[case] user: Value) {
    let error = fit(json!({"server": "https://api.example"}), user).unwrap_err();
    assert!(error.contains("a character in it that no request can carry"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn what_is_missing_is_left_to_be_told() {
    assert_eq!(fit(json!({}), json!({"token": "hush"})), Ok(None));
}
