//! Devices of the test driver's host: found, created and removed.

use crate::support::virhai;

#[test]
fn a_device_is_made_found_and_destroyed() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"
            let conn = connect();
            let watch = connect(conn.uri);
            let xml = "<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012340001</wwnn><wwpn>1000000012340001</wwpn></capability></capability></device>";
            let before = conn.num_of_devices(());
            let event = watch.wait_event("node_device_lifecycle", "10s", || conn.node_device_create_xml(xml));
            assert_eq([event.event, conn.num_of_devices(())], ["created", before + 1]);
            let dev = conn.node_device_lookup_by_name(event.node_device);
            assert_eq([dev.parent(), dev.xml().get("parent"), dev.list_caps()[0]], ["scsi_host1", "scsi_host1", "scsi_host"]);
            let event = watch.wait_event(#{ kind: "node_device_lifecycle", node_device: dev.name }, "10s", || dev.destroy());
            assert_eq([event.event, conn.num_of_devices(())], ["deleted", before]);
            try { dev.xml_desc(); assert(false); } catch (err) {
                assert_eq([err.code, err.hint], ["VIR_ERR_NO_NODE_DEVICE", "`list_all_devices()` shows the devices that this host has"]);
            }
            try { conn.node_device_lookup_by_name("scsi_hots2"); assert(false); } catch (err) {
                assert_eq(err.hint, "did you mean `scsi_host2`?");
            }
            assert_eq(conn.num_of_devices(()), before);
            "#,
        )
        .ok();
}
