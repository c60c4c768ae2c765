//! The clock of a recording: the same in every process of it.

/// The unit of the times in records.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    Nanoseconds = 0,
    /// The processor's time-stamp counter, where it is invariant.
    Tsc = 1,
}

impl Clock {
    /// The counter where the processor says that it runs at one speed always, else the system's clock.
    pub fn best() -> Clock {
        if invariant_tsc() { Clock::Tsc } else { Clock::Nanoseconds }
    }

    #[inline(always)]
    pub fn ticks(self) -> u64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: RDTSC has no preconditions; `best` chose it only where it exists.
            Clock::Tsc => unsafe { std::arch::x86_64::_rdtsc() },
            _ => monotonic_ns(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn invariant_tsc() -> bool {
    use std::arch::x86_64::__cpuid;
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & (1 << 8) != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn invariant_tsc() -> bool {
    false
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Nanoseconds since 1970.
pub(super) fn wall_ns() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_nanos() as u64)
}
