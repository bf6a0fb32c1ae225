//! The process that makes the calls of the admin API for a script.
//!
//! libvirt-admin and libvirt both register the types of libvirt's objects with GLib, so that a process that has used one
//! of them cannot use the other one.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::protocol::{Answer, Facts, Message, Numbered, OfServer, Params, Request};
use crate::libvirt::admin::{Client, CloseSink, Connection, Server};
use crate::libvirt::typed_params::TypedParams;
use crate::libvirt::{Failure, FailureKind, Result, event_loop, silence_libvirt};

/// Time for a call to finish after virhai has ended.
const LAST_CALL: Duration = Duration::from_secs(2);

/// Makes the calls that it reads from `input`, and writes their results to `output`, until `input` ends. The process
/// must not have made a libvirt call before, and must end afterwards.
pub fn serve_admin_api(input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) {
    silence_libvirt();
    event_loop::start();
    let output = Arc::new(Mutex::new(output));
    let (sender, requests) = mpsc::channel::<Numbered>();
    let (gone, over) = mpsc::channel::<()>();
    // A call can hang with the daemon. A separate thread notices that virhai has ended.
    let reader = thread::Builder::new().spawn(move || {
        let lines = input.lines().map_while(std::io::Result::ok);
        for request in lines.map_while(|line| serde_json::from_str(&line).ok()) {
            if sender.send(request).is_err() {
                break;
            }
        }
        drop(sender);
        drop(gone);
    });
    if reader.is_err() {
        return;
    }
    let (working, ended) = mpsc::channel::<()>();
    let worker = thread::Builder::new().spawn(move || {
        // Goes last, once the connection is closed.
        let _working = working;
        let told = Arc::clone(&output);
        let sink: CloseSink = Arc::new(move |reason| say(&told, &Message::Closed(reason)));
        let mut caller = Caller {
            connection: None,
            sink,
        };
        for Numbered(number, request) in requests {
            let result = caller.call(request).map_err(Into::into);
            say(&output, &Message::Answer(number, result));
        }
    });
    if worker.is_err() {
        return;
    }
    let _ = over.recv();
    let _ = ended.recv_timeout(LAST_CALL);
}

fn say(output: &Mutex<impl Write>, message: &Message) {
    let mut output = output.lock();
    // If virhai has ended, the input ends too.
    if let Ok(mut line) = serde_json::to_vec(message) {
        line.push(b'\n');
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}

struct Caller {
    connection: Option<Connection>,
    sink: CloseSink,
}

impl Caller {
    fn call(&mut self, request: Request) -> Result<Answer> {
        if let Request::Open(uri) = request {
            let connection = Connection::open(&uri, Arc::clone(&self.sink))?;
            let uri = connection.uri()?;
            self.connection = Some(connection);
            return Ok(Answer::Text(uri));
        }
        let Some(connection) = &self.connection else {
            let message = "the admin API was called before it was opened";
            return Err(Failure::new(virt_sys::VIR_ERR_INVALID_CONN, message));
        };
        of_connection(connection, request)
    }
}

fn of_connection(connection: &Connection, request: Request) -> Result<Answer> {
    Ok(match request {
        Request::Open(_) => Answer::Nothing,
        Request::IsAlive => Answer::Truth(connection.is_alive()?),
        Request::LibVersion => Answer::Number(connection.lib_version()?),
        Request::Servers => {
            let servers = connection.servers()?;
            Answer::Texts(servers.iter().map(Server::name).collect::<Result<_>>()?)
        }
        Request::LookUpServer(name) => Answer::Text(connection.server(&name)?.name()?),
        Request::LoggingOutputs => Answer::Text(connection.logging_outputs()?),
        Request::LoggingFilters => Answer::Text(connection.logging_filters()?),
        Request::SetLoggingOutputs(text) => nothing(connection.set_logging_outputs(&text))?,
        Request::SetLoggingFilters(text) => nothing(connection.set_logging_filters(&text))?,
        Request::SetTimeout(seconds) => nothing(connection.set_timeout(seconds))?,
        Request::Shutdown(flags) => match connection.shutdown(flags) {
            // The daemon can end before its answer is sent.
            Err(failure) if failure.kind == FailureKind::LostConnection => Answer::Nothing,
            result => nothing(result)?,
        },
        Request::OfServer(name, call) => of_server(&connection.server(&name)?, call)?,
    })
}

fn of_server(server: &Server, call: OfServer) -> Result<Answer> {
    Ok(match call {
        OfServer::ThreadPool => Answer::Params(server.thread_pool()?),
        OfServer::SetThreadPool(params) => nothing(server.set_thread_pool(&typed(&params)?))?,
        OfServer::ClientLimits => Answer::Params(server.client_limits()?),
        OfServer::SetClientLimits(params) => nothing(server.set_client_limits(&typed(&params)?))?,
        OfServer::UpdateTlsFiles => nothing(server.update_tls_files())?,
        OfServer::Clients => {
            let clients = server.clients()?;
            Answer::Clients(clients.iter().map(facts).collect::<Result<_>>()?)
        }
        OfServer::LookUpClient(id) => Answer::Clients(vec![facts(&server.client(id)?)?]),
        OfServer::ClientInfo(id) => Answer::Params(server.client(id)?.info()?),
        OfServer::CloseClient(id) => nothing(server.client(id)?.close())?,
    })
}

fn nothing(result: Result<()>) -> Result<Answer> {
    result.map(|()| Answer::Nothing)
}

fn typed(params: &Params) -> Result<TypedParams> {
    let mut typed = TypedParams::default();
    for (name, value) in params {
        typed.add(name, value)?;
    }
    Ok(typed)
}

fn facts(client: &Client) -> Result<Facts> {
    Ok(Facts {
        id: client.id()?,
        timestamp: client.timestamp()?,
        transport: client.transport()?,
    })
}
