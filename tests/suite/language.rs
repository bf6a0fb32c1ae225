//! Differences between scripts and plain Rhai: keys, `catch`, words, comparisons.

use crate::support::{Outcome, virhai};

/// The outcome of `script` on the test driver, without the check.
fn run(script: &str) -> Outcome {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("--no-check")
        .script(script)
        .run()
}

fn ok(script: &str) {
    let outcome = run(script);
    assert_eq!(outcome.status, 0, "{script}: {outcome}");
}

/// Runs `script`, which must fail with all of `said`.
fn fails(script: &str, said: &[&str]) {
    let outcome = run(script);
    assert_eq!(outcome.status, 1, "{script}: {outcome}");
    for words in said {
        assert!(outcome.stderr.contains(words), "{script}: {outcome}");
    }
}

const DOM: &str = "let conn = connect(); let dom = conn.lookup_by_name(\"test\");";

#[test]
fn arguments_are_refused_at_the_call_by_the_types_of_the_doc_comment() {
    let own = r#"
        /// Counts the guests.
        ///
        /// Takes: array of Domain, string or ().
        fn count(guests, label, more) { guests.len() }
    "#;
    let volume = "import \"std/volume\" as volume;";
    let guest = "import \"std/guest\" as guest;";
    for (before, call, said, usage) in [
        (
            guest,
            "guest::remove(\"web\")",
            "`guest::remove` cannot be called with (string)",
            "usage: `guest::remove(dom: Domain)`",
        ),
        (
            guest,
            "guest::create(dom, #{})",
            "`guest::create` cannot be called with (Domain, map)",
            "usage: `guest::create(conn: Connection, options)`",
        ),
        (
            volume,
            "volume::find(conn, 5)",
            "`volume::find` cannot be called with (Connection, int)",
            "usage: `volume::find(pool: StoragePool, name: volume name)`",
        ),
        (
            own,
            "count([dom, \"web\"], \"a\", 1)",
            "`count` cannot be called with (array, string, int)",
            "usage: `count(guests: array of Domain, label: string | (), more)`",
        ),
    ] {
        let script = format!("{before}\n{DOM}\n{call};");
        let place = format!("standard input:{}:", script.lines().count());
        fails(&script, &[said, usage, &place]);
    }
    ok(&format!(
        "{own}\n{DOM}\nassert_eq(count([dom], (), 1), 1); assert_eq(count([], \"a\", 1), 0);"
    ));
    // The error can be caught where the call is.
    ok(&format!(
        "{guest} let error = (); try {{ guest::remove(5); }} catch (err) {{ error = err; }} assert(error.message.contains(\"(int)\"), error.message);"
    ));
}

#[test]
fn options_of_a_function_are_refused_in_the_words_of_its_declaration() {
    for (call, said) in [
        (
            "dom.stop(#{ shutdwn: 1 })",
            &[
                "there is no option `shutdwn`",
                "did you mean `shutdown`?",
                "standard input:2:5",
            ][..],
        ),
        (
            "dom.stop(#{ agent: \"soon\" })",
            &["`agent`: `soon` is not a duration", "write it as \"90s\""],
        ),
        (
            "dom.stop(#{ force: 1 })",
            &["`force` must be true or false, not 1"],
        ),
        (
            "dom.set_numa_parameters(#{ numa_mode: \"strikt\" })",
            &["`numa_mode` must be \"strict\"", "did you mean \"strict\"?"],
        ),
        (
            "conn.events(\"lifecycle\", #{ queue: 0 })",
            &["`queue` must be 1 or more, not 0"],
        ),
        (
            "dom.set_time(#{ seconds: 1, nseconds: 1000000000 })",
            &["`nseconds` must be 999999999 or less, not 1000000000"],
        ),
        (
            "dom.set_lifecycle_action(\"crsh\", \"preserve\")",
            &[
                "the kind of lifecycle event cannot be \"crsh\"",
                "did you mean \"crash\"?",
            ],
        ),
        (
            "conn.set_identity(#{ \"user-nam\": \"x\" })",
            &["there is no option `user-nam`", "did you mean `user-name`?"],
        ),
    ] {
        fails(&format!("{DOM}\n{call};"), said);
    }
    // `()` counts as not given.
    ok(&format!(
        "{DOM} assert_eq(dom.stop(#{{ agent: (), shutdown: 5 }}).state, \"shutoff\");"
    ));
}

#[test]
fn an_object_that_a_call_returns_is_not_compared_with_text() {
    for comparison in [
        "conn.lookup_by_name(\"test\") == \"test\"",
        "\"test\" != conn.lookup_by_name(\"test\")",
    ] {
        fails(
            &format!("{DOM}\nif {comparison} {{}}"),
            &[
                "the domain `test` is compared with text",
                "compare its `name`: `.name == \"test\"`",
                "standard input:2:",
            ],
        );
    }
    ok(&format!(
        "{DOM} assert(conn.lookup_by_name(\"test\") != ()); assert(conn.lookup_by_name(\"test\").name == \"test\");"
    ));
}

#[test]
fn a_key_that_a_map_does_not_have_is_an_error_at_its_place() {
    for (script, hint) in [
        ("print(#{ name: 1 }.nmae)", "did you mean `name`?"),
        (
            "let m = #{ memory_kib: 1 }; print(m.memory)",
            "did you mean `memory_kib`?",
        ),
        (
            "let m = #{ name: 1 }; print(m[\"nmae\"])",
            "did you mean `name`?",
        ),
        (
            "let m = #{ name: 1 }; let k = \"nmae\"; print(m[k])",
            "did you mean `name`?",
        ),
        ("let m = #{}; m.count += 1;", "the map is empty"),
        ("let m = #{ a: 1 }; m.inner.deep = 1;", "its keys are a"),
        ("fn f(m) { m.nmae } f(#{ name: 1 })", "did you mean `name`?"),
        ("[#{ name: 1 }].map(|m| m.nmae)", "did you mean `name`?"),
        ("let m = #{ f: || 1 }; print(m.g)", "its keys are f"),
        ("eval(\"#{ name: 1 }.nmae\")", "did you mean `name`?"),
        (
            "print(parse_json(`{\"state\": 1}`).stat)",
            "did you mean `state`?",
        ),
    ] {
        let outcome = run(script);
        assert_eq!(outcome.status, 1, "{script}: {outcome}");
        assert!(outcome.stderr.contains(hint), "{script}: {outcome}");
    }
    let script = format!("{DOM}\n\nprint(dom.info().memory);");
    fails(
        &script,
        &[
            "error: the map has no key `memory`",
            "standard input:3:18",
            "did you mean `memory_kib`?",
        ],
    );
}

#[test]
fn an_assignment_to_a_property_of_an_object_names_the_call_that_sets_it() {
    fails(
        &format!("{DOM}\ndom.autostart = true;"),
        &[
            "a value of type Domain has no writable property `autostart`",
            "standard input:2:5",
            "call `set_autostart(...)`",
        ],
    );
}

#[test]
fn maps_are_printed_in_the_order_of_their_literals() {
    let script =
        "let m = #{ zeta: 1, alpha: #{ b: 1, a: 2 } }; print(m); m.beta = 3; print([m], `${m}`);";
    let outcome = run(script);
    let inner = "\"zeta\": 1, \"alpha\": #{\"b\": 1, \"a\": 2}";
    assert_eq!(
        outcome.stdout,
        format!("#{{{inner}}}\n[#{{{inner}, \"beta\": 3}}] #{{{inner}, \"beta\": 3}}\n")
    );
}

#[test]
fn whatever_is_thrown_is_caught_as_an_error() {
    for (action, message, code, value) in [
        ("throw \"text\"", "\"text\"", "()", "\"text\""),
        ("throw 42", "\"the script threw 42\"", "()", "42"),
        ("throw ()", "\"the script threw ()\"", "()", "()"),
        (
            "throw [1, 2]",
            "\"the script threw [1, 2]\"",
            "()",
            "[1, 2]",
        ),
        (
            "throw [dom, 1.5]",
            "\"the script threw [a Domain, 1.5]\"",
            "()",
            "err.value",
        ),
        (
            "throw #{ message: \"m\", hint: \"h\", code: \"C\" }",
            "\"m\"",
            "\"C\"",
            "#{ message: \"m\", hint: \"h\", code: \"C\" }",
        ),
        (
            "nofn(1)",
            "\"there is no function `nofn(int)`\"",
            "()",
            "()",
        ),
        (
            "let x = [1]; x[3]",
            "\"array index 3 out of bounds: only 1 element in array\"",
            "()",
            "()",
        ),
        ("1 / 0", "err.message", "()", "()"),
        ("#{ a: 1 }.b", "\"the map has no key `b`\"", "()", "()"),
        ("(1).nothing", "err.message", "()", "()"),
        ("let text = \"x\"; if text { }", "err.message", "()", "()"),
        (
            "parallel([1], 1, |n| throw `no ${n}`)",
            "\"one of the calls in parallel failed: 1: no 1\"",
            "()",
            "err.value",
        ),
        ("assert(false)", "err.message", "()", "err.value"),
        (
            "connect().lookup_by_name(\"nobody\")",
            "err.message",
            "\"VIR_ERR_NO_DOMAIN\"",
            "()",
        ),
        (
            "dom.wait(\"stopped\", 1)",
            "\"there is no state `stopped`\"",
            "\"VIR_ERR_INVALID_ARG\"",
            "()",
        ),
    ] {
        ok(&format!(
            r#"{DOM}
            let caught = ();
            try {{ {action}; }} catch (err) {{
                caught = err;
                assert_eq(type_of(err), "Error");
                assert(err.message.len() > 0);
                assert_eq(err.message, {message});
                assert_eq(err.code, {code});
                assert_eq(err.value, {value});
                for text in [err.hint, err.action, err.uri, err.call, err.domain, err.file, `${{err}}`] {{ assert_eq(type_of(text), "string"); }}
                assert_eq(err.lost_connection, false);
                assert_eq(err?.no_such_thing, ());
                assert(!("no_such_thing" in err));
            }}
            assert(caught != ());"#
        ));
    }
}

#[test]
fn the_keys_of_a_thrown_map_are_properties_of_the_error() {
    ok(r#"
        try { throw #{ message: "two failed", guests: ["a"], hint: "start them" }; } catch (err) {
            assert_eq(err.guests, ["a"]);
            assert("guests" in err);
            assert_eq(err.hint, "start them");
            let said = "";
            try { err.guest } catch (wrong) { said = wrong.message + wrong.hint; }
            assert_eq(said, "the error has no property `guest`did you mean `guests`?");
        }"#);
}

#[test]
fn what_is_thrown_again_is_reported_at_its_first_place() {
    for (thrown, title) in [
        ("throw \"no luck\"", "error: no luck"),
        (
            "throw #{ message: \"no luck\", hint: \"try\" }",
            "error: no luck",
        ),
        ("nofn(1)", "error: there is no function `nofn(int)`"),
        ("#{ name: 1 }.nmae", "error: the map has no key `nmae`"),
        (
            "connect().lookup_by_name(\"nobody\")",
            "error[VIR_ERR_NO_DOMAIN]",
        ),
    ] {
        let script =
            format!("let keep = 1;\ntry {{\n    {thrown};\n}} catch (err) {{\n    throw err;\n}}");
        fails(&script, &[title, "standard input:3:", "thrown again here"]);
        let script = format!("try {{\n    {thrown};\n}} catch (err) {{\n    throw;\n}}");
        fails(&script, &[title, "standard input:2:"]);
        let script = format!("try {{\n    {thrown};\n}} catch {{\n    throw;\n}}");
        fails(&script, &[title, "standard input:2:"]);
    }
}

#[test]
fn a_catch_block_has_a_value() {
    ok(r#"
        fn tells(fails) { try { if fails { throw "x"; } "fine" } catch (err) { err.message } }
        assert_eq([tells(false), tells(true)], ["fine", "x"]);
        fn nested(n) { try { if n == 1 { throw "x"; } try { if n == 2 { throw "y"; } "inner" } catch { "z" } } catch (err) { err.message + "!" } }
        assert_eq([nested(0), nested(1), nested(2)], ["inner", "x!", "z"]);
        let closure = |n| { try { 10 / n } catch { -1 } };
        assert_eq([closure.call(2), closure.call(0)], [5, -1]);
        fn chosen(n) { if n { try { throw 1; } catch { "then" } } else { "else" } }
        assert_eq([chosen(true), chosen(false)], ["then", "else"]);
        let seen = [];
        for n in 0..4 { try { if n == 1 { continue; } if n == 3 { break; } seen.push(n); } catch { } }
        assert_eq(seen, [0, 2]);
        fn returns() { try { return 1; } catch { return 2; } 3 }
        assert_eq(returns(), 1);
        let outer = 1;
        try { let inner = 2; outer += inner; throw "x"; } catch (err) { let more = 3; outer += more; }
        let after = 4;
        assert_eq([outer, after], [6, 4]);
        let text = "";
        let late = (); try { throw "kept"; } catch (err) { late = || err.message; }
        assert_eq(late.call(), "kept");"#);
}

#[test]
fn wrong_words_are_refused_at_once() {
    for (call, said, hint) in [
        (
            "dom.wait(\"stopped\", \"10m\")",
            "there is no state `stopped`",
            "the words are",
        ),
        (
            "dom.wait([\"shutoff\", \"crash\"], \"10m\")",
            "there is no state `crash`",
            "did you mean \"crashed\"?",
        ),
        ("dom.wait(\"shutoff\", \"one minute\")", "one minute", "90s"),
        (
            "conn.wait_event(#{ event: \"startd\" }, \"10m\")",
            "`event: \"startd\"`",
            "did you mean \"started\"?",
        ),
        (
            "conn.wait_event(#{ event: \"stopped\", detail: \"destroy\" }, \"10m\")",
            "`detail: \"destroy\"`",
            "did you mean \"destroyed\"?",
        ),
        (
            "conn.wait_event(#{ kind: \"block_job\", status: \"finished\" }, \"10m\")",
            "`status: \"finished\"`",
            "the words are",
        ),
        (
            "conn.wait_event(#{ network: \"lab\", event: \"strated\" }, \"10m\")",
            "`event: \"strated\"`",
            "did you mean \"started\"?",
        ),
        (
            "conn.wait_event([\"lifecycle\", \"lifecycel\"], \"10m\")",
            "lifecycel",
            "did you mean \"lifecycle\"?",
        ),
        (
            "dom.state() == VIR_DOMAIN_RUNNING",
            "is compared with the number `VIR_DOMAIN_RUNNING`",
            "the word for it is \"running\"",
        ),
        (
            "let same = VIR_DOMAIN_SHUTOFF != dom.info().state",
            "is compared with the number `VIR_DOMAIN_SHUTOFF`",
            "the word for it is \"shutoff\"",
        ),
        (
            "print(dom.state() == \"runing\")",
            "\"runing\" is not a possible value here",
            "did you mean \"running\"?",
        ),
        (
            "fn is_off(info) { \"stopped\" != info.state_reason().state } is_off(dom)",
            "\"stopped\" is not a possible value here",
            "the words are nostate, running",
        ),
        (
            "let row = #{ state: dom.state() }; if row.state == \"runing\" { print(1) }",
            "\"runing\" is not a possible value here",
            "did you mean \"running\"?",
        ),
        (
            "eval(\"let state = dom.state(); state == \\\"shutof\\\"\")",
            "\"shutof\" is not a possible value here",
            "did you mean \"shutoff\"?",
        ),
        (
            "[2, 1].sort(|a, b| a > b)",
            "the comparison must return a number",
            "|a, b| a - b",
        ),
        ("[2, 1].sort(|a, b| throw \"why\")", "why", ""),
    ] {
        fails(&format!("{DOM}\n{call};"), &[said, hint]);
    }
    ok(r#"
        assert(VIR_DOMAIN_RUNNING == 1 && 1 == VIR_DOMAIN_RUNNING && VIR_DOMAIN_RUNNING != 2);
        assert(VIR_DOMAIN_RUNNING != () && !(VIR_DOMAIN_RUNNING == ()));
        let dom = connect().lookup_by_name("test");
        let before = "gone"; let state = dom.state(); let row = #{ state: dom.state() };
        assert(before != "running" && state != "gone" && row.state != "not seen" && dom.state() == "running");
        assert("runing" != "running" && dom.name != "runing" && dom.state() != "unknown-7");
        fn mode() { if this.is_active() { this.state() } else { "off" } }
        assert(dom.mode() != "off");
        assert_eq([VIR_DOMAIN_SHUTOFF == VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_RUNNING == VIR_DOMAIN_SHUTOFF], [true, false]);
        let many = []; for n in 0..2000 { many.push((n * 7919) % 2003); }
        many.sort(|a, b| b - a);
        for n in 1..2000 { assert(many[n - 1] >= many[n]); }
        let pairs = [[1, "b"], [0, "x"], [1, "a"]];
        pairs.sort(|a, b| a[0] - b[0]);
        assert_eq(pairs, [[0, "x"], [1, "b"], [1, "a"]]);
        let senseless = []; for n in 0..300 { senseless.push(n); }
        senseless.sort(|a, b| 1);
        assert_eq(senseless.len(), 300);"#);
}

#[test]
fn usual_mistakes_have_a_hint_at_run_time() {
    for (script, said) in [
        (
            "let d = connect().list_all_domains().find(|d| d.name == \"web\"); d.state()",
            "the value is `()`",
        ),
        (
            "let d = connect().list_all_domains().find(|d| d.name == \"web\"); d.id",
            "the value is `()`",
        ),
        ("x = 5;", "declare it with `let x = ...`"),
        ("[1].reduce(|a, b| a + b)", "`list.reduce(closure, 0)`"),
        ("const A = [1]; A.push(2);", "a constant cannot change"),
        ("let m = #{ a: 1 }; m.values", "call it as `values()`"),
        ("\"3\".to_float()", "`parse_float(text)`"),
        ("to_int(\"5\")", "`parse_int(text)`"),
        ("parse_json(\"{a: 1}\")", "cannot call `parse_json`"),
        ("template(\"{{ nam }}\", #{})", "the values have no `nam`"),
        ("date(\"2026-03-01\", \"%d.%m.%Y\")", "such as `31.01.2026`"),
        ("now().format(\"YYYY\" + \"-MM\")", "not a format of dates"),
        ("parse_duration(\"5\" + \"M\")", "a small `m` is minutes"),
        ("now() + \"5M\"", "a small `m` is minutes"),
        ("exit(\"1\")", "the text \"1\""),
    ] {
        fails(script, &[said]);
    }
    ok(
        "assert_eq(parse_duration(\"5m\"), 300.0); assert_eq(date(\"2026-01-31\") + \"1month\", date(\"2026-02-28\"));",
    );
}
