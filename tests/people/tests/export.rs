//! The export of all users, and their import into another stack. Needs the program `age` (Debian's package `age`):
//! `cargo test -p people --test export -- --include-ignored`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use acceptance::gotu::PASSWORD;
use acceptance::{TestStack, gotu, new_email, new_phone, posbytz, urbanfits};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program against a stack.
async fn people(stack: &TestStack, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_people-program"));
    command.args(arguments);
    command.args(["--why", "the move", "--who", "support", "--local", stack.url()]);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The key of a receiver.
struct Receiver {
    folder: PathBuf,
    public: String,
}

impl Receiver {
    /// A receiver with a new key.
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let key = folder.join("key");
        Command::new("age-keygen").arg("-o").arg(&key).output().unwrap();
        let text = fs::read_to_string(&key).unwrap();
        let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
        Self { public: public.to_owned(), folder }
    }

    /// Exports the users of a stack, and returns the text that the receiver reads.
    async fn exported(&self, stack: &TestStack, name: &str) -> String {
        let file = self.folder.join(name);
        let path = file.to_str().unwrap();
        let ran = people(stack, &["export-users", path, "--to", &self.public]).await;
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let encrypted = fs::read(&file).unwrap();
        assert!(encrypted.starts_with(b"age-encryption.org/v1\n"));
        let decrypted = Command::new("age")
            .arg("-d")
            .arg("-i")
            .arg(self.folder.join("key"))
            .arg(&file)
            .output();
        let decrypted = decrypted.unwrap();
        assert!(decrypted.status.success(), "{}", String::from_utf8_lossy(&decrypted.stderr));
        String::from_utf8(decrypted.stdout).unwrap()
    }
}

/// The lines of a text, sorted: the order of an export is that of the table.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
#[ignore = "needs the program age"]
async fn an_export_that_is_imported_is_exported_the_same() {
    let receiver = Receiver::new();
    let (from, to) = (&TestStack::with(&[]).await, &TestStack::with(&[]).await);
    let email = new_email();
    gotu(from).sign_up_by_email(&email).await;
    gotu(from).registered(&new_phone()).await;
    let (username, address) = urbanfits::new_person();
    urbanfits(from).registered(&username, &address).await;
    let token = posbytz(from).store_token("MOVES1").await;
    posbytz(from).registered(&token, &new_email()).await;
    let lines: Vec<_> = (0..1100)
        .map(|_| {
            json!({"contract": "gotu", "createdAt": "2020-01-02T03:04:05.678Z",
        "identifiers": [{"kind": "email", "value": new_email()}]})
            .to_string()
        })
        .collect();
    let moved = receiver.folder.join("users.jsonl");
    let path = moved.to_str().unwrap();
    fs::write(&moved, lines.join("\n")).unwrap();
    assert!(people(from, &["import", path]).await.status.success());
    let exported = receiver.exported(from, "first").await;
    assert!(exported.lines().count() >= 1103, "{}", exported.lines().count());
    assert!(exported.contains(&email) && exported.contains("$argon2id$"));
    fs::write(&moved, &exported).unwrap();
    let imported = people(to, &["import", path]).await;
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stdout));
    let again = receiver.exported(to, "second").await;
    assert_eq!(sorted(&again), sorted(&exported));
    assert_eq!(gotu(to).sign_in(&email, PASSWORD).await.status, 200);
}

#[tokio::test]
#[ignore = "needs the program age"]
async fn without_a_key_of_a_receiver_no_file_is_written() {
    let stack = TestStack::shared().await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-export");
    let path = file.to_str().unwrap();
    assert!(!people(stack, &["export-users", path]).await.status.success());
    assert!(!people(stack, &["export-users", path, "--to", "age1wrong"]).await.status.success());
    assert!(!file.exists() && !file.with_extension("part").exists());
}
