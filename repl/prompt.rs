//! The prompt.
pub(crate) fn start(_: &crate::args::Args) -> u8 {
    0
}
