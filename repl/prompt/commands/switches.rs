//! The switches of a session.

use std::sync::atomic::Ordering;

use super::Done;
use crate::prompt::Prompt;

/// Sets whether to ask before calls that destroy an object.
pub(super) fn confirm(prompt: &mut Prompt, wanted: &str) -> Done {
    prompt.confirms = choice("confirm", prompt.confirms, wanted)?;
    Ok(None)
}

/// Sets whether to print events of the hosts.
pub(super) fn events(prompt: &mut Prompt, wanted: &str) -> Done {
    let now = prompt.news.wanted().load(Ordering::Relaxed);
    let wanted = choice("events", now, wanted)?;
    prompt.news.wanted().store(wanted, Ordering::Relaxed);
    Ok(None)
}

/// Sets whether long output goes through the pager.
pub(super) fn pager(prompt: &mut Prompt, wanted: &str) -> Done {
    prompt.pages = choice("pager", prompt.pages, wanted)?;
    Ok(None)
}

/// Parses the wanted setting; without one, shows the present one.
fn choice(name: &str, now: bool, wanted: &str) -> Result<bool, String> {
    match wanted {
        "on" => Ok(true),
        "off" => Ok(false),
        "" => {
            eprintln!("`:{name}` is {}", if now { "on" } else { "off" });
            Ok(now)
        }
        other => Err(format!("`:{name}` takes `on` or `off`, not `{other}`")),
    }
}
