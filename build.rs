//! Asks pkg-config which libvirt this build links with, for `--version`.

fn main() {
    // The recipes are in the binary; a new one is not noticed otherwise.
    println!("cargo::rerun-if-changed=stdlib");
    let version = pkg_config::Config::new()
        .cargo_metadata(false)
        .probe("libvirt")
        .map_or_else(|_| "unknown".to_owned(), |library| library.version);
    println!("cargo::rustc-env=VIRHAI_LIBVIRT_COMPILED={version}");
    println!("cargo::rerun-if-changed=build.rs");
    // A new recipe is in the binary as well.
    println!("cargo::rerun-if-changed=stdlib");
}
