//! Pinning, limits and information from QEMU itself.

use crate::support::{Embed, Host, virhai};

#[test]
fn what_cannot_be_tuned_is_refused_before_libvirt_is_asked() {
    let script = r#"
        let conn = connect("test:///default");
        let dom = conn.lookup_by_name("test");
        fn refused(what) {
            try { what.call(); } catch (err) { return `${err.message}; ${err.hint}`; }
            "not refused"
        }
        print(refused(|| dom.pin_vcpu(0, [8])));
        print(refused(|| dom.pin_vcpu(0, [])));
        print(refused(|| dom.pin_emulator("3-1")));
        print(refused(|| dom.set_perf_events(#{ cpu_cycles: 1 })));
        print(refused(|| conn.set_memory_parameters(#{ shm_pages_to_scam: 1 })));
        print(refused(|| dom.set_memory_parameters(#{ hard_limit: -1 })));
        print(refused(|| dom.set_blkio_parameters(#{ weight: 4294967296 })));
        print(refused(|| dom.set_memory_stats_period("1500ms")));
        print(refused(|| dom.set_memory_stats_period("200ms")));
        print(refused(|| dom.migrate_set_max_speed("1500KiB", 0)));
        print(refused(|| dom.migrate_set_max_speed("100KB", 0)));
        print(dom.vcpu_pin_info()[0].len());
    "#;
    let told = virhai().arg("--no-check").script(script).ok();
    let lines: Vec<&str> = told.lines().collect();
    for (line, wanted) in lines.iter().zip([
        "CPU 8 does not exist; the host has 8 CPUs",
        "the set of CPUs is empty",
        "`3-1` is not a set of CPUs",
        "`cpu_cycles` must be true or false, not",
        "did you mean `shm_pages_to_scan`?",
        "`hard_limit` must be a size such as \"20GiB\", not -1",
        "4294967296 is out of range for `weight`",
        "`1500ms` is not a whole number of seconds, and libvirt takes no parts; give \"1s\" or \"2s\"",
        "`200ms` is not a whole number of seconds, and libvirt takes no parts; \"1s\" is the shortest",
        "`1500KiB` is not a whole number of MiB, and libvirt takes no parts; give \"1MiB\" or \"2MiB\"",
        "`100KB` is not a whole number of MiB, and libvirt takes no parts; \"1MiB\" is the smallest",
        "8",
    ]) {
        assert!(line.contains(wanted), "{line}: {wanted}");
    }
    assert_eq!(lines.len(), 12, "{told}");
}

#[test]
fn a_guest_is_tuned_as_qemu_itself_sees_it() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    let script = format!(
        r#"
        let conn = connect();
        let dom = conn.define_xml(`{xml}`);
        dom.create();
        let told = conn.wait_event(#{{ kind: "qemu_monitor", event: "STOP", domain: dom }}, "30s", || dom.suspend());
        assert_eq([told.domain, told.event], ["web", "STOP"]);
        dom.resume();
        dom.set_block_io_tune("hda", #{{ total_iops_sec: 77 }});
        assert(dom.qemu_monitor_command(`{{"execute": "query-block"}}`).contains(`"iops":77`));
        dom.pin_emulator([0]);
        assert_eq(dom.xml().get("cputune/emulatorpin/@cpuset"), "0");
        assert_eq(dom.disk_errors(), #{{}});
        dom.destroy();
        "#
    );
    host.virhai().arg("--no-check").script(script).ok();
}
