//! Overwrites the content of a volume.

use std::sync::mpsc;

use rhai::plugin::*;
use rhai::{Dynamic, NativeCallContext};

use crate::api::arguments::{RhaiResultOf, flag_bits, number};
use crate::api::stale_save;
use crate::libvirt::Failure;
use crate::objects::call_class::CallClass;
use crate::objects::storage_vol::{Handle, StorageVol};
use crate::vocabulary::{ConstantOf, WipeAlgorithm};

/// Overwrites the volume by `run`. libvirt cannot abort that: a stop leaves it to the host.
fn overwrite(
    ctx: &NativeCallContext,
    vol: &StorageVol,
    call: &'static str,
    run: impl FnOnce(&Handle) -> Result<(), virt::error::Error> + Send + 'static,
) -> RhaiResultOf<()> {
    stale_save::refuse_change(ctx, vol, "wipe")?;
    let connection = vol.connection();
    let refused = |why| Failure::new(virt_sys::VIR_ERR_OPERATION_DENIED, why);
    let allowed = connection.session().before_change().map_err(refused);
    let done = allowed.and_then(|()| {
        let action = || format!("wipe the volume `{}`", vol.name());
        connection.observe(call, CallClass::of(call), &action, || {
            on_own_thread(vol, call, run)
        })
    });
    done.map_err(|failure| vol.error(ctx, failure, call, "wipe").throw())
}

/// Runs the wipe in a separate thread. The thread continues after the script is stopped.
fn on_own_thread(
    vol: &StorageVol,
    call: &'static str,
    run: impl FnOnce(&Handle) -> Result<(), virt::error::Error> + Send + 'static,
) -> Result<(), Failure> {
    let handle = vol.handle()?;
    let (done, ended) = mpsc::channel();
    let stopped = done.clone();
    let interrupt = vol.connection().session().interrupt().clone();
    let _guard = interrupt.on_stop(move || {
        let _ = stopped.send(None);
    });
    let owner = vol.clone();
    let thread = std::thread::Builder::new().name("wipe".into());
    let spawned = thread.spawn(move || {
        let permit = owner.permit(call);
        let result = permit.and_then(|_permit| run(&handle).map_err(Failure::from));
        let _ = done.send(Some(result));
    });
    if let Err(error) = spawned {
        let message = format!("cannot start a thread: {error}");
        return Err(Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message));
    }
    match ended.recv() {
        Ok(Some(result)) => result,
        _ => Err(Failure::new(
            virt_sys::VIR_ERR_OPERATION_ABORTED,
            "the script was stopped during the call",
        )
        .advise("libvirt cannot abort a wipe: it continues on the host")),
    }
}

/// A way of wiping: libvirt's number for it, or a word.
fn algorithm(ctx: &NativeCallContext, value: &Dynamic) -> RhaiResultOf<u32> {
    let way = WipeAlgorithm::TABLE.constant(ctx, "the way of wiping", value)?;
    number(ctx, "the way of wiping", way)
}

#[export_module]
pub(super) mod functions {
    /// Overwrites the whole volume with zeros, and returns when that is done.
    ///
    /// A qcow2 image is no longer an image afterwards. libvirt cannot abort a wipe: if the script is stopped, the wipe
    /// continues on the host.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.upload("secret");
    /// vol.wipe();
    /// assert_eq(vol.download(0, 6), blob(6));
    /// ```
    /// Calls virStorageVolWipe.
    #[rhai_fn(name = "wipe", pure, return_raw)]
    pub fn wipe(ctx: NativeCallContext, vol: &mut StorageVol) -> RhaiResultOf<()> {
        wipe_flags(ctx, vol, 0)
    }

    /// Overwrites the whole volume with zeros; libvirt has no flags for it yet.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.wipe(0);
    /// ```
    /// Calls virStorageVolWipe.
    #[rhai_fn(name = "wipe", pure, return_raw)]
    pub fn wipe_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        overwrite(&ctx, vol, "virStorageVolWipe", move |v| v.wipe(wanted))
    }

    /// Overwrites the whole volume with an algorithm, a constant or a word: `zero`; `trim`, which volumes in files do not have; and
    /// with the program `scrub` on the host `random`, `nnsa`, `dod`, `bsi`, `gutmann`, `schneier`, `pfitzner7`, `pfitzner33`.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.wipe_pattern("zero");
    /// vol.wipe_pattern(VIR_STORAGE_VOL_WIPE_ALG_ZERO);
    /// ```
    /// Calls virStorageVolWipePattern.
    #[rhai_fn(name = "wipe_pattern", pure, return_raw)]
    pub fn wipe_pattern(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        way: ConstantOf<WipeAlgorithm>,
    ) -> RhaiResultOf<()> {
        wipe_pattern_flags(ctx, vol, way, 0)
    }

    /// Overwrites the whole volume with an algorithm; libvirt has no flags for it yet.
    ///
    /// ```rhai,pool
    /// let vol = connect().storage_pool_lookup_by_name("images").storage_vol_lookup_by_name("a.img");
    /// vol.wipe_pattern("zero", 0);
    /// ```
    /// Calls virStorageVolWipePattern.
    #[rhai_fn(name = "wipe_pattern", pure, return_raw)]
    pub fn wipe_pattern_flags(
        ctx: NativeCallContext,
        vol: &mut StorageVol,
        way: ConstantOf<WipeAlgorithm>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let way = algorithm(&ctx, &way)?;
        let wanted = flag_bits(&ctx, flags)?;
        overwrite(&ctx, vol, "virStorageVolWipePattern", move |v| {
            v.wipe_pattern(way, wanted)
        })
    }
}
