//! A host's security driver, its support for encrypted memory, and the identity of a client.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, flag_bits, map, typed_params};
use crate::libvirt::{host, security};
use crate::objects::connection::Connection;
use crate::vocabulary::{OptionsOf, ParamType, RecordOf, parameters, record};

record! {
    /// A host's security driver.
    pub(crate) struct SecurityModel {
        /// Name of the driver, such as `selinux`.
        model: String,
        /// Domain that its labels belong to.
        doi: String,
    }
}

parameters! {
    /// The host processor's support for guests with encrypted memory.
    pub(crate) struct SevInfo = "VIR_NODE_SEV_", |name| match name {
        "cbitpos" | "reduced-phys-bits" | "max-guests" | "max-es-guests" => ParamType::UInt,
        _ => ParamType::Text,
    };
}

parameters! {
    /// Identity of a client of the daemon.
    pub(crate) struct Identity = "VIR_CONNECT_IDENTITY_", |name| match name {
        "process-id" => ParamType::Long,
        "process-time" | "unix-group-id" | "unix-user-id" => ParamType::ULong,
        _ => ParamType::Text,
    };
}

#[export_module]
pub(super) mod functions {
    /// The host's security driver, as `model`, such as `"selinux"` or `"none"`, and `doi`, the domain that its labels
    /// belong to.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_eq(conn.get_security_model().model, "testSecurity");
    /// ```
    /// Calls virNodeGetSecurityModel.
    #[rhai_fn(name = "get_security_model", pure, return_raw)]
    pub fn get_security_model(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<RecordOf<SecurityModel>> {
        let (model, doi) = conn.call(
            &ctx,
            "virNodeGetSecurityModel",
            "read the security model",
            security::model,
        )?;
        Ok(SecurityModel { model, doi }.into_map())
    }

    /// The host's support for guests with encrypted memory (AMD SEV), with libvirt's keys such as `cbitpos` and
    /// `max-guests`. Other hosts throw `VIR_ERR_OPERATION_UNSUPPORTED`.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// try {
    ///     assert(conn.get_sev_info().cbitpos > 0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_UNSUPPORTED");
    /// }
    /// ```
    /// Calls virNodeGetSEVInfo.
    #[rhai_fn(name = "get_sev_info", pure, return_raw)]
    pub fn get_sev_info(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<RecordOf<SevInfo>> {
        get_sev_info_flags(ctx, conn, 0)
    }

    /// The host's support for guests with encrypted memory; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let conn = connect();
    /// try {
    ///     assert(conn.get_sev_info(0).cbitpos > 0);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_UNSUPPORTED");
    /// }
    /// ```
    /// Calls virNodeGetSEVInfo.
    #[rhai_fn(name = "get_sev_info", pure, return_raw)]
    pub fn get_sev_info_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<SevInfo>> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.call(
            &ctx,
            "virNodeGetSEVInfo",
            "read the SEV information",
            move |c| host::sev_info(c, wanted),
        )
        .map(map)
    }

    /// Makes the daemon treat this connection's calls as those of another user, for access control: `user-name`,
    /// `unix-user-id`, `group-name`, `unix-group-id`, `process-id`, `process-time`, `sasl-user-name`,
    /// `x509-distinguished-name`, `selinux-context`.
    ///
    /// Only an administrator of the daemon may do so; a driver inside the process throws `VIR_ERR_NO_SUPPORT`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.set_identity(#{ "user-name": "alice" }), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virConnectSetIdentity.
    #[rhai_fn(name = "set_identity", pure, return_raw)]
    pub fn set_identity(
        ctx: NativeCallContext,
        conn: &mut Connection,
        identity: OptionsOf<Identity>,
    ) -> RhaiResultOf<()> {
        set_identity_flags(ctx, conn, identity, 0)
    }

    /// Makes the daemon treat this connection's calls as those of another user; libvirt has no flags for it yet.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert_throws(|| conn.set_identity(#{ "unix-user-id": 1000 }, 0), "VIR_ERR_NO_SUPPORT");
    /// ```
    /// Calls virConnectSetIdentity.
    #[rhai_fn(name = "set_identity", pure, return_raw)]
    pub fn set_identity_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        identity: OptionsOf<Identity>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let params = typed_params(&ctx, Identity::OPTIONS, Identity::TYPES, &identity)?;
        conn.call(
            &ctx,
            "virConnectSetIdentity",
            "set the identity",
            move |c| host::set_identity(c, &params, wanted),
        )
    }
}
