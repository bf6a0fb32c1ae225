//! A new definition loses no part of the old one.

use crate::support::{Embed, Host, NetHost};

#[test]
fn what_runs_does_not_become_the_definition() {
    let host = Embed::new();
    let extra = host.scratch().write("extra.img", vec![0; 1024 * 1024]);
    let screen = "<graphics type='vnc' autoport='yes' passwd='s3cret'/></devices>";
    let xml = host.micro("counter", "web").replace("</devices>", screen);
    host.ok(&format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        dom.attach_device("<disk type='file' device='disk'><source file='{}'/><target dev='vdb' bus='virtio'/></disk>");
        let definition = dom.xml_desc(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);

        fn refused(conn, xml, words) {{
            let message = ();
            try {{ conn.define_xml(xml); }} catch (err) {{ message = err.message; }}
            assert(message != (), "it was defined");
            for word in words {{ assert(message.contains(word), message); }}
        }}
        let live = dom.xml();
        live.set("title", "Shop");
        refused(conn, live, ["the running domain `web`"]);
        refused(conn, dom.xml_desc(), ["the running domain"]);
        refused(conn, dom.xml_desc(VIR_DOMAIN_XML_SECURE), ["the running domain"]);
        refused(conn, dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE), ["the running domain"]);
        refused(conn, dom.xml(VIR_DOMAIN_XML_INACTIVE), ["password", "vnc", "would remove it"]);
        dom.destroy();
        refused(conn, dom.xml(), ["password"]);
        assert_eq(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE), definition);

        // The ways that the hints name.
        dom.edit(|xml| xml.set("title", "Shop"));
        let now = dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        assert_eq([now.get("title"), now.get("devices/graphics/@passwd")], ["Shop", "s3cret"]);
        assert_eq(now.select("devices/disk").len(), 1);
        now.set("title", "Other shop");
        conn.define_xml(now);
        dom.edit(|xml| xml.remove("devices/graphics/@passwd"));
        assert(!dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE).has("devices/graphics/@passwd"));
        dom.create();
        let running = dom.xml();
        running.remove("@id");
        running.set("title", "As it runs");
        conn.define_xml(running);
        dom.destroy();
        assert_eq(dom.xml().get("title"), "As it runs");
        "#,
        extra.display(),
    ));
}

#[test]
fn a_network_as_it_runs_does_not_become_the_definition() {
    let Some(host) = NetHost::start() else {
        return;
    };
    host.ok(
        r#"
        let conn = connect();
        let net = conn.network_define_xml("<network><name>lab</name><ip address='192.168.77.1' netmask='255.255.255.0'/></network>");
        net.create();
        // The running network equals its definition.
        conn.network_define_xml(net.xml());
        net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_DNS_HOST, -1,
            "<host ip='192.168.77.2'><hostname>for-this-run</hostname></host>", VIR_NETWORK_UPDATE_AFFECT_LIVE);
        let message = "";
        try { conn.network_define_xml(net.xml()); } catch (err) { message = err.message; }
        assert(message.contains("running network `lab`"), message);
        assert(!net.xml(VIR_NETWORK_XML_INACTIVE).has("dns"));
        conn.network_define_xml(net.xml(VIR_NETWORK_XML_INACTIVE));
        // The way that the hint names.
        conn.network_define_xml(net.xml().copy());
        assert(net.xml(VIR_NETWORK_XML_INACTIVE).has("dns"));
        "#,
    );
}
