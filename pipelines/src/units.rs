//! Bytes and shares as people write them: `4G`, `512M`, `0.1%`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stackmill_schemas::{Error, Result};

const STEPS: [(&str, u64); 4] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)];

/// Reads `512M`, `4G`, `1.5GiB` or plain bytes.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let trimmed = text.trim().to_ascii_uppercase();
    let bare = trimmed.trim_end_matches("IB").trim_end_matches('B');
    let (number, unit) = STEPS
        .iter()
        .find_map(|&(suffix, unit)| bare.strip_suffix(suffix).map(|number| (number, unit)))
        .unwrap_or((bare, 1));
    match number.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok((value * unit as f64) as u64),
        _ => Err(Error::config(format!("`{text}` is not a size")).hint("write it as 512M, 4G or a number of bytes")),
    }
}

/// A size for people: `512.0 MiB`.
pub fn bytes_text(bytes: u64) -> String {
    match STEPS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((suffix, unit)) => format!("{:.1} {suffix}iB", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// A count for people: `1,204,331`.
pub fn count_text(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share between 0 and 1, written as a number or as a percentage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl Share {
    /// Reads `0.1%` or `0.001`.
    pub fn parse(text: &str) -> Result<Self> {
        let (number, divisor) = match text.trim().strip_suffix('%') {
            Some(number) => (number, 100.0),
            None => (text.trim(), 1.0),
        };
        match number.trim().parse::<f64>().map(|value| value / divisor) {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Self(share)),
            _ => Err(Error::config(format!("`{text}` is not a share")).hint("write it as 1% or 0.01")),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a share, as 0.01 or \"1%\"")]
        enum Written {
            Number(f64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        Self::parse(&text).map_err(|error| serde::de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed() {
        assert_eq!(parse_bytes("512M").ok(), Some(512 << 20));
        assert_eq!(parse_bytes("1.5GiB").ok(), Some(3 << 29));
        assert_eq!(parse_bytes("12").ok(), Some(12));
        assert!(parse_bytes("4 parsecs").is_err() && parse_bytes("-1G").is_err());
        assert_eq!(bytes_text(3 << 29), "1.5 GiB");
        assert_eq!(count_text(1_204_331), "1,204,331");
    }

    #[test]
    fn shares_are_numbers_or_percentages() {
        assert_eq!(Share::parse("0.1%").ok(), Some(Share(0.001)));
        assert_eq!(Share::parse("1").ok(), Some(Share(1.0)));
        assert!(Share::parse("120%").is_err() && Share::parse("x").is_err());
    }
}
