use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Default)]
struct All {
    items: Vec<Value>,
}

impl Reduce for All {
    fn item(&mut self, json: &[u8]) -> Result<(), String> {
        self.items
            .push(serde_json::from_slice(json).map_err(|error| error.to_string())?);
        Ok(())
    }
}

fn split(text: &str, chunk: usize) -> Result<(All, Value), SplitError> {
    let mut all = All::default();
    let mut splitter = Splitter::new();
    for chunk in text.as_bytes().chunks(chunk) {
        splitter.push(chunk, &mut all)?;
    }
    let envelope = splitter.finish()?;
    Ok((all, serde_json::from_slice(&envelope).unwrap()))
}

#[test]
fn items_and_envelope_do_not_depend_on_the_chunks() {
    let text = r#" {"kind":"PodList","metadata":{"items":[1,2],"continue":"a\"}]"},"note":"items",
        "items": [ {"a":"}]\\\"{"} , {"b":[{"items":[]}]},{}],"after":{"items":[3]}} "#;
    let whole: Value = serde_json::from_str(text).unwrap();
    for chunk in 1..text.len() {
        let (all, envelope) = split(text, chunk).unwrap();
        assert_eq!(Value::Array(all.items), whole["items"], "chunks of {chunk}");
        assert_eq!(envelope["metadata"], whole["metadata"]);
        assert_eq!(envelope["after"], whole["after"]);
        assert_eq!(envelope["items"], json!([]));
    }
}

#[test]
fn what_is_no_list_is_refused() {
    for text in [
        "<html>",
        "[]",
        "null",
        "{\"items\":[1]}",
        "{\"items\":[null]}",
        "{\"items\":[{},]}",
        "{\"items\":[,{}]}",
        "{\"items\":[{}{}]}",
        "{\"items\":[{}],\"items\":[]}",
        "{}}",
    ] {
        assert!(matches!(split(text, 3), Err(SplitError::Malformed(_))), "{text}");
    }
}

#[test]
fn a_cut_at_any_byte_shows() {
    let text = r#"{"kind":"L","items":[{"a":"b"},{"c":1}],"z":1}"#;
    for end in 0..text.len() {
        assert_eq!(split(&text[..end], 5).err(), Some(SplitError::Truncated), "{end}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1usize..50) {
        let mut splitter = Splitter::new();
        let mut all = All::default();
        for chunk in bytes.chunks(chunk) {
            if splitter.push(chunk, &mut all).is_err() { return Ok(()); }
        }
        let _ = splitter.finish();
    }

    #[test]
    fn any_mix_of_structure_is_survived(text in r#"(\{|\}|\[|\]|"items"|"a"|:|,|1| |\\|")*"#, chunk in 1usize..9) {
        let mut splitter = Splitter::new();
        let mut all = All::default();
        for chunk in text.as_bytes().chunks(chunk) {
            if splitter.push(chunk, &mut all).is_err() { return Ok(()); }
        }
        let _ = splitter.finish();
    }
}
