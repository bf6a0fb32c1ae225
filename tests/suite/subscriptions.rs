//! Subscriptions to events: queues that lose nothing.

use crate::support::virhai;

/// Runs `script` on libvirt's test host; `conn` and `same` are the same connection, and `dom` is
/// its domain.
fn on_test_host(script: &str) -> String {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(format!(
            "let conn = connect(); let same = conn; let dom = same.lookup_by_name(\"test\"); {script}"
        ))
        .ok()
}

#[test]
fn a_slow_reader_sees_every_event() {
    on_test_host(
        r#"
        let events = conn.events("lifecycle");
        for n in 0..3 { dom.suspend(); dom.resume(); }
        dom.destroy();
        let seen = [];
        for event in events {
            sleep("20ms");
            seen.push(event.event);
            if event.event == "stopped" { break; }
        }
        assert_eq(seen, ["suspended", "resumed", "suspended", "resumed", "suspended", "resumed", "stopped"]);
        // The loop took them, and the subscription goes on.
        dom.create();
        let event = events.next("10s");
        assert_eq([event.kind, event.domain, event.uuid, event.event, event.detail],
            ["lifecycle", "test", dom.uuid, "started", "booted"]);
        assert(now() - event.time < 60.0);
        "#,
    );
}

#[test]
fn forty_subscriptions_lose_none_of_ten_thousand_events() {
    let out = on_test_host(
        r#"
        let all = [];
        for n in 0..40 { all.push(conn.events(#{ kind: "lifecycle", domain: "test" })); }
        let small = conn.events("lifecycle", #{ queue: 100 });
        let other = conn.events(#{ domain: "another" });
        for n in 0..5000 { dom.suspend(); dom.resume(); }
        let mark = conn.events("network_lifecycle");
        let net = same.network_lookup_by_name("default");
        // Events of one connection come in order: once this one is there, all are.
        net.destroy();
        mark.next("60s");
        for events in all {
            let seen = events.drain();
            assert_eq(seen.len(), 10000);
            assert_eq([seen[0].event, seen[9999].event], ["suspended", "resumed"]);
        }
        let seen = small.drain();
        assert_eq([seen.len(), seen[99].kind, seen[100].kind, seen[100].lost], [101, "lifecycle", "overflow", 9900]);
        assert_eq(other.drain(), []);
        print("done");
        "#,
    );
    assert_eq!(out, "done\n");
}

#[test]
fn a_loop_over_a_subscription_ends_at_its_timeout_and_when_it_is_closed() {
    on_test_host(
        r#"
        let began = timestamp();
        let events = conn.events("reboot", #{ timeout: "200ms" });
        for event in events { assert(false, event.to_string()); }
        assert(began.elapsed >= 0.19 && began.elapsed < 30.0, began.elapsed.to_string());
        assert_eq(events.next(), ());

        let events = conn.events(#{ kind: "any", domain: dom });
        let seen = 0;
        dom.reboot();
        dom.suspend();
        for event in events {
            seen += 1;
            events.close();
        }
        assert_eq(seen, 1);
        assert_throws(|| events.next(), "VIR_ERR_OPERATION_INVALID");
        assert_throws(|| events.drain(), "VIR_ERR_OPERATION_INVALID");
        events.close();
        for event in events { assert(false); }

        let events = conn.events();
        conn.close();
        assert_throws(|| events.next(), "VIR_ERR_INVALID_CONN");
        for event in events { assert(false); }
        "#,
    );
}

#[test]
fn thousands_of_subscriptions_opened_and_dropped_leave_nothing_behind() {
    on_test_host(
        r#"
        for n in 0..3000 {
            let events = conn.events(["lifecycle", "network_lifecycle"]);
            if n % 2 == 0 { events.close(); }
        }
        let events = conn.events("lifecycle");
        dom.suspend();
        assert_eq(events.next("10s").event, "suspended");
        assert_eq(events.next("10ms"), ());
        "#,
    );
}

#[test]
fn wait_event_and_a_subscription_do_not_take_events_from_each_other() {
    on_test_host(
        r#"
        let events = conn.events(#{ domain: dom });
        assert_eq(conn.wait_event(#{ domain: dom }, "10s", || dom.suspend()).event, "suspended");
        assert_eq(events.next("10s").event, "suspended");
        "#,
    );
}

#[test]
fn a_filter_that_describes_no_event_is_refused_before_the_run() {
    let refused = |filter: &str| {
        let code = format!("connect().events({filter});");
        let outcome = virhai()
            .arg("-c")
            .arg("test:///default")
            .arg("-e")
            .arg(code)
            .run();
        assert_eq!(outcome.status, 3, "{outcome}");
        outcome.stderr
    };
    for (filter, hint) in [
        ("\"livecycle\"", "did you mean \"lifecycle\"?"),
        (
            "#{ kind: \"watchdog\", acton: \"pause\" }",
            "did you mean \"action\"?",
        ),
        (
            "#{ kind: \"watchdog\", action: \"paused\" }",
            "did you mean \"pause\"?",
        ),
        (
            "#{ domain: \"web\", event: \"startd\" }",
            "did you mean \"started\"?",
        ),
        ("\"lifecycle\", #{ que: 5 }", "queue"),
        ("\"lifecycle\", #{ timeout: \"soon\" }", "90s"),
    ] {
        let said = refused(filter);
        assert!(said.contains(hint), "{filter}: {said}");
    }
}

#[test]
fn a_filter_that_the_check_cannot_see_is_refused_at_run_time() {
    on_test_host(
        r#"
        let kind = ["livecycle"][0];
        assert_eq(assert_throws(|| conn.events(kind)).hint, "did you mean \"lifecycle\"?");
        let filter = #{ kind: ["vcpu_removed"][0], vcpu: ["first"][0] };
        assert_eq(assert_throws(|| conn.events(filter)).message, "`vcpu` is a number, not \"first\"");
        let none = [];
        assert(assert_throws(|| conn.events(none)).message.contains("empty"));
        // A filter that no event can match.
        let given = |value| value;
        let refused = |filter| assert_throws(|| conn.events(filter)).message;
        assert_eq(refused.call(#{ domain: given.call(5) }), "`domain` of an event filter must be text or a domain, not 5");
        assert_eq(refused.call(#{ domain: given.call(()) }), "`domain` of an event filter must be text or a domain, not ()");
        assert_eq(refused.call(#{ event: given.call(["started"]) }), "`event` of an event filter must be text, not [\"started\"]");
        assert_eq(refused.call(#{ domain: given.call("") }), "`domain` of an event filter is empty");
        assert_eq(refused.call(#{ uuid: given.call("test") }), "`uuid` of an event filter is not a UUID: \"test\"");
        assert_eq(refused.call(#{ kind: given.call("any"), domain: "test", network: "default" }), "no event is about a `domain` and a `network`");
        assert_eq(refused.call(#{ domain: dom, uuid: random_uuid() }), "the object and the `uuid` of an event filter are two objects");
        // UUIDs can be written in several ways.
        let uuid = dom.uuid;
        uuid.make_upper();
        uuid.replace("-", "");
        let events = conn.events(#{ uuid: uuid });
        dom.suspend();
        dom.resume();
        assert_eq(events.next("10s").event, "suspended");
        assert_eq(assert_throws(|| conn.events("qemu_monitor")).code, "VIR_ERR_NO_SUPPORT");
        assert_eq(assert_throws(|| conn.events("connection_close")).code, "VIR_ERR_NO_SUPPORT");
        "#,
    );
}

#[test]
fn a_loop_over_events_can_be_stopped_at_any_time() {
    let outcome = virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("--timeout")
        .arg("300ms")
        .arg("-e")
        .arg("for event in connect().events() { print(event); }")
        .run();
    assert_eq!(outcome.status, 124, "{outcome}");
}
