//! Compares options with virt-install: the share of its XML documents that options can produce.
//!
//! `tests/data/virt_install` has a document for each group of virt-install's options. Each of its
//! elements counts, and is covered if the options produce an element with the same name, attributes
//! and text in the same parent.
//!
//! There is no document for `--osinfo`, `--location URL`, `--install`, `--unattended` and `--initrd-inject`, which
//! virhai does not have yet; for `--reinstall` and `--cloud-init`, which `install.rs` and `images.rs` test; and for
//! options about the run of virt-install, such as `--noautoconsole`.

use std::path::{Path, PathBuf};

use crate::support::{Embed, Host, TestHost, skip, virhai};

/// The options of virt-install that a document is for, its file, and the options that describe it here.
const DOCUMENTS: [(&str, &str, &str); 15] = [
    (
        "--features, --clock, --pm",
        "features",
        r#"disks: [DISK], nics: ["default"],
        features: #{
            acpi: false, apic: false, pae: true, vmport: false, smm: true, pmu: false, pvspinlock: true, ioapic: "qemu",
            hyperv: #{
                mode: "custom", spinlocks: 4096, vpindex: true, runtime: true, synic: true, stimer: #{ direct: true }, reset: false,
                vendor_id: "KVM Hv", frequencies: true, reenlightenment: true, tlbflush: true, ipi: true,
            },
            kvm: #{ hidden: true, hint_dedicated: true, poll_control: false },
        },
        clock: #{
            offset: "timezone", timezone: "Europe/Berlin",
            timer: [
                #{ name: "rtc", tickpolicy: "catchup", track: "guest" }, #{ name: "tsc", frequency: 2400000000, mode: "native" },
                #{ name: "kvmclock", present: true },
            ],
        },
        pm: #{ suspend_to_mem: true }"#,
    ),
    (
        "--graphics, --channel, --redirdev, --memballoon, --panic, --tpm",
        "desktop",
        r#"disks: [#{ path: "/srv/vm/desktop.qcow2", format: "qcow2" }], nics: ["default"], graphics: "spice", sound: true, tpm: true,
        controller: "usb3", redirdev: ["spicevmc", "spicevmc"], panic: "isa",
        redirfilter: [#{ class: "0x08", vendor: "0x1234", product: "0xbeef", version: "2.56", allow: true }, #{ allow: false }],
        memballoon: #{ autodeflate: true, free_page_reporting: true, period: 5 },
        features: #{ hyperv: true, vmport: false },
        clock: #{
            offset: "localtime",
            timer: [
                #{ name: "rtc", tickpolicy: "catchup" }, #{ name: "pit", tickpolicy: "delay" }, #{ name: "hpet", present: false },
                #{ name: "hypervclock", present: true },
            ],
        }"#,
    ),
    (
        "--graphics, --video, --sound, --serial, --watchdog, --hostdev, --cpu",
        "screens-and-processors",
        r#"serial: #{
            type: "tcp", mode: "bind", host: "127.0.0.1", service: 2222, protocol: "telnet", log: "/var/log/vm/serial.log",
            log_append: false, target: "isa-serial", model: "isa-serial", port: 0,
        },
        graphics: #{
            type: "spice", port: 5910, tls_port: 5911, listen: "0.0.0.0", password: "secret", keymap: "de", default_mode: "secure",
            image_compression: "off", streaming: "filter", clipboard: false, mouse: "client", file_transfer: false,
        },
        video: #{ model: "qxl", ram: "64MiB", vram: "64MiB", vgamem: "16MiB", heads: 2 },
        sound: #{ codecs: [#{ type: "micro" }], audio: 1 }, audio: #{ type: "spice" },
        watchdog: #{ model: "i6300esb", action: "poweroff", address: #{ bus: "0x10", slot: "0x07" } },
        hostdevs: [
            #{ device: "0000:03:00.0", managed: false, driver: "vfio", rom_bar: false, boot: 2 },
            #{ device: "1d6b:0002", startup_policy: "optional" },
            #{ uuid: "c2177883-f1bb-47f0-914d-32a22e3a8804", display: false },
        ],
        cpu: #{
            model: "Penryn", check: "partial", fallback: "forbid", vendor: "Intel", dies: 1, cores: 2, cache: "emulate", cache_level: 3,
            address_bits: 42, features: [#{ name: "x2apic", policy: "force" }, #{ name: "vmx", policy: "disable" }],
        }"#,
    ),
    (
        "--console, --parallel, --channel, --input, --smartcard, --vsock, --audio, --shmem, --iommu, --memballoon, --panic, --rng, \
         --tpm, --watchdog",
        "devices",
        r#"disks: [DISK], nics: ["default"], features: #{ ioapic: "qemu" },
        console: #{ target: "virtio" }, parallel: #{ type: "unix", mode: "bind", path: "/run/web-parallel", port: 0 },
        channel: [
            #{ type: "unix", mode: "bind", path: "/run/web-channel", name: "org.example.channel.0" },
            #{ type: "pty", name: "org.example.channel.1", log: "/var/log/web-channel.log", log_append: false },
        ],
        input: #{ type: "keyboard", bus: "virtio" }, smartcard: "passthrough", vsock: #{ auto: false, cid: 5 }, audio: "none",
        shmem: #{ name: "shared", role: "peer", size: "8MiB" },
        iommu: #{ model: "intel", intremap: true, caching_mode: true, iotlb: true }, memballoon: "none",
        panic: ["hyperv", #{ model: "isa", address: #{ type: "isa", iobase: "0x505" } }],
        crypto: #{ queues: 1 }, tpm: #{ model: "tpm-tis", type: "passthrough", path: "/dev/tpm0" },
        rng: #{ device: "/dev/random", rate: #{ bytes: 1234, period: 2000 } },
        watchdog: #{ model: "i6300esb", action: "poweroff" }"#,
    ),
    (
        "--disk, --network",
        "disks-and-cards",
        r#"iothreads: 1,
        disks: [
            #{
                path: "/srv/vm/web.qcow2", format: "qcow2", bus: "scsi", cache: "none", io: "native", discard: "unmap", detect_zeroes: "unmap",
                error_policy: "stop", rerror_policy: "report", startup_policy: "optional", rotation_rate: 1, serial: "S1",
                wwn: "5000c50015ea71aa", vendor: "Example", product: "Disk", shareable: true,
                iotune: #{ total_bytes_sec: 1000000, read_iops_sec: 100, write_iops_sec: 50 },
            },
            #{ path: "/srv/vm/data.img", format: "raw", queues: 4, iothread: 1 },
            #{ path: "/srv/vm/stick.img", format: "raw", bus: "usb", removable: true },
        ],
        nics: [#{
            network: "default", mac: "52:54:00:12:34:56", target: "web0", queues: 4, driver: "vhost", mtu: 9000, isolated: true, link: "down",
            rom: "on", rom_file: "/srv/rom.bin", trust_guest_rx_filters: true, inbound: #{ average: 1000, peak: 5000, burst: 1024 },
            outbound: 128, filterref: #{ filter: "clean-traffic", parameters: [#{ name: "IP", value: "10.0.0.1" }] },
        }]"#,
    ),
    (
        "--controller",
        "controllers",
        r#"disks: [DISK], nics: ["default"], iothreads: 1,
        controller: [
            "usb2", #{ type: "scsi", index: 0, model: "virtio-scsi", queues: 4, iothread: 1 },
            #{ type: "virtio-serial", index: 0, ports: 16, vectors: 4 }, #{ type: "ccid", index: 0 },
        ]"#,
    ),
    (
        "--boot",
        "boot",
        r#"disks: [DISK, #{ path: "/srv/floppy.img", device: "floppy" }], nics: ["default"], boot: ["fd", "hd", "network"],
        emulator: "/usr/bin/qemu-system-x86_64",
        os: #{
            loader: #{ path: "/usr/share/OVMF/OVMF_CODE.fd", readonly: true, secure: false, type: "pflash" },
            nvram: #{ path: "/srv/vm/web_VARS.fd", template: "/usr/share/OVMF/OVMF_VARS.fd" },
            bootmenu: #{ timeout: 3000 }, smbios: "host", bios: #{ useserial: true, reboot_timeout: 5000 }, acpi_table: "/srv/slic.bin",
        }"#,
    ),
    (
        "--boot firmware=efi",
        "automatic-firmware",
        r#"disks: [DISK], nics: ["default"], firmware: "efi", features: #{ smm: true },
        os: #{
            loader: #{ secure: true },
            firmware_feature: [#{ name: "secure-boot" }, #{ name: "enrolled-keys", enabled: false }],
        }"#,
    ),
    (
        "--boot init",
        "container",
        r#"virt_type: "lxc", os_type: "exe", vcpus: 1, serial: false, console: "pty",
        filesystems: ["<filesystem type='mount' accessmode='passthrough'><source dir='/srv/container'/><target dir='/'/></filesystem>"],
        features: #{ privnet: true },
        os: #{
            init: "/bin/sh", initarg: ["-c", "echo up"], initenv: [#{ name: "ROLE", value: "web" }], initdir: "/srv", inituser: 1000,
            initgroup: 1000,
        }"#,
    ),
    (
        "--vcpus, --cpuset, --cputune, --memtune, --blkiotune, --numatune, --resource, --memorybacking, --iothreads",
        "tuning",
        r#"disks: [DISK], nics: ["default"], vcpus: 1, max_vcpus: 2, iothreads: 2, hugepages: true,
        numa: [#{ cpus: "0-1", memory: "1GiB" }],
        vcpu: #{ placement: "static", cpuset: "1-3,5" },
        individual_vcpus: [
            #{ id: 0, enabled: true, hotpluggable: false, order: 1 }, #{ id: 1, enabled: false, hotpluggable: true },
        ],
        iothreadids: [#{ id: 1 }, #{ id: 3 }],
        memory_backing: #{
            nosharepages: true, locked: true, source: "memfd", access: "shared", allocation: "immediate", threads: 8, discard: true,
        },
        cputune: #{
            shares: 2048, period: 1000000, quota: -1, global_period: 1000000, global_quota: 20000, emulator_period: 1000000,
            emulator_quota: -1, iothread_period: 1000000, iothread_quota: -1,
            vcpupin: [#{ vcpu: 0, cpuset: "1-3" }, #{ vcpu: 1, cpuset: "0,1" }], emulatorpin: "1-3",
            iothreadpin: [#{ iothread: 1, cpuset: "2" }], vcpusched: [#{ vcpus: "0-1", scheduler: "fifo", priority: 5 }],
            iothreadsched: [#{ iothreads: "1", scheduler: "idle" }],
            cachetune: [#{
                vcpus: "0-1", cache: [#{ id: 0, level: 3, type: "both", size: 3, unit: "MiB" }], monitor: [#{ level: 3, vcpus: "0" }],
            }],
            memorytune: [#{ vcpus: "0-1", node: [#{ id: 0, bandwidth: 60 }] }],
        },
        memtune: #{ hard_limit: "4GiB", soft_limit: "2GiB", swap_hard_limit: "4GiB" },
        blkiotune: #{
            weight: 200,
            device: [#{
                path: "/dev/sda", weight: 500, read_bytes_sec: 10000, write_bytes_sec: 10000, read_iops_sec: 20000, write_iops_sec: 20000,
            }],
        },
        numatune: #{ mode: "strict", nodeset: "1-3", memnode: [#{ cellid: 0, mode: "strict", nodeset: "1" }] },
        resource: #{ partition: "/machine/production" }"#,
    ),
    (
        "--memory maxmemory, --memdev",
        "memory",
        r#"disks: [DISK], nics: ["default"], numa: [#{ cpus: "0-1", memory: "1GiB" }], hotplug_memory: #{ max: "16GiB" },
        memory_devices: [
            #{ model: "dimm", access: "private", size: "512MiB", node: 0 },
            #{ model: "nvdimm", path: "/srv/nvdimm.img", size: "512MiB", node: 0, label: "128KiB" },
        ]"#,
    ),
    (
        "--sysinfo, --seclabel, --launchSecurity, --keywrap, --metadata genid, --events on_lockfailure",
        "security",
        r#"disks: [DISK], nics: ["default"], on_lockfailure: "ignore", genid: "e9392370-2917-565e-692b-d057f46512d6",
        sysinfo: #{
            bios: #{ vendor: "Example Inc.", version: "6.5.4", date: "01/31/2024", release: "10.22" },
            system: #{
                manufacturer: "Example Inc.", product: "Machine", version: "1.0", serial: "12345", sku: "abc", family: "Servers",
            },
            base_board: #{
                manufacturer: "Example Inc.", product: "Board", version: "2.0", serial: "67890", asset: "asset-1", location: "rack 4",
            },
            chassis: #{ manufacturer: "Example Inc.", version: "3.0", serial: "11111", asset: "asset-2", sku: "def" },
            oem_strings: ["first", "second"],
        },
        keywrap: [#{ name: "aes" }, #{ name: "dea", state: false }],
        launch_security: #{
            type: "sev", kernel_hashes: true, cbitpos: 47, reduced_phys_bits: 1, policy: "0x0001", dh_cert: "AAAA", session: "BBBB",
        },
        seclabel: [
            #{ type: "static", model: "selinux", relabel: true, label: "system_u:object_r:svirt_image_t:s0:c100,c200" },
            #{ type: "dynamic", model: "dac" },
        ]"#,
    ),
    (
        "--qemu-commandline",
        "qemu-commandline",
        r#"disks: [DISK], nics: ["default"],
        qemu_commandline: #{
            arg: ["-fw_cfg", "name=opt/a,string=b"], env: [#{ name: "QEMU_AUDIO_DRV", value: "none" }],
        }"#,
    ),
    (
        "--xml",
        "by-xml",
        r#"disks: [DISK], nics: ["default"],
        xml: #{
            "devices/rng/backend": "/dev/random", pm: (),
            devices: ["<hub type='usb'/>", #{ lease: #{ lockspace: "space", key: "web", target: #{ "@path": "/srv/leases", "@offset": 1024 } } }],
        }"#,
    ),
    (
        "--pstore",
        "pstore",
        r#"disks: [DISK], nics: ["default"], pstore: #{ path: "/srv/vm/web.erst", size: "64KiB" }"#,
    ),
];

/// The required share of elements that options produce, in percent.
const LEAST: usize = 80;

/// Functions for the script that count elements.
const COUNT: &str = r#"
    fn is_like(wanted, made) {
        if wanted.name != made.name { return false; }
        let attributes = wanted.attributes();
        for name in attributes.keys() { if made.get("@" + name, ()) != attributes[name] { return false; } }
        !wanted.children().is_empty() || wanted.get(".") == made.get(".")
    }
    // The number of elements in `wanted`, and the paths of those that `made` lacks.
    fn missing(wanted, made, path) {
        let lacks = [];
        let count = 0;
        let free = made.children();
        for child in wanted.children() {
            count += 1;
            let place = `${path}/${child.name}`;
            let best = ();
            let fewest = ();
            for number in 0..free.len() {
                if !is_like(child, free[number]) { continue; }
                let inside = missing(child, free[number], place);
                if fewest == () || inside.lacks.len() < fewest.lacks.len() { best = number; fewest = inside; }
            }
            if best == () {
                lacks.push(child.to_string());
                count += child.select(".//*").len();
                lacks.append(child.select(".//*").map(|one| one.name));
            } else {
                free.remove(best);
                count += fewest.count;
                lacks.append(fewest.lacks);
            }
        }
        #{ count: count, lacks: lacks }
    }
"#;

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(data(path)).expect("it is kept")
}

/// True if the schema of this libvirt has `<crypto>`, which 9.0 does not have.
fn knows_crypto() -> bool {
    let told = virhai()
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"let xml = "<domain type='test'><name>c</name><memory>1024</memory><os><type>hvm</type></os><devices><crypto model='virtio' type='qemu'><backend model='builtin'/></crypto></devices></domain>";
            try { connect().define_xml(xml, VIR_DOMAIN_DEFINE_VALIDATE); print("known"); }
            catch (err) { print(err.code); }"#,
        )
        .ok();
    match told.trim() {
        "known" => true,
        "VIR_ERR_XML_INVALID_SCHEMA" => {
            skip("crypto devices: the schema of this libvirt does not have them");
            false
        }
        other => panic!("{other}"),
    }
}

#[test]
fn options_cover_most_options_of_virt_install() {
    let host = TestHost::new();
    let knows_crypto = knows_crypto();
    let mut script = format!(
        "import \"std/description\" as description;\n{COUNT}\n\
         let offer = #{{ arch: \"x86_64\", machine: \"q35\", capabilities: parse_xml(`{}`) }};\n\
         const DISK = #{{ path: \"/srv/vm/web.qcow2\", format: \"qcow2\" }};\n\
         let all = 0; let made = 0; let told = [];\n",
        read("hosts/kvm.xml")
    );
    for (arguments, name, options) in DOCUMENTS {
        let wanted = read(&format!("virt_install/{name}.xml"));
        let kind = if name == "container" { "lxc" } else { "kvm" };
        let machine = if name == "container" { "()" } else { "\"q35\"" };
        // `pstore` devices are newer than the oldest supported libvirt.
        let valid = name != "pstore";
        script.push_str(&format!(
            "{{ offer.virt_type = \"{kind}\"; offer.machine = {machine};\n\
             let guest = description::on(offer, #{{ vcpus: 2 }} + #{{ name: \"{name}\", {options} }});\n\
             let checked = guest.copy(); if !{knows_crypto} {{ checked.remove(\"devices/crypto\"); }}\n\
             if {valid} {{ try {{ connect().define_xml(checked, VIR_DOMAIN_DEFINE_VALIDATE); }} catch (err) {{ throw `{name}: ${{err.message}}: ${{guest}}`; }} }}\n\
             let found = missing(parse_xml(`{wanted}`), guest, \"\");\n\
             all += found.count; made += found.count - found.lacks.len();\n\
             told.push(`{name} ({arguments}): ${{found.count - found.lacks.len()}} of ${{found.count}}; ${{found.lacks}}`); }}\n"
        ));
    }
    script.push_str("for line in told { print(line); } print(`${made} ${all}`);");
    let shown = virhai()
        .arg("--no-check")
        .arg("-c")
        .arg(host.uri())
        .script(script)
        .ok();
    let (made, all) = shown
        .trim_end()
        .lines()
        .last()
        .and_then(|line| line.split_once(' '))
        .expect("two numbers");
    let (made, all): (usize, usize) = (made.parse().expect("made"), all.parse().expect("all"));
    assert!(all > 400, "{shown}");
    assert!(made * 100 >= all * LEAST, "{shown}");
}

#[test]
fn qemu_defines_guests_with_many_options_and_they_converge() {
    let host = Embed::new();
    let folder = host.scratch().folder("images");
    for name in ["images/many.img", "images/other.img"] {
        host.scratch().write(name, vec![0; 512]);
    }
    let folder = folder.display();
    let knows_crypto = knows_crypto();
    host.ok(&format!(
        r##"import "std/guest" as guest;
        let conn = connect();
        let base = #{{ virt_type: "qemu", machine: "q35", memory: "64MiB", nics: ["user"], start: false }};
        let many = #{{
            name: "many", vcpus: 1, max_vcpus: 2, iothreads: 1, vcpu: #{{ placement: "static", cpuset: "0" }},
            individual_vcpus: [#{{ id: 0, enabled: true, hotpluggable: false, order: 1 }}, #{{ id: 1, enabled: false, hotpluggable: true }}],
            features: #{{ apic: #{{ eoi: true }}, vmport: false, pmu: false, vmcoreinfo: true, smm: true, ioapic: "qemu" }},
            clock: #{{ offset: "localtime", timer: [#{{ name: "rtc", tickpolicy: "catchup" }}, #{{ name: "hpet", present: true }}] }},
            pm: #{{ suspend_to_mem: true, suspend_to_disk: false }},
            cputune: #{{ shares: 512, vcpupin: [#{{ vcpu: 0, cpuset: "0" }}], emulatorpin: "0" }},
            memtune: #{{ hard_limit: "1GiB" }}, memory_backing: #{{ source: "memfd", access: "shared" }},
            channel: ["qemu-vdagent", #{{ type: "unix", mode: "bind", path: "/run/many.sock", name: "org.example.0" }}],
            console: #{{ target: "virtio" }}, parallel: "pty", controller: ["usb3", #{{ type: "scsi", model: "virtio-scsi", queues: 2 }}],
            panic: "isa", memballoon: #{{ autodeflate: true, period: 5 }}, rng: #{{ backend: "builtin", rate: 1024 }}, iommu: "intel",
            on_lockfailure: "pause", genid: true, seclabel: "none", audio: "none", os: #{{ bootmenu: #{{ timeout: 1000 }} }},
            sysinfo: #{{ system: #{{ serial: "12345" }}, oem_strings: ["one", "two"] }}, input: ["tablet", "keyboard"], watchdog: true,
        }};
        let other = #{{
            name: "other", numa: [#{{ cpus: "0", memory: "64MiB" }}], hotplug_memory: #{{ max: "1GiB", slots: 4 }},
            memory_devices: [#{{ model: "dimm", size: "128MiB", node: 0 }}], controller: "usb2", memballoon: "none",
            qemu_commandline: #{{ arg: ["-msg", "timestamp=off"] }}, shmem: #{{ name: "shared", size: "4MiB" }},
            os: #{{ bios: #{{ useserial: true }}, smbios: "emulate" }}, crypto: {knows_crypto}, redirdev: [#{{ type: "tcp", mode: "bind", host: "127.0.0.1", service: 5001 }}],
        }};
        for options in [many, other] {{
            let options = base + options;
            options.disks = [#{{ path: `{folder}/${{options.name}}.img`, format: "raw" }}];
            let dom = guest::create(conn, options);
            let found = guest::ensure(conn, options);
            assert_eq(found.changes, []);
        }}
        let config = conn.lookup_by_name("many").xml();
        let told = |path| config.get(path, "none");
        assert_eq(
            ["vcpu/@cpuset", "features/vmport/@state", "features/ioapic/@driver", "clock/timer[@name='hpet']/@present", "memtune/hard_limit",
             "devices/controller[@type='usb']/@model", "devices/memballoon/@autodeflate", "devices/rng/backend/@model", "os/bootmenu/@timeout",
             "os/smbios/@mode", "devices/iommu/@model"].map(|path| told.call(path)),
            ["0", "off", "qemu", "yes", "1048576", "qemu-xhci", "on", "builtin", "1000", "sysinfo", "intel"],
        );
        let config = conn.lookup_by_name("other").xml();
        assert_eq([config.get("memory"), config.get("maxMemory"), config.get("maxMemory/@slots")], ["196608", "1048576", "4"]);
        assert_eq(config.select("devices/controller[@type='usb']").len(), 4);
        assert_eq(config.select("qemu:commandline/qemu:arg/@value"), ["-msg", "timestamp=off"]);
        "##
    ));
}
