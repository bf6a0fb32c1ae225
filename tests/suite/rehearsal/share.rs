//! The share of libvirt's calls with the same result in a rehearsal as on the host.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use virhai::runbook::twin::fidelity::{self, Fidelity};

use crate::suite::state_table::rehearsed::{COMPARED, NUMBERS};
use crate::support::golden;

#[test]
fn the_readme_has_the_share_of_calls_that_rehearse_as_on_the_host() {
    let known: BTreeSet<&str> = virhai::classified_calls().collect();
    let unknown: Vec<&str> = fidelity::listed()
        .filter(|call| !known.contains(call))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} are not calls of scripts");
    let unknown: Vec<&str> = COMPARED
        .split_whitespace()
        .filter(|call| !known.contains(call))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} are not calls of scripts");
    let (mut faithful, mut compared, mut partly, mut not) = (0, 0, 0, 0);
    for call in &known {
        match fidelity::of_call(call) {
            Fidelity::Host | Fidelity::Twin | Fidelity::Shim("") => {
                faithful += 1;
                compared += usize::from(COMPARED.split_whitespace().any(|own| own == *call));
            }
            Fidelity::Shim(_) => partly += 1,
            Fidelity::Agent | Fidelity::NotRehearsed(_) => not += 1,
        }
    }
    let all = known.len();
    let numbers = std::fs::read_to_string(NUMBERS).expect("it is there");
    let numbers: Value = serde_json::from_str(&numbers).expect("it is JSON");
    let [same, named, refused] =
        ["same", "named", "refused"].map(|key| numbers[key].as_u64().expect("it is a number"));
    let rows = same + named + refused;
    let text = format!(
        "Scripts can call {all} functions of libvirt. For {partly} of them, the plan names a difference between the rehearsal and the host. A\n\
         rehearsal does not support {not} of them. The other {faithful} ({} %) are designed to have the same result as on the host. The tests\n\
         compare {compared} of these {faithful} with QEMU in every state of a guest, and compare the scripts of this repository with their plans. Of\n\
         {rows} tested pairs of a call and a state, {same} have the same result as on QEMU, {named} have a difference that the plan names, and\n\
         {refused} are not supported in a rehearsal.\n",
        faithful * 100 / all
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("it is there");
    let (begin, end) = ("<!-- rehearsal -->\n", "<!-- /rehearsal -->");
    let (before, rest) = readme.split_once(begin).expect("the README has the place");
    let (_, after) = rest.split_once(end).expect("the place ends");
    golden(&path, &format!("{before}{begin}\n{text}\n{end}{after}"));
}
