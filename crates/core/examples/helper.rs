//! The helper as a process of its own, for tests that kill it or take its disk away: `helper FD CONFIG`.

use tamis_core::arena::Arena;
use tamis_core::helper::{Config, run};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let fd = arguments.next().and_then(|fd| fd.parse().ok());
    let config = arguments.next().and_then(|config| serde_json::from_str::<Config>(&config).ok());
    let (Some(fd), Some(config)) = (fd, config) else {
        eprintln!("usage: helper FD CONFIG");
        std::process::exit(2);
    };
    match Arena::open(fd) {
        Ok(arena) => std::process::exit(run(arena, config)),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    }
}
