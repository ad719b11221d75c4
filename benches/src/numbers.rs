//! Numbers as people read them.

/// A number in as few characters as people need: 950, 1.2 k, 35 k, 4 M.
pub(crate) fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, " M"),
        size if size >= 999.5 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        size if size >= 9.95 => 0,
        size if size >= 0.995 => 1,
        _ => 2,
    };
    let number = format!("{scaled:.digits$}");
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    format!("{number}{unit}")
}

/// Three digits at least, and those of thousands in groups: 0.52, 12.3, 4,321.
pub(crate) fn precise(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let digits = match value.abs() {
        size if size >= 99.95 => grouped(value.round().abs() as u64),
        size if size >= 9.995 => format!("{size:.1}"),
        size => format!("{size:.2}"),
    };
    format!("{sign}{digits}")
}

/// 12,345.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (1.0, "1"),
            (1.234, "1.2"),
            (12.34, "12"),
            (950.0, "950"),
            (999.9, "1 k"),
            (1234.0, "1.2 k"),
            (35_000.0, "35 k"),
            (999_900.0, "1 M"),
            (4e6, "4 M"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
    }

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.5234, "0.52"),
            (12.345, "12.3"),
            (99.96, "100"),
            (4321.4, "4,321"),
            (-1_234_567.0, "-1,234,567"),
        ] {
            assert_eq!(precise(value), text);
        }
    }
}
