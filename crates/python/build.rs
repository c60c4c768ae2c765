//! Compiles the C file that reads frames, against the headers of the interpreter that the module is built for.

fn main() {
    println!("cargo:rerun-if-changed=csrc/frames.c");
    println!("cargo:rerun-if-changed=csrc/frames.h");
}
