//! The runner: what goes in, what comes out, and the exit status.

use crate::support::{Scratch, virhai};

#[test]
fn the_result_of_a_script_is_printed() {
    assert_eq!(virhai().arg("-e").arg("40 + 2").ok(), "42\n");
}

#[test]
fn the_script_sees_its_arguments() {
    let scratch = Scratch::new();
    let file = scratch.write("echo.rhai", "print(args.join(\",\"));");
    assert_eq!(
        virhai().arg("run").arg(&file).arg("a").arg("-b").ok(),
        "a,-b\n"
    );
}
