//! The crates that the functions consist of.

use anyhow::ensure;
use house_rules::project::Project;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// Crates that a function must not contain. aws-lc seeds its random numbers from the jitter of the
/// processor, which takes some 50 ms of a cold start. The image has no native TLS libraries. `rsa`
/// has a timing side channel (RUSTSEC-2023-0071). `aws-config` reads profiles that Lambda has not.
const BANNED: [&str; 6] = ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls", "rsa", "aws-config"];

/// The packages whose tests, examples or programs are run alone and that contain the SDK.
const RUN_ALONE: [&str; 8] =
    ["acceptance", "bench", "latchkey", "local", "people", "replay", "standalone", "usecases"];

/// Returns what `cargo tree` prints of the project with these arguments, a line for each crate.
fn tree(arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Project::here().root()).args(["tree", "--locked", "--prefix", "none"]);
    let output = cargo.args(arguments).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout)?;
    Ok(tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect())
}

/// Programs of one name overwrite each other in the folder of the build, so that another program than the
/// function would be deployed.
#[test]
fn each_program_has_a_name_of_its_own() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Project::here().root());
    let output =
        cargo.args(["metadata", "--locked", "--no-deps", "--format-version", "1"]).output();
    let metadata: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let list = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
    let targets =
        list(&metadata, "packages").into_iter().flat_map(|package| list(&package, "targets"));
    let programs = targets.filter(|target| target["kind"] == json!(["bin"]));
    let mut names: Vec<_> = programs.map(|target| target["name"].to_string()).collect();
    assert!(names.len() > 40, "{names:?}");
    names.sort();
    let repeated: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

/// The program `one-hash` shows how the functions' profile builds a hash, so it must have their settings.
#[test]
fn the_functions_and_the_program_one_hash_have_the_same_profile() {
    let manifest = Project::here().read("Cargo.toml").unwrap();
    let sections: Vec<_> = manifest.lines().filter(|line| line.starts_with('[')).collect();
    assert!(sections.contains(&"[profile.release.package.argon2]"), "{sections:?}");
    for package in ["functions", "one-hash"] {
        let own = [package.to_owned(), format!("\"{package}\"")]
            .map(|name| format!("[profile.release.package.{name}]"));
        let has_own = sections.iter().any(|section| own.iter().any(|own| own == section));
        assert!(!has_own, "the release profile has settings of its own for {package}");
    }
}

#[test]
fn the_functions_contain_no_banned_crate() {
    let tree = tree(&["--package", "functions", "--edges", "normal,build"]).unwrap();
    let crates: Vec<_> = tree.iter().filter_map(|line| line.split(' ').next()).collect();
    for expected in ["ring", "aws-sdk-dynamodb"] {
        assert!(crates.contains(&expected), "the tree lacks {expected}: {tree:?}");
    }
    for banned in BANNED {
        assert!(!crates.contains(&banned), "{banned} is in the tree of the functions");
    }
}

/// `cargo run` starts functions of the whole workspace, and so do `cargo lambda build` and
/// `sam build`, which run in its root. A command that compiled a crate with other features would
/// test another program than the one that is deployed, and compile the SDK once more.
#[test]
fn every_command_compiles_the_same_features() {
    const FORMAT: [&str; 2] = ["--format", "{p} with {f}"];
    let features = |package: &[&str], edges: &str| {
        let tree = tree(&[package, &["--edges", edges], &FORMAT].concat()).unwrap();
        tree.into_iter().collect::<BTreeSet<_>>()
    };
    let tested = features(&["--workspace"], "normal,build,dev");
    let deployed = features(&["--workspace"], "normal,build");
    let mut others = vec![("a deployment", deployed)];
    for package in RUN_ALONE {
        others.push((package, features(&["--package", package], "normal,build,dev")));
    }
    for (command, compiled) in others {
        assert!(compiled.iter().any(|line| line.starts_with("aws-sdk-dynamodb ")), "{command}");
        let different: Vec<_> = compiled.difference(&tested).collect();
        assert!(different.is_empty(), "{command} has crates with other features: {different:?}");
    }
}
