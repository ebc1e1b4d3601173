//! Which attributes hold credentials, by Alloy's reference.
//!
//! Made from grafana/alloy v1.18.1: every argument that `docs/sources/reference` types as `secret`, `map(list(secret))` or
//! "string or secret", and every field of type `alloytypes.Secret` or `alloytypes.OptionalSecret` below `internal`. Beyond
//! that, what is called like one, wherever it stands: blocks of modules and of later versions are not in that list.

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// A credential.
    Credential,
    /// Headers by name, some of them credentials.
    Headers,
    /// A document that may have credentials in it, of which the reference says "string or secret".
    Document,
    /// Alloy's configuration once more (`import.string`).
    Module,
    /// Names by name: what is called like a credential there is the name of a field or a label.
    Names,
    /// A pattern, in which an `@` has no meaning.
    Pattern,
    /// Anything else.
    Other,
}

/// Those that the reference types as secret.
const SECRETS: [&str; 28] = [
    "api_key",
    "api_token",
    "application_credential_secret",
    "application_secret",
    "auth_token",
    "bearer_token",
    "client_certificate_key",
    "client_secret",
    "connection_string",
    "consumer_key",
    "credentials",
    "data_source_name",
    "data_source_names",
    "global_config",
    "hmac_key",
    "key_pem",
    "mongodb_uri",
    "passphrase",
    "password",
    "private_key_password",
    "redis_password",
    "sasl_password",
    "secret",
    "secret_key",
    "token",
    // Typed as strings, and credentials all the same: `prometheus.exporter.elasticsearch`, and what is common elsewhere.
    "client_private_key",
    "account_key",
    "shared_key",
];

/// What is called like a credential.
const WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private_key",
    "connection_string",
];

/// How the name of what is none ends though it has such a word: it says where one is, or of what kind. The reference types
/// `private_key_path` as secret too; it is a path.
const NOT_ITSELF: [&str; 14] = [
    "_file",
    "_path",
    "_file_path",
    "_url",
    "_uri",
    "_name",
    "_names",
    "_id",
    "_type",
    "_ttl",
    "_provider",
    "_passthrough",
    "_histogram",
    "_params",
];

/// Words in the names of HTTP headers that carry credentials.
const HEADERS: [&str; 6] = ["authorization", "token", "key", "secret", "password", "cookie"];

/// What an attribute holds, by the blocks around it, the outermost first, and its name.
pub(super) fn holds(blocks: &[String], name: &str) -> Holds {
    let block = blocks.last().map(String::as_str).unwrap_or_default();
    let is_in = |component: &str| blocks.iter().any(|block| block == component);
    match name {
        // A key of other blocks is a name: of a label, an attribute, an object.
        "key" if block == "ssh_key" || is_in("otelcol.receiver.datadog") => Holds::Credential,
        // Elsewhere the public half of a pair.
        "access_key" if is_in("loki.source.awsfirehose") => Holds::Credential,
        "content" if block == "import.string" => Holds::Module,
        "config" | "query_config" => Holds::Document,
        "mapping" | "labels" | "external_labels" | "static_labels" | "expressions" => Holds::Names,
        "values" if block.starts_with("stage.") => Holds::Names,
        "regex" | "expression" | "selector" => Holds::Pattern,
        // Names of headers only.
        "allowed_headers" | "extract_headers" | "track_request_headers" => Holds::Other,
        _ if name.ends_with("headers") || name.ends_with("connect_header") => Holds::Headers,
        _ if is_credential(name) => Holds::Credential,
        _ => Holds::Other,
    }
}

/// Whether it is called like a credential.
pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.contains(&name.as_str())
        || (WORDS.iter().any(|word| name.contains(word)) && !NOT_ITSELF.iter().any(|end| name.ends_with(end)))
}

/// Whether a header of that name carries a credential.
pub(super) fn is_credential_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HEADERS.iter().any(|word| name.contains(word))
}
