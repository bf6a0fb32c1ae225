//! Documentation of the command line by itself: help, completions for shells, and the manual page.
//!
//! The help of each command has its golden files in `tests/data/help/`; `UPDATE=1` rewrites them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Scratch, Terminal, golden, succeeds, updates, virhai};

/// The output of `virhai ARGS`, without spaces at the ends of lines.
fn printed(args: &[&str]) -> String {
    let run = virhai().env("COLUMNS", "80");
    let text = args.iter().fold(run, |run, arg| run.arg(arg)).ok();
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// The commands that the help names.
fn commands() -> Vec<String> {
    let help = printed(&["-h"]);
    let (_, list) = help.split_once("\nCommands:\n").expect("it lists them");
    let (list, _) = list.split_once("\n\n").expect("more follows");
    let names = list
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// Every help: the name of its golden file, and its text.
fn helps() -> Vec<(String, String)> {
    let commands = commands();
    let commands = commands.iter().map(String::as_str);
    std::iter::once(None)
        .chain(commands.map(Some))
        .flat_map(|command| ["-h", "--help"].map(|option| (command, option)))
        .map(|(command, option)| {
            let args: Vec<&str> = command.into_iter().chain([option]).collect();
            let length = if option == "-h" { "short" } else { "long" };
            let name = format!("{}.{length}.txt", command.unwrap_or("virhai"));
            (name, printed(&args))
        })
        .collect()
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/help")
}

#[test]
fn the_help_of_every_command_is_as_it_was_reviewed() {
    let helps = helps();
    if updates() {
        let _ = std::fs::remove_dir_all(goldens());
    }
    for (name, text) in &helps {
        golden(&goldens().join(name), text);
    }
    let kept = std::fs::read_dir(goldens()).expect("the folder is there");
    let kept: BTreeSet<_> = kept
        .flatten()
        .map(|file| file.file_name().into_string().expect("names are text"))
        .collect();
    assert_eq!(kept, helps.into_iter().map(|(name, _)| name).collect());
}

#[test]
fn no_line_of_help_is_longer_than_80_columns_and_the_long_one_ends_in_examples() {
    for (name, text) in helps() {
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        let examples = text.contains("\nExamples:\n");
        assert_eq!(examples, name.contains(".long."), "{name}\n{text}");
    }
}

#[test]
fn commands_that_run_scripts_show_all_options_under_their_headings() {
    let runs_scripts = |name: &str| {
        ["virhai.", "run.", "resume.", "undo."]
            .iter()
            .any(|command| name.starts_with(command))
    };
    let helps = helps().into_iter().filter(|(name, _)| runs_scripts(name));
    for (name, text) in helps {
        for heading in ["Host", "Running", "Output", "Permissions"] {
            assert!(text.contains(&format!("\n{heading}:\n")), "{name}\n{text}");
        }
        let limits = text.contains("\nLimits:\n");
        assert_eq!(limits, name.contains(".long."), "{name}\n{text}");
    }
}

#[test]
fn the_line_of_script_in_the_help_runs() {
    let help = printed(&["--help"]);
    let (_, code) = help.split_once("virhai -e '").expect("there is one");
    let (code, _) = code.split_once('\'').expect("it has an end");
    let run = virhai().arg("-c").arg("test:///default");
    assert!(!run.arg("-e").arg(code).ok().trim().is_empty());
}

/// The completions of bash for the last of `words`.
fn offered(script: &Path, words: &[&str]) -> BTreeSet<String> {
    let line = format!(
        "source {}; complete -p virhai >/dev/null || exit 1; COMP_WORDS=({}); COMP_CWORD={}; \
         $(complete -p virhai | sed 's/.*-F //; s/ .*//') \"${{COMP_WORDS[0]}}\" \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words
            .iter()
            .map(|word| format!("'{word}' "))
            .collect::<String>(),
        words.len() - 1,
    );
    let output = succeeds(Command::new("bash").args(["--norc", "-c", &line]));
    let offered = String::from_utf8(output.stdout).expect("bash prints text");
    offered.lines().map(str::to_owned).collect()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let folder = Scratch::new();
    let script = folder.write("virhai.bash", printed(&["completions", "bash"]));
    succeeds(Command::new("bash").arg("-n").arg(&script));

    let all = offered(&script, &["virhai", ""]);
    for command in commands() {
        assert!(all.contains(&command), "{command}: {all:?}");
    }
    let own = offered(&script, &["virhai", "test", "--"]);
    for option in ["--watch", "--junit", "--connect", "--max-memory"] {
        assert!(own.contains(option), "{option}: {own:?}");
    }
    assert!(!own.contains("--only"), "it is for virhai alone: {own:?}");
    let formats = offered(&script, &["virhai", "check", "--format", ""]);
    assert_eq!(formats, ["json", "sarif", "text"].map(str::to_owned).into());
    let colours = offered(&script, &["virhai", "run", "--color", "a"]);
    assert_eq!(colours, ["always", "auto"].map(str::to_owned).into());
}

#[test]
fn shells_complete_the_inputs_of_a_script_and_their_words() {
    let folder = Scratch::new();
    let inputs = "const INPUTS = #{ disk_size: #{ type: \"size\" }, mode: #{ words: [\"full\", \"fast\"] }, key: #{ type: \"secret\" } };";
    let runbook = folder.write("grow.rhai", inputs).display().to_string();
    let program = env!("CARGO_BIN_EXE_virhai");
    let options = ["--disk-size", "--help", "--inputs", "--key-file", "--mode"].map(str::to_owned);
    let script = folder.write("virhai.bash", printed(&["completions", "bash"]));
    assert_eq!(
        offered(&script, &[program, "run", &runbook, "--"]),
        options.clone().into()
    );
    assert_eq!(
        offered(&script, &[program, "doc", "std/poo"]),
        ["std/pool".to_owned()].into()
    );
    assert_eq!(
        offered(&script, &[program, "doc", "storage_pool_lookup_by_na"]),
        ["storage_pool_lookup_by_name".to_owned()].into()
    );
    let runs = offered(&script, &[program, "show", "l"]);
    assert_eq!(runs, ["last".to_owned()].into());
    let uris = offered(&script, &[program, "-c", "qemu"]);
    assert!(uris.contains("qemu:///system"), "{uris:?}");
    let words = offered(&script, &[program, &runbook, "--mode", "f"]);
    assert_eq!(words, ["fast", "full"].map(str::to_owned).into());
    assert_eq!(
        offered(&script, &[program, &runbook, "--mode", "fu"]),
        ["full".to_owned()].into()
    );
    // A shell runs no commands from a script's words: neither while it completes nor when the
    // command line is entered.
    let hostile = r#"const INPUTS = #{ mode: #{ words: ["$(touch MARK)", "`touch MARK`", "a b; touch MARK", "e\x1b]2;x\x07"] } };"#;
    let mark = folder.text("mark");
    let hostile = folder.write("hostile.rhai", hostile.replace("MARK", &mark));
    let hostile = hostile.display().to_string();
    let words = offered(&script, &[program, &hostile, "--mode", ""]);
    assert_eq!(words.len(), 3, "{words:?}");
    for word in words {
        let output = succeeds(
            Command::new("bash")
                .arg("-c")
                .arg(format!("printf %s {word}")),
        );
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("touch"),
            "{word}"
        );
    }
    assert!(!folder.path("mark").exists());
    file_names_are_quoted(program);
    // One that is broken has nothing to offer.
    let broken = folder
        .write("broken.rhai", "const INPUTS = #{")
        .display()
        .to_string();
    let nothing = offered(&script, &[program, "run", &broken, "--"]);
    assert_eq!(nothing, [String::new()].into());
    let fish = folder.write("virhai.fish", printed(&["completions", "fish"]));
    if is_there("fish") {
        let folder = std::path::Path::new(program).parent().expect("a folder");
        let line = format!(
            "set -x PATH {} $PATH; source {}; complete -C 'virhai run {runbook} --'",
            folder.display(),
            fish.display()
        );
        let output = succeeds(Command::new("fish").args(["--no-config", "-c", &line]));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        for option in &options {
            assert!(
                told.lines().any(|line| line.starts_with(option.as_str())),
                "{option}: {told}"
            );
        }
        let names = line.replace(&format!("run {runbook} --"), "doc std/poo");
        let output = succeeds(Command::new("fish").args(["--no-config", "-c", &names]));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("std/pool"), "{told}");
    }
}

/// Checks that the shells quote the file names that they complete.
fn file_names_are_quoted(program: &str) {
    let folder = Scratch::new();
    folder.write("here/$(touch mark).rhai", "");
    let programs = Path::new(program).parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", programs.display());
    let quoted = r"\$\(touch\ mark\).rhai";
    let shell = |shell: &str, options: &[&str]| {
        let mut command = Command::new(shell);
        command.args(options).current_dir(folder.path("here"));
        command
            .env("PATH", &path)
            .env("PS1", "> ")
            .env("TERM", "xterm");
        command
    };
    let script = folder.write("virhai.bash", printed(&["completions", "bash"]));
    let mut bash = Terminal::start(&shell("bash", &["--norc", "--noprofile", "-i"]));
    bash.types(&format!("source {}\rvirhai run \t", script.display()));
    bash.shows(&format!("> virhai run {quoted}"));
    bash.types("\x15virhai --inventory \t");
    bash.shows(&format!("> virhai --inventory {quoted}"));
    if is_there("zsh") {
        let script = folder.write("virhai.zsh", printed(&["completions", "zsh"]));
        let mut zsh = Terminal::start(&shell("zsh", &["-f", "-i"]));
        zsh.types(&format!(
            "autoload -U compinit; compinit -u -D; source {}\rvirhai run \\$\t",
            script.display()
        ));
        zsh.shows(&format!("> virhai run {quoted}"));
        zsh.types("\x15virhai doc std/poo\t");
        zsh.shows("> virhai doc std/pool");
    }
    if is_there("fish") {
        let script = folder.write("virhai.fish", printed(&["completions", "fish"]));
        let line = format!(
            "source {}; complete --escape -C 'virhai run '",
            script.display()
        );
        let told = succeeds(&mut shell("fish", &["--no-config", "-c", &line]));
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains(quoted), "{told}");
    }
}

#[test]
fn other_shells_take_their_completions_as_well() {
    let folder = Scratch::new();
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = folder.write(shell, printed(&["completions", shell]));
        let text = std::fs::read_to_string(&script).expect("it was written");
        assert!(text.contains("completions"), "{shell}: {text}");
        if ["zsh", "fish"].contains(&shell) && is_there(shell) {
            succeeds(Command::new(shell).arg("-n").arg(&script));
        }
    }
    let outcome = virhai().arg("completions").arg("csh").fails(2);
    assert!(outcome.stderr.contains("bash"), "{outcome}");
}

#[test]
fn the_manual_has_a_page_for_every_command_which_man_shows_without_a_warning() {
    let folder = Scratch::new();
    let pages = folder.path("man1");
    virhai().arg("man").arg(&pages).ok();
    let mut expected = vec!["virhai".to_owned()];
    expected.extend(commands().iter().map(|name| format!("virhai-{name}")));
    for name in &expected {
        let page = pages.join(format!("{name}.1"));
        let text = std::fs::read_to_string(&page).expect("the page was written");
        assert!(text.contains(".SH EXAMPLES"), "{name}: {text}");
        if is_there("groff") {
            let mut groff = Command::new("groff");
            let output = succeeds(groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        }
    }
    let written = std::fs::read_dir(&pages).expect("the folder is there");
    assert_eq!(written.count(), expected.len());
    let first = std::fs::read_to_string(pages.join("virhai.1")).expect("it was written");
    assert_eq!(
        first.lines().collect::<Vec<_>>(),
        printed(&["man"]).lines().collect::<Vec<_>>()
    );
    for part in [
        ".SH \"EXIT STATUS\"",
        "Time limit for a host to accept",
        "virhai\\-check(1)",
        "124  timed out",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
}

#[test]
fn what_follows_a_script_is_the_scripts() {
    let scratch = Scratch::new();
    let script = scratch.write("shown.rhai", "print(args);");
    let script = script.display().to_string();
    for rest in [
        &["test"][..],
        &["run", "check"],
        &["doc", "--json"],
        &["a", "top"],
        &["-h"],
        &["--help", "--json"],
    ] {
        let shown = format!(
            "[{}]\n",
            rest.iter()
                .map(|word| format!("{word:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        for before in [
            &[script.as_str()][..],
            &["run", &script],
            &["-q", "-c", "test:///default", &script],
        ] {
            let run = before
                .iter()
                .chain(rest)
                .fold(virhai(), |run, word| run.arg(word));
            assert_eq!(run.ok(), shown, "{before:?} {rest:?}");
        }
    }
    let code = ["--color=never", "-qe", "print(args);", "a", "test"];
    let run = code.iter().fold(virhai(), |run, word| run.arg(word));
    assert_eq!(run.ok(), "[\"a\", \"test\"]\n");
}

#[test]
fn a_limit_that_ends_a_script_before_it_runs_is_told_once() {
    let limited = virhai()
        .arg("--max-memory")
        .arg("1")
        .arg("-e")
        .arg("1")
        .fails(1);
    let told = limited.stderr.matches("memory limit exceeded").count();
    assert_eq!(told, 1, "{limited}");
}

#[test]
fn a_wrong_command_line_is_json_in_a_log_as_json() {
    for log in [&["--log", "json"][..], &["--log=json"]] {
        let run = log.iter().fold(virhai(), |run, word| run.arg(word));
        let wrong = run.arg("--nosuch").fails(2);
        for line in wrong.stderr.lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("it is JSON");
        }
        assert!(wrong.stderr.contains("--nosuch"), "{wrong}");
    }
}
