//! The processes that are measured.

use crate::runtime::Runtime;
use anyhow::{Context as _, ensure};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A program with its arguments, and its environment variables.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// A running program.
pub(crate) struct Process {
    child: Child,
    started: Instant,
    output: PathBuf,
}

/// A running function, with its Runtime API.
pub(crate) struct Function {
    pub(crate) runtime: Runtime,
    pub(crate) process: Process,
}

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// The time on a processor.
    pub(crate) cpu: Duration,
    /// The largest memory, in KiB.
    pub(crate) peak_kib: u64,
}

/// Returns the path of a new file in the folder `target/bench` of the project.
pub(crate) fn scratch(name: &str) -> anyhow::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = template::project_root().join("target/bench");
    fs::create_dir_all(&folder)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(folder.join(format!("{}-{number}-{name}", std::process::id())))
}

impl Program {
    /// Starts the program.
    pub(crate) fn start(&self) -> anyhow::Result<Process> {
        let (program, arguments) = self.command.split_first().context("no program")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(&self.environment);
        // A file takes all that a process writes; a pipe would stop it when it is full.
        let output = scratch("output")?;
        let out = File::options().create(true).append(true).open(&output)?;
        let err = out.try_clone()?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("failed to start {program}"))?;
        Ok(Process { child, started, output })
    }

    /// Starts the program as a function.
    pub(crate) async fn start_function(&self) -> anyhow::Result<Function> {
        let runtime = Runtime::start().await?;
        let mut program = self.clone();
        let address = runtime.address.clone();
        program.environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), address);
        Ok(Function { runtime, process: program.start()? })
    }
}

impl Process {
    /// The time since the process was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// What the process used so far, with all its threads.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let folder = format!("/proc/{}", self.id()?);
        let mut nanoseconds: u64 = 0;
        for thread in fs::read_dir(format!("{folder}/task"))? {
            // A thread may have ended in between.
            let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            nanoseconds += times.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
        }
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()).unwrap_or("0");
        Ok(Usage { cpu: Duration::from_nanos(nanoseconds), peak_kib: peak.parse()? })
    }

    /// Waits until the process has ended well. Returns what it wrote.
    pub(crate) async fn finish(mut self) -> anyhow::Result<String> {
        let status = self.child.wait().await?;
        let text = self.take_output()?;
        ensure!(status.success(), "the process ended with {status}: {text}");
        Ok(text)
    }

    /// Returns what the process wrote, and removes the file.
    fn take_output(&self) -> anyhow::Result<String> {
        let text = fs::read(&self.output)?;
        fs::remove_file(&self.output)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Ends the process with SIGTERM, at which a program that counts instructions writes its result. Returns what the process
    /// wrote.
    pub(crate) async fn end(mut self) -> anyhow::Result<String> {
        let id = self.id()?;
        let killed = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(killed.success(), "failed to end process {id}");
        self.child.wait().await?;
        self.take_output()
    }
}
