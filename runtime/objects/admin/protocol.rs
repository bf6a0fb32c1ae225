//! The messages between virhai and its helper process: one line of JSON each.

use serde::{Deserialize, Serialize};

use crate::libvirt::Failure;
use crate::libvirt::typed_params::Scalar;

/// A call for the helper, with the number that its answer has.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Numbered(pub(super) u64, pub(super) Request);

/// A call of the admin API. Servers are named by their names, and clients by their numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// The first request: the URI.
    Open(String),
    IsAlive,
    LibVersion,
    Servers,
    LookUpServer(String),
    LoggingOutputs,
    LoggingFilters,
    SetLoggingOutputs(String),
    SetLoggingFilters(String),
    SetTimeout(u32),
    Shutdown(u32),
    OfServer(String, OfServer),
}

/// A call on a server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum OfServer {
    ThreadPool,
    SetThreadPool(Params),
    ClientLimits,
    SetClientLimits(Params),
    UpdateTlsFiles,
    Clients,
    LookUpClient(u64),
    ClientInfo(u64),
    CloseClient(u64),
}

/// Parameters under libvirt's names.
pub(crate) type Params = Vec<(String, Scalar)>;

/// The result of a call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Nothing,
    Truth(bool),
    Number(u64),
    Text(String),
    Texts(Vec<String>),
    Params(Params),
    Clients(Vec<Facts>),
}

/// The facts about a client that do not change while it is connected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) id: u64,
    /// The time when it connected, in seconds since 1970.
    pub(crate) timestamp: i64,
    /// A `virClientTransport`.
    pub(crate) transport: i64,
}

/// A message of the helper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// The result of the call with that number.
    Answer(u64, Result<Answer, Told>),
    /// The connection to the daemon ended, for that `virConnectCloseReason`.
    Closed(i64),
}

/// A failure as libvirt reported it to the helper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    code: i64,
    domain: i64,
    message: String,
    int1: i64,
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            domain: failure.domain,
            message: failure.message,
            int1: failure.int1,
        }
    }
}

impl From<Told> for Failure {
    fn from(told: Told) -> Self {
        Self::told(told.code, told.domain, told.message, told.int1)
    }
}

/// The expected result of a call; another kind of result is an error of the helper.
impl Answer {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            _ => String::new(),
        }
    }

    pub(crate) fn texts(self) -> Vec<String> {
        match self {
            Self::Texts(texts) => texts,
            _ => Vec::new(),
        }
    }

    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            _ => 0,
        }
    }

    pub(crate) fn params(self) -> Params {
        match self {
            Self::Params(params) => params,
            _ => Params::new(),
        }
    }

    pub(crate) fn clients(self) -> Vec<Facts> {
        match self {
            Self::Clients(clients) => clients,
            _ => Vec::new(),
        }
    }
}
