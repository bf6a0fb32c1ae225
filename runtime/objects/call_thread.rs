//! Threads that make calls which may never return, so that the calling thread can abandon them.
//!
//! A blocking C call cannot be cancelled. Each script thread has one thread for its calls, which
//! waits for the next one; a thread that is inside an abandoned call ends with that call, and the
//! script thread starts another one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::libvirt::Failure;
use crate::run::interrupt::{Interrupt, ThreadStop};
use crate::run::waiting::{LONG_WAIT, Waiting};

/// The reasons for abandoning a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// It took longer than its time limit.
    TimedOut,
    /// The script was stopped, and the call did not return soon after that.
    Stopped,
}

impl Abandoned {
    /// The error for the caller, where `limit` is the time limit of calls.
    pub(crate) fn failure(self, limit: Option<Duration>) -> Failure {
        match self {
            Self::TimedOut => {
                let waited = crate::run::duration_text::plain_duration(limit.unwrap_or_default());
                Failure::new(
                    virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                    format!("no answer from libvirt within {waited}, so the outcome is unknown"),
                )
                .advise("the guest or libvirt may be hung; raise the limit with --call-timeout")
            }
            Self::Stopped => Failure::new(
                virt_sys::VIR_ERR_OPERATION_ABORTED,
                "the script was stopped before libvirt answered, so the outcome is unknown",
            )
            .advise("the libvirt call did not return; its outcome is unknown"),
        }
    }
}

/// The time limits of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// In any case; `None` for no limit.
    pub(crate) limit: Option<Duration>,
    /// After the script was stopped.
    pub(crate) after_stop: Duration,
}

/// Reports a long call, which began at that time.
pub(crate) type Tell<'a> = &'a dyn Fn(Instant) -> Waiting;

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The thread that makes this thread's calls.
    static OWN: RefCell<Option<CallThread>> = const { RefCell::new(None) };
}

/// Runs `work` on this thread's call thread and returns its result; abandons it when `patience`
/// ends. The result of abandoned work is dropped on its own thread. `tell` describes the wait.
pub(crate) fn run<T: Send + 'static>(
    interrupt: &Interrupt,
    patience: Patience,
    tell: Option<Tell>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Abandoned> {
    let reply = Arc::new(Reply::new());
    let answer = Arc::clone(&reply);
    let standing = ThreadStop::of_this_thread();
    let job: Job = Box::new(move || {
        standing.take();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        answer.give(done);
    });
    // It is put back once it is free again; an abandoned call keeps it.
    let thread = OWN.try_with(|own| own.borrow_mut().take()).ok().flatten();
    let thread = match thread.map_or_else(CallThread::start, Ok) {
        Ok(thread) => thread,
        // Without a thread the call cannot be abandoned, but it can be made.
        Err(_) => {
            job();
            return Ok(reply.take());
        }
    };
    thread.hand_over(job);
    reply.wait(interrupt, patience, tell)?;
    let _ = OWN.try_with(|own| own.borrow_mut().replace(thread));
    Ok(reply.take())
}

/// A thread that runs one job after another until it is dropped.
struct CallThread {
    desk: Arc<Desk>,
    thread: Thread,
}

#[derive(Default)]
struct Desk {
    state: AtomicU8,
    job: Mutex<Option<Job>>,
}

const IDLE: u8 = 0;
const HAS_JOB: u8 = 1;
const CLOSED: u8 = 2;

impl CallThread {
    fn start() -> std::io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let own = Arc::clone(&desk);
        let handle = thread::Builder::new()
            .name("libvirt call".into())
            .spawn(move || own.serve())?;
        Ok(Self {
            desk,
            thread: handle.thread().clone(),
        })
    }

    fn hand_over(&self, job: Job) {
        *lock(&self.desk.job) = Some(job);
        self.desk.state.store(HAS_JOB, Ordering::Release);
        self.thread.unpark();
    }
}

impl Drop for CallThread {
    fn drop(&mut self) {
        self.desk.state.store(CLOSED, Ordering::Release);
        self.thread.unpark();
    }
}

impl Desk {
    fn serve(&self) {
        loop {
            // It may return too early.
            while self.state.load(Ordering::Acquire) == IDLE {
                thread::park();
            }
            let job = lock(&self.job).take();
            // A job that was handed over before the channel closed is still run.
            match job {
                Some(job) => {
                    let idle = self.state.compare_exchange(
                        HAS_JOB,
                        IDLE,
                        Ordering::AcqRel,
                        Ordering::Acquire,
                    );
                    job();
                    if idle.is_err() {
                        return;
                    }
                }
                None => return,
            }
        }
    }
}

/// The place for a job's result.
struct Reply<T> {
    state: AtomicU8,
    result: Mutex<Option<thread::Result<T>>>,
    caller: Thread,
}

const PENDING: u8 = 0;
const DONE: u8 = 1;
const ABANDONED: u8 = 2;

impl<T> Reply<T> {
    fn new() -> Self {
        Self {
            state: AtomicU8::new(PENDING),
            result: Mutex::new(None),
            caller: thread::current(),
        }
    }

    fn give(&self, result: thread::Result<T>) {
        let mut slot = lock(&self.result);
        if self.state.load(Ordering::Acquire) == ABANDONED {
            // Dropping the result may make a libvirt call, so the lock is released first.
            drop(slot);
            drop(result);
            return;
        }
        *slot = Some(result);
        self.state.store(DONE, Ordering::Release);
        drop(slot);
        self.caller.unpark();
    }

    fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    /// Waits for the result; where it does not come in time, it will be dropped when it comes.
    fn wait(
        &self,
        interrupt: &Interrupt,
        patience: Patience,
        tell: Option<Tell>,
    ) -> Result<(), Abandoned> {
        let begun = Instant::now();
        // Most calls return before that: telling of each would cost more than the call.
        let mut untold = tell.and_then(|tell| Some((tell, begun.checked_add(LONG_WAIT)?)));
        let mut told = None;
        let mut until = patience.limit.and_then(|limit| begun.checked_add(limit));
        let mut why = Abandoned::TimedOut;
        let caller = self.caller.clone();
        let _guard = interrupt.on_stop(move || caller.unpark());
        while !self.is_done() {
            if why == Abandoned::TimedOut && interrupt.stopping().is_some() {
                let stop = Instant::now().checked_add(patience.after_stop);
                if until.is_none_or(|until| stop.is_some_and(|stop| stop < until)) {
                    until = stop;
                    why = Abandoned::Stopped;
                }
            }
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return self.abandon(why);
            }
            if let Some((tell, _)) = untold.take_if(|(_, at)| *at <= now) {
                told.get_or_insert_with(|| tell(begun));
            }
            let next = until.into_iter().chain(untold.map(|(_, at)| at)).min();
            match next {
                Some(next) => thread::park_timeout(next.saturating_duration_since(now)),
                None => thread::park(),
            }
        }
        Ok(())
    }

    fn abandon(&self, why: Abandoned) -> Result<(), Abandoned> {
        let slot = lock(&self.result);
        // It may have come in this very moment.
        if slot.is_some() {
            return Ok(());
        }
        self.state.store(ABANDONED, Ordering::Release);
        Err(why)
    }

    /// The result, once it has come.
    fn take(&self) -> T {
        match lock(&self.result).take() {
            Some(Ok(value)) => value,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            // `wait` and `give` leave no other way here.
            None => std::panic::panic_any("a call thread ended without a result"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::run::interrupt::Stop;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    fn patience(limit: Option<Duration>) -> Patience {
        Patience {
            limit,
            after_stop: SHORT,
        }
    }

    #[test]
    fn calls_of_one_thread_are_made_on_one_thread() {
        let interrupt = Interrupt::default();
        let id = || {
            run(&interrupt, patience(Some(LONG)), None, || {
                thread::current().id()
            })
        };
        let first = id();
        assert_ne!(first, Ok(thread::current().id()));
        assert_eq!(first, id());
    }

    #[test]
    fn a_call_that_takes_too_long_is_abandoned_and_its_result_dropped_when_it_comes() {
        struct Told(mpsc::Sender<thread::ThreadId>);
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = self.0.send(thread::current().id());
            }
        }
        let interrupt = Interrupt::default();
        let (go, gate) = mpsc::channel::<()>();
        let (sender, told) = mpsc::channel();
        let stuck = run(&interrupt, patience(Some(SHORT)), None, move || {
            let _ = gate.recv();
            Told(sender)
        });
        assert!(matches!(stuck, Err(Abandoned::TimedOut)));
        assert_eq!(run(&interrupt, patience(Some(LONG)), None, || 1), Ok(1));
        assert!(told.try_recv().is_err());
        go.send(()).expect("the call waits for it");
        let dropped_on = told.recv_timeout(LONG).expect("the result is dropped");
        assert_ne!(dropped_on, thread::current().id());
    }

    #[test]
    fn a_stop_abandons_a_call_without_a_limit_soon() {
        let interrupt = Interrupt::default();
        let (_go, gate) = mpsc::channel::<()>();
        let stopper = interrupt.clone();
        let stop = thread::spawn(move || {
            thread::sleep(SHORT);
            stopper.stop(Stop::Interrupted);
        });
        let stuck = run(&interrupt, patience(None), None, move || {
            let _ = gate.recv();
        });
        assert_eq!(stuck, Err(Abandoned::Stopped));
        stop.join().expect("the stop does not panic");
    }

    #[test]
    fn a_panic_in_a_call_reaches_its_caller() {
        let interrupt = Interrupt::default();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(&interrupt, patience(Some(LONG)), None, || panic!("planted"))
        }));
        assert!(panicked.is_err());
        assert_eq!(run(&interrupt, patience(Some(LONG)), None, || 1), Ok(1));
    }
}
