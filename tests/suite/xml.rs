//! XML documents in scripts.

use std::time::{Duration, Instant};

use crate::support::{Embed, Host, TestHost, virhai};

/// Runs `script` on a test driver of its own.
fn check(script: &str) {
    let host = TestHost::new();
    virhai().arg("-c").arg(host.uri()).script(script).ok();
}

#[test]
fn a_document_is_shown_as_its_text() {
    let xml = "<a>\n  <b/>\n</a>\n";
    let code = format!("parse_xml({xml:?})");
    assert_eq!(virhai().arg("-e").arg(&code).ok(), xml);
    assert_eq!(
        virhai()
            .arg("--json")
            .arg("-e")
            .arg("[parse_xml(\"<a b='1'/>\")]")
            .ok(),
        "[\"<a b='1'/>\"]\n"
    );
    assert_eq!(
        virhai()
            .arg("-e")
            .arg("#{ xml: [parse_xml(\"<a/>\")] }")
            .ok(),
        "xml  [<a/>]\n"
    );
    assert_eq!(
        virhai()
            .arg("-e")
            .arg("print(`${parse_xml(\"<a/>\")}`)")
            .ok(),
        "<a/>\n"
    );
}

#[test]
fn what_libvirt_writes_reads_back_byte_for_byte() {
    check(
        r#"
        let conn = connect();
        let texts = [conn.get_capabilities(), conn.lookup_by_name("test").xml_desc()];
        for text in texts { assert_eq(parse_xml(text).to_string(), text); }
        let dom = conn.lookup_by_name("test");
        assert_eq(dom.xml().to_string(), dom.xml_desc());
        assert_eq(dom.xml(VIR_DOMAIN_XML_INACTIVE).to_string(), dom.xml_desc(VIR_DOMAIN_XML_INACTIVE));
        "#,
    );
}

#[test]
fn a_domain_is_changed_by_way_of_its_xml() {
    check(
        r#"
        let conn = connect();
        let xml = conn.lookup_by_name("test").xml(VIR_DOMAIN_XML_INACTIVE);
        xml.set("name", "copy & more");
        xml.remove("uuid");
        xml.set("memory", 65536);
        xml.set("currentMemory", 65536);
        let disk = xml.insert("devices", #{ disk: #{ "@type": "file", source: #{ "@file": "/b.img" } } });
        disk.set("target/@dev", "vdb");
        let dom = conn.define_xml(xml);
        assert_eq(dom.name, "copy & more");
        assert_eq(dom.max_memory(), 65536);
        assert_eq(dom.xml().select("devices/disk/source/@file"), ["/b.img"]);

        let changes = xml.diff(dom.xml(VIR_DOMAIN_XML_INACTIVE)).map(|difference| difference.change);
        assert(!changes.contains("removed"), `libvirt adds, and takes nothing: ${changes}`);
        "#,
    );
}

#[test]
fn every_call_that_takes_xml_takes_a_document_and_nothing_else() {
    check(
        r#"
        let conn = connect();
        let dom = conn.lookup_by_name("test");
        let guest = xml("domain", #{ "@type": "test", name: "web", memory: 1024, os: #{ type: "hvm" } });
        conn.define_xml(guest).undefine();
        conn.define_xml(guest, VIR_DOMAIN_DEFINE_VALIDATE).undefine();
        conn.create_xml(guest).destroy();
        conn.create_xml(guest, 0).destroy();
        // A part of a document is a document, too.
        let image = xml("image", #{ domain: guest });
        conn.define_xml(image.select("domain")[0]).undefine();

        // A type that the check before the run cannot see.
        let wrong = [1, [], (), #{}];
        let calls = #{
            define: || conn.define_xml(wrong[0]),
            define_flags: || conn.define_xml(wrong[1], 0),
            create: || conn.create_xml(wrong[2]),
            create_flags: || conn.create_xml(wrong[3], 0),
            save: || dom.save("/tmp/x", wrong[0], 0),
            restore: || conn.restore("/tmp/x", wrong[0], 0),
            save_image: || conn.save_image_define_xml("/tmp/x", wrong[0], 0),
            managed_save: || dom.managed_save_define_xml(wrong[0], 0),
            metadata: || dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, wrong[0], (), (), 0),
            migrate: || dom.migrate(conn, wrong[0], 0, (), (), 0),
            migrate_options: || dom.migrate(conn, 0, #{ destination_xml: wrong[0] }),
            migrate_to_uri: || dom.migrate_to_uri((), (), wrong[0], 0, (), 0),
        };
        for name in calls.keys() {
            let message = "nothing was thrown";
            try { calls[name].call(); } catch (err) { message = err.message; }
            assert(message.contains("must be text or an Xml, not ") || message.contains("must be text or XML, not "), `${name}: ${message}`);
        }
        "#,
    );
}

#[test]
fn metadata_is_a_document_of_its_own() {
    check(
        r#"
        let dom = connect().lookup_by_name("test");
        let uri = "https://example.org/owner";
        let owner = xml("team", #{ name: "web & co" });
        dom.set_metadata(VIR_DOMAIN_METADATA_ELEMENT, owner, "o", uri, 0);
        assert_eq(dom.xml().get("metadata/o:team/o:name"), "web & co");
        let part = dom.xml().select("metadata/*")[0].copy();
        assert_eq(part.name, "o:team");
        "#,
    );
}

#[test]
fn a_save_image_takes_a_changed_document() {
    let host = TestHost::new();
    let scratch = crate::support::Scratch::new();
    let path = scratch.text("web.save");
    virhai()
        .arg("--allow-read")
        .arg(&path)
        .arg("--allow-write")
        .arg(&path)
        .arg("-c")
        .arg(host.uri())
        .script(format!(
            r#"
            let conn = connect();
            conn.lookup_by_name("test").save("{path}");
            let xml = parse_xml(conn.save_image_get_xml_desc("{path}"));
            xml.set("description", "saved <and> kept");
            conn.save_image_define_xml("{path}", xml, 0);
            assert_eq(conn.restore("{path}").xml().get("description"), "saved <and> kept");
            "#
        ))
        .ok();
}

#[test]
fn maps_become_elements_as_they_say() {
    check(
        r##"
        let made = xml("a", #{
            "@z": 1, "@y": "<&'", "@x": (),
            text: "t < u", number: 42, float: 1.5, empty: true, no: false, nothing: (),
            many: ["one", #{ "@n": 2 }, true, ()],
            both: #{ "@unit": "KiB", "#text": 1024 },
            ordered: #{ "#children": [#{ b: 1 }, parse_xml("<x  y=\"1\"/>"), #{ a: 1 }, ()] },
            xml: parse_xml("<xml>\n   <kept/>\n</xml>"),
        });
        assert_eq(made.to_string(), `<a y='&lt;&amp;&apos;' z='1'>
  <both unit='KiB'>1024</both>
  <empty/>
  <float>1.5</float>
  <many>one</many>
  <many n='2'/>
  <many/>
  <number>42</number>
  <ordered>
    <b>1</b>
    <x  y="1"/>
    <a>1</a>
  </ordered>
  <text>t &lt; u</text>
  <xml>
     <kept/>
  </xml>
</a>`);
        assert_eq(xml("a", "text").to_string(), "<a>text</a>");
        assert_eq(xml("a", #{}).to_string(), "<a/>");
        assert_eq(xml("a", made).name, "a");
        "##,
    );
}

#[test]
fn an_array_in_a_map_makes_an_element_of_each_value() {
    check(
        r##"
        let xml = parse_xml("<devices>\n  <input/>\n  <video/>\n</devices>");
        let last = xml.insert(".", #{ sound: [#{ "@model": "ich9" }, #{ "@model": "ac97" }] });
        assert_eq(last.to_string(), "<sound model='ac97'/>");
        xml.insert_after("input", #{ hub: [#{ "@type": "a" }, #{ "@type": "b" }] });
        xml.insert_before("video", #{ vsock: ["c", true] });
        assert_eq(xml.to_string(), `<devices>
  <input/>
  <hub type='a'/>
  <hub type='b'/>
  <vsock>c</vsock>
  <vsock/>
  <video/>
  <sound model='ich9'/>
  <sound model='ac97'/>
</devices>`);
        let before = xml.to_string();
        for wrong in [#{ sound: [] }, #{ sound: false }, #{ sound: [#{}, [1]] }, #{ sound: [#{}, #{ "p:a": 1 }] }] {
            let refused = false;
            try { xml.insert("new/path", wrong); } catch { refused = true; }
            assert(refused);
        }
        assert_eq(xml.to_string(), before);
        "##,
    );
}

#[test]
fn a_map_is_set_out_as_the_document_around_it() {
    check(
        r##"
        for style in [["\n", "  "], ["\r\n", "\t"], ["\n", "    "], ["\r\n", "  "]] {
            let line = |depth| { let text = style[0]; for n in 0..depth { text += style[1]; } text };
            let xml = parse_xml("<domain>" + line.call(1) + "<devices>" + line.call(2) + "<disk/>" + line.call(1) + "</devices>" + line.call(0) + "</domain>");
            xml.insert("devices", #{ rng: #{ backend: #{ "@model": "random", "#text": "a\n  b" }, driver: #{ x: #{} } } });
            xml.insert(".", #{ metadata: #{ x: #{ y: #{} } } });
            assert_eq(xml.to_string(), "<domain>" + line.call(1) + "<devices>" + line.call(2) + "<disk/>"
                + line.call(2) + "<rng>" + line.call(3) + "<backend model='random'>a\n  b</backend>" + line.call(3) + "<driver>" + line.call(4) + "<x/>" + line.call(3) + "</driver>"
                + line.call(2) + "</rng>" + line.call(1) + "</devices>"
                + line.call(1) + "<metadata>" + line.call(2) + "<x>" + line.call(3) + "<y/>" + line.call(2) + "</x>" + line.call(1) + "</metadata>"
                + line.call(0) + "</domain>");
        }
        "##,
    );
}

#[test]
fn maps_that_make_no_sense_say_where() {
    check(
        r##"
        let cases = #{
            "d/e/@f: expected text or a number, not bool": #{ e: #{ "@f": true } },
            "d/e/#text: expected text or a number, not map": #{ e: #{ "#text": #{} } },
            "d/e f: `e f` is not a name": #{ "e f": 1 },
            "d/@1: `1` is not a name": #{ "@1": 1 },
            "d/#txt: there is no key `#txt`": #{ "#txt": "x" },
            "d/#children: expected an array of maps": #{ "#children": #{} },
            "d/e: an array contains an array": #{ e: [[1]] },
            "d: a list makes several elements, but a document has only one": ["a", "b"],
            "d/e: the key is `e`, and the Xml is a `f`": #{ e: xml("f") },
            "d/e/#text: the character U+0000 is not allowed in XML": #{ e: #{ "#text": "\x00" } },
            "d/@e: the character U+0001 is not allowed in XML": #{ "@e": "\x01" },
        };
        for expected in cases.keys() {
            let message = "nothing was thrown";
            try { xml("d", cases[expected]); } catch (err) { message = err.message; }
            assert(message.starts_with(expected), `${expected}: ${message}`);
        }
        "##,
    );
}

#[test]
fn maps_within_maps_without_end_are_refused() {
    check(
        r#"
        let map = #{};
        for n in 0..1200 { map = #{ a: map }; }
        let message = "nothing was thrown";
        try { xml("a", map); } catch (err) { message = err.message; }
        assert(message.contains("deeper than 1000 levels"), message);
        "#,
    );
}

#[test]
fn elements_live_in_their_document_across_threads() {
    check(
        r#"
        let xml = xml("a", #{ b: [1, 2, 3, 4] });
        parallel(xml.select("b"), 4, |b| { for n in 0..50 { b.set("@n", n); b.get("@n"); } });
        assert_eq(xml.select("b/@n"), ["49", "49", "49", "49"]);
        let other = xml.copy();
        parallel([0, 1, 2, 3], 4, |n| {
            for i in 0..20 { assert(if n % 2 == 0 { xml == other } else { other == xml }); }
        });
        "#,
    );
}

#[test]
fn huge_deep_and_self_multiplying_documents_are_handled_or_refused() {
    check(
        r#"
        let part = "<disk type='file'><source file='/var/lib/libvirt/images/a.img'/></disk>\n";
        for n in 0..14 { part += part; }
        let text = "<devices>";
        for n in 0..50 { text += part; }
        text += "</devices>";
        assert(text.len() > 50_000_000);
        let xml = parse_xml(text);
        assert(xml.select("disk").len() > 700_000);
        xml.set("disk[last()]/@type", "block");
        assert_eq(xml.to_string().len(), text.len() + 1);

        fn refused(text, words) {
            let message = "nothing was thrown";
            try { parse_xml(text); } catch (err) { assert_eq(err.code, "VIR_ERR_XML_ERROR"); message = err.message; }
            assert(message.contains(words), message);
        }
        let deep = "<a>";
        deep.pad(3_000_000, "<a>");
        refused(deep, "deeper than 1000 levels");
        refused("<!DOCTYPE d [<!ENTITY l0 'ha'><!ENTITY l1 '&l0;&l0;'>]><a>&l1;</a>", "declares an entity");
        refused("a\x00b", "U+0000");
        refused("<a/>\x00", "U+0000");
        "#,
    );
}

#[test]
fn real_guests_are_defined_from_documents() {
    let host = Embed::new();
    let xml = host.micro("counter", "web");
    host.ok(&format!(
        r#"
            let conn = connect();
            let xml = parse_xml(`{xml}`);
            xml.set("description", "made of a document");
            let dom = conn.define_xml(xml, VIR_DOMAIN_DEFINE_VALIDATE);
            dom.create();
            let live = dom.xml();
            assert_eq(live.to_string(), dom.xml_desc());
            assert_eq(live.get("description"), "made of a document");
            let added = dom.xml(VIR_DOMAIN_XML_INACTIVE).diff(live);
            assert(added.some(|difference| difference.path == "@id"));
            dom.destroy();
            "#
    ));
}

#[test]
fn work_on_xml_that_takes_long_can_be_stopped() {
    const NESTED: &str =
        "let xml = parse_xml(`${\"<a>\".repeat(900)}<b/>${\"</a>\".repeat(900)}`);";
    for code in [
        "xml.select(\"//*[//*[//*[//*='z']]]\")",
        "xml.get(\"//*[//*[//*[//*='z']]]\")",
        "xml.has(\"//*[//*[//*[//*='z']]]\")",
        "xml.set(\"//*[//*[//*[//*='z']]]/@a\", 1)",
        "xml.remove(\"//*[//*[//*[//*='z']]]\")",
        "parallel([xml], 1, |xml| xml.select(\"//*[//*[//*[//*='z']]]\"))",
        "loop { parse_xml(`<a>${\"<b/>\".repeat(100000)}</a>`) }",
    ] {
        let began = Instant::now();
        let script = format!(
            "{NESTED} all_or_nothing(|undo| {{
                undo.push(|| print(`undone: ${{xml.has(\"a/a\")}}`));
                try {{ {code}; }} catch {{}}
                print(\"after\");
            }});"
        );
        let outcome = virhai()
            .arg("--timeout")
            .arg("1s")
            .arg("-e")
            .arg(&script)
            .run();
        assert_eq!(outcome.status, 124, "{code}: {outcome}");
        assert_eq!(outcome.stdout, "undone: true\n", "{code}: {outcome}");
        assert!(began.elapsed() < Duration::from_secs(8), "{code}");
    }
}

#[test]
fn options_are_written_at_their_places() {
    virhai()
        .script(
            r##"
            const PART = #{
                model: #{ words: ["x", "y"], default: "x", xml: "@model", help: "model" },
                on: #{ type: "bool", xml: "@state", written: ["on", "off"], help: "state" },
                size: #{ type: "size", unit: "KiB", xml: "limit/size", help: "size" },
                address: #{ type: "Xml", xml: "address", help: "address" },
            };
            const ALL = #{
                part: #{ type: ["bool", "PART", "Xml"], short: "model", several: true, xml: "parts/part", help: "parts" },
                main: #{ type: ["bool", "PART"], short: "model", xml: "main", help: "the main part" },
                args: #{ type: ["array", "string"], xml: "args/arg/@value", help: "arguments" },
                flag: #{ type: "bool", xml: "flag", help: "flag" },
                note: #{ type: "string", xml: "notes/note[@name='own']", help: "note" },
                here: #{ type: "string", help: "written by nobody" },
            };
            fn written(xml, options) { xml.write_options(options, global::ALL).map(|gone| `${gone.path}: ${gone.element}`) }
            fn texts(xml, path) { xml.select(path).map(|found| found.to_string()) }

            let doc = parse_xml("<all><notes><note name='other'>1</note></notes></all>");
            assert_eq(written(doc, #{ part: ["y", true, #{ size: "2MiB", on: false }], main: "y", args: ["b", "a"], flag: true, note: "a<b", here: "x" }), []);
            let same = doc.copy();
            assert_eq(texts(doc, "parts/part/@model"), ["y", "x", "x"]);
            assert_eq([doc.get("parts/part[3]/limit/size"), doc.get("parts/part[3]/limit/size/@unit"), doc.get("parts/part[3]/@state")], ["2048", "KiB", "off"]);
            assert_eq([doc.get("main/@model"), doc.get("notes/note[@name='own']"), doc.get("notes/note")], ["y", "a<b", "1"]);
            assert_eq(texts(doc, "args/arg/@value"), ["b", "a"]);
            assert(doc.has("flag") && !doc.to_string().contains("here"));

            // The same again changes nothing, also where libvirt has added something or counts in another unit.
            doc.set("parts/part[2]/address/@slot", "0x1");
            doc.set("parts/part[3]/limit/size", 2);
            doc.set("parts/part[3]/limit/size/@unit", "MiB");
            doc.set("main/@state", "on");
            let before = doc.copy();
            assert_eq(written(doc, #{ main: #{ size: 4 }, args: ["b", "a"], part: ["y", true] }).len(), 1);
            assert_eq(texts(doc, "parts/part/@model"), ["y", "x"]);
            assert_eq([doc.get("main/@model"), doc.get("main/@state"), doc.get("main/limit/size")], ["y", "on", "4"]);
            // Options that are not given leave what is there; the order of plain values counts.
            assert_eq(written(doc, #{ args: ["a", "b"], main: (), flag: false }).len(), 1);
            assert_eq(texts(doc, "args/arg/@value"), ["a", "b"]);
            assert(doc.has("main") && !doc.has("flag"));
            assert_eq(written(doc, #{ part: false }).len(), 2);
            written(doc, #{ part: "<part model='z'><address slot='1'/></part>" });
            assert_eq(texts(doc, "parts/part/address/@slot"), ["1"]);
            written(doc, #{ part: #{ address: xml("address", #{ "@slot": 2 }) } });
            assert_eq(texts(doc, "parts/part/address/@slot"), ["2"]);

            fn refused(options) { try { written(xml("all"), options); } catch (err) { return err.message; } "not refused" }
            assert_eq(refused(#{ part: [#{ size: 5 }, xml("other")] }), "`part`: expected <part>, not <other>");
            assert_eq(refused(#{ main: #{ size: "1B" } }), "`main.size`: `1B` is not a whole number of KiB");
            assert(refused(#{ main: #{ size: "much" } }).contains("`main.size`: "));
            "##,
        )
        .ok();
}
