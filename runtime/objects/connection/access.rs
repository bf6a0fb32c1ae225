//! The URIs that a script may open: those that the user gave, those that use no files, keys, programs or sockets of the
//! user, and others with a permission.

use rhai::{EvalAltResult, NativeCallContext};

use super::test_host;
use crate::error::Error;
use crate::error::RhaiResultOf;
use crate::objects::c_text::text;
use crate::objects::granted;
use crate::objects::uri::{Malformed, Need, Uri, check_password};
use crate::run::session::Session;

/// A URI that libvirt may open.
pub(super) struct Admitted {
    pub(super) uri: String,
    /// True if it names files, which are checked again each time it is opened.
    pub(super) names_files: bool,
}

/// The URI that libvirt opens for the script's `uri`: unchanged if the user gave it, otherwise
/// rebuilt from its parts.
pub(super) fn admit(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<Admitted> {
    let uri = text(ctx, "the URI", uri)?;
    let Some((parsed, need)) = examined(ctx, uri)? else {
        return Ok(Admitted {
            uri: uri.to_owned(),
            names_files: false,
        });
    };
    let names_files = matches!(need, Some(Need::Read(_) | Need::Embed(_)));
    let admitted = match need {
        None => parsed,
        Some(Need::Read(path)) => {
            let file = granted::readable(ctx, &path)?;
            test_host::check_included(ctx, &file)?;
            parsed.with_path(&path_text(ctx, &file)?)
        }
        Some(Need::Embed(root)) => {
            let Some(real) = Session::of(ctx).grants().embeddable(&root) else {
                let message = format!("the script may not run a hypervisor in {root}");
                return Error::refuse(
                    ctx,
                    message,
                    "allow it with `--allow-embed DIR`, or at the prompt with `:connect URI`; scripts can then do everything that you can",
                );
            };
            parsed.with_root(&path_text(ctx, &real)?)
        }
        Some(Need::Connect(why)) => return Err(forbidden(ctx, uri, &why)),
    };
    Ok(Admitted {
        uri: admitted.to_string(),
        names_files,
    })
}

/// Checks the URI of a host that another host connects to, as [`admit`] does, but refuses URIs that
/// need a permission.
pub(crate) fn admit_destination(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<String> {
    let uri = text(ctx, "the URI", uri)?;
    match examined(ctx, uri)? {
        None => Ok(uri.to_owned()),
        Some((parsed, None)) => Ok(parsed.to_string()),
        Some((_, Some(Need::Connect(why)))) => Err(forbidden(ctx, uri, &why)),
        Some((_, Some(Need::Embed(_) | Need::Read(_)))) => {
            Err(forbidden(ctx, uri, "its driver runs in one process"))
        }
    }
}

/// The parts of `uri` and the permission that it needs; `None` if the user gave the URI, or if it
/// is an alias, which only the user's libvirt.conf can define.
fn examined(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<Option<(Uri, Option<Need>)>> {
    let session = Session::of(ctx);
    check_password(uri).map_err(|wrong| malformed(ctx, uri, wrong))?;
    if session.is_given(uri) {
        return Ok(None);
    }
    if session.grants().named_hosts_only {
        return Err(forbidden(ctx, uri, NOT_NAMED));
    }
    let alias = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if uri.bytes().all(alias) {
        return Ok(None);
    }
    match Uri::parse(uri) {
        Ok(parsed) => {
            let need = parsed.need();
            Ok(Some((parsed, need)))
        }
        Err(wrong) => Err(malformed(ctx, uri, wrong)),
    }
}

fn malformed(ctx: &NativeCallContext, uri: &str, wrong: Malformed) -> Box<EvalAltResult> {
    let Malformed { why, hint } = wrong;
    let uri = crate::redact::hide_uri(uri);
    let error = Error::invalid(ctx, format!("`{uri}` is refused: {why}"));
    error
        .with_hint(hint.unwrap_or_else(|| ALLOW.into()))
        .throw()
}

/// libvirt's variable for the daemon that `connect_admin()` opens.
pub(in crate::objects) const DEFAULT_DAEMON: &str = "LIBVIRT_ADMIN_DEFAULT_URI";

/// The URI of a daemon that the script may administer: one that the user gave in these very words, since the admin API
/// changes the daemon for all its clients and can make it write its log to any file.
pub(in crate::objects) fn admit_daemon(ctx: &NativeCallContext, uri: &str) -> RhaiResultOf<String> {
    let uri = text(ctx, "the URI", uri)?;
    // `virtqemud` and similar daemons serve one driver.
    let scheme = uri.split([':', '+']).next().unwrap_or_default();
    let of_driver = scheme.starts_with("virt") && scheme.ends_with('d');
    if scheme != "libvirtd" && !of_driver {
        return Error::refuse(
            ctx,
            format!("`{uri}` is not the URI of a daemon"),
            "URIs of daemons look like libvirtd:///system, virtqemud:///session, libvirtd+unix:///session?socket=/PATH/libvirt-admin-sock",
        );
    }
    let by_environment = || std::env::var(DEFAULT_DAEMON).is_ok_and(|default| default == uri);
    if Session::of(ctx).is_given(uri) || by_environment() {
        return Ok(uri.to_owned());
    }
    let message = format!("the script may not administer the daemon at `{uri}`");
    Error::refuse(
        ctx,
        message,
        "allow it with `--allow-connect URI`; scripts can then change and stop the daemon, and make it write its log to any file that it can write",
    )
}

/// Refuses the host that libvirt would choose, if scripts may open only hosts that the user named.
pub(super) fn ensure_named(ctx: &NativeCallContext) -> RhaiResultOf<()> {
    if !Session::of(ctx).grants().named_hosts_only {
        return Ok(());
    }
    let message = "no host was named, and `--only-named-hosts` allows only hosts that you name";
    Error::refuse(ctx, message, "name it with `-c URI`")
}

const NOT_NAMED: &str = "`--only-named-hosts` allows only hosts that you name";

const ALLOW: &str = "allow exactly this URI with `--allow-connect URI`, or connect to it with `-c URI` or, at the prompt, `:connect URI`";

fn forbidden(ctx: &NativeCallContext, uri: &str, why: &str) -> Box<rhai::EvalAltResult> {
    let message = format!("the script may not connect to `{uri}`: {why}");
    Error::invalid(ctx, message).with_hint(ALLOW).throw()
}

fn path_text(ctx: &NativeCallContext, path: &std::path::Path) -> RhaiResultOf<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        let message = format!("{} is not UTF-8 text", path.display());
        Error::invalid(ctx, message).throw()
    })
}
