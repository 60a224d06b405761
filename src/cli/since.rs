//! A point in time on the command line.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads a day (its beginning, in UTC), a time (RFC 3339), or a span such as 72h or 30d, which is counted back from now.
pub fn since(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let now = Timestamp::now();
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok());
    let span = days
        .map(|days| SignedDuration::from_hours(24 * i64::from(days)))
        .or_else(|| text.parse::<SignedDuration>().ok());
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    let at = span
        .and_then(|span| now.checked_sub(span).ok())
        .or_else(|| text.parse().ok())
        .or_else(day)
        .ok_or("write a day (2026-11-03), a time (2026-11-03T10:00:00Z) or a span (72h, 30d)")?;
    if at > now {
        return Err(format!("{at} lies ahead"));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::since;

    #[test]
    fn days_times_and_spans_are_understood_and_the_future_is_not() {
        assert_eq!(since("2026-01-03").map(|at| at.to_string()).as_deref(), Ok("2026-01-03T00:00:00Z"));
        assert_eq!(
            since("2026-01-03T10:00:00+01:00").map(|at| at.to_string()).as_deref(),
            Ok("2026-01-03T09:00:00Z")
        );
        for text in ["72h", "30d", "90m"] {
            assert!(since(text).is_ok(), "{text}");
        }
        for text in ["2999-01-01", "-5h", "soon", "", "2026-13-01", "d"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
