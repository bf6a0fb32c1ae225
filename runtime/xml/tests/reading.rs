//! Reading: what stays as it is, and where paths lead.

use super::*;

#[test]
fn a_document_is_written_as_it_was_read() {
    for text in [
        ODD,
        "<a/>",
        "\u{feff}<a/>",
        "<a></a >",
        "<a>\u{85}\u{2028}</a>",
        "<a>&lt;&#x20AC;</a>\n\n",
    ] {
        assert_eq!(xml(text).text(), text);
    }
}

#[test]
fn values_have_references_and_cdata_resolved() {
    let document = xml(ODD);
    assert_eq!(document.get("name").as_deref(), Ok("web & co"));
    assert_eq!(
        document.get("description").as_deref(),
        Ok("a < b & c and  d")
    );
    assert_eq!(document.get("//source/@file").as_deref(), Ok("/a\"b'"));
    assert_eq!(
        document.get("qemu:commandline/qemu:arg/@value").as_deref(),
        Ok("-x")
    );
    assert_eq!(document.get("@type").as_deref(), Ok("kvm"));
}

#[test]
fn paths_lead_where_xpath_leads() {
    let document =
        xml("<r><a n='1'><b>x</b><b>y</b></a><b>z</b><a n='2'><c><b>w</b></c><b>v</b></a></r>");
    let cases: &[(&str, &[&str])] = &[
        ("a/b", &["x", "y", "v"]),
        ("a/b[1]", &["x", "v"]),
        ("a/b[last()]", &["y", "v"]),
        ("a[2]/b", &["v"]),
        ("//b", &["x", "y", "z", "w", "v"]),
        ("//b[1]", &["x", "z", "w", "v"]),
        (".//b[2]", &["y"]),
        ("a[@n='2']//b", &["w", "v"]),
        ("//c/../b", &["v"]),
        ("//b/..//b", &["x", "y", "z", "w", "v"]),
        ("*/b", &["x", "y", "v"]),
        ("a[b='y']/@n", &["1"]),
        ("a[b!='y']/@n", &["1", "2"]),
        ("a[c/b='w']/@n", &["2"]),
        ("a[c][b]/@n", &["2"]),
        ("a[@n][2]/@n", &["2"]),
        ("a[2][@n='1']/@n", &[]),
        ("//@n", &["1", "2"]),
        ("/r/b/text()", &["z"]),
        ("/b", &[]),
        ("a[.='xy']/@n", &["1"]),
        ("a/c/b[text()='w']", &["w"]),
        ("//*[text()]/../@n", &["1", "2"]),
    ];
    for (path, expected) in cases {
        let found: Vec<String> = match document.select(path).expect(path) {
            Selected::Texts(texts) => texts,
            Selected::Elements(found) => found
                .iter()
                .map(|b| b.get(".").expect("it is there"))
                .collect(),
        };
        assert_eq!(&found, expected, "{path}");
    }
    let inner = &elements(&document, "a[2]")[0];
    assert_eq!(texts(inner, "b"), ["<b>v</b>"]);
    assert_eq!(texts(inner, "/r/b"), ["<b>z</b>"]);
    assert_eq!(texts(inner, "../b"), ["<b>z</b>"]);
    assert_eq!(texts(inner, "../.."), [] as [&str; 0]);
}

#[test]
fn what_is_missing_is_named_with_what_is_near() {
    let document = xml("<domain><devices><disk type='file'/><disk/></devices></domain>");
    let cases = [
        (
            "devices/dsk/@type",
            "`devices` has no element `dsk`; did you mean `disk`?",
        ),
        (
            "devices/disk/@typ",
            "`disk` has no attribute `typ`; did you mean `type`?",
        ),
        (
            "devices/network",
            "`devices` has no element `network`, but disk",
        ),
        (
            "devices/disk[@type='block']",
            "none of the 2 `disk` in `devices` is `disk[@type='block']`",
        ),
        (
            "devices[@x]/disk",
            "the one `devices` in `domain` is not `devices[@x]`",
        ),
        ("devices/disk/source", "`disk` has no elements at all"),
        (
            "/domian",
            "the document has no element `domian`; did you mean `domain`?",
        ),
        ("devices/text()", "`devices` holds no text"),
    ];
    for (path, hint) in cases {
        let fault = document.get(path).expect_err(path);
        assert_eq!(fault.message, format!("no node matches `{path}`"));
        assert_eq!(fault.hint.as_deref(), Some(hint), "{path}");
    }
}
