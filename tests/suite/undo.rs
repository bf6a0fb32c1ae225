//! All or nothing: the undone changes, their time and order.

use std::io::{BufRead, BufReader, Read};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Host, Scratch, TestHost, virhai};

/// A module with a function that prints that it makes a thing, and its undo function.
const MODULE: &str = r#"
    fn make(name) {
        all_or_nothing(|undo| {
            print(`make ${name}`);
            undo.push(|| unmake(name));
            name
        })
    }
    fn unmake(name) { print(`unmake ${name}`) }
"#;

fn run(script: &str) -> crate::support::Outcome {
    let scratch = Scratch::new();
    scratch.write("things.rhai", MODULE);
    let file = scratch.write("script.rhai", script);
    virhai().arg("run").arg(file).run()
}

#[test]
fn what_was_made_is_taken_back_in_reverse_order() {
    let outcome = run(r#"
        import "things" as things;
        all_or_nothing(|undo| {
            things::make("a");
            undo.push(|| print("between"));
            things::make("b");
            throw "no";
        });
    "#);
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(
        outcome.stdout, "make a\nmake b\nunmake b\nbetween\nunmake a\n",
        "{outcome}"
    );
    assert!(outcome.stderr.contains("no"), "{outcome}");
}

#[test]
fn what_succeeded_stays() {
    let outcome = run(r#"
        import "things" as things;
        assert_eq(all_or_nothing(|undo| things::make("a")), "a");
        all_or_nothing(|undo| { things::make("b"); exit(0) });
    "#);
    assert_eq!(outcome.status, 0, "{outcome}");
    assert_eq!(outcome.stdout, "make a\nmake b\n", "{outcome}");
}

#[test]
fn an_end_with_a_status_takes_back_too() {
    let outcome = run(r#"
        import "things" as things;
        all_or_nothing(|undo| { things::make("a"); exit(7) });
    "#);
    assert_eq!(outcome.status, 7, "{outcome}");
    assert_eq!(outcome.stdout, "make a\nunmake a\n", "{outcome}");
}

#[test]
fn a_failure_that_was_caught_inside_is_none() {
    let outcome = run(r#"
        import "things" as things;
        all_or_nothing(|undo| {
            things::make("a");
            try { all_or_nothing(|undo| { things::make("b"); throw "no" }); } catch {}
            things::make("c");
            ()
        });
    "#);
    assert_eq!(outcome.status, 0, "{outcome}");
    assert_eq!(
        outcome.stdout, "make a\nmake b\nunmake b\nmake c\n",
        "{outcome}"
    );
}

#[test]
fn what_was_made_in_parallel_is_taken_back() {
    let outcome = run(r#"
        import "things" as things;
        all_or_nothing(|undo| {
            parallel(["a", "b", "c"], 3, |name| things::make(name));
            throw "no";
        });
    "#);
    let count = |what: &str| {
        outcome
            .stdout
            .lines()
            .filter(|l| l.starts_with(what))
            .count()
    };
    assert_eq!((count("make "), count("unmake ")), (3, 3), "{outcome}");
}

#[test]
fn what_cannot_be_taken_back_is_said_and_the_rest_goes_on() {
    let outcome = run(r#"
        import "things" as things;
        all_or_nothing(|undo| {
            things::make("a");
            undo.push(|| throw "it is stuck");
            undo.push(|| throw #{ message: "it is in use", hint: "stop it" });
            undo.push(|| connect("test:///default").lookup_by_name("nobody"));
            things::make("b");
            throw "the first failure";
        });
    "#);
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(
        outcome.stdout.ends_with("unmake b\nunmake a\n"),
        "{outcome}"
    );
    for why in [
        "it is stuck (line 5 of ",
        "it is in use (line 6 of ",
        "cannot look up domain `nobody`",
    ] {
        let said = format!("cannot undo: {why}");
        assert!(outcome.stderr.contains(&said), "{outcome}");
    }
    assert!(outcome.stderr.contains("the first failure"), "{outcome}");
}

#[test]
fn the_end_of_the_time_takes_back_and_nothing_cuts_that_short() {
    let host = TestHost::new();
    let outcome = virhai()
        .arg("-c")
        .arg(host.uri())
        .arg("--timeout")
        .arg("2s")
        .script(
            r#"
            let conn = connect();
            all_or_nothing(|undo| {
                conn.lookup_by_name("test").suspend();
                undo.push(|| { conn.lookup_by_name("test").resume(); print(conn.lookup_by_name("test").state()) });
                undo.push(|| { let n = 0; while n < 200000 { n += 1 } sleep("100ms"); print("slept") });
                // Threads that work for it are not cut short either.
                undo.push(|| print(parallel([1, 2], 2, |n| { sleep("10ms"); n * 2 })));
                sleep("1m");
            });
            "#,
        )
        .run();
    assert_eq!(outcome.status, 124, "{outcome}");
    assert_eq!(outcome.stdout, "[2, 4]\nslept\nrunning\n", "{outcome}");
}

#[test]
fn an_interrupt_takes_back_and_a_second_one_leaves() {
    for (interrupts, status, rest) in [(1, 130, "begun\nended\n"), (2, 130, "begun\n")] {
        let mut child = virhai()
            .arg("-e")
            .arg(
                r#"all_or_nothing(|undo| {
                    undo.push(|| { print("begun"); sleep(if args[0] == "1" { "100ms" } else { "1m" }); print("ended") });
                    print("made");
                    sleep("1m");
                });"#,
            )
            .arg(interrupts.to_string())
            .command()
            .spawn()
            .expect("the program starts");
        let pid = Pid::from_raw(child.id().cast_signed());
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says what it made");
        kill(pid, Signal::SIGINT).expect("it lives");
        let mut undone = String::new();
        output
            .read_line(&mut undone)
            .expect("it says what it undoes");
        if interrupts == 2 {
            kill(pid, Signal::SIGINT).expect("it lives");
        }
        output.read_to_string(&mut undone).expect("it ends");
        let ended = child.wait().expect("it ends");
        assert_eq!((ended.code(), undone.as_str()), (Some(status), rest));
    }
}

#[test]
fn what_undoes_is_limited_too_but_gets_more_than_what_failed() {
    let outcome = virhai()
        .arg("--max-memory")
        .arg("20MB")
        .arg("-e")
        .arg(
            r#"all_or_nothing(|undo| {
                undo.push(|| print("the first"));
                undo.push(|| { let text = "x"; loop { text += text; } });
                undo.push(|| { let code = "eval(code)"; eval(code) });
                undo.push(|| print("the last"));
                let held = "x";
                loop { held += held; }
            });"#,
        )
        .run();
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(outcome.stdout, "the last\nthe first\n", "{outcome}");
    for why in [
        "memory limit exceeded",
        "the script nests calls, imports or `eval` too deeply",
    ] {
        let said = format!("cannot undo: {why} (line");
        assert!(outcome.stderr.contains(&said), "{outcome}");
    }
}

#[test]
fn what_undoes_may_call_as_deeply_as_what_failed() {
    let outcome = virhai()
        .arg("-e")
        .arg(
            r#"fn undefine(dom) { undefine_now(dom) }
               fn undefine_now(dom) { dom.undefine() }
               fn deeper(conn, n) {
                   let xml = `<domain type='test'><name>web${n}</name><memory>1024</memory><os><type>hvm</type></os></domain>`;
                   all_or_nothing(|undo| {
                       undo.step(|| conn.define_xml(xml), |dom| undefine(dom));
                       deeper(conn, n + 1)
                   });
               }
               let conn = connect("test:///default");
               all_or_nothing(|undo| {
                   undo.push(|| print(conn.num_of_defined_domains()));
                   deeper(conn, 0);
               });"#,
        )
        .run();
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(outcome.stdout, "0\n", "{outcome}");
    assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
}

/// A script that makes the guest `web` with a step, and runs `rest` in the same closure.
fn step_of(rest: &str, find: &str) -> String {
    format!(
        r#"let conn = connect("test:///default");
        let xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>";
        all_or_nothing(|undo| {{
            undo.push(|| print(`left: ${{conn.num_of_defined_domains()}}`));
            undo.step(|| {{ let dom = conn.define_xml(xml); {rest}; dom }}, |dom| {{ print("unmake"); dom.undefine() }}{find});
        }});"#
    )
}

const FIND: &str = r#", || { print("find"); conn.lookup_by_name("web") }"#;

#[test]
fn find_locates_the_result_of_an_interrupted_step_and_undo_removes_it() {
    for (option, rest, status) in [
        ("--timeout=1s", "sleep(\"1m\")", 124),
        ("--max-operations=500", "loop {}", 1),
        ("--timeout=1m", "throw \"later\"", 1),
    ] {
        let run = virhai().arg(option).arg("-e").arg(step_of(rest, FIND));
        let outcome = run.fails(status);
        assert_eq!(outcome.stdout, "find\nunmake\nleft: 0\n", "{outcome}");
    }
}

#[test]
fn find_is_not_called_when_libvirt_refused_the_call() {
    let script = step_of("()", FIND).replace("<name>web</name>", "<nome>web</nome>");
    let outcome = virhai().arg("-e").arg(script).fails(1);
    assert_eq!(outcome.stdout, "left: 0\n", "{outcome}");
}

#[test]
fn an_interrupted_step_without_find_is_reported_as_unknown() {
    let run = virhai().arg("--timeout=1s").arg("-e");
    let outcome = run.arg(step_of("sleep(\"1m\")", "")).fails(124);
    let said = "its effect is unknown";
    assert!(outcome.stderr.contains(said), "{outcome}");
    assert_eq!(outcome.stdout, "left: 1\n", "{outcome}");
    // A stop between two operations interrupts no call, so no effect is unknown.
    let before = step_of("()", "").replace("let dom", "loop {} let dom");
    let outcome = virhai()
        .arg("--max-operations=500")
        .arg("-e")
        .arg(before)
        .fails(1);
    assert!(!outcome.stderr.contains("cannot undo"), "{outcome}");
}

#[test]
fn undo_steps_have_their_own_operation_limit() {
    let script = r#"all_or_nothing(|undo| {
        undo.push(|| { let n = 0; while n < 100000 { n += 1; } print(n) });
        loop {}
    });"#;
    let outcome = virhai()
        .arg("--max-operations=100")
        .arg("-e")
        .arg(script)
        .fails(1);
    assert_eq!(outcome.stdout, "100000\n", "{outcome}");
}

#[test]
fn a_step_that_was_stopped_after_its_call_is_reported_as_unknown() {
    let outcome = virhai()
        .arg("--max-operations=200")
        .arg("-e")
        .arg(
            r#"let conn = connect("test:///default");
            all_or_nothing(|undo| undo.step(|| {
                let dom = conn.define_xml("<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>");
                loop {}
            }, |dom| dom.undefine()));"#,
        )
        .run();
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("cannot undo"), "{outcome}");
    assert!(outcome.stderr.contains("is unknown"), "{outcome}");
}

#[test]
fn steps_that_are_recorded_while_undoing_are_run_too() {
    let outcome = run(r#"
        all_or_nothing(|undo| {
            let list = undo;
            undo.push(|| { list.push(|| print("second")); print("first"); });
            throw "no";
        });"#);
    assert_eq!(outcome.stdout, "first\nsecond\n", "{outcome}");
}

#[test]
fn a_step_after_the_end_of_its_block_is_refused_before_it_is_made() {
    let outcome = run(r#"
        let kept = all_or_nothing(|undo| undo);
        try { kept.step(|| print("made"), |it| print("undone")); } catch (err) { print(err.message) }
        let kept = ();
        try { all_or_nothing(|undo| { kept = undo; throw "no" }); } catch {}
        try { kept.push(|| print("undone")); } catch (err) { print(err.message) }
    "#);
    let refused = "the `all_or_nothing` that this undo list belongs to has ended\n";
    assert_eq!(outcome.stdout, refused.repeat(2), "{outcome}");
}

#[test]
fn an_undo_closure_takes_the_result_of_its_step_or_nothing() {
    let outcome = run(r#"
        let log = [];
        try {
            all_or_nothing(|undo| {
                undo.step(|| log.push("one"), || log.push("one is undone"));
                undo.step(|| "two", |made| log.push(`${made} is undone`));
                throw "no";
            });
        } catch (err) { print(err.message) }
        for line in log { print(line) }
    "#);
    assert_eq!(
        outcome.stdout, "no\none\ntwo is undone\none is undone\n",
        "{outcome}"
    );
    assert_eq!(outcome.stderr, "", "{outcome}");
}

/// A wrong closure would fail only during the undo, and leave the object behind.
#[test]
fn a_wrong_undo_closure_is_refused_before_the_step() {
    for step in [
        "undo.step(|| dom.suspend(), |a, b| dom.resume())",
        "undo.step(|| dom.suspend(), || dom.resume(), |found| found)",
        "undo.push(|made| dom.resume())",
    ] {
        let script = format!(
            r#"
            let dom = connect("test:///default").lookup_by_name("test");
            try {{ all_or_nothing(|undo| {{ {step}; dom.suspend(); }}) }} catch (err) {{ print(err.code) }}
            print(dom.state());
            "#
        );
        // The check finds some of these.
        let outcome = virhai().arg("--no-check").script(script).run();
        assert_eq!(
            outcome.stdout, "VIR_ERR_INVALID_ARG\nrunning\n",
            "{step}: {outcome}"
        );
    }
}
