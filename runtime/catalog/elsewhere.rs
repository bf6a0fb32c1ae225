//! Methods that other programs have on guests, hosts, pools, volumes and networks: how a script does the same.

/// Names, and what a script calls instead.
type Advice = (&'static [&'static str], &'static str);

/// The advice for each kind of object.
const METHODS: &[(&str, &[Advice])] = &[
    (
        "array",
        &[
            (
                &["max", "largest"],
                "`list.max_by(|item| item)` returns the largest item, and `max(a, b)` the larger of two values",
            ),
            (
                &["min", "smallest"],
                "`list.min_by(|item| item)` returns the smallest item, and `min(a, b)` the smaller of two values",
            ),
            (
                &["any", "exists"],
                "`list.some(|item| ...)` tells whether the closure returns true for an item",
            ),
            (
                &["every", "for_all"],
                "`list.all(|item| ...)` tells whether the closure returns true for every item",
            ),
            (&["add"], "`list.push(item)` adds an item"),
            (
                &["add_all", "extend"],
                "`list.append(other)` adds the items of another list",
            ),
        ],
    ),
    (
        "string",
        &[(
            &["find", "search", "index", "position"],
            "`text.index_of(part)` returns the position of a part, or -1; `text.contains(part)` tells whether it is there",
        )],
    ),
    (
        "map",
        &[(
            &["update", "merge", "extend", "assign"],
            "`map += #{ key: value };` adds the entries of another map",
        )],
    ),
    (
        "Connection",
        &[
            (
                &[
                    "domain",
                    "domain_by_name",
                    "find_domain",
                    "find_guest",
                    "find_vm",
                    "get_domain",
                    "get_guest",
                    "get_vm",
                    "guest",
                    "lookup",
                    "lookup_domain",
                    "vm",
                ],
                "`conn.lookup_by_name(name)` finds a guest",
            ),
            (
                &[
                    "all_domains",
                    "domain_list",
                    "domains",
                    "get_all_domains",
                    "get_domains",
                    "get_vms",
                    "guests",
                    "list",
                    "list_domains",
                    "list_guests",
                    "list_all_vms",
                    "list_vms",
                    "vms",
                ],
                "`conn.list_all_domains()` lists all guests",
            ),
            (
                &[
                    "create_domain",
                    "create_guest",
                    "create_vm",
                    "new_domain",
                    "new_guest",
                    "new_vm",
                ],
                "`guest::create(conn, options)` of `std/guest` makes a guest with its disks, and `conn.create_xml(xml)` starts a transient one",
            ),
            (
                &[
                    "find_pool",
                    "get_pool",
                    "lookup_pool",
                    "pool",
                    "pool_by_name",
                ],
                "`conn.storage_pool_lookup_by_name(name)` finds a pool",
            ),
            (
                &["get_pools", "list_all_pools", "list_pools", "pools"],
                "`conn.list_all_storage_pools()` lists all pools",
            ),
            (
                &["add_pool", "create_pool", "define_pool", "new_pool"],
                "`pool::create(conn, options)` of `std/pool` makes a pool, and `conn.storage_pool_define_xml(xml)` defines one",
            ),
            (
                &[
                    "find_network",
                    "get_network",
                    "lookup_network",
                    "net",
                    "network",
                    "network_by_name",
                ],
                "`conn.network_lookup_by_name(name)` finds a network",
            ),
            (
                &["get_networks", "networks", "nets", "list_nets"],
                "`conn.list_all_networks()` lists all networks",
            ),
            (
                &[
                    "add_network",
                    "create_network",
                    "define_network",
                    "new_network",
                ],
                "`network::create(conn, options)` of `std/network` makes a network, and `conn.network_define_xml(xml)` defines one",
            ),
            (
                &[
                    "find_volume",
                    "get_vol",
                    "get_volume",
                    "list_volumes",
                    "list_all_volumes",
                    "list_vols",
                    "lookup_volume",
                    "vol_list",
                    "volume",
                    "volumes",
                ],
                "volumes belong to pools: `pool.list_all_volumes()` lists them, `conn.storage_vol_lookup_by_path(path)` finds one",
            ),
            (
                &["create_volume", "create_vol", "create_image", "new_volume"],
                "`image::create(conn, options)` of `std/image` makes a volume",
            ),
            (
                &[
                    "cpu_info",
                    "cpus",
                    "get_cpu_info",
                    "get_host_info",
                    "get_node_info",
                    "host_info",
                    "memory",
                    "node_info",
                ],
                "`conn.get_info()` returns the CPUs and the memory of the host",
            ),
            (
                &["interfaces", "list_ifaces", "list_nics", "nics"],
                "`conn.list_all_interfaces()` lists the interfaces of the host",
            ),
            (
                &[
                    "devices",
                    "get_devices",
                    "get_node_devices",
                    "node_devices",
                    "list_node_devices",
                ],
                "`conn.list_all_devices()` lists the devices of the host",
            ),
            (
                &["add_secret", "create_secret", "define_secret", "new_secret"],
                "`conn.secret_define_xml(xml)` defines a secret",
            ),
            (
                &["stats", "get_stats", "domain_stats"],
                "`conn.get_all_domain_stats()` returns statistics of all guests",
            ),
        ],
    ),
    (
        "Domain",
        &[
            (
                &[
                    "force_off",
                    "force_stop",
                    "halt",
                    "hard_stop",
                    "kill",
                    "power_off",
                    "poweroff",
                    "terminate",
                    "turn_off",
                ],
                "`dom.stop()` asks the guest to shut down, and `dom.destroy()` turns it off at once",
            ),
            (
                &["boot", "power_on", "poweron", "start_up", "turn_on"],
                "`dom.create()` starts the guest",
            ),
            (
                &["run"],
                "`dom.create()` starts the guest, and `dom.agent_exec([\"program\", \"argument\"])` runs a program in it",
            ),
            (&["pause"], "`dom.suspend()` pauses the guest"),
            (
                &["unpause", "unsuspend"],
                "`dom.resume()` resumes the guest",
            ),
            (
                &["delete", "remove", "rm", "delete_vm", "remove_all"],
                "`dom.undefine()` removes the definition, and `guest::remove(dom)` of `std/guest` also the managed save, the snapshots and the NVRAM; both keep the disks",
            ),
            (
                &["alive", "is_on", "is_running", "is_up", "running"],
                "`dom.state() == \"running\"` tells whether the guest runs, and `dom.is_active()` whether it runs or is paused",
            ),
            (
                &["exists"],
                "`guest::find(conn, name)` of `std/guest` returns the guest, or `()` if there is none",
            ),
            (
                &["get_xml", "to_xml", "dump_xml", "definition"],
                "`dom.xml()` returns the XML",
            ),
            (
                &[
                    "change_xml",
                    "modify",
                    "redefine",
                    "set_xml",
                    "update",
                    "update_xml",
                ],
                "`dom.edit(|xml| xml.set(path, value))` changes the definition",
            ),
            (
                &["get_mem", "get_memory", "mem", "memory", "ram"],
                "`dom.info().memory_kib` is the memory of the guest",
            ),
            (
                &["set_mem", "set_ram"],
                "`dom.set_memory(size)` changes the memory of the guest",
            ),
            (
                &["cpu_count", "get_cpus", "get_vcpus", "num_cpus"],
                "`dom.info().vcpus` is the number of the guest's CPUs, and `dom.vcpus()` returns the state of each",
            ),
            (
                &["set_cpus", "set_vcpu_count"],
                "`dom.set_vcpus(number)` changes the number of the guest's CPUs",
            ),
            (&["set_name"], "`dom.rename(name)` renames the guest"),
            (
                &[
                    "checkpoint",
                    "create_snapshot",
                    "make_snapshot",
                    "snapshot",
                    "take_snapshot",
                ],
                "`dom.snapshot_create_xml(xml)` makes a snapshot, and `restore_point::make(dom, name)` of `std/restore_point` makes a restore point of memory and disks",
            ),
            (
                &[
                    "restore_snapshot",
                    "revert",
                    "revert_snapshot",
                    "revert_to",
                    "rollback",
                ],
                "`dom.revert_to_snapshot(snapshot)` returns to a snapshot, and `restore_point::restore(dom, name)` of `std/restore_point` to a restore point",
            ),
            (
                &["list_snapshots", "get_snapshots"],
                "`dom.list_all_snapshots()` lists the snapshots",
            ),
            (
                &["delete_snapshot", "drop_snapshot", "remove_snapshot"],
                "`dom.snapshot_lookup_by_name(name).delete()` deletes a snapshot",
            ),
            (
                &[
                    "block_devices",
                    "disk",
                    "disks",
                    "get_disks",
                    "list_disks",
                    "volumes",
                    "get_volumes",
                ],
                "`dom.xml().select(\"devices/disk\")` returns the disks, and `guest::volumes(dom)` of `std/guest` their volumes",
            ),
            (
                &[
                    "cards",
                    "get_interfaces",
                    "get_nics",
                    "ifaces",
                    "interfaces",
                    "list_interfaces",
                    "list_nics",
                    "networks",
                    "nics",
                ],
                "`dom.xml().select(\"devices/interface\")` returns the network cards, and `address::of(dom)` of `std/address` finds the address of the guest",
            ),
            (
                &["get_mac", "mac", "mac_address"],
                "`dom.xml().get(\"devices/interface/mac/@address\")` is the MAC address of the first network card",
            ),
            (
                &[
                    "cd",
                    "cdrom",
                    "change_cd",
                    "change_medium",
                    "insert_cd",
                    "insert_cdrom",
                    "insert_media",
                    "set_cdrom",
                ],
                "`dom.update_device(xml)` changes the medium of a CD drive: `xml` is the drive's XML with another `<source>`",
            ),
            (
                &["console", "get_console", "serial"],
                "`dom.open_console()` opens the console",
            ),
            (
                &[
                    "display",
                    "get_vnc_port",
                    "graphics",
                    "vnc",
                    "vnc_port",
                    "spice",
                    "spice_port",
                ],
                "`dom.xml().get(\"devices/graphics/@port\")` is the port of the screen",
            ),
            (
                &["clone", "copy", "duplicate"],
                "`clone::of(dom, #{ name: \"copy\" })` of `std/clone` makes a copy of the guest",
            ),
            (
                &["backup", "create_backup", "make_backup"],
                "`backup::make(dom, options)` of `std/backup` makes a backup",
            ),
            (
                &["save_to"],
                "`dom.save(path)` saves the memory of the guest to a file, and stops it",
            ),
            (
                &["all_stats", "get_stats", "statistics", "stats"],
                "`conn.domain_list_get_stats([dom])` returns all statistics of the guest",
            ),
            (
                &["description", "get_description", "get_title", "title"],
                "`dom.metadata(VIR_DOMAIN_METADATA_TITLE, ())` returns the title, and VIR_DOMAIN_METADATA_DESCRIPTION the description",
            ),
            (
                &["set_description", "set_title"],
                "`dom.set_metadata(VIR_DOMAIN_METADATA_TITLE, text, (), (), 0)` sets the title, and VIR_DOMAIN_METADATA_DESCRIPTION the description",
            ),
            (
                &[
                    "wait_for",
                    "wait_for_shutdown",
                    "wait_for_state",
                    "wait_running",
                    "wait_shutdown",
                    "wait_until",
                    "wait_until_running",
                    "wait_up",
                ],
                "`dom.wait(\"shutoff\", \"60s\")` waits for a state, and `ready::wait_for(dom, options)` of `std/ready` until the guest answers",
            ),
            (
                &["addresses", "get_addresses", "ips", "get_ips", "ip_addr"],
                "`address::of(dom)` of `std/address` finds the address of the guest",
            ),
            (
                &["copy_to", "scp", "put", "push_file", "upload"],
                "`dom.agent(\"guest-file-open\", arguments)` and the other commands of the agent write a file in the guest",
            ),
        ],
    ),
    (
        "StoragePool",
        &[
            (
                &[
                    "get_volumes",
                    "images",
                    "list_all_vols",
                    "list_vols",
                    "ls",
                    "vols",
                    "volumes",
                ],
                "`pool.list_all_volumes()` lists the volumes",
            ),
            (
                &[
                    "find_volume",
                    "get_vol",
                    "get_volume",
                    "lookup_by_name",
                    "lookup_vol",
                    "lookup_volume",
                    "vol",
                    "volume",
                ],
                "`pool.storage_vol_lookup_by_name(name)` finds a volume",
            ),
            (
                &[
                    "add_volume",
                    "create_image",
                    "create_vol",
                    "create_volume",
                    "new_volume",
                ],
                "`pool.create_xml(xml)` makes a volume, and `image::create(conn, options)` of `std/image` makes one from options",
            ),
            (
                &["delete_vol", "delete_volume", "remove_vol", "remove_volume"],
                "`pool.storage_vol_lookup_by_name(name).delete()` deletes a volume",
            ),
            (
                &["halt", "stop"],
                "`pool.destroy()` stops the pool, and keeps its volumes",
            ),
            (
                &["remove", "rm"],
                "`pool.undefine()` removes the definition, and keeps the volumes",
            ),
            (
                &["folder", "get_path", "path", "target"],
                "`pool.xml().get(\"target/path\")` is the folder of the pool",
            ),
            (
                &["available", "capacity", "free", "free_space", "size"],
                "`pool.info().available_bytes` is the free space of the pool, and `pool.info().capacity_bytes` its size",
            ),
            (
                &["is_running", "is_up", "running"],
                "`pool.is_active()` tells whether the pool is started",
            ),
            (
                &["download", "upload"],
                "`pool.storage_vol_lookup_by_name(name).upload(bytes)` writes to a volume",
            ),
        ],
    ),
    (
        "StorageVol",
        &[
            (
                &["capacity", "get_capacity", "get_size", "size", "length"],
                "`vol.info().capacity_bytes` is the size that a guest sees",
            ),
            (
                &["allocation", "used"],
                "`vol.info().allocation_bytes` is the space that the volume takes",
            ),
            (
                &["clone", "copy", "duplicate"],
                "`image::copy(vol, name)` of `std/image` copies the volume, and `pool.create_xml_from(xml, vol)` makes one with its content",
            ),
            (
                &["format", "get_format", "image_format"],
                "`image::format(vol)` of `std/image` returns the format, such as \"qcow2\"",
            ),
            (
                &["read"],
                "`vol.download()` returns the content, and `vol.download_file(path)` writes it to a file",
            ),
            (
                &["write", "fill"],
                "`vol.upload(bytes)` changes the content, and `vol.upload_file(path)` takes it from a file",
            ),
            (
                &["backing", "backing_file", "backing_store"],
                "`vol.xml().get(\"backingStore/path\", ())` is the path of its backing image",
            ),
            (
                &["pool", "get_pool"],
                "`vol.storage_pool_lookup_by_volume()` returns its pool",
            ),
        ],
    ),
    (
        "Network",
        &[
            (
                &["get_state", "state", "status"],
                "`net.is_active()` tells whether the network is started",
            ),
            (
                &["get_dhcp_leases", "get_leases", "leases", "list_leases"],
                "`net.dhcp_leases()` lists the leases",
            ),
            (
                &["halt", "stop", "down"],
                "`net.destroy()` stops the network, and keeps its definition",
            ),
            (&["up"], "`net.create()` starts the network"),
            (
                &["is_running", "is_up", "running"],
                "`net.is_active()` tells whether the network is up",
            ),
            (
                &["bridge", "get_bridge", "get_bridge_name"],
                "`net.bridge_name()` is the name of its bridge",
            ),
            (
                &[
                    "add_dhcp_host",
                    "add_host",
                    "add_reservation",
                    "reserve",
                    "update_host",
                ],
                "`net.update(VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, xml)` adds a host, and `network::ensure(conn, options)` of `std/network` makes the list of hosts as described",
            ),
            (
                &["delete", "remove", "rm"],
                "`net.undefine()` removes the definition, and `network::remove(conn, name)` of `std/network` also stops the network",
            ),
        ],
    ),
];

/// How a script does on an object of the kind `kind` what other programs call `name`.
pub fn method(kind: &str, name: &str) -> Option<&'static str> {
    let (_, rows) = METHODS.iter().find(|(of, _)| *of == kind)?;
    let (_, advice) = rows.iter().find(|(names, _)| names.contains(&name))?;
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::{METHODS, method};
    use crate::catalog;
    use crate::engine::{self, Limits};
    use crate::spec::Type;
    use crate::{Imports, Session, SessionOptions};

    #[test]
    fn only_names_that_do_not_exist_have_advice_and_each_has_one() {
        let session = Session::new(SessionOptions::default());
        let engine = engine::build(&session, &Limits::default(), Imports::default());
        let functions = catalog::functions(&engine);
        for (kind, rows) in METHODS {
            let of_kind = Type::of_value(kind);
            let mut seen = std::collections::HashSet::new();
            for name in rows.iter().flat_map(|(names, _)| *names) {
                let exists = |function: &&catalog::Function| {
                    function.name == *name && !function.property && function.is_on(&of_kind)
                };
                assert!(seen.insert(*name), "{kind}: {name} is written twice");
                assert!(
                    !functions.iter().any(|function| exists(&function)),
                    "{kind} has {name}"
                );
            }
        }
    }

    #[test]
    fn advice_depends_on_the_kind_of_object() {
        assert!(method("Domain", "stop").is_none());
        assert!(method("Network", "stop").is_some_and(|advice| advice.contains("`net.destroy()`")));
    }
}
