//! Text that is malformed, huge, deeply nested, or not text at all.

use crate::support::{Host, Scratch, TestHost, virhai};

/// The code of the error that `define_xml` throws for `xml`, which the script contains.
fn defining(xml: &str) -> String {
    let host = TestHost::new();
    // In a raw string, Rhai does not interpret the XML.
    let script = format!(
        "let conn = connect(); let xml = ##\"{xml}\"##; try {{ conn.define_xml(xml); print(\"defined\") }} catch (err) {{ print(err.code) }}"
    );
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(script)
        .ok()
        .trim()
        .to_owned()
}

#[test]
fn malformed_xml_is_an_error_and_loses_nothing() {
    for xml in [
        "",
        "<",
        "<domain>",
        "<domain/>",
        "no xml",
        "<domain type='test'><name>",
        "<a></b>",
        "&undefined;",
    ] {
        let code = defining(xml);
        assert!(code.starts_with("VIR_ERR_"), "{xml:?}: {code}");
    }
}

#[test]
fn huge_deep_and_self_multiplying_xml_is_refused_or_handled() {
    let deep = "<a>".repeat(1_000_000);
    let code = defining(&deep);
    assert!(code.starts_with("VIR_ERR_"), "a million deep: {code}");

    let long = format!(
        "<domain type='test'><name>long</name><description>{}</description><memory>1</memory><os><type>hvm</type></os></domain>",
        "x".repeat(9 * 1024 * 1024)
    );
    let code = defining(&long);
    assert!(
        code == "defined" || code.starts_with("VIR_ERR_"),
        "long: {code}"
    );

    let mut laughs = String::from("<!DOCTYPE d [<!ENTITY l0 'ha'>");
    for level in 1..30 {
        let before = format!("&l{};", level - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY l{level} '{before}'>"));
    }
    laughs.push_str("]><domain type='test'><name>&l29;</name></domain>");
    let code = defining(&laughs);
    assert!(code.starts_with("VIR_ERR_"), "entities: {code}");
}

#[test]
fn a_script_that_is_no_text_is_refused() {
    let scratch = Scratch::new();
    let file = scratch.write("binary.rhai", [b'1', 0xff, 0xfe]);
    let outcome = virhai().arg("run").arg(file).run();
    assert!([2, 3].contains(&outcome.status), "{outcome}");
    assert!(outcome.stderr.contains("UTF-8"), "{outcome}");
}

#[test]
fn a_nul_byte_is_refused_in_every_text() {
    let host = TestHost::new();
    virhai()
        .arg("-c")
        .arg(host.uri())
        .script(
            r#"
            let conn = connect();
            let dom = conn.lookup_by_name("test");
            // The check knows no value of a call.
            let nul = ["a", "b"].join("\x00");
            let calls = #{
                connect: || connect(nul),
                connect_read_only: || connect_read_only(nul),
                connect_auth: || connect_auth("test:///default", #{ username: nul }),
                lookup_by_name: || conn.lookup_by_name(nul),
                lookup_by_uuid: || conn.lookup_by_uuid(nul),
                create_xml: || conn.create_xml(nul),
                define_xml: || conn.define_xml(nul),
                define_xml_flags: || conn.define_xml(nul, 0),
                restore: || conn.restore("/" + nul),
                restore_xml: || conn.restore("/tmp/x", nul, 0),
                restore_params: || conn.restore_params(#{ file: "/" + nul }, 0),
                save_image: || conn.save_image_get_xml_desc("/" + nul),
                save_image_define: || conn.save_image_define_xml("/tmp/x", nul, 0),
                max_vcpus: || conn.get_max_vcpus(nul),
                capabilities: || conn.get_domain_capabilities(nul, (), (), (), 0),
                cpu_models: || conn.get_cpu_model_names(nul),
                rename: || dom.rename(nul),
                save: || dom.save("/" + nul),
                save_xml: || dom.save("/tmp/x", nul, 0),
                save_params: || dom.save_params(#{ file: "/" + nul }, 0),
                managed_save_xml: || dom.managed_save_define_xml(nul, 0),
                metadata: || dom.metadata(VIR_DOMAIN_METADATA_ELEMENT, nul),
                set_metadata: || dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, nul, (), (), 0),
                block_stats: || dom.block_stats(nul),
                block_stats_flags: || dom.block_stats(nul, 0),
                block_info: || dom.block_info(nul),
                interface_stats: || dom.interface_stats(nul),
                core_dump: || dom.core_dump("/" + nul),
                migrate: || dom.migrate(conn, 0, nul, nul, 0),
                migrate_xml: || dom.migrate(conn, nul, 0, (), (), 0),
                migrate_options: || dom.migrate(conn, 0, #{ destination_name: nul }),
                migrate_to_uri: || dom.migrate_to_uri(nul, 0),
                migrate_to_uri_xml: || dom.migrate_to_uri(nul, nul, nul, 0, nul, 0),
                open_console: || dom.open_console(nul, 0),
                wait: || dom.wait(nul, 0),
                wait_event: || conn.wait_event(nul, 0),
            };
            let wrong = [];
            for name in calls.keys() {
                let code = "nothing";
                try { calls[name].call(); } catch (err) { code = err.code; }
                if code != "VIR_ERR_INVALID_ARG" { wrong.push(`${name}: ${code}`); }
            }
            assert_eq(wrong, []);
            assert_eq(dom.state(), "running");
            "#,
        )
        .ok();
}
