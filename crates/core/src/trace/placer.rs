//! Complete files get their names, beside the writing: that takes the disk's time.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::segment::Complete;

/// The thread that puts complete files in place, in their order.
pub struct Placer {
    files: Option<SyncSender<Complete>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Placer {
    pub fn start() -> io::Result<Placer> {
        let (files, received) = sync_channel::<Complete>(24);
        let thread = std::thread::Builder::new()
            .name("tamis-placer".into())
            .spawn(move || received.into_iter().try_for_each(Complete::put_in_place))?;
        Ok(Placer { files: Some(files), thread: Some(thread) })
    }

    pub fn put(&mut self, file: Complete) -> io::Result<()> {
        match &self.files {
            Some(files) if files.send(file).is_ok() => Ok(()),
            _ => self.finish(),
        }
    }

    /// Waits until all are in their places; an error is what stopped it.
    pub fn finish(&mut self) -> io::Result<()> {
        self.files = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that names files stopped unexpectedly")))
    }
}
