//! Files that use one another in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Module, Tree};

/// The files that each file uses.
type Uses<'a> = BTreeMap<&'a Module, BTreeSet<&'a Module>>;

/// The circles of `tree`: sets of files in which each file uses every other, directly or not.
pub(super) fn circles(tree: &Tree) -> Vec<BTreeSet<Module>> {
    let uses: Uses = tree
        .modules()
        .map(|module| (module, tree.uses(module).0))
        .collect();
    let reach: Uses = tree
        .modules()
        .map(|module| (module, reachable(&uses, module)))
        .collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (module, far) in &reach {
        if found.iter().any(|circle| circle.contains(*module)) {
            continue;
        }
        let back = far.iter().filter(|other| reach[**other].contains(module));
        let circle: BTreeSet<Module> = back.map(|other| (*other).clone()).collect();
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// The files that `from` uses, directly or indirectly. The root is left out, since it only declares
/// the modules.
fn reachable<'a>(uses: &Uses<'a>, from: &Module) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = uses[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if !module.is_empty() && found.insert(module) {
            next.extend(&uses[module]);
        }
    }
    found
}
