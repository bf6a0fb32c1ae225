//! Handles that outlive their objects, and arguments that make no sense.

use virhai::catalog;
use virhai::engine::{self, Limits};
use virhai::spec::Type;
use virhai::{Imports, Session, SessionOptions};

use crate::support::{Embed, Host, TestHost, virhai};

#[test]
fn a_handle_outlives_its_domain_and_its_connection_without_harm() {
    let host = TestHost::new();
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(
            r#"
            let conn = connect();
            let dom = conn.lookup_by_name("test");
            dom.destroy();
            dom.undefine();
            let code = "";
            try { dom.create(); } catch (err) { code = err.code; }
            assert_eq(code, "VIR_ERR_NO_DOMAIN");
            assert_eq(dom.name, "test");
            assert_eq(dom.id, -1);
            conn.close();
            conn.close();
            for call in [|| dom.state(), || dom.xml_desc(), || conn.list_all_domains(), || dom.wait("running", 1), || conn.wait_event("lifecycle", 1), || dom.stop()] {
                let error = ();
                try { call.call(); } catch (err) { error = err; }
                assert_eq(error.code, "VIR_ERR_INVALID_CONN");
                assert(error.message.contains("closed"));
            }
            assert_eq(dom.name, "test");
            assert_eq(dom.uuid.len(), 36);
            "#,
        )
        .ok();
}

#[test]
fn a_handle_follows_its_guest_through_save_restore_and_rename() {
    let host = Embed::new();
    let (xml, path) = (host.micro("counter", "web"), host.path("web.save"));
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        let copy = dom;
        dom.create();
        let first = dom.id;
        assert(first > 0);
        dom.save("{path}");
        assert_eq(dom.id, -1);
        conn.restore("{path}");
        // libvirt's own handle would go on to say -1.
        assert(dom.id > first);
        assert_eq(dom.state(), "running");
        dom.destroy();
        dom.rename("db");
        assert_eq(copy.name, "db");
        assert_eq(conn.lookup_by_name("db").uuid, dom.uuid);
        dom.undefine();
        "#
    ));
}

#[test]
fn a_read_only_connection_refuses_every_change() {
    let host = TestHost::new();
    virhai()
        .arg("--readonly")
        .arg("-c")
        .arg(host.uri())
        .script(
            r#"
            let conn = connect();
            let dom = conn.lookup_by_name("test");
            let xml = dom.xml_desc();
            let calls = #{
                create: || dom.create(), create_flags: || dom.create(0), destroy: || dom.destroy(),
                destroy_flags: || dom.destroy(0), shutdown: || dom.shutdown(), shutdown_flags: || dom.shutdown(0),
                reboot: || dom.reboot(), reset: || dom.reset(), suspend: || dom.suspend(), resume: || dom.resume(),
                save: || dom.save("/tmp/x"), save_flags: || dom.save("/tmp/x", (), 0), managed_save: || dom.managed_save(),
                managed_save_remove: || dom.managed_save_remove(), undefine: || dom.undefine(),
                undefine_flags: || dom.undefine(0), rename: || dom.rename("x"), set_autostart: || dom.set_autostart(true),
                set_memory: || dom.set_memory("8MiB"), set_max_memory: || dom.set_max_memory("8MiB"), set_vcpus: || dom.set_vcpus(1),
                set_metadata: || dom.set_metadata(0, "x", (), (), 0), core_dump: || dom.core_dump("/tmp/x"),
                inject_nmi: || dom.inject_nmi(), send_key: || dom.send_key(0, 1, [1]), abort_job: || dom.abort_job(),
                pm_wakeup: || dom.pm_wakeup(), pm_suspend: || dom.pm_suspend_for_duration(0, 0),
                set_time: || dom.set_time(#{ seconds: 1 }), set_speed: || dom.migrate_set_max_speed(1, 0),
                set_downtime: || dom.migrate_set_max_downtime(1, 0), post_copy: || dom.migrate_start_post_copy(0),
                define_xml: || conn.define_xml(xml), create_xml: || conn.create_xml(xml), restore: || conn.restore("/tmp/x"),
                save_image_define: || conn.save_image_define_xml("/tmp/x", xml, 0),
            };
            let wrong = [];
            for name in calls.keys() {
                let code = "nothing";
                try { calls[name].call(); } catch (err) { code = err.code; }
                if code != "VIR_ERR_OPERATION_DENIED" { wrong.push(`${name}: ${code}`); }
            }
            assert_eq(wrong, []);
            assert_eq(dom.state(), "running");
            "#,
        )
        .ok();
}

/// Values that no function of the API expects.
const ODD: [&str; 14] = [
    "()",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "\"\"",
    "\"x\"",
    "\"a\\x00b\"",
    "\"/\"",
    "[]",
    "#{}",
    "#{ x: 1 }",
    "[1, \"x\", ()]",
];

#[test]
fn odd_arguments_give_a_value_or_an_error_and_never_end_the_process() {
    let session = Session::new(SessionOptions::default());
    let engine = engine::build(&session, &Limits::default(), Imports::default());
    // These end or hold up the script by design.
    let left_out = [
        "exit",
        "sleep",
        "connect",
        "connect_auth",
        "connect_read_only",
        "parallel",
    ];
    let mut calls = Vec::new();
    for function in catalog::functions(&engine) {
        let identifier = function
            .name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
        if function.property || !identifier || left_out.contains(&function.name.as_str()) {
            continue;
        }
        let receiver = match function.receiver().and_then(Type::object) {
            Some("Connection") => "conn",
            Some("Domain") => "dom",
            _ => continue,
        };
        for odd in ODD {
            let arguments = vec![odd; function.parameters.len() - 1].join(", ");
            calls.push(format!("{receiver}.{}({arguments})", function.name));
        }
    }
    calls.sort();
    calls.dedup();
    assert!(calls.len() > 1000, "{}", calls.len());
    // In chunks, so that the failure of a process that died names few calls.
    for chunk in calls.chunks(200) {
        let host = TestHost::new();
        let mut script = String::new();
        for call in chunk {
            script.push_str(&format!(
                "try {{ let conn = connect(); let dom = conn.lookup_by_name(\"test\"); {call}; }} catch {{}}\n"
            ));
        }
        script.push_str("print(\"survived\")");
        let outcome = virhai()
            .arg("--no-check")
            .arg("-c")
            .arg(host.uri())
            .arg("--timeout")
            .arg("60s")
            .script(script)
            .run();
        assert_eq!(
            outcome.stdout.trim_end().lines().last(),
            Some("survived"),
            "{chunk:#?}\n{outcome}"
        );
        assert!(
            !outcome.stderr.contains("panicked"),
            "{chunk:#?}\n{outcome}"
        );
    }
}
