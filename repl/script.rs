//! Scripts as they are read: from a file, from standard input, or from the command line.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rhai::Map;
use virhai::files;
use virhai::interrupt::Stop;

use crate::args::{Options, Source};
use crate::diagnostic::Diagnostic;
use crate::exit_status::TIMED_OUT;

/// The name of such a script in messages.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// The name of a script on the command line in messages.
pub(crate) const CODE: &str = "-e";

/// A script's text and surroundings.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) folder: PathBuf,
    pub(crate) args: Vec<String>,
    /// The function to call after the script has run.
    pub(crate) function: Option<String>,
    /// The values of the inputs that it declares.
    pub(crate) inputs: Option<Map>,
    /// The values of inputs that an earlier attempt of the run had.
    pub(crate) recorded: Option<Recorded>,
}

/// The inputs of an earlier attempt of a run.
#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) values: serde_json::Map<String, serde_json::Value>,
    /// The names of inputs that were given and that no journal contains.
    pub(crate) secrets: Vec<String>,
    /// True if the values may differ now.
    pub(crate) may_differ: bool,
}

/// The script of `source`; a standard input that does not end counts against the time limit.
pub(crate) fn read_in_time(options: &Options, source: Source) -> Result<Script, Box<Diagnostic>> {
    let Some(timeout) = options
        .timeout
        .filter(|_| matches!(source, Source::Stdin(_)))
    else {
        return read(source);
    };
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::Builder::new().name("input".into());
    if let Err(error) = reader.spawn(move || sender.send(Box::new(read(source)))) {
        return Err(Diagnostic::plain(format!("cannot start a thread: {error}")).into());
    }
    let read = receiver.recv_timeout(timeout).map(|read| *read);
    read.unwrap_or_else(|_| {
        Diagnostic::of_stop(Stop::TimedOut, options).report_plain(options);
        crate::leave(TIMED_OUT)
    })
}

/// The text of the script `path`.
pub(crate) fn text_of(path: &Path) -> Result<String, Box<Diagnostic>> {
    let bytes = files::read(path, files::LARGEST_SCRIPT)
        .map_err(|error| Diagnostic::unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good]
            .split(|byte| *byte == b'\n')
            .count();
        Diagnostic::wrong_usage(format!("{} is not UTF-8 text", path.display()))
            .with_hint(format!("the first invalid byte is on line {line}"))
            .into()
    })
}

/// The folder that the script `path` imports from.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(here, Path::to_owned)
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| ".".into())
}

/// `wrong` with the way to run a script that comes through a pipe, as of `<(...)` in a shell.
fn from_a_pipe(path: &Path, wrong: Box<Diagnostic>) -> Box<Diagnostic> {
    let is_pipe = std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo());
    match is_pipe {
        true => wrong
            .with_hint("run `virhai run - < PIPE` to read a script from a pipe")
            .into(),
        false => wrong,
    }
}

/// `wrong` with the counterpart of a command of virsh that is written in place of a script.
fn of_virsh(path: &Path, args: &[String], wrong: Box<Diagnostic>) -> Box<Diagnostic> {
    let hint = path
        .to_str()
        .filter(|_| !path.exists())
        .and_then(|word| Diagnostic::hint_of_virsh(word, args));
    match hint {
        Some(hint) => wrong.with_hint(hint).into(),
        None => wrong,
    }
}

/// Reads the script of `source`.
pub(crate) fn read(source: Source) -> Result<Script, Box<Diagnostic>> {
    Ok(match source {
        Source::File(path, args) => {
            let text = text_of(&path)
                .map_err(|wrong| of_virsh(&path, &args, from_a_pipe(&path, wrong)))?;
            let folder = folder_of(&path);
            Script {
                name: path.display().to_string(),
                text,
                folder,
                args,
                function: None,
                inputs: None,
                recorded: None,
            }
        }
        Source::Stdin(args) => {
            let wrong =
                |why: String| Diagnostic::wrong_usage(format!("cannot read standard input: {why}"));
            let bytes = files::read_all(std::io::stdin(), files::LARGEST_SCRIPT)
                .map_err(|error| wrong(error.to_string()))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| wrong("stream did not contain valid UTF-8".into()))?;
            kept(STANDARD_INPUT, text, args)
        }
        Source::Code(text, args) => kept(CODE, text, args),
        Source::Prompt => return Err(Diagnostic::wrong_usage("a prompt is not a script").into()),
    })
}

/// The script called `name` that is in no file.
pub(crate) fn kept(name: &str, text: String, args: Vec<String>) -> Script {
    Script {
        name: name.into(),
        text,
        folder: here(),
        args,
        function: None,
        inputs: None,
        recorded: None,
    }
}
