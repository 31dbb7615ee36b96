//! The export of all users into a file that only the receiver can read.

use crate::invoke::{Target, invoke};
use crate::say;
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What to export.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExportUsersArgs {
    /// The file to write.
    file: PathBuf,
    /// The public key of the receiver, as the program age-keygen prints it: age1…
    #[arg(long, value_name = "KEY")]
    to: String,
    /// The contract; by default every one.
    #[arg(long)]
    contract: Option<String>,
}

/// The program `age`, which encrypts what is written to it. The file has its name only when it is whole.
struct Encrypted {
    child: Child,
    part: PathBuf,
}

impl Encrypted {
    fn open(file: &Path, to: &str) -> Result<Self> {
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut age = Command::new("age");
        age.args(["--encrypt", "--recipient", to, "--output"]).arg(&part).stdin(Stdio::piped());
        let child =
            age.spawn().context("failed to run the program age (https://age-encryption.org)")?;
        Ok(Self { child, part })
    }

    fn write(&mut self, users: &[Value]) -> Result<()> {
        let input = self.child.stdin.as_mut().context("the program age has no input")?;
        for user in users {
            writeln!(input, "{user}").context("failed to write to the program age")?;
        }
        Ok(())
    }

    fn finish(mut self, file: &Path) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().context("failed to wait for the program age")?;
        ensure!(status.success(), "the program age failed");
        fs::rename(&self.part, file).with_context(|| format!("failed to write {}", file.display()))
    }

    /// Ends the program, and deletes what it wrote.
    fn abandon(mut self) {
        // The first failure is the one to report.
        _ = self.child.kill();
        _ = self.child.wait();
        _ = fs::remove_file(&self.part);
    }
}

/// Exports users.
///
/// # Errors
/// A call or the encryption failed, and no file was written.
pub(crate) async fn export(
    target: &Target,
    arguments: &ExportUsersArgs,
    call: &Map<String, Value>,
) -> Result<()> {
    let mut encrypted = Encrypted::open(&arguments.file, &arguments.to)?;
    match write_all(target, arguments, call, &mut encrypted).await {
        Ok(count) => {
            encrypted.finish(&arguments.file)?;
            say(&format!("exported: {count}"));
            Ok(())
        }
        Err(error) => {
            encrypted.abandon();
            Err(error)
        }
    }
}

/// Writes all pages, and returns the number of users.
async fn write_all(
    target: &Target,
    arguments: &ExportUsersArgs,
    call: &Map<String, Value>,
    encrypted: &mut Encrypted,
) -> Result<usize> {
    let mut payload = call.clone();
    payload.insert("contract".to_owned(), json!(arguments.contract));
    let mut count = 0_usize;
    loop {
        let answer = invoke(target, "people", &Value::Object(payload.clone())).await?;
        if let Some(rule) = answer.get("refused").and_then(Value::as_str) {
            bail!("{rule}");
        }
        let users = answer.get("users").and_then(Value::as_array);
        let users = users.context("the answer lacks its users")?;
        encrypted.write(users)?;
        count = count.saturating_add(users.len());
        match answer.get("cursor") {
            None | Some(Value::Null) => return Ok(count),
            Some(cursor) => payload.insert("cursor".to_owned(), cursor.clone()),
        };
    }
}
