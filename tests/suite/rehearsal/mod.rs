//! Rehearsals: the plan, the twin, and the unchanged host.

mod hosts;
mod share;

use serde_json::Value;

use crate::support::{Run, Scratch, Terminal, virhai};

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
fn later_steps_see_earlier_changes_and_changes_of_recipes_have_the_line_of_the_script() {
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
fn a_call_that_cannot_be_rehearsed_ends_the_script_with_an_error() {
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
fn block_jobs_change_the_images_of_the_disks() {
    let scratch = Scratch::new();
    let node = "<node><domain type='test'><name>web</name><memory>8192</memory><os><type>hvm</type></os>\
        <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/p/over'/>\
        <backingStore type='file'><format type='raw'/><source file='/p/a.img'/></backingStore>\
        <target dev='vda'/></disk></devices></domain>\
        <pool type='dir'><name>images</name><target><path>/p</path></target>\
        <volume><name>a.img</name><capacity>1000</capacity></volume></pool></node>";
    let uri = format!("test://{}", scratch.write("node.xml", node).display());
    let script = format!(
        r#"let conn = connect("{uri}");
let dom = conn.lookup_by_name("web");
fn images(dom) {{ [0, VIR_DOMAIN_XML_INACTIVE].map(|flags| dom.xml(flags).get("devices/disk/source/@file")) }}
for wrong in [|| dom.block_commit("vda", (), ()), || dom.block_commit("vdb", (), ()), || dom.block_job_abort("vda")] {{
    try {{ wrong.call(); throw "done"; }} catch (err) {{ assert_eq(err.code, "VIR_ERR_INVALID_ARG"); }}
}}
conn.wait_event(#{{ kind: "block_job", domain: dom, status: "ready" }}, "1h",
    || dom.block_commit("vda", (), (), 0, VIR_DOMAIN_BLOCK_COMMIT_ACTIVE));
assert_eq(dom.block_job_info("vda").type, "active_commit");
dom.block_job_abort("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
assert_eq(dom.block_job_info("vda").type, "none");
assert_eq([dom.state(), images(dom)], ["running", ["/p/a.img", "/p/a.img"]]);
let copy = `<disk type="file"><driver type="raw"/><source file="/p/copy"/></disk>`;
conn.wait_event(#{{ kind: "block_job", domain: dom, status: "ready" }}, "1h",
    || dom.block_copy("vda", copy, #{{}}, VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB));
dom.block_job_abort("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
assert_eq(images(dom), ["/p/copy", "/p/copy"]);
let pool = conn.storage_pool_lookup_by_name("images");
assert_eq(pool.list_volumes(), ["a.img"]);
pool.refresh();
// The order of the volumes is the test driver's, which varies.
let volumes = pool.list_volumes();
volumes.sort();
assert_eq(volumes, ["a.img", "copy"]);
conn.wait_event(#{{ kind: "block_job", domain: dom, status: "completed" }}, "1h", || dom.block_pull("vda"));
"#
    );
    scratch.write("example.rhai", script);
    let outcome = virhai()
        .folder(scratch.path(""))
        .arg("--rehearse")
        .arg("--allow-read")
        .arg(scratch.path(""))
        .arg("example.rhai")
        .run();
    assert_eq!(outcome.status, 0, "{outcome}");
    assert!(outcome.stdout.contains("commit disk `vda` of"), "{outcome}");
    assert!(outcome.stdout.contains("a block job is ready"), "{outcome}");
}

#[test]
fn devices_migrations_and_waits_are_rehearsed_and_only_the_twins_change() {
    let scratch = Scratch::new();
    let guest = |name: &str| {
        format!(
            "<domain type='test'><name>{name}</name><memory>8192</memory><os><type>hvm</type></os>\
             <devices><disk type='file' device='disk'><source file='/a'/><target dev='vda'/></disk></devices></domain>"
        )
    };
    let pool = "<pool type='dir'><name>images</name><target><path>/p</path></target>\
                <volume><name>a.img</name><capacity>1000</capacity></volume></pool>";
    let node = format!("<node>{}{}{pool}</node>", guest("web"), guest("db"));
    let [here, there] = [("here.xml", node.as_str()), ("there.xml", "<node/>")]
        .map(|(name, node)| format!("test://{}", scratch.write(name, node).display()));
    let file = scratch.text("out.txt");
    let script = format!(
        r#"let conn = connect("{here}"); let dest = connect("{there}");
let disk = "<disk type='file' device='disk'><source file='/b'/><target dev='vdb'/></disk>";
let web = conn.lookup_by_name("web");
web.attach_device(disk, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG);
web.detach_device(disk, VIR_DOMAIN_AFFECT_LIVE);
assert_eq([web.xml(), web.xml(VIR_DOMAIN_XML_INACTIVE)].map(|xml| xml.select("devices/disk").len()), [1, 2]);
assert_eq(web.job_info().type, "none");
let moved = web.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE, #{{}});
assert_eq([moved.state(), conn.list_all_domains().len()], ["running", 1]);
let db = conn.lookup_by_name("db");
assert(db.open_console().wait("login:", "1h").contains("login:"));
assert_eq(db.wait("shutoff", "1h").state, "shutoff");
conn.storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img").resize(2000);
write_text("{file}", "x");
assert_eq(read_text("{file}"), "x");
run(["touch", "{file}"]);
"#
    );
    scratch.write("example.rhai", script);
    let outcome = virhai()
        .folder(scratch.path(""))
        .arg("--rehearse")
        .arg("--allow-read")
        .arg(scratch.path(""))
        .arg("--allow-write")
        .arg(scratch.path(""))
        .arg("--allow-run")
        .arg("touch")
        .arg("--json")
        .arg("example.rhai")
        .fails(1);
    let plan = outcome.stdout.lines().last().unwrap_or_default();
    assert_eq!(
        entries(plan),
        [
            "changed domain web:4".to_owned(),
            "changed domain web:5".into(),
            "migrated domain web:8".into(),
            "stopped domain db:12".into(),
            "changed storage volume a.img in images:13".into(),
            format!("created file {file}:14"),
        ],
        "{outcome}"
    );
    for part in [
        "assumed: the guest `db` shuts down by itself",
        "not rehearsed: run the program `touch`",
    ] {
        assert!(plan.contains(part), "{outcome}");
    }
    assert!(!std::path::Path::new(&file).exists());
}

#[test]
fn a_saved_twin_needs_no_host_and_has_no_password() {
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

#[test]
fn a_run_follows_its_plan_at_a_terminal_only_after_a_yes() {
    let scratch = Scratch::new();
    scratch.write("one.rhai", "print(\"runs\")");
    let plan_first = || {
        let run = virhai().folder(scratch.path("")).arg("--plan-first");
        let mut terminal = Terminal::start(&run.arg("run").arg("one.rhai").command());
        terminal.shows("Run the script on its hosts? [y/N]");
        terminal
    };
    let mut terminal = plan_first();
    terminal.types("\r");
    terminal.shows("not run");
    assert_eq!(terminal.ends(), 1);
    let mut terminal = plan_first();
    terminal.types("y\r");
    terminal.shows("The run made the planned changes.");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_run_after_its_plan_writes_the_planned_files() {
    let scratch = Scratch::new();
    scratch.write("old.txt", "old");
    scratch.write(
        "write.rhai",
        r#"for name in ["new.txt", "old.txt", "new.txt"] { write_text(name, "x"); }"#,
    );
    let run = virhai()
        .folder(scratch.path(""))
        .arg("--allow-write")
        .arg(".");
    let json = run.arg("--json").arg("run").arg("write.rhai");
    let told = json.first_arg("--yes").first_arg("--plan-first").ok();
    assert!(told.contains("\"as_planned\":true"), "{told}");
    let read = |name: &str| std::fs::read_to_string(scratch.path(name)).expect("it is there");
    assert_eq!((read("new.txt"), read("old.txt")), ("x".into(), "x".into()));
}

#[test]
fn a_wipe_is_in_the_plan_and_a_stopped_pool_keeps_its_volumes() {
    let script = r#"
        let pool = connect().storage_pool_lookup_by_name("default-pool");
        let volume = pool.create_xml("<volume><name>v</name><capacity>1024</capacity></volume>");
        volume.wipe();
        pool.destroy();
        pool.create();
    "#;
    let rehearsed = virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("--json")
        .arg("--rehearse")
        .script(script)
        .ok();
    assert_eq!(
        entries(&rehearsed),
        [
            "created storage volume v in default-pool:3",
            "done  wipe the volume `v`:4",
            "stopped storage pool default-pool:5",
            "started storage pool default-pool:6",
        ]
    );
}

#[test]
fn a_change_of_a_network_is_one_entry() {
    let scratch = Scratch::new();
    let script = r#"let net = connect().network_lookup_by_name("default");
let host = "<host mac='52:54:00:00:00:01' name='a' ip='192.168.122.10'/>";
net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host);"#;
    let told = rehearsal(&scratch, script).first_arg("--json").ok();
    assert_eq!(entries(&told), ["changed network default:3"]);
}

#[test]
fn a_guest_whose_image_was_deleted_does_not_start() {
    let scratch = Scratch::new();
    let script = r#"import "std/guest" as guest;
let conn = connect();
let made = guest::create(conn, #{ name: "web", memory: "64MiB", start: false,
    disks: [#{ pool: "default-pool", size: "10MiB" }] });
made.create();
made.destroy();
let path = made.xml().get("devices/disk/source/@file");
conn.storage_vol_lookup_by_path(path).delete();
made.create();"#;
    let failed = rehearsal(&scratch, script).fails(1);
    assert!(
        failed.stderr.contains("Cannot access storage file") && failed.stderr.contains(":9:"),
        "{failed}"
    );
}

#[test]
fn memory_of_a_running_guest_without_a_balloon_is_refused() {
    let scratch = Scratch::new();
    let script = r#"let dom = connect().create_xml(`<domain type="test"><name>dry</name><memory>8192</memory>
    <os><type>hvm</type></os><devices><memballoon model="none"/></devices></domain>`);
dom.set_memory(4096);"#;
    let failed = rehearsal(&scratch, script).fails(1);
    assert!(
        failed.stderr.contains("without the balloon device"),
        "{failed}"
    );
}

#[test]
fn a_pattern_finds_the_files_that_the_rehearsal_wrote() {
    let scratch = Scratch::new();
    let script = r#"write_text("out/web.xml", "<a/>");
write_text("out/notes.txt", "");
print(glob("out/*.xml"));
print(read_text("out/web.xml"));"#;
    scratch.folder("out");
    let run = rehearsal(&scratch, script).first_arg("--allow-write=.");
    let told = run.first_arg("--allow-read=.").ok();
    assert!(told.starts_with("[\"out/web.xml\"]\n<a/>\n"), "{told}");
    assert!(!scratch.path("out/web.xml").exists());
}

#[test]
fn invented_statistics_are_noted() {
    let scratch = Scratch::new();
    let script = "let dom = connect().lookup_by_name(\"test\"); dom.info(); connect().get_all_domain_stats();";
    let told = rehearsal(&scratch, script).ok();
    assert!(
        told.contains("the test driver invents the CPU time"),
        "{told}"
    );
    assert!(
        told.contains("the test driver invents the answer"),
        "{told}"
    );
}
