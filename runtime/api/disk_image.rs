//! Small disk images that are made in memory, such as the seed that cloud-init reads.

use std::io::{Cursor, Write};

use rhai::plugin::*;
use rhai::{Blob, Engine, Map, NativeCallContext, exported_module};

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

#[export_module]
mod functions {
    /// A disk image with a FAT file system called `label`, at most 11 letters, which holds the
    /// files of a map: names and their text or bytes, 8 MiB at most.
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
                    "`{label}` is no label: it has 11 ASCII letters at most"
                )));
            }
        }
        let mut contents = Vec::with_capacity(files.len());
        for (name, content) in files {
            let bytes = match content.clone().into_immutable_string() {
                Ok(text) => text.as_bytes().to_vec(),
                Err(_) => content.try_cast::<Blob>().ok_or_else(|| {
                    fail(format!("the content of `{name}` is neither text nor bytes"))
                })?,
            };
            contents.push((name.to_string(), bytes));
        }
        let total: usize = contents.iter().map(|(_, bytes)| bytes.len()).sum();
        if total > MOST {
            return Err(fail(format!(
                "the files are longer than {MOST} bytes together"
            )));
        }
        fat(padded, &contents).map_err(|error| fail(format!("the image cannot be made: {error}")))
    }
}
