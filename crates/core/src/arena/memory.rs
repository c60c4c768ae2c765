//! Memory that processes share and no disk knows.

use std::io;

/// A file in memory that has no name on any disk.
#[cfg(target_os = "linux")]
pub fn anonymous_file() -> io::Result<i32> {
    // SAFETY: the name is a C string; the call makes a new descriptor.
    let fd = unsafe { libc::memfd_create(c"tamis".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(fd) }
}

#[cfg(not(target_os = "linux"))]
pub fn anonymous_file() -> io::Result<i32> {
    // SAFETY: `getpid` cannot fail.
    let name = format!("/tamis-{}-{:x}\0", unsafe { libc::getpid() }, super::monotonic_ns());
    let access = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
    // SAFETY: the name ends in NUL; it is unlinked at once, so that no other process can open it.
    let fd = unsafe { libc::shm_open(name.as_ptr().cast(), access, 0o600) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    unsafe { libc::shm_unlink(name.as_ptr().cast()) };
    Ok(fd)
}
