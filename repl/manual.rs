//! `virhai completions` and `virhai man`: completions for shells, and pages for `man`.

use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Arg, Args as ClapArgs, Command, Id, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::{self, Options};
use crate::diagnostic::Diagnostic;
use crate::exit_status::{DONE, FAILED};
use crate::outlet;

/// Arguments of `virhai completions`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// Shell to write completions for
    shell: Shell,
}

/// Arguments of `virhai man`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Manual {
    /// Folder for the pages of all commands, created if it is missing; without a folder,
    /// virhai prints its main page
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: Option<PathBuf>,
}

/// Prints the completions of a shell and returns the exit status.
pub(crate) fn completions(options: &Completions) -> u8 {
    let mut script = Vec::new();
    let mut command = visible(&args::command_with_used_options());
    clap_complete::generate(options.shell, &mut command, "virhai", &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap knows only virhai's options; the shell asks virhai for the inputs of a script.
    let whole = match options.shell {
        Shell::Bash => format!("{script}{}", include_str!("completion.bash")),
        Shell::Fish => format!("{script}{}", include_str!("completion.fish")),
        Shell::Zsh => {
            let end = script.rfind("if [ \"$funcstack").unwrap_or(script.len());
            let (functions, end) = script.split_at(end);
            format!("{functions}{}{end}", include_str!("completion.zsh"))
        }
        _ => script.into_owned(),
    };
    print(whole.as_bytes());
    DONE
}

/// Prints or writes the manual and returns the exit status.
pub(crate) fn man(all: &Options, options: &Manual) -> u8 {
    let command = args::command_with_used_options();
    let Some(folder) = &options.folder else {
        print(&page(&command).1);
        return DONE;
    };
    match write(&command, folder) {
        Ok(()) => DONE,
        Err(error) => {
            let wrong = format!("cannot write {}: {error}", folder.display());
            Diagnostic::plain(wrong).report_plain(all);
            FAILED
        }
    }
}

/// `command` without its hidden arguments, which shells would offer otherwise.
fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments();
    let arguments = arguments.filter(|arg| !arg.is_hide_set() && arg.get_id() != "help");
    let about = command.get_about().cloned().unwrap_or_default();
    Command::new(command.get_name().to_owned())
        .about(about)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        // Each command has its own options already.
        .args(arguments.map(|arg| without_hidden_conflicts(command, arg).global(false)))
        .subcommands(command.get_subcommands().map(visible))
}

/// `arg` of `command`; its conflicts are dropped if one is with a hidden argument.
fn without_hidden_conflicts(command: &Command, arg: &Arg) -> Arg {
    let conflicts = command.get_arg_conflicts_with(arg);
    match conflicts.iter().any(|other| other.is_hide_set()) {
        true => arg.clone().conflicts_with(Resettable::<Id>::Reset),
        false => arg.clone(),
    }
}

/// Writes the pages of `command` and of its subcommands.
fn write(command: &Command, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (name, text) = page(command);
    virhai::files::write(&folder.join(name), text)?;
    command
        .get_subcommands()
        .try_for_each(|command| write(command, folder))
}

/// The name of the file for the page of `command`, and the page.
fn page(command: &Command) -> (String, Vec<u8>) {
    // The page has the short help of each option.
    let whole = command.clone().mut_args(|arg| arg.hide_short_help(false));
    let man = Man::new(whole)
        .source(concat!("virhai ", env!("CARGO_PKG_VERSION")))
        .manual("virhai");
    let mut text = Vec::new();
    rendered(&man, command, &mut text).expect("memory can be written to");
    (man.get_filename(), text)
}

fn rendered(man: &Man, command: &Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(text)?;
        let commands = crate::prompt::description().replace("\n\n", "\n");
        sections(&format!("Prompt:\n{commands}")).to_writer(text)?;
    }
    if let Some(below) = command.get_after_long_help() {
        sections(&below.to_string()).to_writer(text)?;
    }
    Ok(())
}

/// The sections of a text whose headings begin their lines and end in a colon.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for section in text.split("\n\n") {
        let (heading, lines) = section.split_once(":\n").unwrap_or(("Notes", section));
        roff.control("SH", [heading.to_uppercase().as_str()]);
        roff.control("nf", []);
        for line in lines.lines() {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
    roff
}

fn print(text: &[u8]) {
    outlet::stdout().bytes(text);
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;
    use crate::args::{Args, insert_run_subcommand};
    use crate::examples;
    use crate::exit_status::{
        DOES_NOT_COMPILE, INTERRUPTED, NO_CONNECTION, TIMED_OUT, WRONG_USAGE,
    };

    fn all(command: &Command) -> Vec<Command> {
        let below = command.get_subcommands().flat_map(all);
        std::iter::once(command.clone()).chain(below).collect()
    }

    #[test]
    fn every_example_below_the_help_is_a_command_line_that_virhai_takes() {
        for command in all(&Args::command()) {
            let help = command
                .get_after_long_help()
                .expect("each command has examples");
            let help = help.to_string();
            let examples = help.split("\n\n").next().expect("a text has a first part");
            assert!(
                examples.starts_with("Examples:\n"),
                "{}",
                command.get_name()
            );
            for example in examples.lines().skip(1) {
                let line = example.trim().split("  ").next().unwrap_or_default();
                let line = line.split(['|', '>']).next().unwrap_or_default();
                let words = line.split_whitespace().map(Into::into).collect();
                let taken = Args::command()
                    .try_get_matches_from(insert_run_subcommand(words, &|_, _| false));
                assert!(taken.is_ok(), "{example}: {:?}", taken.err());
            }
        }
    }

    #[test]
    fn the_help_tells_every_exit_status_there_is() {
        let (_, told) = examples::VIRHAI
            .split_once("\nExit status:\n")
            .expect("it has a part on them");
        let told = told
            .lines()
            .map_while(|line| line.split_whitespace().next()?.parse().ok());
        let told: Vec<u8> = told.collect();
        let are = [
            DONE,
            FAILED,
            WRONG_USAGE,
            DOES_NOT_COMPILE,
            NO_CONNECTION,
            TIMED_OUT,
            INTERRUPTED,
        ];
        assert_eq!(told, are);
    }

    #[test]
    fn the_command_line_makes_sense_to_clap() {
        Args::command().debug_assert();
        let error = visible(&Args::command())
            .try_get_matches_from(["virhai", "test", "--only", "a", "b"])
            .expect_err("it is hidden");
        assert_eq!(error.kind(), ErrorKind::UnknownArgument);
    }
}
