//! Starts the helper: a process of its own, not a child of the program, out of reach of the terminal's signals.

use std::ffi::CString;
use std::io;
use std::sync::atomic::Ordering;

use tamis_core::arena::Arena;

/// The descriptors under which the helper finds the arena and its configuration.
const ARENA_FD: i32 = 3;
const CONFIG_FD: i32 = 4;

/// Starts `command`, to which the numbers of both descriptors are appended.
///
/// The helper is the child of a child that ends at once, so that the program never meets it in `os.wait()`; that
/// child is made without a signal to the parent at its end, so that `SIGCHLD` tells nothing of it either.
pub fn launch(arena: &Arena, arena_fd: i32, config: &[u8], command: &[String]) -> io::Result<()> {
    let config_fd = config_file(config)?;
    let words = command.iter().cloned().chain([ARENA_FD.to_string(), CONFIG_FD.to_string()]);
    let words: Vec<CString> = words.map(CString::new).collect::<Result<_, _>>()?;
    let mut argv: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: between fork and exec only async-signal-safe calls are made, on memory prepared before.
    let started = unsafe {
        let child = quiet_fork();
        if child == 0 {
            let helper = quiet_fork();
            if helper == 0 {
                become_helper(arena_fd, config_fd, &argv);
            }
            if helper > 0 {
                arena.control().helper_pid.store(helper, Ordering::Release);
            }
            libc::_exit(i32::from(helper < 0));
        }
        if child < 0 { Err(io::Error::last_os_error()) } else { wait_for(child) }
    };
    // SAFETY: a descriptor of ours.
    unsafe { libc::close(config_fd) };
    started
}

/// A fork of which the parent is not told by a signal.
#[cfg(target_os = "linux")]
unsafe fn quiet_fork() -> i32 {
    // SAFETY: like fork, without handlers and without an exit signal.
    unsafe { libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) as i32 }
}

#[cfg(not(target_os = "linux"))]
unsafe fn quiet_fork() -> i32 {
    // SAFETY: the child only makes async-signal-safe calls.
    unsafe { libc::fork() }
}

fn wait_for(child: i32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    let options = libc::__WALL;
    #[cfg(not(target_os = "linux"))]
    let options = 0;
    let mut status = 0;
    loop {
        // SAFETY: a child of ours and a place for its status.
        if unsafe { libc::waitpid(child, &mut status, options) } == child {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
        Ok(())
    } else {
        Err(io::Error::other("the helper process could not be started"))
    }
}

/// In the helper-to-be: leaves everything of the program behind, and becomes the command.
unsafe fn become_helper(arena_fd: i32, config_fd: i32, argv: &[*const libc::c_char]) -> ! {
    // SAFETY: async-signal-safe calls only.
    unsafe {
        libc::setsid();
        libc::chdir(c"/".as_ptr());
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        // Out of the way first: they may be each other's targets.
        let arena = libc::fcntl(arena_fd, libc::F_DUPFD, 10);
        let config = libc::fcntl(config_fd, libc::F_DUPFD, 10);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for target in 0..3 {
            libc::dup2(null, target);
        }
        libc::dup2(arena, ARENA_FD);
        libc::dup2(config, CONFIG_FD);
        close_from(CONFIG_FD + 1);
        libc::execv(argv[0], argv.as_ptr());
        libc::_exit(127)
    }
}

unsafe fn close_from(first: i32) {
    // SAFETY: closing descriptors of the process to be.
    unsafe {
        #[cfg(target_os = "linux")]
        if libc::syscall(libc::SYS_close_range, first, i32::MAX, 0) == 0 {
            return;
        }
        for fd in first..65_536 {
            libc::close(fd);
        }
    }
}

/// The configuration as a file without a name, ready to be read.
fn config_file(config: &[u8]) -> io::Result<i32> {
    use std::io::{Seek, Write};
    use std::os::fd::{FromRawFd, IntoRawFd};
    let fd = tamis_core::arena::anonymous_file()?;
    // SAFETY: a new descriptor, owned from here on.
    let mut file = unsafe { std::fs::File::from_raw_fd(fd) };
    file.write_all(config)?;
    file.rewind()?;
    Ok(file.into_raw_fd())
}
