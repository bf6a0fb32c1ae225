//! Text that libvirt accepts.

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
            format!("{what} contains a NUL byte, which libvirt does not accept"),
        )
        .throw());
    }
    Ok(text)
}

/// A path on the hypervisor's host, which must not depend on the client's folder.
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
