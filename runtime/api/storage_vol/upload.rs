//! Uploads data into a volume.

use std::fs::File;

use rhai::plugin::*;
use rhai::{Blob, Map, NativeCallContext};

use super::file::{self, Run};
use super::plan::{FINISH, Halt, Plan, Progress, TransferOptions, connected};
use crate::api::arguments::{RhaiResultOf, SizeValue, bytes, flag_bits};
use crate::api::stale_save;
use crate::api::stream::Stream;
use crate::error::Error;
use crate::libvirt::{Failure, stand_in};
use crate::objects::blocking_stream::{BlockingStream, MESSAGE};
use crate::objects::call_class::CallClass;
use crate::objects::granted::readable;
use crate::objects::storage_vol::StorageVol;
use crate::run::waiting::{Counter, Waiting};
use crate::vocabulary::OptionsOf;
use crate::xml::Xml;

pub(super) const CALL: &str = "virStorageVolUpload";

/// The verb for messages.
pub(super) const VERB: &str = "upload to";

/// The state of a volume before data is written to it.
pub(super) struct Before {
    file: bool,
    capacity: u64,
    allocation: u64,
    /// True if a guest sees the bytes of the volume unchanged.
    raw: bool,
}

impl Before {
    pub(super) fn of(vol: &StorageVol) -> Result<Self, Failure> {
        let (info, xml) = vol.attempt("virStorageVolGetInfo", |v| {
            Ok::<_, Failure>((v.info()?, v.xml_desc(0)?))
        })?;
        let xml = Xml::parse(&xml).ok();
        let format = xml.and_then(|xml| xml.find("target/format/@type").ok().flatten());
        Ok(Self {
            file: info.kind == virt_sys::VIR_STORAGE_VOL_FILE,
            capacity: info.capacity,
            allocation: info.allocation,
            raw: format.is_none_or(|format| format == "raw"),
        })
    }
}

fn upload(ctx: &NativeCallContext, vol: &StorageVol, data: &[u8], offset: u64) -> RhaiResultOf<()> {
    // libvirt takes a length of 0 for all that may come.
    if data.is_empty() {
        return Ok(());
    }
    stale_save::refuse_change(ctx, vol, "upload to")?;
    let plan = Plan::default();
    let total = data.len() as u64;
    let fail = |failure| vol.error(ctx, failure, CALL, "upload to");
    let before = Before::of(vol).map_err(|failure| fail(failure).throw())?;
    refuse_beyond_the_end(ctx, vol, &before, offset, total)?;
    refuse_without_room(ctx, vol, &before, total)?;
    let (session, counter) = (vol.connection().session(), Counter::default());
    let _waiting = Waiting::for_transfer(session, &counter, || vol.action(&"upload to"));
    if rehearsed(vol, offset, Some(data)).map_err(|failure| fail(failure).throw())? {
        return Ok(());
    }
    let mut pipe = connected(vol, CALL, VERB, move |v, stream| {
        v.upload(stream, offset, total, 0)
    })
    .map_err(|failure| fail(failure).throw())?;
    let mut progress = Progress::new(ctx, &plan, total, &counter);
    let sent = data.chunks(MESSAGE).try_for_each(|part| {
        pipe.send(part)?;
        progress.count(part.len() as u64)
    });
    arrived(vol, sent, &mut pipe, &progress, fail)
}

fn upload_file(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    path: &str,
    options: &Map,
) -> RhaiResultOf<()> {
    let plan = Plan::new(ctx, options)?;
    let real = readable(ctx, path)?;
    stale_save::refuse_change(ctx, vol, "upload to")?;
    let fail = |failure| vol.error(ctx, failure, CALL, format_args!("upload {path} to"));
    let halted = |halt| match halt {
        Halt::Failure(failure) => fail(failure).throw(),
        Halt::Script(error) => error,
    };
    let (mut file, length) = file::open(&real).map_err(|error| halted(error.into()))?;
    let end = match plan.length {
        0 => length,
        most => length.min(most),
    };
    if end == 0 {
        return Ok(());
    }
    let before = Before::of(vol).map_err(|failure| halted(failure.into()))?;
    refuse_beyond_the_end(ctx, vol, &before, plan.offset, end)?;
    let holes = file::has_holes(&mut file, end).map_err(|error| halted(error.into()))?;
    let sparse = holes && may_be_sparse(ctx, &plan, &before)?;
    let data = match sparse {
        true => file::data(&mut file, end).map_err(|error| halted(error.into()))?,
        false => end,
    };
    refuse_without_room(ctx, vol, &before, data)?;
    // A hole also truncates a raw volume behind it; another hole at the end restores the length.
    let (rest, flags) = match sparse {
        true if before.raw => (
            before.capacity.saturating_sub(end),
            virt_sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM,
        ),
        true => (0, virt_sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM),
        false => (0, 0),
    };
    let (offset, length) = (plan.offset, end + rest);
    let (session, counter) = (vol.connection().session(), Counter::default());
    let _waiting = Waiting::for_transfer(session, &counter, || vol.action(&"upload to"));
    if rehearsed(vol, offset, None).map_err(|failure| halted(failure.into()))? {
        return Ok(());
    }
    let mut pipe = connected(vol, CALL, VERB, move |v, stream| {
        v.upload(stream, offset, length, flags)
    })
    .map_err(|failure| halted(failure.into()))?;
    let mut progress = Progress::new(ctx, &plan, end, &counter);
    let mut sent = send_file(&mut pipe, &mut file, path, sparse, &mut progress);
    if sent.is_ok() && rest > 0 {
        sent = pipe.send_hole(rest).map_err(Halt::from);
    }
    arrived(vol, sent, &mut pipe, &progress, fail)
}

/// True if this is a rehearsal, which notes the upload and keeps `data`. Without `data`, the content is unknown from then on.
pub(super) fn rehearsed(
    vol: &StorageVol,
    offset: u64,
    data: Option<&[u8]>,
) -> Result<bool, Failure> {
    let connection = vol.connection();
    if !connection.is_rehearsed() {
        return Ok(false);
    }
    let handle = vol.handle()?;
    connection.observe(CALL, CallClass::Long, &|| vol.action(&VERB), || {
        stand_in::write(&handle, offset, data)
    })?;
    Ok(true)
}

fn send_file(
    pipe: &mut BlockingStream,
    file: &mut File,
    path: &str,
    sparse: bool,
    progress: &mut Progress,
) -> Result<(), Halt> {
    let end = progress.total;
    let mut buffer = vec![0; MESSAGE];
    while progress.done < end {
        let place = progress.done;
        let run = match sparse {
            true => file::run_at(file, place, end)?,
            false => Run::Data(end - place),
        };
        match run {
            Run::Hole(length) => {
                pipe.send_hole(length)?;
                progress.count(length)?;
            }
            Run::Data(mut left) => {
                while left > 0 {
                    let want = usize::try_from(left).unwrap_or(MESSAGE).min(MESSAGE);
                    let got = file::fill(file, &mut buffer[..want])?;
                    if got == 0 {
                        let message = format!("{path} became shorter while it was read");
                        return Err(std::io::Error::other(message).into());
                    }
                    pipe.send(&buffer[..got])?;
                    progress.count(got as u64)?;
                    left -= got as u64;
                }
            }
        }
    }
    Ok(())
}

/// Ends an upload. The error of an incomplete upload describes the present content of the volume.
fn arrived(
    vol: &StorageVol,
    sent: Result<(), Halt>,
    pipe: &mut BlockingStream,
    progress: &Progress,
    fail: impl Fn(Failure) -> Error,
) -> RhaiResultOf<()> {
    let ended = sent.and_then(|()| {
        let _permit = vol.connection().permit(FINISH, &[])?;
        pipe.finish().map_err(Halt::from)
    });
    match ended {
        Ok(()) => Ok(()),
        Err(Halt::Script(error)) => {
            pipe.abort();
            Err(error)
        }
        Err(Halt::Failure(failure)) => {
            pipe.abort();
            let (done, total) = (progress.done, progress.total);
            Err(fail(failure)
                .with_hint(format!(
                    "`{}` is incomplete: {done} of {total} bytes had been sent",
                    vol.name()
                ))
                .throw())
        }
    }
}

/// libvirt would make the volume longer without a word.
fn refuse_beyond_the_end(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    before: &Before,
    offset: u64,
    length: u64,
) -> RhaiResultOf<()> {
    let end = offset.saturating_add(length);
    if !before.raw || end <= before.capacity {
        return Ok(());
    }
    let message = format!(
        "the data would end at byte {end}, and the volume ends at {}",
        before.capacity
    );
    let failure = Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message);
    Err(vol
        .error(ctx, failure, "", "upload to")
        .with_hint(format!("`resize({end})` makes the volume longer"))
        .throw())
}

/// libvirtd, at least up to 11.3, hangs for everybody when an upload fills the disk.
pub(super) fn refuse_without_room(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    before: &Before,
    data: u64,
) -> RhaiResultOf<()> {
    // Existing data is overwritten.
    let needed = data.saturating_sub(before.allocation);
    if !before.file || needed == 0 {
        return Ok(());
    }
    let fail = |failure| vol.error(ctx, failure, CALL, "upload to");
    let room = room_for(vol, needed).map_err(|failure| fail(failure).throw())?;
    if needed <= room {
        return Ok(());
    }
    let message = format!("the upload needs {needed} bytes, and its pool has {room} left");
    let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_FAILED, message);
    Err(fail(failure)
        .with_hint("no data was written; `info()` of the pool shows its free space")
        .throw())
}

/// The free space of the pool; a number below `needed` is read again first.
fn room_for(vol: &StorageVol, needed: u64) -> Result<u64, Failure> {
    vol.attempt("virStoragePoolRefresh", move |v| {
        let pool = v.lookup_storage_pool()?;
        let room = pool.info()?.available;
        if room >= needed || pool.refresh(0).is_err() {
            return Ok(room);
        }
        pool.info().map(|info| info.available)
    })
}

/// True if holes can be sent as holes: libvirt leaves the volume's old contents in their place.
fn may_be_sparse(ctx: &NativeCallContext, plan: &Plan, before: &Before) -> RhaiResultOf<bool> {
    let safe = plan.offset == 0 && before.allocation == 0;
    match plan.sparse {
        Some(true) if !safe => Error::refuse(
            ctx,
            "only an empty volume can be filled sparsely, and only from its beginning: in other \
             volumes libvirt would keep the old content where the file has holes",
            "without `sparse`, holes are sent as zeros",
        ),
        Some(sparse) => Ok(sparse),
        None => Ok(safe),
    }
}

#[export_module]
pub(super) mod functions {
    /// Writes text to the beginning of the volume; the rest of the volume does not change.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload("hello");
    /// assert_eq(vol.download(0, 5).as_string(), "hello");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_text(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        text: &str,
    ) -> RhaiResultOf<()> {
        super::upload(&ctx, vol, text.as_bytes(), 0)
    }

    /// Writes bytes to the beginning of the volume; the rest of the volume does not change.
    ///
    /// The bytes are those of the volume itself: for a qcow2 image, those of the image file.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload(blob(512, 7));
    /// assert_eq(vol.download(511, 1)[0], 7);
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_bytes(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        bytes: Blob,
    ) -> RhaiResultOf<()> {
        super::upload(&ctx, vol, &bytes, 0)
    }

    /// Writes bytes to the volume from `offset` on, a number or text such as `"1MiB"` (see `parse_size`).
    ///
    /// Throws if the bytes reach beyond the end of a raw volume, since libvirt would make the volume longer.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload(blob(2, 7), 510);
    /// assert_eq(vol.download(509, 3), blob(1) + blob(2, 7));
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_at(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        bytes: Blob,
        offset: SizeValue,
    ) -> RhaiResultOf<()> {
        let offset = super::bytes(&ctx, &offset)?;
        super::upload(&ctx, vol, &bytes, offset)
    }

    /// Connects `stream` with the volume: data sent on the stream is written from `offset` on, `length` bytes at most,
    /// or 0 for any number.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0);
    /// stream.send("hello");
    /// stream.finish();
    /// assert_eq(vol.download(0, 5).as_string(), "hello");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_stream(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        stream: Stream,
        offset: SizeValue,
        length: SizeValue,
    ) -> RhaiResultOf<()> {
        upload_stream_flags(ctx, vol, stream, offset, length, 0)
    }

    /// Connects `stream` with the volume; with the flag `VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM` it accepts holes too.
    ///
    /// At a hole, libvirt skips ahead and cuts off the data behind it, but keeps the volume's old data in the hole.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM);
    /// stream.send_hole("512KiB");
    /// stream.send("hello");
    /// stream.finish();
    /// assert_eq(vol.download("512KiB", 5).as_string(), "hello");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload", pure, return_raw)]
    pub fn upload_stream_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        stream: Stream,
        offset: SizeValue,
        length: SizeValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let offset = super::bytes(&ctx, &offset)?;
        let length = super::bytes(&ctx, &length)?;
        let wanted = flag_bits(&ctx, flags)?;
        stale_save::refuse_change(&ctx, vol, "upload to")?;
        let goal = format!("upload to {}", vol.name());
        let room = (length > 0).then_some(length);
        stream.lead(&ctx, goal, room, |stream| {
            let stream = stream.clone();
            vol.call(&ctx, CALL, "upload to", move |v| {
                v.upload(&stream, offset, length, wanted)
            })
        })
    }

    /// Fills the volume from the local file `path`. Needs `--allow-read`.
    ///
    /// Holes of the file stay holes in an empty volume, and are written as zeros otherwise. Throws if the file is
    /// longer than a raw volume.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// vol.upload_file("/tmp/copy.img");
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload_file", pure, return_raw)]
    pub fn upload_file_whole(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
    ) -> RhaiResultOf<()> {
        super::upload_file(&ctx, vol, path, &Map::new())
    }

    /// Fills the volume from a local file with options: `offset` in the volume, `length`, `sparse` (`false` sends holes
    /// as zeros, `true` throws if they cannot stay holes), and `progress`, a closure that gets the number of bytes done
    /// and of all bytes, at most five times a second.
    ///
    /// An error of `progress` aborts the upload.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.download_file("/tmp/copy.img");
    /// vol.upload_file("/tmp/copy.img", #{ length: "4KiB", progress: |done, total| assert(done <= total) });
    /// ```
    /// Calls virStorageVolUpload.
    #[rhai_fn(name = "upload_file", pure, return_raw)]
    pub fn upload_file_options(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        path: &str,
        options: OptionsOf<TransferOptions>,
    ) -> RhaiResultOf<()> {
        super::upload_file(&ctx, vol, path, &options)
    }
}
