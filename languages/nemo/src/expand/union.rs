//! Sets that are joined: each is called by its smallest member.

/// Disjoint sets of numbers from 0.
#[derive(Debug, Default)]
pub(crate) struct Union {
    parent: Vec<usize>,
}

impl Union {
    /// At least so many numbers, new ones in sets of their own.
    pub(crate) fn grow(&mut self, count: usize) {
        self.parent.extend(self.parent.len()..count.max(self.parent.len()));
    }

    /// The smallest member of the set.
    pub(crate) fn find(&mut self, mut of: usize) -> usize {
        while self.parent[of] != of {
            self.parent[of] = self.parent[self.parent[of]];
            of = self.parent[of];
        }
        of
    }

    /// Makes two sets one.
    pub(crate) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.parent[one.max(other)] = one.min(other);
    }
}
