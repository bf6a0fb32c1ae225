//! The rows about actions of a guest, by itself or after a request: each with a guest that does
//! exactly this, all on one host.

use crate::support::{Embed, Host};

use super::rows::{self, Row};

/// One row, and how to observe it.
struct Act {
    state: &'static str,
    operation: &'static str,
    guest: &'static str,
    /// The change of the guest's XML: the path and the new value.
    change: (&'static str, &'static str),
    /// The expected observations, with the guest as `dom` and its console as `console`.
    seen: &'static str,
}

const SAME: (&str, &str) = ("", "");
const PANIC_DEVICE: (&str, &str) = ("</devices>", "<panic model='isa'/></devices>");

const ACTS: [Act; 12] = [
    Act {
        state: "running_persistent",
        operation: "guest: powers itself off (on_poweroff=destroy)",
        guest: "poweroff",
        change: SAME,
        seen: r#"assert_eq(dom.wait("shutoff", "60s").reason, "shutdown");"#,
    },
    Act {
        state: "running_transient",
        operation: "guest: powers itself off",
        guest: "poweroff",
        change: SAME,
        seen: r#"
            assert(dom.wait("shutoff", "60s").gone);
            dom.wait("undefined", "10s");
            assert_eq(thrown(|| dom.state()), "VIR_ERR_NO_DOMAIN");"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: powers itself off (on_poweroff=restart)",
        guest: "poweroff",
        change: ("<on_poweroff>destroy", "<on_poweroff>restart"),
        seen: r#"
            for boot in 0..3 { console.wait("MG:poweroff", "60s"); }
            after = running_again(dom);"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: resets itself (on_reboot=restart)",
        guest: "reboot",
        change: SAME,
        seen: r#"
            let id = dom.id;
            for boot in 0..3 { console.wait("MG:reboot", "60s"); }
            assert_eq(conn.lookup_by_id(id).name, dom.name);"#,
    },
    Act {
        state: "running_transient",
        operation: "guest: resets itself (on_reboot=destroy)",
        guest: "reboot",
        change: ("<on_reboot>restart", "<on_reboot>destroy"),
        seen: r#"
            assert(dom.wait("shutoff", "60s").gone);
            dom.wait("undefined", "10s");"#,
    },
    Act {
        state: "running_persistent",
        operation: "shutdown() and guest obeys ACPI",
        guest: "counter",
        change: SAME,
        seen: r#"
            console.wait("MG:c=", "60s");
            dom.shutdown();
            console.wait("MG:powerbutton", "60s");
            assert_eq(dom.wait("shutoff", "60s").reason, "shutdown");"#,
    },
    Act {
        state: "running_persistent",
        operation: "shutdown() and guest ignores ACPI",
        guest: "hang",
        change: SAME,
        seen: r#"
            console.wait("MG:hang", "60s");
            dom.shutdown();
            assert_eq(thrown(|| dom.wait("shutoff", "2s")), "VIR_ERR_OPERATION_TIMEOUT");"#,
    },
    Act {
        state: "running_persistent",
        operation: "reboot(0) with on_reboot=destroy and guest obeys ACPI",
        guest: "counter",
        change: ("<on_reboot>restart", "<on_reboot>destroy"),
        seen: r#"
            console.wait("MG:c=", "60s");
            dom.reboot(0);
            assert_eq(dom.wait("shutoff", "60s").reason, "shutdown");"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: triple fault (on_reboot=destroy)",
        guest: "triplefault",
        change: ("<on_reboot>restart", "<on_reboot>destroy"),
        seen: r#"assert_eq(dom.wait("shutoff", "60s").reason, "shutdown");"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: panics, pvpanic, on_crash=destroy",
        guest: "panic",
        change: PANIC_DEVICE,
        seen: r#"assert_eq(dom.wait("shutoff", "60s").reason, "crashed");"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: panics, pvpanic, on_crash=restart",
        guest: "panic",
        change: ("<on_crash>destroy", "<on_crash>restart"),
        seen: r#"
            for boot in 0..3 { console.wait("MG:panic", "60s"); }
            after = running_again(dom);"#,
    },
    Act {
        state: "running_persistent",
        operation: "guest: panics, pvpanic, on_crash=preserve",
        guest: "panic",
        change: ("<on_crash>destroy", "<on_crash>preserve"),
        seen: r#"
            assert_eq(dom.wait("crashed", "60s").reason, "panicked");
            after = state_of(dom);
            assert_eq(thrown(|| dom.create()), "VIR_ERR_OPERATION_INVALID");
            dom.resume();
            assert_eq(dom.state(), "running");
            dom.destroy();
            assert_eq(dom.state(), "shutoff");"#,
    },
];

const HELPERS: &str = r#"
fn thrown(action) {
    try { action.call(); } catch (err) {
        if err.code == () { throw err; }
        return err.code;
    }
    throw "nothing was thrown";
}
fn state_of(dom) {
    try {
        let now = dom.state_reason();
        let kind = if dom.is_persistent() { "persistent" } else { "transient" };
        return `${now.state}(${now.reason}),${kind}`;
    } catch (err) {
        if err.code != "VIR_ERR_NO_DOMAIN" { throw err; }
    }
    "undefined"
}
fn running_again(dom) {
    // This guest ends and starts again and again: only what the wait itself saw is running for sure.
    let now = dom.wait("running", "60s");
    let kind = if dom.is_persistent() { "persistent" } else { "transient" };
    `${now.state}(${now.reason}),${kind}`
}
"#;

/// Runs every act, four at a time, and fails with the differences from their rows.
#[test]
fn a_guest_of_its_own_accord_ends_in_the_state_that_the_table_says() {
    let host = Embed::new();
    let all = rows::all();
    let mut script = HELPERS.to_owned();
    let mut wanted = Vec::new();
    for (index, act) in ACTS.iter().enumerate() {
        wanted.push(row(&all, act));
        script += &function(&host, index, act);
    }
    let numbers: Vec<usize> = (0..ACTS.len()).collect();
    script += &format!("let acts = {numbers:?};");
    script += r#"
        let conn = connect();
        let told = parallel(acts, 4, |act| act.to_string() + "\t" + Fn("act_" + act).call(conn));
        print(told.join("\n"));
    "#;
    let printed = host.ok(&script);
    let mut mismatches = Vec::new();
    for (index, row) in wanted.iter().enumerate() {
        let begin = format!("{index}\t");
        let after = printed.lines().find_map(|line| line.strip_prefix(&begin));
        if !after.is_some_and(|after| fits(after, row.state_after)) {
            let (operation, must) = (row.operation, row.state_after);
            mismatches.push(format!("{operation}: is {after:?}, must be {must}"));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

/// True if a state matches the table's, which has no reason if the guest goes through several.
fn fits(after: &str, wanted: &str) -> bool {
    // All guests here are started paused, so that their consoles have all output.
    let after = after.replace("running(unpaused)", "running(booted)");
    after == wanted
        || after
            .strip_prefix(wanted)
            .is_some_and(|rest| rest.starts_with('('))
}

fn row<'a>(all: &'a [Row], act: &Act) -> &'a Row {
    all.iter()
        .find(|row| (row.state, row.operation) == (act.state, act.operation))
        .unwrap_or_else(|| panic!("the table has no row {}", act.operation))
}

fn function(host: &Embed, index: usize, act: &Act) -> String {
    let xml = host.micro(act.guest, &format!("act{index}"));
    let mut xml = match act.change {
        SAME => xml,
        (what, with) => xml.replace(what, with),
    };
    if act.guest == "panic" && act.change != PANIC_DEVICE {
        xml = xml.replace(PANIC_DEVICE.0, PANIC_DEVICE.1);
    }
    let made = match act.state {
        "running_transient" => "conn.create_xml(xml, VIR_DOMAIN_START_PAUSED)",
        _ => {
            "conn.define_xml(xml);
            dom.create(VIR_DOMAIN_START_PAUSED)"
        }
    };
    let seen = act.seen;
    format!(
        "fn act_{index}(conn) {{
            let xml = `{xml}`;
            let dom = {made};
            let console = dom.open_console();
            let after = ();
            dom.resume();
            {seen}
            if after == () {{ after = state_of(dom); }}
            try {{ dom.destroy(); }} catch (err) {{}}
            after
        }}\n"
    )
}

#[test]
fn every_act_of_a_guest_in_the_table_is_here() {
    let all = rows::all();
    let acts = all.iter().filter(|row| row.is_done_by_a_guest());
    for row in acts {
        let here = ACTS
            .iter()
            .any(|act| (act.state, act.operation) == (row.state, row.operation));
        assert!(here, "{} | {}", row.state, row.operation);
    }
}
