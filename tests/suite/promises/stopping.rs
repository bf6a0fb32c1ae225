//! 36 to 41: stopping.

use super::{on_test, script};
use crate::support::{Embed, Host};

/// 36, 38, 39 on T, where a shutdown happens at once, also for a paused domain, and has no modes.
#[test]
fn the_test_driver_shuts_down_at_once_and_without_modes() {
    on_test(
        r#"
        let conn = connect();
        let dom = conn.define_xml(xml);
        dom.create();
        assert_eq(thrown(|| dom.shutdown(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)), "VIR_ERR_INVALID_ARG");
        assert_eq(dom.state(), "running");
        dom.shutdown();
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "shutdown" });
        dom.create();
        dom.suspend();
        dom.shutdown();
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "shutdown" });
        "#,
    );
}

#[test]
fn guests_are_asked_to_stop_and_unplugged_if_they_do_not() {
    let host = Embed::new();
    let (web, deaf) = (host.micro("counter", "web"), host.micro("hang", "deaf"));
    host.ok(&script(
        &[("xml", &web), ("deaf", &deaf)],
        r#"
        let conn = connect();

        // 37: one that ignores the request runs on; `stop` has a time limit and escalates.
        let deaf = conn.create_xml(deaf);
        let console = deaf.open_console();
        deaf.shutdown();
        assert_eq(thrown(|| deaf.wait("shutoff", "1500ms")), "VIR_ERR_OPERATION_TIMEOUT");
        assert_eq(deaf.state_reason(), #{ state: "running", reason: "booted" });
        assert_eq(thrown(|| deaf.stop(#{ shutdown: "500ms", agent: 0, destroy: false })),
            "VIR_ERR_OPERATION_TIMEOUT");
        assert_eq(deaf.state(), "running");
        let stopped = deaf.stop(#{ shutdown: "500ms", agent: 0 });
        assert_eq(stopped.by, "destroy");
        assert_eq(stopped.reason, "destroyed");

        // 36: one that obeys is still running when the call returns.
        let dom = conn.define_xml(xml);
        dom.create();
        let id = dom.id;
        let console = dom.open_console();
        console.wait("MG:c=", "30s");
        dom.shutdown();
        console.wait("MG:powerbutton", "30s");
        assert_eq(dom.wait("shutoff", "30s").reason, "shutdown");
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "shutdown" });

        // 39: a paused one cannot be asked.
        dom.create(VIR_DOMAIN_START_PAUSED);
        let console = dom.open_console();
        assert_eq(thrown(|| dom.shutdown()), "VIR_ERR_OPERATION_INVALID");
        assert_eq(dom.state(), "paused");
        dom.resume();
        console.wait("MG:c=", "30s");

        // 41: after a reboot it is the same guest, booted again.
        let id = dom.id;
        dom.reboot();
        console.wait("MG:powerbutton", "30s");
        console.wait("MG:up", "30s");
        console.wait("MG:c=", "30s");
        assert_eq(dom.id, id);
        assert_eq(dom.state(), "running");

        // 38: without an agent there is nobody to ask through it; ACPI is tried next.
        assert_eq(thrown(|| dom.shutdown(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)),
            "VIR_ERR_ARGUMENT_UNSUPPORTED");
        assert_eq(dom.state(), "running");
        dom.shutdown(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
        assert_eq(dom.wait("shutoff", "30s").reason, "shutdown");

        // 41: with on_reboot=destroy a reboot ends it.
        let ending = xml;
        ending.replace("<on_reboot>restart", "<on_reboot>destroy");
        ending.replace("<name>web", "<name>ending");
        let brief = conn.create_xml(ending);
        brief.open_console().wait("MG:c=", "30s");
        brief.reboot();
        assert(brief.wait("shutoff", "30s").gone);
        assert_eq(thrown(|| conn.lookup_by_name("ending")), "VIR_ERR_NO_DOMAIN");
        "#,
    ));
    let console = host.console("web");
    assert!(
        host.console("deaf").contains("MG:hang"),
        "the deaf guest had booted"
    );

    // 40: the plug is pulled without asking, gracefully towards QEMU or not.
    let asked = console.matches("MG:powerbutton").count();
    host.ok(r#"
        let dom = connect().lookup_by_name("web");
        dom.create();
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy();
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "destroyed" });
        dom.create();
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy(VIR_DOMAIN_DESTROY_GRACEFUL);
        assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "destroyed" });
        "#);
    assert_eq!(host.console("web").matches("MG:powerbutton").count(), asked);
}
