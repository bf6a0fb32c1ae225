//! The inputs that runbooks declare: their sources, refused values, and where they are shown.

use crate::support::{Scratch, Terminal, virhai};

const RUNBOOK: &str = r#"//! Keeps the guests of a host in shape.
//!
//! It writes nothing.
const INPUTS = #{
    guest: #{ type: "string", required: true, pattern: "[a-z0-9-]+", help: "name of the guest" },
    keep: #{ type: "int", default: 7, min: 1, max: 99, help: "copies to keep" },
    size: #{ type: "size", default: "1GiB", help: "size of a copy" },
    mode: #{ words: ["full", "incremental"], default: "full", help: "data to copy" },
    tags: #{ type: ["array", "string"], help: "what to mark them with" },
    dry: #{ type: "bool", default: false, help: "only say what would be done" },
    api_token: #{ type: "secret", help: "token of the service" },
};

fn main(inputs) {
    print(`${inputs.guest} ${inputs.keep} ${inputs.size} ${inputs.mode} ${inputs.tags} ${inputs.dry}`);
    if inputs.api_token != () {
        print(`token ${inputs.api_token} of ${inputs.api_token.len()} letters <t>${inputs.api_token}</t>`);
    }
}
"#;

fn runbook() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("keep.rhai", RUNBOOK);
    scratch
}

fn run(scratch: &Scratch, arguments: &[&str]) -> crate::support::Run {
    let run = virhai()
        .folder(scratch.path(""))
        .arg("run")
        .arg("keep.rhai");
    arguments
        .iter()
        .fold(run, |run, argument| run.arg(argument))
}

#[test]
fn words_that_no_script_uses_are_refused() {
    let scratch = runbook();
    let refused = run(&scratch, &["--guest", "web", "extra", "words"]).run();
    assert_eq!(refused.status, 2, "{refused}");
    for part in [
        "keep.rhai does not use its argument `extra`",
        "`virhai run keep.rhai --help` lists the inputs",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
    scratch.write("plain.rhai", "print(1)");
    let plain = virhai().folder(scratch.path("")).arg("run");
    let refused = plain.arg("plain.rhai").arg("web").run();
    assert_eq!(refused.status, 2, "{refused}");
    assert!(refused.stderr.contains("the array `args`"), "{refused}");
    let refused = virhai().arg("-e").arg("print(1)").arg("extra").run();
    assert_eq!(refused.status, 2, "{refused}");
    assert_eq!(
        virhai().arg("-e").arg("print(args)").arg("extra").ok(),
        "[\"extra\"]\n"
    );
}

#[test]
fn help_lists_the_inputs_and_runs_nothing() {
    let scratch = runbook();
    let help = run(&scratch, &["--help"]).ok();
    for part in [
        "Keeps the guests of a host in shape.",
        "It writes nothing.",
        "Usage: virhai run keep.rhai [OPTIONS]",
        "--guest <TEXT>",
        "name of the guest [matches `[a-z0-9-]+`; required; env: VIRHAI_GUEST]",
        "--keep <NUMBER>",
        "[1 to 99; default: 7;",
        "--mode <full|incremental>",
        "--api-token-file <FILE>",
        "--inputs <FILE>",
    ] {
        let flat = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(part), "{part}: {help}");
    }
    // A script without inputs gets all of its arguments.
    scratch.write("plain.rhai", "print(args); fn main() { print(\"never\") }");
    let plain = virhai()
        .folder(scratch.path(""))
        .arg("run")
        .arg("plain.rhai");
    assert_eq!(plain.arg("--help").ok(), "[\"--help\"]\n");
}

#[test]
fn help_of_a_script_without_inputs_describes_it_and_runs_nothing() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        "//! Starts all guests.\n//!\n//! It takes no args.\nprint(\"it runs\");",
    );
    for option in ["--help", "-h"] {
        let help = run(&scratch, &[option]).ok();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "Starts all guests.",
            "Usage: virhai run keep.rhai",
            "This script declares no inputs.",
            "`virhai run --help` lists the options of virhai",
        ] {
            assert!(help.contains(part), "{part}: {help}");
        }
        assert!(!help.contains("it runs"), "{help}");
    }
    let outcome = run(&scratch, &["--", "--", "--help"]).fails(2);
    let said = "keep.rhai does not use its argument `--`";
    assert!(outcome.stderr.contains(said), "{outcome}");
}

#[test]
fn words_after_a_second_separator_are_arguments() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ x: #{ type: "string", default: "none", help: "a text" } }; print(`${inputs.x} ${args}`);"#,
    );
    for (words, told) in [
        (&["--", "--x", "a"][..], "a []"),
        (&["--x", "a", "--", "--x"], "a [\"--x\"]"),
        (&["--", "--", "--x", "a"], "none [\"--x\", \"a\"]"),
    ] {
        assert_eq!(run(&scratch, words).ok(), format!("{told}\n"), "{words:?}");
    }
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let scratch = runbook();
    let defaults = run(&scratch, &["--guest", "web"]).ok();
    assert_eq!(defaults, "web 7 1GiB full  false\n");
    for (name, text) in [
        (
            "in.json",
            r#"{"guest": "file", "keep": 3, "tags": ["a", "b"]}"#,
        ),
        (
            "in.toml",
            "guest = \"file\"\nkeep = 3\ntags = [\"a\", \"b\"]\n",
        ),
        ("in.yaml", "guest: file\nkeep: 3\ntags:\n  - a\n  - b\n"),
    ] {
        scratch.write(name, text);
        let told = run(&scratch, &["--inputs", name]).ok();
        assert_eq!(told, "file 3 1GiB full [\"a\", \"b\"] false\n", "{name}");
        let told = run(
            &scratch,
            &[
                "--inputs", name, "--keep=5", "--dry", "--tags", "c", "--tags", "d",
            ],
        )
        .env("VIRHAI_KEEP", "4")
        .env("VIRHAI_GUEST", "env")
        .ok();
        assert_eq!(told, "env 5 1GiB full [\"c\", \"d\"] true\n", "{name}");
    }
}

#[test]
fn all_bad_inputs_are_reported_together_and_nothing_runs() {
    let scratch = runbook();
    scratch.write("in.json", r#"{"kep": 3, "size": true}"#);
    let arguments = [
        "--keep",
        "many",
        "--mode",
        "incremetal",
        "--inputs",
        "in.json",
        "--dry=maybe",
    ];
    let outcome = run(&scratch, &arguments).fails(2);
    assert_eq!(outcome.stdout, "");
    for said in [
        "6 inputs are wrong or missing",
        "`keep` must be a number, not the text \"many\" (given by --keep)",
        "did you mean \"incremental\"?",
        "there is no option `kep` (given by in.json); did you mean `keep`?",
        "`size` must be a size",
        "`dry` must be true or false",
        "--guest or VIRHAI_GUEST is missing: name of the guest",
        "`virhai run keep.rhai --help` lists the inputs",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    for (arguments, said) in [
        (
            &["--guest", "Web"][..],
            "`guest` must match `[a-z0-9-]+`, not \"Web\"",
        ),
        (
            &["--guest", "a", "--keep", "100"],
            "`keep` must be 99 or less, not 100",
        ),
        (&["--gest", "a"], "--guest"),
        (
            &["--guest", "a", "--timeout", "2s"],
            "`--timeout` is an option of virhai: write it before the script",
        ),
        (
            &["--guest", "a", "--inputs", "none.json"],
            "cannot read the inputs in none.json: No such file",
        ),
    ] {
        let outcome = run(&scratch, arguments).fails(2);
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    scratch.write("keep.rhai", RUNBOOK.replace("\"size\"", "\"sise\""));
    let outcome = run(&scratch, &["--guest", "web"]).fails(3);
    assert!(
        outcome.stderr.contains("did you mean \"size\"?"),
        "{outcome}"
    );
}

#[test]
fn a_secret_is_never_on_a_command_line_or_in_output() {
    let scratch = runbook();
    let outcome = run(&scratch, &["--guest", "web", "--api-token", "t&p-secret"]).fails(2);
    assert!(outcome.stderr.contains("--api-token-file"), "{outcome}");
    scratch.write("token", "t&p-secret\n");
    for (arguments, variable) in [
        (&["--guest", "web", "--api-token-file", "token"][..], None),
        (&["--guest", "web"], Some("t&p-secret")),
    ] {
        let mut run = run(&scratch, arguments);
        if let Some(secret) = variable {
            run = run.env("VIRHAI_API_TOKEN", secret);
        }
        let told = run.ok();
        assert!(
            told.contains("token *** of 10 letters <t>***</t>"),
            "{told}"
        );
    }
    let script = RUNBOOK.replace(
        "if inputs.api_token != ()",
        "throw inputs.api_token; if true",
    );
    scratch.write("keep.rhai", script);
    let outcome = run(&scratch, &["--guest", "web", "--api-token-file", "token"]).fails(1);
    assert!(!outcome.to_string().contains("t&p-secret"), "{outcome}");
}

#[test]
fn a_secret_within_a_map_or_a_list_of_maps_is_hidden_everywhere() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const LOGIN = #{ user: #{ type: "string", help: "user" }, word: #{ type: "secret", help: "its password" } };
        const SITE = #{ login: #{ type: "LOGIN", help: "login" } };
        const INPUTS = #{ site: #{ type: "SITE", help: "a site" }, all: #{ type: ["array", "LOGIN"], help: "logins" } };
        step("look", || inputs.site.login.user);
        print(inputs);
        throw inputs.site.login.word + inputs.all[0].word;"#,
    );
    let site = r#"{"login": {"user": "anna", "word": "s3cr3t"}}"#;
    let all = r#"[{"user": "bert", "word": "gehe1m"}]"#;
    scratch.write("site.json", site);
    scratch.write("in.yaml", format!("site: {site}\nall: {all}\n"));
    for (words, from_environment) in [
        (&["--inputs", "in.yaml"][..], false),
        (&["--site-file", "site.json"], true),
    ] {
        let mut run = run(&scratch, words)
            .env("XDG_STATE_HOME", scratch.path("state"))
            .first_arg("--report=report.html");
        if from_environment {
            run = run.env("VIRHAI_ALL", all);
        }
        let failed = run.fails(1);
        let report = std::fs::read_to_string(scratch.path("report.html")).expect("a report");
        let journals = scratch.path("state/virhai/runs");
        let journals = std::fs::read_dir(journals).expect("there are runs");
        let journals: String = journals
            .map(|run| run.expect("it is readable").path().join("journal.jsonl"))
            .map(|path| std::fs::read_to_string(path).expect("a journal"))
            .collect();
        for shown in [failed.to_string(), report, journals] {
            assert!(!shown.contains("s3cr3t"), "{shown}");
            assert!(!shown.contains("gehe1m"), "{shown}");
            assert!(
                shown.contains("***") || shown.contains("\"secrets\""),
                "{shown}"
            );
        }
        assert!(failed.stdout.contains("anna"), "{failed}");
    }
    let outcome = run(&scratch, &["--site", site]).fails(2);
    assert!(outcome.stderr.contains("--site-file"), "{outcome}");
    let outcome = run(&scratch, &[]).env("VIRHAI_SITE", "{s3cr3t").fails(2);
    assert!(!outcome.to_string().contains("s3cr3t"), "{outcome}");
}

#[test]
fn a_secret_is_in_no_excerpt_of_xml_or_of_a_file_of_inputs() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ code: #{ type: "secret", help: "code" } };
        fn main(inputs) {
            print([inputs.code]);
            connect("test:///default").define_xml(`<domain type='test'><name>${inputs.code}</name><os/></domain>`);
        }"#,
    );
    scratch.write("secret", "sw0rd\tfish\u{202e}\u{1b}[31m");
    for json in [false, true] {
        let options: &[&str] = if json { &["--log", "json"] } else { &[] };
        let options = [options, &["--no-ask", "--code-file", "secret"]].concat();
        let outcome = run(&scratch, &options).fails(1);
        assert!(!outcome.to_string().contains("sw0rd"), "{outcome}");
        assert!(outcome.to_string().contains("***"), "{outcome}");
    }
    for (file, text) in [
        ("a.yaml", "x: [1]\ncode: sw0rd\ny: [2"),
        ("b.yaml", "code: \"sw0rd\nx: 1"),
        ("c.toml", "code = \"sw0rd"),
        ("d.toml", "code = \"sw0rd\"\ncode = 1"),
    ] {
        scratch.write(file, text);
        let outcome = run(&scratch, &["--inputs", file]).fails(2);
        assert!(!outcome.to_string().contains("sw0rd"), "{outcome}");
        assert!(outcome.stderr.contains("line "), "{outcome}");
    }
}

#[test]
fn a_secret_of_the_wrong_type_is_not_shown() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ code: #{ type: "secret", help: "code" }, codes: #{ type: ["array", "secret"], help: "codes" } };
        fn main(inputs) {}"#,
    );
    scratch.write(
        "in.yaml",
        "code: 48151623\ncodes: [{a: 48151623}, 48151623]\n",
    );
    let outcome = run(&scratch, &["--inputs", "in.yaml"])
        .first_arg("report.json")
        .first_arg("--report")
        .fails(2);
    assert!(!outcome.to_string().contains("48151623"), "{outcome}");
    let said = "`code` must be text, not a number (given by in.yaml)";
    assert!(outcome.stderr.contains(said), "{outcome}");
    let report = std::fs::read_to_string(scratch.path("report.json")).unwrap_or_default();
    assert!(!report.contains("48151623"), "{report}");
    let outcome = run(&scratch, &["--code=48151623"]).fails(2);
    assert!(!outcome.to_string().contains("48151623"), "{outcome}");
}

#[test]
fn missing_inputs_are_asked_for_until_an_answer_is_valid() {
    let scratch = runbook();
    let script = RUNBOOK.replace("type: \"secret\",", "type: \"secret\", required: true,");
    scratch.write("keep.rhai", script);
    let mut terminal = Terminal::start(&run(&scratch, &["--keep", "2"]).command());
    terminal.shows("guest: name of the guest (string, matches `[a-z0-9-]+`):");
    terminal.types("Web\r");
    terminal.shows("`guest` must match");
    terminal.types("web\r");
    terminal.shows("api_token: token of the service (secret):");
    terminal.types("t&p-secret\r");
    terminal.shows("web 2 1GiB");
    terminal.shows("token *** of 10 letters");
    terminal.shows("(secret): **********");
    let written = String::from_utf8_lossy(terminal.raw()).into_owned();
    assert!(!written.contains("t&p"), "{written}");
    assert_eq!(terminal.ends(), 0);
    let mut terminal = Terminal::start(&run(&scratch, &["--guest", "web"]).command());
    terminal.shows("(secret):");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 130);
    assert!(terminal.echoes(), "the terminal is as it was");
}

#[test]
fn a_script_with_main_can_be_imported_without_running() {
    let scratch = runbook();
    scratch.write(
        "use.rhai",
        "import \"keep\" as keep; print(\"imported\"); keep::main(#{ guest: \"x\", keep: 1, size: 1, mode: \"full\", tags: [], dry: true, api_token: () });",
    );
    let told = virhai()
        .folder(scratch.path(""))
        .arg("run")
        .arg("use.rhai")
        .ok();
    assert_eq!(told, "imported\nx 1 1 full [] true\n");
    scratch.write(
        "flat.rhai",
        "const INPUTS = #{ n: #{ type: \"int\", default: 3, help: \"a number\" } }; [inputs.n + 1, args]",
    );
    let told = virhai()
        .folder(scratch.path(""))
        .arg("run")
        .arg("flat.rhai")
        .arg("--n")
        .arg("4")
        .arg("web")
        .arg("--")
        .arg("--x")
        .ok();
    assert_eq!(told, "5\n[\"web\", \"--x\"]\n");
    scratch.write("typo.rhai", RUNBOOK.replace("inputs.keep}", "inputs.kep}"));
    let outcome = virhai()
        .folder(scratch.path(""))
        .arg("check")
        .arg("typo.rhai")
        .fails(3);
    assert!(outcome.stderr.contains("did you mean `keep`?"), "{outcome}");
}

#[test]
fn scripts_of_a_folder_are_listed_with_their_first_lines() {
    let scratch = runbook();
    scratch.write("a/b.rhai", "print(1)");
    scratch.write("a/b_test.rhai", "fn test_a() {}");
    let told = virhai().arg("list").arg(scratch.path("")).ok();
    assert_eq!(
        told,
        "a/b.rhai\nkeep.rhai  Keeps the guests of a host in shape.\n"
    );
    let told = virhai()
        .arg("--json")
        .arg("list")
        .arg(scratch.path(""))
        .ok();
    assert!(
        told.contains(r#""path":"keep.rhai""#) && told.contains(r#""inputs":["guest","keep""#),
        "{told}"
    );

    // A pipe is not read; a script that would take Rhai's parser minutes is listed without its
    // inputs.
    let pipe = scratch.path("pipe.rhai");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe can be made");
    let many: String = (0..60_000)
        .map(|number| format!("i{number}: #{{}}, "))
        .collect();
    scratch.write(
        "slow.rhai",
        format!("//! Slow.\nconst INPUTS = #{{ {many} }};"),
    );
    let outcome = virhai().arg("list").arg(scratch.path("")).fails(1);
    assert!(outcome.stdout.contains("slow.rhai  Slow.\n"), "{outcome}");
    for why in ["it is a pipe, not a file", "takes too long"] {
        assert!(outcome.stderr.contains(why), "{outcome}");
    }
}

#[test]
fn an_input_may_have_the_name_of_an_option_of_virhai() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ timeout: #{ type: "duration", default: "1m", help: "a time" }, quiet: #{ type: "bool", default: false, help: "a word" } };
           fn main(inputs) { print(`${inputs.timeout} ${inputs.quiet}`); }"#,
    );
    for (words, told) in [
        (&["--timeout", "5m", "--quiet"][..], "5m true\n"),
        (&["--no-journal", "--quiet", "--timeout=5m"], "5m true\n"),
        (&["--", "--timeout", "5m"], "5m false\n"),
        (&["--no-journal"], "1m false\n"),
        (&["-q", "--timeout", "5m"], "5m false\n"),
        (&["-qc", "test:///default", "--yes", "--quiet"], "1m true\n"),
    ] {
        assert_eq!(run(&scratch, words).ok(), told, "{words:?}");
    }
    let before_file = run(&scratch, &[]).first_arg("5m").first_arg("--timeout");
    assert_eq!(before_file.ok(), "1m false\n");
    let text = std::fs::read_to_string(scratch.path("keep.rhai")).expect("it was written");
    let piped = virhai()
        .arg("run")
        .arg("-")
        .arg("--")
        .arg("--timeout")
        .arg("5m");
    assert_eq!(piped.script(text).ok(), "5m false\n");
}

#[test]
fn words_after_a_script_without_inputs_are_its_arguments() {
    let scratch = Scratch::new();
    scratch.write("keep.rhai", "print(args);");
    for (words, told) in [
        (
            &["--quiet", "--yes", "web"][..],
            r#"["--quiet", "--yes", "web"]"#,
        ),
        (&["-c", "web"], r#"["-c", "web"]"#),
        (&["--report=z.json"], r#"["--report=z.json"]"#),
        (&["web", "--", "--x"], r#"["web", "--", "--x"]"#),
    ] {
        assert_eq!(run(&scratch, words).ok(), format!("{told}\n"), "{words:?}");
    }
    assert!(!scratch.path("z.json").exists());
    // An option that neither virhai nor the script would see.
    scratch.write("keep.rhai", "print(1);");
    assert!(run(&scratch, &["--rehearse"]).ok().contains("no changes"));
    let outcome = run(&scratch, &["web", "--rehearse"]).fails(2);
    let said = "`--rehearse` is an option of virhai: write it before the script";
    assert!(outcome.stderr.contains(said), "{outcome}");
    let outcome = run(&scratch, &["web"]).fails(2);
    let said = "keep.rhai does not use its argument `web`";
    assert!(outcome.stderr.contains(said), "{outcome}");
}

#[test]
fn a_flag_takes_a_value_only_after_an_equals_sign() {
    let scratch = runbook();
    let outcome = run(&scratch, &["--guest", "web", "--dry", "false"]).fails(2);
    let said = "`--dry false` must be written `--dry=false`";
    assert!(outcome.stderr.contains(said), "{outcome}");
    let told = run(&scratch, &["--guest", "web", "--dry=false"]).ok();
    assert_eq!(told, "web 7 1GiB full  false\n");
}

#[test]
fn the_check_finds_wrong_names_of_inputs() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ help: #{ type: "string", help: "a text" } }; fn main(inputs) {}"#,
    );
    let check = virhai()
        .folder(scratch.path(""))
        .arg("check")
        .arg("keep.rhai");
    let outcome = check.fails(3);
    let said = "an input cannot be called `help`";
    assert!(outcome.to_string().contains(said), "{outcome}");
}

#[test]
fn a_resumed_run_with_another_input_names_the_option_that_allows_it() {
    let scratch = Scratch::new();
    scratch.write(
        "keep.rhai",
        r#"const INPUTS = #{ share: #{ type: "float", help: "a share" } };
        fn main(inputs) { step("one", || 1); print(inputs.share / 2); if inputs.share != 3.0 { throw "stopped" } }"#,
    );
    let state = scratch.path("state");
    let virhai = |share: &str| {
        virhai()
            .folder(scratch.path(""))
            .env("XDG_STATE_HOME", &state)
            .env("VIRHAI_SHARE", share)
    };
    virhai("1").arg("run").arg("keep.rhai").fails(1);
    let same = virhai("1.0").arg("resume").fails(1);
    assert_eq!(same.stdout, "0.5\n", "{same}");
    let refused = virhai("3").arg("resume").fails(2);
    for said in [
        "`share` was 1.0 when the run began",
        "`virhai resume RUN --changed` resumes the run with the new values",
    ] {
        assert!(refused.stderr.contains(said), "{said}: {refused}");
    }
    assert_eq!(virhai("3").arg("resume").arg("--changed").ok(), "1.5\n");
}

#[test]
fn a_failure_because_of_a_missing_input_names_it() {
    let scratch = Scratch::new();
    let inputs = r#"const INPUTS = #{
    count: #{ type: "int", help: "number of guests" },
    guest: #{ type: "string", help: "name of the guest" },
    given: #{ type: "int", default: 1, help: "has a default" },
};
"#;
    let hint = |name: &str| {
        format!(
            "the input `{name}` was not given: declare it with `required: true` or a `default`, or write `inputs.{name} ?? VALUE` or `if inputs.{name} != () {{ ... }}`"
        )
    };
    for (name, code) in [
        ("count", "print(inputs.count + 1);"),
        ("count", "print(inputs.given - inputs.count);"),
        ("guest", "print(inputs.guest.to_upper());"),
        (
            "guest",
            "connect(\"test:///default\").lookup_by_name(inputs.guest);",
        ),
        ("guest", "for letter in inputs.guest { print(letter); }"),
    ] {
        scratch.write("missing.rhai", format!("{inputs}{code}\n"));
        let run = virhai().folder(scratch.path("")).arg("run");
        let failed = run.arg("missing.rhai").fails(1);
        assert!(failed.stderr.contains(&hint(name)), "{code}: {failed}");
    }
    // Another missing value.
    let code = "let nothing = (); print(inputs.given); nothing.to_upper();\n";
    scratch.write("missing.rhai", format!("{inputs}{code}"));
    let run = virhai().folder(scratch.path("")).arg("run");
    let failed = run.arg("missing.rhai").arg("--no-check").run();
    assert!(!failed.stderr.contains("was not given"), "{failed}");
}
