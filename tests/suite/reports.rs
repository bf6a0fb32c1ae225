//! Reports of runs: a page, JSON and JUnit, of runs that succeed, fail, and do not begin.

use serde_json::Value;

use crate::support::{Browser, Outcome, Run, Scratch, virhai};

/// A run in `folder`, which also holds its journals.
fn in_folder(folder: &Scratch) -> Run {
    virhai()
        .folder(folder.path(""))
        .env("XDG_STATE_HOME", folder.path("state"))
}

fn read(folder: &Scratch, name: &str) -> String {
    std::fs::read_to_string(folder.path(name)).expect("the report is there")
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn has_not(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part}: {text}");
    }
}

/// A run that fails, whose titles, notes and inputs are hostile.
const HOSTILE: &str = r#"//! Attacks the report.
const INPUTS = #{
    name: #{ type: "string", default: "<img src=x onerror=alert(1)>", help: "shown" },
    pin: #{ type: "secret", help: "not shown" },
};
fn main(inputs) {
    let dom = step("<script>alert('title')</script>", || {
        log(`</pre><script>alert("note")</script> pin=${inputs.pin} ]]> ` + "\x1b[2J\u202e&amp;");
        connect("test:///default").lookup_by_name("test")
    });
    step("\x1b]0;owned\x07 \"quoted\"", || all_or_nothing(|undo| {
        undo.step(|| dom.suspend(), |value| dom.resume(), || dom.state() == "paused");
    }));
    step("outer", || {
        dom.resume();
        step("inner", || throw `</pre><b>no</b> ${inputs.pin}`);
    });
}
"#;

/// The outcome of the hostile run with the option `--report` for each of `reports`.
fn hostile(folder: &Scratch, reports: &[&str]) -> Outcome {
    folder.write("hostile.rhai", HOSTILE);
    let run = in_folder(folder).env("VIRHAI_PIN", "Tr0ub4dor<&>3");
    let run = reports
        .iter()
        .fold(run, |run, report| run.arg("--report").arg(report));
    run.arg("run").arg("hostile.rhai").fails(1)
}

#[test]
fn a_page_shows_the_run_and_escapes_all_texts() {
    let folder = Scratch::new();
    hostile(&folder, &["run.html"]);
    let page = read(&folder, "run.html");
    has(
        &page,
        &[
            "<p class=\"verdict failed\">failed</p>",
            "<dt>Exit status</dt><dd>1</dd>",
            // The whole error with the line of the script.
            "<section id=\"error\"><h2>Error</h2><pre class=\"error\">error",
            "step(&quot;inner&quot;",
            "<td>name</td><td>&lt;img src=x onerror=alert(1)&gt;</td>",
            "<td>pin</td><td>***</td>",
            "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;",
            "&lt;/pre&gt;&lt;script&gt;alert(&quot;note&quot;)",
            "␛[2J&lt;U+202E&gt;&amp;amp;",
            "␛]0;owned␇ &quot;quoted&quot;",
            "<rect class=\"done\"",
            "<rect class=\"failed\"",
            "<h3>inner <span class=\"state failed\">failed</span></h3>",
            "<td>line 12 of hostile.rhai</td>",
            "<td>yes</td>",
            "made changes that `virhai undo` cannot undo",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:\"",
            // The guest that the failed step used.
            "<img alt=\"the screen of test\" src=\"data:image/png;base64,iVBORw0KGgo",
            "@media print",
        ],
    );
    has_not(
        &page,
        &[
            "<script",
            "<img src",
            "<b>",
            "http://",
            "https://",
            "Tr0ub",
            "&amp;&gt;3",
            "\u{1b}",
            "\u{202e}",
            "\u{7}",
        ],
    );
    // The same page from the journal.
    in_folder(&folder)
        .arg("show")
        .arg("--html")
        .arg("old.html")
        .ok();
    assert_eq!(read(&folder, "old.html"), page);
}

#[test]
fn json_and_junit_say_which_step_failed() {
    let folder = Scratch::new();
    hostile(&folder, &["run.json", "run.xml"]);
    let shown = in_folder(&folder).arg("--json").arg("show").ok();
    let report = read(&folder, "run.json");
    assert_eq!(report, shown);
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    assert_eq!(report["state"], "failed");
    assert_eq!(report["steps"][3]["title"], "inner");
    assert_eq!(report["steps"][3]["state"], "failed");
    assert!(report["steps"][3]["seconds"].is_f64());
    has(
        report["end"]["message"].as_str().expect("it is text"),
        &["hostile.rhai:"],
    );

    let junit = read(&folder, "run.xml");
    has(
        &junit,
        &[
            "tests=\"5\"",
            "failures=\"3\"",
            "<testcase name=\"run\" classname=\"hostile.rhai\"",
            "name=\"outer &gt; inner\"",
            "name=\"&lt;script&gt;alert(&apos;title&apos;)&lt;/script&gt;\"",
            "␛[2J",
        ],
    );
    has_not(&junit, &["Tr0ub", "<script", "\u{1b}"]);
}

/// Changes definitions, and fails in a step that uses a guest.
const CHANGES: &str = r#"
    let conn = connect("test:///default");
    fn guest(memory, text) {
        `<domain type="test"><name>web</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>
         <description>${text}</description><memory>${memory}</memory><os><type>hvm</type></os>
         <devices><graphics type="vnc" passwd="hunter22"/></devices></domain>`
    }
    step("define", || { conn.define_xml(guest(1024, "first")); });
    step("change", || {
        let web = conn.define_xml(guest(2048, "&lt;script&gt;password=hunter22"));
        web.set_autostart(true);
        web.edit(|xml| xml.set("vcpu", 2));
        conn.network_define_xml("<network><name>lab</name></network>");
    });
    step("remove", || { conn.lookup_by_name("web").undefine(); });
    step("fail", || {
        conn.lookup_by_name("test").suspend();
        throw "no luck";
    });
"#;

#[test]
fn a_report_has_the_changed_definitions_and_only_runs_with_a_report_record_them() {
    let folder = Scratch::new();
    folder.write("run.rhai", CHANGES);
    let run = || in_folder(&folder).arg("--report").arg("run.html");
    run()
        .arg("--report")
        .arg("run.json")
        .arg("run.rhai")
        .fails(1);
    let report = read(&folder, "run.json");
    has_not(&report, &["hunter22"]);
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    let definitions = |step: usize| -> Vec<String> {
        let all = report["steps"][step]["definitions"].as_array();
        let all = all.expect("it is an array").iter().map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let differences = one["differences"]
                .as_array()
                .expect("it is an array")
                .iter();
            let differences: Vec<String> = differences
                .map(|one| format!("{} {} -> {}", one["path"], one["from"], one["to"]))
                .collect();
            format!(
                "{} {} {}: {}",
                text("kind"),
                text("name"),
                text("change"),
                differences.join(", ")
            )
        });
        all.collect()
    };
    assert_eq!(definitions(0), ["domain web defined: "]);
    assert_eq!(
        definitions(1),
        [
            "domain web changed: \"description\" \"first\" -> \"<script>password=***\", \
             \"memory\" \"1024\" -> \"2048\", \"currentMemory\" \"1024\" -> \"2048\"",
            "domain web changed: \"vcpu\" \"1\" -> \"2\"",
            "network lab defined: ",
        ]
    );
    assert_eq!(definitions(2), ["domain web removed: "]);
    assert_eq!(report["steps"][3]["guests"][0]["name"], "test");

    let page = read(&folder, "run.html");
    has(
        &page,
        &[
            "<dt>memory</dt><dd><del>1024</del><ins>2048</ins></dd>",
            "<ins>&lt;script&gt;password=***</ins>",
            "<h4>domain <code>web</code> removed</h4>",
            "Guest <code>test</code> on test:///default at the failure",
        ],
    );
    // A run without a report has no details, and a report from its journal has none.
    in_folder(&folder).arg("run.rhai").fails(1);
    let shown = in_folder(&folder).arg("--json").arg("show").ok();
    let shown: Value = serde_json::from_str(&shown).expect("it is JSON");
    let steps = shown["steps"].as_array().expect("it is an array");
    assert_eq!(steps.len(), 4, "{shown}");
    for step in steps {
        assert_eq!(step["definitions"], serde_json::json!([]), "{shown}");
        assert_eq!(step["guests"], serde_json::json!([]), "{shown}");
    }
}

#[test]
fn each_outcome_of_a_run_has_a_report() {
    let folder = Scratch::new();
    let report = |text: &str, status: i32| {
        folder.write("run.rhai", text);
        let run = in_folder(&folder).arg("--report").arg("run.html");
        let outcome = run.arg("--report").arg("run.xml").arg("run.rhai").run();
        assert_eq!(outcome.status, status, "{outcome}");
        (read(&folder, "run.html"), read(&folder, "run.xml"))
    };
    let (page, junit) = report("1 + 1", 0);
    has(&page, &["<p class=\"verdict done\">done</p>", "run.rhai"]);
    has(&junit, &["tests=\"1\"", "failures=\"0\""]);

    // Failures outside of steps, before the run, and by the script's own exit status.
    for (text, status, error) in [
        ("throw \"no luck\"", 1, "no luck"),
        ("let x = ;", 3, "run.rhai"),
        ("let x = 1; x.nothing()", 3, "nothing"),
        ("exit(7)", 7, ""),
    ] {
        let (page, junit) = report(text, status);
        let shown = format!("<dt>Exit status</dt><dd>{status}</dd>");
        has(&page, &["verdict failed", &shown, error]);
        has(&junit, &["failures=\"1\"", error]);
    }

    // A run that undoes everything.
    let undone = r#"let dom = connect("test:///default").lookup_by_name("test");
        step("all", || all_or_nothing(|undo| {
            undo.step(|| dom.suspend(), |value| dom.resume(), || true);
            throw "no";
        }))"#;
    let (page, _) = report(undone, 1);
    has(
        &page,
        &[
            "failed, and its changes were undone",
            "1 change was undone.",
        ],
    );
}

#[test]
fn a_run_that_was_resumed_has_one_report_of_all_attempts() {
    let folder = Scratch::new();
    folder.write(
        "run.rhai",
        "step(\"first\", || 1); step(\"second\", || if !args.is_empty() { throw \"no\" });",
    );
    in_folder(&folder)
        .arg("--report")
        .arg("run.html")
        .arg("run.rhai")
        .arg("x")
        .fails(1);
    std::fs::remove_file(folder.path("run.html")).expect("it was written");
    folder.write("run.rhai", "step(\"first\", || 1); step(\"second\", || 2);");
    in_folder(&folder)
        .arg("--report")
        .arg("whole.html")
        .arg("resume")
        .arg("--changed")
        .ok();
    has(
        &read(&folder, "whole.html"),
        &[
            "verdict done",
            "<dt>Resumed</dt><dd>once</dd>",
            "<line ",
            ">second</a>",
        ],
    );
    // `--report` of the first attempt does not apply to the second.
    assert!(!folder.path("run.html").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_before_the_run() {
    let folder = Scratch::new();
    folder.write("run.rhai", "print(\"ran\"); step(\"one\", || 1)");
    for (options, why) in [
        (&["--report", "none/run.html"][..], "No such file"),
        (&["--report", "run.pdf"], "must end in .html, .json or .xml"),
        (&["--report", "run.d/x"], "must end in"),
        (&["--report", "run.html", "--no-journal"], "--no-journal"),
        (&["--report", "run.html", "--rehearse"], "rehearsal"),
    ] {
        let run = options
            .iter()
            .fold(in_folder(&folder), |run, option| run.arg(option));
        let refused = run.arg("run").arg("run.rhai").fails(2);
        assert_eq!(refused.stdout, "", "{refused}");
        has(&refused.stderr, &[why]);
    }
    let refused = in_folder(&folder)
        .arg("--report")
        .arg("run.html")
        .arg("runs")
        .fails(2);
    has(&refused.stderr, &["`--report` works only with scripts"]);
    assert!(!folder.path("state").exists());
}

#[test]
fn an_old_report_stays_until_there_is_a_new_one() {
    let folder = Scratch::new();
    folder.write("step.rhai", "step(\"one\", || 1)");
    let input = r#"const INPUTS = #{ name: #{ type: "string", default: "a", help: "shown" } };
        fn main(inputs) { print(inputs.name) }"#;
    folder.write("input.rhai", input);
    folder.write("keep.json", r#"{ "name": "b" }"#);
    let reporting = |options: &[&str]| {
        let run = in_folder(&folder).arg("--report").arg("keep.json");
        options.iter().fold(run, |run, option| run.arg(option))
    };
    in_folder(&folder).arg("step.rhai").ok();
    reporting(&["undo"]).ok();
    reporting(&["show", "nosuch"]).fails(2);
    // The inputs of the run come from the file that the report replaces.
    let run = reporting(&["run", "input.rhai", "--inputs", "keep.json"]);
    assert_eq!(run.ok(), "b\n");
    has(&read(&folder, "keep.json"), &[r#""state":"done""#]);
    let undo = in_folder(&folder)
        .arg("--report")
        .arg("new.json")
        .arg("undo");
    undo.ok();
    assert!(!folder.path("new.json").exists());
}

#[test]
fn a_change_that_could_not_be_undone_fails_its_test_case() {
    let folder = Scratch::new();
    let script = r#"step("a", || 1, #{ undo: |value| print("undone") });
        step("b", || 2, #{ undo: |value| throw "stays" });"#;
    folder.write("two.rhai", script);
    in_folder(&folder).arg("run").arg("two.rhai").ok();
    let run = in_folder(&folder).arg("--report").arg("undo.xml");
    let undone = run.arg("undo").fails(1);
    has(&undone.stderr, &["undone: 1 of 2 changes"]);
    let junit = read(&folder, "undo.xml");
    has(&junit, &["failures=\"1\"", "message=\"not undone: stays"]);
    let (_, b) = junit.split_once("name=\"b\"").expect("it is listed");
    has(b, &["not undone: stays"]);
}

#[test]
fn a_json_log_has_one_object_per_line() {
    let folder = Scratch::new();
    folder.write("hostile.rhai", HOSTILE);
    let failed = in_folder(&folder)
        .env("VIRHAI_PIN", "Tr0ub4dor\"3")
        .arg("--log")
        .arg("json")
        .arg("-v")
        .arg("run")
        .arg("hostile.rhai")
        .fails(1);
    has_not(&failed.stderr, &["Tr0ub"]);
    let lines: Vec<Value> = failed
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    assert!(lines.iter().all(|line| line["time"].is_string()));
    let kind = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(kind("step"), 8, "{failed}");
    assert_eq!(kind("error"), 1, "{failed}");
    assert!(kind("note") >= 1 && kind("message") >= 1, "{failed}");
    let inner: Vec<&Value> = lines
        .iter()
        .filter(|line| line["title"] == "inner")
        .collect();
    assert_eq!(inner[0]["event"], "begins");
    assert_eq!(inner[1]["event"], "failed");
    assert_eq!(inner[1]["depth"], 1);
    assert!(inner[1]["seconds"].is_f64(), "{failed}");

    // Output that goes to standard error is in the log too.
    let printed = in_folder(&folder)
        .arg("--json")
        .arg("--log=json")
        .script("print(\"one\\ntwo\"); 5")
        .run();
    assert_eq!(printed.stdout, "5\n", "{printed}");
    let line: Value = serde_json::from_str(&printed.stderr).expect("it is one JSON object");
    assert_eq!(
        (&line["kind"], &line["text"]),
        (&"output".into(), &"one\ntwo".into())
    );
}

#[test]
fn the_page_is_readable_in_a_browser_on_a_phone_too() {
    let folder = Scratch::new();
    let Some(browser) = Browser::find(&folder) else {
        return;
    };
    hostile(&folder, &["run.html"]);
    // A frame as wide as a phone's screen; the page in it reports the width of its content.
    let page = read(&folder, "run.html");
    let measuring = page.replacen("default-src 'none'; ", "", 1).replacen(
        "</body>",
        "<script>onload = () => document.title = `${document.documentElement.scrollWidth <= innerWidth ? 'fits' : 'too wide'}, ${document.querySelectorAll('rect').length} bars, ${document.scripts.length} scripts, ${[...document.images].filter(i => i.naturalWidth > 0 && i.clientWidth < innerWidth).length} pictures`</script></body>",
        1,
    );
    folder.write("measuring.html", measuring);
    folder.write(
        "frame.html",
        "<iframe src=\"measuring.html\" width=\"360\" height=\"700\"></iframe><p></p><script>onload = () => document.querySelector('p').textContent = frames[0].document.title</script>",
    );
    let dom = browser.dom(&format!("file://{}", folder.path("frame.html").display()));
    has(&dom, &["<p>fits, 4 bars, 1 scripts, 1 pictures</p>"]);
    // On paper, a step begins on the next sheet if it does not fit, and nothing is wider than the sheet.
    let url = |name: &str| format!("file://{}", folder.path(name).display());
    let sheets = browser.sheets(&url("run.html"));
    let wide = page.replacen(
        "</body>",
        "<p style=\"white-space: nowrap\">WIDE</p></body>",
        1,
    );
    folder.write("wide.html", wide.replace("WIDE", &"wide ".repeat(200)));
    let shrunk = browser.sheets(&url("wide.html"));
    assert!(sheets > shrunk, "{sheets} sheets, {shrunk} shrunk");
}
