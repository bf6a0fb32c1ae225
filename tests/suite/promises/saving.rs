//! 6 and 42 to 58: save, restore and managed save.

use std::path::{Path, PathBuf};

use super::{assert_counted_on, on_qemu, on_test, script};
use crate::support::{Embed, Host, micro};

/// 43, 44, 46, 52, 55, 56 on both drivers.
const SAVED: &str = r#"
    let conn = connect();
    let dom = conn.define_xml(xml);
    assert_eq(thrown(|| dom.save(save)), "VIR_ERR_OPERATION_INVALID");
    dom.create();
    dom.save(save);
    assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
    let back = conn.restore(save);
    assert_eq(back.name, "web");
    assert_eq(back.uuid, dom.uuid);
    assert_eq(back.state_reason(), #{ state: "running", reason: "restored" });
    assert(back.id > 0);
    assert_eq(thrown(|| conn.lookup_by_id(0)), "VIR_ERR_NO_DOMAIN");

    dom.managed_save();
    assert_eq(dom.state_reason(), #{ state: "shutoff", reason: "saved" });
    assert(dom.has_managed_save_image());
    dom.create();
    // T runs the image without saying so.
    let reason = if driver == "test" { "booted" } else { "restored" };
    assert_eq(dom.state_reason(), #{ state: "running", reason: reason });
    assert(!dom.has_managed_save_image());

    dom.destroy();
    dom.undefine();
    let brief = conn.create_xml(xml);
    assert_eq(thrown(|| brief.managed_save()), "VIR_ERR_OPERATION_INVALID");
    assert_eq(brief.state(), "running");
    brief.save(save);
    assert_eq(conn.list_all_domains(), []);
    let back = conn.restore(save);
    assert(!back.is_persistent());
    back.destroy();
"#;

/// Also 53, 54, 57, 58, where T is less strict than Q.
#[test]
fn the_test_driver_saves_and_restores() {
    on_test(SAVED);
    on_test(
        r#"
        let conn = connect();
        let dom = conn.define_xml(xml);
        dom.managed_save_remove();
        dom.create();
        dom.save(save);
        for flag in [VIR_DOMAIN_SAVE_RUNNING, VIR_DOMAIN_SAVE_PAUSED] {
            assert_eq(thrown(|| conn.restore(save, (), flag)), "VIR_ERR_INVALID_ARG");
        }
        assert_eq(dom.state(), "shutoff");
        dom.create();
        dom.managed_save();
        assert_eq(thrown(|| dom.undefine()), "VIR_ERR_OPERATION_INVALID");
        dom.rename("web2");
        conn.lookup_by_name("web2").undefine(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);
        assert_eq(conn.list_all_domains(), []);
        "#,
    );
}

#[test]
fn guests_are_saved_and_restored_and_never_notice() {
    let host = Embed::new();
    on_qemu(&host, SAVED);
    assert!(
        size(&host.scratch().path("web.save")) > 0,
        "42: the image is a file on the host"
    );

    let xml = host.micro("counter", "count");
    let (save, missing) = (host.path("count.save"), host.path("missing/count.save"));
    let values = [
        ("xml", xml.as_str()),
        ("save", &save),
        ("missing", &missing),
    ];
    let folder = host.scratch().folder("client");
    let outcome = host.virhai().folder(&folder).script(script(
        &values,
        r#"
        let conn = connect();
        let dom = conn.define_xml(xml);
        dom.create();
        dom.open_console().wait("MG:c=", "30s");

        // 42: a relative path would be the client's.
        assert_eq(thrown(|| dom.save("count.save")), "VIR_ERR_INVALID_ARG");
        assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });

        // 45: a save that fails leaves the guest running.
        assert_eq(thrown(|| dom.save(missing)), "VIR_ERR_SYSTEM_ERROR");
        assert_eq(dom.state_reason(), #{ state: "running", reason: "save_canceled" });

        // 51: what the guest can see must not change, the rest may, and the configuration stays.
        let bigger = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
        bigger.replace("32768", "65536");
        assert_eq(thrown(|| dom.save(save, bigger, 0)), "VIR_ERR_CONFIG_UNSUPPORTED");
        assert_eq(dom.state(), "running");
        let described = dom.xml_desc(VIR_DOMAIN_XML_MIGRATABLE);
        described.replace("</name>", "</name><description>saved</description>");
        dom.save(save, described, 0);
        assert(conn.save_image_get_xml_desc(save).contains("<description>saved</description>"));
        assert(!dom.xml_desc(VIR_DOMAIN_XML_INACTIVE).contains("<description>"));

        // 49: it goes on where it was; 46: but only once at a time.
        conn.restore(save);
        assert(dom.xml_desc().contains("<description>saved</description>"));
        dom.open_console().wait("MG:c=", "30s");
        assert_eq(thrown(|| conn.restore(save)), "VIR_ERR_OPERATION_INVALID");
        assert_eq(dom.state_reason(), #{ state: "running", reason: "restored" });

        // 6: saved while paused it comes back paused, by file and by managed save,
        // 53: unless told otherwise.
        dom.suspend();
        dom.save(save);
        assert_eq(conn.restore(save).state(), "paused");
        dom.managed_save();
        dom.create();
        assert_eq(dom.state(), "paused");
        dom.managed_save(VIR_DOMAIN_SAVE_RUNNING);
        dom.create();
        assert_eq(dom.state(), "running");
        dom.save(save);
        assert_eq(conn.restore(save, (), VIR_DOMAIN_SAVE_PAUSED).state(), "paused");
        dom.save(save);
        let back = conn.restore(save, (), VIR_DOMAIN_SAVE_RUNNING);
        assert_eq(back.state(), "running");
        back.open_console().wait("MG:c=", "30s");
        back.save(save);
        "#,
    ));
    outcome.ok();
    assert_counted_on(&host.console("count"));
    assert!(
        !folder.join("count.save").exists(),
        "nothing was written at the client"
    );
    assert!(!host.scratch().path("missing").exists());

    // 47, 48: libvirt does not check that an image is restored only once, and with the disk as it
    // was at the save.
    let blank = std::fs::read(micro("blank.img")).expect("the guests are built");
    std::fs::write(host.scratch().path("count.img"), blank).expect("the disk is ours");
    host.ok(&script(
        &values,
        r#"
        let conn = connect();
        let dom = conn.restore(save);
        dom.open_console().wait("MG:c=", "30s");
        dom.destroy();
        assert_eq(conn.restore(save).state_reason(), #{ state: "running", reason: "restored" });
        dom.destroy();
        "#,
    ));
}

/// 54: QEMU refuses a file that is not a save image, and nothing starts.
#[test]
fn damaged_and_foreign_save_images_are_refused_or_discarded() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let (save, cut, foreign) = (
        host.path("web.save"),
        host.path("cut"),
        host.path("foreign"),
    );
    let values = [
        ("xml", xml.as_str()),
        ("save", &save),
        ("cut", &cut),
        ("foreign", &foreign),
    ];
    host.ok(&script(
        &values,
        r#"
        let dom = connect().define_xml(xml);
        dom.create();
        dom.save(save);
        dom.create();
        dom.open_console().wait("MG:c=", "30s");
        dom.managed_save();

        // 57: its image must be given up on purpose.
        assert_eq(thrown(|| dom.undefine()), "VIR_ERR_OPERATION_INVALID");
        assert_eq(thrown(|| dom.rename("web2")), "VIR_ERR_OPERATION_INVALID");
        assert(dom.has_managed_save_image());
        "#,
    ));
    let image = std::fs::read(&save).expect("the image is there");
    host.scratch().write("cut", &image[..40]);
    host.scratch().write("foreign", vec![b'x'; 4096]);
    let managed = managed_image(&host.scratch().path("root")).expect("libvirt chose a place");
    host.ok(&script(
        &values,
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("web");
        assert_eq(thrown(|| conn.restore(cut)), "VIR_ERR_OPERATION_FAILED");
        assert_eq(thrown(|| conn.restore(foreign)), "VIR_ERR_OPERATION_FAILED");
        assert_eq(thrown(|| conn.restore(save + ".missing")), "VIR_ERR_SYSTEM_ERROR");
        assert_eq(dom.state_reason().state, "shutoff");

        // 56: the image is used once, or discarded for a fresh boot.
        dom.create();
        assert_eq(dom.state_reason(), #{ state: "running", reason: "restored" });
        dom.managed_save();
        dom.create(VIR_DOMAIN_START_FORCE_BOOT);
        assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });
        assert(!dom.has_managed_save_image());

        // 58: without an image there is none to remove.
        assert_eq(thrown(|| dom.managed_save_remove()), "VIR_ERR_SYSTEM_ERROR");
        dom.managed_save();
        "#,
    ));
    // 56: a damaged image is lost without a word; the reason of the state alone tells.
    std::fs::write(&managed, vec![b'x'; 4096]).expect("root writes everywhere");
    host.ok(&script(
        &values,
        r#"
        let dom = connect().lookup_by_name("web");
        assert(dom.has_managed_save_image());
        if connect().get_lib_version().split(".")[0].parse_int() < 11 {
            // libvirt 9.0 and 10.0 refuse it instead.
            assert_eq(thrown(|| dom.create()), "VIR_ERR_OPERATION_FAILED");
            dom.managed_save_remove();
            exit(0);
        }
        dom.create();
        assert_eq(dom.state_reason(), #{ state: "running", reason: "booted" });
        assert(!dom.has_managed_save_image());
        dom.destroy();
        dom.undefine();
        "#,
    ));
}

/// The managed save image somewhere below `folder`.
fn managed_image(folder: &Path) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let found = match path.is_dir() {
            true => managed_image(&path),
            false => path.ends_with("save/web.save").then_some(path),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

/// 49: a serial port that writes to a file truncates the file at restore, unless it appends. 50:
/// the guest's clock shows the host's time after a restore and after a pause.
#[test]
fn a_restored_guest_finds_its_clock_set_and_perhaps_its_console_file_emptied() {
    let host = Embed::new();
    let (fresh, kept) = (host.path("fresh.log"), host.path("kept.log"));
    let to_file = |name: &str, append: &str| {
        let xml = host.micro("counter", name);
        let (head, rest) = xml
            .split_once("<serial")
            .expect("the guest has a serial port");
        let (_, tail) = rest.split_once("</serial>").expect("it ends");
        let file = host.path(&format!("{name}.log"));
        format!("{head}<serial type='file'><source path='{file}'{append}/></serial>{tail}")
    };
    let (xml_fresh, xml_kept) = (to_file("fresh", ""), to_file("kept", " append='on'"));
    let rtc = host.micro("rtc", "clock");
    let save = host.path("save");
    let values = [
        ("fresh", xml_fresh.as_str()),
        ("kept", &xml_kept),
        ("clock", &rtc),
        ("save", &save),
    ];
    let printed = host.ok(&script(
        &values,
        r#"
        fn seconds(text) { parse_int(text.sub_string(0, 2)) * 3600
            + parse_int(text.sub_string(2, 2)) * 60 + parse_int(text.sub_string(4, 2)) }
        fn now(console) {
            console.read();
            console.wait("MG:rtc=0x00", "30s");
            seconds(console.wait("\r\n", "30s"))
        }
        fn later(first, second) { (second - first + 86400) % 86400 }

        let conn = connect();
        let fresh = conn.create_xml(fresh);
        let kept = conn.create_xml(kept);
        let dom = conn.create_xml(clock);
        let console = dom.open_console();
        let before = now(console);
        dom.suspend();
        // Only the passing of time can tell a clock that stood still.
        sleep("3s");
        dom.resume();
        assert(later(before, now(console)) >= 3, "the clock stood still in the pause");

        let before = now(console);
        dom.save(save);
        fresh.save(save + "1");
        kept.save(save + "2");
        sleep("2s");
        conn.restore(save + "1");
        conn.restore(save + "2");
        let dom = conn.restore(save);
        assert(later(before, now(dom.open_console())) >= 3, "the clock stood still in the file");
        "#,
    ));
    assert_eq!(printed, "");
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        !read(&fresh).contains("MG:up"),
        "the file was emptied: {}",
        read(&fresh)
    );
    assert_counted_on(&read(&kept));
}
