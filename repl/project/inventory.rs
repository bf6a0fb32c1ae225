//! Inventories: files, and programs that write one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use virhai::runbook::inventory;
use virhai::{Fleet, files};

/// The largest inventory, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Whether the inventory `path` is a program.
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The hosts of the inventory `path`; a program is run.
pub(super) fn read(path: &Path) -> Result<Fleet, String> {
    let wrong = |why: String| format!("cannot read the inventory {}: {why}", path.display());
    let (text, ending) = match is_program(path) {
        true => (output(path).map_err(wrong)?, "json"),
        false => {
            let text =
                files::read_text(path, LARGEST).map_err(|error| wrong(files::reason(&error)))?;
            let ending = path.extension().and_then(|ending| ending.to_str());
            (text, ending.unwrap_or_default())
        }
    };
    inventory::read(&text, ending).map_err(wrong)
}

/// The output of the inventory program `path` with `--list`.
fn output(path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| files::reason(&error))?;
    let mut child = Command::new(path)
        .arg("--list")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| files::reason(&error))?;
    let output = child
        .stdout
        .take()
        .map(|output| files::read_all(output, LARGEST));
    let status = child.wait().map_err(|error| files::reason(&error))?;
    if !status.success() {
        return Err(format!("the program ended with {status}"));
    }
    let bytes = output
        .unwrap_or_else(|| Ok(Vec::new()))
        .map_err(|error| files::reason(&error))?;
    String::from_utf8(bytes).map_err(|_| "its output is not UTF-8 text".into())
}
