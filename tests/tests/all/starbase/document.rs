//! Validates requests and answers by `manifests/starbase/openapi.yaml`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::{Draft, JSONSchema};
use serde_json::{Value, json};
use testbed::Exchange;

/// The document.
pub(crate) struct Document(Value);

impl Document {
    /// As it stands in the repository.
    pub(crate) fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/starbase/openapi.yaml");
        Self(serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap())
    }

    /// What an exchange has against it.
    pub(crate) fn faults_of(&self, exchange: &Exchange) -> Vec<String> {
        let mut found = Vec::new();
        let Some((path, operation)) = self.operation(exchange) else {
            return vec![format!("{} {} is no operation", exchange.method, exchange.path)];
        };
        self.request(exchange, path, operation, &mut found);
        if let Some(answer) = &exchange.answer {
            let response = &operation["responses"][answer.status.to_string()];
            if response.is_null() {
                found.push(format!("status {} is not in the document", answer.status));
            } else {
                let response = self.resolved(response);
                self.headers(&response["headers"], &answer.headers, &mut found);
                self.body(&response["content"], &answer.headers, &answer.body, &mut found);
            }
        }
        found
            .iter()
            .map(|fault| format!("{} {}: {fault}", exchange.method, exchange.path))
            .collect()
    }

    /// Every operation and status that the document has.
    pub(crate) fn statuses(&self) -> BTreeSet<(String, u16)> {
        self.operations()
            .flat_map(|(_, _, operation)| {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                let responses = operation["responses"].as_object().unwrap();
                responses
                    .keys()
                    .map(move |status| (id.clone(), status.parse().unwrap()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Which operation an exchange is.
    pub(crate) fn operation_id(&self, exchange: &Exchange) -> Option<&str> {
        self.operation(exchange)?.1["operationId"].as_str()
    }

    /// Every example in the document, with the schema that it has to keep.
    pub(crate) fn examples(&self) -> Vec<(Value, Value)> {
        let mut found = Vec::new();
        self.gather(&self.0, &mut found);
        found
    }

    /// Whether a value keeps a schema of the document.
    pub(crate) fn keeps(&self, schema: &Value, value: &Value) -> Result<(), String> {
        // References are pointers from the root: the components stand where they stand in the document.
        let root = json!({ "components": self.0["components"], "allOf": [schema] });
        let compiled = JSONSchema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .compile(&root)
            .unwrap_or_else(|error| panic!("{schema}: {error}"));
        compiled.validate(value).map_err(|errors| {
            let errors: Vec<String> = errors
                .map(|error| format!("{} at {}", error, error.instance_path))
                .collect();
            errors.join("; ")
        })
    }

    fn gather(&self, node: &Value, found: &mut Vec<(Value, Value)>) {
        if let Some(object) = node.as_object() {
            if let Some(schema) = object.get("schema") {
                let several = object.get("examples").and_then(Value::as_object);
                for example in several.into_iter().flat_map(serde_json::Map::values) {
                    found.push((schema.clone(), self.resolved(example)["value"].clone()));
                }
                found.extend(object.get("example").map(|example| (schema.clone(), example.clone())));
            }
            for value in object.values() {
                self.gather(value, found);
            }
        }
        if let Some(array) = node.as_array() {
            for value in array {
                self.gather(value, found);
            }
        }
    }

    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            (item.as_object().unwrap().iter())
                .filter(|(method, _)| *method != "parameters")
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    fn operation(&self, exchange: &Exchange) -> Option<(&str, &Value)> {
        self.operations()
            .find(|(path, method, _)| {
                method.eq_ignore_ascii_case(&exchange.method) && cluster_id(path, &exchange.path).is_some()
            })
            .map(|(path, _, operation)| (path, operation))
    }

    fn request(&self, exchange: &Exchange, path: &str, operation: &Value, found: &mut Vec<String>) {
        let shared = self.0["paths"][path]["parameters"].as_array();
        let own = operation["parameters"].as_array();
        for parameter in shared.into_iter().chain(own).flatten() {
            let parameter = self.resolved(parameter);
            let name = parameter["name"].as_str().unwrap();
            let value = match parameter["in"].as_str().unwrap() {
                "path" => cluster_id(path, &exchange.path),
                "header" => header(&exchange.headers, name),
                other => panic!("parameters in {other} are not known here"),
            };
            self.text(name, parameter, value, found);
        }
        match header(&exchange.headers, "authorization") {
            Some(value) if value.starts_with("Bearer ") => {}
            other => found.push(format!("no bearer token: {other:?}")),
        }
        let body = &operation["requestBody"];
        if body.is_null() {
            if !exchange.body.is_empty() {
                found.push("a body where none belongs".to_owned());
            }
        } else {
            self.body(&body["content"], &exchange.headers, &exchange.body, found);
        }
    }

    fn headers(&self, wanted: &Value, given: &[(String, String)], found: &mut Vec<String>) {
        for (name, description) in wanted.as_object().into_iter().flatten() {
            self.text(name, self.resolved(description), header(given, name), found);
        }
    }

    fn text(&self, name: &str, description: &Value, value: Option<&str>, found: &mut Vec<String>) {
        match value {
            None if description["required"] == true => found.push(format!("`{name}` is missing")),
            None => {}
            Some(value) => {
                if let Err(error) = self.keeps(&description["schema"], &json!(value)) {
                    found.push(format!("`{name}`: {error}"));
                }
            }
        }
    }

    fn body(&self, content: &Value, headers: &[(String, String)], body: &str, found: &mut Vec<String>) {
        if content.is_null() {
            if !body.is_empty() {
                found.push("a body where none belongs".to_owned());
            }
            return;
        }
        let media = header(headers, "content-type").unwrap_or_default();
        let schema = &content[media]["schema"];
        if schema.is_null() {
            found.push(format!("content type `{media}` is not in the document"));
            return;
        }
        match serde_json::from_str(body) {
            Ok(value) => found.extend(self.keeps(schema, &value).err()),
            Err(error) => found.push(format!("the body is no JSON: {error}")),
        }
    }

    fn resolved<'a>(&'a self, node: &'a Value) -> &'a Value {
        let Some(reference) = node["$ref"].as_str() else {
            return node;
        };
        let target = self.0.pointer(reference.trim_start_matches('#'));
        target.unwrap_or_else(|| panic!("{reference} points at nothing"))
    }
}

/// The one variable part of a path.
fn cluster_id<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once("{clusterId}")?;
    path.strip_prefix(before)?
        .strip_suffix(after)
        .filter(|id| !id.contains('/'))
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value.as_str()))
}
