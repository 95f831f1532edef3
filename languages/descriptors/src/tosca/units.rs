//! Scalars with units (TOSCA 1.3 clause 3.3.6): sizes in bytes, times in nanoseconds, frequencies in hertz, bit rates in bits per second.

/// Units of one kind and what each counts.
pub(crate) type Units = &'static [(&'static str, f64)];

pub(crate) const SIZE: Units = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("KiB", 1024.0),
    ("MB", 1e6),
    ("MiB", 1_048_576.0),
    ("GB", 1e9),
    ("GiB", 1_073_741_824.0),
    ("TB", 1e12),
    ("TiB", 1_099_511_627_776.0),
];

pub(crate) const TIME: Units = &[
    ("d", 86_400e9),
    ("h", 3_600e9),
    ("m", 60e9),
    ("s", 1e9),
    ("ms", 1e6),
    ("us", 1e3),
    ("ns", 1.0),
];

pub(crate) const FREQUENCY: Units = &[("Hz", 1.0), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)];

pub(crate) const BITRATE: Units = &[
    ("bps", 1.0),
    ("Kbps", 1e3),
    ("Kibps", 1024.0),
    ("Mbps", 1e6),
    ("Mibps", 1_048_576.0),
    ("Gbps", 1e9),
    ("Gibps", 1_073_741_824.0),
    ("Tbps", 1e12),
    ("Tibps", 1_099_511_627_776.0),
];

/// `12 GB` as a number of the smallest unit. Units are compared without case, as TOSCA says; a bare number has no unit and is none.
pub(crate) fn parse(text: &str, units: Units) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim();
    let exact = units.iter().find(|(name, _)| *name == unit);
    let (_, factor) = exact.or_else(|| units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)))?;
    Some(number * factor).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_as_tosca_says() {
        assert_eq!(parse("512 MB", SIZE), Some(512e6));
        assert_eq!(parse("96MiB", SIZE), Some(96.0 * 1_048_576.0));
        assert_eq!(parse("1 ms", TIME), Some(1e6));
        assert_eq!(parse("2 m", TIME), Some(120e9));
        assert_eq!(parse("512", SIZE), None);
        assert_eq!(parse("x MB", SIZE), None);
        assert_eq!(parse("5 XB", SIZE), None);
        assert_eq!(parse("", SIZE), None);
    }
}
