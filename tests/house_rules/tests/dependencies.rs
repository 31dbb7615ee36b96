//! The crates that the functions consist of.

use house_rules::project::Project;
use std::process::Command;

/// Crates that a function must not contain. aws-lc seeds its random numbers from the jitter of the
/// processor, which takes some 50 ms of a cold start. The image has no native TLS libraries. `rsa`
/// has a timing side channel (RUSTSEC-2023-0071). `aws-config` reads profiles that Lambda has not.
const BANNED: [&str; 6] = ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls", "rsa", "aws-config"];

#[test]
fn the_functions_contain_no_banned_crate() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Project::here().root()).args(["tree", "--locked", "--package", "functions"]);
    let output = cargo.args(["--prefix", "none", "--edges", "normal,build"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for expected in ["ring", "aws-sdk-dynamodb"] {
        assert!(crates.contains(&expected), "the tree lacks {expected}: {tree}");
    }
    for banned in BANNED {
        assert!(!crates.contains(&banned), "{banned} is in the tree of the functions");
    }
}
