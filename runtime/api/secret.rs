//! `Secret`: a password or a key that a host keeps for its guests and pools.

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, Engine, NativeCallContext, exported_module};
use virt::connect::Connect;

use super::arguments::{ArrayOf, RhaiResultOf, flag_bits, number, text, uuid_text};
use super::every_kind::Scripted;
use super::xml::XmlText;
use crate::error::Error;
use crate::libvirt;
use crate::objects::connection::Connection;
use crate::objects::secret::{Handle, Secret, SecretKind};
use crate::vocabulary::{SecretUsage, WordOf};

impl Scripted for SecretKind {
    const VARIABLE: &'static str = "secret";
    const RUNS_ON: &'static str = "daemon";
    const EXAMPLE: &'static str = r#"let conn = connect();
let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");"#;
    const EXAMPLE_NAME: &'static str = "backup";
    const GET_NAME: &'static str = "GetUsageID";
    const NAME: (&'static str, &'static [&'static str]) = ("usage_id", &["usage_id"]);
    const XML: &'static str = "of the secret, without its value";
    const XML_FLAGS: &'static str = "";

    fn register(engine: &mut Engine) {
        engine.register_global_module(exported_module!(finding).into());
        engine.register_global_module(exported_module!(functions).into());
    }
}

/// Looks up a secret by its usage.
fn by_usage(
    ctx: &NativeCallContext,
    conn: &Connection,
    usage: i32,
    id: &str,
) -> RhaiResultOf<Secret> {
    let action = format_args!("look up the secret for `{id}`");
    let id = text(ctx, "the usage", id)?.to_owned();
    let found = conn.call(ctx, "virSecretLookupByUsage", action, move |c| {
        c.lookup_secret_by_usage(usage, &id)
    })?;
    Ok(Secret::new(conn.clone(), found))
}

/// The bytes of a value, which no message shows.
fn bytes_of(ctx: &NativeCallContext, value: Dynamic) -> RhaiResultOf<Vec<u8>> {
    let value = match value.try_cast_result::<Blob>() {
        Ok(bytes) => return Ok(bytes),
        Err(value) => value,
    };
    match value.into_immutable_string() {
        Ok(text) => Ok(text.as_bytes().to_vec()),
        Err(kind) => {
            let message = format!("the value of a secret must be bytes or text, not {kind}");
            Err(Error::invalid(ctx, message).throw())
        }
    }
}

#[export_module]
mod finding {
    /// All secrets of the host.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.list_all_secrets().map(|secret| secret.usage_id), ["backup"]);
    /// ```
    /// Calls virConnectListAllSecrets.
    #[rhai_fn(name = "list_all_secrets", pure, return_raw)]
    pub fn list_all_secrets(
        ctx: NativeCallContext,
        conn: &mut Connection,
    ) -> RhaiResultOf<ArrayOf<Secret>> {
        list_all_secrets_flags(ctx, conn, 0)
    }

    /// The secrets that `flags` select, such as `VIR_CONNECT_LIST_SECRETS_EPHEMERAL`.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.list_all_secrets(VIR_CONNECT_LIST_SECRETS_EPHEMERAL).len(), 1);
    /// assert_eq(conn.list_all_secrets(VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL), []);
    /// ```
    /// Calls virConnectListAllSecrets.
    #[rhai_fn(name = "list_all_secrets", pure, return_raw)]
    pub fn list_all_secrets_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        flags: i64,
    ) -> RhaiResultOf<ArrayOf<Secret>> {
        conn.list_objects::<SecretKind>(&ctx, "virConnectListAllSecrets", flags)
    }

    /// The UUIDs of all secrets.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.list_secrets(), [secret.uuid]);
    /// ```
    /// Calls virConnectListAllSecrets.
    #[rhai_fn(pure, return_raw)]
    pub fn list_secrets(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Array> {
        let secrets = conn.list::<SecretKind>(&ctx, "virConnectListAllSecrets", 0)?;
        let uuids = secrets.iter().filter_map(|it| it.uuid_string().ok());
        Ok(uuids.map(Dynamic::from).collect())
    }

    /// The number of secrets.
    ///
    /// ```rhai,daemon
    /// assert_eq(connect().num_of_secrets(), 0);
    /// ```
    /// Calls virConnectNumOfSecrets.
    #[rhai_fn(pure, return_raw)]
    pub fn num_of_secrets(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<i64> {
        let count = Connect::num_of_secrets;
        conn.call(&ctx, "virConnectNumOfSecrets", "count the secrets", count)
            .map(i64::from)
    }

    /// The secret with that UUID, given as text; throws `VIR_ERR_NO_SECRET` if there is none.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.secret_lookup_by_uuid(secret.uuid), secret);
    /// ```
    /// Calls virSecretLookupByUUIDString.
    #[rhai_fn(
        name = "secret_lookup_by_uuid",
        name = "secret_lookup_by_uuid_string",
        pure,
        return_raw
    )]
    pub fn secret_lookup_by_uuid_string(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: &str,
    ) -> RhaiResultOf<Secret> {
        conn.look_up_uuid(&ctx, uuid)
    }

    /// The secret with that UUID, given as its 16 bytes.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.secret_lookup_by_uuid(secret.uuid_bytes()), secret);
    /// ```
    /// Calls virSecretLookupByUUIDString.
    #[rhai_fn(name = "secret_lookup_by_uuid", pure, return_raw)]
    pub fn secret_lookup_by_uuid_bytes(
        ctx: NativeCallContext,
        conn: &mut Connection,
        uuid: Blob,
    ) -> RhaiResultOf<Secret> {
        let uuid = uuid_text(&ctx, &uuid)?;
        secret_lookup_by_uuid_string(ctx, conn, &uuid)
    }

    /// The secret for the usage `usage`, a word such as `"ceph"`, and the ID `id`; throws `VIR_ERR_NO_SECRET` if there
    /// is none.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.secret_lookup_by_usage("ceph", "backup"), secret);
    /// ```
    /// Calls virSecretLookupByUsage.
    #[rhai_fn(name = "secret_lookup_by_usage", pure, return_raw)]
    pub fn secret_lookup_by_usage_word(
        ctx: NativeCallContext,
        conn: &mut Connection,
        usage: WordOf<SecretUsage>,
        id: &str,
    ) -> RhaiResultOf<Secret> {
        SecretUsage::TABLE.expect(&ctx, "usage of a secret", &usage)?;
        let usage = SecretUsage::TABLE.number(&usage).unwrap_or_default();
        let usage = number(&ctx, "the usage", usage)?;
        by_usage(&ctx, conn, usage, id)
    }

    /// The secret for the usage `usage`, such as `VIR_SECRET_USAGE_TYPE_CEPH`, and the ID `id`.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(conn.secret_lookup_by_usage(VIR_SECRET_USAGE_TYPE_CEPH, "backup"), secret);
    /// ```
    /// Calls virSecretLookupByUsage.
    #[rhai_fn(pure, return_raw)]
    pub fn secret_lookup_by_usage(
        ctx: NativeCallContext,
        conn: &mut Connection,
        usage: i64,
        id: &str,
    ) -> RhaiResultOf<Secret> {
        let usage = number(&ctx, "the usage", usage)?;
        by_usage(&ctx, conn, usage, id)
    }

    /// Defines a secret from XML, text or an `Xml`, without a value: `set_value` gives it one.
    ///
    /// If a secret with this UUID and usage exists, it is changed and keeps its value.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret private='yes'><usage type='volume'><volume>/srv/web.img</volume></usage></secret>");
    /// assert_eq(secret.usage_type(), "volume");
    /// ```
    /// Calls virSecretDefineXML.
    #[rhai_fn(name = "secret_define_xml", pure, return_raw)]
    pub fn secret_define_xml(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
    ) -> RhaiResultOf<Secret> {
        secret_define_xml_flags(ctx, conn, xml, 0)
    }

    /// Defines a secret; `VIR_SECRET_DEFINE_VALIDATE` checks the XML against libvirt's schema first.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// try {
    ///     conn.secret_define_xml("<secret><usage type='ceph'><nane>backup</nane></usage></secret>", VIR_SECRET_DEFINE_VALIDATE);
    ///     assert(false);
    /// } catch (err) {
    ///     assert(err.code in ["VIR_ERR_XML_INVALID_SCHEMA", "VIR_ERR_XML_ERROR"], err.code);
    /// }
    /// ```
    /// Calls virSecretDefineXML.
    #[rhai_fn(name = "secret_define_xml", pure, return_raw)]
    pub fn secret_define_xml_flags(
        ctx: NativeCallContext,
        conn: &mut Connection,
        xml: XmlText,
        flags: i64,
    ) -> RhaiResultOf<Secret> {
        let wanted = flag_bits(&ctx, flags)?;
        conn.define(&ctx, "virSecretDefineXML", &xml, move |c, xml| {
            c.define_secret_xml(xml, wanted)
        })
    }
}

#[export_module]
mod functions {
    /// The usage of the secret, such as `"ceph"` or `"volume"`.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// assert_eq(secret.usage_type(), "ceph");
    /// ```
    /// Calls virSecretGetUsageType.
    #[rhai_fn(pure, return_raw)]
    pub fn usage_type(
        ctx: NativeCallContext,
        secret: &mut Secret,
    ) -> RhaiResultOf<WordOf<SecretUsage>> {
        let call = "virSecretGetUsageType";
        let usage = secret.call(&ctx, call, "read the usage of", Handle::usage_type)?;
        Ok(SecretUsage::TABLE.word(i64::from(usage)))
    }

    /// The value, as bytes. The host does not return the value of a private secret.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// secret.set_value("s3cret".to_blob());
    /// assert_eq(secret.value().as_string(), "s3cret");
    /// ```
    /// Calls virSecretGetValue.
    #[rhai_fn(name = "value", pure, return_raw)]
    pub fn value(ctx: NativeCallContext, secret: &mut Secret) -> RhaiResultOf<Blob> {
        value_flags(ctx, secret, 0)
    }

    /// The value, as bytes; libvirt has no flags for it yet.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// secret.set_value("s3cret".to_blob());
    /// assert_eq(secret.value(0).len(), 6);
    /// ```
    /// Calls virSecretGetValue.
    #[rhai_fn(name = "value", pure, return_raw)]
    pub fn value_flags(
        ctx: NativeCallContext,
        secret: &mut Secret,
        flags: i64,
    ) -> RhaiResultOf<Blob> {
        let wanted = flag_bits(&ctx, flags)?;
        let call = "virSecretGetValue";
        secret
            .attempt(call, move |s| libvirt::secret::value(s, wanted))
            .map_err(|failure| {
                let has_none = failure.message.contains("does not have a value");
                let error = secret.error(&ctx, failure, call, "read the value of");
                match has_none {
                    true => error.with_hint("`set_value(bytes)` gives the secret a value"),
                    false => error,
                }
                .throw()
            })
    }

    /// Sets the secret's value to `value`, bytes or text, which is stored as UTF-8.
    ///
    /// libvirt does not decode the value: give a Ceph key or a LUKS passphrase as Ceph or LUKS expects it.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// secret.set_value("s3cret");
    /// assert_eq(secret.value(), "s3cret".to_blob());
    /// ```
    /// Calls virSecretSetValue.
    #[rhai_fn(name = "set_value", pure, return_raw)]
    pub fn set_value(
        ctx: NativeCallContext,
        secret: &mut Secret,
        value: Dynamic,
    ) -> RhaiResultOf<()> {
        set_value_flags(ctx, secret, value, 0)
    }

    /// Sets the secret's value to `value`; libvirt has no flags for it yet.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// secret.set_value(blob(4, 0x2a), 0);
    /// assert_eq(secret.value().as_string(), "****");
    /// ```
    /// Calls virSecretSetValue.
    #[rhai_fn(name = "set_value", pure, return_raw)]
    pub fn set_value_flags(
        ctx: NativeCallContext,
        secret: &mut Secret,
        value: Dynamic,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let wanted = flag_bits(&ctx, flags)?;
        let bytes = bytes_of(&ctx, value)?;
        secret.call(&ctx, "virSecretSetValue", "set the value of", move |s| {
            s.set_value(&bytes, wanted)
        })
    }

    /// Removes this secret and its value.
    ///
    /// ```rhai,daemon
    /// let conn = connect();
    /// let secret = conn.secret_define_xml("<secret ephemeral='yes'><usage type='ceph'><name>backup</name></usage></secret>");
    /// secret.undefine();
    /// assert_eq(conn.num_of_secrets(), 0);
    /// ```
    /// Calls virSecretUndefine.
    #[rhai_fn(pure, return_raw)]
    pub fn undefine(ctx: NativeCallContext, secret: &mut Secret) -> RhaiResultOf<()> {
        secret.call(&ctx, "virSecretUndefine", "undefine", Handle::undefine)
    }
}
