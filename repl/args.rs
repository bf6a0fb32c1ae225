//! The command line.

mod options;
mod run_subcommand;
mod used;
mod values;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand, ValueHint};

use crate::doc::{Definitions, Doc};
use crate::events::Watching;
use crate::examples;
use crate::list::List;
use crate::manual::{Completions, Manual};
use crate::project::Trust;
use crate::rehearse::Twin;
use crate::runs::{Prune, Resume, Show, Undo};
use crate::testing::Testing;
use crate::top::Which as Top;
pub(crate) use options::{Options, duration};
pub(crate) use run_subcommand::insert_run_subcommand;
pub(crate) use used::command_with_used_options;
pub(crate) use values::{Format, IfBusy, Log};

/// Script libvirt: run automation scripts, or type them at a prompt.
#[derive(Debug, Parser)]
#[command(
    name = "virhai",
    disable_version_flag = true,
    disable_help_subcommand = true,
    max_term_width = 80,
    args_conflicts_with_subcommands = false,
    after_long_help = examples::VIRHAI
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Script to run, or `-` for standard input; without a script, virhai opens a prompt
    #[arg(value_hint = ValueHint::FilePath)]
    file: Option<String>,

    /// Inputs of the script (`virhai run SCRIPT --help` lists them), and elements of its array `args`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    rest: Vec<String>,

    /// Run CODE instead of a file
    #[arg(
        short = 'e',
        long = "eval",
        value_name = "CODE",
        allow_hyphen_values = true
    )]
    code: Option<String>,

    #[command(flatten)]
    pub(crate) options: Options,

    /// Show the versions of virhai and libvirt
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a script
    #[command(after_long_help = examples::RUN)]
    Run {
        /// The script, or `-` for standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: String,
        /// Inputs of the script (`virhai run SCRIPT --help` lists them), and elements of its array `args`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        rest: Vec<String>,
    },
    /// Run the functions `test_*` of scripts called `*_test.rhai`, each on a separate host
    ///
    /// `connect()` opens a private host of libvirt's test driver: a running domain `test`,
    /// a network `default` and a pool `default-pool`. With `-c` it opens that host instead.
    #[command(after_long_help = examples::TEST)]
    Test(Testing),
    /// Find errors in scripts, without running them or connecting to a host
    #[command(after_long_help = examples::CHECK)]
    Check(CheckOptions),
    /// List the scripts of a folder, each with the first line of its comment
    #[command(after_long_help = examples::LIST)]
    List(List),
    /// Save a twin of a host to a file, for rehearsals without the host
    ///
    /// The twin has the host's domains, networks, storage pools, volumes, devices and capabilities, and no secrets.
    /// virhai only reads the host.
    #[command(after_long_help = examples::TWIN)]
    Twin(Twin),
    /// List the recorded runs of scripts
    #[command(after_long_help = examples::RUNS)]
    Runs,
    /// Show the inputs, steps and changes of a run
    #[command(after_long_help = examples::SHOW)]
    Show(Show),
    /// Resume a run after its last finished step
    #[command(after_long_help = examples::RESUME)]
    Resume(Resume),
    /// Undo the changes of a run, the last change first
    #[command(after_long_help = examples::UNDO)]
    Undo(Undo),
    /// Remove the records of old runs
    #[command(after_long_help = examples::PRUNE)]
    Prune(Prune),
    /// Accept the permissions in a repo's virhai.toml, until the file changes
    #[command(after_long_help = examples::TRUST)]
    Trust(Trust),
    /// Show the resources that the guests use, live
    #[command(after_long_help = examples::TOP)]
    Top(Top),
    /// Print the events of a host until Ctrl-C
    ///
    /// Each line has the time, the kind of event, and the fields of the event. With --json, each line is a JSON object.
    #[command(after_long_help = examples::EVENTS)]
    Events(Watching),
    /// Show the functions and constants for scripts
    #[command(after_long_help = examples::DOC)]
    Doc(Doc),
    /// Write definition files with the functions for scripts, for editors
    #[command(after_long_help = examples::DEFINITIONS)]
    Definitions(Definitions),
    /// Run a language server for editors (LSP)
    #[command(after_long_help = examples::LSP)]
    Lsp {
        /// Use standard input and output: the default, and the only transport
        #[arg(long)]
        stdio: bool,
    },
    /// Print a completion script for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print this manual, or write it as pages for `man`
    #[command(after_long_help = examples::MAN)]
    Man(Manual),
}

/// Arguments of `virhai check`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckOptions {
    /// Scripts, and folders with scripts
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub(crate) paths: Vec<PathBuf>,

    /// Output format of the findings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Same as --format sarif, for code hosts
    #[arg(long, conflicts_with = "format")]
    sarif: bool,

    /// Exit with status 3 after warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

impl CheckOptions {
    /// Output format of the findings.
    pub(crate) fn format(&self) -> Format {
        if self.sarif {
            Format::Sarif
        } else {
            self.format
        }
    }
}

/// The source of the code.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file, and the script's arguments.
    File(PathBuf, Vec<String>),
    /// Standard input, and the script's arguments.
    Stdin(Vec<String>),
    /// The command line, and the script's arguments.
    Code(String, Vec<String>),
    /// The user's keyboard.
    Prompt,
}

/// Tells which options the command line of this process has, by their names in [`Options`].
pub(crate) fn given() -> impl Fn(&str) -> bool {
    let line = insert_run_subcommand(std::env::args_os().collect(), &crate::inputs::declares);
    let matches = Args::command().try_get_matches_from(line).ok();
    move |name| {
        let source = matches.as_ref().and_then(|all| all.value_source(name));
        source == Some(ValueSource::CommandLine)
    }
}

impl Args {
    /// The code to run and its arguments, from the command line and the kind of standard input.
    pub(crate) fn source(&self) -> Result<Source, String> {
        let (file, rest) = match &self.command {
            Some(Command::Run { file, rest }) => (Some(file), rest),
            _ => (self.file.as_ref(), &self.rest),
        };
        if let Some(code) = &self.code {
            if self.command.is_some() {
                return Err("`-e CODE` and `run FILE` exclude each other".into());
            }
            let args = file.into_iter().chain(rest).cloned().collect();
            return Ok(Source::Code(code.clone(), args));
        }
        Ok(match file.map(String::as_str) {
            Some("-") => Source::Stdin(rest.clone()),
            Some(file) => Source::File(file.into(), rest.clone()),
            None if std::io::stdin().is_terminal() => Source::Prompt,
            None => Source::Stdin(Vec::new()),
        })
    }
}
