//! The options that each command uses: its help and its page of the manual show no others.

use clap::{Arg, Command, CommandFactory};

use super::Args;
use super::options::{HOST, LIMITS, OUTPUT, PERMISSIONS};

/// The commands that do not use all options: the groups of options that each one uses, and single options.
const USED: &[(&str, &[&str], &[&str])] = &[
    (
        "test",
        &[HOST, PERMISSIONS, LIMITS],
        &[
            "timeout",
            "undo_timeout",
            "no_check",
            "quiet",
            "verbose",
            "color",
        ],
    ),
    (
        "check",
        &[],
        &[
            "timeout",
            "json",
            "quiet",
            "verbose",
            "color",
            "allow_import",
            "trust",
            "no_config",
        ],
    ),
    (
        "resume",
        &[HOST, OUTPUT, PERMISSIONS, LIMITS],
        OF_AN_EARLIER_RUN,
    ),
    (
        "undo",
        &[HOST, OUTPUT, PERMISSIONS, LIMITS],
        OF_AN_EARLIER_RUN,
    ),
    ("list", &[], &["json", "color"]),
    ("twin", &[HOST], &["quiet", "color"]),
    ("runs", &[], &["json", "color"]),
    ("show", &[], &["json", "report", "color"]),
    ("prune", &[], &["quiet", "color"]),
    ("trust", &[], &["quiet", "color"]),
    ("top", &[HOST], &["color"]),
    (
        "events",
        &[HOST],
        &["timeout", "json", "quiet", "verbose", "color"],
    ),
    ("doc", &[], &["color"]),
    ("definitions", &[], &["color"]),
    ("lsp", &[], &[]),
    ("completions", &[], &[]),
    ("man", &[], &[]),
];

/// Options that mean something else for commands that run no script: the command, the option, its help.
const HELP: &[(&str, &str, &str)] = &[
    (
        "test",
        "timeout",
        "Stop each test after this time, such as 90s or 5m",
    ),
    (
        "check",
        "timeout",
        "Stop the check after this time, such as 90s or 5m (exit status 124)",
    ),
    (
        "check",
        "json",
        "Same as --format json: print the findings as JSON",
    ),
    ("check", "quiet", "Do not print the summary"),
    (
        "check",
        "verbose",
        "Report the permissions that the repo's virhai.toml gives",
    ),
    ("list", "json", "Print the scripts as JSON"),
    ("runs", "json", "Print the runs as JSON"),
    ("show", "json", "Print the run as JSON"),
    ("twin", "quiet", "Do not print the summary"),
    ("prune", "quiet", "Do not print the summary"),
    ("trust", "quiet", "Do not print the permissions"),
    ("events", "json", "Print each event as a JSON object"),
    (
        "events",
        "timeout",
        "End after this time, such as 90s or 5m",
    ),
    ("events", "quiet", "Do not print notes"),
    ("events", "verbose", "Report the host that virhai watches"),
];

/// The options for running a script that also concern a run that began earlier.
const OF_AN_EARLIER_RUN: &[&str] = &["timeout", "undo_timeout", "yes", "if_busy", "no_check"];

/// The command line for help and manual: commands hide the options that they do not use.
pub(crate) fn command_with_used_options() -> Command {
    let mut command = Args::command();
    // This gives each command the options that all share.
    command.build();
    command.mut_subcommands(|command| {
        let used = USED.iter().find(|(name, ..)| *name == command.get_name());
        let Some((_, groups, single)) = used else {
            return command;
        };
        let command_name = command.get_name().to_owned();
        command.mut_args(|arg| {
            let is_used = single.contains(&arg.get_id().as_str())
                || arg
                    .get_help_heading()
                    .is_none_or(|group| groups.contains(&group));
            let help = HELP
                .iter()
                .find(|(name, id, _)| *name == command_name && *id == arg.get_id().as_str());
            match is_used {
                true if help.is_some() => arg.help(help.map(|(.., help)| *help)),
                true => arg,
                false => Arg::hide(arg, true),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{HELP, USED, command_with_used_options};

    #[test]
    fn each_row_names_commands_and_options_that_exist() {
        let command = command_with_used_options();
        for (name, groups, single) in USED {
            let command = command.find_subcommand(name).expect(name);
            let has = |wanted: &dyn Fn(&clap::Arg) -> bool| command.get_arguments().any(wanted);
            for group in *groups {
                assert!(
                    has(&|arg| arg.get_help_heading() == Some(group)),
                    "{name}: {group}"
                );
            }
            for id in *single {
                assert!(has(&|arg| arg.get_id() == id), "{name}: {id}");
            }
        }
    }

    #[test]
    fn no_command_that_runs_no_script_speaks_of_a_script() {
        let command = command_with_used_options();
        for (name, id, help) in HELP {
            let row = USED.iter().find(|(known, ..)| known == name);
            assert!(
                row.is_some_and(|(.., single)| single.contains(id)),
                "{name} {id}"
            );
            let command = command.find_subcommand(name).expect(name);
            let arg = command.get_arguments().find(|arg| arg.get_id() == id);
            let shown = arg.and_then(clap::Arg::get_help).expect(id).to_string();
            assert_eq!(shown, *help, "{name} {id}");
        }
        for name in ["check", "list", "runs", "show", "prune", "trust", "twin"] {
            let mut command = command_with_used_options();
            let command = command.find_subcommand_mut(name).expect(name);
            let help = command.render_long_help().to_string();
            assert!(!help.contains("the script's result"), "{name}: {help}");
        }
    }

    #[test]
    fn the_help_of_a_command_shows_only_options_that_it_uses() {
        let help = |name: &str| {
            let mut command = command_with_used_options();
            let command = command.find_subcommand_mut(name).expect(name);
            command.render_long_help().to_string()
        };
        let check = help("check");
        assert!(
            check.contains("--allow-import") && check.contains("--timeout"),
            "{check}"
        );
        for foreign in ["--rehearse", "--connect", "--allow-read", "--yes", "--vi"] {
            assert!(!check.contains(foreign), "{foreign}: {check}");
        }
        assert!(help("run").contains("--rehearse"));
        assert!(!help("completions").contains("--json"));
    }
}
