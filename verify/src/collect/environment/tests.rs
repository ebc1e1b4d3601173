use super::*;
use rstest::rstest;

const LINKS: Others = Others {
    env_from: false,
    service_links: true,
};

fn variables(json: &str) -> Vec<Variable> {
    serde_json::from_str(json).unwrap()
}

fn environment(json: &str, others: Others) -> Environment {
    Environment::public(&variables(json), others)
}

/// After the words of `k8s.io/api/core/v1/types.go` on `args`, and `third_party/forked/golang/expansion/expand.go`.
#[rstest]
#[case::whole("$(VAR_A)", "A")]
#[case::embedded("___$(VAR_B)___", "___B___")]
#[case::several("$(VAR_A)_$(VAR_B)$(VAR_A)", "A_BA")]
#[case::blank("a$(VAR_EMPTY)b", "ab")]
#[case::not_again("$(VAR_REF)", "A")]
#[case::escaped("$$(VAR_A)", "$(VAR_A)")]
#[case::escaped_twice("$$$$(VAR_A)", "$$(VAR_A)")]
#[case::an_escape_and_a_reference("$$$(VAR_A)", "$A")]
#[case::undefined("$(VAR_DNE)", "$(VAR_DNE)")]
#[case::no_name("$()", "$()")]
#[case::not_closed("$(VAR_A", "$(VAR_A")]
#[case::not_closed_then_text("foo$(VAR_A bar", "foo$(VAR_A bar")]
#[case::shell_form("$VAR_A ${VAR_A}", "$VAR_A ${VAR_A}")]
#[case::at_the_end("VAR_A$", "VAR_A$")]
#[case::not_ascii("$é$(VAR_A)é", "$éAé")]
#[case::a_name_that_is_odd("$(VAR_A$(VAR_B))", "$(VAR_A$(VAR_B))")]
fn a_reference_is_filled_in_once(#[case] text: &str, #[case] expected: &str) {
    let environment = environment(
        r#"[{"name":"VAR_A","value":"A"},{"name":"VAR_B","value":"B"},{"name":"VAR_EMPTY"},
        {"name":"VAR_REF","value":"$(VAR_A)"}]"#,
        LINKS,
    );
    let argument = environment.argument(text);
    assert_eq!((argument.text.as_str(), argument.unread()), (expected, None));
}

#[test]
fn a_variable_refers_to_those_before_it_and_the_last_of_a_name_counts() {
    let environment = environment(
        r#"[{"name":"LATE","value":"$(KEYS)"},{"name":"KEYS","value":"a"},{"name":"KEYS","value":"$(KEYS),b"},
        {"name":"LIST","value":"pods=[$(KEYS)]"},{"name":"ESCAPED","value":"$$(KEYS)"}]"#,
        LINKS,
    );
    for (text, expected) in [
        ("$(LIST)", "pods=[a,b]"),
        ("$(LATE)", "$(KEYS)"),
        // What an expansion gives is not expanded again.
        ("$(ESCAPED)", "$(KEYS)"),
    ] {
        assert_eq!(environment.argument(text).text, expected, "{text}");
    }
}

#[rstest]
#[case("FROM_MAP", "variable FROM_MAP comes from a ConfigMap")]
#[case("FROM_SECRET", "variable FROM_SECRET comes from a Secret")]
#[case("POD_NAME", "variable POD_NAME comes from a field of the pod")]
#[case("LIMIT", "variable LIMIT comes from a resource of the container")]
#[case("FROM_FILE", "variable FROM_FILE comes from elsewhere")]
#[case("DERIVED", "variable POD_NAME comes from a field of the pod")]
#[case("DB_PASSWORD", "variable DB_PASSWORD may hold a credential")]
#[case("DERIVED_TOO", "variable DB_PASSWORD may hold a credential")]
#[case(
    "KUBERNETES_SERVICE_HOST",
    "variable KUBERNETES_SERVICE_HOST may be one of a Service"
)]
#[case("SHOP_PORT_80_TCP_ADDR", "variable SHOP_PORT_80_TCP_ADDR may be one of a Service")]
#[case("SHOP_SERVICE_PORT_HTTP", "variable SHOP_SERVICE_PORT_HTTP may be one of a Service")]
fn what_comes_from_elsewhere_is_not_known(#[case] name: &str, #[case] why: &str) {
    let environment = environment(
        r#"[{"name":"FROM_MAP","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}},
        {"name":"FROM_SECRET","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
        {"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
        {"name":"LIMIT","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
        {"name":"FROM_FILE","valueFrom":{"fileKeyRef":{"key":"k"}}},
        {"name":"DERIVED","value":"x-$(POD_NAME)"},
        {"name":"DB_PASSWORD","value":"hush"},{"name":"DERIVED_TOO","value":"$(DB_PASSWORD)"}]"#,
        LINKS,
    );
    let argument = environment.argument(&format!("--a=$({name})"));
    assert_eq!(argument.unread(), Some(why));
    assert_eq!(argument.text, format!("--a=$({name})"));
}

#[test]
fn a_name_that_nothing_defines_stays_unless_something_unseen_may_define_it() {
    let others = |env_from, service_links| Others {
        env_from,
        service_links,
    };
    let unread = |name: &str, others: Others| {
        let argument = environment("[]", others).argument(&format!("$({name})"));
        argument.unread().is_some()
    };
    assert!(!unread("LIST", LINKS));
    assert!(unread("LIST", others(true, false)));
    assert!(unread("SHOP_SERVICE_HOST", others(false, true)));
    assert!(!unread("SHOP_SERVICE_HOST", others(false, false)));
    assert!(unread("KUBERNETES_SERVICE_HOST", others(false, false)));
}

#[rstest]
#[case::a_value("--list=$(POD_NAME)", false)]
#[case::all_of_it("$(POD_NAME)", true)]
#[case::the_name("--$(POD_NAME)=1", true)]
#[case::half_of_the_name("--li$(POD_NAME)", true)]
#[case::a_word_that_is_no_flag("list-$(POD_NAME)", false)]
#[case::nothing_unread("--list=1", false)]
fn a_flag_may_be_hidden_too(#[case] text: &str, #[case] hidden: bool) {
    let environment = environment(
        r#"[{"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]"#,
        LINKS,
    );
    assert_eq!(environment.argument(text).hides_its_flag().is_some(), hidden);
}
