//! The share of libvirt's calls with the same result in a rehearsal as on the host.

use std::collections::BTreeSet;
use std::path::Path;

use virhai::runbook::twin::fidelity::{self, Fidelity};

use crate::support::golden;

#[test]
fn the_readme_has_the_share_of_calls_that_rehearse_as_on_the_host() {
    let known: BTreeSet<&str> = virhai::classified_calls().collect();
    let unknown: Vec<&str> = fidelity::listed()
        .filter(|call| !known.contains(call))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} are not calls of scripts");
    let (mut host, mut twin, mut shims, mut partly, mut not) = (0, 0, 0, 0, 0);
    for call in &known {
        match fidelity::of_call(call) {
            Fidelity::Host => host += 1,
            Fidelity::Twin => twin += 1,
            Fidelity::Shim("") => shims += 1,
            Fidelity::Shim(_) => partly += 1,
            Fidelity::NotRehearsed(_) => not += 1,
        }
    }
    let all = known.len();
    let faithful = host + twin + shims;
    let text = format!(
        "Scripts call {all} functions of libvirt. {faithful} of them ({} %) have the same result in a rehearsal as on the host: libvirt's test\n\
         driver runs {twin} of them, virhai runs {shims}, and the host answers {host}. {partly} functions have a different result; the plan names the\n\
         difference. A rehearsal does not support the other {not}.\n",
        faithful * 100 / all
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("it is there");
    let (begin, end) = ("<!-- rehearsal -->\n", "<!-- /rehearsal -->");
    let (before, rest) = readme.split_once(begin).expect("the README has the place");
    let (_, after) = rest.split_once(end).expect("the place ends");
    golden(&path, &format!("{before}{begin}\n{text}\n{end}{after}"));
}
