//! Damaged documents: no operation on them panics, and those that parse keep their bytes.

use super::*;

const DOCUMENTS: [&str; 4] = [
    "<?xml version='1.0' encoding='UTF-8'?>\n<domain type='kvm' id=\"3\">\n  <name>web</name>\n  <memory unit='KiB'>1024</memory>\n  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>\n  <devices>\n    <disk type='file' device='disk'>\n      <source file='/srv/a&amp;b.img'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n    <disk type='file'><target dev='vdb'/></disk>\n    <interface type='network'><mac address='52:54:00:00:00:01'/></interface>\n  </devices>\n</domain>\n",
    "<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a xmlns:q='urn:q'><!-- c --><q:b c='1'><![CDATA[<x>]]></q:b><?p i?>&lt;&#65;&#x42;</a>",
    "<network><name>n</name><ip address='10.0.0.1' prefix='24'><dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip></network>",
    "<a>\u{e9}\u{1f600}<b\n  c = 'd'\n  e=\"f\"\n></b\n></a>",
];

const PIECES: [&str; 26] = [
    "<",
    ">",
    "/",
    "'",
    "\"",
    "=",
    "&",
    ";",
    "&amp;",
    "&#0;",
    "&#x10ffff;",
    "&#99999999999;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "<a>",
    "</a>",
    "xmlns:q='u'",
    "\u{0}",
    "\u{feff}",
    "\r\n",
    "q:",
];

const PATHS: [&str; 14] = [
    "/domain/name",
    "//disk[2]/target/@dev",
    "devices/disk[target/@dev='vdb']",
    "..",
    "/",
    "//",
    "@id",
    "a[1][2]",
    "*[@x='",
    "devices/disk[99999999999999999999]",
    "name[text()='web']",
    "q:b/@c",
    "\u{0}",
    "./././/*",
];

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("it is small")
    }
}

fn damaged(random: &mut Random) -> String {
    let mut letters: Vec<char> = DOCUMENTS[random.below(DOCUMENTS.len())].chars().collect();
    for _ in 0..random.below(6) {
        let at = random.below(letters.len());
        let end = (at + 1 + random.below(12)).min(letters.len());
        match random.below(5) {
            0 => drop(letters.drain(at..end)),
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                letters.splice(at..at, piece.chars());
            }
            2 => {
                let copied = letters[at..end].to_vec();
                let to = random.below(letters.len());
                letters.splice(to..to, copied);
            }
            3 => letters.truncate(at.max(1)),
            _ => {
                let other: Vec<char> = DOCUMENTS[random.below(DOCUMENTS.len())].chars().collect();
                let from = random.below(other.len());
                letters.splice(
                    at..end,
                    other[from..(from + 30).min(other.len())].iter().copied(),
                );
            }
        }
        if letters.is_empty() {
            letters.push('<');
        }
    }
    letters.into_iter().collect()
}

#[test]
fn damaged_documents_keep_their_bytes_and_nothing_panics() {
    let rounds = match std::env::var_os("VIRHAI_TEST_ALL") {
        Some(_) => 60_000,
        None => 5_000,
    };
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut parsed = 0;
    for _ in 0..rounds {
        let text = damaged(&mut random);
        let Ok(xml) = Xml::parse(text.clone()) else {
            continue;
        };
        parsed += 1;
        assert_eq!(xml.text(), text, "what parses is written back as it was");
        let before = xml.text();
        for _ in 0..4 {
            let path = PATHS[random.below(PATHS.len())];
            let _ = (
                xml.find(path),
                xml.has(path),
                xml.texts(path),
                xml.select(path).is_ok(),
            );
        }
        assert_eq!(xml.text(), before, "reading changes nothing");
        for _ in 0..4 {
            let path = PATHS[random.below(PATHS.len())];
            let piece = PIECES[random.below(PIECES.len())];
            match random.below(4) {
                0 => drop(xml.set(path, piece)),
                1 => drop(xml.remove(path)),
                2 => drop(xml.insert(path, Place::In, piece)),
                _ => drop(xml.append("added", &[("x", piece)])),
            }
            let text = xml.text();
            let again = Xml::parse(text.clone());
            let again = again.unwrap_or_else(|fault| panic!("{fault:?} after an edit: {text:?}"));
            assert_eq!(again.text(), text);
            let _ = (xml.diff(&again), xml.copy().is_ok(), xml.standalone());
        }
    }
    assert!(parsed > rounds / 20, "only {parsed} of {rounds} parsed");
}
