//! Small disk images that are made in memory, such as the seed that cloud-init reads.

use std::io::{Cursor, Write};

use rhai::plugin::*;
use rhai::{Blob, Engine, ImmutableString, Map, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use crate::error::Error;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The most that the files of an image may hold together.
const MOST: usize = 8 * 1024 * 1024;

/// A FAT file system with the files, as bytes of a disk without partitions.
fn fat(label: [u8; 11], files: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let content: usize = files.iter().map(|(_, bytes)| bytes.len() + 4096).sum();
    let size = (content + 512 * 1024).next_multiple_of(1024 * 1024);
    let mut disk = Cursor::new(vec![0; size]);
    let options = fatfs::FormatVolumeOptions::new().volume_label(label);
    fatfs::format_volume(&mut disk, options)?;
    {
        let system = fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new())?;
        for (name, bytes) in files {
            let mut file = system.root_dir().create_file(name)?;
            file.write_all(bytes)?;
            file.flush()?;
        }
        system.unmount()?;
    }
    Ok(disk.into_inner())
}

/// The formats that QEMU can read, and those of packed files, by the bytes at a place of their first sector.
const MAGIC: [(&str, usize, &[u8]); 17] = [
    ("qcow2", 0, b"QFI\xfb"),
    ("qed", 0, b"QED\0"),
    ("vmdk", 0, b"KDMV"),
    ("vmdk", 0, b"COWD"),
    ("vmdk", 0, b"# Disk DescriptorFile"),
    ("vhdx", 0, b"vhdxfile"),
    ("vpc", 0, b"conectix"),
    ("vdi", 64, b"\x7f\x10\xda\xbe"),
    ("parallels", 0, b"WithoutFreeSpace"),
    ("parallels", 0, b"WithouFreSpacExt"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("gzip", 0, b"\x1f\x8b\x08"),
    ("xz", 0, b"\xfd7zXZ\0"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"),
    ("bzip2", 0, b"BZh"),
    ("zip", 0, b"PK\x03\x04"),
    ("tar", 257, b"ustar"),
];

/// The format of the image that begins with `header`.
fn format_of(header: &[u8]) -> &'static str {
    let is_there = |&&(_, at, magic): &&(&str, usize, &[u8])| {
        header.get(at..).is_some_and(|rest| rest.starts_with(magic))
    };
    match MAGIC.iter().find(is_there) {
        // The original format has the same magic bytes, followed by version 1.
        Some(("qcow2", ..)) if header.get(4..8) == Some(&[0, 0, 0, 1]) => "qcow",
        Some((format, ..)) => format,
        None => "raw",
    }
}

#[export_module]
mod functions {
    /// The format of the disk image that begins with `header`, at least its first 512 bytes: "qcow2", "qcow",
    /// "qed", "vmdk", "vdi", "vhdx", "vpc", "parallels" or "luks"; for a packed file "gzip", "xz", "zstd", "bzip2", "zip" or
    /// "tar", which is also the format of `.ova` files; "raw" if the bytes are of none of these.
    ///
    /// Do not use it for an image that a guest had as raw: the guest can write any header into it. `format` of
    /// `std/image` takes care of that.
    ///
    /// ```rhai
    /// let header = blob(512);
    /// header.write_ascii(0..3, "QFI");
    /// header[3] = 0xfb;
    /// assert_eq(image_format(header), "qcow2");
    /// assert_eq(image_format(blob(512)), "raw");
    /// ```
    /// Calls no libvirt function.
    pub fn image_format(header: Blob) -> String {
        format_of(&header).to_owned()
    }

    /// A disk image with a FAT file system called `label`, at most 11 letters, which contains the files of a map: names
    /// with their text or bytes, 8 MiB at most.
    ///
    /// ```rhai
    /// let image = fat_image("CIDATA", #{ "meta-data": "instance-id: web", "user-data": "#cloud-config" });
    /// assert_eq(image.len() % 512, 0);
    /// assert_eq(image.parse_le_int(510..512), 0xaa55);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn fat_image(ctx: NativeCallContext, label: &str, files: Map) -> RhaiResultOf<Blob> {
        let fail = |message: String| Error::invalid(&ctx, message).throw();
        let mut padded = [b' '; 11];
        match padded.get_mut(..label.len()) {
            Some(place) if label.is_ascii() => place.copy_from_slice(label.as_bytes()),
            _ => {
                return Err(fail(format!(
                    "`{label}` is not a label: labels have at most 11 ASCII letters"
                )));
            }
        }
        let mut contents = Vec::with_capacity(files.len());
        let mut left = MOST;
        for (name, content) in files {
            let length = match content.read_lock::<ImmutableString>() {
                Some(text) => Some(text.len()),
                None => content.read_lock::<Blob>().map(|bytes| bytes.len()),
            };
            let length = length.ok_or_else(|| {
                fail(format!("the content of `{name}` is neither text nor bytes"))
            })?;
            // Only the bytes up to the limit are copied.
            left = left
                .checked_sub(length)
                .ok_or_else(|| fail(format!("the files are longer than {MOST} bytes together")))?;
            let bytes = match content.clone().into_immutable_string() {
                Ok(text) => text.as_bytes().to_vec(),
                Err(_) => content.cast::<Blob>(),
            };
            contents.push((name.to_string(), bytes));
        }
        fat(padded, &contents).map_err(|error| fail(format!("the image cannot be made: {error}")))
    }
}
