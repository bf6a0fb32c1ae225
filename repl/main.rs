//! virhai: scripts and a prompt for libvirt.

/// Writes a line to standard error. Ignores a line that cannot be written, as on a closed terminal.
macro_rules! eprintln {
    ($($text:tt)*) => {
        $crate::outlet::stderr().line(&format!($($text)*))
    };
}

mod args;
mod check;
mod columns;
mod diagnostic;
mod doc;
mod events;
mod examples;
mod exit_status;
mod imported;
mod inputs;
mod list;
mod lsp;
mod manual;
mod offer;
mod outlet;
mod output;
mod permissions;
mod person;
mod project;
mod prompt;
mod question;
mod rehearse;
mod run;
mod runs;
mod script;
mod session;
mod show;
mod signals;
mod terminal;
mod testing;
mod top;
mod waits;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Args, Command, Options, Source};
use diagnostic::Diagnostic;

fn main() {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == virhai::ADMIN_HELPER)
    {
        let input = std::io::BufReader::new(std::io::stdin());
        virhai::serve_admin_api(input, std::io::stdout());
        leave_now(exit_status::DONE);
    }
    virhai::engine::name_closures_alike();
    let mut arguments = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    if arguments
        .next()
        .is_some_and(|first| first == offer::QUESTION)
    {
        offer::offer(arguments);
        leave(exit_status::DONE);
    }
    virhai::warm_up();
    diagnostic::defect::watch();
    let line = args::insert_run_subcommand(std::env::args_os().collect(), &inputs::declares);
    leave(match Args::try_parse_from(&line) {
        Ok(args) => status(&args),
        Err(message) => {
            let message = match message.kind() {
                ErrorKind::DisplayHelp => with_used_options(line.clone()).unwrap_or(message),
                _ => message,
            };
            match Diagnostic::of_usage(&message) {
                Some(wrong) => {
                    let wrong = match list_of_virsh(&line) {
                        Some(hint) => wrong.with_hint(hint),
                        None => wrong,
                    };
                    let mut options = Options::unread();
                    if asks_for_json_log() {
                        options.log = args::Log::Json;
                    }
                    wrong.report_plain(&options);
                }
                None => drop(message.print()),
            }
            u8::try_from(message.exit_code()).unwrap_or(exit_status::WRONG_USAGE)
        }
    })
}

/// The hint for virsh's `list` with its options, which clap refused for virhai's `list`.
fn list_of_virsh(line: &[OsString]) -> Option<String> {
    let words: Vec<String> = line
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let at = words.iter().position(|word| word == "list")?;
    let options = &words[at + 1..];
    let known = virhai::advice::virsh::find("list")?;
    let is_virsh = options
        .iter()
        .any(|word| known.options().any(|known| known == word));
    is_virsh
        .then(|| Diagnostic::hint_of_virsh("list", options))
        .flatten()
}

/// True if a command line that clap refused asks for a log as JSON.
fn asks_for_json_log() -> bool {
    let words: Vec<OsString> = std::env::args_os().collect();
    let apart = words.windows(2).any(|two| two == ["--log", "json"]);
    apart || words.iter().any(|word| word == "--log=json")
}

/// The help that the command line asks for, without options that the command does not use.
fn with_used_options(line: Vec<OsString>) -> Option<clap::Error> {
    let command = args::command_with_used_options();
    command.try_get_matches_from(line).err()
}

/// Runs the requested command and returns the exit status. A command whose output is lost has failed.
fn status(args: &Args) -> u8 {
    let status = run_command(args);
    let is_prompt = || args.command.is_none() && matches!(args.source(), Ok(Source::Prompt));
    if status == exit_status::DONE && !is_prompt() && output::reports_loss(&args.options, false) {
        return exit_status::FAILED;
    }
    status
}

fn run_command(args: &Args) -> u8 {
    if args.options.log == args::Log::Json {
        outlet::log_as_json();
    }
    if args.version {
        let versions = virhai::versions();
        output::print_line(&format!(
            "virhai {}\nlibvirt {} (built with {})",
            versions.virhai, versions.libvirt_running, versions.libvirt_compiled
        ));
        return exit_status::DONE;
    }
    if let Err(wrong) = virhai::check_memory() {
        Diagnostic::plain(format!("not enough memory to run: {wrong}"))
            .with_hint(
                "raise the limit on address space (`ulimit -v`, `LimitAS=`), or run without one",
            )
            .report_plain(&args.options);
        return exit_status::FAILED;
    }
    if let Err(status) = runs::report::prepare(args) {
        return status;
    }
    match &args.command {
        Some(Command::Check(options)) => return check::check(&args.options, options),
        Some(Command::Doc(options)) => return doc::doc(&args.options, options),
        Some(Command::Definitions(options)) => return doc::definitions(&args.options, options),
        Some(Command::Test(testing)) => return testing::test(&args.options, testing),
        Some(Command::Lsp { .. }) => return lsp::serve(),
        Some(Command::Completions(options)) => return manual::completions(options),
        Some(Command::Man(options)) => return manual::man(&args.options, options),
        Some(Command::List(options)) => return list::list(&args.options, options),
        Some(Command::Twin(wanted)) => return rehearse::save(&args.options, wanted),
        Some(Command::Runs) => return runs::list(&args.options),
        Some(Command::Show(which)) => return runs::show(&args.options, which),
        Some(Command::Resume(options)) => return runs::resume(&args.options, options),
        Some(Command::Undo(options)) => return runs::undo(&args.options, options),
        Some(Command::Prune(options)) => return runs::prune(&args.options, options),
        Some(Command::Trust(options)) => return project::trust(&args.options, options),
        Some(Command::Top(which)) => return top::run(&args.options, which),
        Some(Command::Events(watching)) => return events::run(&args.options, watching),
        Some(Command::Run { .. }) | None => {}
    }
    match args.source() {
        Ok(source) => match (rehearse::refuse(&args.options, &source), source) {
            (Some(status), _) => status,
            (None, Source::Prompt) => prompt::start(args),
            (None, source) => run::run(args, source),
        },
        Err(message) => {
            Diagnostic::wrong_usage(message).report_plain(&args.options);
            exit_status::WRONG_USAGE
        }
    }
}

/// Ends the process without the exit handlers of libvirt and its libraries, which would free memory
/// that threads within a call still use. Pending standard output and standard error are written
/// first; after a stop, only for a short while.
pub(crate) fn leave(status: u8) -> ! {
    outlet::drain();
    leave_now(status)
}

/// Ends the process at once.
pub(crate) fn leave_now(status: u8) -> ! {
    signal_hook::low_level::exit(status.into())
}
