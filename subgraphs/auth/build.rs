//! Rebuilds when a migration changes: they are embedded into the program.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
