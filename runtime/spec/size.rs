//! Sizes as libvirt and virsh write them. The only reader of such text.

use rhai::Dynamic;

/// The largest size that fits into libvirt's and Rhai's numbers.
const LARGEST: u128 = i64::MAX as u128;

/// The form of a size, for hints.
pub const HINT: &str = "write it as \"512MiB\" or \"20GiB\"; K, M, G, T and KiB, MiB, GiB, TiB are powers of 1024, kB, MB, GB, TB powers of 1000";

/// The bytes that `text` means; a number without a unit counts `unit` bytes each.
///
/// Follows libvirt's `virScaleInteger`: a letter alone or with `iB` is a power of 1024, a letter with `B` one
/// of 1000, in either case of letters. Fractions are allowed if they are whole bytes.
///
/// # Errors
///
/// The reason why `text` is not a size.
pub fn parse(text: &str, unit: u64) -> Result<u64, String> {
    let number = text.trim();
    if number.starts_with('-') {
        return Err(format!("`{text}` is not a size: it is negative"));
    }
    let end = number
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .unwrap_or(number.len());
    let (number, suffix) = number.split_at(end);
    let suffix = suffix.trim_start();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(format!("`{text}` is not a size"));
    }
    let scale = scale(suffix, unit)
        .ok_or_else(|| format!("`{text}` is not a size: there is no unit `{suffix}`"))?;
    let too_large = || format!("`{text}` is larger than 8 EiB, the largest size");
    let whole = whole.parse::<u128>().map_err(|_| too_large())?;
    let bytes = whole.checked_mul(scale).ok_or_else(too_large)?;
    let part = part(fraction, scale)
        .ok_or_else(|| format!("`{text}` is not a whole number of bytes: use a smaller unit"))?;
    let bytes = bytes.checked_add(part).ok_or_else(too_large)?;
    if bytes > LARGEST {
        return Err(too_large());
    }
    u64::try_from(bytes).map_err(|_| too_large())
}

/// The bytes that `value` means: a number of `unit` bytes each, or text such as `"20GiB"`.
pub fn of_value(value: &Dynamic, unit: u64) -> Option<u64> {
    let text = match value.as_int() {
        Ok(number) => number.to_string().into(),
        Err(_) => value.clone().into_immutable_string().ok()?,
    };
    parse(&text, unit).ok()
}

/// A size given on a command line, in bytes.
///
/// # Errors
///
/// The reason why `text` is not a size.
pub fn argument(text: &str) -> Result<u64, String> {
    parse(text, 1).map_err(|reason| format!("{reason}; {HINT}"))
}

/// `bytes` in the largest unit that divides them, such as `5 GiB`.
pub fn words(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut number = bytes;
    let mut power = 0;
    while number > 0 && number.is_multiple_of(1024) && power + 1 < units.len() {
        number /= 1024;
        power += 1;
    }
    format!("{number} {}", units[power])
}

/// The bytes of a unit; `unit` if there is no suffix.
fn scale(suffix: &str, unit: u64) -> Option<u128> {
    let suffix = suffix.to_ascii_lowercase();
    match suffix.as_str() {
        "" => return Some(u128::from(unit)),
        "b" | "byte" | "bytes" => return Some(1),
        _ => (),
    }
    let power = 1 + "kmgtpe".find(suffix.get(..1)?)?;
    let base: u128 = match suffix.get(1..)? {
        "" | "ib" => 1024,
        "b" => 1000,
        _ => return None,
    };
    base.checked_pow(u32::try_from(power).ok()?)
}

/// The bytes of the fraction with the digits `digits`, if they are whole.
fn part(digits: &str, scale: u128) -> Option<u128> {
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let divisor = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let product = digits.parse::<u128>().ok()?.checked_mul(scale)?;
    product.is_multiple_of(divisor).then(|| product / divisor)
}

#[cfg(test)]
mod tests {
    use super::{parse, words};

    #[test]
    fn units_mean_what_libvirt_means_by_them() {
        let bytes = [
            ("1", 1),
            ("7b", 7),
            ("7 bytes", 7),
            ("1k", 1024),
            ("1K", 1024),
            ("1KiB", 1024),
            ("1kib", 1024),
            ("1kB", 1000),
            ("1KB", 1000),
            ("512M", 536_870_912),
            ("512MB", 512_000_000),
            ("10G", 10_737_418_240),
            ("10GiB", 10_737_418_240),
            ("10GB", 10_000_000_000),
            (" 10 GiB ", 10_737_418_240),
            ("1T", 1 << 40),
            ("1TB", 1_000_000_000_000),
            ("1P", 1 << 50),
            ("7EiB", 7 << 60),
            ("1.5GiB", 1_610_612_736),
            ("6.0 GiB", 6_442_450_944),
            ("0.5kB", 500),
        ];
        for (text, bytes) in bytes {
            assert_eq!(parse(text, 1), Ok(bytes), "{text}");
        }
        assert_eq!(parse("512", 1024), Ok(524_288));
        assert_eq!(parse("512b", 1024), Ok(512));
    }

    #[test]
    fn what_is_not_a_size_is_told_with_its_reason() {
        for (text, reason) in [
            ("", "is not a size"),
            ("lots", "is not a size"),
            ("GiB", "is not a size"),
            ("-5GiB", "negative"),
            ("1..5G", "is not a size"),
            ("1.G", "is not a size"),
            ("5GG", "no unit `GG`"),
            ("5GiBs", "no unit `GiBs`"),
            ("5é", "no unit `é`"),
            ("5Gé", "no unit `Gé`"),
            ("1e9", "no unit `e9`"),
            ("0.1GiB", "whole number of bytes"),
            ("8EiB", "larger than 8 EiB"),
            (
                "99999999999999999999999999999999999999999T",
                "larger than 8 EiB",
            ),
        ] {
            let error = parse(text, 1).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn words_name_the_largest_unit_that_fits() {
        assert_eq!(words(0), "0 bytes");
        assert_eq!(words(5 << 30), "5 GiB");
        assert_eq!(words(10_000_000_000), "9765625 KiB");
        assert_eq!(words(1_000_001), "1000001 bytes");
    }
}
