//! Moves that are stopped or killed in between.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::Hosts;
use crate::support::{Picture, all, strike};

impl Hosts {
    fn picture(&self) -> [Picture; 2] {
        [Picture::of(&self.here), Picture::of(&self.there)]
    }

    /// The differences of the two hosts from `before`, without the data that a running guest wrote meanwhile.
    fn difference(&self, before: &[Picture; 2]) -> Vec<String> {
        let after = self.picture();
        let mut found = before[0].difference(&after[0]);
        found.extend(before[1].difference(&after[1]));
        found
    }
}

/// Stops `body` after an increasing number of operations, until it succeeds.
fn sweep(name: &str, prepare: &str, body: &str, first: usize, step: usize) {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    hosts.ok(&prepare.replace("XML", &format!("`{xml}`")));
    let before = hosts.picture();
    let step = if all() { step.div_ceil(10) } else { step };
    let mut points = 0;
    for operations in (first..).step_by(step) {
        let outcome = hosts
            .script(body)
            .first_arg(&operations.to_string())
            .first_arg("--max-operations")
            .run();
        if outcome.status == 0 {
            break;
        }
        points += 1;
        let difference = hosts.difference(&before);
        // The stop came after the end of the recipe, so everything was done.
        if !difference.is_empty() && !outcome.stderr.contains("std/migration") {
            break;
        }
        assert!(
            difference.is_empty() && !outcome.stderr.contains("cannot undo"),
            "{name}: stopped after {operations} operations: {}\n{outcome}",
            difference.join("\n  ")
        );
    }
    println!("{name}: {points} points, 0 left behind, 0 said");
    assert!(points > 3, "it was stopped {points} times");
}

#[test]
fn a_configuration_that_was_not_moved_leaves_nothing_there() {
    sweep(
        "migration::to, off",
        "conn.define_xml(XML).set_autostart(true);",
        r#"migration::to(conn.lookup_by_name("web"), dest, #{});"#,
        200,
        150,
    );
}

#[test]
fn guests_that_were_not_all_evacuated_are_brought_back() {
    sweep(
        "migration::evacuate, bring back",
        "begin(conn, XML); let more = XML; more.replace(\"<name>web\", \"<name>db\"); conn.define_xml(more);",
        r#"migration::evacuate(conn, dest, #{ inactive: true, on_failure: "bring back" });"#,
        300,
        500,
    );
}

/// A killed client leaves the guest on one host; the same call then moves it, or the check explains
/// why not.
#[test]
fn the_same_call_completes_a_killed_move_or_explains_it() {
    let hosts = Hosts::start();
    let xml = hosts.guest("counter", "web");
    hosts.ok(&format!("begin(conn, `{xml}`);"));
    let to = hosts.text(r#"migration::to(conn.lookup_by_name("web"), dest, #{});"#);
    let times = if all() { 20 } else { 4 };
    let (mut moved, mut explained) = (0, 0);
    for turn in 0..times {
        let delay = Duration::from_millis(400 + 2600 * turn / times);
        strike(&hosts.here, &to, Signal::SIGKILL, delay);
        let told = hosts.ok(r#"
            let here = guest::find(conn, "web");
            let there = guest::find(dest, "web");
            assert(here != () || there != (), "the guest is lost");
            if here != () {
                try {
                    migration::to(here, dest, #{});
                    print("moved");
                } catch (err) {
                    // Its host was about to let go of it: the move was done.
                    assert(err.code == "VIR_ERR_NO_DOMAIN" || "findings" in err, `${err}`);
                    print(`explained: ${err.message}`);
                }
            } else { print("moved"); }
            // One guest runs, and is made ready for the next turn.
            let doms = [guest::find(conn, "web"), guest::find(dest, "web")].filter(|dom| dom != ());
            assert(doms.filter(|dom| dom.state() == "running").len() <= 1);
            for dom in doms { guest::remove(dom); }
            "#);
        if told.contains("explained") {
            println!("{delay:?}: {told}");
            explained += 1;
        } else {
            moved += 1;
        }
        hosts.ok(&format!("begin(conn, `{xml}`);"));
    }
    println!("migration::to, killed: {moved} moved by the same call, {explained} explained");
}
