//! State that no view watches, and that lives as long as the page.

use std::cell::RefCell;

use send_wrapper::SendWrapper;

/// A handle on a value; copies are the same.
///
/// Leptos's `StoredValue` may end before the page does, and is compiled anew for every closure
/// that reads or changes it.
pub(crate) struct Own<T: 'static>(&'static SendWrapper<RefCell<T>>);

impl<T> Clone for Own<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Own<T> {}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::leak(Box::new(SendWrapper::new(RefCell::new(value)))))
    }

    pub(crate) fn read<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.0.borrow())
    }

    pub(crate) fn change<R>(self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.borrow_mut())
    }
}
