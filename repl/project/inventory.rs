//! Inventories: files, and programs that write one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};

use virhai::interrupt::{Interrupt, Stop};
use virhai::runbook::inventory;
use virhai::{Fleet, LONG_WAIT, files, program_output};

use crate::args::Options;
use crate::{signals, terminal};

/// The largest inventory, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// True if the inventory `path` is a program.
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The hosts of the inventory `path`; a program is run, for at most the time of a script.
pub(super) fn read(options: &Options, path: &Path) -> Result<Fleet, String> {
    let wrong = |why: String| format!("cannot read the inventory {}: {why}", path.display());
    let (text, ending) = match is_program(path) {
        true => (output(options, path).map_err(wrong)?, "json"),
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
fn output(options: &Options, path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| files::reason(&error))?;
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    let (done, ended) = channel::<()>();
    let result = std::thread::scope(|scope| {
        if !options.quiet {
            let name = path.display();
            scope.spawn(move || {
                // The channel closes when the program has ended.
                if ended.recv_timeout(LONG_WAIT) == Err(RecvTimeoutError::Timeout) {
                    eprintln!("waiting: the inventory program {name}");
                }
            });
        }
        let result = signals::stops(
            move || stop.stop(Stop::Interrupted),
            || program_output(&path, &["--list"], options.timeout, &interrupt),
        );
        drop(done);
        result
    });
    let output = result?;
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        eprintln!("{}", terminal::visible(line));
    }
    String::from_utf8(output.stdout).map_err(|_| "its output is not UTF-8 text".into())
}
