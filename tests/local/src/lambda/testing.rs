//! Functions for tests: the process runs a script, and the test makes its calls to the Runtime API.

use super::outcome::Outcome;
use super::pool::{Delivery, Function, Launch};
use crate::logs::Logs;
use crate::random;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A function whose processes run a shell script. The script is deleted at the end.
pub(crate) struct Scripted {
    pub(crate) function: Arc<Function>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) script: PathBuf,
}

/// Writes a shell script that can be executed.
pub(crate) fn write_script(path: &Path, script: &str) {
    // Another process writes the file: a file that is open for writing cannot be executed, and
    // a process that another test starts at this moment would inherit the open file.
    let written = std::process::Command::new("/bin/sh")
        .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 700 "$1""#, "sh"])
        .arg(path)
        .arg(script)
        .status()
        .unwrap();
    assert!(written.success());
}

impl Scripted {
    pub(crate) fn new(script: &str, timeout: Duration) -> Self {
        let path = std::env::temp_dir().join(format!("local-function-{}", random::uuid()));
        write_script(&path, script);
        let logs = Arc::new(Logs::default());
        let launch = Launch {
            name: "f".to_owned(),
            timeout,
            environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
            runtime_api: "127.0.0.1:1".to_owned(),
        };
        let function = Function::new(launch, path.clone(), Arc::clone(&logs), Arc::default());
        Self { function, logs, script: path }
    }

    /// Returns a function whose process does nothing.
    pub(crate) fn silent(timeout: Duration) -> Self {
        Self::new("exec sleep 60", timeout)
    }

    /// Takes the next event of instance 1 and answers it with the result of `answer`.
    pub(crate) async fn play(&self, answer: impl FnOnce(&[u8]) -> String) {
        let delivery = self.next(1).await;
        let outcome = Outcome::Answered(answer(&delivery.payload).into());
        self.function.answer(1, &delivery.request_id, outcome);
    }

    /// Takes the next event of an instance. Repeats until the instance exists.
    pub(super) async fn next(&self, id: u64) -> Delivery {
        loop {
            if let Some(delivery) = self.function.next(id).await {
                return delivery;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.function.close();
        drop(std::fs::remove_file(&self.script));
    }
}
