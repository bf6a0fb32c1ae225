//! A moment in time with its time zone.

use std::fmt;

use jiff::Zoned;

/// A moment in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub(crate) Zoned);

impl DateTime {
    /// The moment to the millisecond, without its zone.
    pub fn precise(&self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }
}
