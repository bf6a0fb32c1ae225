//! The scripts that users may copy, run unchanged.

use std::path::Path;

use crate::support::{Scratch, tiny, virhai};

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name)
}

/// The numbers that stand after `words` in `text`.
fn numbers_after(text: &str, words: &str) -> Vec<u32> {
    text.split(words)
        .skip(1)
        .filter_map(|rest| rest.split_whitespace().next()?.parse().ok())
        .collect()
}

#[test]
fn the_first_guest_is_a_linux_that_lives_through_saves_without_losing_a_second() {
    let scratch = Scratch::new();
    scratch.folder("guest");
    scratch.folder("home");
    // A rehearsal only reads this folder.
    scratch.folder("host");
    for part in ["vmlinuz", "initramfs.gz"] {
        scratch.copy(&tiny(part), &format!("guest/{part}"));
    }
    let copy = scratch.copy(&script("first_guest.rhai"), "first_guest.rhai");
    let told = virhai()
        .unprivileged()
        .env("HOME", scratch.path("home"))
        .arg("--allow-embed")
        .arg(scratch.path("host"))
        .arg("run")
        .arg(copy)
        .arg("--guest")
        .arg(scratch.path("guest"))
        .arg("--state")
        .arg(scratch.path("host"))
        .ok_with_plan();
    for part in ["VIRHAI-GUEST-UP", "VIRHAI-GUEST-DOWN", "undefine"] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    let counted = numbers_after(&told, "it has counted ");
    let went_on = numbers_after(&told, "it continues to count: ");
    let ticks: Vec<u32> = counted.into_iter().chain(went_on).collect();
    assert_eq!(ticks.len(), 4, "{told}");
    // Saving and restoring took several seconds, but time stood still in the guest.
    let steps: Vec<u32> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        steps.iter().all(|step| (1..=3).contains(step)),
        "{ticks:?} in\n{told}"
    );
}

#[test]
fn all_scripts_declare_their_inputs() {
    let outcome = virhai().arg("run").arg(script("first_guest.rhai")).fails(2);
    for missing in ["--guest", "--state"] {
        assert!(outcome.stderr.contains(missing), "{outcome}");
    }
    let told = virhai().arg("--json").arg("list").arg(script("")).ok();
    let entries: Vec<serde_json::Value> = serde_json::from_str(&told).expect("it is a list");
    assert!(entries.len() > 16, "{told}");
    for entry in entries {
        let inputs = entry["inputs"].as_array().expect("a list");
        assert!(!inputs.is_empty(), "{entry}");
        assert!(
            entry["about"]
                .as_str()
                .is_some_and(|line| line.ends_with('.')),
            "{entry}"
        );
    }
}
