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
    ("list", &[], &["timeout", "json", "color"]),
    ("twin", &[HOST], &["timeout", "quiet", "verbose", "color"]),
    ("runs", &[], &["json", "color"]),
    ("show", &[], &["json", "report", "color"]),
    ("prune", &[], &["quiet", "verbose", "color"]),
    ("trust", &[], &["quiet", "verbose", "color"]),
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
        command.mut_args(|arg| {
            let is_used = single.contains(&arg.get_id().as_str())
                || arg
                    .get_help_heading()
                    .is_none_or(|group| groups.contains(&group));
            match is_used {
                true => arg,
                false => Arg::hide(arg, true),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{USED, command_with_used_options};

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
