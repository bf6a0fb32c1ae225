//! The command line.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args as ClapArgs, ColorChoice, Parser, ValueHint};
use virhai::engine::Limits;
use virhai::{GrantedProgram, Grants, Rule, Rules};

use super::values::{IfBusy, Log};
use crate::project::Project;
use crate::runs::report::{ReportFile, Reporting, report_file};

pub(super) const HOST: &str = "Host";
const RUNNING: &str = "Running";
const REHEARSAL: &str = "Rehearsal";
pub(super) const OUTPUT: &str = "Output";
pub(super) const PERMISSIONS: &str = "Permissions";
pub(super) const LIMITS: &str = "Limits";

/// Options that all commands share.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Options {
    /// Host that `connect()` opens, instead of LIBVIRT_DEFAULT_URI
    #[arg(short, long, value_name = "URI", global = true, help_heading = HOST)]
    pub(crate) connect: Option<String>,

    /// List of hosts for `hosts(...)`: an Ansible inventory in YAML, INI or JSON, or a program that prints one
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath, help_heading = HOST)]
    pub(crate) inventory: Option<PathBuf>,

    /// Open every connection read-only
    #[arg(long, global = true, help_heading = HOST)]
    pub(crate) readonly: bool,

    /// Time limit for a host to accept a connection
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s", global = true, help_heading = HOST, hide_short_help = true)]
    pub(crate) connect_timeout: Duration,

    /// Time limit of a quick libvirt call, such as a lookup or `suspend`; 0 for no limit
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", global = true, help_heading = HOST, hide_short_help = true)]
    pub(crate) call_timeout: Duration,

    /// Stop a script, or each test, after this time, such as 90s or 5m (exit status 124)
    #[arg(long, value_name = "TIME", value_parser = duration, global = true, help_heading = RUNNING)]
    pub(crate) timeout: Option<Duration>,

    /// Time limit for undoing the changes of a script that failed or was stopped
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m", global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) undo_timeout: Duration,

    /// Run the script on twins of its hosts, and print the changes that it would make; the hosts do not change
    #[arg(long, global = true, help_heading = REHEARSAL)]
    pub(crate) rehearse: bool,

    /// Rehearse on the twin in this file, without the host; `virhai twin` saves such files
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath, help_heading = REHEARSAL)]
    pub(crate) against: Option<PathBuf>,

    /// Rehearse the script, show the plan, ask, run the script, and compare the run with the plan
    #[arg(long, global = true, help_heading = REHEARSAL)]
    pub(crate) plan_first: bool,

    /// True to hide the script's result.
    #[arg(skip)]
    pub(crate) hide_result: bool,

    /// Answer yes to the questions of `confirm` and of --plan-first
    #[arg(long, global = true, help_heading = RUNNING)]
    pub(crate) yes: bool,

    /// Keep no journal of the run; virhai can then neither resume nor undo the run
    #[arg(long, global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) no_journal: bool,

    /// Wait or fail if another run works on the same object
    #[arg(long, value_name = "WHAT", value_enum, default_value = "wait", global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) if_busy: IfBusy,

    /// Run scripts without checking them first
    #[arg(long, global = true, help_heading = RUNNING)]
    pub(crate) no_check: bool,

    /// Edit at the prompt with the keys of vi; ~/.inputrc can set this too
    #[arg(long, global = true, help_heading = RUNNING, hide_short_help = true)]
    pub(crate) vi: bool,

    /// Print the script's result as JSON; the script's output goes to standard error
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub(crate) json: bool,

    /// Write a report of the run to FILE: HTML (.html), JSON (.json) or JUnit (.xml); can be repeated
    #[arg(long, value_name = "FILE", global = true, value_parser = report_file, value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub(crate) report: Vec<ReportFile>,

    /// The data for reports.
    #[arg(skip)]
    pub(crate) reporting: Reporting,

    /// The format of the lines that a run writes to standard error
    #[arg(long, value_name = "FORM", value_enum, default_value = "text", global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) log: Log,

    /// Do not print the script's result or notes
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub(crate) quiet: bool,

    /// Report what virhai runs, what it waits for, and the duration
    #[arg(short, long, global = true, help_heading = OUTPUT)]
    pub(crate) verbose: bool,

    /// Whether to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(crate) color: ColorChoice,

    /// Allow scripts to import from this folder too
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath, help_heading = PERMISSIONS)]
    pub(crate) allow_import: Vec<PathBuf>,

    /// Allow scripts to read this file, or the files in this folder
    #[arg(long, value_name = "PATH", global = true, help_heading = PERMISSIONS)]
    allow_read: Vec<PathBuf>,

    /// Allow scripts to write this file, or the files in this folder
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

    /// Allow scripts to run commands by ssh on HOST, or on USER@HOST
    #[arg(long, value_name = "HOST", global = true, help_heading = PERMISSIONS)]
    allow_ssh: Vec<String>,

    /// Allow scripts to connect to exactly this URI, even if it names a program, key or socket
    #[arg(long, value_name = "URI", global = true, help_heading = PERMISSIONS)]
    allow_connect: Vec<String>,

    /// Accept the permissions in the repo's virhai.toml for this run
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    pub(crate) trust: bool,

    /// Do not read the repo's virhai.toml
    #[arg(long, global = true, conflicts_with = "trust", help_heading = PERMISSIONS)]
    pub(crate) no_config: bool,

    /// Do not ask on the terminal for missing permissions: the call fails
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    pub(crate) no_ask: bool,

    /// Allow only the changes that match this rule, VERBS:NAME@HOST, such as 'create,start:test-*@lab'
    #[arg(long, value_name = "RULE", value_parser = rule, global = true, help_heading = PERMISSIONS)]
    allow: Vec<Rule>,

    /// Refuse the calls that match this rule, VERBS:NAME@HOST, such as 'destroy:prod-*'
    #[arg(long, value_name = "RULE", value_parser = rule, global = true, help_heading = PERMISSIONS)]
    deny: Vec<Rule>,

    /// Let scripts connect only to the hosts that -c, LIBVIRT_DEFAULT_URI and --allow-connect name
    #[arg(long, global = true, help_heading = PERMISSIONS)]
    only_named_hosts: bool,

    /// Allow scripts to run QEMU with `qemu:///embed?root=DIR`; they can then do everything that you can
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath, help_heading = PERMISSIONS)]
    allow_embed: Vec<PathBuf>,

    /// Maximum number of operations of a script, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = Limits::default().operations, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_operations: u64,

    /// Maximum depth of nested calls
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=1000), global = true, help_heading = LIMITS, hide_short_help = true)]
    max_depth: u16,

    /// Memory limit of a script, 0 for all free memory of the host; values of the script may use a third
    #[arg(long, value_name = "SIZE", default_value_t = ByteSize(Limits::default().memory as u64), value_parser = memory_size, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_memory: ByteSize,

    /// Maximum bytes in a string, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_string: usize,

    /// Maximum values in an array, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_array: usize,

    /// Maximum values in a map, 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 0, global = true, help_heading = LIMITS, hide_short_help = true)]
    max_map: usize,

    /// The permissions, rules and hosts of the repo's virhai.toml.
    #[arg(skip)]
    pub(crate) project: Project,
}

/// An empty command line, for the defaults of the options.
#[derive(Debug, Parser)]
struct Bare {
    #[command(flatten)]
    options: Options,
}

impl Options {
    /// Takes over the options of the command line that resumes or undoes a run; `given` tells which of them it has.
    pub(crate) fn take_over(&mut self, later: &Self, given: &dyn Fn(&str) -> bool) {
        macro_rules! each {
            ($change:expr; $($option:ident),*) => {
                $($change(&mut self.$option, &later.$option, given(stringify!($option)));)*
            };
        }
        fn last<T: Clone>(own: &mut T, later: &T, is_given: bool) {
            if is_given {
                own.clone_from(later);
            }
        }
        fn both<T: Clone>(own: &mut Vec<T>, later: &[T], _: bool) {
            own.extend_from_slice(later);
        }
        fn any(own: &mut bool, later: &bool, _: bool) {
            *own |= *later;
        }
        each!(last; connect, inventory, connect_timeout, call_timeout, undo_timeout, if_busy);
        each!(last; max_operations, max_depth, max_memory, max_string, max_array, max_map);
        each!(both; allow_import, allow_read, allow_write, allow_net, allow_run, allow_env, allow_ssh);
        each!(both; allow_connect, allow_embed, allow, deny);
        each!(any; readonly, only_named_hosts, no_config, no_ask, no_check, yes);
        // It is for one command: virhai.toml may have changed since.
        self.trust = later.trust;
        self.no_config &= !later.trust;
        // The plan came before the run began.
        self.plan_first = false;
        self.json = later.json;
        self.quiet = later.quiet;
        self.verbose = later.verbose;
        self.color = later.color;
        self.timeout = later.timeout;
        self.log = later.log;
        self.report.clone_from(&later.report);
        self.reporting = later.reporting.clone();
    }

    /// The options, as far as they are known, if the command line is wrong.
    pub(crate) fn unread() -> Self {
        let mut options = Bare::parse_from(["virhai"]).options;
        options.json = std::env::args_os().any(|arg| arg == "--json");
        options
    }

    /// The permissions of scripts besides libvirt.
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

    /// The rules of the command line, if any.
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

    /// The limits of scripts.
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

    /// Whether to use colour on standard error.
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
    crate::doc::rule(text)
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    virhai::parse_duration(text)
        .ok_or_else(|| format!("`{text}` is not a duration such as 90s or 5m"))
}

/// Parses a size of memory, such as `2GiB`.
fn memory_size(text: &str) -> Result<ByteSize, String> {
    virhai::size::argument(text).map(ByteSize)
}
