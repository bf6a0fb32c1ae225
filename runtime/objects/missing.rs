//! Hints for the errors of objects that do not exist.

use super::for_each_kind;

macro_rules! hints {
    ($($module:ident $kind:ident { $type:ident $missing:ident $hint:literal } $calls:tt)*) => {
        /// libvirt's error for a missing object of each kind, and the hint for it.
        const HINTS: &[(virt_sys::virErrorNumber, &str)] = &[$((virt_sys::$missing, $hint)),*];
    };
}
for_each_kind!(hints);

/// The hint for libvirt's error `code`, if it is that for an object that does not exist.
pub(crate) fn hint(code: i64) -> Option<&'static str> {
    let found = HINTS
        .iter()
        .find(|(missing, _)| i64::from(*missing) == code);
    found.map(|(_, hint)| *hint)
}
