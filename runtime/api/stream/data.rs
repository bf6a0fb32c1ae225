//! Streams that a script fills or empties itself.

use parking_lot::Mutex;
use rhai::plugin::*;
use rhai::{Blob, Dynamic, FnPtr, NativeCallContext};

use super::{Connection, Stream, StreamKind, lock};
use crate::api::arguments::{RhaiResultOf, SizeValue, bytes, flag_bits, integer};
use crate::api::bounded_growth::length;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::libvirt::stream::Received;
use crate::objects::blocking_stream::{BlockingStream, MESSAGE};

impl Stream {
    fn with_pipe<T>(
        &self,
        ctx: &NativeCallContext,
        call: &'static str,
        run: impl FnOnce(&mut BlockingStream) -> Result<T, Failure>,
    ) -> RhaiResultOf<T> {
        let result = self.pipe().and_then(|pipe| run(&mut lock(&pipe)));
        result.map_err(|failure| self.fail(ctx, failure, call))
    }

    fn send_content(&self, ctx: &NativeCallContext, content: &Dynamic) -> RhaiResultOf<usize> {
        let content = match content.read_lock::<Blob>() {
            Some(bytes) => bytes.clone(),
            None => match content.clone().into_immutable_string() {
                Ok(text) => text.as_bytes().to_vec(),
                Err(kind) => {
                    let message = format!("a stream accepts a blob or text, not {kind}");
                    return Err(Error::invalid(ctx, message).throw());
                }
            },
        };
        self.with_pipe(ctx, "virStreamSend", |pipe| pipe.send(&content))?;
        Ok(content.len())
    }

    fn receive(
        &self,
        ctx: &NativeCallContext,
        most: i64,
        flags: u32,
    ) -> RhaiResultOf<Option<Blob>> {
        let most = length(ctx, most)?;
        let mut buffer = vec![0; most.clamp(1, MESSAGE)];
        let received = self.with_pipe(ctx, "virStreamRecvFlags", |pipe| {
            pipe.receive(&mut buffer, flags)
        })?;
        Ok(match received {
            Received::Bytes(count) => {
                buffer.truncate(count);
                Some(buffer)
            }
            Received::Hole => None,
            Received::End | Received::Later => Some(Blob::new()),
        })
    }
}

#[export_module]
pub(super) mod functions {
    /// A stream that is not connected yet: `volume.upload(stream, ...)` and `volume.download(stream, ...)` connect it.
    ///
    /// Whole files and blobs need no stream: see `upload` and `upload_file` of a volume.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0);
    /// for part in ["one, ", "two"] { stream.send(part); }
    /// stream.finish();
    /// assert_eq(vol.download(0, 8).as_string(), "one, two");
    /// ```
    /// Calls virStreamNew.
    #[rhai_fn(name = "new_stream", pure, return_raw)]
    pub fn new_stream(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Stream> {
        let interrupt = conn.session().interrupt().clone();
        let pipe = conn.call(&ctx, "virStreamNew", "make a stream", move |c| {
            BlockingStream::new(c, &interrupt)
        })?;
        let goal = "not connected yet".to_owned();
        Ok(Stream::new(conn, StreamKind::Data, Mutex::new(pipe), goal))
    }

    /// A stream that is not connected yet; throws for `VIR_STREAM_NONBLOCK`, since a script has no other work while it
    /// waits.
    ///
    /// ```rhai
    /// let stream = connect("test:///default").new_stream(0);
    /// assert_eq(stream.to_string(), "Stream(not connected yet)");
    /// ```
    /// Calls virStreamNew.
    #[rhai_fn(name = "new_stream", pure, return_raw)]
    pub fn new_stream_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<Stream> {
        if flags != 0 {
            let message = "streams of scripts always wait: they have no flags";
            return Err(Error::invalid(&ctx, message).throw());
        }
        new_stream(ctx, conn)
    }

    /// Sends a whole blob or text; waits while the other end is busy.
    ///
    /// The data has arrived when `finish` has returned.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0);
    /// stream.send("hello");
    /// stream.send(blob(3, 33));
    /// stream.finish();
    /// assert_eq(vol.download(0, 8).as_string(), "hello!!!");
    /// ```
    /// Calls virStreamSend.
    #[rhai_fn(pure, return_raw)]
    pub fn send(ctx: NativeCallContext, stream: &mut Stream, content: Dynamic) -> RhaiResultOf<()> {
        stream.send_content(&ctx, &content).map(drop)
    }

    /// Calls `source` for each blob or text to send, until it returns an empty one.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// let parts = ["one, ", "two", ""];
    /// vol.upload(stream, 0, 0);
    /// stream.send_all(|| parts.shift());
    /// stream.finish();
    /// assert_eq(vol.download(0, 8).as_string(), "one, two");
    /// ```
    /// Calls virStreamSend.
    #[rhai_fn(pure, return_raw)]
    pub fn send_all(
        ctx: NativeCallContext,
        stream: &mut Stream,
        source: FnPtr,
    ) -> RhaiResultOf<()> {
        loop {
            let part: Dynamic = source.call_within_context(&ctx, ())?;
            if stream.send_content(&ctx, &part)? == 0 {
                return Ok(());
            }
        }
    }

    /// Sends a hole of `length` bytes, a number or text such as `"1MiB"` (see `parse_size`), on a sparse stream.
    ///
    /// libvirt does not write a hole: a volume with content keeps its content there. A hole at the end of the stream cuts the volume
    /// off at that place. `upload_file` handles both.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM);
    /// stream.send_hole("1MiB");
    /// stream.finish();
    /// ```
    /// Calls virStreamSendHole.
    #[rhai_fn(name = "send_hole", pure, return_raw)]
    pub fn send_hole(
        ctx: NativeCallContext,
        stream: &mut Stream,
        length: SizeValue,
    ) -> RhaiResultOf<()> {
        let length = bytes(&ctx, &length)?;
        stream.with_pipe(&ctx, "virStreamSendHole", |pipe| pipe.send_hole(length))
    }

    /// Waits for data, and returns up to `most` bytes of it; an empty blob is the end.
    ///
    /// Holes are zeros.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.download(stream, 0, 0);
    /// let total = 0;
    /// loop {
    ///     let part = stream.recv(65536);
    ///     if part.is_empty() { break; }
    ///     total += part.len();
    /// }
    /// stream.finish();
    /// assert_eq(total, 1048576);
    /// ```
    /// Calls virStreamRecv.
    #[rhai_fn(name = "recv", pure, return_raw)]
    pub fn recv(ctx: NativeCallContext, stream: &mut Stream, most: i64) -> RhaiResultOf<Blob> {
        stream.receive(&ctx, most, 0).map(Option::unwrap_or_default)
    }

    /// Receives up to `most` bytes; with the flag `VIR_STREAM_RECV_STOP_AT_HOLE` it returns `"hole"` at a hole, whose
    /// length `recv_hole` returns.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").create_xml(
    ///     "<volume><name>b.img</name><capacity unit='MiB'>1</capacity><allocation>0</allocation></volume>");
    /// let stream = vol.connect().new_stream();
    /// vol.download(stream, 0, 0, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
    /// assert_eq(stream.recv(65536, VIR_STREAM_RECV_STOP_AT_HOLE), "hole");
    /// assert_eq(stream.recv_hole(), 1048576);
    /// stream.finish();
    /// ```
    /// Calls virStreamRecvFlags.
    #[rhai_fn(name = "recv", pure, return_raw)]
    pub fn recv_flags(
        ctx: NativeCallContext,
        stream: &mut Stream,
        most: i64,
        flags: i64,
    ) -> RhaiResultOf<Dynamic> {
        let wanted = flag_bits(&ctx, flags)?;
        let received = stream.receive(&ctx, most, wanted)?;
        Ok(received.map_or_else(|| "hole".into(), Dynamic::from_blob))
    }

    /// Receives all data until the end and passes it to `sink` in parts.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// let total = 0;
    /// vol.download(stream, 0, 0);
    /// stream.recv_all(|part| { total += part.len(); });
    /// stream.finish();
    /// assert_eq(total, 1048576);
    /// ```
    /// Calls virStreamRecv.
    #[rhai_fn(pure, return_raw)]
    pub fn recv_all(ctx: NativeCallContext, stream: &mut Stream, sink: FnPtr) -> RhaiResultOf<()> {
        let most = i64::try_from(MESSAGE).unwrap_or(i64::MAX);
        loop {
            let part = stream.receive(&ctx, most, 0)?.unwrap_or_default();
            if part.is_empty() {
                return Ok(());
            }
            let _: Dynamic = sink.call_within_context(&ctx, (part,))?;
        }
    }

    /// The length of the hole at which `recv` stopped.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").create_xml(
    ///     "<volume><name>b.img</name><capacity unit='MiB'>1</capacity><allocation>0</allocation></volume>");
    /// let stream = vol.connect().new_stream();
    /// vol.download(stream, 0, 0, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
    /// assert_eq(stream.recv(512, VIR_STREAM_RECV_STOP_AT_HOLE), "hole");
    /// assert_eq(stream.recv_hole(), 1048576);
    /// stream.abort();
    /// ```
    /// Calls virStreamRecvHole.
    #[rhai_fn(name = "recv_hole", pure, return_raw)]
    pub fn recv_hole(ctx: NativeCallContext, stream: &mut Stream) -> RhaiResultOf<i64> {
        stream
            .with_pipe(&ctx, "virStreamRecvHole", BlockingStream::receive_hole)
            .and_then(|number| integer(&ctx, number))
    }

    /// Ends the stream; throws if some of the sent data did not arrive.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0);
    /// stream.send("hello");
    /// stream.finish();
    /// ```
    /// Calls virStreamFinish.
    #[rhai_fn(pure, return_raw)]
    pub fn finish(ctx: NativeCallContext, stream: &mut Stream) -> RhaiResultOf<()> {
        stream.with_pipe(&ctx, "virStreamFinish", BlockingStream::finish)
    }

    /// Aborts the stream; sent data may be lost.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// let stream = vol.connect().new_stream();
    /// vol.upload(stream, 0, 0);
    /// stream.send("hello");
    /// stream.abort();
    /// ```
    /// Calls virStreamAbort.
    #[rhai_fn(pure, return_raw)]
    pub fn abort(ctx: NativeCallContext, stream: &mut Stream) -> RhaiResultOf<()> {
        stream.with_pipe(&ctx, "virStreamAbort", |pipe| {
            pipe.abort();
            Ok(())
        })
    }

    /// The connection of this stream.
    ///
    /// ```rhai
    /// let stream = connect("test:///default").new_stream();
    /// assert_eq(stream.connect().uri, "test:///default");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure)]
    pub fn connect(stream: &mut Stream) -> Connection {
        stream.0.connection.clone()
    }

    /// The stream as text.
    ///
    /// ```rhai
    /// let stream = connect("test:///default").new_stream();
    /// assert_eq(stream.to_string(), "Stream(not connected yet)");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(stream: &mut Stream) -> String {
        stream.to_string()
    }
}
