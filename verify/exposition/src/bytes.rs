//! The bytes that mean something in both formats.

/// Bytes that a name may begin with.
pub(super) const NAME_START: u8 = 1;
/// Bytes that may follow in a name.
pub(super) const NAME: u8 = 2;
/// What a metric's name may have beyond them.
pub(super) const COLON: u8 = 4;

/// Which bytes may stand in a name that is not quoted: promlex.l's L, L with D, and what M has beyond them.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte: u8 = 0;
    loop {
        classes[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NAME_START | NAME,
            b'0'..=b'9' => NAME,
            b':' => COLON,
            _ => 0,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Whether a byte is in one of these classes.
#[inline]
pub(super) fn is_in(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// The first quote or backslash. Values are short: eight bytes at once in place are faster than a call of memchr2.
#[inline]
pub(super) fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Of a word, bit 7 of its first byte that is this one, and perhaps of later ones.
    let is = |word: u64, byte: u8| {
        let zero_there = word ^ (ONES * u64::from(byte));
        zero_there.wrapping_sub(ONES) & !zero_there & (ONES << 7)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = is(word, b'"') | is(word, b'\\');
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(words.len() * 8 + found)
}

/// Whether this byte may stand in a metric's name that is not quoted.
pub(super) fn is_name_byte(byte: u8) -> bool {
    is_in(byte, NAME | COLON)
}

/// Whether this is a metric's name that needs no quotes.
pub(super) fn is_bare_name(name: &str) -> bool {
    name.bytes().all(is_name_byte) && !name.bytes().next().is_none_or(|first| first.is_ascii_digit())
}

/// promlex.l's white space.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::quote_or_backslash;

    #[test]
    fn the_first_quote_or_backslash_is_found_wherever_it_stands() {
        // Bytes that differ from one of the two in one bit, or in the highest, and one behind which borrowing carries.
        let others = [b'a', b'"' ^ 1, b'\\' ^ 1, b'"' | 0x80, b'\\' | 0x80, 0, 0xff, 1];
        for length in 0..=26 {
            for other in others {
                let plain = vec![other; length];
                assert_eq!(quote_or_backslash(&plain), None, "{plain:?}");
                for (first, second) in (0..length).flat_map(|first| (first..length).map(move |second| (first, second)))
                {
                    for (one, two) in [(b'"', b'\\'), (b'\\', b'"')] {
                        let mut bytes = plain.clone();
                        (bytes[second], bytes[first]) = (two, one);
                        assert_eq!(quote_or_backslash(&bytes), Some(first), "{bytes:?}");
                    }
                }
            }
        }
    }
}
