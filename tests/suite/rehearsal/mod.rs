//! Rehearsals: the plan, the twin, and the host that stays as it was.

mod hosts;
mod share;

use serde_json::Value;

use crate::support::{Run, Scratch, virhai};

/// A rehearsal of the script `text` on `test:///default`.
fn rehearsal(scratch: &Scratch, text: &str) -> Run {
    scratch.write("example.rhai", text);
    virhai()
        .folder(scratch.path(""))
        .arg("-c")
        .arg("test:///default")
        .arg("run")
        .arg("--rehearse")
        .arg("example.rhai")
}

/// The plan in JSON, each entry as its verb, kind, name and line.
pub(super) fn entries(plan: &str) -> Vec<String> {
    let plan = plan.lines().last().expect("the plan is the last line");
    let plan: Value = serde_json::from_str(plan).expect("the plan is JSON");
    let entries = plan["plan"].as_array().expect("it has entries");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        let [verb, kind, name] = ["verb", "kind", "name"].map(|key| text(&entry[key]));
        format!("{verb} {kind} {name}:{}", entry["place"]["line"])
    };
    entries.iter().map(line).collect()
}

#[test]
fn the_example_of_the_guide_has_the_plan_that_the_guide_shows() {
    let guide = include_str!("../../../docs/rehearsal.md");
    let block = |fence: &str| {
        let (_, rest) = guide.split_once(fence).expect("the guide has the block");
        rest.split_once("```").expect("the block ends").0
    };
    let scratch = Scratch::new();
    let told = rehearsal(&scratch, block("```rhai\n")).ok();
    assert_eq!(told.trim(), block("```plan\n").trim());
}

#[test]
fn later_steps_see_what_earlier_ones_did_and_changes_of_recipes_have_the_line_of_the_script() {
    let scratch = Scratch::new();
    let script = r#"import "std/guest" as guest;
let conn = connect();
let made = guest::create(conn, #{ name: "web", memory: "64MiB", start: false,
    disks: [#{ pool: "default-pool", size: "10MiB" }] });
for dom in conn.list_all_domains() {
    if dom.name != "web" { continue; }
    dom.create(VIR_DOMAIN_START_PAUSED);
    assert_eq(dom.state(), "paused");
    dom.resume();
}
guest::remove_with_volumes(made);
"#;
    let told = rehearsal(&scratch, script).first_arg("--json").ok();
    assert_eq!(
        entries(&told),
        [
            "created storage volume web.qcow2 in default-pool:3",
            "created domain web:3",
            "started domain web:7",
            "paused domain web:7",
            "resumed domain web:9",
            "stopped domain web:11",
            "deleted storage volume web.qcow2 in default-pool:11",
            "deleted domain web:11",
        ]
    );
}

#[test]
fn a_call_that_cannot_be_rehearsed_ends_the_script_with_that_statement() {
    let scratch = Scratch::new();
    let script = "let dom = connect().lookup_by_name(\"test\");\n\
                  dom.suspend();\n\
                  dom.qemu_monitor_command(\"stop\", 0);\n\
                  dom.resume();\n";
    let outcome = rehearsal(&scratch, script).fails(1);
    let flat = outcome
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        flat.contains("virDomainQemuMonitorCommand was not rehearsed"),
        "{outcome}"
    );
    assert!(
        outcome.stdout.contains("paused    domain test"),
        "{outcome}"
    );
    assert!(
        outcome.stdout.contains("did not reach the end"),
        "{outcome}"
    );
    assert!(outcome.stdout.contains("example.rhai:3"), "{outcome}");
    assert!(!outcome.stdout.contains("resumed"), "{outcome}");
}

#[test]
fn a_saved_twin_needs_no_host_and_holds_no_password() {
    let scratch = Scratch::new();
    let host = scratch.write(
        "host.xml",
        "<node><domain type='test'><name>db</name><memory>8192</memory><os><type>hvm</type></os>\
         <devices><graphics type='vnc' passwd='hushhush'/></devices></domain></node>",
    );
    let uri = format!("test://{}", host.display());
    let twin = scratch.path("lab.twin");
    virhai().arg("-q").arg("twin").arg(&uri).arg(&twin).ok();
    let saved = std::fs::read_to_string(&twin).expect("the file is there");
    assert!(
        saved.contains("\"virhai twin\"") && !saved.contains("hushhush"),
        "{saved}"
    );
    std::fs::remove_file(host).expect("the host goes");
    let script = scratch.write("stop.rhai", "connect().lookup_by_name(\"db\").destroy();\n");
    let told = virhai()
        .arg("-c")
        .arg(&uri)
        .arg("--json")
        .arg("run")
        .arg("--against")
        .arg(&twin)
        .arg(script)
        .ok();
    assert_eq!(entries(&told), ["stopped domain db:1"]);
}

#[test]
fn files_that_are_not_twins_and_options_that_exclude_each_other_are_wrong_usage() {
    let scratch = Scratch::new();
    let other = scratch.write("other.twin", "{}");
    let against = virhai().arg("--against").arg(other).arg("-e").arg("1");
    let outcome = against.fails(2);
    assert!(
        outcome.stderr.contains("it is not a saved twin"),
        "{outcome}"
    );
    let both = virhai()
        .arg("--rehearse")
        .arg("--plan-first")
        .arg("-e")
        .arg("1")
        .fails(2);
    assert!(both.stderr.contains("exclude each other"), "{both}");
    let unasked = virhai().arg("--plan-first").arg("-e").arg("1").fails(2);
    assert!(unasked.stderr.contains("--yes"), "{unasked}");
}
