//! Hints: each is tested by following it.

use crate::support::{Daemon, Embed, Host, NetHost, SmallDisk};

/// Functions for all scripts below.
const HELPERS: &str = r#"
    /// The hint of what `action` throws, which has all of `words`.
    fn hint(action, words) {
        let error = ();
        try { action.call(); } catch (err) { error = err; }
        assert(error != (), `nothing was thrown, and not ${words}`);
        for word in words { assert((error.hint ?? "").contains(word), `${error.message}: ${error.hint}`); }
        error.hint
    }
"#;

/// A guest without an operating system, which starts at once.
fn bare(name: &str, devices: &str) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory>\
         <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>\
         <devices>{devices}</devices></domain>"
    )
}

#[test]
fn a_hint_on_a_guest_helps() {
    let host = Embed::new();
    let web = bare("web", "");
    let (loader, nvram) = (
        host.scratch().write("code.fd", "code"),
        host.scratch().write("nvram.fd", "variables"),
    );
    let efi = bare("efi", "").replace(
        "</type></os>",
        &format!(
            "</type><loader readonly='yes' type='pflash'>{}</loader><nvram>{}</nvram></os>",
            loader.display(),
            nvram.display()
        ),
    );
    host.ok(&format!(
        r#"{HELPERS}
        import "std/guest" as guest;
        let conn = connect();
        let xml = `{web}`;
        hint(|| conn.create_xml(xml, VIR_DOMAIN_START_AUTODESTROY), ["without it", "undo.push(|| dom.destroy())"]);
        let started = ();
        try {{ all_or_nothing(|undo| {{
            let dom = conn.create_xml(xml);
            undo.push(|| dom.destroy());
            throw "the end";
        }}); }} catch (err) {{ assert_eq(err.to_string(), "the end"); }}
        assert_eq(conn.list_all_domains(), []);

        // A transient guest is not saved, and its definition names it.
        let dom = conn.create_xml(xml);
        hint(|| dom.managed_save(), ["`guest::keep(dom)`"]);
        hint(|| dom.set_autostart(true), ["`guest::keep(dom)`"]);
        let told = hint(|| conn.define_xml(xml), ["<uuid>"]);
        let uuid = told.split("<uuid>")[1].split("</uuid>")[0];
        let named = xml;
        named.replace("</name>", `</name><uuid>${{uuid}}</uuid>`);
        assert(conn.define_xml(named).is_persistent());
        hint(|| conn.create_xml(xml), [`lookup_by_name("web")`]);
        let dom = conn.lookup_by_name("web");
        let other = named;
        other.replace("<name>web", "<name>other");
        hint(|| conn.define_xml(other), ["leave <uuid> out"]);
        other.replace(`<uuid>${{uuid}}</uuid>`, "");
        conn.define_xml(other).undefine();

        // Ways to ask that QEMU does not have.
        for flag in [["INITCTL", VIR_DOMAIN_SHUTDOWN_INITCTL], ["SIGNAL", VIR_DOMAIN_SHUTDOWN_SIGNAL], ["PARAVIRT", VIR_DOMAIN_SHUTDOWN_PARAVIRT]] {{
            hint(|| dom.shutdown(flag[1]), [`VIR_DOMAIN_SHUTDOWN_${{flag[0]}};`, "VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN"]);
        }}
        hint(|| dom.reboot(VIR_DOMAIN_REBOOT_SIGNAL), ["VIR_DOMAIN_REBOOT_ACPI_POWER_BTN"]);
        hint(|| dom.shutdown(512), ["no flag 0x200"]);
        dom.shutdown(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);

        // Paths are the host's.
        hint(|| dom.save("/no/such/x"), ["the host", "folder"]);
        hint(|| dom.core_dump("/no/such/x", VIR_DUMP_MEMORY_ONLY), ["the host", "folder"]);
        dom.core_dump("{folder}/dump", VIR_DUMP_MEMORY_ONLY);
        dom.managed_save();
        hint(|| dom.undefine(), ["VIR_DOMAIN_UNDEFINE_MANAGED_SAVE"]);
        hint(|| dom.rename("new"), ["`managed_save_remove()`"]);
        dom.managed_save_remove();
        dom.rename("new");
        dom.create();
        dom.managed_save();
        dom.undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);

        let dom = conn.define_xml(`{efi}`);
        hint(|| dom.undefine(), ["VIR_DOMAIN_UNDEFINE_NVRAM", "VIR_DOMAIN_UNDEFINE_KEEP_NVRAM"]);
        dom.undefine(VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);

        // The part that this host has instead of the missing one.
        let lacking = xml;
        lacking.replace("<devices>", "<devices><emulator>/usr/bin/qemu-kvm</emulator>");
        let told = hint(|| conn.define_xml(lacking), ["this host has /"]);
        lacking.replace("/usr/bin/qemu-kvm", told.split(" ")[3].split(":")[0]);
        conn.define_xml(lacking).undefine();
        let strange = xml;
        strange.replace("machine='pc'", "machine='pc-i440fx-rhel7.6.0'");
        hint(|| conn.create_xml(strange), ["without `machine`"]);
        strange.replace(" machine='pc-i440fx-rhel7.6.0'", "");
        conn.create_xml(strange).destroy();
        let strange = xml;
        strange.replace("arch='x86_64' machine='pc'", "arch='alpha'");
        hint(|| conn.create_xml(strange), ["x86_64"]);
        strange.replace("type='qemu'", "type='hvf'");
        strange.replace("arch='alpha'", "");
        hint(|| conn.create_xml(strange), ["`<domain type='qemu'>`"]);
        let lacking = xml;
        lacking.replace("<devices>", "<devices><disk type='file' device='disk'><driver type='raw'/><source file='/no/such.img'/><target dev='vda' bus='virtio'/></disk>");
        hint(|| conn.create_xml(lacking), ["the host", "file must exist"]);
        "#,
        folder = host.path("root"),
    ));
    assert!(nvram.exists(), "it was kept");
}

#[test]
fn a_hint_on_a_network_helps() {
    let Some(host) = NetHost::start() else { return };
    let xml = bare(
        "web",
        "<interface type='bridge'><source bridge='br0'/></interface>",
    );
    host.ok(&format!(
        r#"{HELPERS}
        import "std/network" as network;
        let conn = connect();
        let xml = `{xml}`;
        hint(|| conn.create_xml(xml), ["`list_all_networks()`"]);
        network::create(conn, #{{ name: "lan", forward: "open", bridge: "vhtest3", address: "192.168.83.1/24",
            hosts: [#{{ mac: "52:54:00:00:83:01", name: "web", ip: "192.168.83.9" }}] }});
        hint(|| conn.create_xml(xml), ["vhtest3"]);
        xml.replace("br0", "vhtest3");
        conn.create_xml(xml).destroy();

        let net = conn.network_lookup_by_name("lan");
        let update = |command, host| net.update(command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host, VIR_NETWORK_UPDATE_AFFECT_LIVE);
        let changed = "<host mac='52:54:00:00:83:01' name='web' ip='192.168.83.10'/>";
        hint(|| update.call(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, changed), ["VIR_NETWORK_UPDATE_COMMAND_MODIFY"]);
        update.call(VIR_NETWORK_UPDATE_COMMAND_MODIFY, changed);
        assert_eq(net.xml().get("ip/dhcp/host/@ip"), "192.168.83.10");
        let other = "<host mac='52:54:00:00:83:02' name='db' ip='192.168.83.11'/>";
        hint(|| update.call(VIR_NETWORK_UPDATE_COMMAND_MODIFY, other), ["VIR_NETWORK_UPDATE_COMMAND_ADD_LAST"]);
        update.call(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, other);
        assert_eq(net.xml().select("ip/dhcp/host").len(), 2);
        net.destroy();
        "#
    ));
}

#[test]
fn a_hint_on_a_migration_helps() {
    let (here, there) = (Daemon::start(), Daemon::start());
    let disk = here.scratch().write("disk.img", "");
    let sized = std::fs::File::options().write(true).open(&disk);
    let sized = sized.and_then(|file| file.set_len(1 << 20));
    sized.expect("the image is the test's own");
    let copy = there.scratch().copy(&disk, "disk.img");
    let drive = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/></disk>",
        disk.display()
    );
    let (xml, with_disk) = (bare("web", ""), bare("disk", &drive));
    here.ok(&format!(
        r#"{HELPERS}
        let conn = connect();
        let dest = connect("{dest}");
        let dom = conn.define_xml(`{xml}`);
        // The definition of a guest that is off.
        hint(|| dom.migrate(dest, 0), ["VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST"]);
        hint(|| dom.migrate(dest, VIR_MIGRATE_OFFLINE), ["VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST"]);
        hint(|| dom.migrate_to_uri("{dest}", VIR_MIGRATE_OFFLINE), ["VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST", "VIR_MIGRATE_PEER2PEER"]);
        dom.migrate(dest, VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST);
        assert_eq(dest.lookup_by_name("web").state(), "shutoff");
        dest.lookup_by_name("web").undefine();

        dom.create();
        hint(|| dom.migrate_to_uri("{dest}", 0), ["VIR_MIGRATE_PEER2PEER"]);
        hint(|| dom.migrate(dest, VIR_MIGRATE_TUNNELLED), ["VIR_MIGRATE_PEER2PEER"]);
        hint(|| dom.migrate(conn, 0), ["the same host"]);
        hint(|| dom.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_TLS), ["certificates", "VIR_MIGRATE_TLS"]);
        dom.migrate(dest, VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_UNDEFINE_SOURCE | VIR_MIGRATE_PERSIST_DEST);
        let dom = dest.lookup_by_name("web");
        dom.destroy();
        dom.undefine();

        // libvirt moves no snapshots: it forgets them here, and takes them back there.
        let dom = conn.define_xml(`{xml}`);
        let kept = `<domainsnapshot><name>clean</name><state>shutoff</state><creationTime>1</creationTime>${{dom.xml_desc(VIR_DOMAIN_XML_INACTIVE)}}</domainsnapshot>`;
        let snapshot = dom.snapshot_create_xml(kept, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
        dom.create();
        let flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_UNDEFINE_SOURCE | VIR_MIGRATE_PERSIST_DEST;
        hint(|| dom.migrate(dest, flags), ["VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY", "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE"]);
        snapshot.delete(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY);
        let dom = dom.migrate(dest, flags);
        dom.snapshot_create_xml(kept, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
        assert_eq(dom.list_all_snapshots().len(), 1);
        dom.destroy();
        hint(|| dom.undefine(), ["VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA"]);
        dom.undefine(VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);

        // Disks that the other host does not see are copied.
        let dom = conn.define_xml(`{with_disk}`);
        dom.create();
        hint(|| dom.migrate(dest, VIR_MIGRATE_LIVE), ["VIR_MIGRATE_NON_SHARED_DISK"]);
        let there = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
        there.replace("{disk}", "{copy}");
        let moved = dom.migrate(dest, VIR_MIGRATE_LIVE | VIR_MIGRATE_NON_SHARED_DISK, #{{ destination_xml: there, migrate_disks: ["vda"] }});
        assert_eq(moved.xml().get("devices/disk/source/@file"), "{copy}");
        moved.destroy();
        dom.undefine();
        "#,
        dest = there.uri(),
        disk = disk.display(),
        copy = copy.display(),
    ));
}

#[test]
fn a_hint_on_a_full_disk_helps() {
    let Some(small) = SmallDisk::mount("1m") else {
        return;
    };
    Daemon::start().ok(&format!(
        r#"{HELPERS}
        import "std/image" as image;
        import "std/pool" as pool;
        let conn = connect();
        let small = pool::create(conn, #{{ name: "small", path: "{}" }});
        let options = #{{ pool: "small", name: "a.raw", format: "raw", size: "2MiB" }};
        hint(|| image::create(conn, options), ["make space there", "`info().available_bytes`"]);
        assert_eq(small.list_volumes(), []);
        options.size = `${{small.info().available_bytes / 2}}B`;
        image::create(conn, options);
        "#,
        small.path("").display(),
    ));
}
