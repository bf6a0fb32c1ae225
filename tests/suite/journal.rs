//! Journals of runs: they survive the process, and their runs can be resumed and undone.

mod damage;
mod options;
mod persons;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Daemon, Embed, Host, Outcome, Run, Scratch, virhai};

/// A run in `folder`, which also holds its journals.
fn in_folder(folder: &Scratch) -> Run {
    virhai()
        .folder(folder.path(""))
        .env("XDG_STATE_HOME", folder.path("state"))
}

/// The journal of the only run whose state is in `folder`.
fn journal(folder: &Scratch) -> std::path::PathBuf {
    let runs = std::fs::read_dir(folder.path("state/virhai/runs")).expect("there is a run");
    let mut runs: Vec<_> = runs
        .map(|run| run.expect("it is readable").path())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0).join("journal.jsonl")
}

/// A run on `host` of the script `name`, which is beside its state.
fn on(host: &Embed) -> Run {
    host.virhai().folder(host.scratch().path("home"))
}

/// Starts `run`, and kills it once it has printed `line`.
fn killed_at(run: &Run, line: &str) {
    let mut command = run.command();
    let mut child: Child = std::os::unix::process::CommandExt::process_group(&mut command, 0)
        .spawn()
        .expect("the program starts");
    let output = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(output).lines();
    let found = lines.any(|told| told.is_ok_and(|told| told == line));
    let group = Pid::from_raw(-child.id().cast_signed());
    kill(group, Signal::SIGKILL).expect("it lives");
    child.wait().expect("it ends");
    assert!(found, "it does not print {line}");
}

fn has(outcome: &Outcome, texts: &[&str]) {
    let all = format!("{}\n{}", outcome.stdout, outcome.stderr);
    for text in texts {
        assert!(all.contains(text), "{text}: {outcome}");
    }
}

const STEPS: &str = r#"//! Makes two guests.
const INPUTS = #{ memory: #{ type: "int", default: 1024, help: "KiB" } };
fn xml(name, memory) {
    `<domain type='qemu'><name>${name}</name><memory>${memory}</memory><os><type>hvm</type></os></domain>`
}
fn main(inputs) {
    let conn = connect();
    let web = step("define web", || {
        print("defining web");
        all_or_nothing(|undo| undo.step(|| conn.define_xml(xml("web", inputs.memory)), |dom| dom.undefine(), || conn.lookup_by_name("web")))
    });
    step("mark web", || {
        print("marking web");
        web.set_autostart(true);
    }, #{ undo: |value| web.set_autostart(false) });
    step("needs db", || {
        step("look", || 5);
        conn.lookup_by_name("db").set_autostart(true);
    });
    step("the end", || print(`${web.name} ${web.autostart()}`));
}
"#;

#[test]
fn a_run_that_failed_is_resumed_after_its_finished_steps_and_undone() {
    let host = Embed::new();
    host.scratch().write("home/two.rhai", STEPS);
    let failed = on(&host).arg("run").arg("two.rhai").fails(1);
    has(
        &failed,
        &[
            "defining web",
            "define web: done in",
            "needs db: failed after",
            "no domain with matching name 'db'",
            "`virhai resume ",
        ],
    );
    let shown = on(&host).arg("show").ok();
    for part in [
        "state     failed",
        "status    1",
        "define web: done in",
        "    look: done in",
        "  needs db: failed: ",
        "memory: 1024",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    host.ok("connect().define_xml(`<domain type='qemu'><name>db</name><memory>1024</memory><os><type>hvm</type></os></domain>`)");

    let resumed = on(&host).arg("resume").run();
    assert_eq!(resumed.status, 0, "{resumed}");
    assert_eq!(resumed.stdout, "web true\n", "{resumed}");
    has(
        &resumed,
        &["define web: done before", "mark web: done before"],
    );
    let runs = on(&host).arg("runs").ok();
    assert!(runs.contains("done") && runs.contains("5 of 5"), "{runs}");
    let again = on(&host).arg("resume").fails(2);
    has(&again, &["is done"]);

    let undone = on(&host).arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    has(&undone, &["undone: 2 of 2 changes"]);
    // Objects that the run did not make, and changes that cannot be undone, stay.
    host.ok(r#"let all = connect().list_all_domains();
        assert_eq(all.map(|dom| dom.name), ["db"]);
        assert(all[0].autostart());"#);
    let runs = on(&host).arg("runs").ok();
    assert!(runs.contains("undone"), "{runs}");
    let nothing = on(&host).arg("undo").ok();
    assert!(nothing.contains("has nothing to undo"), "{nothing}");
}

#[test]
fn an_undo_of_an_object_that_is_gone_is_done() {
    let host = Embed::new();
    host.scratch().write("home/two.rhai", STEPS);
    on(&host).arg("run").arg("two.rhai").fails(1);
    host.ok("connect().lookup_by_name(\"web\").undefine()");
    let undone = on(&host).arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    let told = "already undone: the domain `web` no longer exists";
    has(&undone, &[told, "undone: 2 of 2 changes"]);
    let nothing = on(&host).arg("undo").ok();
    assert!(nothing.contains("has nothing to undo"), "{nothing}");
}

#[test]
fn a_journal_has_a_secret_in_no_form() {
    let folder = Scratch::new();
    let secret = "Hjärta/4815~?16";
    folder.write("secret", secret);
    folder.write("count", "481516234299");
    folder.write(
        "keep.rhai",
        r#"const INPUTS = #{ key: #{ type: "secret", required: true, help: "" }, pin: #{ type: ["secret", "int"], help: "" } };
        fn main(inputs) {
            let key = inputs.key;
            step("text", || `a${key}b`);
            step("blob", || key.to_blob());
            step("longer blob", || `user:${key}:end`.to_blob());
            step("list", || [key, #{ key: key }]);
            step("key", || { let map = #{}; map[key] = 1; map });
            step("xml", || parse_xml(`<a><b>${key}</b></a>`));
            step("pin", || inputs.pin);
            step(`the title ${key}`, || 1);
            note(`the note ${key}`);
        }"#,
    );
    let run = in_folder(&folder).arg("run").arg("keep.rhai");
    let run = run
        .arg("--key-file")
        .arg("secret")
        .arg("--pin-file")
        .arg("count");
    let outcome = run.run();
    assert_eq!(outcome.status, 0, "{outcome}");
    let file = journal(&folder);
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // The digits in base64 of the middle of the secret, for each place where it can begin.
    let forms = [
        secret,
        &hexadecimal,
        "cnRhLzQ4MTV",
        "0YS80ODE1f",
        "ydGEvNDgxNX",
        "4815~",
        "481516234299",
    ];
    let entries = std::fs::read_dir(file.parent().expect("a folder")).expect("the run is kept");
    for path in entries.map(|entry| entry.expect("it is readable").path()) {
        let bytes = std::fs::read(&path).expect("it is readable");
        let text = String::from_utf8_lossy(&bytes);
        for form in forms {
            assert!(!text.contains(form), "{form} in {}: {text}", path.display());
        }
    }
    let shown = in_folder(&folder).arg("show").ok();
    assert!(shown.contains("state     done"), "{shown}");
}

#[test]
fn a_script_that_changed_is_resumed_only_if_that_is_allowed() {
    let host = Embed::new();
    host.scratch().write("home/two.rhai", STEPS);
    on(&host).arg("run").arg("two.rhai").fails(1);
    let mended = STEPS.replace(
        "conn.lookup_by_name(\"db\").set_autostart(true);",
        "print(\"mended\");",
    );
    host.scratch().write("home/two.rhai", mended);
    let refused = on(&host).arg("resume").fails(1);
    has(&refused, &["two.rhai has changed", "--changed"]);
    assert_eq!(refused.stdout, "");
    let resumed = on(&host).arg("resume").arg("--changed").ok();
    assert_eq!(resumed, "mended\nweb true\n");
}

const KILLED: &str = r#"
let conn = connect();
let web = step("define", || {
    all_or_nothing(|undo| undo.step(
        || conn.define_xml(`<domain type='qemu'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>`),
        |dom| dom.undefine(), || conn.lookup_by_name("web")))
});
step("mark", || { web.set_autostart(true); print("marked"); sleep(args[0].parse_int()); }OPTIONS);
print("the end");
"#;

#[test]
fn a_step_that_was_killed_is_repeated_only_if_its_effect_is_known() {
    let host = Embed::new();
    host.scratch()
        .write("home/mark.rhai", KILLED.replace("OPTIONS", ""));
    killed_at(&on(&host).arg("run").arg("mark.rhai").arg("600"), "marked");
    let runs = on(&host).arg("runs").ok();
    assert!(runs.contains("killed") && runs.contains("1 of 2"), "{runs}");
    let refused = on(&host).arg("resume").fails(1);
    has(
        &refused,
        &[
            "define: done before",
            "the step `mark` was interrupted, and its effect is unknown",
            "--repeat",
        ],
    );
    let undone = on(&host).arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    has(
        &undone,
        &["the step `mark` was interrupted, and is not undone"],
    );
    host.ok("assert_eq(connect().list_all_domains(), [])");

    // The step's `done` closure tells whether it is done.
    host.scratch().write(
        "home/mark.rhai",
        KILLED.replace("OPTIONS", ", #{ done: || web.autostart() }"),
    );
    killed_at(&on(&host).arg("run").arg("mark.rhai").arg("600"), "marked");
    let resumed = on(&host).arg("resume").ok();
    assert_eq!(resumed, "the end\n");
}

#[test]
fn a_step_that_its_closure_finds_done_is_undone_and_one_that_is_not_is_repeated() {
    let host = Embed::new();
    let script = r#"
        let conn = connect();
        fn web(conn) { conn.list_all_domains().find(|dom| dom.name == "web") }
        step("define", || {
            conn.define_xml(`<domain type='qemu'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>`);
            print("defined");
            if args[0] == "first" { sleep(600); }
            web(conn)
        }, #{ undo: |dom| dom.undefine(), done: || web(conn) });
        step("mark", || {
            let dom = web(conn);
            if dom.autostart() { print("again"); return; }
            dom.set_autostart(true);
            print("marked");
            sleep(600);
        }, #{ done: || false });
        print("the end");"#;
    host.scratch().write("home/two.rhai", script);
    killed_at(
        &on(&host).arg("run").arg("two.rhai").arg("first"),
        "defined",
    );
    killed_at(&on(&host).arg("resume"), "marked");
    assert_eq!(on(&host).arg("resume").ok(), "again\nthe end\n");
    let undone = on(&host).arg("--yes").arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    has(&undone, &["undone: 1 of 1 change"]);
    host.ok("assert_eq(connect().list_all_domains(), [])");
}

#[test]
fn two_steps_of_one_title_do_not_run_at_the_same_time() {
    let folder = Scratch::new();
    folder.write(
        "twice.rhai",
        "for round in 1..3 { step(\"p\", || round); } parallel([1, 2], 2, |number| step(\"p\", || { sleep(\"500ms\"); number }));",
    );
    let failed = in_folder(&folder).arg("run").arg("twice.rhai").fails(1);
    has(
        &failed,
        &["two steps called `p` run at the same time", "own title"],
    );
}

#[test]
fn changes_of_a_killed_recipe_are_undone_before_its_step_is_repeated() {
    let host = Embed::new();
    let script = r#"
        let conn = connect();
        step("make two", || all_or_nothing(|undo| {
            for name in ["web", "db"] {
                let xml = `<domain type='qemu'><name>${name}</name><memory>1024</memory><os><type>hvm</type></os></domain>`;
                if conn.list_all_domains().some(|dom| dom.name == name) { throw `there is a ${name}`; }
                undo.step(|| conn.define_xml(xml), |dom| dom.undefine(), || conn.lookup_by_name(name));
                print(`made ${name}`);
                if args[0] == name { sleep(600); }
            }
        }));
        print("the end");"#;
    host.scratch().write("home/make.rhai", script);
    killed_at(
        &on(&host).arg("run").arg("make.rhai").arg("web"),
        "made web",
    );
    host.ok("assert_eq(connect().list_all_domains().len(), 1)");
    // A resumed run gets its arguments from the journal; the changed one keeps it from sleeping
    // again.
    let journal = std::fs::read_dir(host.scratch().path("home/.local/state/virhai/runs"))
        .expect("there is a run")
        .next()
        .expect("there is one")
        .expect("it is readable")
        .path()
        .join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).expect("it is text");
    std::fs::write(
        &journal,
        text.replace("\"make.rhai\",\"web\"", "\"make.rhai\",\"no\""),
    )
    .expect("it can be written");
    let resumed = on(&host).arg("resume").run();
    assert_eq!(resumed.status, 0, "{resumed}");
    assert_eq!(resumed.stdout, "made web\nmade db\nthe end\n", "{resumed}");
    has(&resumed, &["make two: undoing its interrupted changes"]);
}

#[test]
fn only_one_process_works_on_a_run() {
    let folder = Scratch::new();
    folder.write(
        "wait.rhai",
        "step(\"wait\", || { print(\"waiting\"); sleep(\"10m\") })",
    );
    let mut command = in_folder(&folder).arg("run").arg("wait.rhai").command();
    let mut child = command.spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("it says so");
    let runs = in_folder(&folder).arg("--json").arg("runs").ok();
    assert!(runs.contains(r#""state":"running""#), "{runs}");
    for command in ["resume", "undo"] {
        let refused = in_folder(&folder).arg(command).fails(1);
        has(&refused, &["is still running"]);
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it lives");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let shown = in_folder(&folder).arg("show").ok();
    assert!(shown.contains("status    130"), "{shown}");
}

#[test]
fn definitions_are_locked_too() {
    let host = Daemon::start();
    host.ok("connect().define_xml(`<domain type='qemu'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>`)");
    let find = "let web = connect().lookup_by_name(\"web\");";
    let mut first = host
        .virhai()
        .arg("-e")
        .arg(format!(
            "{find} step(\"edit\", || web.edit(|xml| {{ print(\"reading\"); xml.set(\"title\", \"first\"); sleep(\"10m\"); }}))"
        ))
        .command()
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(first.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("it says so");
    for change in [
        "web.edit(|xml| xml.set(\"title\", \"second\"))",
        "connect().define_xml(web.xml_desc())",
        "import \"std/guest\" as guest; guest::ensure(connect(), #{ name: \"web\", title: \"second\", start: false })",
    ] {
        let busy = host
            .virhai()
            .arg("--if-busy")
            .arg("fail")
            .script(format!("{find} step(\"change\", || {{ {change}; () }})"))
            .fails(1);
        has(&busy, &["the domain `web` is in use by the run "]);
    }
    first.kill().expect("it lives");
    first.wait().expect("it ends");
    host.ok(&format!("{find} assert(!web.xml().has(\"title\"))"));
}

#[test]
fn a_run_does_not_wait_for_itself() {
    let host = Daemon::start();
    host.ok("connect().define_xml(`<domain type='qemu'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>`)");
    let script = r#"
        let conn = connect();
        let numbers = [];
        for number in 1..20 { numbers.push(number); }
        all_or_nothing(|undo| {
            let web = conn.lookup_by_name("web");
            web.set_autostart(true);
            web.rename("www");
            web.set_autostart(false);
            parallel(numbers, 8, |number| conn.lookup_by_name("www").set_autostart(number % 2 == 0));
        });
        all_or_nothing(|undo| parallel(numbers, 8, |number| conn.lookup_by_name("www").set_autostart(number % 2 == 0)));
    "#;
    host.virhai()
        .arg("--if-busy")
        .arg("fail")
        .script(script)
        .ok();
}

#[test]
fn two_runs_do_not_work_on_one_guest_at_the_same_time() {
    let host = Daemon::start();
    host.ok("connect().define_xml(`<domain type='qemu'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>`)");
    let run = |script: &str| {
        let file = host
            .scratch()
            .write(&format!("home/{}.rhai", script.len()), script);
        host.virhai().arg("run").arg(file)
    };
    let mark = "let web = connect().lookup_by_name(\"web\"); step(\"mark\", || web.set_autostart(true)); print(\"marked\");";
    let mut first = run(&format!("{mark} sleep(\"10m\");")).command();
    let mut first = first.spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(first.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("it says so");
    let busy = run(mark).first_arg("fail").first_arg("--if-busy").fails(1);
    has(
        &busy,
        &[
            "VIR_ERR_RESOURCE_BUSY",
            "the domain `web` is in use by the run ",
        ],
    );
    // Without a step and an undo list, a script may change the domain.
    host.ok("connect().lookup_by_name(\"web\").set_autostart(false)");
    let mut second = run(mark).first_arg("-v").command();
    let mut second = second.spawn().expect("the program starts");
    let mut told = BufReader::new(second.stderr.take().expect("a pipe")).lines();
    let waits =
        told.any(|line| line.is_ok_and(|line| line.contains("to release the domain `web`")));
    assert!(waits, "it says what it waits for");
    // Locks of a killed process are free at once.
    first.kill().expect("it lives");
    first.wait().expect("it ends");
    assert!(second.wait().expect("it ends").success());
    let locks = host.scratch().path("home/.local/state/virhai/locks");
    let left = std::fs::read_dir(locks).expect("there is a folder").count();
    assert_eq!(left, 0, "locks are removed");
}

#[test]
fn a_run_without_steps_and_changes_is_not_recorded() {
    let folder = Scratch::new();
    folder.write(
        "look.rhai",
        "connect(\"test:///default\").list_all_domains().len()",
    );
    in_folder(&folder).arg("run").arg("look.rhai").ok();
    assert!(!folder.path("state").exists());
    let none = in_folder(&folder).arg("show").fails(2);
    has(&none, &["no run is recorded"]);
    folder.write("step.rhai", "step(\"one\", || 1)");
    in_folder(&folder)
        .arg("--no-journal")
        .arg("run")
        .arg("step.rhai")
        .ok();
    assert!(!folder.path("state").exists());
}

#[test]
fn old_runs_are_removed_and_unfinished_ones_stay() {
    let folder = Scratch::new();
    folder.write("good.rhai", "step(\"one\", || 1)");
    folder.write("bad.rhai", "step(\"one\", || throw \"no\")");
    for _ in 0..2 {
        in_folder(&folder).arg("run").arg("good.rhai").ok();
    }
    in_folder(&folder).arg("run").arg("bad.rhai").fails(1);
    let kept = in_folder(&folder).arg("prune").ok();
    assert_eq!(kept, "removed 0 of 3 runs\n");
    let prune = |options: &[&str]| {
        let run = in_folder(&folder)
            .arg("prune")
            .arg("--older-than")
            .arg("0s");
        options.iter().fold(run, |run, option| run.arg(option)).ok()
    };
    assert_eq!(prune(&["--keep", "2"]), "removed 1 of 3 runs\n");
    assert_eq!(prune(&[]), "removed 1 of 2 runs\n");
    assert_eq!(prune(&["--failed"]), "removed 1 of 1 runs\n");
    assert!(
        in_folder(&folder)
            .arg("runs")
            .ok()
            .starts_with("no runs in")
    );
}

#[test]
fn the_last_run_is_the_last_in_another_time_zone_too() {
    let folder = Scratch::new();
    let ran = |name: &str, zone: &str| {
        folder.write(&format!("{name}.rhai"), "step(\"one\", || 1)");
        let run = in_folder(&folder).env("TZ", zone);
        run.arg("run").arg(format!("{name}.rhai")).ok();
    };
    ran("first", "UTC");
    // Eight hours behind.
    ran("second", "PST8");
    let shown = in_folder(&folder).arg("show").ok();
    assert!(shown.contains("second.rhai"), "{shown}");
    let runs = in_folder(&folder).arg("runs").ok();
    let place = |name: &str| runs.find(name).expect("it is listed");
    assert!(place("first.rhai") < place("second.rhai"), "{runs}");
    let keep = ["prune", "--older-than", "0s", "--keep", "1"];
    let pruned = keep
        .iter()
        .fold(in_folder(&folder), |run, word| run.arg(word));
    assert_eq!(pruned.ok(), "removed 1 of 2 runs\n");
    let shown = in_folder(&folder).arg("show").ok();
    assert!(shown.contains("second.rhai"), "{shown}");
}

#[test]
fn a_damaged_run_is_removed_only_once_it_is_old() {
    let folder = Scratch::new();
    folder.write("bad.rhai", "step(\"one\", || throw \"no\")");
    in_folder(&folder).arg("run").arg("bad.rhai").fails(1);
    let text = std::fs::read_to_string(journal(&folder)).expect("it is text");
    let newer = text.replacen("\"format\":1", "\"format\":2", 1);
    let prune = |age: &str| {
        let run = in_folder(&folder).arg("prune").arg("--failed");
        run.arg("--older-than").arg(age).ok()
    };
    for (number, damaged) in [newer.as_str(), "{"].into_iter().enumerate() {
        std::fs::write(journal(&folder), damaged).expect("it can be written");
        assert_eq!(prune("5d"), "removed 0 of 1 runs\n", "{number}");
    }
    assert_eq!(prune("0s"), "removed 1 of 1 runs\n");
}

#[test]
fn an_undo_that_is_stopped_says_what_was_undone() {
    let folder = Scratch::new();
    let script = r#"step("wait", || 1, #{ undo: |value| {
        print("undoing");
        loop { try { read_text("go"); break; } catch { sleep("20ms"); } }
    } });"#;
    folder.write("wait.rhai", script);
    let run = in_folder(&folder).arg("--allow-read").arg(folder.path(""));
    run.arg("run").arg("wait.rhai").ok();
    let mut command = in_folder(&folder).arg("undo").command();
    let mut child = command.spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("it says so");
    assert_eq!(line, "undoing\n");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it lives");
    let mut told = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut tells = |text: &str| told.any(|line| line.is_ok_and(|line| line.contains(text)));
    assert!(tells("stopping;"));
    folder.write("go", "");
    assert!(tells("undone: 1 of 1 change"));
    assert!(tells("interrupted while the run was being undone"));
    assert!(tells("all changes were undone before virhai ended"));
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_run_without_a_folder_for_its_journal_says_so() {
    let folder = Scratch::new();
    folder.write("steps.rhai", "for n in 0..2 { step(`step ${n}`, || n) }");
    folder.write("plain.rhai", "1 + 1");
    let lost = |words: &[&str]| {
        let run = in_folder(&folder)
            .env("XDG_STATE_HOME", "")
            .env("HOME", "relative");
        words.iter().fold(run, |run, word| run.arg(word)).run()
    };
    let told = "this run has no journal";
    let steps = lost(&["run", "steps.rhai"]);
    assert_eq!(steps.stderr.matches(told).count(), 1, "{steps}");
    has(&steps, &["set XDG_STATE_HOME or HOME to an absolute path"]);
    for words in [
        &["run", "plain.rhai"][..],
        &["--no-journal", "run", "steps.rhai"],
    ] {
        let silent = lost(words);
        assert!(
            silent.status == 0 && !silent.stderr.contains(told),
            "{silent}"
        );
    }
    has(
        &lost(&["runs"]),
        &["neither XDG_STATE_HOME nor HOME is an absolute path"],
    );
}

#[test]
fn a_changed_script_is_undone_only_if_that_is_allowed() {
    let folder = Scratch::new();
    let script = "step(\"one\", || 1, #{ undo: |value| print(\"undone\") });";
    folder.write("one.rhai", script);
    in_folder(&folder).arg("run").arg("one.rhai").ok();
    folder.write("one.rhai", format!("{script} // changed"));
    let refused = in_folder(&folder).arg("undo").fails(1);
    has(&refused, &["`--changed` undoes the run all the same"]);
    let undone = in_folder(&folder).arg("undo").arg("--changed").ok();
    assert_eq!(undone, "undone\n");
}

#[test]
fn a_run_in_a_folder_whose_name_is_not_utf_8_is_undone() {
    let folder = Scratch::new();
    let inner = folder.path(OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&inner).expect("a folder can be made");
    let script = r#"all_or_nothing(|undo| undo.push(|| print("taken back")))"#;
    std::fs::write(inner.join("push.rhai"), script).expect("it can be written");
    in_folder(&folder)
        .folder(&inner)
        .arg("run")
        .arg("push.rhai")
        .ok();
    let undone = in_folder(&folder).arg("--yes").arg("undo").run();
    assert_eq!(undone.status, 0, "{undone}");
    has(&undone, &["taken back"]);
    has(&in_folder(&folder).arg("show").run(), &["folder", "caf"]);
}
