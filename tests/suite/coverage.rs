//! Compares everything that libvirt publishes and libvirt-python offers with the functions for scripts.
//!
//! A missing function or method must be listed here: for good, with its reason, or as one that is still to come. Both
//! lists fail this test for a function that scripts can call, so that they only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use virhai::catalog::Function;

use super::catalogue::{expected_name, functions, python};
use super::constants::{functions as published, whole_api};
use crate::support::golden;

/// Functions that scripts do not need, by the reason.
const OMITTED: &[(&str, &[&str])] = &[
    (
        "references are counted and memory is freed with the values of a script",
        &[
            "virAdmClientFree",
            "virAdmConnectRef",
            "virAdmServerFree",
            "virDomainCheckpointFree",
            "virDomainCheckpointRef",
            "virDomainFSInfoFree",
            "virDomainFree",
            "virDomainIOThreadInfoFree",
            "virDomainInterfaceFree",
            "virDomainRef",
            "virDomainSnapshotFree",
            "virDomainSnapshotRef",
            "virDomainStatsRecordListFree",
            "virInterfaceFree",
            "virInterfaceRef",
            "virNWFilterBindingFree",
            "virNWFilterBindingRef",
            "virNWFilterFree",
            "virNWFilterRef",
            "virNetworkDHCPLeaseFree",
            "virNetworkFree",
            "virNetworkPortFree",
            "virNetworkPortRef",
            "virNetworkRef",
            "virNodeDeviceFree",
            "virNodeDeviceRef",
            "virSecretFree",
            "virSecretRef",
            "virStoragePoolFree",
            "virStoragePoolRef",
            "virStorageVolFree",
            "virStorageVolRef",
            "virStreamFree",
            "virStreamRef",
        ],
    ),
    (
        "virhai runs its own event loop, and scripts wait for events",
        &[
            "virEventAddHandle",
            "virEventAddTimeout",
            "virEventRegisterDefaultImpl",
            "virEventRegisterImpl",
            "virEventRemoveHandle",
            "virEventRemoveTimeout",
            "virEventRunDefaultImpl",
            "virEventUpdateHandle",
            "virEventUpdateTimeout",
        ],
    ),
    (
        "typed parameters are maps",
        &[
            "virTypedParamsAddBoolean",
            "virTypedParamsAddDouble",
            "virTypedParamsAddFromString",
            "virTypedParamsAddInt",
            "virTypedParamsAddLLong",
            "virTypedParamsAddString",
            "virTypedParamsAddStringList",
            "virTypedParamsAddUInt",
            "virTypedParamsAddULLong",
            "virTypedParamsClear",
            "virTypedParamsFree",
            "virTypedParamsGet",
            "virTypedParamsGetBoolean",
            "virTypedParamsGetDouble",
            "virTypedParamsGetInt",
            "virTypedParamsGetLLong",
            "virTypedParamsGetString",
            "virTypedParamsGetUInt",
            "virTypedParamsGetULLong",
        ],
    ),
    (
        "errors are thrown",
        &[
            "virConnCopyLastError",
            "virConnGetLastError",
            "virConnResetLastError",
            "virConnSetErrorFunc",
            "virCopyLastError",
            "virDefaultErrorFunc",
            "virFreeError",
            "virGetLastErrorCode",
            "virGetLastErrorDomain",
            "virGetLastErrorMessage",
            "virResetError",
            "virResetLastError",
            "virSaveLastError",
            "virSetErrorFunc",
        ],
    ),
    (
        "the library is readied before the first call",
        &["virAdmInitialize", "virInitialize"],
    ),
    (
        "a UUID as bytes goes by way of its text",
        &[
            "virDomainGetUUID",
            "virDomainLookupByUUID",
            "virNWFilterGetUUID",
            "virNWFilterLookupByUUID",
            "virNetworkGetUUID",
            "virNetworkLookupByUUID",
            "virNetworkPortGetUUID",
            "virNetworkPortLookupByUUID",
            "virSecretGetUUID",
            "virSecretLookupByUUID",
            "virStoragePoolGetUUID",
            "virStoragePoolLookupByUUID",
        ],
    ),
    (
        "a list of objects is there, which misses nothing that comes or goes meanwhile",
        &[
            "virConnectListDefinedDomains",
            "virConnectListDefinedInterfaces",
            "virConnectListDefinedNetworks",
            "virConnectListDefinedStoragePools",
            "virConnectListDomains",
            "virConnectListInterfaces",
            "virConnectListNWFilters",
            "virConnectListNetworks",
            "virConnectListSecrets",
            "virConnectListStoragePools",
            "virDomainSnapshotListChildrenNames",
            "virDomainSnapshotListNames",
            "virStoragePoolListVolumes",
        ],
    ),
    (
        "virConnectOpenAuth does all that these do",
        &["virConnectOpen", "virConnectOpenReadOnly"],
    ),
    (
        "virConnectDomainEventRegisterAny tells of this event as well",
        &[
            "virConnectDomainEventDeregister",
            "virConnectDomainEventRegister",
        ],
    ),
    (
        "an old name of virDomainCreateXML",
        &["virDomainCreateLinux"],
    ),
    (
        "loops over virStreamSend and virStreamRecv, which scripts have as `send_all` and `recv_all`",
        &[
            "virStreamRecvAll",
            "virStreamSendAll",
            "virStreamSparseRecvAll",
            "virStreamSparseSendAll",
        ],
    ),
    (
        "a script has no process of its own that could enter a container",
        &[
            "virDomainLxcEnterCGroup",
            "virDomainLxcEnterNamespace",
            "virDomainLxcEnterSecurityLabel",
        ],
    ),
    (
        "virhai reads streams until their end",
        &["virStreamEventUpdateCallback"],
    ),
    ("virGetVersion tells the same", &["virAdmGetVersion"]),
];

/// Functions that scripts cannot call yet, but shall.
const TO_COME: &[&str] = &[];

/// Methods of libvirt-python that scripts do not need, by the reason; `*` stands for every class.
const OMITTED_METHODS: &[(&str, &[&str])] = &[
    (
        "an error's properties are `code`, `number`, `domain`, `message` and others",
        &[
            "libvirtError.get_error_code",
            "libvirtError.get_error_domain",
            "libvirtError.get_error_level",
            "libvirtError.get_error_message",
            "libvirtError.get_int1",
            "libvirtError.get_int2",
            "libvirtError.get_str1",
            "libvirtError.get_str2",
            "libvirtError.get_str3",
            "virConnect.virConnGetLastError",
            "virConnect.virConnResetLastError",
        ],
    ),
    (
        "for extensions of Python that are written in C",
        &["*.c_pointer"],
    ),
    (
        "scripts get events by `events`, `on` and `wait_event`, and a lost connection is an event or an error",
        &[
            "virConnect.domainEventDeregister",
            "virConnect.domainEventDeregisterAny",
            "virConnect.domainEventRegister",
            "virConnect.domainEventRegisterAny",
            "virConnect.networkEventDeregisterAny",
            "virConnect.networkEventRegisterAny",
            "virConnect.nodeDeviceEventDeregisterAny",
            "virConnect.nodeDeviceEventRegisterAny",
            "virConnect.registerCloseCallback",
            "virConnect.secretEventDeregisterAny",
            "virConnect.secretEventRegisterAny",
            "virConnect.storagePoolEventDeregisterAny",
            "virConnect.storagePoolEventRegisterAny",
            "virConnect.unregisterCloseCallback",
            "libvirt_qemu.qemuMonitorEventDeregister",
            "libvirt_qemu.qemuMonitorEventRegister",
        ],
    ),
    (
        "a stream is read and written by calls that wait",
        &[
            "virStream.eventAddCallback",
            "virStream.eventRemoveCallback",
            "virStream.eventUpdateCallback",
        ],
    ),
    (
        "`send_all`, `recv_all`, `upload_file` and `download_file` keep holes where `sparse` says so",
        &["virStream.sparseRecvAll", "virStream.sparseSendAll"],
    ),
    ("an old name of `create_xml`", &["virConnect.createLinux"]),
    (
        "`get_connect` and `get_domain` answer the same",
        &[
            "virDomainCheckpoint.connect",
            "virDomainCheckpoint.domain",
            "virDomainSnapshot.connect",
            "virDomainSnapshot.domain",
        ],
    ),
    (
        "a script has no process of its own that could enter a container",
        &["libvirt_lxc.lxcEnterCGroup"],
    ),
];

/// Methods of libvirt-python that scripts do not have yet, but shall.
const METHODS_TO_COME: &[&str] = &[];

/// The names in the tables of the objects that functions and methods belong to.
pub const OBJECTS: &[(&str, &[&str])] = &[
    ("Connection", &["virConnect", "virNode"]),
    ("Domain", &["virDomain", "libvirt_qemu", "libvirt_lxc"]),
    ("DomainSnapshot", &["virDomainSnapshot"]),
    ("DomainCheckpoint", &["virDomainCheckpoint"]),
    ("Network", &["virNetwork"]),
    ("NetworkPort", &["virNetworkPort"]),
    ("StoragePool", &["virStoragePool"]),
    ("StorageVol", &["virStorageVol"]),
    ("Interface", &["virInterface"]),
    ("NodeDevice", &["virNodeDevice"]),
    ("NWFilter", &["virNWFilter"]),
    ("NWFilterBinding", &["virNWFilterBinding"]),
    ("Secret", &["virSecret"]),
    ("Stream", &["virStream"]),
    ("AdminConnection", &["virAdmConnect"]),
    ("AdminServer", &["virAdmServer"]),
    ("AdminClient", &["virAdmClient"]),
];

/// Functions without an object: events, errors, typed parameters.
const LIBRARY: &str = "the library";

/// The object that a function or a class belongs to: that with the longest prefix.
fn object(name: &str) -> &'static str {
    let prefixes = OBJECTS
        .iter()
        .flat_map(|(object, prefixes)| prefixes.iter().map(move |prefix| (*object, *prefix)));
    let fits = |prefix: &str| {
        // `virNode` belongs to the host, and `virNodeDevice` to another object; `virConn` belongs
        // to the library.
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.starts_with(char::is_lowercase))
    };
    prefixes
        .filter(|(_, prefix)| fits(prefix))
        .max_by_key(|(_, prefix)| prefix.len())
        .map_or(LIBRARY, |(object, _)| object)
}

/// The support of scripts for a function of libvirt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Called,
    Omitted,
    ToCome,
}

#[derive(Default)]
struct Row {
    functions: [usize; 3],
    methods: [usize; 3],
}

/// Classifies `name`, and adds it to `offenders` if the lists contradict each other or the API.
fn reach(
    name: &str,
    is_there: bool,
    omitted: bool,
    to_come: bool,
    offenders: &mut Vec<String>,
) -> Reach {
    match (is_there, omitted, to_come) {
        (true, false, false) => return Reach::Called,
        (false, true, false) => return Reach::Omitted,
        (false, false, true) => return Reach::ToCome,
        (true, ..) => offenders.push(format!("{name} is there now: take it off the list")),
        (false, false, false) => offenders.push(format!("{name} is missing")),
        (false, true, true) => offenders.push(format!("{name} is on two lists")),
    }
    Reach::ToCome
}

fn receiver_of(class: &str) -> Option<&'static str> {
    match class {
        "libvirt_qemu" | "libvirt_lxc" | "libvirtError" => None,
        _ => Some(object(class)),
    }
}

/// True if scripts have the method of libvirt-python under its name.
fn has_method(functions: &[Function], class: &str, method: &str) -> bool {
    let name = expected_name(method);
    functions.iter().any(|function| {
        let on = function.receiver().map(ToString::to_string);
        function.name == name
            && receiver_of(class).is_none_or(|receiver| on.as_deref() == Some(receiver))
    })
}

#[test]
fn all_that_libvirt_publishes_can_be_called_or_is_listed_with_the_reason() {
    let functions = functions();
    let called: BTreeSet<&str> = functions.iter().flat_map(Function::calls).collect();
    let api = whole_api();
    let here = published(&api);
    assert!(here.len() > 500, "the API files are understood");
    // An older libvirt has fewer functions than the table, and a newer one has more.
    let table = include_str!("../../runtime/constants/functions.txt").lines();
    let known: BTreeSet<&str> = table
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next())
        .chain(here.iter().map(|function| function.name))
        .collect();
    let omitted: BTreeSet<&str> = OMITTED
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    let to_come: BTreeSet<&str> = TO_COME.iter().copied().collect();

    let mut offenders = Vec::new();
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for name in &known {
        let (omitted, to_come) = (omitted.contains(name), to_come.contains(name));
        let reach = reach(
            name,
            called.contains(name),
            omitted,
            to_come,
            &mut offenders,
        );
        rows.entry(object(name)).or_default().functions[reach as usize] += 1;
    }
    let listed = omitted.union(&to_come);
    offenders.extend(
        listed
            .filter(|name| !known.contains(*name))
            .map(|name| format!("{name} is listed, and libvirt does not have it")),
    );

    let mut unknown: BTreeSet<&str> = OMITTED_METHODS
        .iter()
        .flat_map(|(_, names)| *names)
        .chain(METHODS_TO_COME)
        .copied()
        .collect();
    for (class, method, _) in python() {
        let (name, any) = (format!("{class}.{method}"), format!("*.{method}"));
        let of_any =
            |names: &[&str]| names.contains(&name.as_str()) || names.contains(&any.as_str());
        let omitted = OMITTED_METHODS.iter().any(|(_, names)| of_any(names));
        let is_there = has_method(&functions, class, method);
        let reach = reach(
            &name,
            is_there,
            omitted,
            of_any(METHODS_TO_COME),
            &mut offenders,
        );
        rows.entry(object(class)).or_default().methods[reach as usize] += 1;
        unknown.remove(name.as_str());
        unknown.remove(any.as_str());
    }
    offenders.extend(
        unknown
            .iter()
            .map(|name| format!("{name} is listed, and Python does not have it")),
    );
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
    write_table(&rows);
}

/// Compares the table in the README with `rows`; `UPDATE=1` writes it.
fn write_table(rows: &BTreeMap<&str, Row>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("it is there");
    let (begin, end) = ("<!-- coverage -->\n", "<!-- /coverage -->");
    let (before, rest) = readme.split_once(begin).expect("the README has the table");
    let (_, after) = rest.split_once(end).expect("the table ends");
    let mut table = String::from(
        "| object | functions of libvirt | in virhai | not needed | missing | methods of libvirt-python | in virhai | not needed | missing |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut sum = Row::default();
    let objects = OBJECTS.iter().map(|(object, _)| *object).chain([LIBRARY]);
    for object in objects {
        let Some(row) = rows.get(object) else {
            continue;
        };
        let linked = match object {
            LIBRARY => object.to_owned(),
            _ => format!("[{object}](docs/objects.md#{})", object.to_lowercase()),
        };
        add_row(&mut table, &linked, row);
        for reach in 0..3 {
            sum.functions[reach] += row.functions[reach];
            sum.methods[reach] += row.methods[reach];
        }
    }
    add_row(&mut table, "all", &sum);
    golden(
        Path::new(path),
        &format!("{before}{begin}\n{table}\n{end}{after}"),
    );
}

fn add_row(table: &mut String, object: &str, row: &Row) {
    let _ = write!(table, "| {object} |");
    for counts in [row.functions, row.methods] {
        let _ = write!(table, " {} |", counts.iter().sum::<usize>());
        for count in counts {
            let _ = write!(table, " {count} |");
        }
    }
    table.push('\n');
}
