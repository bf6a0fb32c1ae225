//! The helper process from virhai's side.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::HELPER;
use super::end::End;
use super::protocol::{Answer, Message, Numbered, Request};
use crate::libvirt::{Failure, Result};

/// The reason for the end of a connection if its helper ended unexpectedly.
const ERROR: i64 = virt_sys::VIR_CONNECT_CLOSE_REASON_ERROR as i64;

/// Time for a helper to end after a request.
const ENDING: Duration = Duration::from_secs(3);

/// A running helper, which ends with this value.
pub(super) struct Process {
    input: Mutex<Input>,
    waiting: Arc<Mutex<Waiting>>,
    ended: Mutex<Receiver<()>>,
}

struct Input {
    pipe: Option<ChildStdin>,
    next: u64,
}

/// The calls without an answer; `None` after the helper has ended.
type Waiting = Option<HashMap<u64, Sender<Result<Answer>>>>;

impl Process {
    /// Starts the helper; `program` is virhai itself. `end` is called when the connection ends.
    pub(super) fn start(program: &Path, end: End) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot start the process for the admin API: {error}");
            Failure::new(virt_sys::VIR_ERR_SYSTEM_ERROR, message)
        };
        let mut child = Command::new(program)
            .arg0("virhai")
            .arg(HELPER)
            // A Ctrl-C on the terminal must not reach the helper.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (pipe, output) = (child.stdin.take(), child.stdout.take());
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (ending, ended) = mpsc::channel();
        let own = Arc::clone(&waiting);
        let reader = thread::Builder::new()
            .name("admin API".into())
            .spawn(move || read(child, output, &own, &end, &ending));
        reader.map_err(failed)?;
        Ok(Self {
            input: Mutex::new(Input { pipe, next: 0 }),
            waiting,
            ended: Mutex::new(ended),
        })
    }

    /// Lets the helper make a call, and waits for its result.
    pub(super) fn call(&self, request: Request) -> Result<Answer> {
        let lost = || {
            Failure::lost("the helper process for the admin API has ended").advise(
                "connect again with `connect_admin(uri)`, and check whether the call took effect",
            )
        };
        let (sender, answer) = mpsc::channel();
        let mut input = lock(&self.input);
        let number = input.next;
        input.next += 1;
        match &mut *lock(&self.waiting) {
            Some(waiting) => waiting.insert(number, sender),
            None => return Err(lost()),
        };
        let mut line = serde_json::to_vec(&Numbered(number, request)).unwrap_or_default();
        line.push(b'\n');
        let pipe = input.pipe.as_mut().ok_or_else(lost)?;
        pipe.write_all(&line).map_err(|_| lost())?;
        drop(input);
        answer.recv().unwrap_or_else(|_| Err(lost()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends with its input.
        lock(&self.input).pipe = None;
        let _ = lock(&self.ended).recv_timeout(ENDING);
    }
}

/// Passes on the messages of the helper until it ends.
fn read(
    mut child: Child,
    output: Option<ChildStdout>,
    waiting: &Mutex<Waiting>,
    end: &End,
    _ending: &Sender<()>,
) {
    let lines = output
        .into_iter()
        .flat_map(|output| BufReader::new(output).lines());
    let lines = lines.map_while(std::io::Result::ok);
    for message in lines.map_while(|line| serde_json::from_str(&line).ok()) {
        match message {
            Message::Closed(reason) => end.tell(reason),
            Message::Answer(number, result) => {
                let sender = lock(waiting).as_mut().and_then(|all| all.remove(&number));
                // The call may have been abandoned.
                if let Some(sender) = sender {
                    let _ = sender.send(result.map_err(Into::into));
                }
            }
        }
    }
    end.tell(ERROR);
    // Each caller learns of the end when its sender is dropped.
    drop(lock(waiting).take());
    let _ = child.wait();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
