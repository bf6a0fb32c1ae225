//! Security labels, and the protection of a guest's memory from its host.

use rhai::plugin::*;
use rhai::{Dynamic, Map, NativeCallContext};

use crate::api::arguments::{ArrayOf, RhaiResultOf, flag_bits, map, typed_params};
use crate::libvirt::security::Label;
use crate::libvirt::{security, tuning};
use crate::objects::domain::Domain;
use crate::vocabulary::{OptionsOf, ParamType, RecordOf, parameters, record};

record! {
    /// Security label of a guest's process.
    pub(crate) struct SecurityLabel {
        /// The label.
        label: String,
        /// True if the host enforces it.
        enforcing: bool,
    }
}

parameters! {
    /// The processor's values for a guest's encrypted memory.
    pub(crate) struct LaunchSecurity = "VIR_DOMAIN_LAUNCH_SECURITY_", |name| match name {
        "sev-measurement" | "sev-secret" | "sev-secret-header" => ParamType::Text,
        _ => ParamType::ULong,
    }, set ["sev-secret", "sev-secret-header", "sev-secret-set-address"];
}

fn record_of((label, enforcing): Label) -> Map {
    SecurityLabel { label, enforcing }.into_map()
}

#[export_module]
pub(super) mod functions {
    /// The security label of the running guest's process, as `label` and `enforcing`; the label is empty if the
    /// host has no security driver.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// assert_eq(dom.security_label(), #{ label: "libvirt-test", enforcing: true });
    /// ```
    /// Calls virDomainGetSecurityLabel.
    #[rhai_fn(name = "security_label", pure, return_raw)]
    pub fn security_label(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<SecurityLabel>> {
        dom.call(
            &ctx,
            "virDomainGetSecurityLabel",
            "read the security label of",
            security::label,
        )
        .map(record_of)
    }

    /// The security labels of the running guest's process, one for each security driver of the host.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert(dom.security_label_list().len() > 0);
    /// ```
    /// Calls virDomainGetSecurityLabelList.
    #[rhai_fn(name = "security_label_list", pure, return_raw)]
    pub fn security_label_list(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<ArrayOf<RecordOf<SecurityLabel>>> {
        let labels = dom.call(
            &ctx,
            "virDomainGetSecurityLabelList",
            "read the security labels of",
            security::labels,
        )?;
        Ok(labels
            .into_iter()
            .map(|label| Dynamic::from_map(record_of(label)))
            .collect())
    }

    /// The encryption of the guest's memory (AMD SEV), with libvirt's keys such as `sev-measurement` and `sev-policy`;
    /// empty for a guest without encrypted memory.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_eq(dom.launch_security_info(), #{});
    /// ```
    /// Calls virDomainGetLaunchSecurityInfo.
    #[rhai_fn(name = "launch_security_info", pure, return_raw)]
    pub fn launch_security_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<LaunchSecurity>> {
        launch_security_info_flags(ctx, dom, 0)
    }

    /// The encryption of the guest's memory; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// assert_eq(dom.launch_security_info(0), #{});
    /// ```
    /// Calls virDomainGetLaunchSecurityInfo.
    #[rhai_fn(name = "launch_security_info", pure, return_raw)]
    pub fn launch_security_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<LaunchSecurity>> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "read the launch security of";
        dom.call(&ctx, "virDomainGetLaunchSecurityInfo", verb, move |d| {
            tuning::launch_security_info(d, wanted)
        })
        .map(map)
    }

    /// Puts a secret into the encrypted memory of a guest that was started paused and has not run yet.
    ///
    /// `sev-secret-header` and `sev-secret` are in base64, `sev-secret-set-address` is a number.
    ///
    /// QEMU throws `VIR_ERR_OPERATION_UNSUPPORTED` for a guest without AMD SEV.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let secret = #{ "sev-secret-header": "AA==", "sev-secret": "AA==" };
    /// assert_throws(|| dom.set_launch_security_state(secret), "VIR_ERR_OPERATION_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetLaunchSecurityState.
    #[rhai_fn(name = "set_launch_security_state", pure, return_raw)]
    pub fn set_launch_security_state(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<LaunchSecurity>,
    ) -> RhaiResultOf<()> {
        set_launch_security_state_flags(ctx, dom, params, 0)
    }

    /// Puts a secret into the encrypted memory of a guest; libvirt has no flags for it yet.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let secret = #{ "sev-secret-header": "AA==", "sev-secret": "AA==" };
    /// assert_throws(|| dom.set_launch_security_state(secret, 0), "VIR_ERR_OPERATION_UNSUPPORTED");
    /// ```
    /// Calls virDomainSetLaunchSecurityState.
    #[rhai_fn(name = "set_launch_security_state", pure, return_raw)]
    pub fn set_launch_security_state_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        params: OptionsOf<LaunchSecurity>,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let (declared, types) = (LaunchSecurity::OPTIONS, LaunchSecurity::TYPES);
        let params = typed_params(&ctx, declared, types, &params)?;
        let verb = "set the launch security of";
        dom.call(&ctx, "virDomainSetLaunchSecurityState", verb, move |d| {
            tuning::set_launch_security_state(d, &params, wanted)
        })
    }
}
