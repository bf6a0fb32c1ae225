//! The memory that is left to this process: its own limits, those of its cgroup, and the machine's memory.

use std::fs;
use std::path::Path;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// Bytes that this process may still allocate, where something limits them.
pub(super) fn memory_left() -> Option<usize> {
    [
        address_space_left(),
        cgroup_left(Path::new("/sys/fs/cgroup"), Path::new("/proc/self/cgroup")),
        machine_left(),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Bytes of address space that this process may still map, where that is limited; stacks and the
/// memory that the C library sets aside count in full.
pub(super) fn address_space_left() -> Option<usize> {
    [
        left_of(Resource::RLIMIT_AS, "VmSize:"),
        left_of(Resource::RLIMIT_DATA, "VmData:"),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// The difference between `limit` and the line `field` of the process's status.
fn left_of(limit: Resource, field: &str) -> Option<usize> {
    let (soft, _) = getrlimit(limit).ok()?;
    if soft == RLIM_INFINITY {
        return None;
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let used = kib_after(&status, field)?;
    Some(usize::try_from(soft).ok()?.saturating_sub(used))
}

/// The memory that the machine can give without killing a process.
fn machine_left() -> Option<usize> {
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    let available = kib_after(&memory, "MemAvailable:")?;
    Some(available + kib_after(&memory, "SwapFree:").unwrap_or(0))
}

/// The bytes of a line such as `MemAvailable:   12 kB`.
fn kib_after(text: &str, field: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: usize = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The memory that is left in the cgroup and its parents; `mounted` is the file system of the cgroups, and
/// `own` names the cgroup of this process.
fn cgroup_left(mounted: &Path, own: &Path) -> Option<usize> {
    let own = fs::read_to_string(own).ok()?;
    own.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let path = path.trim_start_matches('/');
            if controllers.is_empty() {
                lowest(mounted, path, "memory.max", "memory.current")
            } else if controllers.split(',').any(|name| name == "memory") {
                let (limit, usage) = ("memory.limit_in_bytes", "memory.usage_in_bytes");
                lowest(&mounted.join("memory"), path, limit, usage)
            } else {
                None
            }
        })
        .min()
}

/// The least that is left in the folder `path` below `top` and in the folders around it.
fn lowest(top: &Path, path: &str, limit: &str, usage: &str) -> Option<usize> {
    let folder = top.join(path);
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(top))
        .filter_map(|folder| {
            let number = |name: &str| -> Option<usize> { read_number(&folder.join(name)) };
            let (limit, used) = (number(limit)?, number(usage)?);
            // The kernel takes the memory of files back when it needs it.
            let files = fs::read_to_string(folder.join("memory.stat"))
                .ok()
                .and_then(|stat| file_bytes(&stat))
                .unwrap_or(0);
            Some(limit.saturating_sub(used.saturating_sub(files)))
        })
        .min()
}

fn read_number(file: &Path) -> Option<usize> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The bytes of files in a `memory.stat`, which version 2 calls `file` and version 1 `cache`.
fn file_bytes(stat: &str) -> Option<usize> {
    stat.lines().find_map(|line| {
        let bytes = line
            .strip_prefix("file ")
            .or_else(|| line.strip_prefix("cache "))?;
        bytes.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{cgroup_left, fs, kib_after};

    fn left(own: &str, files: &[(&str, &str)]) -> Option<usize> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            let file = folder.path().join("cgroup").join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, content).expect("a file");
        }
        let list = folder.path().join("own");
        fs::write(&list, own).expect("a file");
        cgroup_left(&folder.path().join("cgroup"), &list)
    }

    #[test]
    fn the_tightest_cgroup_of_version_2_counts_without_the_memory_of_files() {
        let files = [
            ("a/memory.max", "1000\n"),
            ("a/memory.current", "600\n"),
            ("a/memory.stat", "anon 100\nfile 500\n"),
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.current", "600\n"),
        ];
        assert_eq!(left("0::/a/b\n", &files), Some(900));
    }

    #[test]
    fn the_memory_cgroup_of_version_1_counts() {
        let files = [
            ("memory/x/memory.limit_in_bytes", "1000\n"),
            ("memory/x/memory.usage_in_bytes", "400\n"),
        ];
        assert_eq!(left("4:memory:/x\n3:cpu,cpuacct:/x\n", &files), Some(600));
        assert_eq!(left("3:cpu,cpuacct:/x\n", &files), None);
    }

    #[test]
    fn lines_of_meminfo_are_read_in_bytes() {
        let text = "MemTotal:  9 kB\nMemAvailable:     12 kB\n";
        assert_eq!(kib_after(text, "MemAvailable:"), Some(12 * 1024));
        assert_eq!(kib_after(text, "SwapFree:"), None);
    }
}
