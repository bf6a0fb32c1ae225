//! Marks of running work. A recipe leaves its mark on a host, so that a later run can tell whether
//! the process that left it still runs.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use rhai::plugin::*;
use rhai::{Engine, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The marks of this process whose work has not ended.
static UNDER_WAY: Mutex<Option<HashSet<String>>> = Mutex::new(None);

fn under_way() -> MutexGuard<'static, Option<HashSet<String>>> {
    UNDER_WAY.lock()
}

/// A mark, in its parts.
#[derive(PartialEq, Eq)]
struct Mark {
    machine: String,
    boot: String,
    pid_namespace: String,
    pid: u32,
    started: String,
    number: u64,
}

impl Mark {
    /// A mark of this process that no other work has.
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let pid = std::process::id();
        Self {
            machine: read("/proc/sys/kernel/hostname").replace(':', "_"),
            boot: read("/proc/sys/kernel/random/boot_id"),
            pid_namespace: pid_namespace(),
            pid,
            started: start_of(pid).unwrap_or_default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [machine, boot, pid_namespace, pid, started, number] = parts[..] else {
            return None;
        };
        Some(Self {
            machine: machine.into(),
            boot: boot.into(),
            pid_namespace: pid_namespace.into(),
            pid: pid.parse().ok()?,
            started: started.into(),
            number: number.parse().ok()?,
        })
    }

    fn text(&self) -> String {
        format!(
            "{}:{}:{}:{}:{}:{}",
            self.machine, self.boot, self.pid_namespace, self.pid, self.started, self.number
        )
    }

    /// The progress of the work, as far as this process can find it out.
    fn status(&self) -> &'static str {
        let here = Self::new();
        if self.machine != here.machine {
            return "unknown";
        }
        if self.boot != here.boot {
            return "ended";
        }
        if self.pid_namespace != here.pid_namespace {
            return "unknown";
        }
        let running = if (self.pid, &self.started) == (here.pid, &here.started) {
            let marks = under_way();
            marks
                .as_ref()
                .is_some_and(|marks| marks.contains(&self.text()))
        } else {
            start_of(self.pid).is_some_and(|started| started == self.started)
        };
        if running { "running" } else { "ended" }
    }
}

/// A line of the kernel's.
fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The number of the namespace that this process has its number in.
fn pid_namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits = |letter: &char| letter.is_ascii_digit();
    link.to_string_lossy().chars().filter(digits).collect()
}

/// The start time of the process `pid`, in the kernel's ticks; `None` if it does not exist, or has ended and was not
/// reaped.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may have spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    fields.get(19).map(|&ticks| ticks.to_owned())
}

/// The letters of passwords, without 0, O, 1, l, I and o, which look alike.
const LETTERS: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";

/// Random text of `length` letters.
fn random_letters(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for (place, byte) in uuid::Uuid::new_v4().into_bytes().into_iter().enumerate() {
            // Some bits of a UUID are not random; bytes above a multiple of the letters would favour the first of them.
            let is_random = place != 6 && place != 8;
            let number = usize::from(byte);
            if is_random && number < 256 / LETTERS.len() * LETTERS.len() && text.len() < length {
                text.push(char::from(LETTERS[number % LETTERS.len()]));
            }
        }
    }
    text
}

#[export_module]
mod functions {
    /// Begins work in this process and returns the mark of the work; a note with the mark outlives the process.
    ///
    /// ```rhai
    /// let mark = begin_work();
    /// assert_eq(work_status(mark), "running");
    /// end_work(mark);
    /// assert_eq(work_status(mark), "ended");
    /// ```
    /// Calls no libvirt function.
    pub fn begin_work() -> String {
        let mark = Mark::new().text();
        under_way().get_or_insert_default().insert(mark.clone());
        mark
    }

    /// Ends the work with the mark `mark`.
    ///
    /// ```rhai
    /// let mark = begin_work();
    /// end_work(mark);
    /// assert_eq(work_status(mark), "ended");
    /// ```
    /// Calls no libvirt function.
    pub fn end_work(mark: &str) {
        under_way().get_or_insert_default().remove(mark);
    }

    /// Returns the status of the work with the mark `mark`: `running`, `ended` (also if its process was
    /// killed), or `unknown` if it began on another machine.
    ///
    /// ```rhai
    /// assert_eq(work_status("elsewhere:boot:1:2:3:4"), "unknown");
    /// ```
    /// Calls no libvirt function.
    pub fn work_status(mark: &str) -> String {
        Mark::parse(mark)
            .map_or("unknown", |mark| mark.status())
            .to_owned()
    }

    /// Returns a new password of 20 letters and digits (116 random bits), without letters that look
    /// alike.
    ///
    /// ```rhai
    /// assert_eq(random_password().len(), 20);
    /// assert(random_password() != random_password());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile)]
    pub fn random_password() -> String {
        super::random_letters(20)
    }

    /// Returns a random UUID, for an object whose identity must be known before it is created.
    ///
    /// ```rhai
    /// assert_eq(random_uuid().len(), 36);
    /// assert(random_uuid() != random_uuid());
    /// ```
    /// Calls no libvirt function.
    pub fn random_uuid() -> String {
        uuid::Uuid::new_v4().to_string()
    }
}
