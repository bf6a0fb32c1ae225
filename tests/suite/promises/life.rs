//! 1 to 7: the states.

use super::{assert_counted_on, on_qemu, on_test, script};
use crate::support::{Embed, Host};

/// 1, 2, 3, 4: undefined, defined, running, paused, and saved in its two forms.
const STATES: &str = r#"
    let conn = connect();
    assert_eq(thrown(|| conn.lookup_by_name("web")), "VIR_ERR_NO_DOMAIN");

    let dom = conn.define_xml(xml);
    assert_eq(dom.state(), "shutoff");
    assert_eq(dom.id, -1);
    assert(dom.is_persistent());
    assert_eq(conn.num_of_defined_domains(), 1);

    dom.create();
    assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });
    assert(conn.list_domains_id().contains(conn.lookup_by_name("web").id));

    dom.suspend();
    assert_eq(dom.state_reason(), #{ state: "paused", reason: "user" });
    dom.resume();
    assert_eq(dom.state(), "running");

    dom.save(save);
    assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
    assert(!dom.has_managed_save_image());
    assert_eq(conn.restore(save).state_reason(), #{ state: "running", reason: "restored" });

    dom.managed_save();
    assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
    assert(dom.has_managed_save_image());
    dom.create();
    // T runs the image without saying so.
    let reason = if driver == "test" { "booted" } else { "restored" };
    assert_eq(dom.state_reason(), #{ state: "running", reason: reason });

    dom.destroy();
    dom.undefine();
    assert_eq(conn.list_all_domains(), []);
    assert_eq(thrown(|| dom.state()), "VIR_ERR_NO_DOMAIN");
"#;

#[test]
fn a_domain_goes_through_every_state_on_the_test_driver() {
    on_test(STATES);
}

#[test]
fn a_guest_goes_through_every_state_and_pauses_without_noticing() {
    let host = Embed::new();
    on_qemu(&host, STATES);

    // 5: a paused guest is frozen, and a resumed one continues; 7: a second suspend has no effect,
    // and a resume of a running guest is refused.
    let xml = host.micro("counter", "calm");
    host.ok(&script(
        &[("xml", &xml)],
        r#"
        let dom = connect().create_xml(xml);
        let console = dom.open_console();
        console.wait("MG:c=", "30s");
        dom.suspend();
        dom.suspend();
        assert_eq(dom.state_reason(), #{ state: "paused", reason: "user" });
        console.read();
        assert(silent(console, "1500ms"));
        dom.resume();
        assert_eq(dom.state_reason(), #{ state: "running", reason: "unpaused" });
        console.wait("MG:c=", "30s");
        console.wait("MG:c=", "30s");
        assert_eq(thrown(|| dom.resume()), "VIR_ERR_OPERATION_INVALID");
        dom.destroy();
        "#,
    ));
    assert_counted_on(&host.console("calm"));
}

/// 7 on T.
#[test]
fn the_test_driver_refuses_to_pause_twice_and_to_resume_what_runs() {
    on_test(
        r#"
        let dom = connect().create_xml(xml);
        assert_eq(thrown(|| dom.resume()), "VIR_ERR_INTERNAL_ERROR");
        dom.suspend();
        assert_eq(thrown(|| dom.suspend()), "VIR_ERR_INTERNAL_ERROR");
        assert_eq(dom.state(), "paused");
        "#,
    );
}
