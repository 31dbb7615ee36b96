//! Runs two releases beside each other, as a canary does: `cargo run -p acceptance --example releases -- --commit REV`.
//!
//! Builds the functions of a commit, usually of the last release. Then signs a person up at every contract on two stacks: on
//! one, the relay of that commit delivers what the functions of the working tree write; on the other one, the other way
//! round. Everything must be delivered, and no relay may meet an entry that it cannot read.
//!
//! `--functions FILE` names a binary `all-functions` that was built before.

#![expect(clippy::print_stdout, reason = "results are printed")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a check that fails, fails")]

use acceptance::drivers::drivers;
use acceptance::{NO_LIMITS, TestStack};
use local::{Functions, Options};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The binary with every function; its first argument names the function.
const ALL_FUNCTIONS: &str = "all-functions";

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Builds the functions of a project, and copies them. All builds share the dependencies in `target`.
fn build(project: &Path, target: &Path, copy: &Path) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--locked", "--workspace", "--bin", ALL_FUNCTIONS];
    run(Command::new(cargo).args(arguments).current_dir(project).env("CARGO_TARGET_DIR", target));
    fs::copy(target.join("debug").join(ALL_FUNCTIONS), copy).unwrap();
    copy.to_owned()
}

/// Builds the functions of a commit from a copy of its files.
fn build_commit(root: &Path, commit: &str, folder: &Path) -> PathBuf {
    let project = folder.join(commit);
    fs::create_dir_all(&project).unwrap();
    let archive = folder.join(format!("{commit}.tar"));
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(root).status();
    let output = format!("--output={}", archive.display());
    let archived = git(&["archive", &output, commit]).unwrap();
    assert!(archived.success(), "git has no commit {commit}");
    run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&project));
    build(&project, &root.join("target"), &folder.join(format!("{commit}-functions")))
}

/// A program that runs the relay of one release and all other functions of another.
fn with_relay_of(relay: &Path, others: &Path, path: &Path) -> PathBuf {
    let script = format!(
        "#!/bin/sh\ncase $1 in relay) exec '{}' \"$@\" ;; *) exec '{}' \"$@\" ;; esac\n",
        relay.display(),
        others.display()
    );
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}

/// Signs a person up at every contract, and requires that everything is delivered.
async fn sign_everybody_up(functions: PathBuf) {
    let functions = Functions::Executable(functions);
    let options = Options { functions, ..Options::default() };
    let stack = &TestStack::with_options(&NO_LIMITS, options).await;
    for driver in drivers(stack).await {
        let person = driver.new_person();
        let asked = driver.ask_for_code(&person).await;
        let code = driver.code(&person, 1).await;
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        driver.expect_events(&person).await;
        stack.wait_until_delivered(&person.recipient).await;
        println!("  {}", driver.facts().name);
    }
    let lines = stack.json_lines();
    let errors: Vec<_> = lines.iter().filter(|(_, line)| line["level"] == "ERROR").collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(stack.items("Outbox").await.is_empty());
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let root = template::project_root();
    let folder = root.join("target/releases");
    fs::create_dir_all(&folder).unwrap();
    let last = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--commit", commit] => build_commit(&root, commit, &folder),
        ["--functions", file] => PathBuf::from(file),
        _ => panic!("usage: releases --commit REV | --functions FILE"),
    };
    let this = build(&root, &root.join("target"), &folder.join("this-functions"));
    println!("the last release's relay, items of this one:");
    sign_everybody_up(with_relay_of(&last, &this, &folder.join("last-relay"))).await;
    println!("this release's relay, items of the last one:");
    sign_everybody_up(with_relay_of(&this, &last, &folder.join("this-relay"))).await;
}
