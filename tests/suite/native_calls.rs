//! Every function that scripts can call, without a host: its growth is known, and no argument, however
//! extreme, ends the process, exceeds the memory limit or hangs.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use virhai::catalog::{self, Function};
use virhai::engine::{self, Limits};
use virhai::{Imports, Session, SessionOptions};

use crate::support::{ran_alone, rewrite, updates, virhai};

/// The memory growth of each function: `signature class` on each line.
const GROWTH: &str = "tests/data/growth.txt";

/// The meaning of the classes.
const CLASSES: [&str; 3] = [
    // Checks the memory limit before it allocates.
    "bounded", // Takes at most twice the memory of its arguments, or a little.
    "small",
    // Needs memory for the host's reply, which libvirt limits, or to send its arguments to the
    // host.
    "host",
];

const LIMIT: usize = 32 * 1024 * 1024;

/// The memory of the program without a script, including the pages of its file.
const BASE: usize = 96 * 1024 * 1024;

fn functions() -> (Vec<Function>, BTreeSet<(String, usize)>) {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    let asking = |info: rhai::FuncInfo| {
        let asks = info
            .metadata
            .comments
            .iter()
            .any(|text| text == "(asks for room)");
        asks.then(|| (info.metadata.name.to_string(), info.metadata.num_params))
    };
    let asking = engine.collect_fn_metadata(None, asking, false);
    (
        catalog::all_functions(&engine),
        asking.into_iter().collect(),
    )
}

fn signature(function: &Function) -> String {
    let property = if function.property { "get " } else { "" };
    format!(
        "{property}{}({})",
        function.name,
        function.taken().replace(", ", ",")
    )
}

#[test]
fn every_function_is_classified_by_the_memory_it_can_use() {
    if ran_alone(
        module_path!(),
        "every_function_is_classified_by_the_memory_it_can_use",
    ) {
        return;
    }
    let text = std::fs::read_to_string(GROWTH).unwrap_or_default();
    let known: std::collections::HashMap<&str, &str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .collect();
    let (functions, asking) = functions();
    let mut offenders = Vec::new();
    let mut seen = BTreeSet::new();
    for function in &functions {
        let signature = signature(function);
        // The memory of a call on an object depends on the host's reply.
        let of_host = |kind: &str| {
            kind == "Connection"
                || kind.starts_with("Admin")
                || virhai::objects_of::TYPES.contains(&kind)
        };
        let class = match function.receiver() {
            Some(ty) if ty.object().is_some_and(of_host) => "host",
            _ => "?",
        };
        let class = known.get(signature.as_str()).copied().unwrap_or(class);
        if !CLASSES.contains(&class) {
            offenders.push(format!("{signature}: its memory use is not classified"));
        }
        let name = match function.property {
            true => format!("get${}", function.name),
            false => function.name.clone(),
        };
        if function.standard
            && class == "bounded"
            && !asking.contains(&(name, function.parameters.len()))
        {
            offenders.push(format!("{signature}: Rhai's own function asks for no room"));
        }
        seen.insert(format!("{signature} {class}"));
    }
    if updates() {
        let lines: Vec<&str> = seen.iter().map(String::as_str).collect();
        let head = "# The memory that each function takes: bounded, small or host (tests/suite/native_calls.rs).\n";
        rewrite(Path::new(GROWTH), &format!("{head}{}\n", lines.join("\n")));
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !seen.contains(line) {
            offenders.push(format!("{line}: there is no such function"));
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

/// Pseudo-random numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn one_of(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }
}

/// The values that the calls use.
const VALUES: &str = r#"
let MOST = 9223372036854775807; let LEAST = -9223372036854775807 - 1;
let NAN = 0.0 / 0.0; let INFINITE = 1.0 / 0.0;
let LONG = "x".repeat(300000); let LETTERS = "\u00df\U0001f4be ".repeat(50000); let QUOTES = "\"\\\n\t".repeat(50000);
let JSON = "[" + "{},".repeat(50000) + "1]"; let TAGS = "<a>" + "<b/>".repeat(50000) + "</a>";
let MUCH = []; MUCH.pad(1000, LONG);
let DEEP = []; for i in 0..1000 { DEEP = [[DEEP.pop()]]; }
let CYCLE = #{ n: 1 }; CYCLE.f = || CYCLE;
let KEYS = #{}; for i in 0..1000 { KEYS[`key${i}`] = LONG; }
let BYTES = blob(300000, 255);
let XML = parse_xml("<a><b c='d'>e</b><b/></a>"); let TIME = timestamp();
"#;

/// Values of a type.
fn values(kind: &str) -> &'static [&'static str] {
    match kind {
        "int" => &["0", "1", "-1", "7", "MOST", "LEAST", "300000", "4294967296"],
        "float" => &["0.0", "-1.5", "1e308", "NAN", "INFINITE", "-INFINITE"],
        "bool" => &["true", "false"],
        "char" => &["'x'", "'\\x00'", "'\\u00df'", "'\\U0001f4be'"],
        "string" => &[
            "\"\"",
            "\"x\"",
            "\" \"",
            "LONG",
            "LETTERS",
            "QUOTES",
            "JSON",
            "TAGS",
            "\"a\\x00b\"",
            "\"print\"",
            "\"//b\"",
        ],
        "array" => &[
            "[]",
            "[1, 2, 3]",
            "MUCH",
            "DEEP",
            "[CYCLE]",
            "[LONG, 'x', (), 1.5]",
            "[NAN, NAN]",
        ],
        "map" => &[
            "#{}",
            "#{ a: 1 }",
            "CYCLE",
            "KEYS",
            "#{ d: DEEP }",
            "#{ a: #{ b: MUCH } }",
        ],
        "blob" => &["blob()", "blob(1, 7)", "BYTES"],
        "closure" => &[
            "|x| x",
            "|x, y| x",
            "|| 1",
            "|x| throw x",
            "|x| [x, x]",
            "Fn(\"print\")",
            "|x| CYCLE",
            "|a, b| 0",
        ],
        "ExclusiveRange" => &["0..10", "-5..5", "0..MOST", "LEAST..MOST", "10..0"],
        "InclusiveRange" => &["0..=10", "-5..=5", "0..=MOST", "LEAST..=MOST"],
        "Xml" => &["XML", "XML.select(\"b\")[0]"],
        "Instant" => &["TIME"],
        "()" => &["()"],
        "any" => &[
            "()", "1", "NAN", "LONG", "MUCH", "DEEP", "CYCLE", "KEYS", "BYTES", "|x| x", "XML",
            "0..MOST", "'x'", "\"\"",
        ],
        _ => &[],
    }
}

const KINDS: [&str; 15] = [
    "int",
    "float",
    "bool",
    "char",
    "string",
    "array",
    "map",
    "blob",
    "closure",
    "ExclusiveRange",
    "InclusiveRange",
    "Xml",
    "Instant",
    "()",
    "any",
];

/// Functions that wait, connect or end the script.
const LEFT_OUT: [&str; 9] = [
    "exit",
    "sleep",
    "connect",
    "connect_auth",
    "connect_read_only",
    "tcp_answers",
    "note",
    "wait",
    "print",
];

/// A call with arguments that mostly have the right types.
fn call(function: &Function, random: &mut Random) -> Option<String> {
    let mut arguments = Vec::new();
    for (_, ty) in &function.parameters {
        let right = values(&ty.plain().to_string());
        if right.is_empty() {
            return None;
        }
        arguments.push(match random.below(8) {
            0 => {
                let kind = random.one_of(&KINDS);
                random.one_of(values(kind))
            }
            _ => random.one_of(right),
        });
    }
    let first = arguments.first().copied().unwrap_or("()");
    let name = function.name.as_str();
    Some(match arguments.as_slice() {
        _ if name.contains('$') => return None,
        [_] if function.property => format!("let v = {first}; v.{name}"),
        [_] if !name.starts_with(char::is_alphabetic) => format!("let v = {first}; {name}v"),
        [_, other] if !name.starts_with(char::is_alphabetic) => {
            format!("let v = {first}; let w = {other}; v {name} w")
        }
        [] => format!("{name}()"),
        [_, rest @ ..] => {
            let rest: String = rest
                .iter()
                .map(|argument| format!(", {argument}"))
                .collect();
            format!("let v = {first}; {name}(v{rest})")
        }
    })
}

/// The maximum memory of the programs that this test ran.
fn peak() -> usize {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    let kib = usage.expect("usage is known").max_rss();
    usize::try_from(kib).expect("a size") * 1024
}

/// Runs the calls one after the other; if one stops the script, continues with the next in a new
/// script.
fn run_all(calls: &[String], tally: &mut Tally) {
    let mut next = 0;
    while next < calls.len() {
        let mut script = String::from(VALUES);
        for (index, call) in calls.iter().enumerate().skip(next) {
            let _ = writeln!(
                script,
                "try {{ print(\"@{index}\"); {{ {call}; }} }} catch {{ print(\"thrown\"); }}"
            );
        }
        let outcome = virhai()
            .arg("--max-memory")
            .arg(LIMIT.to_string())
            .arg("--timeout")
            .arg("30s")
            .arg("--no-check")
            .arg("--quiet")
            .script(script)
            .arg("-")
            .run();
        let last: usize = outcome
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix('@')?.parse().ok())
            .next_back()
            .unwrap_or_else(|| panic!("nothing ran: {outcome}"));
        tally.thrown += outcome
            .stdout
            .lines()
            .filter(|line| *line == "thrown")
            .count();
        let words = outcome.stderr.as_str();
        let bad = !matches!(outcome.status, 0 | 1)
            || words.contains("internal error (please report this)")
            || words.contains("panicked");
        if bad {
            let words: String = words.chars().take(600).collect();
            tally
                .bad
                .push(format!("{} => {}: {words}", calls[last], outcome.status));
        }
        let peak = peak();
        if peak > LIMIT + BASE && tally.peak <= LIMIT + BASE {
            tally.bad.push(format!(
                "{}: took {} MiB",
                calls[next..=last].join("\n"),
                peak / 1024 / 1024
            ));
        }
        tally.peak = peak;
        if outcome.status == 0 {
            return;
        }
        tally.stopped += 1;
        next = last + 1;
    }
}

#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    thrown: usize,
    stopped: usize,
    peak: usize,
    bad: Vec<String>,
}

#[test]
fn calls_with_extreme_arguments_neither_end_the_process_nor_exceed_its_memory() {
    if ran_alone(
        module_path!(),
        "calls_with_extreme_arguments_neither_end_the_process_nor_exceed_its_memory",
    ) {
        return;
    }
    let rounds = if std::env::var_os("VIRHAI_TEST_ALL").is_some() {
        40
    } else {
        2
    };
    let (functions, _) = functions();
    let mut random = Random(9);
    let mut tally = Tally::default();
    let mut called = BTreeSet::new();
    for _ in 0..rounds {
        let mut calls = Vec::new();
        for function in &functions {
            if LEFT_OUT.contains(&function.name.as_str()) {
                continue;
            }
            if let Some(call) = call(function, &mut random) {
                called.insert(signature(function));
                calls.push(call);
            }
        }
        tally.calls += calls.len();
        for batch in calls.chunks(60) {
            run_all(batch, &mut tally);
        }
    }
    println!(
        "{} functions, {} calls: {} threw, {} stopped the script, {} were bad; at most {} MiB",
        called.len(),
        tally.calls,
        tally.thrown,
        tally.stopped,
        tally.bad.len(),
        tally.peak / 1024 / 1024
    );
    assert!(
        called.len() > 350,
        "most functions can be called: {}",
        called.len()
    );
    assert!(tally.bad.is_empty(), "{}", tally.bad.join("\n\n"));
}
