//! Handles of deleted objects whose UUID belongs to another object now.

use crate::support::{Daemon, Host, virhai};

/// Makes two objects of one kind with the same UUID, one after the other, and uses the handle of
/// the first.
fn namesake(define: &str, xml: &str, acts: &str, missing: &str) -> String {
    format!(
        r#"
        let conn = connect();
        let first = conn.{define}(`{}`);
        first.undefine();
        let second = conn.{define}(`{}`);
        assert_eq(first.name, "second");
        let refused = 0;
        for act in [{acts}] {{
            try {{ act.call(first); throw "it acted on another object"; }}
            catch (err) {{
                assert_eq(err.code, "{missing}");
                assert(err.message.contains("`first`") && err.message.contains("`second`"), err.message);
                refused += 1;
            }}
        }}
        assert(refused > 1);
        assert_eq(second.name, "second");
        second.set_autostart(false);
        second.undefine();
        "#,
        xml.replace("NAME", "first"),
        xml.replace("NAME", "second"),
    )
}

const UUID: &str = "<uuid>5f1d3c3e-6f0a-4d0e-9a52-0d8f6f1f2a11</uuid>";

fn domain(kind: &str) -> String {
    let xml = format!(
        "<domain type='{kind}'><name>NAME</name>{UUID}<memory>65536</memory><os><type>hvm</type></os></domain>"
    );
    let acts = "|it| it.undefine(), |it| it.create(), |it| it.destroy(), |it| it.suspend(), |it| it.set_autostart(true), |it| it.rename(\"third\", 0)";
    namesake("define_xml", &xml, acts, "VIR_ERR_NO_DOMAIN")
}

fn network() -> String {
    let xml = format!("<network><name>NAME</name>{UUID}</network>");
    let acts = "|it| it.undefine(), |it| it.create(), |it| it.set_autostart(true)";
    namesake("network_define_xml", &xml, acts, "VIR_ERR_NO_NETWORK")
}

fn pool() -> String {
    let xml = format!(
        "<pool type='dir'><name>NAME</name>{UUID}<target><path>/tmp/virhai-namesake</path></target></pool>"
    );
    let acts = "|it| it.undefine(), |it| it.delete(), |it| it.set_autostart(true)";
    namesake(
        "storage_pool_define_xml",
        &xml,
        acts,
        "VIR_ERR_NO_STORAGE_POOL",
    )
}

#[test]
fn an_old_handle_does_not_act_on_another_object_with_its_uuid() {
    for script in [domain("test"), network(), pool()] {
        virhai()
            .arg("-c")
            .arg("test:///default")
            .script(script)
            .ok();
    }
}

#[test]
fn an_old_handle_does_not_act_on_another_object_of_a_daemon() {
    let host = Daemon::start();
    for script in [domain("qemu"), network(), pool()] {
        host.ok(&script);
    }
}

#[test]
fn a_domain_renamed_by_its_own_handle_is_still_the_handles_domain() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"
            let conn = connect();
            let dom = conn.lookup_by_name("test");
            let other = conn.lookup_by_name("test");
            dom.destroy();
            dom.rename("web", 0);
            dom.create();
            assert_eq([dom.name, other.name], ["web", "web"]);
            assert_eq(other.state(), "running");
            try { other.destroy(); throw "it acted"; } catch (err) { assert_eq(err.code, "VIR_ERR_NO_DOMAIN"); }
            conn.lookup_by_name("web").destroy();
            "#,
        )
        .ok();
}
