//! Running a program.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map, NativeCallContext};

use super::process::{Ended, Failed, Program};
use super::words;
use crate::api::arguments::RhaiResultOf;
use crate::api::room::stop;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::objects::granted;
use crate::run::duration_text::plain_duration;
use crate::run::exit::terminated;
use crate::run::interrupt::Stop;
use crate::run::session::Session;
use crate::run::waiting::Waiting;
use crate::script::files::reason;
use crate::vocabulary::{OptionsOf, Output, RecordOf, TextOrBytes, options, record};

/// The maximum number of bytes of standard error that an error quotes.
const QUOTED: usize = 500;

options! {
    /// Input and time limit of a program.
    pub(super) struct RunOptions {
        /// Standard input of the program: text or bytes.
        stdin: Option<TextOrBytes>,
        /// Time limit of the program; virhai then ends it. No limit if not given.
        timeout: Option<Duration>,
        /// True if an exit status other than 0 throws.
        check: bool = true,
    }
}

record! {
    /// The result of a program.
    pub(super) struct RunResult {
        /// Exit status; if a signal ended the program, 128 plus the number of the signal, as in a shell.
        status: i64,
        /// Standard output: text, or a blob if it is not UTF-8.
        stdout: Output,
        /// Standard error: text, or a blob if it is not UTF-8.
        stderr: Output,
    }
}

/// Runs `file` with `words`; errors and waits call it `what`.
pub(super) fn run(
    ctx: &NativeCallContext,
    file: &Path,
    words: &[String],
    options: &Map,
    what: &str,
) -> RhaiResultOf<Map> {
    let options = RunOptions::read(ctx, options)?;
    let stdin = options
        .stdin
        .as_ref()
        .map_or_else(Vec::new, |stdin| bytes(&stdin.0));
    let session = Session::of(ctx);
    let has_env = |name: &str| session.has_env(name);
    let _waiting = Waiting::new(&session, || format!("{what} to end"));
    let program = Program {
        file,
        words,
        stdin,
        timeout: options.timeout,
        has_env: &has_env,
    };
    let fail =
        |code, why: String| Error::new(ctx, Failure::new(code, why), "", format!("run {what}"), "");
    let failed = virt_sys::VIR_ERR_OPERATION_FAILED;
    match program.run(session.interrupt()) {
        Ok(ended) => {
            let status = status(&ended);
            if options.check && status != 0 {
                let error = fail(failed, complaint(&ended, status));
                let hint = "with `check: false`, `run` returns the status instead";
                return Err(error.with_hint(hint).throw());
            }
            let result = RunResult {
                status,
                stdout: output(ended.stdout),
                stderr: output(ended.stderr),
            };
            Ok(result.into_map())
        }
        Err(Failed::Stopped) => Err(terminated(ctx)),
        Err(Failed::NoRoom) => Err(stop(ctx, Stop::OutOfMemory)),
        Err(Failed::NotStarted(error)) => Err(fail(failed, reason(&error)).throw()),
        Err(Failed::TooMuchOutput) => {
            Err(fail(failed, "its output exceeds the limit of 16 MiB".into()).throw())
        }
        Err(Failed::TimedOut) => {
            let limit = plain_duration(options.timeout.unwrap_or_default());
            let code = virt_sys::VIR_ERR_OPERATION_TIMEOUT;
            let error = fail(code, format!("it timed out after {limit}"));
            Err(error
                .with_hint("raise the limit with the option `timeout`")
                .throw())
        }
    }
}

fn bytes(value: &Dynamic) -> Vec<u8> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return text.as_bytes().to_vec();
    }
    value
        .read_lock::<Blob>()
        .map_or_else(Vec::new, |blob| blob.clone())
}

fn status(ended: &Ended) -> i64 {
    let by_signal = || ended.status.signal().map(|signal| 128 + signal);
    let status = ended.status.code().or_else(by_signal);
    status.unwrap_or(-1).into()
}

fn complaint(ended: &Ended, status: i64) -> String {
    let how = match ended.status.signal() {
        Some(signal) => format!("it was ended by signal {signal}"),
        None => format!("it ended with status {status}"),
    };
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.trim();
    if said.is_empty() {
        return how;
    }
    let mut from = said.len().saturating_sub(QUOTED);
    while !said.is_char_boundary(from) {
        from += 1;
    }
    format!("{how}: {}", &said[from..])
}

fn output(bytes: Vec<u8>) -> Output {
    Output(String::from_utf8(bytes).map_or_else(
        |error| Dynamic::from_blob(error.into_bytes()),
        Dynamic::from,
    ))
}

fn run_granted(ctx: &NativeCallContext, command: &Array, options: &Map) -> RhaiResultOf<Map> {
    let words = words(ctx, command)?;
    let name = words.first().map_or("", String::as_str);
    let file = granted::program(ctx, name)?;
    run(ctx, &file, &words, options, &format!("`{name}`"))
}

#[export_module]
pub(super) mod functions {
    /// Runs a program and waits for its end. The first word of `command` is the program; the other words are its arguments.
    /// There is no shell: `*`, `|` and `$` are ordinary characters.
    ///
    /// Needs `--allow-run`. Throws if the exit status is not 0, or if the program writes more than 16 MiB. The program gets no
    /// input. It gets only usual environment variables such as PATH and HOME, and the variables that `--allow-env` names.
    ///
    /// ```rhai
    /// let made = run(["echo", "$HOME *"]);
    /// assert_eq(made.stdout, "$HOME *\n");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run(ctx: NativeCallContext, command: Array) -> RhaiResultOf<RecordOf<RunResult>> {
        run_granted(&ctx, &command, &Map::new())
    }

    /// Runs a program with options: `stdin` is its input, `timeout` is its time limit, and with `check: false` an exit status
    /// other than 0 does not throw.
    ///
    /// ```rhai
    /// let sorted = run(["sort"], #{ stdin: "b\na\n", timeout: "10s" });
    /// assert_eq(sorted.stdout, "a\nb\n");
    /// assert_eq(run(["false"], #{ check: false }).status, 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run_with_options(
        ctx: NativeCallContext,
        command: Array,
        options: OptionsOf<RunOptions>,
    ) -> RhaiResultOf<RecordOf<RunResult>> {
        run_granted(&ctx, &command, &options)
    }
}
