//! Compiles the C files, against the headers of the interpreter that the module is built for.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=csrc/frames.c");
    println!("cargo:rerun-if-changed=csrc/frames.h");
    println!("cargo:rerun-if-changed=csrc/program.c");
    let python = pyo3_build_config::get().executable().unwrap_or("python3").to_owned();
    let answer = Command::new(&python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('include'))"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run {python} to find its headers: {error}"));
    let include = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    cc::Build::new()
        .file("csrc/frames.c")
        .file("csrc/program.c")
        .include(&include)
        .include(format!("{include}/internal"))
        .std("c11")
        .warnings(false)
        .compile("tamis_frames");
}
