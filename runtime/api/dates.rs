//! Moments in time with a time zone: now, reading and writing dates, and the time between two.

use std::time::Duration;

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Error as JiffError, SignedDuration, Span, SpanRelativeTo, Timestamp, Zoned};
use rhai::plugin::*;
use rhai::{Dynamic, Engine, ImmutableString, NativeCallContext, exported_module};

use super::arguments::{RhaiResultOf, duration};
use super::room::ensure_room;
use crate::error::Error;
use crate::show::DateTime;
use crate::vocabulary::{Weekday, WordOf};

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<DateTime>("DateTime")
        .register_global_module(exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Returns the current time, in the time zone of the machine that runs the script.
    ///
    /// ```rhai
    /// assert(now() - now() <= 0.0);
    /// assert(now().year >= 2024);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile)]
    pub fn now() -> DateTime {
        DateTime(Zoned::now())
    }

    /// Returns the time that `text` names: `2026-03-01`, `2026-03-01 12:30`, `2026-03-01T12:30:00Z` or with another
    /// offset such as `+02:00`. Without an offset, it is in the time zone of the machine that runs the script.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01T12:30:00Z").unix, 1772368200);
    /// assert_eq(date("2026-03-01").day, 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn date(ctx: NativeCallContext, text: &str) -> RhaiResultOf<DateTime> {
        super::read(text).ok_or_else(|| {
            Error::invalid(&ctx, format!("`{text}` is not a date"))
                .with_hint("a date is text such as \"2026-03-01\", \"2026-03-01 12:30\" or \"2026-03-01T12:30:00Z\"; `date(text, format)` reads others")
                .throw()
        })
    }

    /// Returns the time that is `seconds` after the beginning of 1970 in UTC, as libvirt gives times.
    ///
    /// ```rhai
    /// assert_eq(date(0).utc().format("%Y-%m-%d"), "1970-01-01");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "date", return_raw)]
    pub fn date_of_seconds(ctx: NativeCallContext, seconds: i64) -> RhaiResultOf<DateTime> {
        let moment = Timestamp::from_second(seconds).map_err(|_| {
            Error::invalid(
                &ctx,
                format!("{seconds} seconds are outside of the range of dates"),
            )
            .with_hint("a date is between the years -9999 and 9999; are these milliseconds?")
            .throw()
        })?;
        Ok(DateTime(moment.to_zoned(TimeZone::system())))
    }

    /// Returns the time that `text` names in the format `format`, as the command `date` writes formats: `%Y`, `%m`,
    /// `%d`, `%H`, `%M`, `%S`, `%z`.
    ///
    /// ```rhai
    /// assert_eq(date("01.03.2026", "%d.%m.%Y").month, 3);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "date", return_raw)]
    pub fn date_of_format(
        ctx: NativeCallContext,
        text: &str,
        format: &str,
    ) -> RhaiResultOf<DateTime> {
        super::read_as(text, format).map_err(|why| {
            let why = super::example(format).map_or(why, |example| {
                format!("in this format, a date is such as `{example}`")
            });
            Error::invalid(
                &ctx,
                format!("`{text}` is not a date in the format `{format}`"),
            )
            .with_hint(why)
            .throw()
        })
    }

    /// The date as text in `format`, as the command `date` does: `%Y-%m-%d %H:%M:%S`, `%F`, `%T`, `%a`, `%b`, `%z`.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01T12:30:00Z").utc().format("%d.%m.%y %H:%M"), "01.03.26 12:30");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn format(
        ctx: NativeCallContext,
        date: &mut DateTime,
        format: &str,
    ) -> RhaiResultOf<String> {
        if !format.contains('%') {
            return Err(
                Error::invalid(&ctx, format!("`{format}` is not a format of dates"))
                    .with_hint(super::FORMAT_HINT)
                    .throw(),
            );
        }
        // No specifier writes more than that for each of its two letters.
        ensure_room(&ctx, format.len().saturating_mul(32))?;
        strtime::format(format, &date.0).map_err(|error| {
            Error::invalid(
                &ctx,
                format!("`{format}` is not a format of dates: {error}"),
            )
            .with_hint(super::FORMAT_HINT)
            .throw()
        })
    }

    /// Returns the same time in UTC.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01T12:30:00+02:00").utc().hour, 10);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure)]
    pub fn utc(date: &mut DateTime) -> DateTime {
        DateTime(date.0.with_time_zone(TimeZone::UTC))
    }

    /// The year.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01").year, 2026);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "year", pure)]
    pub fn year(date: &mut DateTime) -> i64 {
        date.0.year().into()
    }

    /// The month, from 1 to 12.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01").month, 3);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "month", pure)]
    pub fn month(date: &mut DateTime) -> i64 {
        date.0.month().into()
    }

    /// The day of the month, from 1.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01").day, 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "day", pure)]
    pub fn day(date: &mut DateTime) -> i64 {
        date.0.day().into()
    }

    /// The day of the week: `monday` and so on.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01").weekday, "sunday");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "weekday", pure)]
    pub fn weekday(date: &mut DateTime) -> WordOf<Weekday> {
        date.0.strftime("%A").to_string().to_lowercase().into()
    }

    /// The hour, from 0 to 23.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01 12:30").hour, 12);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "hour", pure)]
    pub fn hour(date: &mut DateTime) -> i64 {
        date.0.hour().into()
    }

    /// The minute, from 0 to 59.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01 12:30").minute, 30);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "minute", pure)]
    pub fn minute(date: &mut DateTime) -> i64 {
        date.0.minute().into()
    }

    /// The second, from 0 to 59.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01 12:30:15").second, 15);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "second", pure)]
    pub fn second(date: &mut DateTime) -> i64 {
        date.0.second().into()
    }

    /// The seconds since the beginning of 1970 in UTC.
    ///
    /// ```rhai
    /// assert_eq(date("1970-01-02T00:00:00Z").unix, 86400);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(get = "unix", pure)]
    pub fn unix(date: &mut DateTime) -> i64 {
        date.0.timestamp().as_second()
    }

    /// Returns the time that is later by a duration: seconds, or text such as `"90m"` or `"7days"`.
    ///
    /// Years and months are those of the calendar. If the new month does not have the day, the time is on the last day of
    /// that month. A day has 24 hours, and a week 7 such days.
    ///
    /// ```rhai
    /// assert_eq((date("2026-03-01 12:00") + "36h").day, 3);
    /// assert_eq(date("2026-01-31") + "1month", date("2026-02-28"));
    /// assert_eq(date("2026-01-31") + "1year 1day", date("2027-02-01"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "+", pure, return_raw)]
    pub fn plus(
        ctx: NativeCallContext,
        date: &mut DateTime,
        time: Dynamic,
    ) -> RhaiResultOf<DateTime> {
        super::moved(&ctx, date, &time, false)
    }

    /// Returns the seconds from the second date to the first; `date - "7days"` is the time 7 days earlier, with the units of
    /// `+`.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-02") - date("2026-03-01"), 86400.0);
    /// assert_eq(date("2026-03-08") - "7days", date("2026-03-01"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "-", pure, return_raw)]
    pub fn difference(
        ctx: NativeCallContext,
        date: &mut DateTime,
        other: Dynamic,
    ) -> RhaiResultOf<Dynamic> {
        match other.read_lock::<DateTime>() {
            Some(other) => Ok(date.0.duration_since(&other.0).as_secs_f64().into()),
            None => super::moved(&ctx, date, &other, true).map(Dynamic::from),
        }
    }

    /// The date as text, such as `2026-03-01T12:30:00+01:00`.
    ///
    /// ```rhai
    /// assert_eq(date("2026-03-01T12:30:00Z").utc().to_string(), "2026-03-01T12:30:00+00:00");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(date: &mut DateTime) -> String {
        date.to_string()
    }

    /// True if both are the same time.
    ///
    /// ```rhai
    /// assert(date("2026-03-01T12:00:00Z") == date("2026-03-01T13:00:00+01:00"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(date: &mut DateTime, other: DateTime) -> bool {
        *date == other
    }

    /// True if they are different times.
    ///
    /// ```rhai
    /// assert(date("2026-03-01") != date("2026-03-02"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(date: &mut DateTime, other: DateTime) -> bool {
        *date != other
    }

    /// True if the first is before the second.
    ///
    /// ```rhai
    /// assert(date("2026-03-01") < date("2026-03-02"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "<", pure)]
    pub fn is_earlier(date: &mut DateTime, other: DateTime) -> bool {
        *date < other
    }

    /// True if the first is before the second, or both are the same time.
    ///
    /// ```rhai
    /// assert(date("2026-03-01") <= date("2026-03-01"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "<=", pure)]
    pub fn is_not_later(date: &mut DateTime, other: DateTime) -> bool {
        *date <= other
    }

    /// True if the first is after the second.
    ///
    /// ```rhai
    /// assert(now() > date("2024-01-01"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = ">", pure)]
    pub fn is_later(date: &mut DateTime, other: DateTime) -> bool {
        *date > other
    }

    /// True if the first is after the second, or both are the same time.
    ///
    /// ```rhai
    /// assert(now() >= date("2024-01-01"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = ">=", pure)]
    pub fn is_not_earlier(date: &mut DateTime, other: DateTime) -> bool {
        *date >= other
    }
}

/// The form of a format, for hints.
pub(crate) const FORMAT_HINT: &str =
    "a format is text such as \"%Y-%m-%d %H:%M:%S\"; `%%` writes a percent sign";

/// The moment that `text` names in one of the usual forms.
fn read(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        // The offset that the text has is its time zone.
        let zone = strtime::parse("%Y-%m-%dT%H:%M:%S%.f%:z", text)
            .ok()
            .and_then(|parsed| parsed.offset())
            .map_or(TimeZone::UTC, TimeZone::fixed);
        return Some(DateTime(moment.to_zoned(zone)));
    }
    let here = |moment: civil::DateTime| moment.to_zoned(TimeZone::system()).ok();
    let moment = text.parse::<civil::DateTime>().ok();
    let day = || {
        let day = text.parse::<civil::Date>().ok()?;
        Some(day.to_datetime(civil::Time::midnight()))
    };
    moment.or_else(day).and_then(here).map(DateTime)
}

/// A date in `format`.
fn example(format: &str) -> Option<String> {
    let moment = civil::date(2026, 1, 31).at(12, 30, 0, 0);
    let moment = moment.to_zoned(TimeZone::UTC).ok()?;
    strtime::format(format, &moment)
        .ok()
        .filter(|_| format.contains('%'))
}

fn read_as(text: &str, format: &str) -> Result<DateTime, String> {
    let parsed = strtime::parse(format, text).map_err(|error| error.to_string())?;
    if let Ok(moment) = parsed.to_zoned() {
        return Ok(DateTime(moment));
    }
    let here = |moment: civil::DateTime| moment.to_zoned(TimeZone::system());
    let midnight = || {
        let day = parsed.to_date()?;
        Ok(day.to_datetime(civil::Time::midnight()))
    };
    let moment = parsed.to_datetime().or_else(|_| midnight());
    let zoned = moment.and_then(here);
    zoned
        .map(DateTime)
        .map_err(|error: jiff::Error| error.to_string())
}

fn moved(
    ctx: &NativeCallContext,
    date: &DateTime,
    time: &Dynamic,
    back: bool,
) -> RhaiResultOf<DateTime> {
    let text = time.read_lock::<ImmutableString>();
    let moved = match text.filter(|text| has_months(text)) {
        Some(text) => {
            let span = months(&text).ok_or_else(|| {
                Error::invalid(
                    ctx,
                    format!("`{}` is not a time in years and months", *text),
                )
                .with_hint("write whole years and months first, as in \"1year 2months 3days\"")
                .throw()
            })?;
            moved_by_months(date, if back { -span } else { span })
        }
        None => moved_by_seconds(ctx, date, time, back)?,
    };
    moved.map(DateTime).map_err(|_| {
        Error::invalid(ctx, "the date would be outside of the range of dates")
            .with_hint("a date is between the years -9999 and 9999")
            .throw()
    })
}

fn moved_by_seconds(
    ctx: &NativeCallContext,
    date: &DateTime,
    time: &Dynamic,
    back: bool,
) -> RhaiResultOf<Result<Zoned, JiffError>> {
    let negative = time.as_int().is_ok_and(|seconds| seconds < 0)
        || time.as_float().is_ok_and(|seconds| seconds < 0.0);
    let time: Duration = match (negative, time.as_int(), time.as_float()) {
        (true, Ok(seconds), _) => Duration::from_secs(seconds.unsigned_abs()),
        (true, _, Ok(seconds)) => Duration::try_from_secs_f64(-seconds).unwrap_or(Duration::MAX),
        _ => duration(ctx, time)?,
    };
    let signed = SignedDuration::try_from(time);
    let signed = signed.map(|time| if back == negative { time } else { -time });
    Ok(signed.and_then(|time| date.0.checked_add(time)))
}

/// True if a unit in `text` is a year or a month: in other durations, a month has 30.44 days.
fn has_months(text: &str) -> bool {
    let mut units = text.split(|letter: char| !letter.is_alphabetic());
    units.any(|unit| unit.starts_with("mo") || unit.starts_with('y'))
}

/// The time that `text` means, in years, months and smaller units.
fn months(text: &str) -> Option<Span> {
    text.trim().parse().ok()
}

fn moved_by_months(date: &DateTime, span: Span) -> Result<Zoned, JiffError> {
    let rest = span.years(0).months(0);
    let rest = rest.to_duration(SpanRelativeTo::days_are_24_hours())?;
    let months = Span::new()
        .try_years(span.get_years())?
        .try_months(span.get_months())?;
    date.0.checked_add(months)?.checked_add(rest)
}
