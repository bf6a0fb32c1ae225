//! Properties that hold for any document.

use proptest::prelude::*;

use super::*;

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
        let name_end = root
            .find([' ', '\t', '\n', '\r', '>', '/'])
            .unwrap_or(root.len());
        let (name, rest) = root.split_at(name_end);
        format!("{declaration}{name} xmlns:qemu='urn:q'{rest}\n<!-- end -->\n")
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
            Err(fault) => prop_assert!(fault.at.is_some() && fault.message.starts_with("line ")),
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
