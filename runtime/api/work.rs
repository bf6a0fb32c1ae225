//! Running work: marks that a recipe leaves on a host, so that a later run can tell whether the process that left it still
//! runs, and ways to keep two recipes from the same object.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, ReentrantMutex};
use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext, exported_module};

use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::objects::domain::Domain;
use crate::objects::storage_pool::StoragePool;
use crate::run::session::Session;

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

/// The locks of [`functions::one_at_a_time`], by name.
fn named_lock(name: &str) -> Arc<ReentrantMutex<()>> {
    static LOCKS: OnceLock<Mutex<HashMap<String, Arc<ReentrantMutex<()>>>>> = OnceLock::new();
    let mut locks = LOCKS.get_or_init(Mutex::default).lock();
    // Those that nobody holds are forgotten.
    locks.retain(|_, lock| Arc::strong_count(lock) > 1);
    Arc::clone(locks.entry(name.to_owned()).or_default())
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

    /// Locks `dom` for this run, as the first change of it inside a recipe or a step does: waits while another run of the same
    /// user uses it. A recipe calls it before it reads the state on which its plan depends. Outside a step, a recipe and
    /// `all_or_nothing`, which release the locks, it does nothing.
    ///
    /// Throws `VIR_ERR_RESOURCE_BUSY` with `--if-busy fail`, or after ten minutes.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// all_or_nothing(|undo| {
    ///     dom.lock_for_run();
    ///     assert_eq(dom.state(), "running");
    /// });
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "lock_for_run", pure, return_raw)]
    pub fn lock_domain_for_run(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<()> {
        dom.lock_for_run()
            .map_err(|failure| dom.error(&ctx, failure, "", "lock").throw())
    }

    /// Locks `pool` for this run, in the same way as a domain.
    ///
    /// ```rhai
    /// let pool = connect("test:///default").storage_pool_lookup_by_name("default-pool");
    /// all_or_nothing(|undo| pool.lock_for_run());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "lock_for_run", pure, return_raw)]
    pub fn lock_pool_for_run(ctx: NativeCallContext, pool: &mut StoragePool) -> RhaiResultOf<()> {
        pool.lock_for_run()
            .map_err(|failure| pool.error(&ctx, failure, "", "lock").throw())
    }

    /// Calls `action` and returns its result, while no other thread of this process is in a call of `one_at_a_time` with the same
    /// `name`: waits for it. A call inside the call of the same thread does not wait.
    ///
    /// ```rhai
    /// let result = one_at_a_time("the folder /srv", || one_at_a_time("the folder /srv", || 5));
    /// assert_eq(result, 5);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw, volatile)]
    pub fn one_at_a_time(
        ctx: NativeCallContext,
        name: &str,
        action: FnPtr,
    ) -> RhaiResultOf<Dynamic> {
        let lock = super::named_lock(name);
        let session = Session::of(&ctx);
        let _held = loop {
            if let Some(held) = lock.try_lock_for(Duration::from_millis(100)) {
                break held;
            }
            if session.interrupt().stopping().is_some() {
                let message = format!("the script was stopped while it waited for {name}");
                return Err(Error::invalid(&ctx, message).throw());
            }
        };
        action.call_within_context(&ctx, ())
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
