//! The agent in a guest, and QEMU's own monitor.

pub(super) mod exec;
pub(super) mod file_systems;
pub(super) mod guest;

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map, NativeCallContext, exported_module};
use serde_json::{Value, json};

use super::open_files;
use crate::api::arguments::{DurationValue, RhaiResultOf, duration, flag_bits, number};
use crate::error::Error;
use crate::error::extent::is_within;
use crate::libvirt::{self, Failure};
use crate::objects::domain::Domain;
use crate::vocabulary::{RecordOf, record};

pub(super) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
    engine.register_global_module(exported_module!(exec::functions).into());
    engine.register_global_module(exported_module!(file_systems::functions).into());
    engine.register_global_module(exported_module!(guest::functions).into());
}

/// The seconds that libvirt waits for an answer by default.
const USUAL: i32 = virt_sys::VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT;

/// A time limit in libvirt's whole seconds, of which none would mean not to wait at all.
fn seconds(limit: Duration) -> i32 {
    let whole = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
    i32::try_from(whole.max(1)).unwrap_or(i32::MAX)
}

/// Sends `command` to the agent and returns its answer.
fn ask(
    ctx: &NativeCallContext,
    dom: &Domain,
    command: &str,
    arguments: Option<Value>,
    seconds: i32,
) -> RhaiResultOf<Value> {
    let request = match arguments {
        Some(arguments) => json!({ "execute": command, "arguments": arguments }),
        None => json!({ "execute": command }),
    };
    let verb = format_args!("run `{command}` of the agent of");
    let answer = dom.call(ctx, "virDomainQemuAgentCommand", verb, move |d| {
        d.qemu_agent_command(&request.to_string(), seconds, 0)
    })?;
    serde_json::from_str::<Value>(&answer)
        .map(|mut answer| answer["return"].take())
        .map_err(|error| {
            let message = format!("the agent's answer is not JSON: {error}");
            let failure = Failure::new(virt_sys::VIR_ERR_INTERNAL_ERROR, message);
            let call = "virDomainQemuAgentCommand";
            dom.error(ctx, failure, call, verb).throw()
        })
}

/// The most bytes of arguments; libvirt takes 4 MiB in a message.
const MOST: usize = 16 * 1024 * 1024;

/// Converts a script's arguments for an agent to JSON.
fn arguments_of(ctx: &NativeCallContext, arguments: &Map) -> RhaiResultOf<Value> {
    let arguments = Dynamic::from(arguments.clone());
    if !is_within(&arguments, MOST) {
        let wrong = format!("the arguments take more than {MOST} bytes, or nest too deeply");
        return Err(Error::invalid(ctx, wrong).throw());
    }
    rhai::serde::from_dynamic(&arguments).map_err(|error| {
        Error::invalid(
            ctx,
            format!("the arguments cannot be written as JSON: {error}"),
        )
        .throw()
    })
}

/// The agent's answer as values. An integer outside Rhai's range becomes the text of its digits.
fn answer(value: Value) -> RhaiResultOf<Dynamic> {
    rhai::serde::to_dynamic(exact(value))
}

fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => number.to_string().into(),
        Value::Array(list) => list.into_iter().map(exact).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name, exact(value)))
            .collect(),
        other => other,
    }
}

record! {
    /// Answer of QEMU's monitor.
    pub(crate) struct MonitorAnswer {
        /// The answer.
        answer: String,
        /// Number of files that came with it.
        files: i64,
    }
}

#[export_module]
mod functions {
    /// Runs a command of QEMU's agent in the guest, and returns the answer as values.
    ///
    /// Throws if the agent refuses the command, or does not answer within five seconds, libvirt's limit. The guest
    /// needs the program `qemu-ga` and a channel `org.qemu.guest_agent.0`; an event `agent_lifecycle` reports that the
    /// agent has started.
    ///
    /// ```rhai,agent
    /// let info = connect().lookup_by_name("web").agent("guest-info");
    /// assert(info.version != "");
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(name = "agent", pure, return_raw)]
    pub fn agent(ctx: NativeCallContext, dom: &mut Domain, command: &str) -> RhaiResultOf<Dynamic> {
        ask(&ctx, dom, command, None, USUAL).and_then(answer)
    }

    /// Runs an agent command with arguments; both have the agent's names.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let file = dom.agent("guest-file-open", #{ path: "/etc/passwd" });
    /// let read = dom.agent("guest-file-read", #{ handle: file, count: 10 });
    /// assert_eq(read.count, 10);
    /// dom.agent("guest-file-close", #{ handle: file });
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(name = "agent", pure, return_raw)]
    pub fn agent_arguments(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        arguments: Map,
    ) -> RhaiResultOf<Dynamic> {
        let arguments = arguments_of(&ctx, &arguments)?;
        ask(&ctx, dom, command, Some(arguments), USUAL).and_then(answer)
    }

    /// Runs an agent command with arguments and waits for its answer for `timeout`, in whole seconds.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let echoed = dom.agent("guest-sync", #{ id: 7 }, "30s");
    /// assert_eq(echoed, 7);
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(name = "agent", pure, return_raw)]
    pub fn agent_within(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        arguments: Map,
        timeout: DurationValue,
    ) -> RhaiResultOf<Dynamic> {
        let arguments = arguments_of(&ctx, &arguments)?;
        let limit = seconds(duration(&ctx, &timeout)?);
        ask(&ctx, dom, command, Some(arguments), limit).and_then(answer)
    }

    /// Sends the agent a command as JSON, and returns its answer as JSON.
    ///
    /// `timeout` is in seconds, or `VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT`, `_BLOCK` or `_NOWAIT`;
    /// libvirt has no flags for it yet. `agent` does the same with values.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// let answer = dom.qemu_agent_command(`{"execute": "guest-ping"}`, 10, 0);
    /// assert_eq(answer, `{"return":{}}`);
    /// ```
    /// Calls virDomainQemuAgentCommand.
    #[rhai_fn(pure, return_raw)]
    pub fn qemu_agent_command(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        timeout: i64,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let timeout = number(&ctx, "a time in seconds", timeout)?;
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "run a command of the agent of";
        let command = command.to_owned();
        dom.call(&ctx, "virDomainQemuAgentCommand", verb, move |d| {
            d.qemu_agent_command(&command, timeout, wanted)
        })
    }

    /// Sends QEMU a command of its monitor as JSON, and returns the answer as JSON.
    ///
    /// For diagnosis: libvirt does not know what a command changes, and marks the guest as tainted.
    ///
    /// ```rhai,qemu
    /// let answer = connect().lookup_by_name("web").qemu_monitor_command(`{"execute": "query-status"}`);
    /// assert(answer.contains("running"));
    /// ```
    /// Calls virDomainQemuMonitorCommand.
    #[rhai_fn(name = "qemu_monitor_command", pure, return_raw)]
    pub fn qemu_monitor_command(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
    ) -> RhaiResultOf<String> {
        qemu_monitor_command_flags(ctx, dom, command, 0)
    }

    /// Sends QEMU a command of its monitor; with the flag `VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP` command and answer are
    /// the text form for people.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let answer = dom.qemu_monitor_command("info status", VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP);
    /// assert(answer.contains("VM status: running"));
    /// ```
    /// Calls virDomainQemuMonitorCommand.
    #[rhai_fn(name = "qemu_monitor_command", pure, return_raw)]
    pub fn qemu_monitor_command_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        flags: i64,
    ) -> RhaiResultOf<String> {
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "run a command of the monitor of";
        let command = command.to_owned();
        dom.call(&ctx, "virDomainQemuMonitorCommand", verb, move |d| {
            d.qemu_monitor_command(&command, wanted)
        })
    }

    /// Sets how long libvirt waits for the agent's answers: a duration, or
    /// `VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT`, `_BLOCK` or `_NOWAIT`.
    ///
    /// ```rhai,agent
    /// let dom = connect().lookup_by_name("web");
    /// dom.agent_set_response_timeout("1m");
    /// dom.agent_set_response_timeout(VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT);
    /// ```
    /// Calls virDomainAgentSetResponseTimeout.
    #[rhai_fn(name = "agent_set_response_timeout", pure, return_raw)]
    pub fn agent_set_response_timeout(
        ctx: NativeCallContext,
        dom: &mut Domain,
        timeout: DurationValue,
    ) -> RhaiResultOf<()> {
        agent_set_response_timeout_flags(ctx, dom, timeout, 0)
    }

    /// Sets how long libvirt waits for the agent's answers; libvirt has no flags for it yet.
    ///
    /// ```rhai,agent
    /// connect().lookup_by_name("web").agent_set_response_timeout(60, 0);
    /// ```
    /// Calls virDomainAgentSetResponseTimeout.
    #[rhai_fn(name = "agent_set_response_timeout", pure, return_raw)]
    pub fn agent_set_response_timeout_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        timeout: DurationValue,
        flags: i64,
    ) -> RhaiResultOf<()> {
        let limit = match timeout.as_int() {
            Ok(number) if number <= 0 => super::number(&ctx, "a time in seconds", number)?,
            _ => seconds(duration(&ctx, &timeout)?),
        };
        let wanted = flag_bits(&ctx, flags)?;
        let verb = "set the agent's timeout of";
        dom.call(&ctx, "virDomainAgentSetResponseTimeout", verb, move |d| {
            libvirt::agent::set_response_timeout(d, limit, wanted)
        })
    }

    /// Sends QEMU a command of its monitor as JSON, with the files at `paths`, opened for reading and writing, for
    /// commands such as `add-fd` and `getfd`.
    ///
    /// Returns `answer`, the JSON, and `files`, the number of files that QEMU returned, which are closed. The files are
    /// on this machine; `--allow-write` must allow them.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let said = dom.qemu_monitor_command_with_files(`{"execute": "query-status"}`, []);
    /// assert(said.answer.contains("running"));
    /// assert_eq(said.files, 0);
    /// ```
    /// Calls virDomainQemuMonitorCommandWithFiles.
    #[rhai_fn(name = "qemu_monitor_command_with_files", pure, return_raw)]
    pub fn qemu_monitor_command_with_files(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        paths: Array,
    ) -> RhaiResultOf<RecordOf<MonitorAnswer>> {
        qemu_monitor_command_with_files_flags(ctx, dom, command, paths, 0)
    }

    /// Sends QEMU a command of its monitor with files; flags: `VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP`.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let hmp = VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP;
    /// assert(dom.qemu_monitor_command_with_files("info status", [], hmp).answer.contains("running"));
    /// ```
    /// Calls virDomainQemuMonitorCommandWithFiles.
    #[rhai_fn(name = "qemu_monitor_command_with_files", pure, return_raw)]
    pub fn qemu_monitor_command_with_files_flags(
        ctx: NativeCallContext,
        dom: &mut Domain,
        command: &str,
        paths: Array,
        flags: i64,
    ) -> RhaiResultOf<RecordOf<MonitorAnswer>> {
        let wanted = flag_bits(&ctx, flags)?;
        let files = open_files(&ctx, &paths)?;
        let verb = "run a command of the monitor of";
        let command = command.to_owned();
        let call = "virDomainQemuMonitorCommandWithFiles";
        let (answer, files) = dom.call(&ctx, call, verb, move |d| {
            libvirt::qemu::monitor_command_with_files(d, &command, &files, wanted)
        })?;
        let files = files.len() as i64;
        Ok(MonitorAnswer { answer, files }.into_map())
    }
}
