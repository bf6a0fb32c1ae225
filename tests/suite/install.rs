//! Installations on real QEMU, with installers that succeed, fail or hang.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Embed, Host, Outcome, micro, virhai};

const RECIPES: &str = r#"
    import "std/install" as install;
    import "std/guest" as guest;
    let conn = connect();
"#;

/// A host with the disks and media for installations.
struct Site(Embed);

impl Site {
    /// A site whose disk `disk.img` is blank.
    fn new() -> Self {
        let host = Embed::new();
        host.scratch().copy(&micro("blank.img"), "disk.img");
        Self(host)
    }

    /// A site whose disk has a boot sector that prints and then hangs.
    fn used() -> Self {
        let host = Embed::new();
        let mut disk = std::fs::read(micro("blank.img")).expect("it was built");
        let sector = std::fs::read(micro("hello.img")).expect("it was built");
        disk[..512].copy_from_slice(&sector[..512]);
        host.scratch().write("disk.img", disk);
        Self(host)
    }

    fn iso(&self, kind: &str) -> String {
        let file = format!("{kind}.iso");
        self.0.scratch().copy(&micro(&file), &file);
        self.0.path(&file)
    }

    fn kernel(&self, kind: &str) -> String {
        let file = format!("{kind}.kernel");
        self.0.scratch().copy(&micro(&file), &file);
        self.0.path(&file)
    }

    /// Options of every installation here, followed by `more`.
    fn options(&self, more: &str) -> String {
        let disk = self.0.path("disk.img");
        format!(
            "#{{ name: \"web\", memory: \"32MiB\", disks: [\"{disk}\"], nics: [], timeout: \"60s\", {more} }}"
        )
    }

    fn run(&self, script: &str) -> Outcome {
        self.0.run(&format!("{RECIPES}{script}"))
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!("{RECIPES}{script}"))
    }

    fn disk(&self) -> Vec<u8> {
        std::fs::read(self.0.path("disk.img")).expect("the disk is there")
    }
}

/// The result of every installation: a persistent guest that boots from its disk.
const INSTALLED: &str = r#"
    assert_eq(result.verdict, "installed");
    assert_eq(result.evidence.sector, "changed");
    assert(result.evidence.console.contains("MG:installed"));
    let dom = result.domain;
    assert(dom.is_persistent());
    assert_eq(dom.state(), "running");
    let config = parse_xml(dom.xml_desc(VIR_DOMAIN_XML_INACTIVE));
    assert_eq(config.get("devices/disk[@device='disk']/boot/@order"), "1");
    assert(!config.has("devices/disk[@device='cdrom']/source"));
    assert(!config.has("os/kernel"));
    assert_eq(config.get("on_reboot"), "restart");
    dom.stop();
    guest::boot(dom).wait("MG:up", "30s");
    dom.destroy();
"#;

#[test]
fn a_blank_disk_falls_through_to_the_cd_and_boots_once_it_is_installed() {
    let site = Site::new();
    let options = site.options(&format!(
        "iso: \"{}\", installed: \"MG:installed\", up: \"MG:up\"",
        site.iso("installer")
    ));
    site.ok(&format!(
        "let result = install::from_iso(conn, {options}); assert_eq(result.evidence.ended, \"reboot\"); {INSTALLED}"
    ));
}

#[test]
fn a_disk_that_is_not_blank_is_installed_in_two_phases() {
    let site = Site::used();
    let options = site.options(&format!(
        "iso: \"{}\", installed: \"MG:installed\", up: \"MG:up\"",
        site.iso("installer")
    ));
    site.ok(&format!(
        "let result = install::from_iso(conn, {options}); assert_eq(result.evidence.ended, \"stopped (shutdown)\"); {INSTALLED}"
    ));
}

#[test]
fn a_blank_disk_can_be_installed_in_two_phases_too() {
    let site = Site::new();
    let options = site.options(&format!(
        "iso: \"{}\", way: \"two phases\", installed: \"MG:installed\", up: \"MG:up\"",
        site.iso("installer")
    ));
    site.ok(&format!(
        "let result = install::from_iso(conn, {options}); assert_eq(result.evidence.ended, \"stopped (shutdown)\"); {INSTALLED}"
    ));
}

#[test]
fn a_kernel_installs_in_two_phases_of_one_guest() {
    for site in [Site::new(), Site::used()] {
        site.0.scratch().copy(&micro("initrd.bin"), "initrd.bin");
        let options = site.options(&format!(
            "kernel: \"{}\", initrd: \"{}\", cmdline: \"auto=true\", installed: \"MG:installed\", up: \"MG:up\"",
            site.kernel("installer"),
            site.0.path("initrd.bin")
        ));
        site.ok(&format!(
            "let result = install::from_kernel(conn, {options}); \
             assert(result.evidence.console.contains(\"MG:cmdline=auto=true\")); \
             assert(result.evidence.console.contains(\"MG:initrd=0x00000258\")); {INSTALLED}"
        ));
    }
}

/// The media of the CD drives in each phase, with the devices that have a boot order.
const PHASES: &str = r#"
    import "std/description" as description;
    import "std/phases" as phases;
    fn media(dom, flags) {
        let xml = dom.xml(flags);
        xml.select("devices/disk[@device='cdrom']").map(|disk| disk.get("source/@file", disk.get("source/@dev", disk.get("source/@volume", disk.get("source/@name", "(empty)")))))
    }
    fn order(dom) {
        dom.xml().select("devices/disk[boot]").map(|disk| `${disk.get("target/@dev")} ${disk.get("boot/@order")}`)
    }
    fn defined(conn, options, marks, kernel) {
        let config = #{ name: "cd", memory: "64MiB", nics: [], virt_type: if conn.get_type() == "Test" { "test" } else { "qemu" } };
        let dom = conn.define_xml(description::of(conn, config + options));
        phases::define(dom, marks, kernel);
        dom
    }
"#;

#[test]
fn each_cd_drive_has_its_medium_in_each_phase() {
    let site = Site::new();
    let (disk, kernel) = (site.0.path("disk.img"), site.kernel("installer"));
    let (iso, drivers) = (site.iso("installer"), site.iso("hello"));
    site.ok(&format!(
        r#"{PHASES}
        let marks = #{{ way: "two phases", medium: "kernel", sector: "x" }};
        let dom = defined(conn, #{{ disks: ["{disk}"], cdrom: "{iso}" }}, marks, #{{ kernel: "{kernel}" }});
        phases::start_first(dom, phases::marks(dom));
        assert_eq(media(dom, 0), ["{iso}"]);
        assert_eq(order(dom), []);
        dom.destroy();
        assert_eq(media(dom, VIR_DOMAIN_XML_INACTIVE), ["(empty)"]);

        let both = #{{ disks: ["{disk}", #{{ path: "{drivers}", device: "cdrom" }}], cdrom: "{iso}" }};
        for keep in [false, true] {{
            let kept = if keep {{ "{iso}" }} else {{ "(empty)" }};
            dom.undefine();
            marks = #{{ way: "two phases", medium: "cdrom", sector: "x", keep_medium: keep }};
            dom = defined(conn, both, marks, ());
            assert_eq(media(dom, VIR_DOMAIN_XML_INACTIVE), ["{drivers}", kept]);
            phases::start_first(dom, phases::marks(dom));
            assert_eq(media(dom, 0), ["{drivers}", "{iso}"]);
            assert_eq(order(dom), ["vda 2", "sdb 1"]);
            dom.destroy();
            phases::finish(dom, phases::marks(dom), "installed", keep);
            assert_eq(media(dom, VIR_DOMAIN_XML_INACTIVE), ["{drivers}", kept]);
            assert_eq(order(dom), ["vda 1"]);
        }}

        // A guest without disks has nothing but the medium to boot from.
        dom.undefine();
        dom = defined(conn, #{{ cdrom: "{iso}" }}, marks, ());
        phases::start_first(dom, phases::marks(dom));
        assert_eq(order(dom), ["sda 1"]);
        dom.destroy();
        "#
    ));
}

#[test]
fn a_medium_of_any_kind_comes_back_whole() {
    let script = format!(
        r#"{PHASES}
        let conn = connect("test:///default");
        let url = parse_xml("<disk type='network' device='cdrom'><source protocol='https' name='a.iso'><host name='example.org' port='443'/></source><target dev='sdb' bus='sata'/></disk>");
        for medium in ["/a.iso", #{{ block: "/dev/sr0" }}, #{{ pool: "isos", volume: "a.iso" }}, url] {{
            let options = #{{ disks: [#{{ path: "/disk.img", format: "raw" }}, #{{ path: "/drivers.iso", device: "cdrom" }}], cdrom: medium }};
            let dom = defined(conn, options, #{{ way: "two phases", medium: "cdrom", sector: "x" }}, ());
            assert_eq(media(dom, VIR_DOMAIN_XML_INACTIVE), ["/drivers.iso", "(empty)"]);
            phases::finish(dom, phases::marks(dom), "installed", true);
            let wanted = parse_xml(description::of(conn, #{{ name: "cd", nics: [] }} + options).to_string());
            let drive = |xml| {{
                let drive = xml.select("devices/disk[target/@dev='sdb']")[0].copy();
                for path in ["driver", "address", "boot", "readonly"] {{ drive.remove(path); }}
                drive
            }};
            assert_eq(drive.call(dom.xml()).diff(drive.call(wanted)), []);
            dom.undefine();
        }}
        "#
    );
    crate::support::virhai().script(script).ok();
}

#[test]
fn a_driver_cd_stays_in_its_drive_and_the_installer_boots_from_its_own() {
    let site = Site::used();
    let (iso, drivers) = (site.iso("installer"), site.iso("hello"));
    let disk = site.0.path("disk.img");
    let options = site
        .options(&format!(
            "iso: \"{iso}\", keep_medium: true, installed: \"MG:installed\", up: \"MG:up\""
        ))
        .replace(
            &format!("[\"{disk}\"]"),
            &format!("[#{{ path: \"{drivers}\", device: \"cdrom\" }}, \"{disk}\"]"),
        );
    site.ok(&format!(
        r#"{PHASES}
        let result = install::from_iso(conn, {options});
        assert_eq([result.verdict, result.evidence.ended], ["installed", "stopped (shutdown)"]);
        for flags in [0, VIR_DOMAIN_XML_INACTIVE] {{
            assert_eq(media(result.domain, flags), ["{drivers}", "{iso}"]);
        }}
        result.domain.destroy();
        "#
    ));
}

#[test]
fn an_installation_from_a_medium_boots_no_kernel_and_needs_a_hypervisor() {
    virhai()
        .arg("--no-check")
        .arg("-c")
        .arg("test:///default")
        .script(
            r#"import "std/install" as install;
            let options = #{ name: "web", nics: [], disks: [#{ path: "/a", format: "raw" }] };
            let refusal = assert_throws(|| install::from_iso(connect(), options + #{ iso: "/a.iso", kernel: "/k" }));
            assert_eq(refusal.message, "an installation from a CD has no option `kernel`");
            let refusal = assert_throws(|| install::from_network(connect(), options + #{ kernel: "/k" }));
            assert_eq(refusal.message, "an installation from the network has no option `kernel`");
            let refusal = assert_throws(|| install::from_network(connect(), options + #{ keep_medium: true }));
            assert_eq(refusal.message, "`keep_medium` needs `cdrom`");
            let refusal = assert_throws(|| install::from_iso(connect(), options + #{ iso: "/a.iso" }));
            assert(refusal.message.contains("test driver cannot run guests"), refusal.message);"#,
        )
        .ok();
}

#[test]
fn a_guest_without_a_disk_is_not_installed() {
    let site = Site::new();
    let iso = site.iso("installer");
    let outcome = site.run(&format!(
        "install::from_iso(conn, #{{ name: \"web\", nics: [], iso: \"{iso}\", disks: [#{{ path: \"{iso}\", device: \"cdrom\" }}] }});"
    ));
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(
        outcome.stderr.contains("`web` has no disk to install on"),
        "{outcome}"
    );
}

#[test]
fn without_a_witness_of_the_second_boot_the_verdict_is_unknown() {
    let site = Site::new();
    let options = site.options(&format!("iso: \"{}\"", site.iso("installer")));
    site.ok(&format!(
        "let result = install::from_iso(conn, {options}); \
         assert_eq(result.verdict, \"unknown\"); assert_eq(result.evidence.sector, \"changed\"); \
         result.domain.destroy();"
    ));
}

/// A failed installation leaves nothing.
fn left_nothing(site: &Site, disk: &[u8]) {
    site.ok("assert_eq(conn.list_all_domains().len(), 0);");
    assert_eq!(site.disk(), disk, "the disk of the user is untouched");
}

/// Installs by `recipe` with a micro guest of each kind that does not install.
fn fails_and_leaves_nothing(site: fn() -> Site, recipe: fn(&Site, &str) -> String) {
    let cases = [
        (
            "poweroff",
            "the boot sector of the disk is unchanged",
            "60s",
        ),
        ("reboot", "the boot sector of the disk is unchanged", "60s"),
        // This case waits for the whole timeout; a busy machine needs most of it to start the
        // guest.
        ("hang", "the installer did not end in time", "15s"),
    ];
    for (kind, why, timeout) in cases {
        let site = site();
        let before = site.disk();
        let script = recipe(&site, kind).replace("60s", timeout);
        let outcome = site.run(&script);
        assert_eq!(outcome.status, 1, "{outcome}");
        assert!(outcome.stderr.contains(why), "{outcome}");
        assert!(
            // A guest that boots again and again may be stopped in the middle of a word.
            outcome.stderr.contains(&format!("MG:{}", &kind[..3])),
            "the console is shown: {outcome}"
        );
        left_nothing(&site, &before);
    }
}

fn from_iso(site: &Site, kind: &str) -> String {
    let options = site.options(&format!("iso: \"{}\", up: \"MG:up\"", site.iso(kind)));
    format!("install::from_iso(conn, {options});")
}

fn from_kernel(site: &Site, kind: &str) -> String {
    let options = site.options(&format!("kernel: \"{}\", up: \"MG:up\"", site.kernel(kind)));
    format!("install::from_kernel(conn, {options});")
}

#[test]
fn installers_on_a_cd_that_fail_leave_a_blank_disk_blank() {
    fails_and_leaves_nothing(Site::new, from_iso);
}

#[test]
fn installers_on_a_cd_that_fail_leave_a_used_disk_alone() {
    fails_and_leaves_nothing(Site::used, from_iso);
}

#[test]
fn installers_in_a_kernel_that_fail_leave_a_blank_disk_blank() {
    fails_and_leaves_nothing(Site::new, from_kernel);
}

#[test]
fn installers_in_a_kernel_that_fail_leave_a_used_disk_alone() {
    fails_and_leaves_nothing(Site::used, from_kernel);
}

#[test]
fn an_installer_without_a_word_is_told_apart_from_lost_words() {
    let site = Site::new();
    // A disk that powers the guest off at once, and a CD that nothing boots from.
    let mut disk = site.disk();
    disk[..9].copy_from_slice(b"\xba\x04\x06\xb8\x00\x20\xef\xeb\xfe");
    disk[510..512].copy_from_slice(b"\x55\xaa");
    site.0.scratch().write("disk.img", &disk);
    site.0.scratch().write("empty.iso", [0; 65536]);
    let options = site.options(&format!("iso: \"{}\"", site.0.path("empty.iso")));
    let outcome = site.run(&format!("install::from_iso(conn, {options});"));
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(
        outcome
            .stderr
            .contains("its console showed nothing, or the guest stopped before"),
        "{outcome}"
    );
    left_nothing(&site, &disk);
}

#[test]
fn what_was_installed_must_come_up() {
    let site = Site::new();
    let options = site
        .options(&format!(
            "iso: \"{}\", up: \"never printed\"",
            site.iso("installer")
        ))
        .replace("60s", "20s");
    let script = format!(
        "try {{ install::from_iso(conn, {options}); }} catch (err) {{ \
           assert_eq(err.verdict, \"failed\"); \
           assert_eq(err.evidence.sector, \"changed\"); \
           assert(err.message.contains(\"did not come up\")); \
           assert(err.hint.contains(\"MG:c=\")); print(\"told\"); }}"
    );
    assert_eq!(site.ok(&script), "told\n");
    site.ok("assert_eq(conn.list_all_domains().len(), 0);");
}

#[test]
fn a_guest_that_exists_is_not_installed_over() {
    let site = Site::new();
    let options = site.options(&format!("iso: \"{}\"", site.iso("installer")));
    let outcome = site.run(&format!(
        "guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], start: false }}); \
         install::from_iso(conn, {options});"
    ));
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("`web` already exists"), "{outcome}");
    site.ok("assert_eq(conn.list_all_domains().len(), 1);");
}

#[test]
fn a_guest_that_is_installed_again_keeps_its_definition() {
    let site = Site::used();
    let disk = site.0.path("disk.img");
    let again = |kind: &str| {
        let iso = site.iso(kind);
        format!(
            "install::from_iso(conn, #{{ name: \"web\", iso: \"{iso}\", reinstall: true, autostart: true, installed: \"MG:installed\", \
             up: \"MG:up\", timeout: \"60s\" }})"
        )
    };
    let outcome = site.run(&format!("{};", again("installer")));
    assert!(outcome.stderr.contains("no guest `web`"), "{outcome}");
    site.ok(&format!(
        "guest::create(conn, #{{ name: \"web\", title: \"kept\", memory: \"32MiB\", nics: [], start: false, disks: [\"{disk}\"] }}); ()"
    ));
    // A CD that installs nothing.
    let before = site.ok("print(conn.lookup_by_name(\"web\").xml_desc());");
    let outcome = site.run(&format!("{};", again("poweroff")));
    assert_eq!(outcome.status, 1, "{outcome}");
    assert!(outcome.stderr.contains("without printing"), "{outcome}");
    let after = site.ok(
        "let dom = conn.lookup_by_name(\"web\"); assert(!dom.is_active() && !dom.autostart()); print(dom.xml_desc());",
    );
    assert_eq!(before, after);
    site.ok(&format!(
        "let uuid = conn.lookup_by_name(\"web\").uuid; \
         try {{ install::from_iso(conn, #{{ name: \"web\", iso: \"/x.iso\", reinstall: true, vcpus: 2 }}); throw \"not refused\"; }} \
         catch (err) {{ assert(err.message.contains(\"`vcpus` cannot be given\"), err.message); }} \
         let result = {}; \
         assert_eq([result.domain.uuid, result.domain.xml().get(\"title\"), result.domain.autostart()], [uuid, \"kept\", true]); {INSTALLED}",
        again("installer")
    ));
}

#[test]
fn a_guest_that_is_installed_again_keeps_its_boot_order_and_its_cd() {
    let site = Site::used();
    let (disk, iso, own) = (
        site.0.path("disk.img"),
        site.iso("installer"),
        site.iso("hello"),
    );
    for boot in [
        "#{ boot: [\"cdrom\", \"hd\"] }",
        "#{ edit: |xml| { xml.remove(\"devices/*/boot\"); xml.insert(\"os\", \"<boot dev='hd'/>\"); xml.insert(\"os\", \"<boot dev='network'/>\") } }",
    ] {
        // An earlier call was killed before the installer was started.
        site.ok(&format!(
            "import \"std/phases\" as phases; \
             let dom = guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], start: false, \
               disks: [\"{disk}\", #{{ path: \"{own}\", device: \"cdrom\" }}] }} + {boot}); \
             let before = dom.xml(VIR_DOMAIN_XML_INACTIVE); \
             let begun = before.copy(); \
             begun.insert(\"devices\", \"<disk type='file' device='cdrom'><source file='{iso}'/><target dev='sdb' bus='sata'/></disk>\"); \
             phases::mark_defined(begun, #{{ medium: \"cdrom\", drive: \"sdb\", added: \"yes\" }}); \
             conn.define_xml(begun); \
             let result = install::from_iso(conn, #{{ name: \"web\", iso: \"{iso}\", reinstall: true, installed: \"MG:installed\", up: \"MG:up\", timeout: \"60s\" }}); \
             let after = dom.xml(VIR_DOMAIN_XML_INACTIVE); \
             after.remove(\"metadata\"); \
             assert_eq([result.verdict, before.diff(after)], [\"installed\", []]); \
             dom.destroy(); guest::remove(dom);"
        ));
    }
}

#[test]
fn a_guest_that_boots_a_kernel_can_be_installed_from_a_cd() {
    let site = Site::new();
    let (disk, iso, kernel) = (
        site.0.path("disk.img"),
        site.iso("installer"),
        site.kernel("hello"),
    );
    site.ok(&format!(
        "let dom = guest::create(conn, #{{ name: \"web\", memory: \"32MiB\", nics: [], start: false, disks: [\"{disk}\"], kernel: \"{kernel}\" }}); \
         let result = install::from_iso(conn, #{{ name: \"web\", iso: \"{iso}\", reinstall: true, installed: \"MG:installed\", timeout: \"60s\" }}); \
         assert_eq([result.evidence.sector, dom.xml().get(\"os/kernel\")], [\"changed\", \"{kernel}\"]); \
         dom.destroy();"
    ));
}

#[test]
fn a_new_guest_has_the_boot_order_of_its_options_after_the_installation() {
    let site = Site::new();
    let options = site
        .options(&format!(
            "iso: \"{}\", boot: [\"network\", \"hd\"], installed: \"MG:installed\", up: \"MG:up\"",
            site.iso("installer")
        ))
        .replace("nics: []", "nics: [\"user\"]");
    site.ok(&format!(
        "let result = install::from_iso(conn, {options}); \
         let config = result.domain.xml(VIR_DOMAIN_XML_INACTIVE); \
         assert_eq([config.get(\"devices/interface/boot/@order\"), config.get(\"devices/disk[@device='disk']/boot/@order\")], [\"1\", \"2\"]); \
         assert(!config.has(\"devices/disk[@device='cdrom']/boot\")); \
         result.domain.destroy();"
    ));
}

#[test]
fn an_installation_from_a_cd_goes_on_after_its_client_was_killed() {
    for way in ["one phase", "two phases"] {
        killed(|site| {
            format!(
                "install::from_iso(conn, {})",
                options_of_killed(
                    site,
                    &format!("iso: \"{}\", way: \"{way}\"", site.iso("installer"))
                )
            )
        });
    }
}

#[test]
fn an_installation_by_a_kernel_goes_on_after_its_client_was_killed() {
    killed(|site| {
        let kernel = format!("kernel: \"{}\"", site.kernel("installer"));
        format!(
            "install::from_kernel(conn, {})",
            options_of_killed(site, &kernel)
        )
    });
}

fn options_of_killed(site: &Site, more: &str) -> String {
    let log = site.0.path("console.log");
    site.options(&format!("{more}, up: \"MG:c=\", serial: \"{log}\""))
}

/// Kills the client that runs `install` at several moments; another client then finishes.
fn killed(install: impl Fn(&Site) -> String) {
    for moment in ["begins", "MG:installer", "MG:installed"] {
        let site = Site::new();
        let install = format!("{RECIPES} let result = {};", install(&site));
        let client = site.0.virhai().arg("-e").arg(&install).command();
        kill_once(client, Path::new(&site.0.path("console.log")), moment);
        site.0.ok(&format!(
            "{install} assert_eq(result.verdict, \"installed\"); \
             assert_eq(conn.list_all_domains().len(), 1); \
             let dom = result.domain; dom.destroy(); guest::boot(dom).wait(\"MG:up\", \"30s\"); dom.destroy();"
        ));
    }
}

/// Kills `client` once the console log of its guest shows `moment`.
pub(super) fn kill_once(mut client: Command, log: &Path, moment: &str) {
    let mut client = client.spawn().expect("it starts");
    // The log is created when QEMU starts, and contains all output of the guest.
    let began = Instant::now();
    loop {
        let shown = std::fs::read_to_string(log).unwrap_or_default();
        if shown.contains(moment) || (moment == "begins" && log.exists()) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{shown}");
        std::thread::sleep(Duration::from_millis(5));
    }
    client.kill().expect("it can be killed");
    client.wait().expect("it ends");
}
