//! Functions for tests: real processes that stay silent, whose part of the Runtime API the test plays.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::outcome::Outcome;
use super::pool::{Delivery, Function, Launch};
use crate::logs::Logs;
use crate::random;

/// A function whose processes run a shell script. Its file goes when this does.
pub(crate) struct Scripted {
    pub(crate) function: Arc<Function>,
    pub(crate) logs: Arc<Logs>,
    script: PathBuf,
}

impl Scripted {
    pub(crate) fn new(script: &str, timeout: Duration) -> Self {
        let path = std::env::temp_dir().join(format!("local-function-{}", random::uuid()));
        // Written by another process: were the file open for writing in this one, a process that some other
        // test forks off at that moment would hold it open too, and a file being written cannot be executed.
        let written = std::process::Command::new("/bin/sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 700 "$1""#, "sh"])
            .arg(&path)
            .arg(script)
            .status()
            .unwrap();
        assert!(written.success());
        let logs = Arc::new(Logs::new(false));
        let launch = Launch {
            name: "f".to_owned(),
            executable: path.clone(),
            timeout,
            environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
            runtime_api: "127.0.0.1:1".to_owned(),
        };
        let function = Function::new(launch, Arc::clone(&logs));
        Self { function, logs, script: path }
    }

    /// A process that does nothing by itself.
    pub(crate) fn silent(timeout: Duration) -> Self {
        Self::new("exec sleep 60", timeout)
    }

    /// Lets instance 1 take its next event and answer it with what `answer` makes of it.
    pub(crate) async fn play(&self, answer: impl FnOnce(&[u8]) -> String) {
        let delivery = self.next(1).await;
        let outcome = Outcome::Answered(answer(&delivery.payload).into());
        self.function.answer(1, &delivery.request_id, outcome);
    }

    /// What instance `id` gets when it asks for its next event. Asks again until the instance is there.
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
