//! Options as domain XML: a golden file for each, which libvirt's schema accepts and the test driver defines.
//! `UPDATE=1` rewrites them.

use std::path::{Path, PathBuf};

use crate::support::{Daemon, Host, TestHost, golden, virhai};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

/// The XML of `options` on a host with KVM, as in `tests/data/hosts/kvm.xml`, and libvirt 11.3. The
/// installed libvirt then defines the XML that the same options give for its own version.
fn described(options: &str) -> String {
    let host = TestHost::new();
    let capabilities = std::fs::read_to_string(data("hosts/kvm.xml")).expect("it is kept");
    let kind = match options.contains("bootloader") {
        true => "xen",
        false => "kvm",
    };
    let script = format!(
        "import \"std/description\" as description; \
         let offer = #{{ virt_type: \"{kind}\", arch: \"x86_64\", machine: \"q35\", capabilities: parse_xml(`{capabilities}`) }}; \
         let described = |version| {{ offer.libvirt = version; description::on(offer, {options}) }}; \
         connect().define_xml(described.call(connect().get_lib_version()), VIR_DOMAIN_DEFINE_VALIDATE); \
         print(described.call(\"11.3.0\"));"
    );
    virhai().arg("-c").arg(host.uri()).script(script).ok()
}

fn compare(name: &str, options: &str) {
    let shown = described(options);
    golden(&data(&format!("guests/{name}.xml")), &shown);
}

macro_rules! guests {
    ($($name:ident: $options:expr;)*) => {
        $(#[test]
        fn $name() {
            compare(stringify!($name), $options);
        })*
    };
}

guests! {
    the_least: r##"#{ name: "web" }"##;
    a_server: r##"#{
        name: "web", title: "Web server", description: "Serves <pages> & more", memory: "4GiB", vcpus: 4,
        disks: [#{ path: "/srv/vm/web.qcow2", format: "qcow2" }, #{ path: "/srv/vm/data.img", format: "raw", cache: "none", io: "native", discard: "unmap", serial: "DATA" }],
        nics: ["default"], }"##;
    an_installation: r##"#{
        name: "web", memory: "2GiB", disks: [#{ path: "/srv/vm/web.qcow2", format: "qcow2" }], cdrom: "/srv/iso/debian.iso",
        boot: ["hd", "cdrom"], nics: [#{ network: "default", mac: "52:54:00:12:34:56" }], }"##;
    a_network_boot: r##"#{ name: "web", disks: [#{ path: "/srv/vm/web.img", format: "raw" }], boot: ["hd", "network"], nics: ["default"] }"##;
    a_kernel_boot: r##"#{ name: "web", kernel: "/boot/vmlinuz", initrd: "/boot/initrd", cmdline: "console=ttyS0 a='b' & c", on_reboot: "destroy" }"##;
    a_desktop: r##"#{ name: "desk", memory: "8GiB", vcpus: 4, disks: [#{ path: "/srv/vm/desk.qcow2", format: "qcow2" }], nics: ["user"], graphics: "spice", sound: true }"##;
    secure_boot_and_tpm: r##"#{ name: "win", memory: "8GiB", firmware: "efi", secure_boot: true, tpm: true, disks: [#{ path: "/srv/vm/win.qcow2", format: "qcow2" }] }"##;
    no_extras: r##"#{ name: "bare", serial: false, agent: false, rng: false, cpu: "host-model" }"##;
    a_named_cpu: r##"#{ name: "web", cpu: "EPYC-Rome" }"##;
    a_cpu_with_features: r##"#{ name: "web", cpu: #{ mode: "host-model", features: [#{ name: "vmx", policy: "disable" }] } }"##;
    memory_that_grows: r##"#{ name: "web", memory: "2GiB", max_memory: "8GiB", vcpus: 2, max_vcpus: 8 }"##;
    huge_pages: r##"#{ name: "db", memory: "4GiB", hugepages: "2MiB" }"##;
    numa_cells: r##"#{ name: "db", memory: "4GiB", vcpus: 4, numa: [#{ cpus: "0-1", memory: "2GiB" }, #{ cpus: "2-3", memory: "2GiB" }] }"##;
    io_threads: r##"#{ name: "db", iothreads: 2, disks: [#{ path: "/srv/vm/db.img", format: "raw", iothread: 1 }, #{ path: "/srv/vm/log.img", format: "raw", iothread: 2 }] }"##;
    shared_folders: r##"#{ name: "dev", filesystems: [#{ source: "/srv/code", target: "code" }, #{ source: "/srv/docs", target: "docs", driver: "9p", readonly: true }] }"##;
    host_devices: r##"#{ name: "gpu", hostdevs: ["0000:03:00.0", "1d6b:0002"] }"##;
    a_watchdog: r##"#{ name: "web", watchdog: "poweroff" }"##;
    disks_of_every_kind: r##"#{ name: "store", disks: [
        #{ block: "/dev/vg/store" }, #{ pool: "images", volume: "data.img", format: "raw" }, #{ path: "/srv/vm/old.img", format: "raw", bus: "sata" },
        #{ path: "/srv/vm/shared.img", format: "raw", shareable: true, cache: "none" }, #{ path: "/srv/floppy.img", device: "floppy" }, #{ device: "cdrom" } ] }"##;
    cards_of_every_kind: r##"#{ name: "router", nics: [
        "default", "user", #{ bridge: "br0", model: "e1000e" }, #{ direct: "eno1" }, #{ network: "lan", portgroup: "dmz", link: "down" } ] }"##;
    serial_to_a_file: r##"#{ name: "web", serial: "/var/log/vm/web.log" }"##;
    metadata: r##"#{ name: "web", metadata: "<app:role xmlns:app='https://example.org/app'>front</app:role>" }"##;
    raw_xml: r##"#{ name: "web", xml: #{ "devices": "<panic model='isa'/>", "features": "<pae/>" } }"##;
    xen_by_a_boot_loader: r##"#{ name: "pv", bootloader: "/usr/bin/pygrub", os_type: "linux", disks: [#{ path: "/srv/vm/pv.img", format: "raw", bus: "xen" }], serial: false }"##;
}

#[test]
fn only_pci_express_has_ports_and_a_large_guest_has_more() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/description" as description;
            fn ports(arch, machine, more) {
                let capabilities = parse_xml(`<domainCapabilities><machine>${machine}</machine></domainCapabilities>`);
                let offer = #{ virt_type: "qemu", arch: arch, machine: (), capabilities: capabilities };
                let guest = description::on(offer, #{ name: "web" } + more);
                guest.select("devices/controller[@model='pcie-root-port']").len()
            }
            assert_eq(ports("x86_64", "pc-q35-10.0", #{}), 14);
            assert_eq(ports("aarch64", "virt-10.0", #{}), 14);
            assert_eq(ports("x86_64", "pc-i440fx-10.0", #{}), 0);
            assert_eq(ports("s390x", "s390-ccw-virtio", #{}), 0);
            let many = [];
            for number in 0..20 { many.push(#{ path: `/srv/${number}.img`, format: "raw" }); }
            // 20 disks, the agent's channel, random numbers, the balloon, USB, and 8 more.
            assert_eq(ports("x86_64", "pc-q35-10.0", #{ disks: many }), 32);
            // These boot nothing without firmware.
            fn firmware(arch, machine, offered, more) {
                let capabilities = parse_xml(`<domainCapabilities><machine>${machine}</machine><os><enum name='firmware'>${offered}</enum></os></domainCapabilities>`);
                description::on(#{ virt_type: "qemu", arch: arch, machine: (), capabilities: capabilities }, #{ name: "web" } + more).get("os/@firmware", "none")
            }
            let efi = "<value>efi</value>";
            assert_eq(firmware("aarch64", "virt-10.0", efi, #{}), "efi");
            assert_eq(firmware("aarch64", "virt-10.0", "", #{}), "none");
            assert_eq(firmware("aarch64", "virt-10.0", efi, #{ kernel: "/boot/vmlinuz" }), "none");
            assert_eq(firmware("x86_64", "pc-q35-10.0", efi, #{}), "none");
            fn inputs(more) {
                description::of(connect(), #{ name: "web" } + more).select("devices/input").map(|input| `${input.get("@type")} ${input.get("@bus")}`)
            }
            assert_eq(inputs(#{ graphics: "vnc", input: ["tablet", "keyboard"] }), ["tablet usb", "keyboard usb"]);
            assert_eq(inputs(#{ graphics: "vnc", input: false }), []);
            assert_eq(inputs(#{ input: #{ type: "mouse", bus: "virtio" } }), ["mouse virtio"]);
            fn refused(more) { try { inputs(more); } catch (err) { return `${err.message}; ${err.hint}`; } "not refused" }
            assert(refused(#{ input: "mose" }).contains("did you mean \"mouse\"?"));
            assert_eq(refused(#{ features: #{ acip: true } }), "`features` has no key `acip`; did you mean `acpi`?");
            assert(refused(#{ panic: ["isa", "isaa"] }).contains("`panic[1]` must be \"isa\", \"pvpanic\","));
            assert(refused(#{ vsock: 2 }).contains("`vsock` must be 3 or more, not 2"));
            assert(refused(#{ memory_devices: [#{ size: "some" }] }).contains("`memory_devices[0].size`: `some` is not a size"));"#,
        )
        .ok();
}

#[test]
fn the_option_xml_inserts_sets_and_removes() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/description" as description;
            fn of(more) { description::of(connect(), #{ name: "web" } + more) }
            fn refused(more) {
                try { of(more); } catch (err) { return err.message; }
                throw `not refused: ${more}`;
            }
            let guest = of(#{
                xml: #{
                    devices: ["<panic model='isa'/>", #{ redirdev: #{ "@bus": "usb", "@type": "spicevmc" } }, xml("redirdev", #{ "@bus": "usb", "@type": "spicevmc" })],
                    features: ["<pae/>", "<apic eoi='on'/>"],
                    "clock/@offset": "localtime", on_crash: "preserve", "devices/interface/mtu/@size": 9000, pm: (),
                },
                edit: |xml| xml.set("title", xml.get("name") + " by hand"),
            });
            assert_eq(guest.select("devices/redirdev").len(), 2);
            assert_eq(guest.select("features/apic").map(|apic| apic.to_string()), ["<apic eoi='on'/>"]);
            assert(guest.has("features/pae") && guest.has("devices/panic") && !guest.has("pm"));
            let found = ["clock/@offset", "on_crash", "devices/interface/mtu/@size", "title"].map(|path| guest.get(path));
            assert_eq(found, ["localtime", "preserve", "9000", "web by hand"]);
            // The same twice is no contradiction.
            of(#{ on_crash: "preserve", xml: #{ on_crash: "preserve" } });

            assert_eq(refused(#{ on_crash: "destroy", xml: #{ on_crash: "preserve" } }), "the option `xml`, at `on_crash`: another option already sets it to \"destroy\"");
            assert_eq(refused(#{ title: "x", xml: #{ ".": "<title>y</title>" } }), "the option `xml`, at `.`: another option already describes <title>");
            assert(refused(#{ xml: #{ "a[": 1 } }).contains("the option `xml`, at `a[`: "));
            assert(refused(#{ xml: #{ devices: "<panic" } }).contains("the option `xml`, at `devices`: "));
            assert_eq(refused(#{ edit: |xml| xml.set("name", "db") }), "the closure of `edit` changes the name of the guest: it must be web");
            let disk = #{ path: "/a.img", format: "raw" };
            assert(refused(#{ disks: [disk], edit: |xml| xml.remove("devices/disk") }).contains("removes the disk `vda` (/a.img)"));
            assert_eq(refused(#{ edit: |xml| throw #{ message: "its own" } }), "its own");"#,
        )
        .ok();
}

#[test]
fn a_watchdog_has_a_model_that_the_hosts_libvirt_knows() {
    let models = virhai()
        .script(
            r#"import "std/description" as description;
            let offer = #{ virt_type: "qemu", arch: "x86_64", machine: "q35", capabilities: parse_xml("<domainCapabilities/>") };
            ["9.0.0", "9.1.0", "8.9.0", "10.0.0"].map(|version| {
                offer.libvirt = version;
                description::on(offer, #{ name: "web", watchdog: true }).get("devices/watchdog/@model")
            }).join(" ")"#,
        )
        .ok();
    assert_eq!(models.trim(), "i6300esb itco i6300esb itco");
}

fn refused(options: &str) -> String {
    virhai()
        .arg("--no-check")
        .arg("-c")
        .arg("test:///default")
        .script(format!(
            "import \"std/description\" as description; description::of(connect(), {options})"
        ))
        .fails(1)
        .stderr
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (options, why) in [
        (
            "#{ name: \"web\", smartcard: \"host-certificates\" }",
            "needs three certificates in `certificate`, not 0",
        ),
        (
            "#{ name: \"web\", smartcard: [#{ mode: \"host-certificates\", certificate: [\"a\", \"b\"] }] }",
            "needs three certificates in `certificate`, not 2",
        ),
        ("#{}", "a guest needs the option `name`"),
        (
            "#{ name: \"web\", memry: \"1GiB\" }",
            "did you mean `memory`?",
        ),
        (
            "#{ name: \"web\", memory: \"lots\" }",
            "`lots` is not a size",
        ),
        (
            "#{ name: \"web\", disks: [#{ pth: \"/a\" }] }",
            "did you mean `path`?",
        ),
        (
            "#{ name: \"web\", disks: [#{ size: \"1GiB\" }] }",
            "must be created first",
        ),
        (
            "#{ name: \"web\", disks: [#{ bus: \"sata\" }] }",
            "a disk needs one of `path`",
        ),
        (
            "#{ name: \"web\", nics: [#{ netwrk: \"a\" }] }",
            "did you mean `network`?",
        ),
        (
            "#{ name: \"web\", boot: [\"floppy\"] }",
            "`boot[0]` must be \"hd\", \"cdrom\", \"network\" or \"fd\", not \"floppy\"",
        ),
        (
            "#{ name: \"web\", hostdevs: [\"nonsense\"] }",
            "neither a PCI address",
        ),
        (
            "#{ name: \"web\", disks: \"/a.img\" }",
            "`disks` must be a list, not the text \"/a.img\"",
        ),
        (
            "#{ name: \"web\", disks: [\"<interface type='user'/>\"] }",
            "expected <disk>, not <interface>",
        ),
        (
            "#{ name: \"web\", disks: [\"rbd://host/pool/image\"] }",
            "`path` must be a file, a device or a URL",
        ),
        (
            "#{ name: \"web\", disks: [\"https://user@host/a.iso\"] }",
            "not of the form https://HOST[:PORT]/PATH",
        ),
        (
            "#{ name: \"web\", disks: [5] }",
            "`disks[0]` must be a map, a path, a volume or XML, not 5",
        ),
        ("#{ name: 5 }", "`name` must be text, not 5"),
        (
            "#{ name: \"web\", vcpus: 0 }",
            "`vcpus` must be 1 or more, not 0",
        ),
        (
            "#{ name: \"web\", numa: [#{ cpus: \"0\" }] }",
            "`numa[0]`: a cell needs `memory`",
        ),
    ] {
        let shown = refused(options);
        assert!(shown.contains(why), "{options}: {shown}");
    }
}

#[test]
fn a_guest_gets_all_hyperv_features_of_its_host() {
    let script = r#"
        import "std/description" as description;
        let conn = connect();
        let guest = |hyperv| description::of(conn, #{ name: "a", features: #{ hyperv: hyperv } });
        let whole = guest.call(#{ mode: "passthrough" }).select("features/hyperv")[0];
        assert_eq(whole.get("@mode"), "passthrough");
        assert_eq(whole.children(), []);
        assert(guest.call(true).has("features/hyperv/relaxed[@state='on']"));
        let wrong = assert_throws(|| guest.call(parse_json(`{"mode": "passthrough", "ipi": true}`)));
        assert(wrong.message.contains("`ipi` cannot be combined with `mode: \"passthrough\"`"), wrong.message);
    "#;
    virhai()
        .arg("-c")
        .arg("test:///default")
        .arg("-e")
        .arg(script)
        .ok();
}

#[test]
fn options_of_a_guest_that_contradict_each_other_are_refused_at_the_users_line() {
    for (options, why) in [
        (
            "firmware: \"bios\", secure_boot: true",
            "`secure_boot` cannot be combined with `firmware: \"bios\"`",
        ),
        ("initrd: \"/i\"", "`initrd` needs `kernel`"),
        (
            "cmdline: \"quiet\"",
            "`cmdline` needs `kernel` or `bootloader`",
        ),
        (
            "kernel: \"/k\", boot: [\"hd\"]",
            "`kernel` cannot be combined with `boot`",
        ),
        (
            "bootloader: \"/b\", firmware: \"efi\"",
            "`bootloader` cannot be combined with `firmware`",
        ),
        (
            "disks: [#{ path: \"/a\", format: \"raw\", pool: \"p\" }]",
            "`disks[0]`: `path` cannot be combined with `pool`",
        ),
        (
            "disks: [#{ block: \"/dev/a\", size: 5 }]",
            "`disks[0]`: `block` cannot be combined with `size`",
        ),
        (
            "disks: [#{ path: \"/a\", format: \"raw\", backing_format: \"raw\" }]",
            "`disks[0]`: `backing_format` needs `backing`",
        ),
        (
            "disks: [#{ path: \"/a\", format: \"raw\", target: \"vda\" }, #{ path: \"/b\", format: \"raw\", target: \"vda\" }]",
            "`disks[0].target` and `disks[1].target` are both \"vda\"",
        ),
        (
            "disks: [\"<disk type='file'><source file='/a'/><target dev='vda'/></disk>\", #{ path: \"/a\", format: \"raw\" }]",
            "two disks of `disks` have the image /a",
        ),
        (
            "nics: [#{ network: \"default\", bridge: \"br0\" }]",
            "`nics[0]`: `network` cannot be combined with `bridge`",
        ),
        (
            "nics: [#{ bridge: \"br0\", portgroup: \"dmz\" }]",
            "`nics[0]`: `portgroup` needs `network`",
        ),
        (
            "nics: [#{ mac: \"52:54:00:00:00:0A\" }, #{ mac: \"52:54:00:00:00:0a\" }]",
            "`nics[0].mac` and `nics[1].mac` are both",
        ),
        (
            "nics: [#{ user: false }]",
            "`user: false` needs `network`, `bridge` or `direct`",
        ),
        (
            "nics: [#{ inbound: 100 }]",
            "`nics[0]`: `inbound` needs `network`, `bridge` or `direct`",
        ),
        (
            "serial: #{ service: 4555 }",
            "`serial`: `service` needs `type: \"tcp\"` or `type: \"udp\"`",
        ),
        (
            "graphics: #{ tls_port: 5901 }",
            "`graphics`: `tls_port` needs `type: \"spice\"`",
        ),
        (
            "graphics: #{ listen: \"0.0.0.0\", listen_by: \"none\" }",
            "`graphics`: `listen` cannot be combined with `listen_by: \"none\"`",
        ),
        (
            "tpm: #{ type: \"passthrough\", version: \"2.0\" }",
            "`tpm`: `version` needs `type: \"emulator\"`",
        ),
        (
            "cpu: #{ mode: \"host-passthrough\", model: \"EPYC\" }",
            "`cpu`: `model` cannot be combined with `mode: \"host-passthrough\"`",
        ),
        (
            "cpu: #{ cache_level: 3 }",
            "`cpu`: `cache_level` needs `cache: \"emulate\"`",
        ),
        (
            "vcpu: #{ placement: \"auto\", cpuset: \"0-1\" }",
            "`vcpu`: `cpuset` cannot be combined with `placement: \"auto\"`",
        ),
        (
            "vsock: #{ auto: true, cid: 5 }",
            "`vsock`: `auto` cannot be combined with `cid`",
        ),
        (
            "memballoon: #{ model: \"none\", period: 5 }",
            "`memballoon`: `period` cannot be combined with `model: \"none\"`",
        ),
        (
            "iothreads: 1, iothreadids: [#{ id: 1 }, #{ id: 2 }]",
            "`iothreadids` has 2 I/O threads, but `iothreads` is 1",
        ),
        (
            "sysinfo: #{ bios: #{ vendor: \"x\" } }, os: #{ smbios: \"host\" }",
            "`sysinfo` cannot be combined with `os.smbios: \"host\"`",
        ),
    ] {
        let shown = refused(&format!("#{{ name: \"web\", {options} }}"));
        assert!(shown.contains(why), "{options}: {shown}");
        assert!(
            shown.contains("<script>") || !shown.contains("--> std/"),
            "{shown}"
        );
    }
    // What an option requests nothing of contradicts nothing.
    for options in [
        "firmware: \"bios\", secure_boot: false",
        "initrd: (), cmdline: \"\"",
        "disks: [#{ path: \"/a\", format: \"raw\", pool: () }], nics: [#{ network: \"default\", user: false }]",
        "disks: [#{ path: \"/a\", format: \"raw\", shareable: true }, #{ path: \"/a\", format: \"raw\", shareable: true }]",
    ] {
        let script = format!(
            "import \"std/description\" as description; description::of(connect(), #{{ name: \"web\", {options} }});"
        );
        virhai()
            .arg("-c")
            .arg("test:///default")
            .script(script)
            .ok();
    }
}

#[test]
fn a_change_needs_no_option_that_the_guest_has_already() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/guest" as guest;
            import "std/network" as network;
            let conn = connect();
            guest::create(conn, #{ name: "web", kernel: "/k", nics: [], serial: #{ type: "tcp", mode: "bind", host: "127.0.0.1", service: 4555 }, start: false });
            let web = guest::ensure(conn, #{ name: "web", cmdline: "quiet", serial: #{ service: 4556 }, start: false }).domain.xml();
            assert_eq([web.get("os/cmdline"), web.get("devices/serial/@type"), web.get("devices/serial/source/@service")], ["quiet", "tcp", "4556"]);
            let refusal = assert_throws(|| guest::ensure(conn, #{ name: "new", cmdline: "quiet", start: false }));
            assert_eq(refusal.message, "`cmdline` needs `kernel` or `bootloader`");
            network::create(conn, #{ name: "lab", address: "10.77.0.1/24" });
            let hosts = [#{ ip: "10.77.0.9", mac: "52:54:00:00:00:09" }];
            assert(network::ensure(conn, #{ name: "lab", hosts: hosts }).network.xml().has("ip/dhcp/host"));"#,
        )
        .ok();
}

#[test]
fn a_second_console_is_a_virtio_console() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/guest" as guest;
            let options = #{ name: "web", nics: [], console: ["pty", "pty", #{ type: "file", path: "/log" }], start: false };
            let dom = guest::create(connect(), options);
            assert_eq(dom.xml().select("devices/console/target/@type"), ["serial", "virtio", "virtio"]);
            assert_eq(guest::ensure(connect(), options).changes, []);"#,
        )
        .ok();
}

#[test]
fn the_same_options_are_understood_by_the_test_driver() {
    let shown = virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            "import \"std/guest\" as guest; let dom = guest::create(connect(), #{ name: \"web\", memory: \"1GiB\", disks: [#{ path: \"/a.qcow2\", format: \"qcow2\" }], nics: [\"default\"] }); print(dom.state());",
        )
        .ok();
    assert!(shown.starts_with("running"), "{shown}");
}

#[test]
fn devices_are_described_by_text_of_xml_too_and_disks_by_what_holds_them() {
    virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r##"
            import "std/description" as description;
            let conn = connect();
            let of = |more| { more.name = "web"; description::of(conn, more) };
            let texts = #{
                disks: ["<disk type='file'><source file='/x'/><target dev='vda' bus='virtio'/></disk>", #{ path: "/b", format: "raw" }],
                cdrom: "<disk type='file' device='cdrom'><target dev='sdx' bus='sata'/></disk>",
                nics: ["<interface type='user'><model type='e1000'/></interface>"],
                serial: "<console type='pty'/>", graphics: "<graphics type='sdl'/>", video: "<video><model type='vga'/></video>",
                sound: "<sound model='ac97'/>", rng: "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>",
                tpm: "<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
                watchdog: "<watchdog model='ib700'/>", input: ["<input type='mouse' bus='ps2'/>"],
                filesystems: ["<filesystem type='mount'><source dir='/a'/><target dir='b'/></filesystem>"],
                hostdevs: ["<hostdev mode='subsystem' type='usb'><source><address bus='1' device='2'/></source></hostdev>"],
            };
            let devices = of.call(texts).select("devices")[0];
            for path in [
                "disk/source[@file='/x']", "disk/target[@dev='vdb']", "disk[@device='cdrom']/target[@dev='sdx']", "interface/model[@type='e1000']", "console[@type='pty']",
                "graphics[@type='sdl']", "video/model[@type='vga']", "sound[@model='ac97']", "rng/backend[text()='/dev/random']",
                "tpm/backend[@type='passthrough']", "watchdog[@model='ib700']", "input[@type='mouse']", "filesystem/target[@dir='b']",
                "hostdev/source/address[@device='2']",
            ] { assert(devices.has(path), path); }

            let cases = #{ disks: [
                #{ path: "/dev/vg/a", format: "raw" }, #{ path: "http://host/a/b.iso?c=d", format: "raw" },
                #{ path: "https://[::1]:8443/a", format: "raw" }, #{ path: "/a", format: "raw" },
            ] };
            let sources = of.call(cases).select("devices/disk").map(|disk| `${disk.get("@type")} ${disk.get("source/@dev", "")}${disk.get("source/@file", "")}${disk.get("source/@name", "")}|${disk.get("source/@query", "")}|${disk.get("source/host/@name", "")}|${disk.get("source/host/@port", "")}`);
            assert_eq(sources, ["block /dev/vg/a|||", "network a/b.iso|c=d|host|80", "network a||::1|8443", "file /a|||"]);

            let many = [];
            for n in 0..54 { many.push(#{ path: `/${n}`, format: "raw", bus: "virtio" }); }
            let targets = of.call(#{ disks: many }).select("devices/disk/target/@dev");
            assert_eq([targets[0], targets[25], targets[26], targets[51], targets[52], targets[53]], ["vda", "vdz", "vdaa", "vdaz", "vdba", "vdbb"]);
            "##,
        )
        .ok();
}

#[test]
fn storage_for_crash_logs_has_a_size() {
    for (options, size) in [("", 64), (", size: \"1MiB\"", 1024)] {
        let pstore = format!("#{{ path: \"/a.raw\"{options} }}");
        let xml = described(&format!("#{{ name: \"web\", pstore: {pstore} }}"));
        assert!(
            xml.contains(&format!("<size unit='KiB'>{size}</size>")),
            "{xml}"
        );
    }
}

/// Machine types and CPU models that a real host does not have; libvirt's test host lists neither.
#[test]
fn machines_and_cpu_models_that_the_host_lacks_are_refused_at_the_users_line() {
    let host = Daemon::start();
    for (options, why) in [
        ("machine: \"q53\"", "has no machine type `q53` for x86_64"),
        ("cpu: \"Nehalm\"", "it has Nehalem, "),
        (
            "cpu: #{ model: \"EPIC\" }",
            "`conn.get_cpu_model_names(\"x86_64\")` lists the models",
        ),
    ] {
        let script = format!(
            "import \"std/description\" as description;\nlet conn = connect();\n\
             description::of(conn, #{{ name: \"web\", arch: \"x86_64\", {options} }});"
        );
        let refused = host.run(&script);
        assert_eq!(refused.status, 1, "{options}: {refused}");
        assert!(refused.stderr.contains(why), "{options}: {refused}");
        assert!(
            refused.stderr.contains("standard input:3:"),
            "{options}: {refused}"
        );
    }
    host.ok("import \"std/description\" as description; description::of(connect(), #{ name: \"web\", arch: \"x86_64\", machine: \"pc\", cpu: \"Nehalem\" });");
}
