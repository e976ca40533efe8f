//! Points in time on the wire: RFC 3339, UTC, milliseconds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z; on the wire `2026-11-20T09:30:00.250Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Now, by the system's clock. Not for `wasm32`, which has no such clock in std.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn now() -> Self {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&calendar::write(self.0).ok_or(fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = calendar::write(self.0);
        let outside = || serde::ser::Error::custom("a time outside the years 0 to 9999");
        serializer.serialize_str(&text.ok_or_else(outside)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let millis = calendar::read(&text);
        millis.map(Self).ok_or_else(|| serde::de::Error::custom("this is no RFC 3339 time"))
    }
}

/// Between milliseconds and text. `None` for a year that has not four digits, or no such text.
#[cfg(not(target_arch = "wasm32"))]
mod calendar {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub(super) fn write(millis: i64) -> Option<String> {
        let nanos = i128::from(millis) * 1_000_000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
        let mut text = String::with_capacity("0000-00-00T00:00:00.000Z".len());
        // By hand, as it is done with every token.
        let mut put = |number: u16, digits: u32, then: char| {
            for place in (0..digits).rev() {
                text.push(char::from(b'0' + (number / 10_u16.pow(place) % 10) as u8));
            }
            text.push(then);
        };
        put(u16::try_from(at.year()).ok()?, 4, '-');
        put(u8::from(at.month()).into(), 2, '-');
        put(at.day().into(), 2, 'T');
        put(at.hour().into(), 2, ':');
        put(at.minute().into(), 2, ':');
        put(at.second().into(), 2, '.');
        put(at.millisecond(), 3, 'Z');
        Some(text)
    }

    pub(super) fn read(text: &str) -> Option<i64> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
    }
}

/// The browser has a calendar, and a page need not load another one.
#[cfg(target_arch = "wasm32")]
mod calendar {
    use js_sys::Date;

    use super::plain;

    #[expect(clippy::cast_precision_loss, reason = "a date is far below 2^53")]
    pub(super) fn write(millis: i64) -> Option<String> {
        let date = Date::new(&(millis as f64).into());
        let valid = !date.get_time().is_nan();
        valid.then(|| String::from(date.to_iso_string()))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a date is far below 2^53")]
    pub(super) fn read(text: &str) -> Option<i64> {
        // By hand, as it is done with every token.
        if let Some(millis) = plain::read(text) {
            return Some(millis);
        }
        let millis = Date::parse(text);
        (!millis.is_nan()).then_some(millis as i64)
    }
}

/// Times as the server writes them, without a call of the browser.
#[cfg(any(test, target_arch = "wasm32"))]
mod plain {
    /// `2026-11-20T09:30:00.250Z` and nothing else. `None` of another form, and of a day that there
    /// is not: those are for a calendar.
    pub(super) fn read(text: &str) -> Option<i64> {
        let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let form = b"0000-00-00T00:00:00.000Z";
        let fits = |(byte, form): (&u8, &u8)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        };
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().fold(0, |number, byte| number * 10 + i64::from(byte - b'0'))
        };
        if !bytes.iter().zip(form).all(fits) {
            return None;
        }
        let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
        let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
        let is_time = hour < 24 && minute < 60 && second < 60;
        if !is_time || !(1..=12).contains(&month) {
            return None;
        }
        let (first, next) = (days(year, month, 1), days(year, month + 1, 1));
        let date = first + day - 1;
        if !(first..next).contains(&date) {
            return None;
        }
        let minutes = (date * 24 + hour) * 60 + minute;
        Some((minutes * 60 + second) * 1000 + number(20, 23))
    }

    /// Days since 1970-01-01 in the Gregorian calendar, in years that begin in March: then the day
    /// that some years have more comes last. The 13th month is the next January.
    fn days(year: i64, month: i64, day: i64) -> i64 {
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_rfc_3339_with_milliseconds() {
        let at = Timestamp::from_millis(1_795_167_000_250);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(json, r#""2026-11-20T09:30:00.250Z""#);
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
    }

    #[test]
    fn a_time_that_is_read_by_hand_is_the_one_of_the_calendar() {
        const DAY: i64 = 86_400_000;
        let mut by_hand = 0;
        for day in -136_000..160_000 {
            let millis = day * DAY + day.rem_euclid(DAY);
            let text = calendar::write(millis).unwrap();
            if let Some(read) = plain::read(&text) {
                assert_eq!(read, millis, "{text}");
                by_hand += 1;
            }
        }
        assert_eq!(by_hand, 296_000, "no day needs the calendar");
        for other in [
            "2026-02-29T00:00:00.000Z",
            "2026-11-31T00:00:00.000Z",
            "2026-11-00T00:00:00.000Z",
            "2026-11-20T09:30:00.250+",
            "2026-11-20T24:00:00.000Z",
        ] {
            assert_eq!(plain::read(other), None, "{other}");
        }
    }
}
