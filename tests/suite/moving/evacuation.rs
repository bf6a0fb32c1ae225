//! Evacuations of hosts.

use std::io::BufRead;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::Host;

use super::Hosts;

#[test]
fn a_host_is_evacuated_in_order_and_what_stays_is_told() {
    let hosts = Hosts::start();
    let guests: Vec<String> = ["web", "db", "mail"]
        .iter()
        .map(|name| hosts.guest("counter", name))
        .collect();
    let [web, db, mail] = guests.as_slice() else {
        unreachable!("three were made")
    };
    hosts.ok(&format!(
        r#"
        let doms = [`{web}`, `{db}`].map(|xml| begin(conn, xml));
        // libvirt refuses to move it, which nobody can know before.
        let bound = conn.create_xml(`{mail}`, VIR_DOMAIN_START_AUTODESTROY);
        let outcomes = |reports| reports.map(|report| [report.guest, report.outcome]);

        // All or none: guests that have moved come back.
        let options = #{{ order: ["db", "web"], parallel: 2, on_failure: "bring back" }};
        let error = thrown(|| migration::evacuate(conn, dest, options));
        assert_eq(outcomes.call(error.guests), [["db", "brought back"], ["web", "brought back"], ["mail", "failed"]]);
        assert(error.message.contains("3 of 3 guests"), error.message);
        assert_eq([conn.num_of_domains(), dest.list_all_domains()], [3, []]);
        assert(conn.list_all_domains().filter(|dom| dom.name != "mail").all(|dom| dom.is_persistent()));

        // Or none after the one that failed.
        let error = thrown(|| migration::evacuate(conn, dest, #{{ order: ["mail", "db"], on_failure: "stop" }}));
        assert_eq(outcomes.call(error.guests), [["mail", "failed"], ["db", "not tried"], ["web", "not tried"]]);

        // A refusal of the check keeps all guests here, if requested.
        let taken = `{web}`;
        taken.replace("</name>", "</name><uuid>7e1a0000-0000-4000-8000-0000000000aa</uuid>");
        let taken = dest.define_xml(taken);
        let error = thrown(|| migration::evacuate(conn, dest, #{{ on_failure: "stop", order: ["web"] }}));
        assert_eq(outcomes.call(error.guests)[0], ["web", "refused"]);
        assert(error.guests.all(|report| report.outcome != "moved"));
        assert(error.message.contains("another guest called `web`"), error.message);

        // Or the others go.
        let error = thrown(|| migration::evacuate(conn, dest, #{{ order: ["web", "mail"], parallel: 3 }}));
        assert_eq(outcomes.call(error.guests), [["web", "refused"], ["mail", "failed"], ["db", "moved"]]);
        taken.undefine();
        bound.destroy();
        assert_eq(outcomes.call(migration::evacuate(conn, dest, #{{}})), [["web", "moved"]]);
        assert_eq(conn.list_all_domains(), []);
        for name in ["web", "db"] {{ up(dest.lookup_by_name(name)); }}
        assert(thrown(|| migration::evacuate(conn, dest, parse_json(`{{"paralel": 2}}`))).hint.contains("parallel"));
        // And back, the one that is off as well.
        dest.lookup_by_name("db").destroy();
        let reports = migration::evacuate(dest, conn, #{{ inactive: true, parallel: 2, order: ["db"] }});
        assert_eq(reports.map(|report| report.changes), [["moved the configuration"], ["moved the running guest"]]);
        "#
    ));
    // By names of hosts too.
    let list = format!(
        "all:\n  hosts:\n    here: {{virhai_uri: '{}'}}\n    there: {{virhai_uri: '{}'}}\n",
        hosts.here.uri(),
        hosts.there.uri()
    );
    let list = hosts.here.scratch().write("hosts.yaml", list);
    let fleet = r#"
        import "std/fleet" as fleet;
        let rows = fleet::evacuate("here", #{});
        assert_eq(rows[0].value, [#{ guest: "web", host: "there" }]);
        up(dest.lookup_by_name("web"));
        fleet::bring_back(rows, #{});
        fleet::patch_in_waves("here", #{ patch: |host| assert_eq(host.conn.num_of_domains(), 0) });
        up(conn.lookup_by_name("web"));
    "#;
    let inventory = list.to_str().expect("it is text");
    let run = hosts.script(fleet).first_arg(inventory);
    run.first_arg("--inventory").ok();
    for name in ["web", "db"] {
        assert_eq!(hosts.boots(name), 1, "{name} never booted again");
    }
}

/// Undoes an evacuation from a list of hosts: after a complete run, and after one that was killed
/// when the first guest had moved.
#[test]
fn undo_brings_every_guest_of_an_evacuated_host_back() {
    let hosts = Hosts::start();
    let (web, db) = (hosts.guest("counter", "web"), hosts.guest("counter", "db"));
    hosts.ok(&format!(
        "for xml in [`{web}`, `{db}`] {{ begin(conn, xml); }}"
    ));
    let list = format!(
        "all:\n  hosts:\n    here: {{virhai_uri: '{}'}}\n    there: {{virhai_uri: '{}'}}\n",
        hosts.here.uri(),
        hosts.there.uri()
    );
    let list = hosts.here.scratch().write("hosts.yaml", list);
    let script = hosts.here.scratch().write(
        "leave.rhai",
        "import \"std/fleet\" as fleet;\nfleet::evacuate(\"here\", #{});\n",
    );
    let program = || hosts.here.virhai().arg("--inventory").arg(&list);
    let all_are_back = |when: &str| {
        let undone = program().arg("--yes").arg("undo").run();
        assert_eq!(undone.status, 0, "{when}: {undone}");
        hosts.ok(r#"
            assert_eq(dest.list_all_domains(), []);
            let all = conn.list_all_domains();
            assert_eq(all.map(|dom| [dom.state(), dom.is_persistent()]), [["running", true], ["running", true]]);
            for dom in all { up(dom); }
        "#);
    };
    program().arg("run").arg(&script).ok();
    hosts.ok("assert_eq([conn.num_of_domains(), dest.num_of_domains()], [0, 2]);");
    all_are_back("after the end");

    let watch = r#"
        connect().wait_event(#{ kind: "lifecycle", event: "resumed" }, "2m", || print("waits"));
        print("arrived");
    "#;
    let (mut watcher, output) = hosts.there.virhai().script(watch).started();
    let mut lines = output.lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("waits"));
    let mut command = program().arg("run").arg(&script).command();
    let mut child = std::os::unix::process::CommandExt::process_group(&mut command, 0)
        .spawn()
        .expect("the program starts");
    assert_eq!(lines.next().as_deref(), Some("arrived"));
    let group = Pid::from_raw(-child.id().cast_signed());
    kill(group, Signal::SIGKILL).expect("it lives");
    child.wait().expect("it ends");
    watcher.wait().expect("it ends");
    all_are_back("after a kill");
    for name in ["web", "db"] {
        assert_eq!(hosts.boots(name), 1, "{name} never booted again");
    }
}

#[test]
fn the_script_that_evacuates_a_host_tells_what_stands_in_the_way() {
    let hosts = Hosts::start();
    let (web, db) = (hosts.guest("counter", "web"), hosts.guest("counter", "db"));
    hosts.ok(&format!(
        "for xml in [`{web}`, `{db}`] {{ begin(conn, xml); }} dest.define_xml(`{web}`);"
    ));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/evacuate.rhai");
    let copy = hosts.here.scratch().copy(&script, "evacuate.rhai");
    let program = || {
        let program = hosts.here.virhai().arg("run").arg(&copy);
        let program = program.arg("--destination").arg(hosts.there.uri());
        program.arg("--first").arg("web")
    };
    let outcome = program().fails(1);
    let told =
        "web: the destination has another guest called `web`, which is shutoff (the option `name`";
    assert!(outcome.stdout.starts_with(told), "{outcome}");
    assert!(outcome.stderr.contains("2 of 2 guests"), "{outcome}");
    hosts.ok("dest.lookup_by_name(\"web\").undefine();");
    assert_eq!(program().ok_with_plan(), "web moved\ndb moved\n");
}
