//! Scripts that run many rows, and their results.

use std::collections::HashMap;
use std::fmt::Write;

use super::differences::{Expected, expected};
use super::labels;
use super::rows::Row;

/// The place of the rows of one script: its domain has a name that no other script uses.
pub struct Place<'a> {
    pub domain: String,
    /// Distinguishes the UUIDs of this place's domains from others, in four hexadecimal digits.
    pub number: usize,
    pub domain_type: &'a str,
    /// A folder for save files.
    pub folder: String,
    /// The destination of migrations, and the URI for the guests' memory.
    pub destination: String,
    pub memory_uri: String,
    /// True if every row has a separate connection, with a whole host.
    pub fresh_host: bool,
}

/// The script that runs `rows`, each under its index.
pub fn script(place: &Place, rows: &[(usize, &Row)]) -> String {
    let Place {
        domain,
        number,
        domain_type,
        folder,
        destination,
        memory_uri,
        ..
    } = place;
    let mut text = format!(
        "fn guest_name() {{ \"{domain}\" }}\n\
         fn uuid() {{ \"7e1a0000-0000-4000-8000-00000000{number:02x}01\" }}\n\
         fn other() {{ \"7e1a0000-0000-4000-8000-00000000{number:02x}02\" }}\n\
         fn destination_uri() {{ \"{destination}\" }}\n\
         fn port() {{ \"{memory_uri}\" }}\n"
    );
    text.push_str(match *domain_type {
        "test" => {
            "fn guest(name, uuid, mib) {
                `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid>
                 <memory unit='MiB'>${mib}</memory><vcpu>1</vcpu>
                 <os><type>hvm</type></os></domain>`
             }\n"
        }
        // Without a disk, the firmware finds nothing to boot and runs forever.
        _ => {
            "fn guest(name, uuid, mib) {
                `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid>
                 <memory unit='MiB'>${mib}</memory><vcpu>1</vcpu>
                 <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
                 <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
                 <on_crash>destroy</on_crash></domain>`
             }\n"
        }
    });
    text.push_str(labels::HELPERS);
    text.push_str(super::snapshots::HELPERS);

    let mut states: Vec<&str> = rows.iter().map(|(_, row)| row.state).collect();
    states.dedup();
    for label in states {
        let body = labels::state(label).expect("every state has its words");
        let _ = writeln!(text, "fn reach_{label}(conn, path) {{ {body} }}");
    }
    for (index, row) in rows {
        let body = labels::operation(row.operation).expect("every operation has its words");
        let _ = writeln!(text, "fn do_{index}(conn, dom, path) {{ {body} }}");
    }
    text.push_str("let rows = [\n");
    for (index, row) in rows {
        let (state, keeps) = (
            row.state,
            expected(row).outcome == "error" || row.keeps_its_state(),
        );
        let moves = row.operation.starts_with("migrate");
        let _ = writeln!(text, "[{index}, \"{state}\", {keeps}, {moves}],");
    }
    text.push_str("];\n");
    let _ = writeln!(text, "let folder = \"{folder}\";");
    text.push_str(if place.fresh_host {
        EACH_ON_ITS_OWN_HOST
    } else {
        ALL_ON_ONE_HOST
    });
    text
}

const EACH_ON_ITS_OWN_HOST: &str = r#"
for row in rows {
    let conn = connect();
    let path = `${folder}/${row[0]}.save`;
    try {
        let dom = Fn("reach_" + row[1]).call(conn, path);
        attempt(row[0], conn, dom, path, Fn("do_" + row[0]));
    } catch (err) {
        tell(row[0], "cannot reach state", err, "", "");
    }
    conn.close();
}
"#;

// A state is built anew only where the row before may have changed it.
const ALL_ON_ONE_HOST: &str = r#"
let conn = connect();
let built = "";
let before = "";
let path = "";
let dom = ();
for row in rows {
    try {
        if built != row[1] {
            clean(conn);
            path = `${folder}/${row[0]}.save`;
            dom = Fn("reach_" + row[1]).call(conn, path);
            before = state_of(conn);
        }
        let after = attempt(row[0], conn, dom, path, Fn("do_" + row[0]));
        built = if row[2] && after == before { row[1] } else { "" };
    } catch (err) {
        tell(row[0], "cannot reach state", err, "", "");
        built = "";
    }
    if row[3] {
        let dest = destination();
        clean(dest);
        dest.close();
    }
}
clean(conn);
"#;

/// The differences between the script's output and the expected results of its rows, as lines. The
/// table uses a different name for the script's `domain`.
pub fn mismatches(
    domain: &str,
    rows: &[(usize, &Row)],
    printed: &str,
    ending: &str,
) -> Vec<String> {
    let printed = match domain {
        "" => printed.to_owned(),
        domain => printed.replace(domain, "relsm"),
    };
    let told: HashMap<usize, Vec<&str>> = printed
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Some((cells.first()?.parse().ok()?, cells))
        })
        .collect();
    rows.iter()
        .filter_map(|(index, row)| {
            let wanted = expected(row);
            let line = match told.get(index).map(Vec::as_slice) {
                Some([_, outcome, code, after, returned, message @ ..]) => {
                    let same = same(row, &wanted, [outcome, code, after, returned]);
                    if same {
                        return None;
                    }
                    let message = message.join(" ");
                    format!("is {outcome} {code} [{after}] {returned} {message}")
                }
                _ => format!("told nothing: {ending}"),
            };
            let Expected { outcome, error_code, state_after, returned } = wanted;
            Some(format!(
                "{} | {} | {}: {line}\n    must be {outcome} {error_code} [{state_after}] {returned}",
                row.driver, row.state, row.operation
            ))
        })
        .collect()
}

fn same(row: &Row, wanted: &Expected, told: [&str; 4]) -> bool {
    let [outcome, code, after, returned] = told;
    if row.operation == "(setup)" {
        return outcome == "cannot reach state" && code == wanted.error_code;
    }
    outcome == wanted.outcome
        && code == wanted.error_code
        && after == wanted.state_after
        && (outcome == "error" || returned == wanted.returned)
}
