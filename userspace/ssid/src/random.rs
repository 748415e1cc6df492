//! Randomness that nobody outside may guess.

/// A random number.
///
/// # Panics
/// The kernel has no randomness, which happens before it has booted only.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom(&mut bytes);
    u64::from_ne_bytes(bytes)
}

fn getrandom(bytes: &mut [u8]) {
    let mut filled = 0;
    while filled < bytes.len() {
        let more =
            rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty());
        filled += more.expect("the kernel has randomness");
    }
}
