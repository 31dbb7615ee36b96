//! The import of a file, as an operator does it, against a local stack.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use acceptance::{TestStack, new_phone};
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the program printed, and its exit status.
struct Ran {
    status: i32,
    printed: String,
    errors: String,
}

/// Imports a file, or a text at the standard input.
async fn import(stack: &TestStack, file: &Path, more: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_people-program"));
    command.arg("import").arg(file).args(more);
    command.args(["--why", "the move", "--who", "support", "--local", stack.url()]);
    command.env("RUST_BACKTRACE", "0");
    let input = input.to_owned();
    let run = move || {
        let pipe = Stdio::piped;
        let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    Ran {
        status: output.status.code().unwrap(),
        printed: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

fn line(phone: &str) -> String {
    let at = "2020-05-06T07:08:09Z";
    let user = json!({"contract": "gotu",
        "identifiers": [{"kind": "phone", "value": phone, "verifiedAt": at}]});
    format!("{user}\n")
}

/// A file of a test, and the file with its lines that are done.
fn files(name: &str) -> (PathBuf, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let done = folder.join(format!("{name}.jsonl.done"));
    if done.exists() {
        fs::remove_file(&done).unwrap();
    }
    (folder.join(format!("{name}.jsonl")), done)
}

#[tokio::test]
async fn a_file_is_imported_with_a_line_for_each_problem() {
    let stack = TestStack::shared().await;
    let (file, done) = files("problems");
    let phones: Vec<_> = (0..1201).map(|_| new_phone()).collect();
    let mut text: String = phones.iter().map(|phone| line(phone)).collect();
    text.push_str("\nno JSON\n");
    text.push_str(&line("+12"));
    text.push_str(&line(&new_phone()));
    fs::write(&file, &text).unwrap();
    let problems = "line 1203: the line is not JSON\nline 1204: the phone number is not valid\n";
    let expected = |verb: &str, created: usize, present: usize| {
        format!("{problems}{verb}: {created}\npresent: {present}\nproblems: 2\n")
    };
    let ran = import(stack, &file, &["--dry-run"], "").await;
    assert_eq!((ran.status, ran.printed), (1, expected("to create", 1202, 0)), "{}", ran.errors);
    assert_eq!(stack.items_with("Identifiers", &phones[1200]).await.len(), 0);
    let ran = import(stack, &file, &["--at-once", "2"], "").await;
    assert_eq!((ran.status, ran.printed), (1, expected("created", 1202, 0)), "{}", ran.errors);
    assert_eq!(stack.items_with("Identifiers", &phones[1200]).await.len(), 1);
    assert!(!done.exists());
    let again = import(stack, Path::new("-"), &[], &text).await;
    assert_eq!((again.status, again.printed), (1, expected("created", 0, 1202)));
}

#[tokio::test]
async fn an_import_that_was_stopped_goes_on_after_the_lines_that_are_done() {
    let stack = TestStack::shared().await;
    let (file, done) = files("stopped");
    let phones: Vec<_> = (0..700).map(|_| new_phone()).collect();
    let text: String = phones.iter().map(|phone| line(phone)).collect();
    fs::write(&file, &text).unwrap();
    // Nothing answers there: nothing is done.
    let nowhere = [
        "import",
        file.to_str().unwrap(),
        "--why",
        "the move",
        "--who",
        "support",
        "--local",
        "http://127.0.0.1:1",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_people-program")).args(nowhere).output().unwrap();
    assert_eq!((output.status.code(), done.exists()), (Some(1), false));
    fs::write(&done, "500 file\n").unwrap();
    let ran = import(stack, &file, &[], "").await;
    assert_eq!((ran.status, done.exists()), (0, false), "{}", ran.errors);
    assert_eq!(ran.errors, "going on after line 500\n");
    assert_eq!(ran.printed, "created: 200\npresent: 0\nproblems: 0\n");
    let ran = import(stack, &file, &[], "").await;
    assert_eq!(
        (ran.status, ran.printed.as_str()),
        (0, "created: 500\npresent: 200\nproblems: 0\n")
    );
    fs::write(&done, "701 file\n").unwrap();
    let ran = import(stack, &file, &[], "").await;
    assert!(ran.status == 1 && ran.errors.contains("fewer lines"), "{}", ran.errors);
}
