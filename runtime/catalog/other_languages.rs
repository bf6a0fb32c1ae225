//! Functions of other languages and programs, and their counterparts in scripts; `elsewhere` has methods by the kind of object.

use super::names::snake_case;

/// The names by which other programs of libvirt open a connection.
const OPENERS: &[(&str, &str)] = &[
    ("open_auth", "connect_auth"),
    ("open_read_only", "connect_read_only"),
    ("virConnectOpen", "connect"),
    ("virConnectOpenAuth", "connect_auth"),
    ("virConnectOpenReadOnly", "connect_read_only"),
    ("open_admin", "connect_admin"),
    ("virAdmConnectOpen", "connect_admin"),
];

/// Names of other languages, with their counterparts in scripts. A name can have several, of different types.
pub(super) const FUNCTIONS: &[(&str, &str)] = &[
    ("add", "push"),
    ("add", "insert"),
    ("add_child", "insert"),
    ("all", "select"),
    ("append", "insert"),
    ("append_child", "insert"),
    ("attr", "get"),
    ("attrib", "attributes"),
    ("attribute", "get"),
    ("clone", "copy"),
    ("count", "len"),
    ("define_domain", "define_xml"),
    ("domains", "list_all_domains"),
    ("exists", "has"),
    ("find", "select"),
    ("find_all", "select"),
    ("findall", "select"),
    ("findtext", "get"),
    ("get_attribute", "get"),
    ("get_elements_by_tag_name", "select"),
    ("has", "contains"),
    ("include", "contains"),
    ("includes", "contains"),
    ("int", "parse_int"),
    ("iter", "select"),
    ("length", "len"),
    ("lower", "to_lower"),
    ("printf", "print"),
    ("query", "select"),
    ("query_selector", "select"),
    ("query_selector_all", "select"),
    ("remove", "delete"),
    ("rm", "delete"),
    ("set_attribute", "set"),
    ("set_text", "set"),
    ("size", "len"),
    ("slice", "extract"),
    ("snapshots", "list_all_snapshots"),
    ("sorted", "sort_by"),
    ("str", "to_string"),
    ("strip", "trim"),
    ("text", "get"),
    ("to_lower_case", "to_lower"),
    ("to_upper_case", "to_upper"),
    ("to_xml", "to_string"),
    ("tostring", "to_string"),
    ("toxml", "to_string"),
    ("type", "type_of"),
    ("typeof", "type_of"),
    ("upper", "to_upper"),
    ("value", "get"),
    ("xpath", "select"),
];

/// Functions that the language itself has.
pub(super) const BUILT_IN: [&str; 5] = ["call", "debug", "eval", "print", "type_of"];

/// Functions of other languages for features that scripts do not have.
const UNREACHED: &[(&[&str], &str)] = &[
    (
        &["open"],
        "`connect(uri)` opens a hypervisor; `read_text(path)` and `write_text(path, text)` use files, with `--allow-read` and `--allow-write`",
    ),
    (
        &[
            "read_file",
            "file_read",
            "read_to_string",
            "open_file",
            "write_file",
        ],
        "`read_text(path)` and `write_text(path, text)` use files, with `--allow-read` and `--allow-write`",
    ),
    (
        &[
            "system",
            "exec",
            "shell",
            "popen",
            "subprocess",
            "sh",
            "command",
            "os_system",
        ],
        "`run([\"program\", \"argument\"])` runs a program, with `--allow-run`; `dom.agent_exec` runs one in a guest",
    ),
    (
        &["dir", "help", "methods", "vars"],
        "`virhai doc NAME` lists the members of a type, such as `virhai doc Domain`; at the prompt, use `:methods x` or `x?`",
    ),
    (
        &["resize_disk", "disk_resize", "grow_disk"],
        "`dom.block_resize(\"vda\", \"30GiB\")` resizes a disk of a running guest, and `vol.resize(\"30GiB\")` the volume of a guest that is shut off",
    ),
    (
        &["eject", "eject_cd", "eject_cdrom"],
        "`dom.update_device(xml)` ejects a disc: `xml` is the drive's XML without `<source>`",
    ),
    (
        &["add_disk", "add_nic", "attach_nic", "add_device"],
        "`dom.attach_device(xml)` adds a device to a running guest",
    ),
    (
        &["ip", "get_ip", "ip_address", "ip_addresses"],
        "`import \"std/address\" as address;` and `address::of(dom)` find the address of a guest",
    ),
    (
        &["wait_for_ssh", "wait_ssh", "wait_for_ip", "wait_for_boot"],
        "`import \"std/ready\" as ready;` and `ready::wait_for(dom, #{ tcp: 22, timeout: \"5m\" })` wait until a guest answers",
    ),
    (
        &["set_boot_order", "set_boot", "boot_order"],
        "`dom.edit(|xml| xml.set(\"os/boot/@dev\", \"network\"))` changes the device that a guest boots from",
    ),
    (
        &["mkdir", "makedirs", "create_dir"],
        "a script does not create folders: create them before the run, for example with `mkdir -p`",
    ),
    (
        &["format"],
        "between backquotes, `${x}` puts a value into text",
    ),
    (
        &["fetch", "urlopen", "curl", "wget"],
        "`http_get(url)` gets a URL, with `--allow-net`",
    ),
    (&["not"], "`!` means that it is not true: `!(a == b)`"),
    (&["to_int"], "`parse_int(text)` reads a number"),
    (&["float", "to_float"], "`parse_float(text)` reads a number"),
    (
        &["quit"],
        "`exit()` ends a script, and `exit(1)` with that status",
    ),
    (
        &["getenv", "get_env", "environ"],
        "`env(name)` reads an environment variable, with `--allow-env`",
    ),
    (
        &["input", "read_line", "readline", "gets"],
        "a script cannot ask for input while it runs: use its arguments, `args`",
    ),
];

/// Advice for the function `name` of another language, if it is in the table.
pub(super) fn unreached(name: &str) -> Option<&'static str> {
    let found = UNREACHED.iter().find(|(words, _)| words.contains(&name));
    found.map(|(_, advice)| *advice)
}

/// The function that opens a connection as `name` does elsewhere.
pub(super) fn opener(name: &str) -> Option<&'static str> {
    let snake = snake_case(name);
    let found = OPENERS
        .iter()
        .find(|(word, _)| *word == name || *word == snake)?;
    Some(found.1)
}
