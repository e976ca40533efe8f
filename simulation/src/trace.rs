//! What happened, in order: its hash tells two runs apart, its end explains a failure.

use std::collections::{BTreeMap, VecDeque};

use unbroken_protocol::GenerationId;

/// Lines that are kept for a failure.
const TAIL: usize = 120;

/// The log of one schedule.
pub(crate) struct Trace {
    hash: u64,
    lines: u64,
    tail: VecDeque<String>,
    /// Every line is printed as it comes.
    verbose: bool,
    /// Generations by their order of appearance.
    names: BTreeMap<GenerationId, usize>,
}

impl Trace {
    pub(crate) fn new(verbose: bool) -> Self {
        let (tail, names) = (VecDeque::new(), BTreeMap::new());
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: 0, tail, verbose, names }
    }

    pub(crate) fn add(&mut self, line: String) {
        // FNV-1a.
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.lines += 1;
        if self.verbose {
            println!("{line}");
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    pub(crate) fn name(&mut self, id: GenerationId) -> String {
        let next = self.names.len() + 1;
        format!("g{}", self.names.entry(id).or_insert(next))
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }
}
