//! Sizes as configuration files write them.

/// Bytes of a size: `10Gi`, `8GiB`, `2G`, `512M`, `16777216`. `None` where it is none.
///
/// Kubernetes, VictoriaMetrics and Fluent Bit agree on the letters; a `B` behind them says nothing.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim().to_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let factor = match unit {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        "ki" => f64::from(1 << 10),
        "mi" => f64::from(1 << 20),
        "gi" => f64::from(1 << 30),
        "ti" => f64::from(1 << 20) * f64::from(1 << 20),
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("16777216", Some(16_777_216.0))]
    #[case("10Gi", Some(10_737_418_240.0))]
    #[case("8GiB", Some(8_589_934_592.0))]
    #[case("2G", Some(2e9))]
    #[case("1.5M", Some(1.5e6))]
    #[case("500 KB", Some(5e5))]
    #[case("3t", Some(3e12))]
    #[case("2Ki", Some(2048.0))]
    #[case("4Mi", Some(4_194_304.0))]
    #[case("1Ti", Some(1_099_511_627_776.0))]
    #[case("", None)]
    #[case("off", None)]
    #[case("2X", None)]
    fn sizes(#[case] text: &str, #[case] expected: Option<f64>) {
        assert_eq!(bytes(text), expected);
    }
}
