//! Golden files: the reviewed output of tests.

use std::path::Path;

/// Whether to rewrite golden files instead of comparing them: with `UPDATE=1`.
pub fn updates() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// Writes `shown` to the golden file `path`.
pub fn rewrite(path: &Path, shown: &str) {
    let folder = path.parent().expect("the file is in a folder");
    std::fs::create_dir_all(folder).expect("the folder can be made");
    std::fs::write(path, shown).expect("the golden file can be written");
}

/// Compares `shown` with the golden file `path`, or rewrites it.
pub fn golden(path: &Path, shown: &str) {
    if updates() {
        return rewrite(path, shown);
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if golden != shown {
        let lines = similar::TextDiff::from_lines(golden.as_str(), shown);
        panic!(
            "{} differs; UPDATE=1 accepts it:\n{}",
            path.display(),
            lines.unified_diff().context_radius(1)
        );
    }
}
