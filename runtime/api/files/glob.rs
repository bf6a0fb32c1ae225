//! Finding files by a pattern.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};
use walkdir::WalkDir;

use super::place::failed;
use crate::api::arguments::RhaiResultOf;
use crate::api::room::{ensure_room, ensure_running};
use crate::error::Error;
use crate::objects::granted::{readable, written_below};

/// The most files that are looked at, and the deepest folder.
const MOST: usize = 200_000;
const DEEPEST: usize = 64;

/// `*` does not match `/`, or a dot at the beginning of a name, as in a shell.
const AS_IN_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The folder of `pattern` before its first special character, and the rest.
fn split(pattern: &str) -> (&str, &str) {
    let special = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    match pattern[..special].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => (".", pattern),
    }
}

fn found(ctx: &NativeCallContext, pattern: &str) -> RhaiResultOf<Array> {
    let (folder, rest) = split(pattern);
    let rest = Pattern::new(rest).map_err(|error| {
        let message = format!("`{pattern}` is not a pattern: {}", error.msg);
        Error::invalid(ctx, message).throw()
    })?;
    let root = readable(ctx, folder)?;
    let mut found: Vec<PathBuf> = Vec::new();
    // Links are not followed: they could lead out of the folder, or back into it.
    let walk = WalkDir::new(&root).min_depth(1).max_depth(DEEPEST);
    for (count, entry) in walk.into_iter().enumerate() {
        if count % 64 == 0 {
            ensure_running(ctx)?;
        }
        if count >= MOST {
            return Err(failed(
                ctx,
                "list",
                folder,
                format!("the folder has more than {MOST} files"),
            ));
        }
        // A folder that the user may not list, or that was removed meanwhile.
        let Ok(entry) = entry else { continue };
        let Ok(inner) = entry.path().strip_prefix(&root) else {
            continue;
        };
        if entry.file_type().is_file() && rest.matches_path_with(inner, AS_IN_A_SHELL) {
            found.push(inner.to_owned());
        }
    }
    let rehearsed = written_below(ctx, &root);
    let rehearsed = rehearsed
        .iter()
        .filter_map(|path| path.strip_prefix(&root).ok())
        .filter(|inner| rest.matches_path_with(inner, AS_IN_A_SHELL));
    found.extend(rehearsed.map(Path::to_owned));
    found.sort();
    found.dedup();
    let before = match pattern.starts_with(folder) {
        true => Path::new(folder),
        false => Path::new(""),
    };
    let size: usize = found.iter().map(|path| path.as_os_str().len() + 64).sum();
    ensure_room(ctx, size)?;
    let texts = found.iter().map(|path| before.join(path));
    Ok(texts
        .filter_map(|path| path.to_str().map(|path| Dynamic::from(path.to_owned())))
        .collect())
}

#[export_module]
pub(super) mod functions {
    /// Returns the paths of the files that match `pattern`, sorted. `*` matches any text in a name, `?` one character, `[ab]`
    /// one of these characters, and `**` any folders.
    ///
    /// Needs `--allow-read` for the folder before the first special character. Links are not followed and not listed. `*`
    /// does not match a dot at the beginning of a name.
    ///
    /// ```rhai
    /// write_text("/tmp/web.xml", "<domain/>");
    /// write_text("/tmp/notes.txt", "");
    /// assert_eq(glob("/tmp/*.xml"), ["/tmp/web.xml"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn glob(ctx: NativeCallContext, pattern: &str) -> RhaiResultOf<Array> {
        found(&ctx, pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_pattern_begins_in_the_last_folder_without_a_special_character() {
        for (pattern, folder, rest) in [
            ("*.xml", ".", "*.xml"),
            ("guests/*.xml", "guests", "*.xml"),
            (
                "/etc/libvirt/qemu/**/*.xml",
                "/etc/libvirt/qemu",
                "**/*.xml",
            ),
            ("/*.xml", "/", "*.xml"),
            ("a/b?/c", "a", "b?/c"),
            ("a/b", "a", "b"),
        ] {
            assert_eq!(split(pattern), (folder, rest), "{pattern}");
        }
    }
}
