//! Tests of the whole: what stays, what changes, what is refused.

use proptest::prelude::*;

use super::{Place, Selected, Xml};

/// A document with all that XML has to offer, oddly set out.
const ODD: &str = "<?xml version=\"1.0\" encoding='UTF-8' ?>\r
<!DOCTYPE domain SYSTEM \"domain.dtd\">
<!-- before --><?pi  some thing?>
<domain  type = 'kvm'\txmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\"
         id=\"1\" >
\t<name >w&#101;b &amp; co</name\n>
  <description><![CDATA[a < b & c]]> and <!-- in - between --> d</description>
  <devices>
    <disk type='file' device=\"disk\"  ><target dev='vda'/><source file=\"/a&quot;b'\"/></disk>
    <disk device='cdrom' type='file'>
      <target dev='sda'></target>
    </disk>

  </devices>
  <qemu:commandline><qemu:arg value='-x'/></qemu:commandline>
  <unknown:thing/>\u{e9}\u{1f600}
</domain>
<!-- after -->
";

fn xml(text: &str) -> Xml {
    Xml::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// The document after `edit`.
fn after(text: &str, edit: impl FnOnce(&Xml) -> super::Result<()>) -> String {
    let document = xml(text);
    edit(&document).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    xml(&document.text());
    document.text()
}

fn elements(document: &Xml, path: &str) -> Vec<Xml> {
    match document.select(path).expect("the path is right") {
        Selected::Elements(elements) => elements,
        Selected::Texts(texts) => panic!("{path} leads to {texts:?}"),
    }
}

fn texts(document: &Xml, path: &str) -> Vec<String> {
    match document.select(path).expect("the path is right") {
        Selected::Elements(elements) => elements.iter().map(Xml::text).collect(),
        Selected::Texts(texts) => texts,
    }
}

mod reading {
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
            assert_eq!(fault.message, format!("nothing is at `{path}`"));
            assert_eq!(fault.hint.as_deref(), Some(hint), "{path}");
        }
    }
}

mod editing {
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
            ODD.replace("<unknown:thing/>", "<unknown:thing>x</unknown:thing>")
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
            fault.message.contains("`a` holds elements, such as `b`"),
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
        let remove =
            |text: &str, path: &str| after(text, |document| document.remove(path).map(drop));
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
        let document =
            xml("<a xmlns='u:d' xmlns:p='u:p' xmlns:q=\"u:q\"><p:b><c p:x='1'/></p:b></a>");
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
}

mod limits {
    use super::*;

    fn fault(text: &str) -> super::super::Fault {
        Xml::parse(text)
            .map(|xml| panic!("{xml} is no XML"))
            .unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_found_where_it_stands() {
        let cases = [
            ("", 1, 1, "no element"),
            ("  \n ", 2, 2, "no element"),
            ("text", 1, 1, "text stands before the root element"),
            (
                "<a>\n <b></a>",
                2,
                5,
                "`</a>` stands where `</b>` has to, for the `<b>` of line 2, column 2",
            ),
            (
                "<a>\n<b>",
                2,
                4,
                "the text ends before the `<b>` of line 2, column 1 is closed",
            ),
            ("<a/></a>", 1, 5, "`</a>` closes nothing"),
            ("<a/>\n<b/>", 2, 1, "`<b>` stands after the root element"),
            ("<a/>\n\u{e9} x", 2, 1, "text stands after the root element"),
            ("<a/><![CDATA[x]]>", 1, 5, "CDATA stands after"),
            (
                "<a b='1' c='2' b='3'/>",
                1,
                16,
                "the attribute `b` is there twice",
            ),
            ("<a>&nbsp;</a>", 1, 4, "there is no entity `&nbsp;`"),
            ("<a>x & y</a>", 1, 6, "begins no entity"),
            ("<a b='&x'/>", 1, 7, "begins no entity"),
            ("<a>&#0;</a>", 1, 4, "no character"),
            ("<a>&#xD800;</a>", 1, 4, "no character"),
            ("<1a/>", 1, 2, "`1a` is no name"),
            ("<a>< b/></a>", 1, 4, "an element's name is missing"),
            ("<a -b='1'/>", 1, 4, "`-b` is no name"),
            ("<a b/>", 1, 4, "the attribute `b` has no value"),
            ("<a b=c/>", 1, 6, "no quotes"),
            ("<a b='c/>", 1, 1, "not closed"),
            ("<a b='1'c='2'/>", 1, 9, "no space before the attribute `c`"),
            ("<a b='<'/>", 1, 7, "`<` stands in an attribute"),
            ("<a>]]></a>", 1, 4, "`]]>` stands in text"),
            ("<a><!-- x -- y --></a>", 1, 11, "`--` stands in a comment"),
            ("<a><!-- x </a>", 1, 4, "this comment has no end"),
            ("<a><![CDATA[ x</a>", 1, 4, "this CDATA section has no end"),
            (
                "<a><?pi x</a>",
                1,
                4,
                "this processing instruction has no end",
            ),
            (
                "<a><?XML x?></a>",
                1,
                4,
                "`XML` is no name for a processing instruction",
            ),
            ("<a>\n<b", 2, 1, "this tag has no end"),
            ("\n<?xml version='1.0'?><a/>", 2, 1, "very beginning"),
            ("<a/><?xml version='1.0'?>", 1, 5, "very beginning"),
            ("<?xml encoding='UTF-8'?><a/>", 1, 1, "no version"),
            (
                "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                1,
                1,
                "only UTF-8",
            ),
            ("<a/><!DOCTYPE a>", 1, 5, "before the root element"),
            ("<!DOCTYPE a><!DOCTYPE a><a/>", 1, 13, "once only"),
            ("<!doctype a><a/>", 1, 1, "`<!DOCTYPE`"),
            ("<!DOCTYPE\u{e9} a><a/>", 1, 1, "names no root element"),
            ("<!DOCTYPE [a]><a/>", 1, 1, "names no root element"),
            ("<?xml version='1.x'?><a/>", 1, 1, "XML 1.x is not known"),
            (
                "<?xml version='1.0' standalone='maybe'?><a/>",
                1,
                1,
                "`standalone` is",
            ),
            (
                "<?xml version='1.0' x='y'?><a/>",
                1,
                1,
                "`x` has no place in the XML declaration",
            ),
            (
                "<?xml version?><a/>",
                1,
                7,
                "the attribute `version` has no value",
            ),
            ("<a>\n\u{20ac}\0</a>", 2, 2, "U+0000"),
            ("<a>\u{ffff}</a>", 1, 4, "U+FFFF"),
            ("<a></b >", 1, 4, "`</b>` stands where"),
            ("<a></a b='1'>", 1, 4, "stands where `</a>` has to"),
            ("<a><!x></a>", 1, 4, "neither a comment nor"),
        ];
        for (text, line, column, message) in cases {
            let fault = fault(text);
            assert!(fault.malformed, "{text}");
            let place = format!("line {line}, column {column}: ");
            assert!(
                fault.message.starts_with(&place) && fault.message.contains(message),
                "{text:?}: {fault}"
            );
        }
    }

    #[test]
    fn entities_of_a_documents_own_are_refused() {
        let laughs = "<!DOCTYPE a [\n<!ENTITY a \"ha\">\n<!ENTITY b \"&a;&a;&a;\">\n]><a>&b;</a>";
        let fault = fault(laughs);
        assert!(
            fault
                .message
                .starts_with("line 2, column 1: the document declares an entity"),
            "{fault}"
        );
        xml("<!DOCTYPE a [<!ELEMENT a ANY>]><a/>");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        let fault =
            Xml::parse_bytes(b"<a>\n\xC3\xA9\xFF</a>".to_vec()).expect_err("it is not UTF-8");
        assert_eq!(fault.message, "line 2, column 2: this is not UTF-8");
    }

    #[test]
    fn deep_documents_are_refused_and_nothing_overflows() {
        let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        let fault = fault(&nested(1_000_000));
        assert!(fault.message.contains("deeper than 1000 levels"), "{fault}");
        let deepest = xml(&nested(1000));
        let at_bottom = &vec!["a"; 999].join("/");
        deepest
            .insert(at_bottom, Place::In, "<b/>")
            .expect_err("it is full");
        deepest
            .set(&format!("{at_bottom}/b/@c"), "1")
            .expect_err("it is full");
        deepest
            .set(&format!("{at_bottom}/@c"), "1")
            .expect("that makes it no deeper");
        assert_eq!(
            xml(&deepest.text()).text(),
            deepest.copy().expect("it can be copied").text()
        );
        assert_eq!(
            deepest.diff(&xml(&nested(1000))).map(|found| found.len()),
            Ok(1)
        );
        assert_eq!(elements(&deepest, "//a[@c]").len(), 1);
        assert_eq!(elements(&deepest, "//a//a//a//a").len(), 997);
    }

    #[test]
    fn many_of_everything_take_no_more_than_their_time() {
        let attributes: String = (0..100_000).map(|n| format!(" a{n}='{n}'")).collect();
        let document = xml(&format!("<a{attributes}/>"));
        assert_eq!(document.get("@a99999").as_deref(), Ok("99999"));
        let other = document.copy().expect("it can be copied");
        assert_eq!(document.diff(&other), Ok(Vec::new()));

        let children: String = (0..100_000).map(|n| format!("<b n='{n}'/>")).collect();
        let document = xml(&format!("<a>{children}</a>"));
        let other = document.copy().expect("it can be copied");
        assert_eq!(other.remove("b[1]"), Ok(1));
        assert_eq!(document.diff(&other).map(|found| found.len()), Ok(1));
        assert_eq!(document.remove("b"), Ok(100_000));
        assert_eq!(document.text(), "<a></a>");
        xml(&format!("<a>{}</a>", "&amp;".repeat(1_000_000)));
    }
}

mod differences {
    use super::*;

    /// The differences from `old` to `new`, a line each.
    fn diff(old: &str, new: &str) -> Vec<String> {
        let shown = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let differences = xml(old)
            .diff(&xml(new))
            .expect("they can be compared")
            .into_iter();
        differences
            .map(|found| {
                format!(
                    "{} {} {} {}",
                    found.change(),
                    found.path.clone(),
                    shown(found.from),
                    shown(found.to)
                )
            })
            .collect()
    }

    #[test]
    fn how_it_is_written_is_no_difference() {
        let same = [
            ("<a b='1' c='2'/>", "<a c=\"2\"\n b=\"&#49;\"></a>"),
            (
                "<a><b>x</b><c/></a>",
                "<!-- x --><a>\n  <c/>\n  <b> x </b><?pi?>\n</a>",
            ),
            ("<a>x &amp; y</a>", "<a><![CDATA[x & y]]></a>"),
        ];
        for (old, new) in same {
            assert_eq!(diff(old, new), [] as [&str; 0], "{old} and {new}");
        }
    }

    #[test]
    fn differences_are_named_by_what_tells_elements_apart() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "<a b='1' c='2'/>",
                "<a c='3' d='4'/>",
                &["removed @b 1 -", "changed @c 2 3", "added @d - 4"],
            ),
            ("<a>x</a>", "<a>y</a>", &["changed . x y"]),
            ("<a/>", "<b/>", &["changed . <a/> <b/>"]),
            ("<a><m>1</m></a>", "<a><m>2</m></a>", &["changed m 1 2"]),
            ("<a>t<m/></a>", "<a>u<m/></a>", &["changed text() t u"]),
            (
                "<a><disk><s f='1'/><target dev='vda'/></disk><disk><target dev='vdb'/></disk></a>",
                "<a><disk><target dev='vdb'/></disk><disk><s f='2'/><target dev='vda'/></disk></a>",
                &["changed disk[target/@dev='vda']/s/@f 1 2"],
            ),
            (
                "<a><disk><target dev='vda'/></disk></a>",
                "<a><disk><target dev='vdb'/></disk></a>",
                &[
                    "removed disk[target/@dev='vda'] <disk><target dev='vda'/></disk> -",
                    "added disk[target/@dev='vdb'] - <disk><target dev='vdb'/></disk>",
                ],
            ),
            (
                "<a><c type='usb' index='0'/><c type='pci' index='0'/></a>",
                "<a><c type='pci' index='0' model='x'/><c type='usb' index='0'/></a>",
                &["added c[@type='pci'][@index='0']/@model - x"],
            ),
            (
                "<a><g type='vnc'/><g type='spice' p='1'/></a>",
                "<a><g type='spice' p='2'/><g type='vnc'/></a>",
                &["changed g[@type='spice']/@p 1 2"],
            ),
            (
                "<os><boot dev='hd'/><boot dev='cdrom'/></os>",
                "<os><boot dev='cdrom'/><boot dev='hd'/></os>",
                &[
                    "changed boot[1]/@dev hd cdrom",
                    "changed boot[2]/@dev cdrom hd",
                ],
            ),
            (
                "<a><b>1</b><b>2</b><b>3</b></a>",
                "<a><b>1</b><b>3</b></a>",
                &["removed b[2] <b>2</b> -"],
            ),
            (
                "<a><b>1</b></a>",
                "<a><b>0</b><b>1</b><b>2</b></a>",
                &[
                    "changed b[1] 1 0",
                    "added b[2] - <b>1</b>",
                    "added b[3] - <b>2</b>",
                ],
            ),
            (
                "<a><n name='it&apos;s'/><n name='b' x='1'/></a>",
                "<a><n name='it&apos;s' x='1'/><n name='b' x='1'/></a>",
                &["added n[@name=\"it's\"]/@x - 1"],
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(&diff(old, new), expected, "{old} and {new}");
        }
    }

    #[test]
    fn a_difference_is_where_its_path_leads() {
        let old = xml(
            "<a><d><e/><target dev='a'/></d><d><target dev='b'/></d><b n='1'/><b n='2'/><c/><c x='1'/></a>",
        );
        let new = xml(
            "<a><d><target dev='a'/></d><d f='1'><target dev='b'/></d><b n='1'/><b n='2' m='3'/><c x='2'/><c/></a>",
        );
        let differences = old.diff(&new).expect("they can be compared");
        assert!(differences.len() >= 4);
        for found in differences {
            for (document, there) in [(&old, &found.from), (&new, &found.to)] {
                let texts = texts(document, &found.path);
                assert_eq!(texts.first(), there.as_ref(), "{found:?}");
            }
        }
    }
}

/// An XML document with all kinds of things in it, as text.
fn any_document() -> impl Strategy<Value = String> {
    let name = "[a-c]|qemu:arg|_\u{e9}";
    let space = "[ \t\n\r]{0,2}";
    let text = "([a-z<&\u{e9}\u{1f600} \n]{0,6})"
        .prop_map(|text| text.replace('&', "&amp;").replace('<', "&#60;"));
    let attributes =
        proptest::collection::btree_map("[a-e]", (text.clone(), prop::bool::ANY), 0..3).prop_map(
            |all| {
                let one = |(name, (value, double)): (String, (String, bool))| {
                    let quote = if double { '"' } else { '\'' };
                    format!("  {name} = {quote}{value}{quote}")
                };
                all.into_iter().map(one).collect::<String>()
            },
        );
    let leaf = prop_oneof![
        text.clone(),
        "[a-z ]{0,5}".prop_map(|text| format!("<!--{text}-->")),
        "[a-z<&]{0,5}".prop_map(|text| format!("<![CDATA[{text}]]>")),
        "[a-z ]{0,5}".prop_map(|text| format!("<?p {text}?>")),
        (name, attributes.clone(), space)
            .prop_map(|(name, attributes, space)| format!("<{name}{attributes}{space}/>")),
    ];
    let element = move |inner: BoxedStrategy<String>| {
        (
            name,
            attributes.clone(),
            space,
            proptest::collection::vec(inner, 0..5),
        )
            .prop_map(|(name, attributes, space, children)| {
                format!(
                    "<{name}{attributes}{space}>{}</{name}{space}>",
                    children.concat()
                )
            })
    };
    let content = leaf.prop_recursive(4, 40, 5, {
        let element = element.clone();
        move |inner| element(inner.boxed())
    });
    (element(content.boxed()), prop::bool::ANY).prop_map(|(root, declared)| {
        let declaration = if declared {
            "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM \"a\">"
        } else {
            ""
        };
        format!("{declaration}{root}\n<!-- end -->\n")
    })
}

/// Text that is nearly XML.
fn nearly_a_document() -> impl Strategy<Value = String> {
    (
        any_document(),
        proptest::collection::vec(
            (
                any::<prop::sample::Index>(),
                "[<>/&;'\"=!?a\\-\\[\\] \0]{0,2}",
            ),
            0..4,
        ),
    )
        .prop_map(|(text, changes)| {
            let mut letters: Vec<char> = text.chars().collect();
            for (at, new) in changes {
                let at = at.index(letters.len());
                letters.splice(at..=at, new.chars());
                if letters.is_empty() {
                    break;
                }
            }
            letters.into_iter().collect()
        })
}

proptest! {
    #[test]
    fn any_document_is_written_as_it_was_read(text in any_document()) {
        prop_assert_eq!(xml(&text).text(), text);
    }

    #[test]
    fn no_text_makes_the_parser_fail_in_another_way(text in nearly_a_document()) {
        match Xml::parse(text.clone()) {
            Ok(document) => prop_assert_eq!(document.text(), text),
            Err(fault) => prop_assert!(fault.malformed && fault.message.starts_with("line ")),
        }
    }

    #[test]
    fn a_value_that_is_set_is_read_and_nothing_else_changed(
        text in any_document(),
        which in any::<prop::sample::Index>(),
        value in "[a-z<>&'\"\n\t\r\u{e9} ]{0,8}",
    ) {
        let document = xml(&text);
        let all = elements(&document, "//*");
        let element = &all[which.index(all.len())];
        let before = element.text();
        element.set("@new", &value).expect("an attribute can be set");
        prop_assert_eq!(element.get("@new"), Ok(value.clone()));
        prop_assert_eq!(xml(&document.text()).text(), document.text());
        let (whole, part) = (document.text(), element.text());
        prop_assert_eq!(whole.len() - text.len(), part.len() - before.len());
        element.remove("@new").expect("it is there");
        prop_assert_eq!(document.text(), text.clone());

        if element.children().expect("it is there").is_empty() {
            element.set(".", &value).expect("there are no elements in it");
            prop_assert_eq!(element.get("."), Ok(value));
            prop_assert_eq!(xml(&document.text()).text(), document.text());
        }
    }

    #[test]
    fn a_copy_says_the_same_and_an_element_more_is_a_difference(text in any_document(), which in any::<prop::sample::Index>()) {
        let document = xml(&text);
        let copy = document.copy().expect("it can be copied");
        prop_assert_eq!(document.diff(&copy), Ok(Vec::new()));
        let all = elements(&copy, "//*");
        let element = &all[which.index(all.len())];
        element.insert(".", Place::In, "<new/>").expect("an element can be inserted");
        let differences = document.diff(&copy).expect("they can be compared");
        prop_assert!(!differences.is_empty());
        prop_assert_eq!(xml(&copy.text()).text(), copy.text());
        element.remove("new").expect("it is there");
        prop_assert_eq!(document.diff(&copy), Ok(Vec::new()));
    }
}
