//! Where bytes are read to before they go on.

/// Room at first. Most commands say little, and memory that is touched for the first time has to
/// be made and cleared: that is a good part of what a short command costs.
const FIRST: usize = 2 << 10;
/// Room at most.
const MOST: usize = 64 << 10;

/// Room for what is read, more of it once much comes.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<u8>);

impl Scratch {
    /// Room for not more than `most` bytes.
    pub(super) fn room(&mut self, most: usize) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = vec![0; FIRST];
        }
        let room = self.0.len().min(most);
        &mut self.0[..room]
    }

    /// The bytes that were read. Also whether there may be more, as all room was taken; there is
    /// more room next time then.
    pub(super) fn took(&mut self, count: usize) -> (&[u8], bool) {
        let full = count == self.0.len();
        if full && count < MOST {
            self.0.resize(count * 2, 0);
        }
        (&self.0[..count], full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_what_comes() {
        let mut scratch = Scratch::default();
        assert_eq!(scratch.room(10).len(), 10);
        assert_eq!(scratch.took(10), (&[0; 10][..], false));
        let mut rooms = Vec::new();
        for _ in 0..7 {
            let room = scratch.room(usize::MAX);
            room[0] = 7;
            let room = room.len();
            rooms.push(room);
            let (taken, full) = scratch.took(room);
            assert!(full && taken.len() == room && taken[0] == 7);
        }
        assert_eq!(rooms[0], FIRST);
        assert_eq!(rooms[5..], [MOST, MOST]);
    }
}
