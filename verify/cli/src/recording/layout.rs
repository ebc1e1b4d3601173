//! Breaks compact JSON into lines that `diff` and a reader can follow.

/// A list or object that is no longer than this stands on one line.
const LINE: usize = 200;

/// Breaks every list and object that is too long for a line, and no other. Keys keep their order, and the order of
/// evidence is that of its types.
pub(super) fn lines(compact: &str) -> String {
    let ends = ends(compact);
    let bytes = compact.as_bytes();
    let mut out = String::with_capacity(compact.len() + compact.len() / 4);
    let mut depth = 0;
    let mut at = 0;
    let mut from = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' if ends[at] - at < LINE => at = ends[at],
            b'{' | b'[' => {
                depth += 1;
                out.push_str(&compact[from..=at]);
                from = at + 1;
                line(&mut out, depth);
            }
            b'}' | b']' => {
                depth -= 1;
                out.push_str(&compact[from..at]);
                from = at;
                line(&mut out, depth);
            }
            b',' => {
                out.push_str(&compact[from..=at]);
                from = at + 1;
                line(&mut out, depth);
            }
            b':' => {
                out.push_str(&compact[from..=at]);
                out.push(' ');
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&compact[from..]);
    out.push('\n');
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth));
}

/// For each bracket that opens, where it closes.
fn ends(compact: &str) -> Vec<usize> {
    let bytes = compact.as_bytes();
    let mut ends = vec![0; bytes.len()];
    let mut open = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' => open.push(at),
            b'}' | b']' => {
                if let Some(start) = open.pop() {
                    ends[start] = at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    ends
}

/// Where the string that starts at `at` ends.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*[\"\\\\{},:\\[\\]]*\\PC{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{1,8}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_added(value in json()) {
            let compact = value.to_string();
            let read: Value = serde_json::from_str(&lines(&compact)).unwrap();
            prop_assert_eq!(read, value);
        }
    }

    #[test]
    fn long_lists_stand_one_item_a_line() {
        let item = format!("{{\"name\":\"{}\"}}", "x".repeat(LINE / 2));
        let compact = format!("{{\"short\":[1,2],\"long\":[{item},{item}]}}");
        assert_eq!(
            lines(&compact),
            format!("{{\n \"short\": [1,2],\n \"long\": [\n  {item},\n  {item}\n ]\n}}\n")
        );
    }
}
