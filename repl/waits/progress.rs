//! The progress of a job, as text.

use std::time::{Duration, Instant};

use bytesize::ByteSize;
use serde_json::{Value as Json, json};
use virhai::{JobProgress, plain_duration};

use crate::columns;

/// The rate is an average over about this many seconds.
const RATE_SECONDS: f64 = 5.0;

/// The letters of the bar.
const BAR: usize = 20;

/// The columns that the description of a job has at least.
const LEAST: usize = 16;

/// The progress of one job, and its rate.
#[derive(Default)]
pub(super) struct Progress {
    last: Option<(Instant, JobProgress)>,
    /// Bytes in a second.
    rate: f64,
}

impl Progress {
    /// Adds the progress that was read at `now`, of a job that began at `since`.
    pub(super) fn add(&mut self, read: JobProgress, since: Instant, now: Instant) {
        let (before, done) = match self.last {
            Some((before, last)) => (before, last.done),
            None => (since, 0),
        };
        let seconds = now.saturating_duration_since(before).as_secs_f64();
        if seconds > 0.0 {
            let rate = read.done.saturating_sub(done) as f64 / seconds;
            let weight = match self.last {
                Some(_) => 1.0 - (-seconds / RATE_SECONDS).exp(),
                None => 1.0,
            };
            self.rate += (rate - self.rate) * weight;
        }
        self.last = Some((now, read));
    }

    fn read(&self) -> Option<JobProgress> {
        self.last.map(|(_, read)| read)
    }

    /// The bytes in a second, if some arrive.
    fn rate(&self) -> Option<u64> {
        (self.rate >= 1.0).then_some(self.rate as u64)
    }

    /// The time until the end, as the host or the rate says.
    fn left(&self) -> Option<Duration> {
        let read = self.read()?;
        let by_rate = || {
            let bytes = (read.total - read.done.min(read.total)) as f64;
            Duration::try_from_secs_f64(bytes / self.rate()? as f64).ok()
        };
        read.left.or_else(by_rate)
    }

    /// The figures, such as `42 %, 1.2 GiB of 2.9 GiB, 120.0 MiB/s, 14s left`; `None` before the first ones are known.
    fn figures(&self) -> Option<String> {
        let read = self.read()?;
        let size = |bytes| ByteSize(bytes).to_string();
        let mut figures = format!(
            "{} %, {} of {}",
            percent(read),
            size(read.done),
            size(read.total)
        );
        if let Some(rate) = self.rate() {
            figures += &format!(", {}/s", size(rate));
        }
        let left = self.left().map(|left| Duration::from_secs(left.as_secs()));
        if let Some(left) = left.filter(|_| read.done < read.total) {
            figures += &format!(", {} left", plain_duration(left));
        }
        Some(figures)
    }

    /// The job `what` in a row of `room` columns.
    pub(super) fn row(&self, what: &str, room: usize) -> Option<String> {
        let (read, figures) = (self.read()?, self.figures()?);
        let done = BAR * usize::from(percent(read)) / 100;
        let bar = format!("[{}{}] ", "#".repeat(done), "-".repeat(BAR - done));
        let besides = figures.len() + 1;
        let bar = match columns::total(what) + bar.len() + besides <= room {
            true => bar.as_str(),
            false => "",
        };
        let what = columns::fitted(what, room.saturating_sub(besides + bar.len()).max(LEAST));
        Some(columns::fitted(&format!("{what} {bar}{figures}"), room))
    }

    /// The job `what` in a line.
    pub(super) fn line(&self, what: &str) -> Option<String> {
        Some(format!("{what}: {}", self.figures()?))
    }

    /// The job `what` after `took` as an entry of the log.
    pub(super) fn json(&self, what: &str, took: Duration) -> Json {
        let read = self.read();
        json!({
            "kind": "progress", "text": what, "seconds": took.as_secs(), "percent": read.map(percent),
            "done_bytes": read.map(|read| read.done), "total_bytes": read.map(|read| read.total),
            "bytes_per_second": self.rate(), "seconds_left": self.left().map(|left| left.as_secs()),
        })
    }
}

fn percent(read: JobProgress) -> u8 {
    let percent = u128::from(read.done) * 100 / u128::from(read.total.max(1));
    u8::try_from(percent).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(done: u64, total: u64) -> JobProgress {
        JobProgress {
            done,
            total,
            left: None,
        }
    }

    #[test]
    fn a_row_has_the_figures_and_fits() {
        let since = Instant::now();
        let mut progress = Progress::default();
        assert_eq!(progress.row("save domain `web`", 80), None);
        let at = since + Duration::from_secs(2);
        progress.add(job(200 << 20, 1 << 30), since, at);
        let figures = "19 %, 200.0 MiB of 1.0 GiB, 100.0 MiB/s, 8s left";
        let row = |what, room| progress.row(what, room).expect("the figures are known");
        assert_eq!(
            row("save domain `web`", 100),
            format!("save domain `web` [###-----------------] {figures}")
        );
        assert_eq!(
            row("save domain `web`", 77),
            format!("save domain `web` {figures}")
        );
        assert_eq!(
            row("save domain `a-very-long-name`", 77),
            format!("save domain `a-very-long-na… {figures}")
        );
        for room in [0, 1, 10, 20, 40] {
            let row = row("save domain `中文中文中文`", room);
            assert!(columns::total(&row) <= room.max(1), "{room}: {row}");
        }
    }

    #[test]
    fn a_job_at_its_end_and_one_that_stands_still_have_no_time_left() {
        let since = Instant::now();
        let mut progress = Progress::default();
        progress.add(job(0, 1 << 20), since, since);
        assert_eq!(
            progress.line("x").as_deref(),
            Some("x: 0 %, 0 B of 1.0 MiB")
        );
        // More than all, from a host that counts wrong.
        progress.add(job(u64::MAX, 1), since, since);
        assert!(
            progress
                .line("x")
                .is_some_and(|line| line.starts_with("x: 100 %"))
        );
        let fields = progress.json("x", Duration::from_secs(3));
        assert_eq!(fields["percent"], 100);
        assert_eq!(fields["seconds"], 3);
    }
}
