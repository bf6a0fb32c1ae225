//! Refused documents, and large documents that are handled.

use super::*;

fn fault(text: &str) -> crate::xml::Fault {
    Xml::parse(text)
        .map(|xml| panic!("{xml} is no XML"))
        .unwrap_err()
}

#[test]
fn what_is_wrong_is_found_where_it_stands() {
    let cases = [
        ("", 1, 1, "no element"),
        ("  \n ", 2, 2, "no element"),
        ("text", 1, 1, "text is before the root element"),
        (
            "<a>\n <b></a>",
            2,
            5,
            "expected `</b>` for the `<b>` of line 2, column 2, found `</a>`",
        ),
        (
            "<a>\n<b>",
            2,
            4,
            "the text ends before the `<b>` of line 2, column 1 is closed",
        ),
        ("<a/></a>", 1, 5, "`</a>` closes no element"),
        ("<a/>\n<b/>", 2, 1, "`<b>` is after the root element"),
        ("<a/>\n\u{e9} x", 2, 1, "text is after the root element"),
        ("<a/><![CDATA[x]]>", 1, 5, "CDATA is after"),
        (
            "<a b='1' c='2' b='3'/>",
            1,
            16,
            "the attribute `b` appears twice",
        ),
        ("<a>&nbsp;</a>", 1, 4, "there is no entity `&nbsp;`"),
        ("<a>x & y</a>", 1, 6, "does not begin an entity"),
        ("<a b='&x'/>", 1, 7, "does not begin an entity"),
        ("<a>&#0;</a>", 1, 4, "not a character"),
        ("<a>&#xD800;</a>", 1, 4, "not a character"),
        ("<1a/>", 1, 2, "`1a` is not a name"),
        ("<a>< b/></a>", 1, 4, "an element's name is missing"),
        ("<a -b='1'/>", 1, 4, "`-b` is not a name"),
        ("<a b/>", 1, 4, "the attribute `b` has no value"),
        ("<a b=c/>", 1, 6, "must be quoted"),
        ("<a b='c/>", 1, 1, "not closed"),
        ("<a b='1'c='2'/>", 1, 9, "no space before the attribute `c`"),
        ("<a b='<'/>", 1, 7, "`<` in an attribute must"),
        ("<a>]]></a>", 1, 4, "`]]>` in text must"),
        (
            "<a><!-- x -- y --></a>",
            1,
            11,
            "`--` is not allowed in a comment",
        ),
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
            "`XML` is not a name for a processing instruction",
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
        ("<!DOCTYPE a><!DOCTYPE a><a/>", 1, 13, "only once"),
        ("<!doctype a><a/>", 1, 1, "`<!DOCTYPE`"),
        ("<!DOCTYPE\u{e9} a><a/>", 1, 1, "has no root element"),
        ("<!DOCTYPE [a]><a/>", 1, 1, "has no root element"),
        ("<?xml version='1.x'?><a/>", 1, 1, "unknown XML version 1.x"),
        (
            "<?xml version='1.0' standalone='maybe'?><a/>",
            1,
            1,
            "`standalone` must",
        ),
        (
            "<?xml version='1.0' x='y'?><a/>",
            1,
            1,
            "`x` is not allowed in the XML declaration",
        ),
        (
            "<?xml version?><a/>",
            1,
            7,
            "the attribute `version` has no value",
        ),
        ("<a>\n\u{20ac}\0</a>", 2, 2, "U+0000"),
        ("<a>\u{ffff}</a>", 1, 4, "U+FFFF"),
        ("<a></b >", 1, 4, "found `</b>`"),
        ("<a></a b='1'>", 1, 4, "expected `</a>`"),
        ("<a><!x></a>", 1, 4, "neither a comment nor"),
    ];
    for (text, line, column, message) in cases {
        let fault = fault(text);
        assert!(fault.at.is_some(), "{text}");
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
    let fault = Xml::parse_bytes(b"<a>\n\xC3\xA9\xFF</a>".to_vec()).expect_err("it is not UTF-8");
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
