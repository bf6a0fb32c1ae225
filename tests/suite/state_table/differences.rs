//! Intended differences of virhai from libvirt, and of this host from the measured one.

use super::rows::Row;

/// The expected result of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// `ok` or `error`.
    pub outcome: &'static str,
    pub error_code: &'static str,
    pub state_after: &'static str,
    pub returned: &'static str,
}

struct Difference {
    #[allow(dead_code)] // For the reader.
    why: &'static str,
    applies: fn(&Row) -> bool,
    instead: fn(&Row, &mut Expected),
}

static DIFFERENCES: &[Difference] = &[
    Difference {
        why: "libvirt would boot afresh and keep the stale image, which the next start resumes \
              over a newer disk: virhai refuses",
        applies: |row| {
            row.state.starts_with("managed_saved")
                && row.operation.starts_with("createXML(")
                && row.operation != "createXML(other name, same uuid)"
        },
        instead: |row, expected| {
            refused(expected, "VIR_ERR_OPERATION_INVALID", before(row));
        },
    },
    Difference {
        why: "the saved memory would no longer match the new disk: virhai refuses before libvirt looks",
        applies: |row| {
            row.state.starts_with("managed_saved")
                && row.operation.starts_with("snapshotCreateXML(DISK_ONLY")
        },
        instead: |row, expected| {
            refused(expected, "VIR_ERR_OPERATION_INVALID", before(row));
        },
    },
    Difference {
        why: "a relative path would be of the client's folder and not of the host's: virhai refuses",
        applies: |row| row.operation == "save(relative path)",
        instead: |row, expected| refused(expected, "VIR_ERR_INVALID_ARG", before(row)),
    },
    Difference {
        why: "libvirt-python's 0 of a restore is of no use: virhai answers the domain",
        applies: |row| row.operation.starts_with("restore") && row.outcome != "error",
        instead: |_, expected| expected.returned = "virDomain",
    },
];

fn refused(expected: &mut Expected, code: &'static str, state: &'static str) {
    *expected = Expected {
        outcome: "error",
        error_code: code,
        state_after: state,
        returned: "",
    };
}

/// The state of the domain before the operation, for rows whose table entry is a change.
fn before(row: &Row) -> &'static str {
    let change = row.outcome.strip_prefix("ok: ");
    change
        .and_then(|change| change.split_once(" -> "))
        .map_or(row.state_after, |(before, _)| before)
}

/// The expected result of `row` on virhai.
pub fn expected(row: &Row) -> Expected {
    let ok = row.outcome.starts_with("ok");
    let mut expected = Expected {
        outcome: if ok { "ok" } else { "error" },
        error_code: row.error_code,
        state_after: row.state_after,
        returned: row.returned,
    };
    for difference in DIFFERENCES {
        if (difference.applies)(row) {
            (difference.instead)(row, &mut expected);
        }
    }
    expected
}
