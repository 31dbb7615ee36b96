//! The instructions of a start and of a request. They do not depend on the load of the machine.

use crate::flows::Flow;
use crate::process::{Function, Program, scratch};
use crate::{Built, read_json, stack};
use acceptance::TestStack;
use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The numbers of requests of the two runs whose difference is the cost of a request. The first requests of a process open
/// connections and fill caches.
const FEW: u32 = 5;
const MANY: u32 = 25;
/// The processes that are tried for one count.
const ATTEMPTS: u32 = 3;
/// Why a flow was not counted.
pub(crate) const DISTURBED: &str = "calls ran out of time under valgrind";
/// How much a count may grow before the comparison fails, in percent.
const TOLERANCE: u64 = 10;

/// The instructions of a function.
pub(crate) struct Counted {
    /// Until the process asks for its first event.
    pub(crate) start: u64,
    /// Of a request to a warm process.
    pub(crate) request: u64,
}

/// Prints the counts of all flows, compares them with a file and writes them to a file, as asked.
pub(crate) async fn run(
    built: &Built,
    check: Option<&Path>,
    write: Option<&Path>,
) -> anyhow::Result<()> {
    let stack = stack(true).await;
    let before = check.map(read_json).transpose()?;
    let mut all = Map::new();
    let mut grown = Vec::new();
    println!("| function | request | start, instructions | request, instructions |");
    println!("| --- | --- | --- | --- |");
    for flow in Flow::ALL {
        let name = flow.function();
        let Some(Counted { start, request }) = count(&stack, built, flow).await? else {
            // A slow machine says nothing about the functions.
            println!("| {name} | {} | not counted: {DISTURBED} | |", flow.name());
            continue;
        };
        let mut cells = Vec::new();
        for (part, count) in [("start", start), ("request", request)] {
            all.entry(name).or_insert_with(|| Map::new().into())[part] = count.into();
            let old = before.as_ref().and_then(|before| before[name][part].as_u64());
            cells.push(cell(count, old));
            let most = old.map_or(u64::MAX, |old| old + old * TOLERANCE / 100);
            if count > most {
                grown.push(format!("{name} {part}"));
            }
        }
        println!("| {name} | {} | {} |", flow.name(), cells.join(" | "));
    }
    if let Some(path) = write {
        let text = serde_json::to_string_pretty(&Value::Object(all))?;
        std::fs::write(path, text + "\n").context("failed to write the counts")?;
    }
    if !grown.is_empty() {
        bail!("more than {TOLERANCE} % more instructions than recorded: {}", grown.join(", "));
    }
    Ok(())
}

/// A count in a table, with its change.
fn cell(count: u64, old: Option<u64>) -> String {
    let millions = |count: u64| format!("{}.{:03} M", count / 1_000_000, count % 1_000_000 / 1000);
    let Some(old) = old.filter(|old| *old > 0) else { return millions(count) };
    let thousandths = i128::from(count) * 1000 / i128::from(old) - 1000;
    let sign = if thousandths < 0 { '-' } else { '+' };
    let thousandths = thousandths.abs();
    format!("{} ({sign}{}.{} %)", millions(count), thousandths / 10, thousandths % 10)
}

/// Counts the instructions of a flow; `None` on a machine that is too busy.
pub(crate) async fn count(
    stack: &TestStack,
    built: &Built,
    flow: Flow,
) -> anyhow::Result<Option<Counted>> {
    let program = built.program(stack, flow)?;
    let Some(start) = total(stack, &program, flow, 0).await? else { return Ok(None) };
    let request = request(stack, &program, flow, [FEW, MANY]).await?;
    Ok(request.map(|request| Counted { start, request }))
}

/// Counts the instructions of a request to a warm process, from processes that answer few and many; `None` on a machine that is
/// too busy.
pub(crate) async fn request(
    stack: &TestStack,
    program: &Program,
    flow: Flow,
    [few, many]: [u32; 2],
) -> anyhow::Result<Option<u64>> {
    let Some(less) = total(stack, program, flow, few).await? else { return Ok(None) };
    let Some(more) = total(stack, program, flow, many).await? else { return Ok(None) };
    let more = more.checked_sub(less).context("more requests took fewer instructions")?;
    Ok(Some(more / u64::from(many - few)))
}

/// The instructions of a process that answers this number of requests. On a busy machine a call can run out of time, and is
/// made again, which counts twice: then another process is measured. `None` if each of them was disturbed.
async fn total(
    stack: &TestStack,
    program: &Program,
    flow: Flow,
    requests: u32,
) -> anyhow::Result<Option<u64>> {
    for _ in 0..ATTEMPTS {
        let total = attempt(stack, program, flow, requests).await?;
        if total.is_some() {
            return Ok(total);
        }
    }
    Ok(None)
}

/// Returns the instructions of one process, or `None` if it logged a warning or an error.
async fn attempt(
    stack: &TestStack,
    program: &Program,
    flow: Flow,
    requests: u32,
) -> anyhow::Result<Option<u64>> {
    let (program, output) = under_callgrind(program)?;
    let Function { mut runtime, process } = program.start_function().await?;
    runtime.polled(1).await.context("failed to start under valgrind")?;
    for request in 0..requests {
        let event = flow.event(stack).await;
        runtime.invoke(&event, flow.status()).await?;
        runtime.polled(u64::from(request) + 2).await?;
    }
    let log = process.end().await?;
    let total = read_total(&output, &log)?;
    Ok((!log.contains("\"WARN\"") && !log.contains("\"ERROR\"")).then_some(total))
}

/// Returns the program under valgrind, and the file that gets the counts of its instructions.
fn under_callgrind(program: &Program) -> anyhow::Result<(Program, PathBuf)> {
    let output = scratch("counts")?;
    let mut program = program.clone();
    let under = [
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", output.display()),
    ];
    program.command.splice(0..0, under);
    Ok((program, output))
}

/// Reads the instructions of a process that ended, which wrote `log`, and removes the file.
fn read_total(output: &Path, log: &str) -> anyhow::Result<u64> {
    let counts = std::fs::read_to_string(output);
    let counts = counts.with_context(|| format!("valgrind wrote no counts: {log}"))?;
    std::fs::remove_file(output)?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals:"));
    Ok(total.context("valgrind wrote no total")?.trim().parse()?)
}

/// Counts the instructions of a program that ends by itself.
pub(crate) async fn of_program(command: Vec<String>) -> anyhow::Result<u64> {
    let program = Program { command, environment: BTreeMap::new() };
    let (program, output) = under_callgrind(&program)?;
    let log = program.start()?.finish().await?;
    read_total(&output, &log)
}
