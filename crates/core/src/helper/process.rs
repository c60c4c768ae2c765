//! Whether a process lives, and still is what it was.

use std::time::{Duration, Instant};

/// How often at most a silent process is asked whether it runs another program now, and how seldom at least.
const LOOK_SOONEST: Duration = Duration::from_millis(300);
const LOOK_LATEST: Duration = Duration::from_secs(3);

/// A process under watch.
pub struct Watch {
    pid: i32,
    /// A descriptor that becomes readable at its end; none where the system has no such thing.
    fd: Option<i32>,
    gone: bool,
    look_at: Instant,
    look_every: Duration,
}

impl Watch {
    pub fn new(pid: i32) -> Watch {
        let mut gone = false;
        let fd = open(pid, &mut gone);
        Watch { pid, fd, gone, look_at: Instant::now() + LOOK_SOONEST, look_every: LOOK_SOONEST }
    }

    /// The process has ended.
    pub fn gone(&mut self) -> bool {
        if !self.gone {
            self.gone = match self.fd {
                Some(fd) => readable(fd),
                None => !exists(self.pid),
            };
        }
        self.gone
    }

    /// The process has ended, or (`exec`) runs another program, without our memory. Asked of silent ones only.
    pub fn gone_or_replaced(&mut self) -> bool {
        if self.gone() {
            return true;
        }
        let now = Instant::now();
        if now < self.look_at {
            return false;
        }
        self.gone = replaced(self.pid);
        // Whoever is silent for long is asked less often: the answer costs the system a walk over all mappings.
        self.look_every = (self.look_every * 3 / 2).min(LOOK_LATEST);
        self.look_at = now + self.look_every;
        self.gone
    }

    /// It has just said something.
    pub fn heard(&mut self) {
        self.look_every = LOOK_SOONEST;
        self.look_at = Instant::now() + LOOK_SOONEST;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(fd) = self.fd {
            // SAFETY: the descriptor is ours alone.
            unsafe { libc::close(fd) };
        }
    }
}

#[cfg(target_os = "linux")]
fn open(pid: i32, gone: &mut bool) -> Option<i32> {
    // SAFETY: the call takes plain numbers and makes a descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        *gone = std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        return None;
    }
    Some(fd as i32)
}

#[cfg(not(target_os = "linux"))]
fn open(_pid: i32, _gone: &mut bool) -> Option<i32> {
    None
}

fn readable(fd: i32) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 }
}

fn exists(pid: i32) -> bool {
    // SAFETY: signal 0 only asks.
    pid > 0 && (unsafe { libc::kill(pid, 0) } == 0 || errno() == libc::EPERM)
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Our memory is not among its mappings. When they cannot be read, it is taken to be the same as before.
#[cfg(target_os = "linux")]
fn replaced(pid: i32) -> bool {
    match std::fs::read(format!("/proc/{pid}/maps")) {
        Ok(maps) => !maps.windows(13).any(|window| window == b"/memfd:tamis "),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

#[cfg(not(target_os = "linux"))]
fn replaced(_pid: i32) -> bool {
    false
}

/// The terminal's signals are for the program. A file that grows beyond its limit must be an error, not an end.
pub fn ignore_signals() {
    let signals = [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGPIPE,
        libc::SIGXFSZ,
        libc::SIGTSTP,
    ];
    for signal in signals {
        // SAFETY: SIG_IGN is a valid disposition for each of them.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Memory that is given back is asked for again at once: the system's own bounds would make every page of it new.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the calls only set bounds.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 16 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 32 << 20);
    }
}
