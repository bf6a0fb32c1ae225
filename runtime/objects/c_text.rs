//! Text that libvirt can take.

use rhai::NativeCallContext;

use crate::error::{Error, RhaiResultOf};

/// Text that C can take.
pub(crate) fn text<'a>(
    ctx: &NativeCallContext,
    what: &str,
    text: &'a str,
) -> RhaiResultOf<&'a str> {
    if text.contains('\0') {
        return Err(Error::invalid(
            ctx,
            format!("{what} holds a NUL byte, which libvirt cannot take"),
        )
        .throw());
    }
    Ok(text)
}

/// A path on the hypervisor's host, which must not depend on where the client stands.
pub(crate) fn host_path<'a>(ctx: &NativeCallContext, path: &'a str) -> RhaiResultOf<&'a str> {
    if !path.starts_with('/') {
        return Error::refuse(
            ctx,
            format!("`{path}` is not an absolute path"),
            "the file is on the hypervisor's host: name it from the root, such as /var/tmp/web.save",
        );
    }
    text(ctx, "the path", path)
}
