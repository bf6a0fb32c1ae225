//! `:json`, `:xml` and `:time`.

use super::Done;
use crate::prompt::Prompt;
use crate::prompt::worker::View;

/// A value as JSON.
pub(super) fn json(prompt: &mut Prompt, code: &str) -> Done {
    viewed(prompt, code, View::Json)
}

/// A value as XML.
pub(super) fn xml(prompt: &mut Prompt, code: &str) -> Done {
    viewed(prompt, code, View::Xml)
}

fn viewed(prompt: &mut Prompt, code: &str, view: View) -> Done {
    if code.is_empty() {
        if !prompt.worker.scope().contains("ans") {
            return Err("there is no last value yet".into());
        }
        prompt.look_at_last(view);
        return Ok(None);
    }
    if !prompt.confirmed(code) {
        return Ok(None);
    }
    Ok(prompt.evaluate_as(code, view))
}

/// Runs something and says how long it took.
pub(super) fn time(prompt: &mut Prompt, code: &str) -> Done {
    if code.is_empty() {
        return Err("`:time EXPR` needs an expression".into());
    }
    if !prompt.confirmed(code) {
        return Ok(None);
    }
    Ok(prompt.evaluate_timed(code))
}
