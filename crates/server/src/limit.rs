//! How many messages one address may send in a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are counted at once; more are forgotten, oldest windows first.
const ADDRESSES: usize = 10_000;

/// Counts starts by address in windows of a minute. Loopback is not counted.
pub(crate) struct StartLimit {
    per_minute: u32,
    windows: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl StartLimit {
    /// `per_minute` 0 is no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    /// Counts a start. An error says after how long the next one is taken.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        if self.per_minute == 0 || address.to_canonical().is_loopback() {
            return Ok(());
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= ADDRESSES {
            windows.retain(|_, (began, _)| now.duration_since(*began) < WINDOW);
        }
        let (began, count) = windows.entry(address).or_insert((now, 0));
        if now.duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        if *count >= self.per_minute {
            return Err(WINDOW.saturating_sub(now.duration_since(*began)));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_is_refused_above_its_limit_until_the_minute_is_over() {
        let limit = StartLimit::new(2);
        let (now, address) = (Instant::now(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(limit.take(address, now), Ok(()));
        assert_eq!(limit.take(address, now), Ok(()));
        assert_eq!(
            limit.take(address, now + Duration::from_secs(20)),
            Err(Duration::from_secs(40))
        );
        assert_eq!(limit.take(IpAddr::from([192, 0, 2, 2]), now), Ok(()));
        assert_eq!(limit.take(address, now + WINDOW), Ok(()));
    }

    #[test]
    fn loopback_is_not_counted() {
        let limit = StartLimit::new(1);
        for _ in 0..100 {
            assert_eq!(limit.take(Ipv4Addr::LOCALHOST.into(), Instant::now()), Ok(()));
        }
    }
}
