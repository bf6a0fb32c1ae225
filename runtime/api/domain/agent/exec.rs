//! Programs that run in a guest.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, EvalAltResult, Map, NativeCallContext};
use serde_json::{Value, json};

use super::{Domain, USUAL, ask};
use crate::api::arguments::RhaiResultOf;
use crate::api::prelude::pause;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::vocabulary::{OptionsOf, Output, RecordOf, TextOrBytes, options, record};

options! {
    /// Input, environment and time limit of a program in a guest.
    pub(crate) struct ExecOptions {
        /// Standard input of the program.
        input: Option<TextOrBytes>,
        /// Environment of the program: names with their values.
        env: Option<Map>,
        /// Time for the program to end.
        timeout: Duration = "1m",
    }
}

record! {
    /// The result of a program in a guest.
    pub(crate) struct ExecResult {
        /// Exit status; `()` if a signal ended it.
        exit_status: Option<i64>,
        /// Number of the signal that ended it, or `()`.
        signal: Option<i64>,
        /// Standard output: text, or a blob if it is not UTF-8.
        stdout: Output,
        /// Standard error: text, or a blob if it is not UTF-8.
        stderr: Output,
        /// True if the agent truncated the output.
        truncated: bool,
    }
}

fn exec(ctx: &NativeCallContext, dom: &Domain, argv: &Array, options: &Map) -> RhaiResultOf<Map> {
    let options = ExecOptions::read(ctx, options)?;
    let [program, arguments @ ..] = &texts(ctx, "the command", argv)?[..] else {
        return Err(
            Error::invalid(ctx, "the command is empty; its first word is the program").throw(),
        );
    };
    let limit = options.timeout;
    let mut request = json!({ "path": program, "arg": arguments, "capture-output": true });
    if let Some(TextOrBytes(input)) = &options.input {
        request["input-data"] = BASE64_STANDARD.encode(bytes(ctx, input)?).into();
    }
    if let Some(variables) = &options.env {
        let pair = |(name, value)| format!("{name}={value}");
        request["env"] = variables.iter().map(pair).collect();
    }
    let deadline = Instant::now().checked_add(limit);
    let told = ask(ctx, dom, "guest-exec", Some(request), USUAL)?;
    let pid = told["pid"].as_i64();
    let pid = pid.ok_or_else(|| malformed(ctx, dom, "guest-exec", "pid", &told["pid"]))?;
    let status = json!({ "pid": pid });
    // The agent does not report when a program ends: it must be asked, at first soon.
    let mut rest = Duration::from_millis(10);
    loop {
        let told = ask(ctx, dom, "guest-exec-status", Some(status.clone()), USUAL)?;
        let wrong = |name: &str| malformed(ctx, dom, "guest-exec-status", name, &told[name]);
        match told["exited"].as_bool() {
            Some(true) => return outcome(&told).map_err(wrong),
            Some(false) => {}
            None => return Err(wrong("exited")),
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let waited = crate::run::duration_text::plain_duration(limit);
            let message = format!(
                "waited {waited} for `{program}` to end; it still runs as the process {pid}"
            );
            let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
            let verb = format!("run `{program}` in");
            return Err(dom.error(ctx, failure, "", verb).throw());
        }
        pause(ctx, left.map_or(rest, |left| rest.min(left)))?;
        rest = (rest * 2).min(Duration::from_secs(1));
    }
}

/// The agent's report of a program that ended, or the name of the invalid field.
fn outcome(told: &Value) -> Result<Map, &'static str> {
    let number = |name: &'static str| match &told[name] {
        Value::Null => Ok(None),
        value => value.as_i64().map(Some).ok_or(name),
    };
    let cut = |name: &'static str| match &told[name] {
        Value::Null => Ok(false),
        value => value.as_bool().ok_or(name),
    };
    Ok(ExecResult {
        exit_status: number("exitcode")?,
        signal: number("signal")?,
        stdout: Output(output(told, "out-data")?),
        stderr: Output(output(told, "err-data")?),
        truncated: cut("out-truncated")? | cut("err-truncated")?,
    }
    .into_map())
}

/// The output of a program: text, or a blob if it is not UTF-8.
fn output(told: &Value, name: &'static str) -> Result<Dynamic, &'static str> {
    let bytes = match &told[name] {
        Value::Null => Vec::new(),
        value => {
            let coded = value.as_str().ok_or(name)?;
            BASE64_STANDARD.decode(coded).map_err(|_| name)?
        }
    };
    Ok(String::from_utf8(bytes).map_or_else(
        |error| Dynamic::from_blob(error.into_bytes()),
        Dynamic::from,
    ))
}

/// The failure of an answer whose `name` violates the agent's protocol.
fn malformed(
    ctx: &NativeCallContext,
    dom: &Domain,
    command: &str,
    name: &str,
    value: &Value,
) -> Box<EvalAltResult> {
    // It comes from the guest, and may be of any length.
    let shown: String = value.to_string().chars().take(40).collect();
    let message = format!("the agent's answer to `{command}` has an invalid `{name}`: {shown}");
    let failure = Failure::new(virt_sys::VIR_ERR_INTERNAL_ERROR, message);
    dom.error(
        ctx,
        failure,
        "virDomainQemuAgentCommand",
        "run a program in",
    )
    .throw()
}

pub(super) fn texts(
    ctx: &NativeCallContext,
    what: &str,
    list: &Array,
) -> RhaiResultOf<Vec<String>> {
    list.iter()
        .map(|value| {
            value.clone().into_string().map_err(|kind| {
                Error::invalid(
                    ctx,
                    format!("{what} must be a list of texts, not of {kind}"),
                )
                .throw()
            })
        })
        .collect()
}

/// The input of a program: text, or bytes in a blob.
fn bytes(ctx: &NativeCallContext, input: &Dynamic) -> RhaiResultOf<Vec<u8>> {
    if let Some(bytes) = input.read_lock::<Blob>() {
        return Ok(bytes.clone());
    }
    let text = input.clone().into_string().map_err(|kind| {
        Error::invalid(ctx, format!("`input` is text or a blob, not {kind}")).throw()
    })?;
    Ok(text.into_bytes())
}

#[export_module]
pub(super) mod functions {
    /// Runs a program in the guest through its agent, waits for its end, and returns
    /// `#{ exit_status, signal, stdout, stderr, truncated }`.
    ///
    /// `argv` is the program and its arguments; no shell splits them. A program that a signal ended has a `signal` and
    /// `()` for `exit_status`. `stdout` and `stderr` are text, or a blob if they are not UTF-8; an answer that breaks
    /// the agent's protocol is an error. `truncated` is true if the agent truncated the output. After a minute the call
    /// throws `VIR_ERR_OPERATION_TIMEOUT`; the program continues to run.
    ///
    /// ```rhai,agent
    /// let ran = connect().lookup_by_name("web").agent_exec(["/bin/uname", "-s"]);
    /// assert_eq([ran.exit_status, ran.stdout], [0, "Linux\n"]);
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(name = "agent_exec", pure, return_raw)]
    pub fn agent_exec(
        ctx: NativeCallContext,
        dom: &mut Domain,
        argv: Array,
    ) -> RhaiResultOf<RecordOf<ExecResult>> {
        exec(&ctx, dom, &argv, &Map::new())
    }

    /// Runs a program in the guest with `input` as its standard input, `env` as its environment, and a different
    /// `timeout`.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let script = "read name; echo $GREETING $name";
    /// let options = #{ input: "web\n", env: #{ GREETING: "hello" }, timeout: "30s" };
    /// assert_eq(dom.agent_exec(["/bin/sh", "-c", script], options).stdout, "hello web\n");
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(name = "agent_exec", pure, return_raw)]
    pub fn agent_exec_options(
        ctx: NativeCallContext,
        dom: &mut Domain,
        argv: Array,
        options: OptionsOf<ExecOptions>,
    ) -> RhaiResultOf<RecordOf<ExecResult>> {
        exec(&ctx, dom, &argv, &options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_keeps_its_bytes() {
        let told = json!({ "out-data": BASE64_STANDARD.encode("grün"), "err-data": BASE64_STANDARD.encode([b'x', 0xff]) });
        let map = outcome(&told).expect("it is well-formed");
        assert_eq!(map["stdout"].to_string(), "grün");
        assert_eq!(
            map["stderr"].clone().into_blob().expect("it is a blob"),
            [b'x', 0xff]
        );
        assert!(map["exit_status"].is_unit());
        assert_eq!(
            output(&json!({}), "out-data").expect("none").to_string(),
            ""
        );
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_refused() {
        for (told, part) in [
            (json!({ "out-data": "?" }), "out-data"),
            (json!({ "err-data": 7 }), "err-data"),
            (json!({ "exitcode": "0" }), "exitcode"),
            (json!({ "exitcode": u64::MAX }), "exitcode"),
            (json!({ "signal": 1.5 }), "signal"),
            (json!({ "out-truncated": "true" }), "out-truncated"),
        ] {
            assert_eq!(outcome(&told).expect_err("it is malformed"), part);
        }
    }
}
