//! Downloads data from a volume.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use rhai::plugin::*;
use rhai::{Blob, Map, NativeCallContext};
use sha2::{Digest, Sha256};

use super::plan::{FINISH, Halt, Plan, Progress, TransferOptions, connected};
use crate::api::arguments::{RhaiResultOf, SizeValue, bytes, flag_bits, integer};
use crate::api::bounded_growth::length;
use crate::api::room::ensure_running;
use crate::api::stream::Stream;
use crate::error::Error;
use crate::libvirt::stream::Received;
use crate::libvirt::{Failure, stand_in};
use crate::objects::blocking_stream::MESSAGE;
use crate::objects::call_class::CallClass;
use crate::objects::granted::writable;
use crate::objects::storage_vol::StorageVol;
use crate::run::beneath;
use crate::run::hexadecimal::hexadecimal;
use crate::run::waiting::{Counter, Waiting};
use crate::vocabulary::OptionsOf;

const CALL: &str = "virStorageVolDownload";

/// The size of the volume itself, as far as libvirt knows.
fn physical(vol: &StorageVol) -> Result<u64, Failure> {
    let info = vol.attempt("virStorageVolGetInfoFlags", |v| {
        v.info_flags(virt_sys::VIR_STORAGE_VOL_GET_PHYSICAL)
    })?;
    Ok(info.allocation)
}

fn download(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    offset: u64,
    size: usize,
) -> RhaiResultOf<Blob> {
    let mut data = Vec::new();
    // libvirt takes a length of 0 for all that there is.
    if size == 0 {
        return Ok(data);
    }
    if vol.connection().is_rehearsed() {
        let known = rehearsed(vol, offset, size as u64);
        return known.map_err(|failure| vol.error(ctx, failure, CALL, "download").throw());
    }
    let (session, counter) = (vol.connection().session(), Counter::default());
    let _waiting = Waiting::for_transfer(session, &counter, || vol.action(&"download"));
    let mut buffer = vec![0; size.min(MESSAGE)];
    let mut receive = || {
        let mut pipe = connected(vol, CALL, "download", move |v, stream| {
            v.download(stream, offset, size as u64, 0)
        })?;
        while let Received::Bytes(count) = pipe.receive(&mut buffer, 0)? {
            data.extend_from_slice(&buffer[..count]);
            counter.set(data.len() as u64, size as u64);
        }
        let _permit = vol.connection().permit(FINISH, &[])?;
        pipe.finish()
    };
    let received = receive();
    received.map_err(|failure| vol.error(ctx, failure, CALL, "download").throw())?;
    Ok(data)
}

/// The bytes in a rehearsal: those that the script wrote, or those of a small file of the host.
fn rehearsed(vol: &StorageVol, offset: u64, size: u64) -> Result<Blob, Failure> {
    let handle = vol.handle()?;
    let action = || vol.action(&"download");
    vol.connection()
        .observe(CALL, CallClass::Long, &action, || {
            stand_in::content(&handle, offset, size)
        })
}

fn download_file(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    path: &str,
    options: &Map,
) -> RhaiResultOf<()> {
    let plan = Plan::new(ctx, options)?;
    let real = writable(ctx, path)?;
    if std::fs::metadata(&real).is_ok_and(|found| !found.is_file()) {
        return Err(Error::invalid(ctx, format!("{path} is not a file")).throw());
    }
    let (session, counter) = (vol.connection().session(), Counter::default());
    let _waiting = Waiting::for_transfer(session, &counter, || vol.action(&"download"));
    receive_file(ctx, vol, &plan, &real, &counter).map_err(|halt| match halt {
        Halt::Script(error) => error,
        Halt::Failure(failure) => {
            let verb = format_args!("download to {path}");
            vol.error(ctx, failure, CALL, verb).throw()
        }
    })
}

fn receive_file(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    plan: &Plan,
    path: &Path,
    counter: &Counter,
) -> Result<(), Halt> {
    let left = physical(vol).map_or(0, |length| length.saturating_sub(plan.offset));
    let total = match plan.length {
        0 => left,
        most => most.min(left),
    };
    let flags = match plan.sparse {
        Some(false) => 0,
        _ => virt_sys::VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM,
    };
    let (offset, length) = (plan.offset, plan.length);
    let mut pipe = connected(vol, CALL, "download", move |v, stream| {
        v.download(stream, offset, length, flags)
    })?;
    // Written beside its place first: the old file stays until all data has arrived.
    let mut copy = beneath::Replacement::of(path, 0o600)?;
    let file = copy.file();
    let mut progress = Progress::new(ctx, plan, total, counter);
    let mut buffer = vec![0; MESSAGE];
    loop {
        let stop_at_holes = virt_sys::VIR_STREAM_RECV_STOP_AT_HOLE;
        let count = match pipe.receive(&mut buffer, stop_at_holes)? {
            Received::End | Received::Later => break,
            Received::Bytes(count) => {
                file.write_all(&buffer[..count])?;
                count as u64
            }
            Received::Hole => {
                let hole = pipe.receive_hole()?;
                file.seek(SeekFrom::Start(progress.done + hole))?;
                hole
            }
        };
        progress.count(count)?;
    }
    let permit = vol.connection().permit(FINISH, &[])?;
    pipe.finish()?;
    drop(permit);
    file.set_len(progress.done)?;
    copy.keep()?;
    Ok(())
}

/// The SHA-256 of the whole volume, in hexadecimal digits.
fn checksum(ctx: &NativeCallContext, vol: &StorageVol) -> RhaiResultOf<String> {
    let (session, counter) = (vol.connection().session(), Counter::default());
    let _waiting = Waiting::for_transfer(session, &counter, || vol.action(&"read"));
    let mut hash = Sha256::new();
    let total = physical(vol).unwrap_or_default();
    let mut done = 0;
    let mut count_bytes = |bytes: u64| {
        done += bytes;
        counter.set(done, total);
    };
    let mut receive = || -> Result<(), Halt> {
        let mut pipe = connected(vol, CALL, "download", move |v, stream| {
            let flags = virt_sys::VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM;
            v.download(stream, 0, 0, flags)
        })?;
        let mut buffer = vec![0; MESSAGE];
        let zeros = [0; 64 * 1024];
        loop {
            match pipe.receive(&mut buffer, virt_sys::VIR_STREAM_RECV_STOP_AT_HOLE)? {
                Received::End | Received::Later => break,
                Received::Bytes(count) => {
                    hash.update(&buffer[..count]);
                    count_bytes(count as u64);
                }
                Received::Hole => {
                    let mut left = pipe.receive_hole()?;
                    while left > 0 {
                        ensure_running(ctx).map_err(Halt::Script)?;
                        let count = usize::try_from(left).unwrap_or(usize::MAX);
                        let count = count.min(zeros.len());
                        hash.update(&zeros[..count]);
                        count_bytes(count as u64);
                        left -= count as u64;
                    }
                }
            }
        }
        let _permit = vol.connection().permit(FINISH, &[])?;
        Ok(pipe.finish()?)
    };
    receive().map_err(|halt| match halt {
        Halt::Script(error) => error,
        Halt::Failure(failure) => vol.error(ctx, failure, CALL, "read").throw(),
    })?;
    Ok(hexadecimal(&hash.finalize()))
}

#[export_module]
pub(super) mod functions {
    /// Reads the whole volume, of 16 MiB at most.
    ///
    /// The bytes are those of the volume itself: a qcow2 image gives the image file, not the disk that a guest sees.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// assert_eq(vol.download().len(), 1048576);
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download", pure, return_raw)]
    pub fn download_whole(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<Blob> {
        let size =
            physical(vol).map_err(|failure| vol.error(&ctx, failure, CALL, "download").throw())?;
        let size = length(&ctx, integer(&ctx, size)?)?;
        super::download(&ctx, vol, 0, size)
    }

    /// Reads `size` bytes of the volume from `offset` on, 16 MiB at most; fewer if the volume ends before.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// assert_eq(vol.download(0, 512).len(), 512);
    /// assert_eq(vol.download("1020KiB", "16KiB").len(), 4096);
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download", pure, return_raw)]
    pub fn download_part(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        offset: SizeValue,
        size: SizeValue,
    ) -> RhaiResultOf<Blob> {
        let offset = bytes(&ctx, &offset)?;
        let size = length(&ctx, integer(&ctx, bytes(&ctx, &size)?)?)?;
        super::download(&ctx, vol, offset, size)
    }

    /// Returns the SHA-256 of all bytes of the volume, as 64 hexadecimal digits.
    ///
    /// virhai reads the volume through libvirt, over the network if the host is remote; the host does not send holes. For a
    /// qcow2 image, the bytes are the bytes of the file, not the content that a guest sees.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let before = vol.checksum();
    /// vol.upload(blob(1, 7), 0);
    /// assert_eq(before.len(), 64);
    /// assert(vol.checksum() != before);
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(pure, return_raw)]
    pub fn checksum(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<String> {
        super::checksum(&ctx, vol)
    }

    /// Connects `stream` with the volume: the stream receives its data from `offset` on, `length` bytes at most, or 0
    /// for all.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.download(stream, 0, 512);
    /// assert_eq(stream.recv(1024).len(), 512);
    /// assert_eq(stream.recv(1024).len(), 0);
    /// stream.finish();
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download", pure, return_raw)]
    pub fn download_stream(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        stream: Stream,
        offset: SizeValue,
        length: SizeValue,
    ) -> RhaiResultOf<()> {
        download_stream_flags(ctx, vol, stream, offset, length, 0)
    }

    /// Connects `stream` with the volume; with the flag `VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM` the stream receives
    /// holes too.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.download(stream, 0, 0, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
    /// assert(stream.recv(512, VIR_STREAM_RECV_STOP_AT_HOLE).len() > 0);
    /// stream.abort();
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download", pure, return_raw)]
    pub fn download_stream_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        stream: Stream,
        offset: SizeValue,
        length: SizeValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let offset = bytes(&ctx, &offset)?;
        let length = bytes(&ctx, &length)?;
        let wanted = flag_bits(&ctx, flags)?;
        let goal = format!("download of {}", vol.name());
        stream.lead(&ctx, goal, None, |stream| {
            let stream = stream.clone();
            vol.call(&ctx, CALL, "download", move |v| {
                v.download(&stream, offset, length, wanted)
            })
        })
    }

    /// Copies the volume to the local file `path`, and replaces the old file when the copy is complete. Needs
    /// `--allow-write`.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download_file", pure, return_raw)]
    pub fn download_file_whole(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
    ) -> RhaiResultOf<()> {
        super::download_file(&ctx, vol, path, &Map::new())
    }

    /// Copies the volume to a local file with options: `offset` in the volume, `length`, `sparse: false` to write holes
    /// as zeros, and `progress` as for `upload_file`.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img", #{ offset: 512, length: 512, sparse: false });
    /// ```
    /// Calls virStorageVolDownload.
    #[rhai_fn(name = "download_file", pure, return_raw)]
    pub fn download_file_options(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
        options: OptionsOf<TransferOptions>,
    ) -> RhaiResultOf<()> {
        super::download_file(&ctx, vol, path, &options)
    }
}
