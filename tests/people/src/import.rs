//! The import of a file of users: batches of lines, several calls at the same time, and where to go on.

use crate::invoke::{Target, invoke};
use crate::object::{Object, location};
use crate::{ask, say};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The most users of one call (`shared/docs/moving.md`).
const MOST_USERS: usize = 500;
/// The most bytes of one call: Lambda takes 6 MB, and the call has other fields.
const MOST_BYTES: usize = 5_000_000;
/// The tries at a call. A repetition changes nothing.
const TRIES: usize = 3;

/// What to import.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportArgs {
    /// A file with a user on each line, `s3://BUCKET/KEY`, or - for the standard input.
    file: String,
    /// Check each line, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The calls at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=10))]
    at_once: u8,
}

/// Lines that one call imports, of which the file has `first` before them.
struct Batch {
    first: usize,
    /// The lines of the file, with empty ones.
    count: usize,
    /// The number of each user's line.
    lines: Vec<usize>,
    users: Vec<Value>,
    /// What is not JSON, by the number of the line.
    broken: Vec<usize>,
}

/// Where the lines come from.
enum Input {
    File(Box<dyn BufRead + Send>),
    Object(Object),
}

impl Input {
    fn open(name: &str) -> Result<Self> {
        if let Some(location) = location(name)? {
            return Ok(Self::Object(Object::open(location)?));
        }
        if name == "-" {
            return Ok(Self::File(Box::new(BufReader::new(std::io::stdin()))));
        }
        let opened = File::open(name).with_context(|| format!("failed to open {name}"))?;
        Ok(Self::File(Box::new(BufReader::new(opened))))
    }

    /// Returns what the lines belong to: the file beside the number of lines, or a version of an object.
    async fn source(&mut self, name: &str) -> Result<String> {
        Ok(match self {
            Self::File(_) => "file".to_owned(),
            Self::Object(object) => format!("{name} {}", object.version().await?),
        })
    }

    /// Returns the next line with its end; `None` after the last one.
    async fn line(&mut self) -> Result<Option<String>> {
        match self {
            Self::File(file) => {
                let mut line = String::new();
                let read = file.read_line(&mut line).context("failed to read the file")?;
                Ok((read > 0).then_some(line))
            }
            Self::Object(object) => object.line().await,
        }
    }
}

/// The batches of a file.
struct Batches {
    input: Input,
    done: usize,
    /// A line that did not fit into the batch before.
    kept: Option<String>,
}

/// The place of the number of lines that are done.
struct Resume {
    file: Option<PathBuf>,
    /// What the lines belong to.
    source: String,
    done: usize,
    /// The batches that ended before one in front of them, by the lines before them.
    ended: BTreeMap<usize, usize>,
}

/// What became of the lines.
#[derive(Default)]
struct Totals {
    created: u64,
    present: u64,
    problems: u64,
}

impl Batches {
    async fn open(input: Input, done: usize) -> Result<Self> {
        let mut batches = Self { input, done: 0, kept: None };
        for _ in 0..done {
            let line = batches.line().await?;
            ensure!(line.is_some(), "the file has fewer lines than are done: is it another one?");
            batches.done = batches.done.saturating_add(1);
        }
        Ok(batches)
    }

    async fn line(&mut self) -> Result<Option<String>> {
        match self.kept.take() {
            Some(kept) => Ok(Some(kept)),
            None => self.input.line().await,
        }
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let first = self.done;
        let (lines, users, broken) = (Vec::new(), Vec::new(), Vec::new());
        let mut batch = Batch { first, count: 0, lines, users, broken };
        let mut bytes = 0_usize;
        while batch.count < MOST_USERS {
            let Some(line) = self.line().await? else { break };
            bytes = bytes.saturating_add(line.len());
            if bytes > MOST_BYTES && batch.count > 0 {
                self.kept = Some(line);
                break;
            }
            self.done = self.done.saturating_add(1);
            batch.count = batch.count.saturating_add(1);
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(&line) {
                Ok(user) => {
                    batch.lines.push(self.done);
                    batch.users.push(user);
                }
                Err(_) => batch.broken.push(self.done),
            }
        }
        Ok((batch.count > 0).then_some(batch))
    }
}

impl Resume {
    fn of(arguments: &ImportArgs, source: String) -> Result<Self> {
        let file = &arguments.file;
        // That of an object is in the folder of the call.
        let name = match location(file)? {
            Some((_, key)) => key.rsplit('/').next(),
            None => Some(file.as_str()),
        };
        let name = name.filter(|_| file != "-" && !arguments.dry_run);
        let file = name.map(|name| PathBuf::from(format!("{name}.done")));
        let done = match file.as_deref().map(fs::read_to_string) {
            None => 0,
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => 0,
            Some(text) => {
                let text = text.context("failed to read the number of lines that are done")?;
                let (done, of) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
                let what = file.as_deref().unwrap_or(Path::new("-")).display();
                ensure!(
                    of == source,
                    "{what} belongs to another file or version: delete it to begin again"
                );
                done.parse().context("the file with the lines that are done has no number")?
            }
        };
        Ok(Self { file, source, done, ended: BTreeMap::new() })
    }

    /// Notes that a batch ended.
    fn note(&mut self, first: usize, count: usize) -> Result<()> {
        self.ended.insert(first, count);
        while let Some(count) = self.ended.remove(&self.done) {
            self.done = self.done.saturating_add(count);
        }
        if let Some(file) = &self.file {
            fs::write(file, format!("{} {}\n", self.done, self.source))
                .with_context(|| format!("failed to write {}", file.display()))?;
        }
        Ok(())
    }

    /// Deletes the number of lines: the file is done.
    fn end(&self) -> Result<()> {
        match self.file.as_deref().map(fs::remove_file) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("failed to delete the number of lines that are done")
            }
            _ => Ok(()),
        }
    }
}

/// Imports a file. Returns whether there were no problems.
///
/// # Errors
/// The file cannot be read, or a call failed. What is done is noted.
pub(crate) async fn import(
    target: &Target,
    arguments: &ImportArgs,
    call: &Map<String, Value>,
) -> Result<bool> {
    let mut input = Input::open(&arguments.file)?;
    let source = input.source(&arguments.file).await?;
    let mut resume = Resume::of(arguments, source)?;
    if resume.done > 0 {
        ask(&format!("going on after line {}\n", resume.done));
    }
    let mut batches = Batches::open(input, resume.done).await?;
    let mut call = call.clone();
    call.insert("dryRun".to_owned(), json!(arguments.dry_run));
    let (mut running, mut totals) = (JoinSet::new(), Totals::default());
    let mut shown = Instant::now();
    let mut has_more = true;
    loop {
        while has_more && running.len() < arguments.at_once.into() {
            match batches.next().await? {
                Some(batch) => {
                    let (target, call) = (target.clone(), call.clone());
                    running.spawn(async move {
                        let answer = send(&target, &call, &batch.users).await;
                        (batch, answer)
                    });
                }
                None => has_more = false,
            }
        }
        let Some(ended) = running.join_next().await else { break };
        let (batch, answer) = ended.context("a call was stopped")?;
        totals.add(&batch, &answer?)?;
        resume.note(batch.first, batch.count)?;
        if std::io::stderr().is_terminal() && shown.elapsed() >= Duration::from_secs(1) {
            shown = Instant::now();
            ask(&format!("{} lines\n", resume.done));
        }
    }
    resume.end()?;
    let Totals { created, present, problems } = totals;
    let verb = if arguments.dry_run { "to create" } else { "created" };
    say(&format!("{verb}: {created}\npresent: {present}\nproblems: {problems}"));
    Ok(problems == 0)
}

/// Sends users, and sends them again if the call fails.
async fn send(target: &Target, call: &Map<String, Value>, users: &[Value]) -> Result<Value> {
    if users.is_empty() {
        return Ok(json!({"created": 0, "present": 0, "problems": []}));
    }
    let mut payload = call.clone();
    payload.insert("users".to_owned(), json!(users));
    let payload = Value::Object(payload);
    let mut tries = 0_usize;
    loop {
        tries = tries.saturating_add(1);
        match invoke(target, "people", &payload).await {
            Ok(answer) => {
                if let Some(rule) = answer.get("refused").and_then(Value::as_str) {
                    bail!("{rule}");
                }
                return Ok(answer);
            }
            Err(error) if tries >= TRIES => return Err(error),
            Err(_) => {}
        }
    }
}

impl Totals {
    /// Counts an answer, and prints its problems.
    fn add(&mut self, batch: &Batch, answer: &Value) -> Result<()> {
        let number = |name: &str| {
            answer.get(name).and_then(Value::as_u64).context("the answer lacks its numbers")
        };
        self.created = self.created.saturating_add(number("created")?);
        self.present = self.present.saturating_add(number("present")?);
        let broken = batch.broken.iter().map(|line| (*line, "the line is not JSON"));
        let mut problems: Vec<_> = broken.collect();
        for problem in answer.get("problems").and_then(Value::as_array).into_iter().flatten() {
            let index = problem.get("line").and_then(Value::as_u64);
            let index = index.and_then(|line| usize::try_from(line.checked_sub(1)?).ok());
            let line = index.and_then(|index| batch.lines.get(index));
            let text = problem.get("problem").and_then(Value::as_str);
            let both = line.copied().zip(text);
            problems.push(both.context("a problem in the answer lacks its line")?);
        }
        problems.sort_by_key(|(line, _)| *line);
        for (line, problem) in problems {
            self.problems = self.problems.saturating_add(1);
            say(&format!("line {line}: {problem}"));
        }
        Ok(())
    }
}
