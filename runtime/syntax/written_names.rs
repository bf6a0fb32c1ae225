//! The names that compiled code has, and those that the script has for them.

use std::borrow::Cow;

use rhai::EvalAltResult;

/// Stands between the name that a script writes and the number of its file.
pub(crate) const MARK: &str = "__in_file_";

/// Begins the path of an import, before the number of the file that imports it.
pub(crate) const PATH_MARK: char = '\u{1}';

/// True if Rhai generated the name of a function.
pub fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// True if only the code of a file uses `name`.
pub(crate) fn is_renamed(name: &str) -> bool {
    name.contains(MARK)
}

/// The name of a function as its file has it, and the number of the file.
pub(crate) fn in_file(name: &str) -> Option<(&str, usize)> {
    let (written, file) = name.rsplit_once(MARK)?;
    Some((written, file.parse().ok()?))
}

/// The number of the file that the closure `name` was written in.
pub(crate) fn file_of_closure(name: &str) -> Option<usize> {
    let (closure, file) = name.rsplit_once(MARK)?;
    is_closure(closure).then(|| file.parse().ok()).flatten()
}

/// The number of the file that an import is relative to, and the path that is written there.
pub(crate) fn written_path(path: &str) -> Option<(usize, &str)> {
    let (file, path) = path.strip_prefix(PATH_MARK)?.split_once(PATH_MARK)?;
    Some((file.parse().ok()?, path))
}

/// `text` with the names as the script has them.
pub fn as_written(text: &str) -> Cow<'_, str> {
    if !is_renamed(text) {
        return text.into();
    }
    let mut parts = text.split(MARK);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    plain.into()
}

/// `error` with the names as the script has them, where it has others.
pub fn error_as_written(error: &EvalAltResult) -> Option<EvalAltResult> {
    let plain = |name: &str| is_renamed(name).then(|| as_written(name).into_owned());
    Some(match error {
        EvalAltResult::ErrorFunctionNotFound(name, position) => {
            EvalAltResult::ErrorFunctionNotFound(plain(name)?, *position)
        }
        EvalAltResult::ErrorVariableNotFound(name, position) => {
            EvalAltResult::ErrorVariableNotFound(plain(name)?, *position)
        }
        EvalAltResult::ErrorModuleNotFound(name, position) => {
            EvalAltResult::ErrorModuleNotFound(plain(name)?, *position)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rhai::{EvalAltResult, Position};

    use super::{as_written, error_as_written, file_of_closure, written_path};

    #[test]
    fn names_are_told_as_the_script_has_them() {
        assert_eq!(as_written("find (i64)"), "find (i64)");
        assert_eq!(as_written("find__in_file_12 (i64)"), "find (i64)");
        assert_eq!(
            as_written("words__in_file_3::find__in_file_4"),
            "words::find"
        );
        let error = EvalAltResult::ErrorVariableNotFound("m__in_file_1::X".into(), Position::NONE);
        let plain = error_as_written(&error).expect("it has another name");
        assert!(plain.to_string().contains("m::X"), "{plain}");
        assert!(error_as_written(&plain).is_none());
    }

    #[test]
    fn the_file_of_a_closure_is_in_its_name() {
        assert_eq!(file_of_closure("anon$1f__in_file_7"), Some(7));
        assert_eq!(file_of_closure("find__in_file_7"), None);
        assert_eq!(written_path("\u{1}7\u{1}sub/it"), Some((7, "sub/it")));
        assert_eq!(written_path("sub/it"), None);
    }
}
