//! The command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{
    Args as ClapArgs, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint,
};
use virhai::engine::Limits;
use virhai::{GrantedProgram, Grants, Rule, Rules};

use crate::doc::{Definitions, Doc};
use crate::events::Watching;
use crate::examples;
use crate::list::List;
use crate::manual::{Completions, Manual};
use crate::project::{Project, Trust};
use crate::rehearse::Twin;
use crate::runs::report::{ReportFile, Reporting, report_file};
use crate::runs::{Prune, Resume, Show, Undo};
use crate::testing::Testing;

/// A size of memory, such as `2GiB`.
fn memory_size(text: &str) -> Result<ByteSize, String> {
    virhai::size::argument(text).map(ByteSize)
}

/// Script libvirt: run automation scripts, or type them at a prompt.
#[derive(Debug, Parser)]
#[command(
    name = "virhai",
    disable_version_flag = true,
    disable_help_subcommand = true,
    max_term_width = 80,
    args_conflicts_with_subcommands = false,
    subcommand_precedence_over_arg = true,
    after_long_help = examples::VIRHAI
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The script to run, `-` for standard input; without one, a prompt
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
    /// Run the functions `test_*` of scripts called `*_test.rhai`, each on a host of its own
    ///
    /// `connect()` opens libvirt's own test host, which no other test sees: a domain `test` that
    /// runs, a network `default` and a pool `default-pool`. With `-c` it opens that host instead.
    #[command(after_long_help = examples::TEST)]
    Test(Testing),
    /// Say what is wrong with scripts, without running them or connecting to a host
    #[command(after_long_help = examples::CHECK)]
    Check(CheckOptions),
    /// List the scripts of a folder, each with the first line of its comment
    #[command(after_long_help = examples::LIST)]
    List(List),
    /// Save a twin of a host to a file, for rehearsals without the host
    ///
    /// The twin has the host's domains, networks, storage pools, volumes, devices and capabilities, and no secrets. The
    /// host is only read.
    #[command(after_long_help = examples::TWIN)]
    Twin(Twin),
    /// List the recorded runs of scripts
    #[command(after_long_help = examples::RUNS)]
    Runs,
    /// Show what a run did: its inputs, steps and changes
    #[command(after_long_help = examples::SHOW)]
    Show(Show),
    /// Go on with a run that stopped: finished steps do not run again
    #[command(after_long_help = examples::RESUME)]
    Resume(Resume),
    /// Undo what a run changed, the last change first
    #[command(after_long_help = examples::UNDO)]
    Undo(Undo),
    /// Remove the records of old runs
    #[command(after_long_help = examples::PRUNE)]
    Prune(Prune),
    /// Accept what the virhai.toml of a repo asks for, until the file changes
    #[command(after_long_help = examples::TRUST)]
    Trust(Trust),
    /// Show what the guests take of the host, live
    #[command(after_long_help = examples::TOP)]
    Top,
    /// Print the events of a host until Ctrl-C
    ///
    /// Each line has the time, the kind of the event, and its fields. With --json, each line is a JSON object.
    #[command(after_long_help = examples::EVENTS)]
    Events(Watching),
    /// Show what scripts can call
    #[command(after_long_help = examples::DOC)]
    Doc(Doc),
    /// Write what scripts can call as definition files for editors
    #[command(after_long_help = examples::DEFINITIONS)]
    Definitions(Definitions),
    /// Answer an editor's questions about scripts, by the Language Server Protocol
    #[command(after_long_help = examples::LSP)]
    Lsp {
        /// Over standard input and output, which is the only way and need not be said
        #[arg(long)]
        stdio: bool,
    },
    /// Write a file from which a shell completes this command line
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Write this manual as pages for `man`
    #[command(after_long_help = examples::MAN)]
    Man(Manual),
}

/// How to check scripts.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckOptions {
    /// Scripts, and folders with scripts
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub(crate) paths: Vec<PathBuf>,

    /// How to tell what is found
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// The same as --format sarif, for code hosts
    #[arg(long, conflicts_with = "format")]
    sarif: bool,

    /// Exit with status 3 after warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

impl CheckOptions {
    /// How to tell what is found.
    pub(crate) fn format(&self) -> Format {
        if self.sarif {
            Format::Sarif
        } else {
            self.format
        }
    }
}

/// What a run does if another one works on the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfBusy {
    /// Wait up to ten minutes for the other run
    Wait,
    /// Fail at once
    Fail,
}

/// A form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, on standard error
    Text,
    /// Data, on standard output
    Json,
    /// SARIF 2.1.0, on standard output
    Sarif,
}

/// A form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// For people
    Text,
    /// A JSON object in each line, for programs
    Json,
}

/// What applies to every way of running.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Options {
    /// What `connect()` opens, instead of LIBVIRT_DEFAULT_URI
    #[arg(short, long, value_name = "URI", global = true, help_heading = HOST)]
    pub(crate) connect: Option<String>,

    /// List of hosts for `hosts(...)`: an Ansible inventory, as YAML, INI or JSON, or a program that writes one
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath, help_heading = HOST)]
    pub(crate) inventory: Option<PathBuf>,

    /// Open every connection read-only
    #[arg(long, global = true, help_heading = HOST)]
    pub(crate) readonly: bool,

    /// How long a host may take to accept a connection
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s", global = true, help_heading = HOST, hide_short_help = true)]
    pub(crate) connect_timeout: Duration,

    /// Time limit of a quick libvirt call, such as a lookup or `suspend`; 0 for no limit
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", global = true, help_heading = HOST, hide_short_help = true)]
    pub(crate) call_timeout: Duration,

    /// Stop a script, or each test, after that time, such as 90s or 5m (exit status 124)
    #[arg(long, value_name = "TIME", value_parser = duration, global = true, help_heading = RUNNING)]
    pub(crate) timeout: Option<Duration>,

    /// Time limit for undoing the changes of a script that failed or was stopped
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m", global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) undo_timeout: Duration,

    /// Run the script on twins of its hosts, and print what it would change; nothing is changed
    #[arg(long, global = true, help_heading = REHEARSAL)]
    pub(crate) rehearse: bool,

    /// Rehearse on the twin that `virhai twin` saved in this file; no host is needed
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath, help_heading = REHEARSAL)]
    pub(crate) against: Option<PathBuf>,

    /// Rehearse the script, show the plan, ask, run the script, and say where the run differed
    #[arg(long, global = true, help_heading = REHEARSAL)]
    pub(crate) plan_first: bool,

    /// Whether the script's result is not printed.
    #[arg(skip)]
    pub(crate) hide_result: bool,

    /// Answer yes to what a script asks to confirm, and to the question of --plan-first
    #[arg(long, global = true, help_heading = RUNNING)]
    pub(crate) yes: bool,

    /// Record nothing of the run: it can then be neither resumed nor undone
    #[arg(long, global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) no_journal: bool,

    /// What to do if another run works on the same object
    #[arg(long, value_name = "WHAT", value_enum, default_value = "wait", global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) if_busy: IfBusy,

    /// Run scripts without checking them first
    #[arg(long, global = true, help_heading = RUNNING)]
    pub(crate) no_check: bool,

    /// Edit at the prompt with the keys of vi, as ~/.inputrc may ask as well
    #[arg(long, global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) vi: bool,

    /// Print the script's result as JSON; what it prints goes to standard error
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub(crate) json: bool,

    /// Write a report of the run to FILE: a page (.html), JSON (.json) or JUnit (.xml); may be repeated
    #[arg(long, value_name = "FILE", global = true, value_parser = report_file, value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub(crate) report: Vec<ReportFile>,

    /// What reports need.
    #[arg(skip)]
    pub(crate) reporting: Reporting,

    /// The form of what a run writes to standard error
    #[arg(long, value_name = "FORM", value_enum, default_value = "text", global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) log: Log,

    /// Print neither the script's result nor notes
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub(crate) quiet: bool,

    /// Say what is run, what it waits for, and how long it took
    #[arg(short, long, global = true, help_heading = OUTPUT)]
    pub(crate) verbose: bool,

    /// Whether to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) color: ColorChoice,

    /// Allow scripts to import from this folder too
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath, help_heading = PERMISSIONS)]
    pub(crate) allow_import: Vec<PathBuf>,

    /// Allow scripts to read this file, or what is in this folder
    #[arg(long, value_name = "PATH", global = true, help_heading = PERMISSIONS)]
    allow_read: Vec<PathBuf>,

    /// Allow scripts to write this file, or what is in this folder
    #[arg(long, value_name = "PATH", global = true, help_heading = PERMISSIONS)]
    allow_write: Vec<PathBuf>,

    /// Allow scripts to connect to HOST, or to one port of it as HOST:PORT
    #[arg(long, value_name = "HOST", global = true, help_heading = PERMISSIONS)]
    allow_net: Vec<String>,

    /// Allow scripts to run this program, with any arguments
    #[arg(long, value_name = "PROGRAM", global = true, value_hint = ValueHint::CommandName, help_heading = PERMISSIONS)]
    allow_run: Vec<String>,

    /// Allow scripts to read this environment variable, and give it to the programs that they run
    #[arg(long, value_name = "NAME", global = true, help_heading = PERMISSIONS)]
    allow_env: Vec<String>,

    /// Allow scripts to run commands on HOST, or as USER@HOST, by ssh
    #[arg(long, value_name = "HOST", global = true, help_heading = PERMISSIONS)]
    allow_ssh: Vec<String>,

    /// Allow scripts to connect to exactly this URI, even if it names a program, key or socket
    #[arg(long, value_name = "URI", global = true, help_heading = PERMISSIONS)]
    allow_connect: Vec<String>,

    /// Accept for this run what the repo's virhai.toml asks for
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    pub(crate) trust: bool,

    /// Do not read the repo's virhai.toml
    #[arg(long, global = true, conflicts_with = "trust", help_heading = PERMISSIONS)]
    pub(crate) no_config: bool,

    /// Do not ask on the terminal for permissions that a script needs; it then fails
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    pub(crate) no_ask: bool,

    /// Refuse changes except on these objects, as VERBS:NAME@HOST, such as 'create,start:test-*@lab'
    #[arg(long, value_name = "RULE", value_parser = rule, global = true, help_heading = PERMISSIONS)]
    allow: Vec<Rule>,

    /// Refuse these calls on these objects, as VERBS:NAME@HOST, such as 'destroy:prod-*'
    #[arg(long, value_name = "RULE", value_parser = rule, global = true, help_heading = PERMISSIONS)]
    deny: Vec<Rule>,

    /// Let scripts connect only to the hosts that -c, LIBVIRT_DEFAULT_URI and --allow-connect name
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    only_named_hosts: bool,

    /// Allow scripts to run QEMU with `qemu:///embed?root=DIR`; they can then do all that you can
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath, help_heading = PERMISSIONS)]
    allow_embed: Vec<PathBuf>,

    /// Operations that a script may take, 0 for any number
    #[arg(long, value_name = "N", default_value_t = Limits::default().operations, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_operations: u64,

    /// Calls within calls
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=1000), global = true, help_heading = LIMITS, hide_short_help = true)]
    max_depth: u16,

    /// Memory limit of a script, 0 for all that the host has left; its values may fill a third
    #[arg(long, value_name = "SIZE", default_value_t = ByteSize(Limits::default().memory as u64), value_parser = memory_size, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_memory: ByteSize,

    /// Bytes in a string, 0 for any number
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_string: usize,

    /// Values in an array, 0 for any number
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_array: usize,

    /// Values in a map, 0 for any number
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_map: usize,

    /// What the file of the script's repo adds.
    #[arg(skip)]
    pub(crate) project: Project,
}

const HOST: &str = "Host";
const RUNNING: &str = "Running";
const REHEARSAL: &str = "Rehearsal";
const OUTPUT: &str = "Output";
const PERMISSIONS: &str = "Permissions";
const LIMITS: &str = "Limits";

/// Where the code comes from.
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

/// The command line, with `run` inserted before the file of a script, and `--` before the arguments of `--eval`. Without
/// these, clap would read the file or the first argument as a command.
pub(crate) fn spelled_out(mut line: Vec<OsString>) -> Vec<OsString> {
    let command = Args::command();
    let takes_value = |argument: &clap::Arg| {
        let values = argument.get_num_args();
        argument.get_action().takes_values() && values.is_none_or(|values| values.min_values() > 0)
    };
    let by_name = |name: &str| {
        command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
    };
    let by_letter = |letter| {
        command
            .get_arguments()
            .find(|argument| argument.get_short() == Some(letter))
    };
    let (mut code, mut runs) = (false, false);
    let mut index = 1;
    while let Some(word) = line.get(index).and_then(|word| word.to_str()) {
        let mut skipped = 1;
        // Clap would read code such as `list` as the command `list`.
        if ["-e", "--eval"].contains(&word)
            && let Some(next) = line.get(index + 1).and_then(|next| next.to_str())
            && command.find_subcommand(next).is_some()
        {
            let joined = format!("--eval={next}");
            line.splice(index..index + 2, [joined.into()]);
            code = true;
        } else if word == "--" {
            break;
        } else if let Some(option) = word.strip_prefix("--") {
            let (name, value) = option
                .split_once('=')
                .map_or((option, None), |(name, value)| (name, Some(value)));
            code |= name == "eval";
            if value.is_none() && by_name(name).is_some_and(takes_value) {
                skipped = 2;
            }
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let valued = letters
                .char_indices()
                .find(|(_, letter)| by_letter(*letter).is_some_and(takes_value));
            if let Some((at, letter)) = valued {
                code |= letter == 'e';
                skipped += usize::from(at + letter.len_utf8() == letters.len());
            }
        } else if word == "run" && !runs {
            runs = true;
        } else {
            match !runs && command.find_subcommand(word).is_some() {
                true => {}
                false if code => line.insert(index, "--".into()),
                false => spell_out_file(&mut line, index, runs),
            }
            break;
        }
        index += skipped;
    }
    line
}

/// Puts `run` before the file at `index`, unless it `runs` already, and `--` between it and a question for help, which
/// is the script's own.
fn spell_out_file(line: &mut Vec<OsString>, mut index: usize, runs: bool) {
    if !runs {
        line.insert(index, "run".into());
        index += 1;
    }
    let next = line.get(index + 1);
    if next.is_some_and(|next| next == "--help" || next == "-h") {
        line.insert(index + 1, "--".into());
    }
}

impl Args {
    /// What to run, by the command line and by what standard input is.
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

/// A command line without anything, to take the options' defaults from.
#[derive(Debug, Parser)]
struct Bare {
    #[command(flatten)]
    options: Options,
}

impl Options {
    /// Takes over what the command line that resumes a run says about the way of running.
    pub(crate) fn take_over(&mut self, later: &Self) {
        self.yes |= later.yes;
        self.json = later.json;
        self.quiet = later.quiet;
        self.verbose = later.verbose;
        self.color = later.color;
        self.timeout = later.timeout;
        self.log = later.log;
        self.report.clone_from(&later.report);
        self.reporting = later.reporting.clone();
    }

    /// What is known of the options where the command line makes no sense.
    pub(crate) fn unread() -> Self {
        let mut options = Bare::parse_from(["virhai"]).options;
        options.json = std::env::args_os().any(|arg| arg == "--json");
        options
    }

    /// What scripts may use besides libvirt.
    pub(crate) fn grants(&self) -> Grants {
        let mut grants = Grants {
            read: self.allow_read.clone(),
            write: self.allow_write.clone(),
            net: self.allow_net.clone(),
            run: self
                .allow_run
                .iter()
                .map(|name| GrantedProgram::named(name))
                .collect(),
            env: self.allow_env.clone(),
            ssh: self.allow_ssh.clone(),
            connect: self.allow_connect.clone(),
            embed: self.allow_embed.clone(),
            rules: self.rules().into_iter().collect(),
            named_hosts_only: self.only_named_hosts,
        };
        grants.add(self.project.grants.clone());
        grants
    }

    /// The rules of the command line, if there are any.
    fn rules(&self) -> Option<Rules> {
        let any = !self.allow.is_empty() || !self.deny.is_empty();
        any.then(|| Rules {
            source: "the command line".into(),
            allow: self.allow.clone(),
            deny: self.deny.clone(),
        })
    }

    /// The folders that scripts may import from besides their own.
    pub(crate) fn imports(&self) -> impl Iterator<Item = PathBuf> {
        let own = self.allow_import.iter();
        own.chain(&self.project.imports).cloned()
    }

    /// How far scripts may go.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            operations: self.max_operations,
            call_depth: self.max_depth.into(),
            memory: usize::try_from(self.max_memory.as_u64()).unwrap_or(usize::MAX),
            string_size: self.max_string,
            array_size: self.max_array,
            map_size: self.max_map,
        }
    }

    /// Whether to colour what goes to standard error.
    pub(crate) fn colors(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                std::io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    Rule::parse(text, virhai::classified_calls())
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    virhai::parse_duration(text)
        .ok_or_else(|| format!("`{text}` is not a duration such as 90s or 5m"))
}
