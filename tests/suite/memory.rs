//! The limit on memory holds at every moment, inside native calls too, and undo has room to run.

use crate::support::{Outcome, ran_alone, virhai};

/// The limit of these tests.
const LIMIT: usize = 32 * 1024 * 1024;

/// The memory of the program without a script, including the pages of its file.
const BASE: usize = 96 * 1024 * 1024;

fn run(script: &str) -> Outcome {
    run_with(LIMIT, script)
}

fn run_with(limit: usize, script: &str) -> Outcome {
    virhai()
        .arg("--max-memory")
        .arg(limit.to_string())
        .arg("--timeout")
        .arg("4m")
        .arg("-e")
        .arg(script)
        .run()
}

/// The maximum memory of the programs that this test ran.
fn peak() -> usize {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    let kib = usage.expect("usage is known").max_rss();
    usize::try_from(kib).expect("a size") * 1024
}

fn assert_peak() {
    let peak = peak();
    assert!(peak < LIMIT + BASE, "{} MiB were used", peak / 1024 / 1024);
}

/// A thousand references to one text of a million characters.
const MUCH: &str = "let much = []; much.pad(1000, \"x\".repeat(1000000));";

#[test]
fn native_functions_ask_for_memory_before_they_take_it() {
    if ran_alone(
        module_path!(),
        "native_functions_ask_for_memory_before_they_take_it",
    ) {
        return;
    }
    for code in [
        "print(much)",
        "debug(much)",
        "much.to_string()",
        "`${much}`",
        "\"text\" + much",
        "let text = \"text\"; text += much;",
        "let text = \"text\"; text.append(much);",
        "much.join(\", \")",
        "#{ much: much }.to_json()",
        "#{ much: much }.to_string()",
        "[[much]].to_debug()",
        "exit(much)",
        "sleep(`${much}`)",
        "xml(\"a\", #{ b: much })",
        "let a = \"x\"; a.pad(9000000, \"b\"); a.replace(\"b\", a)",
        "let a = \"x\"; a.pad(9000000, \"b\"); a.split(\"b\")",
        "let a = \"x\"; a.pad(9000000, \"b\"); a.split_rev(\"\")",
        "let a = \"x\"; a.pad(9000000, \"b\"); a.to_chars()",
        "let a = \"x\"; a.pad(9000000, \"b\"); [a.chars(), a.chars(), a.chars()]",
        "let a = \"x\"; a.pad(9000000, \"b \"); a.split()",
        "let a = blob(9000000); a.to_array()",
        "let a = \"x\"; a.pad(4000000, \"<a/>\"); parse_xml(`<b>${a}</b>`)",
        "let a = \"x\"; a.pad(4000000, \"{},\"); parse_json(`[${a}1]`)",
        "eval(\"1;\".repeat(8000000))",
        "let a = []; a.pad(16000000, 1);",
        "let a = []; a.pad(100000, blob(1000000));",
        "let a = \"x\"; a.pad(16000000, \"\\u00df\"); a.make_upper()",
    ] {
        let outcome = run(&format!("{MUCH} {code}"));
        assert_eq!(outcome.status, 1, "{code}: {outcome}");
        assert!(
            outcome.stderr.contains("memory limit exceeded"),
            "{code}: {outcome}"
        );
    }
    assert_peak();
}

#[test]
fn steps_of_the_language_stay_under_the_limit() {
    if ran_alone(module_path!(), "steps_of_the_language_stay_under_the_limit") {
        return;
    }
    for code in [
        "let a = \"x\"; loop { a += a; }",
        "let a = \"x\"; loop { a = a + a; }",
        "let a = \"x\"; loop { a = `${a}${a}${a}${a}`; }",
        "let a = [1]; loop { a += a; }",
        "let a = [1]; loop { a = a + a; }",
        "let a = [1]; loop { a = [a, a, a, a]; }",
        "let a = #{ a: 1 }; loop { a = #{ a: a, b: a, c: a }; }",
        "let a = blob(1); loop { a += a; }",
        "let a = [1]; loop { let f = || a; a = [f.call(), f.call()]; }",
        "let a = [1]; let f = |x| x; loop { f = f.curry(a); a = [a, a]; }",
        "const A = [1]; fn f(x) { [x, x] } let a = A; loop { a = f(a); }",
        "fn f(n, x) { if n > 100 { x } else { f(n + 1, [x, x]) } } f(0, [1])",
    ] {
        let outcome = run(code);
        assert_eq!(outcome.status, 1, "{code}: {outcome}");
        assert!(
            outcome.stderr.contains("memory limit exceeded"),
            "{code}: {outcome}"
        );
    }
    assert_peak();
}

#[test]
fn results_and_thrown_values_that_are_too_large_are_not_written() {
    if ran_alone(
        module_path!(),
        "results_and_thrown_values_that_are_too_large_are_not_written",
    ) {
        return;
    }
    for (code, part) in [
        ("much", "the result is too large to show"),
        (
            "throw much",
            "the script threw an array that is too large to show",
        ),
        (
            "throw #{ message: \"x\".repeat(9000000) }",
            "too large to show",
        ),
        ("throw \"x\".repeat(9000000)", "(9000000 bytes in all)"),
        ("connect(\"x\".repeat(2000000))", "bytes in all)"),
        ("assert_eq(much, [1])", "too large to show"),
    ] {
        let outcome = run(&format!("{MUCH} {code}"));
        assert!(matches!(outcome.status, 1 | 4), "{code}: {outcome}");
        assert!(outcome.stderr.contains(part), "{code}: {outcome}");
        assert!(outcome.stderr.len() < 100_000, "{code}");
    }
    let json = virhai()
        .arg("--json")
        .arg("--max-memory")
        .arg(LIMIT.to_string())
        .arg("-e")
        .arg(format!("{MUCH} much"))
        .fails(1);
    assert!(json.stdout.contains("too large to show"), "{json}");
    assert_peak();
}

/// Two documents that differ in 8,000 places, whose paths have 100,000 characters each.
const FAR_APART: &str = r#"
    let name = "n".repeat(100000);
    let one = parse_xml(`<a><${name}>${"<b>1</b>".repeat(8000)}</${name}></a>`);
    let other = parse_xml(`<a><${name}>${"<b>2</b>".repeat(8000)}</${name}></a>`);
"#;

#[test]
fn differences_of_xml_stay_under_the_limit() {
    if ran_alone(module_path!(), "differences_of_xml_stay_under_the_limit") {
        return;
    }
    for code in [
        "one.diff(other).len()",
        "one == other",
        "parse_xml(\"<a/>\").diff(parse_xml(\"<b/>\")); assert_eq(one, other)",
    ] {
        let outcome = run(&format!(
            "let dom = connect(\"test:///default\").list_all_domains()[0];
            all_or_nothing(|undo| {{
                dom.destroy();
                undo.push(|| {{ dom.create(); print(`undone: ${{dom.state()}}`); }});
                {FAR_APART}
                try {{ {code}; }} catch {{ print(\"caught\"); }}
                print(\"after\");
            }});"
        ));
        assert_eq!(outcome.status, 1, "{code}: {outcome}");
        assert_eq!(outcome.stdout, "undone: running\n", "{code}: {outcome}");
        assert!(
            outcome.stderr.contains("memory limit exceeded"),
            "{code}: {outcome}"
        );
    }
    assert_peak();
}

#[test]
fn an_edit_with_too_many_differences_is_undone() {
    if ran_alone(
        module_path!(),
        "an_edit_with_too_many_differences_is_undone",
    ) {
        return;
    }
    let outcome = run(&format!(
        "let dom = connect(\"test:///default\").list_all_domains()[0];
        all_or_nothing(|undo| {{
            undo.push(|| print(`undone: ${{dom.state()}}`));
            {FAR_APART}
            dom.edit(|xml| {{ for part in one.children() {{ xml.insert(\"devices\", part); }} }});
            print(\"after\");
        }});"
    ));
    assert!(matches!(outcome.status, 1 | 4), "{outcome}");
    assert_eq!(outcome.stdout, "undone: running\n", "{outcome}");
    assert_peak();
}

#[test]
fn running_out_of_memory_is_undone_and_cannot_be_caught() {
    let script = format!(
        "let conn = connect(\"test:///default\"); let dom = conn.list_all_domains()[0];
        {MUCH}
        all_or_nothing(|undo| {{
            dom.destroy();
            undo.push(|| {{ dom.create(); print(`undone: ${{dom.state()}}`); }});
            try {{ sleep(`${{much}}`); }} catch {{ print(\"caught\"); }}
            print(\"after\");
        }});"
    );
    let outcome = run(&script);
    assert_eq!(outcome.status, 1, "{outcome}");
    assert_eq!(outcome.stdout, "undone: running\n");
}

#[test]
fn a_memory_limit_of_the_host_ends_in_undo_and_not_in_an_abort() {
    let grow = [
        "let a = \"x\"; loop { a += a; }",
        "let a = []; a.pad(64, 1); parallel(a, 64, |x| { let b = [1]; loop { b += b; } });",
        "let a = []; loop { a.push(#{ n: a.len(), text: `some text that is on the heap ${a.len()}` }); }",
        "let a = \"x\".repeat(1000000); let b = []; loop { b.push(a.to_upper()); }",
    ];
    for (limit, megabytes) in [("--as", 400), ("--as", 800), ("--data", 400)] {
        // The slow scripts run only with `--as 400`, where they have less memory to fill.
        for code in &grow[..if (limit, megabytes) == ("--as", 400) {
            4
        } else {
            2
        }] {
            let script = format!(
                "let conn = connect(\"test:///default\");
                let pool = conn.list_all_storage_pools()[0];
                all_or_nothing(|undo| {{
                    let vol = undo.step(
                        || pool.create_xml(\"<volume><name>new</name><capacity>1024</capacity></volume>\"),
                        |vol| vol.delete(),
                    );
                    let dom = undo.step(
                        || conn.define_xml(\"<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>\"),
                        |dom| {{ dom.undefine(); print(`left: ${{conn.list_all_domains().len()}}`); }},
                    );
                    {code}
                }});"
            );
            let outcome = virhai()
                .arg("--timeout")
                .arg("90s")
                .arg("-e")
                .arg(script)
                .through(&["prlimit", &format!("{limit}={}", megabytes * 1_000_000)])
                .run();
            assert_eq!(outcome.status, 1, "{megabytes} MB, {code}: {outcome}");
            assert_eq!(
                outcome.stdout, "left: 1\n",
                "{megabytes} MB, {code}: {outcome}"
            );
        }
    }
}

#[test]
fn a_memory_limit_too_small_to_start_is_reported() {
    let outcome = virhai()
        .arg("-e")
        .arg("1")
        .through(&["prlimit", "--as=150000000"])
        .fails(1);
    assert!(
        outcome.stderr.contains("not enough memory to run"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("ulimit -v"), "{outcome}");
}

#[test]
fn values_that_nest_too_deeply_stop_the_script() {
    for code in [
        "let f = || 1; for i in 0..600000 { let g = f; f = || g.call(); }",
        "let a = []; for i in 0..600000 { a = [[[[a.pop()]]]]; }",
        "let a = []; for i in 0..600000 { a = [#{ a: [[[a.pop()]]] }]; }",
        "fn burn() { for i in 0..3000 {} } let a = []; loop { for i in 0..1000 { a = [[a.pop()]]; } burn(); }",
    ] {
        // Functions stand at the top of a script.
        let (functions, code) = code.split_at(code.find("let ").unwrap_or_default());
        let script = format!("{functions} try {{ {code} }} catch {{}} print(\"after\");");
        let outcome = run_with(4 * LIMIT, &script);
        assert_eq!(outcome.status, 1, "{code}: {outcome}");
        assert!(
            outcome.stderr.contains("nests too deeply"),
            "{code}: {outcome}"
        );
        assert_eq!(outcome.stdout, "", "{code}");
    }
}

#[test]
fn values_that_nest_deeply_can_be_used() {
    const DEEP: &str = "let a = []; for i in 0..2000 { a = [[a.pop()]]; }";
    for (code, result) in [
        ("a == a", "true"),
        ("a != [a]", "true"),
        ("[1, a].contains(a)", "true"),
        ("a.to_string().len()", "20004"),
        ("#{ a: a }.to_json().len()", "20008"),
        ("parallel([a, a], 2, |x| x == x)[1]", "true"),
    ] {
        let outcome = run(&format!("{DEEP} {code}"));
        let line = outcome.stdout.trim_end();
        assert_eq!(outcome.status, 0, "{code}: {outcome}");
        if code.contains("len") {
            assert!(
                line.parse::<u32>().is_ok_and(|length| length > 4_000),
                "{code}: {line}"
            );
        } else {
            assert_eq!(line, result, "{code}");
        }
    }
    for code in ["a", "throw a", "assert_eq(a, [a])", "exit([a, `${a}`])"] {
        let outcome = run(&format!("{DEEP} {code}"));
        assert_eq!(outcome.status, 1, "{code}: {outcome}");
    }
}

#[test]
fn to_json_of_a_map_whose_closure_captured_it_ends() {
    let outcome = run("let m = #{}; m.f = || m; print(m.to_string().len() > 5); m.to_json()");
    assert_eq!(outcome.status, 0, "{outcome}");
    assert!(outcome.stdout.starts_with("true\n{\"f\":\""), "{outcome}");
    let many = "let m = #{ n: 0 }; m.add = || m.n += 1; for i in 0..20000 { let x = m.n; } 1";
    assert_eq!(run(many).stdout, "1\n");
}

#[test]
fn to_json_writes_valid_json() {
    let outcome = run(
        "let c = 5; print(#{ a: [1, 2.5, true, (), \"q\\\"\\n\"], b: #{}, c: || c, d: blob(2, 7), e: 'x', f: [], g: blob() }.to_json())",
    );
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(json["a"], serde_json::json!([1, 2.5, true, null, "q\"\n"]));
    assert!(
        json["c"].is_string(),
        "a closure shows nothing that it captured: {json}"
    );
    assert_eq!(json["d"], serde_json::json!([7, 7]));
    assert_eq!(json["e"], "x");
    assert_eq!(json["g"], serde_json::json!([]));
}

#[test]
fn parallel_starts_a_limited_number_of_threads() {
    if ran_alone(
        module_path!(),
        "parallel_starts_a_limited_number_of_threads",
    ) {
        return;
    }
    let script = "let items = []; items.pad(3000, 0);
        let threads = parallel(items, 1000000, |x| { sleep(0.02); 1 });
        print(threads.len());";
    let outcome = virhai().arg("-e").arg(script).run();
    assert_eq!(outcome.stdout, "3000\n", "{outcome}");
    // Data that each thread would copy.
    let script = "let text = blob(8000000); let items = []; items.pad(64, 0);
        parallel(items, 64, |x| text.len() + x).len()";
    let outcome = run(script);
    assert!(matches!(outcome.status, 0 | 1), "{outcome}");
    assert_peak();
}

#[test]
fn threads_that_ask_at_the_same_time_do_not_exceed_the_limit_together() {
    if ran_alone(
        module_path!(),
        "threads_that_ask_at_the_same_time_do_not_exceed_the_limit_together",
    ) {
        return;
    }
    for _ in 0..3 {
        let text = "let text = \"a\".repeat(600000); let list = []; list.pad(64, text);";
        run(&format!(
            "{text} list.parallel(64, |text| text.to_upper().len());"
        ));
    }
    assert_peak();
}
