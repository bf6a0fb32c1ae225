//! The environment of virhai.

use rhai::NativeCallContext;
use rhai::plugin::*;

use crate::api::arguments::{RhaiResultOf, text};
use crate::error::Error;
use crate::objects::granted;

fn value(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<Option<String>> {
    let name = text(ctx, "the name", name)?;
    if name.is_empty() || name.contains('=') {
        return Err(Error::invalid(
            ctx,
            format!("`{name}` is not a valid name of an environment variable"),
        )
        .throw());
    }
    granted::env(ctx, name)?;
    match std::env::var_os(name).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => {
            Err(Error::invalid(ctx, format!("the value of `{name}` is not UTF-8 text")).throw())
        }
    }
}

#[export_module]
pub(super) mod functions {
    /// Returns the value of the environment variable `name`; throws if it is not set.
    ///
    /// Needs `--allow-env`.
    ///
    /// ```rhai
    /// try {
    ///     env("BACKUP_HOST");
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-env"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "env", volatile, return_raw)]
    pub fn env(ctx: NativeCallContext, name: &str) -> RhaiResultOf<String> {
        match value(&ctx, name)? {
            Some(value) => Ok(value),
            None => Error::refuse(
                &ctx,
                format!("the environment variable `{name}` is not set"),
                "`env(name, default)` returns the default instead",
            ),
        }
    }

    /// Returns the value of the environment variable `name`, or `default` if it is not set.
    ///
    /// Needs `--allow-env`.
    ///
    /// ```rhai
    /// try {
    ///     env("BACKUP_HOST", "backup.example.com");
    /// } catch (err) {
    ///     assert(err.hint.contains("--allow-env"));
    /// }
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "env", volatile, return_raw)]
    pub fn env_or(ctx: NativeCallContext, name: &str, default: &str) -> RhaiResultOf<String> {
        let value = value(&ctx, name)?;
        Ok(value.unwrap_or_else(|| default.to_owned()))
    }
}
