//! The programs that a script may run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program that a script may run. Its file is looked up once, when it is granted; later changes
/// of `PATH` or its folders have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedProgram {
    name: String,
    file: Option<PathBuf>,
}

impl GrantedProgram {
    /// The program that the user calls `name`: a path, or a name that is looked up in `PATH`.
    pub fn named(name: &str) -> Self {
        let file = match name.contains('/') {
            true => std::path::absolute(name).ok(),
            false => in_path(name),
        };
        Self {
            name: name.to_owned(),
            file,
        }
    }

    /// The name or path that the user gave.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// True if `name` names this program in a script. Links are not followed: programs such as busybox have other
    /// functions under other names.
    pub(super) fn is_called(&self, name: &str) -> bool {
        match &self.file {
            Some(file) if name.contains('/') => file == Path::new(name),
            Some(file) => name == self.name || file.file_name().is_some_and(|own| own == name),
            None => name == self.name,
        }
    }
}

/// The file of the program `name` in the first folder of `PATH` that has it. Relative folders are skipped: they depend on
/// where virhai was started.
fn in_path(name: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::GrantedProgram;

    #[test]
    fn a_program_matches_its_name_or_its_own_path() {
        let by_name = GrantedProgram::named("sh");
        assert!(by_name.file().is_some_and(|file| file.is_absolute()));
        assert!(by_name.is_called("sh"));
        let by_path = GrantedProgram::named("/bin/sh");
        for called in ["/bin/sh", "sh"] {
            assert!(by_path.is_called(called), "{called}");
        }
        for other in ["./sh", "bin/sh", "../bin/sh", "/bin/../bin/sh2", "", "/bin"] {
            assert!(!by_path.is_called(other), "{other}");
            assert!(!by_name.is_called(other), "{other}");
        }
        assert_eq!(GrantedProgram::named("no-such-program").file(), None);
    }
}
