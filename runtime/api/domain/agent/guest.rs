//! The guest's system: its report, its CPUs, its logins.

use rhai::plugin::*;
use rhai::{Array, Dynamic, NativeCallContext};

use super::Domain;
use super::exec::texts;
use crate::api::arguments::{RhaiResultOf, flag_bits, map};
use crate::api::nested::nested;
use crate::libvirt;
use crate::vocabulary::{ParamType, RecordOf, nested_keys, parameters, record};

parameters! {
    /// CPUs as a guest's system sees them, as lists such as `0-3`.
    pub(crate) struct GuestVcpus {
        "vcpus": ParamType::Text, "CPUs of the guest";
        "online": ParamType::Text, "CPUs that are online";
        "offlinable": ParamType::Text, "CPUs that can be taken offline";
    }
}

record! {
    /// Details of a guest's system, from its agent.
    pub(crate) struct GuestInfo by || nested_keys("VIR_DOMAIN_GUEST_INFO_");
}

#[export_module]
pub(super) mod functions {
    /// The facts that the agent reports about the guest's system, as nested maps: `os`, `hostname`, `timezone`, `user`
    /// (logged-in users), `fs`, `disk`, `if`.
    ///
    /// The keys are libvirt's, with `_` for `-`: `os.kernel_release`, `user[0].name`,
    /// `fs[0].total_bytes`, `if[0].addr[0].addr`.
    ///
    /// ```rhai,agent
    /// let info = connect().lookup_by_name("web").guest_info();
    /// assert(info.os.kernel_release != "");
    /// assert_eq(info.fs[0].mountpoint, "/mnt");
    /// ```
    /// Calls virDomainGetGuestInfo.
    #[rhai_fn(name = "guest_info", pure, return_raw)]
    pub fn guest_info(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<GuestInfo>> {
        guest_info_flags(ctx, dom, 0, 0)
    }

    /// The facts of the agent's report that `types` select, such as `VIR_DOMAIN_GUEST_INFO_OS`; throws if the agent
    /// cannot report one of them.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let info = dom.guest_info(VIR_DOMAIN_GUEST_INFO_OS | VIR_DOMAIN_GUEST_INFO_HOSTNAME);
    /// assert_eq(info.keys(), ["hostname", "os"]);
    /// ```
    /// Calls virDomainGetGuestInfo.
    #[rhai_fn(name = "guest_info", pure, return_raw)]
    pub fn guest_info_types(
        ctx: NativeCallContext,
        dom: &mut Domain,
        types: i64,
    ) -> RhaiResultOf<RecordOf<GuestInfo>> {
        guest_info_flags(ctx, dom, types, 0)
    }

    /// The parts of the agent's report that `types` select; libvirt has no flags for it yet.
    ///
    /// ```rhai,agent
    /// let info = connect().lookup_by_name("web").guest_info(VIR_DOMAIN_GUEST_INFO_TIMEZONE, 0);
    /// assert_eq(info.timezone.offset_s, 0);
    /// ```
    /// Calls virDomainGetGuestInfo.
    #[rhai_fn(name = "guest_info", pure, return_raw)]
    pub fn guest_info_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        types: i64,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<GuestInfo>> {
        let types = flag_bits(&ctx, types)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "ask the agent about";
        dom.call(&ctx, "virDomainGetGuestInfo", verb, move |d| {
            libvirt::agent::guest_info(d, types, wanted)
        })
        .map(|fields| nested(fields.iter()))
    }

    /// The CPUs as the guest's system sees them: `vcpus`, `online` and `offlinable` as lists such
    /// as `"0-3"`.
    ///
    /// ```rhai,agent
    /// assert_eq(connect().lookup_by_name("web").guest_vcpus().online, "0-1");
    /// ```
    /// Calls virDomainGetGuestVcpus.
    #[rhai_fn(name = "guest_vcpus", pure, return_raw)]
    pub fn guest_vcpus(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<GuestVcpus>> {
        guest_vcpus_flags(ctx, dom, 0)
    }

    /// The CPUs as the guest's system sees them; libvirt has no flags for it yet.
    ///
    /// ```rhai,agent
    /// assert_eq(connect().lookup_by_name("web").guest_vcpus(0).vcpus, "0-1");
    /// ```
    /// Calls virDomainGetGuestVcpus.
    #[rhai_fn(name = "guest_vcpus", pure, return_raw)]
    pub fn guest_vcpus_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<GuestVcpus>> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "read the CPUs of";
        dom.call(&ctx, "virDomainGetGuestVcpus", verb, move |d| {
            libvirt::agent::guest_vcpus(d, wanted)
        })
        .map(map)
    }

    /// Takes the CPUs that `cpus` lists online in the guest's system, or offline if `online` is false; the guest keeps
    /// its CPUs either way.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// dom.set_guest_vcpus("1", false);
    /// assert_eq(dom.guest_vcpus().online, "0");
    /// dom.set_guest_vcpus("1", true);
    /// ```
    /// Calls virDomainSetGuestVcpus.
    #[rhai_fn(name = "set_guest_vcpus", pure, return_raw)]
    pub fn set_guest_vcpus(
        ctx: NativeCallContext,
        dom: &mut Domain,
        cpus: &str,
        online: bool,
    ) -> RhaiResultOf<()> {
        set_guest_vcpus_flags(ctx, dom, cpus, online, 0)
    }

    /// Takes CPUs online or offline in the guest's system; libvirt has no flags for it yet.
    ///
    /// ```rhai,agent
    /// connect().lookup_by_name("web").set_guest_vcpus("1", true, 0);
    /// ```
    /// Calls virDomainSetGuestVcpus.
    #[rhai_fn(name = "set_guest_vcpus", pure, return_raw)]
    pub fn set_guest_vcpus_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        cpus: &str,
        online: bool,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "set the CPUs in use of";
        let cpus = cpus.to_owned();
        dom.call(&ctx, "virDomainSetGuestVcpus", verb, move |d| {
            libvirt::agent::set_guest_vcpus(d, &cpus, online, wanted)
        })
    }

    /// Sets the password of `user` in the guest.
    ///
    /// ```rhai
    /// connect("test:///default").lookup_by_name("test").set_user_password("root", "secret");
    /// ```
    /// Calls virDomainSetUserPassword.
    #[rhai_fn(name = "set_user_password", pure, return_raw)]
    pub fn set_user_password(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
        password: &str,
    ) -> RhaiResultOf<()> {
        set_user_password_flags(ctx, dom, user, password, 0)
    }

    /// Sets the password of `user` in the guest; with `VIR_DOMAIN_PASSWORD_ENCRYPTED` the password is already hashed,
    /// as the guest stores it.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.set_user_password("root", "$6$salt$hash", VIR_DOMAIN_PASSWORD_ENCRYPTED);
    /// ```
    /// Calls virDomainSetUserPassword.
    #[rhai_fn(name = "set_user_password", pure, return_raw)]
    pub fn set_user_password_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
        password: &str,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("set the password of `{user}` in");
        let password = password.to_owned();
        let user = user.to_owned();
        dom.call(&ctx, "virDomainSetUserPassword", verb, move |d| {
            d.set_user_password(&user, &password, wanted)
        })
    }

    /// The SSH keys that may log in as `user`, one text for each.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// dom.authorized_ssh_keys_set("root", ["ssh-ed25519 AAAA me"]);
    /// assert_eq(dom.authorized_ssh_keys_get("root"), ["ssh-ed25519 AAAA me"]);
    /// ```
    /// Calls virDomainAuthorizedSSHKeysGet.
    #[rhai_fn(name = "authorized_ssh_keys_get", pure, return_raw)]
    pub fn authorized_ssh_keys_get(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
    ) -> RhaiResultOf<Array> {
        authorized_ssh_keys_get_flags(ctx, dom, user, 0)
    }

    /// The SSH keys that may log in as `user`; libvirt has no flags for it yet.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// dom.authorized_ssh_keys_set("root", ["ssh-ed25519 AAAA me"]);
    /// assert_eq(dom.authorized_ssh_keys_get("root", 0).len(), 1);
    /// ```
    /// Calls virDomainAuthorizedSSHKeysGet.
    #[rhai_fn(name = "authorized_ssh_keys_get", pure, return_raw)]
    pub fn authorized_ssh_keys_get_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
        flags: i64,
    ) -> RhaiResultOf<Array> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("read the SSH keys of `{user}` in");
        let user = user.to_owned();
        let keys = dom.call(&ctx, "virDomainAuthorizedSSHKeysGet", verb, move |d| {
            libvirt::agent::authorized_ssh_keys(d, &user, wanted)
        })?;
        Ok(keys.into_iter().map(Dynamic::from).collect())
    }

    /// Replaces the SSH keys that can log in as `user` with `keys`.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// dom.authorized_ssh_keys_set("root", ["ssh-ed25519 AAAA me", "ssh-ed25519 BBBB you"]);
    /// assert_eq(dom.authorized_ssh_keys_get("root").len(), 2);
    /// ```
    /// Calls virDomainAuthorizedSSHKeysSet.
    #[rhai_fn(name = "authorized_ssh_keys_set", pure, return_raw)]
    pub fn authorized_ssh_keys_set(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
        keys: Array,
    ) -> RhaiResultOf<()> {
        authorized_ssh_keys_set_flags(ctx, dom, user, keys, 0)
    }

    /// Adds `keys` to the SSH keys of `user` with `VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND`, or removes them with
    /// `_REMOVE`.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let key = "ssh-ed25519 CCCC her";
    /// dom.authorized_ssh_keys_set("root", [key], VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND);
    /// dom.authorized_ssh_keys_set("root", [key], VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE);
    /// assert(!(key in dom.authorized_ssh_keys_get("root")));
    /// ```
    /// Calls virDomainAuthorizedSSHKeysSet.
    #[rhai_fn(name = "authorized_ssh_keys_set", pure, return_raw)]
    pub fn authorized_ssh_keys_set_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        user: &str,
        keys: Array,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let keys = texts(&ctx, "the keys", &keys)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = format_args!("set the SSH keys of `{user}` in");
        let user = user.to_owned();
        dom.call(&ctx, "virDomainAuthorizedSSHKeysSet", verb, move |d| {
            libvirt::agent::set_authorized_ssh_keys(d, &user, &keys, wanted)
        })
    }
}
