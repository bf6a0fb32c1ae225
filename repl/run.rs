//! The runner: one script, from its text to an exit status.

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rhai::{Array, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};
use serde_json::json;
use virhai::engine;
use virhai::interrupt::Stop;
use virhai::{Error, Imports, Program, STACK, Session, SessionOptions};

use crate::args::{Args, Options, Source};
use crate::diagnostic::Diagnostic;
use crate::{check, show, signals};

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

/// How long a stopped script may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

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
    run_script(&args.options, read(source))
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
        options.quiet,
        || crate::leave(INTERRUPTED),
    ) {
        Diagnostic::plain(format!("cannot watch for signals: {error}")).report_plain(options);
    }
    let timeout = options.timeout;
    // Built here, while the thread of `warm_up` readies libvirt: the main thread's memory grows in
    // large steps, that of others a page at a time.
    let folders = [script.folder.clone()]
        .into_iter()
        .chain(options.allow_import.clone());
    let imports = Imports::new(folders);
    let engine = engine::build(&session, &options.limits(), imports.clone());
    let (sender, receiver) = mpsc::channel();
    let own = options.clone();
    let worker = std::thread::Builder::new()
        .name("script".into())
        .stack_size(STACK)
        .spawn(move || {
            let _ = sender.send(work(&own, &session, &engine, &imports, &script));
        });
    if let Err(error) = worker {
        Diagnostic::plain(format!("cannot start a thread: {error}")).report_plain(options);
        return FAILED;
    }
    let broken_off = || {
        Diagnostic::of_defect("").report_plain(options);
        FAILED
    };
    let Some(timeout) = timeout else {
        return receiver.recv().unwrap_or_else(|_| broken_off());
    };
    match receiver.recv_timeout(timeout) {
        Ok(status) => status,
        Err(RecvTimeoutError::Disconnected) => broken_off(),
        Err(RecvTimeoutError::Timeout) => {
            interrupt.stop(Stop::TimedOut);
            loop {
                match receiver.recv_timeout(GRACE) {
                    Ok(status) => return status,
                    Err(RecvTimeoutError::Timeout) if interrupt.is_undoing() => {}
                    Err(_) => break,
                }
            }
            Diagnostic::of_stop(Stop::TimedOut)
                .with_note("libvirt does not come back from a call, whose outcome is unknown")
                .report_plain(options);
            TIMED_OUT
        }
    }
}

/// The session that `options` describe.
pub(crate) fn session(options: &Options) -> Session {
    let output: Box<dyn Write + Send> = if options.json {
        Box::new(std::io::stderr())
    } else {
        Box::new(std::io::stdout())
    };
    Session::new(SessionOptions {
        uri: options.connect.clone(),
        read_only: options.readonly,
        connect_timeout: options.connect_timeout,
        grants: options.grants(),
        output,
        notes: Box::new(std::io::stderr()),
    })
}

/// The text of the script `path`.
pub(crate) fn text_of(path: &Path) -> Result<String, Box<Diagnostic>> {
    let bytes = std::fs::read(path).map_err(|error| Diagnostic::unreadable(path, &error))?;
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

fn read(source: Source) -> Result<Script, Box<Diagnostic>> {
    Ok(match source {
        Source::File(path, args) => {
            let (text, folder) = (text_of(&path)?, folder_of(&path));
            Script {
                name: path.display().to_string(),
                text,
                folder,
                args,
                function: None,
            }
        }
        Source::Stdin(args) => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| {
                    Diagnostic::wrong_usage(format!("cannot read standard input: {error}"))
                })?;
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
            Diagnostic::of_compile_error(&error).report(options, imports);
            return DOES_NOT_COMPILE;
        }
    };
    if !options.no_check {
        let errors = check::before_run(options, engine, imports, &script.name, &program);
        if let Some(first) = errors.first() {
            if options.json {
                let mut failure = Diagnostic::of_finding(first).as_failure(imports);
                failure["findings"] = json!(errors);
                print_line(&failure.to_string());
            }
            return DOES_NOT_COMPILE;
        }
    }
    // Only among several files can a name be taken for another's.
    let ast = match script.text.contains("import") {
        true => imports.isolated(engine, &script.name, &script.text, &program.ast),
        false => program.ast.clone(),
    };
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
    let status = finish(options, session, engine, imports, &script.name, result);
    if options.verbose {
        eprintln!(
            "ended after {:.3} s with status {status}",
            began.elapsed().as_secs_f64()
        );
    }
    status
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
            print_result(options, &value);
            if session.has_lost_output() || has_lost_output() {
                Diagnostic::plain("what was printed could not all be written")
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
            let stopped = Diagnostic::of_stop(stop).leaving(&error);
            let status = match stop {
                Stop::Interrupted => INTERRUPTED,
                Stop::TimedOut => TIMED_OUT,
                Stop::OutOfMemory | Stop::TooDeep | Stop::TooManyOperations => FAILED,
            };
            (stopped.at_place_of(failure), status)
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

/// Whether something that was to be printed could not be.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether a line of the result was lost.
pub(crate) fn has_lost_output() -> bool {
    LOST.load(Ordering::SeqCst)
}

/// Prints a line of the result; a reader who left is no failure.
pub(crate) fn print_line(line: &str) {
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{line}").and_then(|()| output.flush());
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::SeqCst);
    }
}
