use super::*;
use proptest::prelude::*;

/// An item of a list: its name.
#[derive(Clone, PartialEq, Message)]
struct Item {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Default)]
struct Names(Vec<String>);

impl ReduceMessages for Names {
    fn message(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0
            .push(Item::decode(bytes).map_err(|error| error.to_string())?.name);
        Ok(())
    }
}

/// A field with a payload, as it is written.
fn field(tag: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag << 3 | 2];
    prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn item(name: &str) -> Vec<u8> {
    field(2, &Item { name: name.to_owned() }.encode_to_vec())
}

fn type_meta(kind: &str) -> Vec<u8> {
    field(1, &[field(1, b"v1"), field(2, kind.as_bytes())].concat())
}

/// A list as the API server writes it.
fn list(names: &[&str]) -> Vec<u8> {
    let items: Vec<Vec<u8>> = names.iter().map(|name| item(name)).collect();
    // A version, a number that is not declared, and the items.
    let raw = [field(1, &field(2, b"1497")), vec![5 << 3, 0x96, 0x01], items.concat()].concat();
    [
        MAGIC.to_vec(),
        type_meta("PodList"),
        field(2, &raw),
        field(3, b""),
        field(4, b""),
    ]
    .concat()
}

fn split(bytes: &[u8], chunk: usize) -> Result<Vec<String>, SplitError> {
    let mut names = Names::default();
    let mut splitter = MessageSplitter::new("PodList");
    for chunk in bytes.chunks(chunk) {
        splitter.push(chunk, &mut names)?;
    }
    assert_eq!(splitter.items(), names.0.len() as u64);
    splitter.finish()?;
    Ok(names.0)
}

#[test]
fn the_items_do_not_depend_on_the_chunks() {
    let long = "long".repeat(100);
    let names = ["web-0", "", &long, "web-1"];
    let bytes = list(&names);
    for chunk in 1..=bytes.len() {
        assert_eq!(split(&bytes, chunk).unwrap(), names, "chunks of {chunk}");
    }
    assert_eq!(split(&list(&[]), 3).unwrap(), Vec::<String>::new());
}

#[test]
fn a_cut_at_any_byte_shows() {
    let bytes = list(&["web-0", "web-1"]);
    // What stands behind the list may end with any of its fields.
    let behind = field(3, b"").len() + field(4, b"").len();
    for end in 0..bytes.len() {
        let read = split(&bytes[..end], 5);
        if end == bytes.len() - behind || end == bytes.len() - behind / 2 {
            assert!(read.is_ok(), "{end}");
        } else {
            assert_eq!(read.err(), Some(SplitError::Truncated), "{end}");
        }
    }
}

#[test]
fn what_is_no_such_list_is_refused() {
    let raw = |raw: &[u8]| [MAGIC.to_vec(), type_meta("PodList"), field(2, raw)].concat();
    let page = raw(&field(1, &field(3, b"token")));
    let numbered = [MAGIC.to_vec(), type_meta("PodList"), vec![2 << 3, 5]].concat();
    for (bytes, says) in [
        (b"{\"kind\":\"PodList\"}".to_vec(), "does not begin"),
        (
            [MAGIC.to_vec(), type_meta("NodeList"), field(2, &[])].concat(),
            "it is no PodList",
        ),
        (
            [MAGIC.to_vec(), field(2, &item("a"))].concat(),
            "does not say that it is a PodList",
        ),
        ([raw(&[]), field(2, &[])].concat(), "two lists"),
        (
            [MAGIC.to_vec(), type_meta("PodList"), field(3, b"gzip")].concat(),
            "encoded once more",
        ),
        (page, "it is a page"),
        (raw(&[]), "no metadata"),
        (raw(&item("a")), "no metadata"),
        (numbered, "not protobuf"),
        (raw(&[2 << 3, 1]), "not protobuf"),
        (raw(&[2 << 3 | 2, 100]), "longer than what holds it"),
        (raw(&[2 << 3 | 2]), "longer than what holds it"),
        (raw(&[2 << 3 | 3, 1]), "not protobuf"),
        (raw(&[0xff; 12]), "not protobuf"),
    ] {
        for chunk in [1, 4, 100] {
            let error = split(&bytes, chunk).err();
            assert!(
                matches!(&error, Some(SplitError::Malformed(told)) if told.contains(says)),
                "{says}: {error:?}"
            );
        }
    }
    let mut large = [MAGIC.to_vec(), type_meta("PodList"), vec![2 << 3 | 2]].concat();
    prost::encoding::encode_varint(1 << 40, &mut large);
    large.push(2 << 3 | 2);
    prost::encoding::encode_varint(1 << 30, &mut large);
    assert_eq!(
        split(&large, 7).err(),
        Some(SplitError::TooLarge("one of its items", ITEM_BOUND))
    );
}

#[test]
fn a_whole_document_says_what_it_is() {
    let (kind, raw) = document(&list(&["web-0"])).unwrap();
    assert_eq!(kind, "PodList");
    assert!(raw.ends_with(&item("web-0")));
    assert_eq!(document(b"{}"), None);
    assert_eq!(document(b"k8s\0\xff"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), chunk in 1usize..50) {
        let _ = split(&[MAGIC, &bytes].concat(), chunk);
    }

    #[test]
    fn any_change_of_a_byte_is_survived(at in 0usize..100, byte: u8, chunk in 1usize..50) {
        let mut bytes = list(&["web-0", "web-1"]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = split(&bytes, chunk);
    }
}
