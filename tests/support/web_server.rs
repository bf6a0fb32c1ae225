//! A web server of a test's own.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request: its path, and its headers with names in lower case.
#[derive(Debug, Clone)]
pub struct WebRequest {
    pub path: String,
    pub headers: Vec<(String, String)>,
}

impl WebRequest {
    /// The header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A server on this machine that answers one request per connection.
pub struct WebServer {
    port: u16,
    seen: Arc<Mutex<Vec<WebRequest>>>,
}

impl WebServer {
    /// A server whose responses `answer` writes, including status line and headers.
    pub fn start(answer: impl Fn(&WebRequest, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let seen = Arc::<Mutex<Vec<WebRequest>>>::default();
        let (own, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&own), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    seen.lock()
                        .expect("no thread panicked")
                        .push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        Self { port, seen }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<WebRequest> {
        self.seen.lock().expect("no thread panicked").clone()
    }
}

fn read(stream: &TcpStream) -> Option<WebRequest> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        });
    Some(WebRequest {
        path,
        headers: headers.collect(),
    })
}

/// Writes a response with this status line, these headers and this body.
pub fn web_answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
