//! A new volume that is filled while data arrives.

use rhai::NativeCallContext;
use virt::storage_vol::StorageVol as Handle;

use super::plan::{FINISH, connected};
use super::upload::{Before, CALL, VERB, refuse_without_room, rehearsed};
use crate::api::arguments::RhaiResultOf;
use crate::api::connection::about::About;
use crate::api::stale_save;
use crate::api::storage_pool::volumes::refuse_new_name;
use crate::error::OfXml;
use crate::objects::blocking_stream::{BlockingStream, MESSAGE};
use crate::objects::storage_pool::StoragePool;
use crate::objects::storage_vol::StorageVol;
use crate::run::session::Session;

/// A volume, and the way to it.
pub(crate) struct Filling {
    volume: StorageVol,
    pipe: Option<BlockingStream>,
}

impl Filling {
    /// Makes the volume that `xml` describes in `pool`, for `total` bytes.
    pub(crate) fn create(
        ctx: &NativeCallContext,
        pool: &StoragePool,
        xml: &str,
        total: u64,
    ) -> RhaiResultOf<Self> {
        let verb = format!("{} in", About("create", "volume", xml));
        stale_save::refuse_creation(ctx, pool, xml, &verb)?;
        refuse_new_name(ctx, pool, xml)?;
        let owned = xml.to_owned();
        let made = pool.call(ctx, "virStorageVolCreateXML", verb, move |p| {
            Handle::create_xml(p, &owned, 0)
        });
        let volume = pool.adopt(made.of_xml(xml)?);
        let mut filling = Self { volume, pipe: None };
        match filling.open(ctx, total) {
            Ok(()) => Ok(filling),
            Err(error) => {
                filling.remove(ctx);
                Err(error)
            }
        }
    }

    fn open(&mut self, ctx: &NativeCallContext, total: u64) -> RhaiResultOf<()> {
        // libvirt takes a length of 0 for all that may come.
        if total == 0 {
            return Ok(());
        }
        let volume = &self.volume;
        let fail = |failure| volume.error(ctx, failure, CALL, "upload to").throw();
        let before = Before::of(volume).map_err(fail)?;
        refuse_without_room(ctx, volume, &before, total)?;
        if rehearsed(volume, 0, None).map_err(fail)? {
            return Ok(());
        }
        let pipe = connected(volume, CALL, VERB, move |v, stream| {
            v.upload(stream, 0, total, 0)
        });
        self.pipe = Some(pipe.map_err(fail)?);
        Ok(())
    }

    /// Adds `bytes`.
    pub(crate) fn send(&mut self, ctx: &NativeCallContext, bytes: &[u8]) -> RhaiResultOf<()> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let sent = bytes.chunks(MESSAGE).try_for_each(|part| pipe.send(part));
        sent.map_err(|failure| self.volume.error(ctx, failure, CALL, "upload to").throw())
    }

    /// Ends the upload, and refreshes the volume on the host.
    pub(crate) fn finish(&mut self, ctx: &NativeCallContext) -> RhaiResultOf<()> {
        if let Some(mut pipe) = self.pipe.take() {
            let connection = self.volume.connection();
            let ended = connection
                .permit(FINISH, &[])
                .and_then(|_permit| pipe.finish());
            ended.map_err(|failure| self.volume.error(ctx, failure, CALL, "upload to").throw())?;
        }
        // The refresh tells the host the format of the image. If it fails, the data is still complete.
        let _ = self.volume.attempt("virStoragePoolRefresh", |v| {
            v.lookup_storage_pool()?.refresh(0)
        });
        Ok(())
    }

    /// The volume.
    pub(crate) fn into_volume(self) -> StorageVol {
        self.volume
    }

    /// Removes the volume, also while the script is being stopped.
    pub(crate) fn remove(mut self, ctx: &NativeCallContext) {
        let session = Session::of(ctx);
        let _shield = session.interrupt().shield();
        if let Some(pipe) = &mut self.pipe {
            pipe.abort();
        }
        let removed = self.volume.attempt("virStorageVolDelete", |v| v.delete(0));
        if let Err(failure) = removed {
            let name = self.volume.name();
            session.cannot_undo(format!("remove the volume `{name}`: {}", failure.message));
        }
    }
}
