//! The runner: one script, from its text to an exit status.

mod supervise;

use std::os::unix::fs::FileTypeExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use rhai::{Array, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};
use serde_json::json;
use virhai::interrupt::Stop;
use virhai::{Error, Imports, Program, Session, SessionOptions, Sink, stack_size};
use virhai::{engine, extent, files};

use crate::args::{Args, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::outlet::{self, Lines};
use crate::waits::Waits;
use crate::{check, show, signals};
pub(crate) use supervise::GRACE;
use supervise::{Event, Progress, Supervisor};

/// The statuses that this program exits with, besides a script's own `exit(n)`.
pub(crate) const DONE: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const WRONG_USAGE: u8 = 2;
pub(crate) const DOES_NOT_COMPILE: u8 = 3;
pub(crate) const NO_CONNECTION: u8 = 4;
pub(crate) const TIMED_OUT: u8 = 124;
pub(crate) const INTERRUPTED: u8 = 130;

/// The status of a program that a signal ended, as a shell gives it.
pub(crate) fn killed_by(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(INTERRUPTED)
}

/// A script's text and surroundings.
struct Script {
    name: String,
    text: String,
    folder: PathBuf,
    args: Vec<String>,
    /// What is called once the script has run.
    function: Option<String>,
}

/// Runs `source` and answers the exit status.
pub(crate) fn run(args: &Args, source: Source) -> u8 {
    run_script(&args.options, read_in_time(&args.options, source))
}

/// The script of `source`; a standard input that does not end counts against the time limit.
fn read_in_time(options: &Options, source: Source) -> Result<Script, Box<Diagnostic>> {
    let Some(timeout) = options
        .timeout
        .filter(|_| matches!(source, Source::Stdin(_)))
    else {
        return read(source);
    };
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::Builder::new().name("input".into());
    if let Err(error) = reader.spawn(move || sender.send(read(source))) {
        return Err(Diagnostic::plain(format!("cannot start a thread: {error}")).into());
    }
    receiver.recv_timeout(timeout).unwrap_or_else(|_| {
        Diagnostic::of_stop(Stop::TimedOut, options).report_plain(options);
        crate::leave(TIMED_OUT)
    })
}

/// Runs the script in the file `path` and then its function `name`, and answers the exit status.
pub(crate) fn run_function(options: &Options, path: PathBuf, name: String) -> u8 {
    let script = read(Source::File(path, Vec::new()));
    run_script(
        options,
        script.map(|script| Script {
            function: Some(name),
            ..script
        }),
    )
}

fn run_script(options: &Options, script: Result<Script, Box<Diagnostic>>) -> u8 {
    let script = match script {
        Ok(script) => script,
        Err(wrong) => {
            wrong.report_plain(options);
            return WRONG_USAGE;
        }
    };
    let session = session(options);
    let interrupt = session.interrupt().clone();
    let stop = interrupt.clone();
    if let Err(error) = signals::watch(
        move || stop.stop(Stop::Interrupted),
        signals::told(options.quiet),
        || crate::leave_now(INTERRUPTED),
    ) {
        Diagnostic::plain(format!("cannot watch for signals: {error}")).report_plain(options);
    }
    let supervisor = Supervisor::new(options, &session);
    // Built here, while the thread of `warm_up` readies libvirt: the main thread's memory grows in
    // large steps, that of others a page at a time.
    let folders = [script.folder.clone()]
        .into_iter()
        .chain(options.allow_import.clone());
    let imports = Imports::new(folders);
    let engine = engine::build(&session, &options.limits(), imports.clone());
    let (own, sender) = (options.clone(), supervisor.sender());
    let progress = supervisor.progress();
    let worker = std::thread::Builder::new()
        .name("script".into())
        .stack_size(stack_size())
        .spawn(move || {
            let work = || {
                let status = work(&own, &session, &engine, &imports, &script, &progress);
                written(&own, &session, status)
            };
            let status = catch_unwind(AssertUnwindSafe(work)).ok();
            let _ = sender.send(Event::Ended(status));
        });
    if let Err(error) = worker {
        Diagnostic::plain(format!("cannot start a thread: {error}")).report_plain(options);
        return FAILED;
    }
    supervisor.wait()
}

/// Waits until all output is written. A stop ends that, and then decides the exit status.
fn written(options: &Options, session: &Session, status: u8) -> u8 {
    if outlet::drain() {
        return status;
    }
    let Some(stop) = session.interrupt().stopping() else {
        return status;
    };
    let stopped = status_of_stop(stop);
    if status != stopped {
        Diagnostic::of_stop(stop, options)
            .with_note("the script had ended; some of its output could not be written")
            .report_plain(options);
    }
    stopped
}

/// The exit status of a script that was stopped.
fn status_of_stop(stop: Stop) -> u8 {
    match stop {
        Stop::Interrupted => INTERRUPTED,
        Stop::TimedOut => TIMED_OUT,
        Stop::OutOfMemory
        | Stop::TooDeep
        | Stop::NestsTooDeep
        | Stop::TooManyOperations
        | Stop::UndoTimedOut => FAILED,
    }
}

/// The session that `options` describe.
pub(crate) fn session(options: &Options) -> Session {
    let output: Box<dyn Sink> = match options.json {
        true => Box::new(Lines(outlet::stderr())),
        false => Box::new(Lines(outlet::stdout())),
    };
    Session::new(SessionOptions {
        uri: options.connect.clone(),
        read_only: options.readonly,
        connect_timeout: options.connect_timeout,
        call_timeout: Some(options.call_timeout).filter(|time| !time.is_zero()),
        undo_timeout: options.undo_timeout,
        grants: options.grants(),
        output,
        notes: Box::new(Lines(outlet::stderr())),
        waits: Box::new(Waits::new(options)),
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
            .with_hint(format!("the first byte that is none is in line {line}"))
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

fn read(source: Source) -> Result<Script, Box<Diagnostic>> {
    Ok(match source {
        Source::File(path, args) => {
            let text = text_of(&path).map_err(|wrong| from_a_pipe(&path, wrong))?;
            let folder = folder_of(&path);
            Script {
                name: path.display().to_string(),
                text,
                folder,
                args,
                function: None,
            }
        }
        Source::Stdin(args) => {
            let wrong =
                |why: String| Diagnostic::wrong_usage(format!("cannot read standard input: {why}"));
            let bytes = files::read_all(std::io::stdin(), files::LARGEST_SCRIPT)
                .map_err(|error| wrong(error.to_string()))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| wrong("stream did not contain valid UTF-8".into()))?;
            Script {
                name: "standard input".into(),
                text,
                folder: here(),
                args,
                function: None,
            }
        }
        Source::Code(text, args) => Script {
            name: "-e".into(),
            text,
            folder: here(),
            args,
            function: None,
        },
        Source::Prompt => return Err(Diagnostic::wrong_usage("a prompt is no script").into()),
    })
}

fn work(
    options: &Options,
    session: &Session,
    engine: &Engine,
    imports: &Imports,
    script: &Script,
    progress: &Progress,
) -> u8 {
    if options.verbose {
        eprintln!(
            "running {} with libvirt {}",
            script.name,
            virhai::versions().libvirt_running
        );
    }
    let program = match Program::compile(engine, imports, &script.name, &script.text) {
        Ok(program) => program,
        Err(error) => {
            if let Some(status) = stopped(options, session) {
                return status;
            }
            Diagnostic::of_compile_error(&error).report(options, imports);
            return DOES_NOT_COMPILE;
        }
    };
    if !options.no_check {
        let errors = check::before_run(options, engine, imports, &script.name, &program);
        if let Some(status) = stopped(options, session) {
            return status;
        }
        if let Some(first) = errors.first() {
            if options.json {
                let mut failure = Diagnostic::of_finding(first).as_failure(imports);
                failure["findings"] = json!(errors);
                print_line(&failure.to_string());
            }
            return DOES_NOT_COMPILE;
        }
    }
    let ast = imports.isolated(&script.name, &program.ast);
    let mut scope = Scope::new();
    scope.push_constant(
        "args",
        script
            .args
            .iter()
            .cloned()
            .map(Dynamic::from)
            .collect::<Array>(),
    );
    // The supervisor has reported a script that was stopped before it began.
    if !progress.begin_to_run() {
        return INTERRUPTED;
    }
    session.interrupt().reach_this_thread();
    let began = Instant::now();
    let result = engine::guarded(|| match &script.function {
        None => engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast),
        Some(name) => engine.call_fn_with_options::<Dynamic>(
            CallFnOptions::new().eval_ast(true),
            &mut scope,
            &ast,
            name,
            (),
        ),
    });
    progress.end();
    let status = finish(options, session, engine, imports, &script.name, result);
    if options.verbose {
        eprintln!(
            "ended after {:.3} s with status {status}",
            began.elapsed().as_secs_f64()
        );
    }
    status
}

/// Reports a script that was stopped before it ran, and returns its exit status.
pub(crate) fn stopped(options: &Options, session: &Session) -> Option<u8> {
    let stop = session.interrupt().stopping()?;
    Diagnostic::of_stop(stop, options).report_plain(options);
    Some(status_of_stop(stop))
}

fn finish(
    options: &Options,
    session: &Session,
    engine: &Engine,
    imports: &Imports,
    name: &str,
    result: Result<Dynamic, Box<EvalAltResult>>,
) -> u8 {
    let error = match result {
        Ok(value) => {
            if (options.json || !options.quiet) && !extent::can_be_shown(&value) {
                Diagnostic::plain("the result is too large to show")
                    .with_hint("print the parts that you need, or end the script with `()`")
                    .report(options, imports);
                return FAILED;
            }
            print_result(options, &value);
            outlet::drain();
            let printed_elsewhere = options.json && outlet::stderr().has_lost();
            if outlet::stdout().has_lost() || printed_elsewhere {
                // Only the stop is reported then.
                if session.interrupt().stopping().is_some() {
                    return DONE;
                }
                Diagnostic::plain("some output could not be written")
                    .with_hint("is the disk full that standard output goes to?")
                    .report_plain(options);
                return FAILED;
            }
            return DONE;
        }
        Err(error) => error,
    };
    if let Some(status) = virhai::exit_status(&error) {
        return status;
    }
    // What a stop leaves behind, such as an aborted save, is not the script's own failure.
    let failure = Diagnostic::of_error(engine, imports, name, &error);
    let (diagnostic, status) = match session.interrupt().stopping() {
        Some(stop) => {
            let stopped = Diagnostic::of_stop(stop, options).leaving(&error);
            (stopped.at_place_of(failure), status_of_stop(stop))
        }
        None => (failure, status_of(&error)),
    };
    let diagnostic = diagnostic.not_undone(session.not_undone());
    diagnostic.report(options, imports);
    status
}

pub(crate) fn status_of(error: &EvalAltResult) -> u8 {
    let connecting = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => value
            .clone()
            .try_cast::<Error>()
            .is_some_and(|error| error.no_connection()),
        _ => false,
    };
    if connecting { NO_CONNECTION } else { FAILED }
}

fn print_result(options: &Options, value: &Dynamic) {
    if options.json {
        print_line(&show::json(value).to_string());
    } else if !options.quiet
        && let Some(text) = show::text(value)
    {
        print_line(&text);
    }
}

/// Prints a line of the result; a reader who left is no failure.
pub(crate) fn print_line(line: &str) {
    outlet::stdout().line(line);
}
