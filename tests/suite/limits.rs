//! Runaway scripts are stopped with a clear error, and the process survives.

use crate::support::{Run, Scratch, virhai};

/// A run with the limit `limit`, which must end with a message that has `part` in it.
fn stopped(limit: &[&str], script: &str, part: &str) {
    let run = limit.iter().fold(virhai(), Run::arg);
    let outcome = run
        .arg("--timeout")
        .arg("60s")
        .arg("-e")
        .arg(script)
        .fails(1);
    assert!(outcome.stderr.contains(part), "{script}: {outcome}");
    assert!(
        outcome.stderr.lines().count() < 60,
        "a message that can be read: {outcome}"
    );
}

#[test]
fn operations_are_counted() {
    stopped(
        &["--max-operations", "1000"],
        "loop {}",
        "operation limit exceeded",
    );
    stopped(
        &["--max-operations=1000"],
        "[1].map(|x| loop {})",
        "--max-operations",
    );
    let free = virhai().arg("--max-operations").arg("0").arg("-e");
    assert_eq!(
        free.arg("let n = 0; while n < 5000 { n += 1; } n").ok(),
        "5000\n"
    );
}

#[test]
fn calls_within_calls_are_counted() {
    stopped(
        &[],
        "fn f() { f() } f()",
        "call depth limit of 128 exceeded",
    );
    stopped(
        &["--max-depth=1000"],
        "fn f(n) { [n].map(|x| f(x + 1)) } f(1)",
        "--max-depth",
    );
    stopped(
        &[],
        "let f = |g| g.call(g); f.call(f)",
        "call depth limit of 128 exceeded",
    );
    stopped(&[], "let code = \"eval(code)\"; eval(code)", "too deeply");
    let deep = "fn f(n) { if n == 0 { 0 } else { f(n - 1) } } f(990)";
    assert_eq!(
        virhai()
            .arg("--max-depth")
            .arg("1000")
            .arg("-e")
            .arg(deep)
            .ok(),
        "0\n"
    );
    assert_eq!(
        virhai()
            .arg("--max-depth")
            .arg("100000")
            .arg("-e")
            .arg("1")
            .run()
            .status,
        2
    );
}

#[test]
fn sizes_are_limited_where_that_was_asked_for() {
    let double = "let s = \"x\"; loop { s += s; }";
    stopped(
        &["--max-string", "100"],
        double,
        "a string exceeds the limit of 100",
    );
    let push = "let list = []; loop { list.push(1); }";
    stopped(
        &["--max-array", "100"],
        push,
        "an array exceeds the limit of 100",
    );
    let set = "let map = #{}; let i = 0; loop { map.set(`k${i}`, i); i += 1; }";
    stopped(&["--max-map", "100"], set, "a map exceeds the limit of 100");
}

#[test]
fn memory_is_limited_however_it_is_filled() {
    let limit = ["--max-memory", "10MB"];
    let part = "memory limit exceeded";
    stopped(&limit, "let s = \"x\"; loop { s += s; }", part);
    stopped(
        &limit,
        "let list = []; loop { list.push(\"some text \" + list.len()); }",
        part,
    );
    stopped(&limit, "let list = [1]; loop { list += list; }", part);
    stopped(
        &limit,
        "let list = []; loop { list.push(blob(1_000_000)); }",
        part,
    );
    for script in [
        "[].pad(1_000_000_000_000, 1)",
        "blob(1_000_000_000_000)",
        "blob(1_000_000_000_000, 1)",
        "blob(1).pad(1_000_000_000_000, 1)",
        "\"x\".repeat(1_000_000_000_000)",
        "let s = \"x\"; s.pad(1_000_000_000_000, 'x')",
        "let s = \"x\"; s.pad(1_000_000_000_000, \"xyz\")",
    ] {
        stopped(&limit, script, "would be longer than");
    }
}

#[test]
fn deeply_nested_code_does_not_end_the_process() {
    let many = 100_000;
    let scratch = Scratch::new();
    for (name, first, again, last, close) in [
        ("parentheses", "", "(", "1", ")"),
        ("arrays", "", "[", "", ""),
        ("maps", "", "#{a:", "", ""),
        ("blocks", "", "{", "", "}"),
        ("minus", "", "- ", "1", ""),
        ("not", "", "!", "true", ""),
        ("sum", "1", " + 1", "", ""),
        ("and", "true", " && true", "", ""),
        ("calls", "\"a\"", ".to_upper()", "", ""),
        ("properties", "a", ".a", "", ""),
        ("indexes", "a", "[0]", "", ""),
        ("else", "if true {} ", "else if true {} ", "", ""),
        ("texts", "", "`${", "", ""),
        ("closures", "", "|| ", "1", ""),
        ("switch", "", "switch 1 { _ => ", "", ""),
        ("functions", "", "f(", "", ""),
    ] {
        let text = [first, &again.repeat(many), last, &close.repeat(many)].concat();
        let file = scratch.write(&format!("{name}.rhai"), text);
        let outcome = virhai().arg(&file).run();
        let stderr: String = outcome.stderr.chars().take(500).collect();
        assert_eq!(outcome.status, 3, "{name}: {stderr}");
        assert!(
            outcome.stderr.len() < 10_000,
            "{name}: a message that can be read"
        );
    }
}

#[test]
fn deeply_nested_values_do_not_end_the_process() {
    let script = "let a = []; for i in 0..1500 { a = [a]; } a";
    virhai().arg("-e").arg(script).ok();
    virhai().arg("--json").arg("-e").arg(script).ok();
    let script = "let a = #{}; for i in 0..1500 { a = #{ a: a }; } a.to_string(); a == a; a";
    virhai().arg("-e").arg(script).ok();
}
