//! The steps of a run as a tree.

use std::collections::HashMap;

use crate::runbook::journal::{Past, Step};

/// A step and its place in the tree.
pub(super) struct Branch<'a> {
    pub(super) step: &'a Step,
    /// The number of steps around it.
    pub(super) depth: usize,
    /// The titles that lead to it.
    pub(super) path: String,
}

/// The steps, each before those inside it.
pub(super) fn branches(past: &Past) -> Vec<Branch<'_>> {
    let mut children: HashMap<Option<u64>, Vec<&Step>> = HashMap::new();
    for step in &past.steps {
        children.entry(step.parent).or_default().push(step);
    }
    let mut branches = Vec::with_capacity(past.steps.len());
    let mut left: Vec<Branch> = branches_below(&mut children, None, 0, "");
    while let Some(branch) = left.pop() {
        let (number, depth) = (branch.step.number, branch.depth + 1);
        left.extend(branches_below(
            &mut children,
            Some(number),
            depth,
            &branch.path,
        ));
        branches.push(branch);
    }
    branches
}

/// The steps directly inside `parent`, the last first.
fn branches_below<'a>(
    children: &mut HashMap<Option<u64>, Vec<&'a Step>>,
    parent: Option<u64>,
    depth: usize,
    path: &str,
) -> Vec<Branch<'a>> {
    let steps = children.remove(&parent).unwrap_or_default();
    let branch = |step: &'a Step| Branch {
        step,
        depth,
        path: match path {
            "" => step.title.clone(),
            path => format!("{path} > {}", step.title),
        },
    };
    steps.into_iter().rev().map(branch).collect()
}
