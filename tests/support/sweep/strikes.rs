//! Signals at random times.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Picture, Swept};
use crate::support::{Host, Outcome};

/// A recipe that is struck by signals, and how to build the host that it runs on.
pub struct Strikes<H> {
    pub name: String,
    pub build: Box<dyn Fn() -> H>,
    /// The recipe.
    pub script: String,
    /// The script to run after each strike, which must succeed, such as the same recipe once more; empty if the struck
    /// run must restore everything by itself.
    pub again: String,
    /// Asserts the complete result after `again`.
    pub complete: String,
    pub signal: Signal,
    pub seed: u64,
    pub times: usize,
}

impl<H: Host> Strikes<H> {
    /// Strikes `times` times; the host is rebuilt after each change.
    pub fn run(self) -> Swept {
        let host = (self.build)();
        let began = Instant::now();
        host.ok(&self.script);
        let whole = began.elapsed();
        drop(host);
        println!(
            "{}: seed {}, a whole run takes {whole:?}",
            self.name, self.seed
        );
        let mut random = Random(self.seed);
        let mut swept = Swept::default();
        let mut recovered = 0;
        let mut site: Option<(H, Picture)> = None;
        for _ in 0..self.times {
            let (host, before) = site.get_or_insert_with(|| {
                let host = (self.build)();
                let before = Picture::of(&host);
                (host, before)
            });
            let delay = whole.mul_f64(random.fraction());
            let struck = strike(host, &self.script, self.signal, delay);
            swept.points += 1;
            let place = format!("{}: {} after {delay:?}", self.name, self.signal);
            if !self.again.is_empty() {
                let again = host.run(&self.again);
                recovered += usize::from(again.stderr.contains("a run of virhai was killed"));
                let complete = again.status == 0
                    && (self.complete.is_empty() || host.run(&self.complete).status == 0);
                if !complete {
                    swept
                        .left
                        .push(format!("{place}: {struck}\nagain: {again}"));
                }
                site = None;
                continue;
            }
            if struck.status == 0 {
                site = None;
                continue;
            }
            let difference = before.difference(&Picture::of(host));
            if swept.judge(&place, &difference, &struck) {
                site = None;
            }
        }
        swept.tell(&self.name);
        if !self.again.is_empty() {
            println!("  {recovered} of them found a note and took back what it named");
        }
        swept
    }
}

/// Runs `script` on `host`, sends it `signal` after `delay`, and waits for its end.
pub fn strike(host: &impl Host, script: &str, signal: Signal, delay: Duration) -> Outcome {
    let file = host.scratch().write("sweep/struck.rhai", script);
    let mut command = host.virhai().arg("run").arg(file).command();
    // A process group of its own, so that the signal reaches the program and not only its launcher.
    let child = std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn();
    let mut child = child.expect("the program can be started");
    drop(child.stdin.take());
    let group = Pid::from_raw(-child.id().cast_signed());
    std::thread::sleep(delay);
    let _ = kill(group, signal);
    Outcome::of(
        &child
            .wait_with_output()
            .expect("the program can be waited for"),
    )
}

/// Pseudo-random numbers, the same for the same seed.
struct Random(u64);

impl Random {
    /// A number from 0 up to 1.
    fn fraction(&mut self) -> f64 {
        // splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}
