//! Differences between documents.

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
