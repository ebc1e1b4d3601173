//! Values and timestamps, as Prometheus reads them with Go's strconv.

/// A sample's value (model/textparse, promparse.go, `parseFloat`): Go's decimal floats, `Inf`, `Infinity` and `NaN` in
/// any case. No underscores, no hexadecimal (both need what Prometheus forbids), no sign before `NaN`, and no number
/// beyond the largest float.
pub(super) fn float(text: &str) -> Option<f64> {
    if let Some(small) = small_integer(text.as_bytes()) {
        return Some(f64::from(small));
    }
    // Rust reads the same grammar but for the two differences below.
    let value: f64 = text.parse().ok()?;
    let refused = (value.is_nan() && matches!(text.as_bytes(), [b'+' | b'-', ..]))
        || (value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()));
    (!refused).then_some(value)
}

/// Text 0.0.4's timestamp (promlex.l, `{D}+`): milliseconds, digits only.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// OpenMetrics' timestamp: seconds, any finite float. Cut to milliseconds as Prometheus does (openmetricsparse.go,
/// `parseSeriesEndOfLine`); beyond 64 bits, where Go's result depends on the processor, the nearest there is.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let seconds = float(text).filter(|seconds| seconds.is_finite())?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "cutting is what Prometheus does, and `as` saturates"
    )]
    let milliseconds = (seconds * 1000.0) as i64;
    Some(milliseconds)
}

/// Most values are 0, 1 or another small number.
fn small_integer(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::{float, milliseconds, seconds};

    #[test]
    fn values_are_gos() {
        for (text, value) in [
            ("0", 0.0),
            ("1", 1.0),
            ("123456789", 123_456_789.0),
            ("1234567890123", 1_234_567_890_123.0),
            ("+5", 5.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("1.e3", 1000.0),
            ("1.6e+09", 1.6e9),
            ("4.9351E-05", 4.9351e-5),
            ("1e-999", 0.0),
            ("inf", f64::INFINITY),
            ("+Inf", f64::INFINITY),
            ("-infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        assert!(float("NaN").is_some_and(f64::is_nan) && float("nan").is_some_and(f64::is_nan));
        assert!(float("-0").is_some_and(f64::is_sign_negative));
        for text in [
            "", ".", "+", "-NaN", "+nan", "1_0", "0x10", "0x1p2", "1e999", "-1e999", "1e", "infin", "1\r", "١",
        ] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_differ_by_format() {
        assert_eq!(milliseconds("1500"), Some(1500));
        for text in ["", "-5", "+5", "1.5", "9223372036854775808"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
        for (text, expected) in [("1.5", 1500), ("-0.0019", -1), ("1e3", 1_000_000), ("1e300", i64::MAX)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "NaN", "+Inf", "#"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
