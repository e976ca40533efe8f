//! Where texts lie in the space of a model: vectors, and which of many are nearest to one.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::{ContentHash, Passage};

/// The largest number of a vector is stored as this.
const SCALE: f32 = 127.0;

/// A direction: a vector as signed bytes. How long it is means nothing. A byte for a number finds
/// the same neighbours as four do, but for a few that are as near as others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector(Arc<[u8]>);

impl Vector {
    /// `None` for what leads nowhere: all zeros, or not all numbers.
    pub fn of(numbers: &[f32]) -> Option<Self> {
        let largest = numbers.iter().map(|number| number.abs()).fold(0.0, f32::max);
        if largest <= 0.0 || !numbers.iter().all(|number| number.is_finite()) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is from -127 to 127")]
        let byte = |number: &f32| ((number / largest * SCALE).round() as i8).cast_unsigned();
        Some(Self(numbers.iter().map(byte).collect()))
    }

    /// The cosine of the angle between the two: 1 for the same direction. `None` for what leads
    /// nowhere, or is of another length.
    fn likeness(&self, other: &[u8]) -> Option<f64> {
        if self.0.len() != other.len() {
            return None;
        }
        let (mut dot, mut own, mut others) = (0_i32, 0_i32, 0_i32);
        for (one, other) in self.0.iter().zip(other) {
            let (one, other) = (i32::from(one.cast_signed()), i32::from(other.cast_signed()));
            dot += one * other;
            own += one * one;
            others += other * other;
        }
        let size = (f64::from(own) * f64::from(others)).sqrt();
        (size > 0.0).then(|| f64::from(dot) / size)
    }
}

/// Passages that have no vectors of a model yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToEmbed {
    /// Which reading they are of.
    pub attempt: u32,
    /// In their order, without a gap.
    pub passages: Vec<Passage>,
}

/// Vectors of passages that follow each other, on their way in.
#[derive(Clone, Debug)]
pub struct VectorStep {
    pub(crate) content: ContentHash,
    pub(crate) attempt: u32,
    pub(crate) model: String,
    /// The ordinal of the first passage.
    pub(crate) from: u32,
    pub(crate) pack: Pack,
}

impl VectorStep {
    /// `attempt` as [`ToEmbed`] says. `None` stands for a passage that leads nowhere.
    pub fn new(
        content: ContentHash,
        attempt: u32,
        model: &str,
        from: u32,
        vectors: &[Option<Vector>],
    ) -> Self {
        let model = model.to_owned();
        Self { content, attempt, model, from, pack: Pack::of(vectors) }
    }
}

/// Vectors one after the other, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pack {
    pub(crate) count: u32,
    pub(crate) bytes: Arc<[u8]>,
}

impl Pack {
    fn of(vectors: &[Option<Vector>]) -> Self {
        let length = vectors.iter().flatten().map(|vector| vector.0.len()).max().unwrap_or(0);
        let mut bytes = Vec::with_capacity(length * vectors.len());
        for vector in vectors {
            match vector {
                Some(vector) => {
                    assert_eq!(vector.0.len(), length, "vectors of one model have one length");
                    bytes.extend_from_slice(&vector.0);
                }
                None => bytes.resize(bytes.len() + length, 0),
            }
        }
        Self { count: u32::try_from(vectors.len()).unwrap_or(u32::MAX), bytes: bytes.into() }
    }
}

/// The places that are nearest to a vector, of those that were looked at.
pub(crate) struct Nearest<'a, P> {
    to: &'a Vector,
    most: usize,
    /// The farthest of them comes out first.
    best: BinaryHeap<Reverse<Near<P>>>,
    looked_at: u64,
}

struct Near<P> {
    likeness: f64,
    place: P,
}

impl<P: Ord + Copy> Ord for Near<P> {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of equals the one of the earlier place is nearer.
        self.likeness.total_cmp(&other.likeness).then(other.place.cmp(&self.place))
    }
}

impl<P: Ord + Copy> PartialOrd for Near<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: Ord + Copy> PartialEq for Near<P> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<P: Ord + Copy> Eq for Near<P> {}

impl<'a, P: Ord + Copy> Nearest<'a, P> {
    pub(crate) fn new(to: &'a Vector, most: u32) -> Self {
        Self { to, most: most as usize, best: BinaryHeap::new(), looked_at: 0 }
    }

    /// Looks at vectors that are stored together; `place` says where the one of a number stands.
    pub(crate) fn look_at(&mut self, count: u32, bytes: &[u8], place: impl Fn(u32) -> P) {
        self.looked_at += u64::from(count);
        let length = bytes.len() / (count.max(1) as usize);
        if length == 0 {
            return;
        }
        for (number, vector) in (0..count).zip(bytes.chunks_exact(length)) {
            let Some(likeness) = self.to.likeness(vector) else { continue };
            let near = Reverse(Near { likeness, place: place(number) });
            if self.best.len() < self.most {
                self.best.push(near);
            } else if let Some(mut farthest) = self.best.peek_mut()
                && near < *farthest
            {
                *farthest = near;
            }
        }
    }

    pub(crate) fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// The nearest first, with their likeness.
    pub(crate) fn into_places(self) -> Vec<(P, f64)> {
        let near = self.best.into_sorted_vec().into_iter();
        near.map(|Reverse(near)| (near.place, near.likeness)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn likeness(one: &[f32], other: &[f32]) -> Option<f64> {
        Vector::of(one)?.likeness(&Vector::of(other)?.0)
    }

    #[test]
    fn a_vector_is_a_direction() {
        assert_eq!(Vector::of(&[2.0, 0.0]), Vector::of(&[0.001, 0.0]));
        assert_eq!(likeness(&[1.0, 2.0], &[10.0, 20.0]), Some(1.0));
        assert_eq!(likeness(&[1.0, 0.0], &[0.0, 1.0]), Some(0.0));
        assert_eq!(likeness(&[1.0, 0.0], &[-1.0, 0.0]), Some(-1.0));
        assert_eq!(likeness(&[1.0, 0.0], &[1.0]), None);
        for nowhere in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY]] {
            assert_eq!(Vector::of(nowhere), None);
        }
    }

    #[test]
    fn the_nearest_are_kept_and_what_leads_nowhere_is_passed_over() {
        let vectors = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [3.0, 1.0]].map(|of| Vector::of(&of));
        let pack = Pack::of(&vectors);
        assert_eq!((pack.count, pack.bytes.len()), (4, 8));
        let to = Vector::of(&[1.0, 0.0]).unwrap();
        let mut nearest = Nearest::new(&to, 2);
        nearest.look_at(pack.count, &pack.bytes, |number| (0, number));
        let again = Pack::of(&vectors[..1]);
        nearest.look_at(again.count, &again.bytes, |number| (1, number));
        nearest.look_at(3, &Pack::of(&[None, None, None]).bytes, |number| (2, number));
        assert_eq!(nearest.looked_at(), 8);
        let places: Vec<_> = nearest.into_places().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [(0, 0), (1, 0)]);
    }

    proptest! {
        #[test]
        fn bytes_are_as_near_as_numbers(
            one in prop::collection::vec(-1.0..1.0_f32, 64),
            other in prop::collection::vec(-1.0..1.0_f32, 64),
        ) {
            let dot = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            let exact = dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt();
            prop_assert!((likeness(&one, &other).unwrap() - exact).abs() < 0.02);
        }
    }
}
