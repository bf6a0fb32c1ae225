pub(crate) fn of_constant(_: &str) -> Option<String> {
    None
}
