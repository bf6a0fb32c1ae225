//! A libvirt failure as a value that scripts can catch.

mod admin_hint;
mod caught;
mod domain_hint;
pub mod extent;
pub mod failure_line;
pub(crate) mod file_content;
mod flags_hint;
mod hint;
mod migration_hint;
pub mod plain;
mod rejected;
mod state;
mod task;

use std::fmt;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use crate::advice::suggest;
use crate::constants;
use crate::error::extent::shortened;
use crate::libvirt::Failure;
use crate::redact;

pub(crate) use rejected::OfXml;
pub use rejected::Rejected;
pub(crate) use state::may_matter as state_may_matter;
pub use task::Subject;
pub(crate) use task::{On, Task};

/// Rhai's result under the one name that its definitions understand.
pub(crate) type RhaiResultOf<T> = std::result::Result<T, Box<rhai::EvalAltResult>>;

/// The error that a script catches: a failed libvirt call, with the action, its object and host, and libvirt's reason;
/// or any other thrown value.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Debug, Clone)]
struct Details {
    failure: Failure,
    call: &'static str,
    action: String,
    subject: Option<Subject>,
    uri: String,
    hint: Option<String>,
    xml: Option<Arc<str>>,
    state: Option<String>,
    position: Position,
    source: Option<String>,
    /// The thrown value, if it is not a failure of a call of virhai's.
    cause: Option<Arc<EvalAltResult>>,
    /// The file that declares the options; the error then points at the place where the options were given.
    declared_in: Option<String>,
}

impl Error {
    /// The failure of `call` during `task` on the host `uri`.
    pub(crate) fn new(
        ctx: &NativeCallContext,
        failure: Failure,
        call: &'static str,
        task: impl Task,
        uri: &str,
    ) -> Self {
        let source = ctx.call_source().map(str::to_owned);
        Self::at(ctx.call_position(), source, failure, call, task, uri)
    }

    fn at(
        position: Position,
        source: Option<String>,
        failure: Failure,
        call: &'static str,
        task: impl Task,
        uri: &str,
    ) -> Self {
        let advice = failure.advice.map(str::to_owned);
        let hint = advice.or_else(|| hint::hint(&failure, call, uri));
        let mut failure = failure;
        failure.message = redact::hide_of(&failure.message, uri);
        Self(Arc::new(Details {
            failure,
            call,
            // They can quote texts of the script, of any length.
            action: shortened(redact::hide_of(&task.to_string(), uri)),
            subject: task.subject(),
            uri: shortened(redact::hide_uri(uri)),
            hint: hint.map(|hint| redact::hide_of(&hint, uri)),
            xml: None,
            state: None,
            position,
            source,
            cause: None,
            declared_in: None,
        }))
    }

    /// The failure of `task` on the host `uri`; the caller adds the place in the script.
    pub(crate) fn nowhere(failure: Failure, task: impl Task, uri: &str) -> Self {
        Self::at(Position::NONE, None, failure, "", task, uri)
    }

    /// A value that a script gave and that makes no sense, found before libvirt saw it.
    pub fn invalid(ctx: &NativeCallContext, message: impl Into<String>) -> Self {
        let action = format!("call `{}`", ctx.fn_name());
        // It can quote a text of the script, of any length.
        let message = shortened(message.into());
        let failure = Failure::new(virt_sys::VIR_ERR_INVALID_ARG, message);
        Self::new(ctx, failure, "", action, "")
    }

    /// Options that a script gave and that the file `declared_in` does not allow. The error stands where they were
    /// given, which is outside that file and outside the standard library.
    pub(crate) fn of_options(
        ctx: &NativeCallContext,
        message: impl Into<String>,
        declared_in: &str,
    ) -> Self {
        let error = Self::invalid(ctx, message).with(|details| details.action = String::new());
        error.given_outside(declared_in)
    }

    /// The same error about values that were given outside the file `declared_in` and outside the standard library.
    fn given_outside(self, declared_in: &str) -> Self {
        self.with(|details| details.declared_in = Some(declared_in.to_owned()))
    }

    /// The one of `frames`, calls within calls from the innermost outwards, where the options were given that the error
    /// is about: each has its file, and whether its place there is known. Nothing for other errors.
    pub fn options_given_at(&self, frames: &[(&str, bool)]) -> Option<usize> {
        let declared_in = self.0.declared_in.as_deref()?;
        let is_recipe = |file: &str| file.starts_with("std/");
        let called = |(file, known): &(&str, bool)| *known && !is_recipe(file);
        let outside = |frame: &(&str, bool)| called(frame) && frame.0 != declared_in;
        let found = frames.iter().position(outside);
        found.or_else(|| frames.iter().position(called))
    }

    /// Refuses a value that a script gave, found before the libvirt call, with a hint.
    pub(crate) fn refuse<T>(
        ctx: &NativeCallContext,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Result<T, Box<EvalAltResult>> {
        Err(Self::invalid(ctx, message).with_hint(hint).throw())
    }

    /// The same error with other advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        let hint = shortened(redact::hide(&hint.into()).into_owned());
        self.with(|details| details.hint = Some(hint))
    }

    /// The same error with `hint`, if there is one.
    pub(crate) fn with_hint_if_any(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.with_hint(hint),
            None => self,
        }
    }

    /// The error `thrown` by a migration with `flags`, with advice on these.
    pub(crate) fn of_migration(thrown: Box<EvalAltResult>, flags: u32) -> Box<EvalAltResult> {
        let EvalAltResult::ErrorRuntime(value, _) = &*thrown else {
            return thrown;
        };
        let Some(error) = value.clone().try_cast::<Self>() else {
            return thrown;
        };
        match migration_hint::of_flags(&error.0.failure, flags) {
            Some(hint) => error.with_hint(hint).throw(),
            None => thrown,
        }
    }

    /// The same error of a call that was given `xml`.
    fn with_xml(self, xml: &str) -> Self {
        self.with(|details| details.xml = Some(xml.into()))
    }

    /// The same error of a domain that was in the state `state`, with a hint that makes the call valid.
    pub(crate) fn in_state(self, state: String) -> Self {
        self.with(|details| {
            let advice = state::advice(&details.failure, details.call, &state);
            let vague = details
                .hint
                .as_deref()
                .is_none_or(|hint| hint == hint::ASK_STATE);
            if advice.is_some() {
                details.hint = advice;
            } else if vague {
                details.hint = Some(format!("the domain is {state}"));
            }
            details.state = Some(state);
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// `thrown` with the nearest of `names` as advice, if it is libvirt's error `missing`: no object is called `wrong`.
    pub(crate) fn with_nearest(
        thrown: Box<EvalAltResult>,
        missing: virt_sys::virErrorNumber,
        wrong: &str,
        names: impl FnOnce() -> Vec<String>,
    ) -> Box<EvalAltResult> {
        let EvalAltResult::ErrorRuntime(value, _) = &*thrown else {
            return thrown;
        };
        let error = value.clone().try_cast::<Self>();
        let Some(error) = error.filter(|error| error.number() == i64::from(missing)) else {
            return thrown;
        };
        let names = names();
        match suggest::nearest(wrong, names.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")).throw(),
            None => thrown,
        }
    }

    /// The error as Rhai throws it.
    pub fn throw(self) -> Box<EvalAltResult> {
        let position = self.0.position;
        EvalAltResult::ErrorRuntime(Dynamic::from(self), position).into()
    }

    /// libvirt's name of the error, such as `VIR_ERR_NO_DOMAIN`, or the code that a script gave.
    pub fn code(&self) -> Option<String> {
        match self.0.cause {
            None => Some(error_name(self.0.failure.code)),
            Some(_) => self
                .field("code")
                .filter(Dynamic::is_string)
                .map(|code| code.to_string()),
        }
    }

    /// True if it is libvirt's error `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code().as_deref() == Some(code)
    }

    /// libvirt's number of the error.
    pub fn number(&self) -> i64 {
        self.0.failure.code
    }

    /// The part of libvirt that reports it, such as `VIR_FROM_QEMU`; empty for errors that a script threw.
    pub fn domain(&self) -> String {
        if self.0.cause.is_some() {
            return String::new();
        }
        constants::name_of("virErrorDomain", self.0.failure.domain)
            .map_or_else(|| self.0.failure.domain.to_string(), str::to_owned)
    }

    /// libvirt's words.
    pub fn message(&self) -> &str {
        &self.0.failure.message
    }

    /// The action of the script, such as "start domain `web`".
    pub fn action(&self) -> &str {
        &self.0.action
    }

    /// The object that the failed task was about.
    pub fn subject(&self) -> Option<&Subject> {
        self.0.subject.as_ref()
    }

    /// The state that the object was in, if that was asked.
    pub fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }

    /// The host, or `None` if none was involved; a password in it is hidden.
    pub fn uri(&self) -> &str {
        &self.0.uri
    }

    /// The C function that failed, or `None` if virhai refused before calling one.
    pub fn call(&self) -> &'static str {
        self.0.call
    }

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The XML that libvirt refused, if that is why it failed; takes a moment, since the reason
    /// is looked for.
    pub fn rejected(&self) -> Option<Rejected> {
        let xml = self.0.xml.as_ref()?;
        Some(Rejected::new(xml, &self.0.failure))
    }

    /// True if the connection is gone, so that the outcome of the call is unknown.
    pub fn lost_connection(&self) -> bool {
        self.0.failure.lost_connection()
    }

    /// True if the call may have taken effect although it failed: it was stopped, or its answer was abandoned.
    pub(crate) fn outcome_is_unknown(&self) -> bool {
        let ended = [
            virt_sys::VIR_ERR_OPERATION_ABORTED,
            virt_sys::VIR_ERR_OPERATION_TIMEOUT,
        ];
        self.lost_connection() || ended.map(i64::from).contains(&self.number())
    }

    /// True if no connection could be made.
    pub fn no_connection(&self) -> bool {
        ["virConnectOpen", "virAdmConnectOpen"]
            .iter()
            .any(|opens| self.0.call.starts_with(opens))
    }

    /// The place where the error was first thrown.
    pub fn origin(&self) -> (Position, Option<&str>) {
        (self.0.position, self.0.source.as_deref())
    }
}

/// libvirt's name for the error `number`; the levels share the numbers 0 to 2 with codes.
fn error_name(number: i64) -> String {
    constants::name_of("virErrorNumber", number).map_or_else(|| number.to_string(), str::to_owned)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.cause.is_some() || self.action().is_empty() {
            return f.write_str(self.message());
        }
        write!(f, "cannot {}", self.action())?;
        if !self.uri().is_empty() && !self.no_connection() {
            write!(f, " on {}", self.uri())?;
        }
        write!(f, ": {}", self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "{self} ({code})"),
            None => write!(f, "{self}"),
        }
    }
}
