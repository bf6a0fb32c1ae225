//! `ensure` of guests: the running guest is compared as well, and no device changes its place or
//! gets lost.

use crate::support::{Embed, Host, NetHost, micro, virhai};

/// The beginning of every script here.
const BEGIN: &str = r#"
    import "std/guest" as guest;
    fn cards(dom) {
        dom.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/interface").map(|card| `${card.get("source/@network", card.get("source/@bridge", "?"))} ${card.get("mac/@address")} ${card.get("address/@slot", "")}`)
    }
    fn disks(dom) {
        dom.xml(VIR_DOMAIN_XML_INACTIVE).select("devices/disk").map(|disk| `${disk.get("target/@dev")} ${disk.get("source/@file", "(empty)")}`)
    }
"#;

/// Runs `script` on libvirt's test host.
fn on_test_host(script: String) {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(script)
        .ok();
}

#[test]
fn the_closure_edit_gets_the_new_definition() {
    on_test_host(format!(
        r#"{BEGIN}
        let conn = connect();
        let options = #{{
            name: "web", memory: "64MiB", start: false, nics: [],
            edit: |xml| {{ xml.set("title", "T"); if !xml.has("devices/panic") {{ xml.insert("devices", "<panic model='isa'/>"); }} }},
            xml: #{{ "clock/@offset": "localtime", clock: ["<timer name='rtc' tickpolicy='catchup'/>"] }},
        }};
        guest::ensure(conn, options);
        assert_eq(guest::ensure(conn, options).changes, []);
        options.xml.clock.push("<timer name='pit' tickpolicy='delay'/>");
        let result = guest::ensure(conn, options);
        assert_eq(result.changes, ["added clock/timer[@name='pit']"]);
        options.edit = |xml| xml.remove("devices/panic");
        assert_eq(guest::ensure(conn, options).changes, ["removed devices/panic"]);
        let before = result.domain.xml();
        options.edit = |xml| xml.insert("devices", "<panic model='isa'/>");
        try {{ guest::ensure(conn, options); throw "not refused"; }} catch (err) {{
            assert_eq(err.message, "the closure of `edit` changes the guest each time that it is called: added devices/panic[2]");
        }}
        // Neither is a guest made that could not be kept so.
        options.name = "db";
        try {{ guest::ensure(conn, options); throw "not refused"; }} catch (err) {{ assert(err.message.contains("each time"), err.message); }}
        assert_eq(guest::find(conn, "db"), ());
        assert(result.domain.xml().diff(before).is_empty());
        "#
    ));
}

#[test]
fn options_with_a_place_in_the_definition_converge() {
    on_test_host(format!(
        r#"{BEGIN}
        let conn = connect();
        let options = #{{
            name: "web", start: false, nics: [], virt_type: "test", arch: "i686", vcpus: 2, vcpu: #{{ cpuset: "0-1" }}, autostart: false,
            features: #{{ acpi: false, hyperv: #{{ vpindex: true }}, vmport: false, pmu: true }},
            clock: #{{ offset: "localtime", timer: [#{{ name: "rtc", tickpolicy: "catchup" }}, #{{ name: "hpet", present: false }}] }},
            pm: #{{ suspend_to_mem: true }}, cputune: #{{ shares: 1024, vcpupin: [#{{ vcpu: 0, cpuset: "0" }}] }},
            memtune: #{{ hard_limit: "2GiB" }}, blkiotune: #{{ weight: 200 }}, iothreadids: [#{{ id: 3 }}],
            channel: #{{ type: "unix", mode: "bind", path: "/run/x", name: "a.0" }}, agent: true, console: #{{ target: "virtio" }},
            controller: ["usb3", #{{ type: "virtio-serial", index: 0, ports: 16 }}], memballoon: #{{ period: 5 }}, panic: "isa", vsock: 5,
            sysinfo: #{{ system: #{{ serial: "1" }} }}, seclabel: "none", genid: true, on_lockfailure: "pause", os: #{{ bootmenu: true }},
            rng: #{{ device: "/dev/random", rate: 1000 }}, redirfilter: [#{{ allow: false }}],
            redirdev: ["spicevmc", #{{ type: "tcp", mode: "bind", host: "127.0.0.1", service: 5000 }}],
        }};
        let dom = guest::ensure(conn, options).domain;
        let config = dom.xml();
        assert_eq(config.get("features/hyperv/vpindex/@state"), "on");
        assert_eq(config.select("devices/console/target/@type"), ["serial", "virtio"]);
        assert_eq(guest::ensure(conn, options).changes, []);
        options.features = #{{ acpi: true, pmu: false }};
        options.clock.timer.remove(1);
        options.channel = [options.channel, #{{ type: "pty", name: "a.1" }}];
        options.panic = false;
        options.memballoon = "none";
        options.vsock = 6;
        options.redirdev = "spicevmc";
        options.memtune.hard_limit = "3GiB";
        options.os.bootmenu = false;
        options.autostart = true;
        let changes = guest::ensure(conn, options).changes;
        for change in [
            "changed memtune/hard_limit", "removed os/bootmenu", "changed features/pmu/@state", "added features/acpi",
            "removed clock/timer[@name='hpet']", "added devices/channel[target/@name='a.1']", "removed devices/redirdev[@type='tcp']",
            "changed devices/memballoon/@model", "removed devices/panic", "changed devices/vsock/cid/@address", "autostart is true",
        ] {{ assert(changes.contains(change), `${{change}}: ${{changes}}`); }}
        // libvirt 10.0 numbers the second console anew.
        assert_eq(changes.filter(|change| change != "changed devices/console[2]/target/@port").len(), 11);
        assert_eq(guest::ensure(conn, options).changes, []);
        assert_eq(guest::ensure(conn, #{{ name: "web", start: false }}).changes, []);
        "#
    ));
}

#[test]
fn devices_are_matched_by_what_they_are_and_others_stay() {
    on_test_host(format!(
        r#"{BEGIN}
        let conn = connect();
        let options = #{{ name: "web", memory: "64MiB", start: false, nics: ["default"], disks: [#{{ path: "/a.img", format: "raw" }}, #{{ path: "/b.img", format: "raw", cache: "none" }}] }};
        let dom = guest::ensure(conn, options).domain;
        let card = cards(dom)[0];

        // A new first card gets a new place.
        options.nics = [#{{ bridge: "br0" }}, "default"];
        options.disks = [#{{ path: "/new.img", format: "raw" }}, "/b.img", "/a.img"];
        let result = guest::ensure(conn, options);
        assert_eq(result.changes.len(), 2);
        assert(cards(dom).contains(card));
        assert_eq(disks(dom), ["vda /a.img", "vdb /b.img", "vdc /new.img"]);
        assert_eq(dom.xml().get("devices/disk[target/@dev='vdb']/driver/@cache"), "none");
        assert_eq(guest::ensure(conn, options).changes, []);

        // The only card moves to another network, with its address; a card with another address is another card.
        options.nics = [#{{ network: "lan" }}, "default"];
        guest::ensure(conn, options);
        assert_eq(cards(dom).len(), 2);
        let moved = cards(dom).find(|one| one.starts_with("lan"));
        options.nics = [#{{ network: "lan", mac: "52:54:00:11:22:33" }}, "default"];
        let changes = guest::ensure(conn, options).changes;
        assert_eq(changes.filter(|change| change.starts_with("removed")).len(), 1);
        assert(cards(dom).contains(card) && !cards(dom).contains(moved));

        // Parts that the options do not set stay, including those added by hand.
        dom.edit(|xml| {{
            xml.set("title", "By hand");
            xml.insert("devices", "<disk type='file' device='cdrom'><source file='/tools.iso'/><target dev='sda' bus='sata'/></disk>");
            xml.insert("devices", "<sound model='ac97'/>");
            xml.insert(".", "<metadata><x:a xmlns:x='https://example.org/x'/></metadata>");
            xml.set("devices/disk[target/@dev='vda']/iotune/total_iops_sec", 100);
        }});
        let before = dom.xml();
        assert_eq(guest::ensure(conn, options).changes, []);
        assert_eq(guest::ensure(conn, #{{ name: "web", start: false }}).changes, []);
        assert_eq(before.diff(dom.xml()), []);
        // Devices of a listed kind that are not listed are removed, and named.
        options.disks = ["/a.img", "/new.img"];
        assert_eq(guest::ensure(conn, options).changes, ["removed devices/disk[target/@dev='vdb']"]);
        options.sound = false;
        assert_eq(guest::ensure(conn, options).changes, ["removed devices/sound"]);
        // A disk in the place of another.
        options.disks = [#{{ path: "/other.img", format: "raw" }}, "/new.img"];
        assert_eq(guest::ensure(conn, options).changes, ["changed devices/disk[target/@dev='vda']/source/@file"]);
        assert_eq(dom.xml().get("title"), "By hand");

        // XML of the user's own is put in once, and is not among what is listed.
        options.xml = #{{ devices: "<interface type='user'><alias name='ua-own'/><model type='e1000e'/></interface>", features: "<pae/>" }};
        assert_eq(guest::ensure(conn, options).changes.len(), 2);
        assert_eq(guest::ensure(conn, options).changes, []);
        assert_eq(cards(dom).len(), 3);
        "#
    ));
}

#[test]
fn a_running_guest_takes_what_it_can_and_the_rest_is_told_each_time() {
    let host = Embed::new();
    let disk = host.scratch().copy(&micro("counter.img"), "web.img");
    let more = host.scratch().write("more.img", vec![0; 1 << 20]);
    let iso = host.scratch().copy(&micro("hello.iso"), "hello.iso");
    let (disk, more, iso) = (disk.display(), more.display(), iso.display());
    host.ok(&format!(
        r#"{BEGIN}
        let conn = connect();
        let disk = #{{ path: "{disk}", format: "raw" }};
        let more = #{{ path: "{more}", format: "raw" }};
        let options = #{{
            name: "web", virt_type: "qemu", memory: "64MiB", vcpus: 1, max_vcpus: 2, cdrom: true,
            disks: [disk], nics: [#{{ user: true, link: "down" }}], watchdog: "poweroff",
        }};
        let dom = guest::ensure(conn, options).domain;
        assert_eq(guest::ensure(conn, options).changes, []);
        let places = [cards(dom), dom.xml().get("devices/disk[target/@dev='vda']/address/@bus")];

        // At once: a link, a medium, CPUs, a title, a new card and a new disk.
        options.nics = ["user", #{{ user: true, link: "up" }}];
        options.nics = [#{{ user: true, mac: "52:54:00:00:00:09" }}, #{{ user: true, link: "up" }}];
        options.cdrom = "{iso}";
        options.vcpus = 2;
        options.title = "Web";
        options.disks = [more, disk];
        let result = guest::ensure(conn, options);
        assert(result.changes.all(|change| !change.starts_with("runs")), result.changes.to_string());
        assert_eq(guest::ensure(conn, options).changes, []);
        assert(cards(dom).contains(places[0][0]));
        assert_eq(disks(dom), ["vda {disk}", "vdb {more}", "sda {iso}"]);
        assert_eq(dom.xml().get("devices/disk[target/@dev='vda']/address/@bus"), places[1]);
        assert_eq(dom.xml().select("devices/interface/link/@state"), ["up"]);
        assert_eq(dom.xml().get("devices/disk[@device='cdrom']/source/@file"), "{iso}");

        // At the next start: memory above the maximum, and a device that goes.
        options.memory = "96MiB";
        options.watchdog = "reset";
        options.disks = [disk];
        options.nics = [#{{ user: true, link: "up" }}];
        let changes = guest::ensure(conn, options).changes;
        assert(changes.contains("removed devices/disk[target/@dev='vdb']"), changes.to_string());
        let waits = [
            "runs with the old memory until its next start",
            "runs with the old currentMemory until its next start",
            "runs with devices/disk[target/@dev='vdb'] until its next start",
            "runs with devices/interface[mac/@address='52:54:00:00:00:09'] until its next start",
            "runs with the old devices/watchdog/@action until its next start",
        ];
        for wait in waits {{ assert(changes.contains(wait), `${{wait}}: ${{changes}}`); }}
        for time in 0..2 {{
            let again = guest::ensure(conn, options);
            assert_eq([again.changed, again.changes.len()], [true, waits.len()]);
        }}
        // The disk that is still plugged in is taken by nobody.
        assert(dom.xml().has("devices/disk[target/@dev='vdb']"));

        // A change of others in the definition alone is applied.
        let config = dom.xml(VIR_DOMAIN_XML_INACTIVE);
        config.set("devices/interface/link/@state", "down");
        conn.define_xml(config);
        options.nics[0].take("link");
        assert_eq(guest::ensure(conn, options).changes.filter(|change| change.contains("link")).len(), 1);
        assert_eq(dom.xml().get("devices/interface[mac/@address='" + config.get("devices/interface/mac/@address") + "']/link/@state"), "down");

        // A later failure undoes all of it.
        let before = [dom.xml(), dom.xml(VIR_DOMAIN_XML_INACTIVE)];
        try {{
            all_or_nothing(|undo| {{
                options.nics[0].link = "up";
                options.title = "Shop";
                options.cdrom = true;
                options.memory = "128MiB";
                guest::ensure(conn, options);
                assert_eq(dom.xml().get("title"), "Shop");
                throw "something later";
            }});
        }} catch (err) {{ assert_eq(err.message, "something later"); }}
        assert_eq(before[1].diff(dom.xml(VIR_DOMAIN_XML_INACTIVE)), []);
        let left = before[0].diff(dom.xml()).filter(|difference| !difference.path.contains("@index"));
        assert_eq(left, []);

        dom.destroy();
        assert_eq(guest::ensure(conn, options + #{{ title: "Web", memory: "96MiB", cdrom: "{iso}" }}).changes.filter(|change| change.starts_with("runs")), []);
        dom.destroy();
        "#
    ));
}

#[test]
fn nothing_that_libvirt_adds_to_a_running_guest_is_a_difference() {
    let host = Embed::new();
    let disk = host.scratch().write("a.img", vec![0; 1 << 20]);
    let more = host.scratch().write("b.img", vec![0; 1 << 20]);
    let iso = host.scratch().copy(&micro("hello.iso"), "hello.iso");
    let (disk, more, iso, log) = (
        disk.display(),
        more.display(),
        iso.display(),
        host.path("log"),
    );
    host.ok(&format!(
        r#"{BEGIN}
        let conn = connect();
        let numa = [#{{ cpus: "0", memory: "32MiB" }}, #{{ cpus: "1", memory: "32MiB" }}];
        for options in [
            #{{ machine: "pc", disks: [#{{ path: "{disk}", format: "raw" }}, #{{ path: "{iso}", device: "cdrom" }}], nics: ["user"], graphics: #{{ type: "vnc" }}, sound: "ac97", cpu: "qemu64" }},
            #{{ cpu: "host-model", numa: numa, vcpus: 2, iothreads: 1, graphics: #{{ type: "vnc", listen_by: "socket" }},
                disks: [#{{ path: "{disk}", format: "raw", iothread: 1, cache: "none", serial: "ABC" }}, #{{ path: "{more}", format: "raw", bus: "usb" }}], input: ["tablet", "keyboard"] }},
            #{{ serial: "{log}", cpu: #{{ mode: "host-model", features: [#{{ name: "vmx", policy: "disable" }}] }},
                xml: #{{ devices: ["<channel type='pty'><target type='virtio' name='x'/></channel>", "<redirdev bus='usb' type='tcp'><source mode='bind' host='127.0.0.1' service='0'/></redirdev>", "<panic model='isa'/>"] }} }},
        ] {{
            options += #{{ name: "web", virt_type: "qemu", memory: "64MiB" }};
            let dom = guest::ensure(conn, options).domain;
            assert_eq(guest::ensure(conn, options).changes, []);
            guest::remove(dom);
        }}
        "#
    ));
}

#[test]
fn a_card_is_moved_to_another_network_while_its_guest_runs() {
    let Some(host) = NetHost::start() else { return };
    host.ok(&format!(
        r#"{BEGIN}
        import "std/network" as network;
        let conn = connect();
        network::create(conn, #{{ name: "one", forward: "open", address: "10.78.1.1/24" }});
        network::create(conn, #{{ name: "two", forward: "open", address: "10.78.2.1/24" }});
        let options = #{{ name: "web", virt_type: "qemu", memory: "64MiB", nics: ["one"] }};
        let dom = guest::ensure(conn, options).domain;
        assert_eq(guest::ensure(conn, options).changes, []);
        let address = dom.xml().get("devices/interface/mac/@address");
        options.nics = ["two"];
        assert_eq(guest::ensure(conn, options).changes.len(), 1);
        for flags in [0, VIR_DOMAIN_XML_INACTIVE] {{
            assert_eq(dom.xml(flags).get("devices/interface/source/@network"), "two");
            assert_eq(dom.xml(flags).get("devices/interface/mac/@address"), address);
        }}
        assert_eq(guest::ensure(conn, options).changes, []);
        dom.destroy();
        "#
    ));
}

#[test]
fn a_guest_that_others_defined_keeps_all_that_is_not_asked_for() {
    let host = Embed::new();
    let screen = "<graphics type='vnc' passwd='s3cret'><listen type='none'/></graphics><interface type='user'><mac address='52:54:00:aa:bb:cc'/><model type='e1000'/></interface></devices>";
    let xml = host
        .micro("counter", "web")
        .replace(
            "<memory",
            "<title>By hand</title><metadata><x:a xmlns:x='urn:x'/></metadata><memory",
        )
        .replace("</devices>", screen);
    let disk = host.path("web.img");
    host.ok(&format!(
        r#"{BEGIN}
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        let before = dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        assert_eq(guest::ensure(conn, #{{ name: "web" }}).changes, ["started"]);
        // The requested devices exist already, under other names and models.
        let options = #{{ name: "web", memory: "32MiB", vcpus: 1, disks: ["{disk}"], nics: ["user"], graphics: "vnc", serial: true, machine: "pc" }};
        assert_eq(guest::ensure(conn, options).changes, []);
        assert_eq(before.diff(dom.xml(VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)), []);

        options.graphics = #{{ password: "other" }};
        assert(guest::ensure(conn, options).changed);
        assert_eq(dom.xml(VIR_DOMAIN_XML_SECURE).get("devices/graphics/@passwd"), "other");
        assert_eq(guest::ensure(conn, options).changes, []);

        // A managed save holds what was defined when it was made.
        dom.managed_save();
        options.memory = "48MiB";
        options.start = false;
        let waits = "runs with the old memory once it is restored from its managed save";
        for time in 0..2 {{ assert(guest::ensure(conn, options).changes.contains(waits)); }}
        options.start = true;
        assert(guest::ensure(conn, options).changes.contains("runs with the old memory until its next start"));
        dom.destroy();
        assert_eq(guest::ensure(conn, options).changes, ["started"]);

        // Another machine has other places for the same devices.
        dom.destroy();
        options.machine = "q35";
        options.disks = [#{{ path: "{disk}", bus: "sata" }}];
        assert(guest::ensure(conn, options).changes.contains("changed os/type/@machine"));
        assert_eq(guest::ensure(conn, options).changes, []);
        assert_eq([dom.xml().get("title"), dom.xml().get("devices/interface/mac/@address")], ["By hand", "52:54:00:aa:bb:cc"]);
        dom.destroy();

        // A transient guest is made persistent, as it runs.
        let brief = guest::run(conn, #{{ name: "brief", virt_type: "qemu", memory: "32MiB", nics: [] }});
        assert_eq(guest::ensure(conn, #{{ name: "brief", title: "Brief" }}).changes, ["made persistent", "added title"]);
        assert_eq(guest::ensure(conn, #{{ name: "brief", title: "Brief" }}).changes, []);
        guest::remove(brief);
        "#
    ));
}
