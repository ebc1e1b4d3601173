//! How evidence is read: what a reader does not know it leaves out, and what it needs it does not take for granted.

use serde::de::{DeserializeOwned, IgnoredAny, IntoDeserializer, MapAccess, Visitor, value};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A field that may be null and may not be missing: its absence would say that there is nothing, and by that pass.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// One of several words, where it is one that this version knows; a later version may have more.
pub(super) fn known_word<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let word: Option<String> = Option::deserialize(from)?;
    Ok(word.and_then(|word| of_word(&word)))
}

/// A map of which only the keys are kept that this version knows.
pub(super) fn known_keys<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: DeserializeOwned + Ord,
    V: Deserialize<'de>,
{
    from.deserialize_map(KnownKeys(PhantomData))
}

struct KnownKeys<K, V>(PhantomData<(K, V)>);

impl<'de, K: DeserializeOwned + Ord, V: Deserialize<'de>> Visitor<'de> for KnownKeys<K, V> {
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = from.next_key::<String>()? {
            match of_word(&key) {
                Some(key) => _ = map.insert(key, from.next_value()?),
                None => _ = from.next_value::<IgnoredAny>()?,
            }
        }
        Ok(map)
    }
}

fn of_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    let word: value::StrDeserializer<'_, value::Error> = word.into_deserializer();
    T::deserialize(word).ok()
}
