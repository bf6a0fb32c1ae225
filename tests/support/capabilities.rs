//! libvirt's results of probing QEMU, kept for later hosts, since a probe takes seconds. libvirt itself checks whether
//! they are still valid.

use std::path::{Path, PathBuf};

use super::Scratch;

/// The user who runs QEMU: users have different rights, such as for KVM.
#[derive(Clone, Copy)]
pub enum Whose {
    User,
    Root,
}

fn kept(whose: Whose) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(match whose {
        Whose::User => "qemu-capabilities",
        Whose::Root => "qemu-capabilities-of-root",
    })
}

/// Copies the results of earlier hosts to a host's cache `folder`.
pub fn give(whose: Whose, scratch: &Scratch, folder: &str) {
    for part in Path::new(folder)
        .ancestors()
        .collect::<Vec<_>>()
        .iter()
        .rev()
    {
        scratch.folder(part.to_str().expect("folders of tests are text"));
    }
    for file in std::fs::read_dir(kept(whose))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = file.file_name();
        let name = name.to_str().expect("libvirt's names are text");
        scratch.copy(&file.path(), &format!("{folder}/{name}"));
    }
}

/// Keeps the results of the host with the cache `folder`, unless results are already kept.
pub fn keep(whose: Whose, folder: &Path) {
    let (Ok(found), false) = (std::fs::read_dir(folder), kept(whose).exists()) else {
        return;
    };
    // Written to a temporary folder and moved into place at once: other tests read it at the same time.
    let Ok(aside) = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")) else {
        return;
    };
    let files: Vec<_> = found.flatten().collect();
    let copied = |file: &std::fs::DirEntry| {
        std::fs::copy(file.path(), aside.path().join(file.file_name())).is_ok()
    };
    if !files.is_empty() && files.iter().all(copied) {
        let _ = std::fs::rename(aside.path(), kept(whose));
    }
}
