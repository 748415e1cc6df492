/// How many processes can be in the map `SUPERVISED`.
pub const SUPERVISED: usize = 1 << 16;

/// The values of the map `SUPERVISED`, by pid: processes whose end is to be known even if
/// nobody reads the ring, or whoever takes their exit code forgets it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supervised {
    /// When the process that ended had started; nanoseconds since boot.
    pub start: u64,
    /// A number by which userspace knows it again, whatever its pid; 0: it needs none.
    pub run: u64,
    /// How it ended, as `wait(2)` tells it.
    pub status: u32,
    /// 0: it has not ended. The first process that ends by this pid counts.
    pub ended: u32,
}

const _: () = assert!(size_of::<Supervised>() == 24);
