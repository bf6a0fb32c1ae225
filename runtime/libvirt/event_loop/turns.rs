//! The descriptors that libvirt watches and its timers, and the turns of the loop that serves them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{c_int, c_void};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use parking_lot::{Mutex, MutexGuard};
use virt_sys::virFreeCallback;

type DescriptorCallback = unsafe extern "C" fn(c_int, c_int, c_int, *mut c_void);
type TimerCallback = unsafe extern "C" fn(c_int, *mut c_void);

/// The number of descriptors that one turn serves.
const OF_A_TURN: usize = 256;

/// Stands for [`EventLoop::wake`] among the numbers of descriptors.
const WAKE: c_int = 0;

/// The events of descriptors: libvirt's flag, and the kernel's flag for the same event.
const EVENTS: [(u32, EpollFlags); 4] = [
    (virt_sys::VIR_EVENT_HANDLE_READABLE, EpollFlags::EPOLLIN),
    (virt_sys::VIR_EVENT_HANDLE_WRITABLE, EpollFlags::EPOLLOUT),
    (virt_sys::VIR_EVENT_HANDLE_ERROR, EpollFlags::EPOLLERR),
    (virt_sys::VIR_EVENT_HANDLE_HANGUP, EpollFlags::EPOLLHUP),
];

pub(super) struct EventLoop {
    /// The descriptors that have events to wait for.
    epoll: Epoll,
    /// Ends the sleep of the loop.
    wake: EventFd,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last number that a descriptor or timer got.
    last: c_int,
    descriptors: HashMap<c_int, Descriptor>,
    /// In the order in which they were added.
    timers: BTreeMap<c_int, Timer>,
    /// The data of removed descriptors and timers. A callback may still use it, so the loop frees it between two turns.
    removed: Vec<Owned>,
    sleep: Option<Sleep>,
}

/// A sleep of the loop.
struct Sleep {
    /// The time when it ends, unless an event wakes the loop earlier; `None` for no limit.
    until: Option<Instant>,
}

struct Descriptor {
    descriptor: c_int,
    /// The events to wait for, in libvirt's numbers.
    events: c_int,
    callback: DescriptorCallback,
    data: Owned,
}

struct Timer {
    /// `None` while it rests.
    interval: Option<Duration>,
    due: Option<Instant>,
    callback: TimerCallback,
    data: Owned,
}

/// The data of a callback, and the function that frees it.
pub(super) struct Owned {
    pub(super) opaque: *mut c_void,
    pub(super) free: virFreeCallback,
}

// SAFETY: libvirt expects the pointer back on the thread of the loop, whichever thread gave it.
unsafe impl Send for Owned {}

impl EventLoop {
    pub(super) fn new() -> nix::Result<Self> {
        let own = Self {
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            wake: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?,
            state: Mutex::default(),
        };
        own.epoll
            .add(&own.wake, awaited(WAKE, EpollFlags::EPOLLIN))?;
        Ok(own)
    }

    /// Watches `descriptor` for `events`, and answers its number; -1 if the kernel cannot watch it.
    pub(super) fn add_descriptor(
        &self,
        descriptor: c_int,
        events: c_int,
        callback: DescriptorCallback,
        data: Owned,
    ) -> c_int {
        let mut state = self.state();
        let number = state.next_number();
        if !self.watch(descriptor, number, 0, events) {
            return -1;
        }
        let descriptor = Descriptor {
            descriptor,
            events,
            callback,
            data,
        };
        state.descriptors.insert(number, descriptor);
        number
    }

    pub(super) fn update_descriptor(&self, number: c_int, events: c_int) {
        let mut state = self.state();
        if let Some(known) = state.descriptors.get_mut(&number)
            && self.watch(known.descriptor, number, known.events, events)
        {
            known.events = events;
        }
    }

    /// True if there was such a descriptor.
    pub(super) fn remove_descriptor(&self, number: c_int) -> bool {
        let mut state = self.state();
        let Some(known) = state.descriptors.remove(&number) else {
            return false;
        };
        self.watch(known.descriptor, number, known.events, 0);
        state.removed.push(known.data);
        self.end_sleep(state);
        true
    }

    /// Makes the kernel wait for the events `new` of `descriptor` instead of `old`. Without events it does not wait for the
    /// descriptor: it would report a closed one again and again.
    fn watch(&self, descriptor: c_int, number: c_int, old: c_int, new: c_int) -> bool {
        if descriptor < 0 {
            return false;
        }
        if old == new {
            return true;
        }
        // SAFETY: libvirt keeps a descriptor open as long as it has it watched.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let mut event = awaited(number, to_kernel(new));
        let done = match (old != 0, new != 0) {
            (false, _) => self.epoll.add(descriptor, event),
            (true, true) => self.epoll.modify(descriptor, &mut event),
            (true, false) => self.epoll.delete(descriptor),
        };
        done.is_ok()
    }

    pub(super) fn add_timer(
        &self,
        milliseconds: c_int,
        callback: TimerCallback,
        data: Owned,
    ) -> c_int {
        let mut state = self.state();
        let number = state.next_number();
        let mut timer = Timer {
            interval: None,
            due: None,
            callback,
            data,
        };
        timer.set(milliseconds);
        let due = timer.due;
        state.timers.insert(number, timer);
        self.end_sleep_for(due, state);
        number
    }

    pub(super) fn update_timer(&self, number: c_int, milliseconds: c_int) {
        let mut state = self.state();
        if let Some(timer) = state.timers.get_mut(&number) {
            timer.set(milliseconds);
            let due = timer.due;
            self.end_sleep_for(due, state);
        }
    }

    /// True if there was such a timer.
    pub(super) fn remove_timer(&self, number: c_int) -> bool {
        let mut state = self.state();
        let Some(timer) = state.timers.remove(&number) else {
            return false;
        };
        state.removed.push(timer.data);
        self.end_sleep(state);
        true
    }

    /// Wakes the loop if it would sleep longer than until `due`.
    fn end_sleep_for(&self, due: Option<Instant>, state: MutexGuard<State>) {
        let sleeps_longer = match (&state.sleep, due) {
            (Some(sleep), Some(due)) => sleep.until.is_none_or(|until| until > due),
            _ => false,
        };
        if sleeps_longer {
            self.end_sleep(state);
        }
    }

    /// Wakes the loop if it sleeps.
    fn end_sleep(&self, mut state: MutexGuard<State>) {
        if state.sleep.take().is_some() {
            // It fails only if it has been written to already.
            let _ = self.wake.write(1);
        }
    }

    /// Serves descriptors and timers for ever.
    pub(super) fn run(&self) {
        let mut ready = [EpollEvent::empty(); OF_A_TURN];
        loop {
            let sleep = self.begin_sleep();
            let count = match self.epoll.wait(&mut ready, sleep) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                // The kernel reports no other error for a valid epoll descriptor.
                Err(_) => return,
            };
            self.state().sleep = None;
            for event in ready.iter().take(count) {
                self.serve_descriptor(event);
            }
            self.serve_timers();
            self.free_removed();
        }
    }

    /// The time until the first timer is due.
    fn begin_sleep(&self) -> EpollTimeout {
        let mut state = self.state();
        let until = match state.removed.is_empty() {
            true => state.timers.values().filter_map(|timer| timer.due).min(),
            false => Some(Instant::now()),
        };
        state.sleep = Some(Sleep { until });
        drop(state);
        let Some(until) = until else {
            return EpollTimeout::NONE;
        };
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up: the timer must be due afterwards.
        let milliseconds = left.as_micros().div_ceil(1000);
        EpollTimeout::try_from(milliseconds).unwrap_or(EpollTimeout::MAX)
    }

    fn serve_descriptor(&self, event: &EpollEvent) {
        let number = c_int::try_from(event.data()).unwrap_or(WAKE);
        if number == WAKE {
            let _ = self.wake.read();
            return;
        }
        let state = self.state();
        // An earlier callback of this turn may have removed it, or have stopped waiting for its events.
        let Some(known) = state
            .descriptors
            .get(&number)
            .filter(|known| known.events != 0)
        else {
            return;
        };
        let (callback, descriptor, opaque) = (known.callback, known.descriptor, known.data.opaque);
        drop(state);
        // SAFETY: libvirt gave the callback for this descriptor and this data, which only this thread frees.
        unsafe { callback(number, descriptor, to_libvirt(event.events()), opaque) };
    }

    fn serve_timers(&self) {
        let now = Instant::now();
        let state = self.state();
        let due = state.timers.iter().filter(|(_, timer)| timer.is_due(now));
        let due: Vec<c_int> = due.map(|(number, _)| *number).collect();
        drop(state);
        for number in due {
            let mut state = self.state();
            // An earlier callback of this turn may have removed it, or have set another time.
            let Some(timer) = state.timers.get_mut(&number).filter(|it| it.is_due(now)) else {
                continue;
            };
            timer.begin_interval();
            let (callback, opaque) = (timer.callback, timer.data.opaque);
            drop(state);
            // SAFETY: libvirt gave the callback for this data, which only this thread frees.
            unsafe { callback(number, opaque) };
        }
    }

    fn free_removed(&self) {
        let removed = std::mem::take(&mut self.state().removed);
        for Owned { opaque, free } in removed {
            if let Some(free) = free {
                // SAFETY: libvirt gave the function for this data, and no callback uses it any more.
                unsafe { free(opaque) };
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// A number that was not used for a long time.
    fn next_number(&mut self) -> c_int {
        loop {
            self.last = self.last.checked_add(1).unwrap_or(WAKE + 1);
            let (descriptors, timers) = (&self.descriptors, &self.timers);
            if !descriptors.contains_key(&self.last) && !timers.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

impl Timer {
    /// Makes it due every so many milliseconds; a negative number lets it rest.
    fn set(&mut self, milliseconds: c_int) {
        let milliseconds = u64::try_from(milliseconds).ok();
        self.interval = milliseconds.map(Duration::from_millis);
        self.begin_interval();
    }

    fn begin_interval(&mut self) {
        self.due = self.interval.map(|interval| Instant::now() + interval);
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

fn awaited(number: c_int, events: EpollFlags) -> EpollEvent {
    EpollEvent::new(events, u64::try_from(number).unwrap_or_default())
}

fn to_kernel(events: c_int) -> EpollFlags {
    let asked = EVENTS.iter().filter(|(own, _)| events & *own as c_int != 0);
    asked.map(|(_, kernel)| *kernel).collect()
}

fn to_libvirt(events: EpollFlags) -> c_int {
    let told = EVENTS.iter().filter(|(_, kernel)| events.contains(*kernel));
    told.fold(0, |sum, (own, _)| sum | *own as c_int)
}
