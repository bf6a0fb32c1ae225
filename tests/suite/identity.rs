//! Values that a handle remembers after its object is gone, and calls that ask the host.

use crate::support::{Host, TestHost, virhai};

#[test]
fn names_uuids_and_keys_are_remembered_and_all_else_asks() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"
        let conn = connect();
        let code = |action| {
            try { action.call(); } catch (err) { return err.code; }
            "nothing"
        };
        let pool = conn.storage_pool_lookup_by_name("default-pool");
        let volume = pool.create_xml("<volume><name>a.img</name><capacity>1048576</capacity></volume>");
        assert_eq(volume.path(), "/default-pool/a.img");
        volume.delete();
        assert_eq([volume.name(), volume.key(), volume.name, volume.key], ["a.img", "/default-pool/a.img", "a.img", "/default-pool/a.img"]);
        // libvirt asks the host for a path: the property is what it was.
        assert_eq(code.call(|| volume.path()), "VIR_ERR_NO_STORAGE_VOL");
        assert_eq(volume.path, "/default-pool/a.img");
        assert_eq(code.call(|| volume.info()), "VIR_ERR_NO_STORAGE_VOL");
        assert_eq(code.call(|| volume.xml_desc()), "VIR_ERR_NO_STORAGE_VOL");

        let dom = conn.define_xml("<domain type='test'><name>gone</name><memory>1024</memory><os><type>hvm</type></os></domain>");
        let snapshot = dom.snapshot_create_xml("<domainsnapshot><name>s</name></domainsnapshot>");
        let uuid = dom.uuid;
        snapshot.delete();
        dom.undefine();
        assert_eq([dom.name(), dom.name, dom.uuid(), dom.uuid_string(), snapshot.name, snapshot.get_name()], ["gone", "gone", uuid, uuid, "s", "s"]);
        assert_eq([dom.uuid_bytes().len(), dom.id, dom.id()], [16, -1, -1]);
        assert_eq(code.call(|| dom.xml_desc()), "VIR_ERR_NO_DOMAIN");
        assert_eq(code.call(|| snapshot.get_xml_desc()), "VIR_ERR_NO_DOMAIN");

        let net = conn.network_define_xml("<network><name>gone</name><bridge name='virbr9'/><forward/><ip address='192.0.2.1' netmask='255.255.255.0'/></network>");
        let uuid = net.uuid;
        net.undefine();
        assert_eq([net.name(), net.name, net.uuid(), net.uuid_string()], ["gone", "gone", uuid, uuid]);
        assert_eq(code.call(|| net.bridge_name()), "VIR_ERR_NO_NETWORK");

        let other = conn.storage_pool_define_xml("<pool type='dir'><name>gone</name><target><path>/gone</path></target></pool>");
        let uuid = other.uuid;
        other.undefine();
        assert_eq([other.name(), other.name, other.uuid(), other.uuid_string()], ["gone", "gone", uuid, uuid]);
        assert_eq(code.call(|| other.xml_desc()), "VIR_ERR_NO_STORAGE_POOL");
        "#,
        )
        .ok();
}

/// Objects that two connections to one host return are equal, also within lists and maps.
#[test]
fn objects_of_every_kind_are_equal_if_their_host_has_them_once() {
    virhai()
        .script(
            r#"
        let one = connect("test:///default");
        let other = connect("test:///default");
        let dom = one.lookup_by_name("test");
        dom.snapshot_create_xml("<domainsnapshot><name>s</name></domainsnapshot>");
        one.storage_pool_lookup_by_name("default-pool").create_xml("<volume><name>v</name><capacity>1048576</capacity></volume>");
        let all = |conn| [
            conn.lookup_by_name("test"),
            conn.lookup_by_name("test").snapshot_lookup_by_name("s"),
            conn.interface_lookup_by_name("eth1"),
            conn.network_lookup_by_name("default"),
            conn.node_device_lookup_by_name("computer"),
            conn.storage_pool_lookup_by_name("default-pool"),
            conn.storage_pool_lookup_by_name("default-pool").storage_vol_lookup_by_name("v"),
        ];
        let mine = all.call(one);
        let yours = all.call(other);
        assert_eq(mine, yours);
        for (object, index) in mine {
            assert(object == yours[index]);
            assert(!(object != yours[index]));
            assert(object in yours);
            assert_eq(yours.index_of(object), index);
            assert_eq(#{ object: object }, #{ object: yours[index] });
        }
        let second = one.define_xml("<domain type='test'><name>second</name><memory>1024</memory><os><type>hvm</type></os></domain>");
        assert(second != dom);
        assert(!(second in yours));
        "#,
        )
        .ok();
}

#[test]
fn objects_of_private_test_hosts_are_different() {
    TestHost::new().ok(r#"
        let one = connect().lookup_by_name("test");
        let other = connect().lookup_by_name("test");
        assert(one != other);
        assert_eq(one.uuid, other.uuid);
        "#);
}

#[test]
fn objects_of_two_connections_to_a_daemon_are_equal() {
    let host = crate::support::Daemon::start();
    host.ok(
        r#"
        let one = connect();
        let other = connect();
        let secret = one.secret_define_xml("<secret><usage type='volume'><volume>/a</volume></usage></secret>");
        assert(secret == other.secret_lookup_by_uuid_string(secret.uuid));
        assert(secret in other.list_all_secrets());
        secret.undefine();
        "#,
    );
}

/// On a real host, the call for the path of a volume asks the host as well.
#[test]
fn a_volume_that_was_deleted_has_no_path_on_a_real_host() {
    let host = crate::support::Daemon::start();
    let folder = host.scratch().folder("images");
    host.ok(&format!(
        r#"
        import "std/pool" as pool;
        import "std/image" as image;
        let conn = connect();
        pool::create(conn, #{{ name: "images", path: "{}" }});
        let volume = image::create(conn, #{{ pool: "images", name: "a.img", size: "1MiB" }});
        assert_eq(volume.path(), volume.path);
        volume.delete();
        try {{ volume.path(); assert(false, "it answered"); }} catch (err) {{ assert_eq(err.code, "VIR_ERR_NO_STORAGE_VOL"); }}
        "#,
        folder.display()
    ));
}
