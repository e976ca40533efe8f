//! How many messages one address may send in a minute.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are counted at once; more are forgotten, oldest windows first.
const ADDRESSES: usize = 10_000;

/// When the window of an address began, and what came in it.
type Windows = HashMap<IpAddr, (Instant, u32)>;

/// Counts starts by address in windows of a minute.
pub(crate) struct StartLimit {
    per_minute: u32,
    windows: Mutex<Windows>,
}

impl StartLimit {
    /// `per_minute` 0 is no limit.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    /// Counts a start, but none of loopback. An error says after how long the next one is taken.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        if address.to_canonical().is_loopback() { Ok(()) } else { self.count(address, now) }
    }

    /// The same of any address.
    pub(crate) fn count(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let (mut windows, network) = (self.windows(), network(address));
        if !windows.contains_key(&network) {
            make_room(&mut windows, now);
        }
        let (began, count) = windows.entry(network).or_insert((now, 0));
        if now.duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        if *count >= self.per_minute {
            return Err(WINDOW.saturating_sub(now.duration_since(*began)));
        }
        *count += 1;
        Ok(())
    }

    /// As [`Self::count`] would answer, without counting.
    pub(crate) fn check(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let windows = self.windows();
        let Some((began, count)) = windows.get(&network(address)) else { return Ok(()) };
        let left = WINDOW.saturating_sub(now.duration_since(*began));
        let is_over = self.per_minute == 0 || *count < self.per_minute || left.is_zero();
        if is_over { Ok(()) } else { Err(left) }
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has one address of IPv6 has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Forgets windows that are over, and a tenth of the others, the oldest, where that is not enough.
fn make_room(windows: &mut Windows, now: Instant) {
    if windows.len() < ADDRESSES {
        return;
    }
    windows.retain(|_, (began, _)| now.duration_since(*began) < WINDOW);
    if windows.len() < ADDRESSES {
        return;
    }
    let mut all: Vec<_> = windows.values().map(|(began, _)| *began).collect();
    let last = *all.select_nth_unstable(ADDRESSES / 10).1;
    windows.retain(|_, (began, _)| *began > last);
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
    fn no_more_addresses_are_remembered_than_may_be_and_the_newest_stay() {
        let (limit, began) = (StartLimit::new(1), Instant::now());
        let address = |n: u32| IpAddr::from(Ipv4Addr::from_bits(n));
        let at = |n: u32| began + Duration::from_micros(n.into());
        for n in 0..30_000 {
            assert_eq!(limit.take(address(n), at(n)), Ok(()));
            assert!(limit.windows().len() <= ADDRESSES);
        }
        assert!(limit.take(address(29_999), at(30_000)).is_err());
        assert!(limit.check(address(29_999), at(30_000)).is_err());
        assert_eq!(limit.check(address(0), at(30_000)), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (limit, now) = (StartLimit::new(1), Instant::now());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(limit.take(address("2001:db8:1:1::1"), now), Ok(()));
        assert!(limit.take(address("2001:db8:1:1:ffff::2"), now).is_err());
        assert_eq!(limit.take(address("2001:db8:1:2::1"), now), Ok(()));
        // IPv4 as IPv6 writes it is IPv4.
        assert_eq!(limit.take(address("::ffff:192.0.2.1"), now), Ok(()));
        assert_eq!(limit.take(address("::ffff:192.0.2.2"), now), Ok(()));
        assert!(limit.take(address("192.0.2.2"), now).is_err());
    }

    #[test]
    fn loopback_is_not_counted() {
        let limit = StartLimit::new(1);
        for _ in 0..100 {
            assert_eq!(limit.take(Ipv4Addr::LOCALHOST.into(), Instant::now()), Ok(()));
        }
    }
}
