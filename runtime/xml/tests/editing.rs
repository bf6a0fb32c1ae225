//! Editing: what changes, and what does not.

use super::*;

#[test]
fn an_edit_leaves_all_other_bytes() {
    let set = |path: &str, value: &str| after(ODD, |document| document.set(path, value));
    assert_eq!(set("@id", "2"), ODD.replace("id=\"1\"", "id=\"2\""));
    assert_eq!(set("name", "db"), ODD.replace("w&#101;b &amp; co", "db"));
    assert_eq!(
        set("//target[@dev='sda']/@bus", "sata"),
        ODD.replace("<target dev='sda'>", "<target dev='sda' bus='sata'>")
    );
    assert_eq!(
        set("devices/disk/source/@file", "<\"'>"),
        ODD.replace("/a&quot;b'", "&lt;&quot;&apos;&gt;")
    );
    assert_eq!(
        set("description", "new"),
        ODD.replace(
            "<![CDATA[a < b & c]]> and <!-- in - between --> d",
            "new<!-- in - between -->"
        )
    );
    assert_eq!(
        set("unknown:thing", "x"),
        ODD.replace("'urn:x'/>", "'urn:x'>x</unknown:thing>")
    );
}

#[test]
fn setting_what_is_there_already_changes_nothing() {
    let set = |path: &str, value: &str| after(ODD, |document| document.set(path, value));
    assert_eq!(set("name", "web & co"), ODD);
    assert_eq!(set("//source/@file", "/a\"b'"), ODD);
    assert_eq!(set("description", "a < b & c and  d"), ODD);
}

#[test]
fn what_is_missing_on_the_way_is_made() {
    let text = "<domain>\n  <devices>\n  </devices>\n</domain>\n";
    let made = after(text, |document| {
        document.set(
            "devices/disk[@device='cdrom'][target/@dev='sda'][serial='x']/source/@file",
            "/a.iso",
        )
    });
    assert_eq!(
        made,
        "<domain>
  <devices>
    <disk device='cdrom'>
      <target dev='sda'/>
      <serial>x</serial>
      <source file='/a.iso'/>
    </disk>
  </devices>
</domain>
"
    );
    let made = after("<domain/>", |document| document.set("os/type", "hvm"));
    assert_eq!(
        made,
        "<domain>\n  <os>\n    <type>hvm</type>\n  </os>\n</domain>"
    );
    let made = after("<domain><name/></domain>", |document| {
        document.set("os/type", "hvm")
    });
    assert_eq!(made, "<domain><name/><os><type>hvm</type></os></domain>");
}

#[test]
fn what_a_path_does_not_say_is_not_made_up() {
    let text = "<domain><disk/></domain>";
    for path in [
        "disk[2]/@a",
        "*/b/*",
        "x[@a]/@b",
        "x[a!='b']/@c",
        "/other/a",
        "//x/@a",
        "x[last()]",
        "x/..",
        "x[a='\u{1}']",
        "y[b='1']",
        "y[b/c='1'][b='2']/d",
    ] {
        let document = xml(text);
        document.set(path, "v").expect_err(path);
        assert_eq!(document.text(), text, "{path}");
    }
}

#[test]
fn text_does_not_take_the_place_of_elements() {
    let document = xml("<a><b>1</b></a>");
    let fault = document.set(".", "x").expect_err("there is an element");
    assert!(
        fault.message.contains("`a` contains elements, such as `b`"),
        "{fault}"
    );
    document
        .set("b", "\0")
        .expect_err("NUL is no character of XML");
    document.set("b/@c", "\u{FFFE}").expect_err("nor is this");
}

#[test]
fn new_elements_stand_as_those_beside_them() {
    let insert = |text: &str, what: &str| {
        after(text, |document| {
            document.insert(".", Place::In, what).map(drop)
        })
    };
    let cases = [
        ("<a>\n\t<b/>\n</a>", "<c/>", "<a>\n\t<b/>\n\t<c/>\n</a>"),
        (
            "<a>\r\n  <b/>\r\n</a>",
            "<c/>",
            "<a>\r\n  <b/>\r\n  <c/>\r\n</a>",
        ),
        ("<a><b/></a>", "<c/>", "<a><b/><c/></a>"),
        ("<a/>", "<c/>", "<a>\n  <c/>\n</a>"),
        ("<a></a>", " <c/> ", "<a>\n  <c/>\n</a>"),
        ("<a>\n</a>", "<c/>", "<a>\n  <c/>\n</a>"),
        ("<a>text</a>", "<c/>", "<a>text<c/></a>"),
        (
            "<a>\n  <!-- x -->\n</a>",
            "<c/>",
            "<a>\n  <!-- x -->\n  <c/>\n</a>",
        ),
        (
            "<a>\n  <b/>\n</a>",
            "<!-- x -->\n<c/>",
            "<a>\n  <b/>\n  <!-- x -->\n  <c/>\n</a>",
        ),
        (
            "<a>\n  <b/>\n</a>",
            "<?xml version='1.0'?>\n<c/>\n",
            "<a>\n  <b/>\n  <c/>\n</a>",
        ),
        (
            "<a>\n  <b/>\n</a>",
            "<c>\n        <d>\n          x\n        </d>\n          <e><![CDATA[\n]]>\n</e>\n      </c>",
            "<a>\n  <b/>\n  <c>\n    <d>\n          x\n        </d>\n      <e><![CDATA[\n]]>\n</e>\n  </c>\n</a>",
        ),
    ];
    for (text, what, expected) in cases {
        assert_eq!(insert(text, what), expected, "{text} and {what}");
    }
    let text = "<a>\n  <b/>\n  <c/>\n</a>";
    let beside = |path: &str, place| {
        after(text, |document| {
            document.insert(path, place, "<d/>").map(drop)
        })
    };
    assert_eq!(
        beside("b", Place::Before),
        "<a>\n  <d/>\n  <b/>\n  <c/>\n</a>"
    );
    assert_eq!(
        beside("b", Place::After),
        "<a>\n  <b/>\n  <d/>\n  <c/>\n</a>"
    );
    assert_eq!(
        beside("c", Place::After),
        "<a>\n  <b/>\n  <c/>\n  <d/>\n</a>"
    );
}

#[test]
fn what_cannot_be_inserted_leaves_nothing_behind() {
    let text = "<a><b/></a>";
    let document = xml(text);
    for (path, what) in [
        ("b", "<c>"),
        ("b", ""),
        ("b", "x"),
        ("b", "<c/><d/>"),
        ("x/y", "<c></d>"),
        ("@b", "<c/>"),
        ("b/text()", "<c/>"),
    ] {
        document.insert(path, Place::In, what).expect_err(what);
        assert_eq!(document.text(), text);
    }
    document
        .insert(".", Place::After, "<c/>")
        .expect_err("there is one root only");
    document
        .insert("x", Place::Before, "<c/>")
        .expect_err("there is no x");
    assert_eq!(document.text(), text);
}

#[test]
fn what_goes_takes_its_line_along() {
    let remove = |text: &str, path: &str| after(text, |document| document.remove(path).map(drop));
    let cases = [
        ("<a>\n  <b/>\n  <c/>\n</a>", "b", "<a>\n  <c/>\n</a>"),
        ("<a>\n  <b/>\n\n  <c/>\n</a>", "c", "<a>\n  <b/>\n\n</a>"),
        (
            "<a>\r\n  <b/>\r\n  <c/>\r\n</a>",
            "b",
            "<a>\r\n  <c/>\r\n</a>",
        ),
        ("<a>\n  <b/><c/>\n</a>", "b", "<a>\n  <c/>\n</a>"),
        ("<a>\n  <b/><c/>\n</a>", "c", "<a>\n  <b/>\n</a>"),
        ("<a>x\n  <b/> y</a>", "b", "<a>x\n   y</a>"),
        ("<a>\n  <b/>\n  <b/>\n</a>", "b", "<a>\n</a>"),
        ("<a b='1'  c='2' />", "@b", "<a  c='2' />"),
        ("<a b='1'  c='2' />", "@c", "<a b='1' />"),
        ("<a>x<b/>y<![CDATA[z]]></a>", "text()", "<a><b/></a>"),
        ("<a><b><b/></b></a>", "//b", "<a></a>"),
    ];
    for (text, path, expected) in cases {
        assert_eq!(remove(text, path), expected, "{path} of {text}");
    }
    xml("<a/>").remove("/a").expect_err("the root stays");
    xml("<a><b/></a>")
        .remove("//*")
        .expect_err("the root stays");
    assert_eq!(xml("<a><b/><b/></a>").remove("b"), Ok(2));
    assert_eq!(xml("<a><b/><b/></a>").remove("b/@x"), Ok(0));
}

#[test]
fn an_element_that_was_removed_says_so() {
    let document = xml("<a><b c='1'><d/></b></a>");
    let b = elements(&document, "b").remove(0);
    let d = elements(&b, "d").remove(0);
    assert_eq!(document.remove("b"), Ok(1));
    for gone in [&b, &d] {
        let fault = gone.get("@c").expect_err("it is gone");
        assert!(
            fault.message.ends_with("was removed from its document"),
            "{fault}"
        );
        gone.set("@c", "2").expect_err("it is gone");
        gone.insert(".", Place::In, "<x/>").expect_err("it is gone");
        gone.copy().expect_err("it is gone");
        gone.diff(&document).expect_err("it is gone");
        document.diff(gone).expect_err("it is gone");
    }
    assert_eq!(b.text(), "<b c='1'><d/></b>");
    assert_eq!(b.name(), "b");
}

#[test]
fn copies_are_apart_and_handles_are_not() {
    let document = xml("<a><b>1</b></a>");
    let copy = document.copy().expect("it can be copied");
    let same = document.clone();
    document.set("b", "2").expect("it can be set");
    assert_eq!(copy.text(), "<a><b>1</b></a>");
    assert_eq!(same.text(), "<a><b>2</b></a>");
}

#[test]
fn a_part_takes_its_namespaces_along() {
    let document = xml("<a xmlns='u:d' xmlns:p='u:p' xmlns:q=\"u:q\"><p:b><c p:x='1'/></p:b></a>");
    let part = elements(&document, "p:b").remove(0);
    let copy = part.copy().expect("it can be copied");
    assert_eq!(
        copy.text(),
        "<p:b xmlns='u:d' xmlns:p='u:p'><c p:x='1'/></p:b>"
    );
    let other = xml("<a xmlns:p='u:p'/>");
    assert_eq!(
        part.portable_to(&other).as_deref(),
        Ok("<p:b xmlns='u:d'><c p:x='1'/></p:b>")
    );
    assert_eq!(
        part.portable_to(&document).as_deref(),
        Ok("<p:b><c p:x='1'/></p:b>")
    );
}

#[test]
fn an_element_can_go_into_its_own_document() {
    let document = xml("<a><b><c/></b></a>");
    let b = elements(&document, "b").remove(0);
    let text = b.portable_to(&b).expect("it is there");
    b.insert(".", Place::In, &text).expect("it can");
    assert_eq!(document.text(), "<a><b><c/><b><c/></b></b></a>");
}

#[test]
fn prefixes_are_declared_wherever_they_stand() {
    let text = "<domain xmlns:q='urn:q'>\n  <q:a/>\n</domain>";
    let xml = xml(text);
    let hint = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'";
    let fault = xml
        .insert(".", Place::In, "<qemu:commandline/>")
        .expect_err("it is not declared");
    assert!(fault.message.contains("`qemu`"), "{fault}");
    assert!(fault.hint.is_some_and(|told| told.contains(hint)));
    for (path, value) in [
        ("@p:x", "1"),
        ("p:a/b", "1"),
        ("a/@p:x", "1"),
        ("a/p:b/@c", "1"),
    ] {
        xml.set(path, value).expect_err(path);
    }
    for path in ["@xmlns:q", "q:a/@xmlns:q"] {
        xml.set(path, "").expect_err(path);
    }
    xml.set("@xmlns:xml", "urn:x").expect_err("it is reserved");
    xml.remove("@xmlns:q").expect_err("it is in use");
    assert_eq!(xml.text(), text);

    // A declared prefix can be used, and an unused declaration can be removed.
    xml.set("q:a/@q:b", "1").expect("it is declared");
    xml.insert("q:a", Place::In, "<q:c/>")
        .expect("it is declared");
    xml.insert(".", Place::In, "<p:d xmlns:p='urn:p'/>")
        .expect("it declares itself");
    xml.remove("q:a").expect("it is there");
    assert_eq!(xml.remove("@xmlns:q"), Ok(1));
}

#[test]
fn prefixes_that_are_not_declared_are_no_xml() {
    let wrong = [
        ("<a><qemu:b/></a>", "column 5"),
        ("<a xmlns:p=''/>", "column 4"),
        ("<a xmlns:xml='urn:x'/>", "column 4"),
        (
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "column 4",
        ),
        ("<a xmlns:xmlns='urn:x'/>", "column 4"),
        ("<a p:b='1'/>", "column 4"),
        (
            "<a xmlns:p='u' xmlns:q='u'><b p:c='1' q:c='1'/></a>",
            "column 39",
        ),
        ("<a><b xmlns:p='u'/><p:c/></a>", "column 21"),
        ("<a:b:c xmlns:a='u'/>", "column 2"),
        ("<:a/>", "column 2"),
        ("<a b:='1'/>", "column 4"),
    ];
    for (text, place) in wrong {
        let fault = Xml::parse(text).expect_err(text);
        assert!(fault.message.contains(place), "{text}: {fault}");
    }
    for right in [
        "<a xml:lang='en'/>",
        "<p:a xmlns:p='u'><b><p:c p:d='1' d='1'/></b></p:a>",
        "<a xmlns=''><b xmlns='u'/></a>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:p='u'><b xmlns:p='v'/><p:c/></a>",
    ] {
        Xml::parse(right).expect(right);
    }
}
