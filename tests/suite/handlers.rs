//! Handlers of events: closures that run on threads of their own.

use std::time::Instant;

use crate::support::{Outcome, Scratch, virhai};

/// Runs `script` on libvirt's test host, to which `conn` is connected.
fn on_test_host(script: &str) -> Outcome {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(format!(
            "let conn = connect(); let dom = conn.lookup_by_name(\"test\");\n{script}"
        ))
        .run()
}

fn is_good(outcome: &Outcome, printed: &str) {
    assert_eq!(outcome.status, 0, "{outcome}");
    assert_eq!(outcome.stdout, printed, "{outcome}");
}

#[test]
fn a_slow_handler_gets_every_event_in_order_also_after_the_script_ended() {
    let outcome = on_test_host(
        r#"
        let count = 0;
        conn.on(#{ kind: "lifecycle", domain: dom }, |event, conn| {
            sleep("10ms");
            count += 1;
            if count == 1 || count == 20 { print(`${count} ${event.event} ${conn.lookup_by_name("test").name}`); }
        });
        for n in 0..10 { dom.suspend(); dom.resume(); }
        // Events of one host come in order.
        let net = conn.network_lookup_by_name("default");
        let same = net.connect();
        same.wait_event(#{ network: net }, "10s", || net.destroy());
        print(`the script has ${count}`);
        "#,
    );
    assert_eq!(outcome.status, 0, "{outcome}");
    // The handler runs in parallel with the script: its first line can come before the script's
    // line.
    let (script, handler): (Vec<&str>, Vec<&str>) = outcome
        .stdout
        .lines()
        .partition(|line| line.starts_with("the script"));
    assert_eq!(script, ["the script has 0"], "{outcome}");
    assert_eq!(
        handler,
        ["1 suspended test", "20 resumed test"],
        "{outcome}"
    );
}

#[test]
fn events_before_the_end_reach_the_handler_and_the_queue() {
    for end in ["handler.close();", ""] {
        let outcome = on_test_host(&format!(
            r#"
            let events = conn.events("lifecycle");
            let handler = conn.on("lifecycle", |event| print(event.event));
            let dom = conn.lookup_by_name("test");
            dom.suspend();
            assert_eq(events.drain().map(|event| event.event), ["suspended"]);
            dom.resume();
            {end}
            "#
        ));
        is_good(&outcome, "suspended\nresumed\n");
    }
}

#[test]
fn a_handler_continues_after_an_error_and_the_run_fails_at_its_end() {
    let outcome = on_test_host(
        r#"
        let watch = dom.connect();
        conn.on("lifecycle", |event| {
            print(event.event);
            if event.event != "started" { throw `no ${event.event}`; }
        });
        watch.wait_event(#{ event: "stopped" }, "10s", || dom.destroy());
        watch.wait_event(#{ event: "started" }, "10s", || dom.create());
        watch.wait_event(#{ event: "suspended" }, "10s", || dom.suspend());
        print("done");
        "#,
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    for line in ["stopped", "started", "suspended", "done"] {
        assert!(outcome.stdout.lines().any(|said| said == line), "{outcome}");
    }
    for text in [
        "an event handler failed and continues with the next event: no stopped (",
        "an event handler failed and continues with the next event: no suspended (",
        "error: no stopped",
        "if event.event != \"started\" { throw",
        "1 more call of an event handler failed",
    ] {
        assert!(outcome.stderr.contains(text), "{text}: {outcome}");
    }
}

#[test]
fn close_waits_for_the_handler_and_throws_its_error_once() {
    let outcome = on_test_host(
        r#"
        let watch = dom.connect();
        let handler = conn.on("lifecycle", |event| { sleep("100ms"); print(event.event); throw "no"; });
        watch.wait_event("lifecycle", "10s", || dom.suspend());
        let error = assert_throws(|| handler.close());
        assert_eq(error.message, "no");
        handler.close();
        print("caught");
        "#,
    );
    assert_eq!(outcome.status, 0, "{outcome}");
    assert_eq!(outcome.stdout, "suspended\ncaught\n", "{outcome}");
}

#[test]
fn a_handler_that_never_returns_blocks_nothing_and_is_stopped_after_the_script() {
    let began = Instant::now();
    let outcome = on_test_host(
        r#"
        let watch = dom.connect();
        let events = conn.events("lifecycle");
        conn.on("lifecycle", |event| { sleep("1h"); });
        conn.on("lifecycle", |event| print(`other ${event.event}`));
        watch.wait_event("lifecycle", "10s", || dom.suspend());
        assert_eq(events.next("10s").event, "suspended");
        watch.wait_event("lifecycle", "10s", || dom.resume());
        assert_eq(events.next("10s").event, "resumed");
        print("done");
        "#,
    );
    assert_eq!(outcome.status, 1, "{outcome}");
    for line in ["other suspended", "other resumed", "done"] {
        assert!(outcome.stdout.lines().any(|said| said == line), "{outcome}");
    }
    assert!(
        outcome
            .stderr
            .contains("an event handler did not return within 10s"),
        "{outcome}"
    );
    assert!(began.elapsed().as_secs() >= 10, "{outcome}");
}

#[test]
fn a_stop_ends_handlers_with_the_script() {
    let outcome = virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("--timeout")
        .arg("1s")
        .script(
            r#"
            let conn = connect();
            conn.on("lifecycle", |event| { loop { } });
            conn.lookup_by_name("test").suspend();
            sleep("1h");
            "#,
        )
        .run();
    assert_eq!(outcome.status, 124, "{outcome}");
}

#[test]
fn the_check_finds_errors_in_handlers() {
    let scratch = Scratch::new();
    for (handler, found) in [
        (
            "|event| { seen.push(event); }",
            "the script does not see this change of `seen`",
        ),
        (
            "|event| print(conn.lookup_by_name(event.domain))",
            "`|event, conn| ...`",
        ),
        ("|event| print(event.domian.len())", ""),
        ("|event| { seen.push(event); print(seen.len()); }", ""),
    ] {
        let code = format!(
            "let seen = [];\nlet conn = connect();\nconn.on(\"lifecycle\", {handler});\nprint(seen);\n"
        );
        let outcome = virhai()
            .arg("check")
            .arg(scratch.write("handler.rhai", code))
            .run();
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        match found {
            "" => assert!(!said.contains("warning["), "{handler}: {outcome}"),
            found => assert!(said.contains(found), "{handler}: {outcome}"),
        }
    }
}
