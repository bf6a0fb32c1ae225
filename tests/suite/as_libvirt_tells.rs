//! Checkpoints, lent files, network filters and ports on real guests and networks: the state that
//! libvirt and QEMU themselves report after each call.

use std::process::Command;

use crate::support::{Daemon, Embed, Host, NetHost, tiny_xml};

#[test]
fn a_checkpoint_records_later_writes_in_a_bitmap() {
    let host = Embed::new();
    let disk = host.path("data.qcow2");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", &disk, "1M"])
        .status();
    assert!(made.expect("qemu-img is installed").success());
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&disk, everyone).expect("the file is ours");
    let data = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>\
         <target dev='vda' bus='virtio'/></disk></devices>"
    );
    let xml = host.micro("counter", "web").replace("</devices>", &data);
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        fn xml_of(name) {{ `<domaincheckpoint><name>${{name}}</name><description>before ${{name}}</description><disks><disk name='hda' checkpoint='no'/><disk name='vda' checkpoint='bitmap'/></disks></domaincheckpoint>` }}
        fn bitmaps(dom) {{
            let told = dom.qemu_monitor_command(`{{"execute": "query-named-block-nodes", "arguments": {{"flat": true}}}}`);
            ["monday", "tuesday"].filter(|name| told.contains(`"name":"${{name}}"`))
        }}
        let monday = dom.checkpoint_create_xml(xml_of("monday"));
        assert_eq(bitmaps(dom), ["monday"]);
        assert_throws(|| monday.get_parent(), "VIR_ERR_NO_DOMAIN_CHECKPOINT");
        let tuesday = dom.checkpoint_create_xml(xml_of("tuesday"));
        assert_eq(bitmaps(dom), ["monday", "tuesday"]);
        assert_eq([tuesday.get_parent(), monday.list_all_children()], [monday, [tuesday]]);
        assert_eq(dom.list_all_checkpoints(VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL), [monday, tuesday]);
        assert_eq(dom.list_all_checkpoints(VIR_DOMAIN_CHECKPOINT_LIST_ROOTS), [monday]);
        assert_eq(dom.list_all_checkpoints(VIR_DOMAIN_CHECKPOINT_LIST_LEAVES), [tuesday]);
        assert_eq(tuesday.xml().get("description"), "before tuesday");
        assert_eq(tuesday.xml().get("disks/disk[@name='hda']/@checkpoint"), "no");
        // No data was written since: libvirt asks QEMU for the size.
        assert_eq(tuesday.xml(VIR_DOMAIN_CHECKPOINT_XML_SIZE).get("disks/disk[@name='vda']/@size"), "0");
        assert_throws(|| dom.checkpoint_create_xml(xml_of("monday")), "VIR_ERR_OPERATION_FAILED");
        monday.delete();
        assert_eq(bitmaps(dom), ["tuesday"]);
        assert_throws(|| tuesday.get_parent(), "VIR_ERR_NO_DOMAIN_CHECKPOINT");
        tuesday.delete(VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY);
        assert_eq([dom.list_all_checkpoints(), bitmaps(dom)], [[], ["tuesday"]]);
        dom.destroy();
        "#
    ));
}

#[test]
fn a_guest_starts_from_a_disk_that_was_lent_as_an_open_file() {
    let host = Daemon::start();
    let xml = host.micro("counter", "web");
    let disk = host.path("web.img");
    let lent = xml.replace(
        &format!("<source file='{disk}'/>"),
        &format!("<source file='{disk}' fdgroup='boot'/>"),
    );
    assert_ne!(xml, lent);
    host.virhai()
        .arg("--allow-write")
        .arg(&disk)
        .script(format!(
            r#"
            let conn = connect();
            let dom = conn.define_xml(`{lent}`);
            // The file is not lent yet.
            assert_throws(|| dom.create(), "VIR_ERR_INVALID_ARG");
            dom.fd_associate("boot", ["{disk}"], VIR_DOMAIN_FD_ASSOCIATE_SECLABEL_WRITABLE);
            dom.create();
            dom.open_console().wait("MG:c=", "30s");
            assert(dom.qemu_monitor_command(`{{"execute": "query-fdsets"}}`).contains("storage"));
            dom.destroy();
            // The loan ends with the connection, once the daemon has seen the end.
            conn.close();
            let dom = connect(conn.uri).lookup_by_name("web");
            let started = true;
            while started {{
                try {{
                    dom.create();
                    dom.destroy();
                }} catch (err) {{
                    assert_eq(err.code, "VIR_ERR_INVALID_ARG");
                    started = false;
                }}
            }}
            "#
        ))
        .ok();
}

#[test]
fn filters_bindings_and_ports_belong_to_their_guests() {
    let Some(host) = NetHost::start() else { return };
    let card = "<interface type='network'><source network='lab'/><mac address='52:54:00:00:00:07'/>\
                <target dev='card0'/><filterref filter='calm'><parameter name='MTU' value='1400'/></filterref></interface>";
    let xml = tiny_xml(host.scratch(), "web", card);
    host.ok(&format!(
        r#"
        let conn = connect();
        let filter = conn.nwfilter_define_xml("<filter name='calm' chain='root'><rule action='accept' direction='inout'/></filter>");
        assert_eq(conn.num_of_nw_filters(), conn.list_all_nw_filters().len());
        let net = conn.network_create_xml("<network><name>lab</name><forward mode='open'/><bridge name='lab0' stp='off' delay='0'/><ip address='10.78.0.1' netmask='255.255.255.0'/></network>");
        assert_eq([conn.list_all_nw_filter_bindings(), net.list_all_ports()], [[], []]);
        let dom = conn.create_xml(`{xml}`);

        // libvirt makes a port and a binding for the guest's card.
        let ports = net.list_all_ports();
        assert_eq(ports.len(), 1);
        let port = ports[0];
        assert_eq(port.xml().get("owner/name"), "web");
        assert_eq(port.xml().get("mac/@address"), "52:54:00:00:00:07");
        assert_eq([port.network(), net.port_lookup_by_uuid(port.uuid)], [net, port]);
        port.set_parameters(#{{ "inbound.average": 1000, "inbound.peak": 2000 }});
        assert_eq(port.parameters()["inbound.average"], 1000);
        assert_eq(port.xml().get("bandwidth/inbound/@average"), "1000");
        let binding = conn.nwfilter_binding_lookup_by_port_dev("card0");
        assert_eq([binding.filter_name, binding.port_dev], ["calm", "card0"]);
        assert_eq(binding.xml().get("owner/name"), "web");
        assert_eq(binding.xml().get("filterref/parameter[@name='MTU']/@value"), "1400");
        assert_eq(conn.list_all_nw_filter_bindings(), [binding]);

        // A filter in use can be changed and not removed.
        assert_throws(|| filter.undefine(), "VIR_ERR_OPERATION_INVALID");
        let uuid = filter.uuid;
        conn.nwfilter_define_xml(`<filter name='calm' chain='root'><uuid>${{uuid}}</uuid><rule action='drop' direction='in'/></filter>`);
        assert_eq(filter.xml().get("rule/@action"), "drop");
        assert_throws(|| conn.nwfilter_binding_create_xml(binding.xml_desc()), "VIR_ERR_OPERATION_FAILED");

        dom.destroy();
        assert_eq([conn.list_all_nw_filter_bindings(), net.list_all_ports()], [[], []]);
        assert_throws(|| port.delete(), "VIR_ERR_NO_NETWORK_PORT");
        filter.undefine();
        assert_throws(|| conn.nwfilter_lookup_by_name("calm"), "VIR_ERR_NO_NWFILTER");
        net.destroy();
        "#
    ));
}
