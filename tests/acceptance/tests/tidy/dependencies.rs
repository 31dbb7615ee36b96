//! What the functions are made of.

use super::{functions, root};
use std::process::Command;

/// design.md, "Start-up and size": aws-lc seeds its random numbers from CPU jitter, which costs a
/// cold start some 50 ms; native TLS libraries are not on the image.
const BANNED: [&str; 6] = ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls", "rsa", "aws-config"];

#[test]
fn the_functions_tree_has_no_banned_crate() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "tree",
        "--locked",
        "--prefix",
        "none",
        "--edges",
        "normal,build",
    ]);
    for function in functions() {
        cargo.args(["--package", &function]);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"ring") && crates.contains(&"aws-sdk-dynamodb"), "the tree is whole");
    for banned in BANNED {
        assert!(!crates.contains(&banned), "{banned} is in the functions' tree");
    }
}
