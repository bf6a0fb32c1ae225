//! `Secret`: a password or a key that a host keeps for its guests and pools.

use virt::connect::Connect;
pub(crate) use virt::secret::Secret as Handle;

use super::object::{Kind, Object, known_by_uuid};
use crate::libvirt;
use crate::vocabulary::SecretUsage;

/// A secret of a connection; copies are the same secret.
pub type Secret = Object<SecretKind>;

/// The kind of a [`Secret`].
pub struct SecretKind;

impl Kind for SecretKind {
    known_by_uuid!(
        Handle,
        "virSecretLookupByUUIDString",
        lookup_secret_by_uuid_string
    );
    const NOUN: &'static str = "secret";
    /// libvirt has no names of secrets.
    const OPTIONS: &'static [&'static str] = &[];
    const ELEMENT: &'static str = "secret";
    const COLUMNS: &'static [&'static str] = &["UUID", "Type", "Usage"];

    fn row(secret: &Secret) -> Vec<String> {
        let seen = secret.attempt("virSecretGetUsageType", |handle| {
            let usage = SecretUsage::TABLE.word(i64::from(handle.usage_type()?));
            Ok::<_, libvirt::Failure>((usage.to_string(), libvirt::secret::usage_id(handle)?))
        });
        let (usage, id) = seen.unwrap_or_else(|_| ("?".to_owned(), String::new()));
        vec![secret.uuid().to_owned(), usage, id]
    }

    /// The user of the secret, or its UUID if none is named.
    fn name(handle: &Handle) -> Option<String> {
        let usage = libvirt::secret::usage_id(handle).ok();
        let uuid = || handle.uuid_string().ok();
        usage.filter(|usage| !usage.is_empty()).or_else(uuid)
    }

    fn xml(handle: &Handle, flags: u32) -> libvirt::Result<String> {
        Ok(handle.xml_desc(flags)?)
    }

    fn list(connect: &Connect, flags: u32) -> libvirt::Result<Vec<Handle>> {
        Ok(connect.list_all_secrets(flags)?)
    }
}
