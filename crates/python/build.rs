//! Compiles the C file that reads frames, against the headers of the interpreter that the module is built for.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=csrc/frames.c");
    println!("cargo:rerun-if-changed=csrc/frames.h");
    let python = pyo3_build_config::get().executable().unwrap_or("python3").to_owned();
    let answer = Command::new(&python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('include'))"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run {python} to find its headers: {error}"));
    let include = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    cc::Build::new()
        .file("csrc/frames.c")
        .include(&include)
        .include(format!("{include}/internal"))
        .std("c11")
        .warnings(false)
        .compile("tamis_frames");
}
