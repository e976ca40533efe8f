//! How many readers somebody has at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unbroken_protocol::PrincipalId;

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Principal(PrincipalId),
    /// Nobody knows yet who it is.
    Stranger(IpAddr),
}

/// Everybody who reads now.
#[derive(Default)]
pub(crate) struct Crowd(Mutex<HashMap<Who, usize>>);

/// The place of one reader, free again when it is dropped.
pub(crate) struct Seat {
    crowd: Arc<Crowd>,
    who: Who,
}

impl Crowd {
    /// `None` when that many are there already.
    pub(crate) fn enter(self: &Arc<Self>, who: Who, limit: usize) -> Option<Seat> {
        let mut crowd = self.lock();
        let count = crowd.entry(who).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        drop(crowd);
        Some(Seat { crowd: Arc::clone(self), who })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut crowd = self.crowd.lock();
        if let Some(count) = crowd.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                crowd.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_its_reader_has_left() {
        let crowd = Arc::new(Crowd::default());
        let stranger = |last| Who::Stranger(IpAddr::from([192, 0, 2, last]));
        let first = crowd.enter(stranger(1), 2).unwrap();
        let second = crowd.enter(stranger(1), 2).unwrap();
        assert!(crowd.enter(stranger(1), 2).is_none());
        assert!(crowd.enter(stranger(2), 2).is_some());
        drop(first);
        let third = crowd.enter(stranger(1), 2);
        assert!(third.is_some());
        drop((second, third));
        assert!(crowd.lock().is_empty(), "nobody is remembered");
    }
}
