//! Has the crate built again when the playground was built, or built anew.

fn main() {
    let dist = "../playground/dist";
    let watched = if std::path::Path::new(dist).exists() {
        dist
    } else {
        "../playground"
    };
    println!("cargo:rerun-if-changed={watched}");
}
