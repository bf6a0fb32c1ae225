//! 76 and 78: autostart, and the lookups of a domain.

use super::{on_qemu, on_test};
use crate::support::Embed;

const AUTOSTART: &str = r#"
    let conn = connect();
    let dom = conn.define_xml(xml);
    assert(!dom.autostart());
    dom.set_autostart(true);
    assert(conn.lookup_by_name("web").autostart());

    // 78: an id is of one run only.
    dom.create();
    let first = conn.lookup_by_name("web").id;
    assert_eq(conn.lookup_by_id(first).name, "web");
    dom.destroy();
    assert(dom.autostart());
    assert_eq(thrown(|| conn.lookup_by_id(first)), "VIR_ERR_NO_DOMAIN");
    dom.create();
    assert(conn.lookup_by_name("web").id != first);
    assert_eq(conn.lookup_by_uuid(dom.uuid).name, "web");
    dom.destroy();
    dom.set_autostart(false);
    assert(!dom.autostart());
    dom.set_autostart(true);
"#;

#[test]
fn autostart_is_kept_by_the_test_driver_also_for_transient_domains() {
    on_test(AUTOSTART);
    on_test(
        r#"
        let dom = connect().create_xml(xml);
        dom.set_autostart(true);
        assert(dom.autostart());
        "#,
    );
}

#[test]
fn autostart_is_kept_by_qemu_for_persistent_guests_alone() {
    let host = Embed::new();
    on_qemu(&host, AUTOSTART);
    on_qemu(
        &host,
        r#"
        let conn = connect();
        assert(conn.lookup_by_name("web").autostart());
        let brief = xml;
        brief.replace("<name>web", "<name>brief");
        let brief = conn.create_xml(brief);
        assert_eq(thrown(|| brief.set_autostart(true)), "VIR_ERR_OPERATION_INVALID");
        assert(!brief.autostart());
        brief.destroy();
        "#,
    );
}
