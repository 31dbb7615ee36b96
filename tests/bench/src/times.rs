//! The times and the memory of a start and of requests, on this machine.

use crate::flows::Flow;
use crate::process::{Function, Usage};
use crate::{Built, median, milliseconds, stack};
use acceptance::TestStack;
use std::time::Duration;

/// The number of processes of which the median is taken.
const STARTS: usize = 11;
/// The number of requests to a warm process whose mean is taken.
const REQUESTS: u32 = 100;
/// The number of requests before them.
const WARM_UP: u32 = 5;

/// Prints the times of all flows. With `hash`, passwords are hashed at the default cost of the template.
pub(crate) async fn run(built: &Built, hash: bool) -> anyhow::Result<()> {
    let stack = stack(!hash).await;
    println!(
        "| function | request | start, ms | first answer, ms | processor time of a request, ms | requests a second and core | memory, MiB |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for flow in Flow::ALL {
        let (start, first) = start(&stack, built, flow).await?;
        let Usage { cpu, peak_kib } = warm(&stack, built, flow).await?;
        println!(
            "| {} | {} | {} | {} | {} | {} | {}.{} |",
            flow.function(),
            flow.name(),
            milliseconds(start),
            milliseconds(first),
            milliseconds(cpu),
            Duration::from_secs(1).as_micros() / cpu.as_micros().max(1),
            peak_kib / 1024,
            peak_kib % 1024 * 10 / 1024,
        );
    }
    Ok(())
}

/// The medians of the time until a new process asks for an event, and of the time until its first answer.
async fn start(
    stack: &TestStack,
    built: &Built,
    flow: Flow,
) -> anyhow::Result<(Duration, Duration)> {
    let (mut starts, mut firsts) = (Vec::new(), Vec::new());
    let program = built.program(stack, flow)?;
    for _ in 0..STARTS {
        let event = flow.event(stack).await;
        let Function { mut runtime, process } = program.start_function().await?;
        runtime.polled(1).await?;
        starts.push(process.age());
        runtime.invoke(&event, flow.status()).await?;
        firsts.push(process.age());
        process.end().await?;
    }
    Ok((median(&starts), median(&firsts)))
}

/// The processor time of a request to a warm process, and the largest memory.
async fn warm(stack: &TestStack, built: &Built, flow: Flow) -> anyhow::Result<Usage> {
    let Function { mut runtime, process } = built.program(stack, flow)?.start_function().await?;
    let mut before = Duration::ZERO;
    for request in 0..WARM_UP + REQUESTS {
        let event = flow.event(stack).await;
        if request == WARM_UP {
            before = process.usage()?.cpu;
        }
        runtime.invoke(&event, flow.status()).await?;
    }
    runtime.polled(u64::from(WARM_UP + REQUESTS) + 1).await?;
    let usage = process.usage()?;
    process.end().await?;
    Ok(Usage { cpu: usage.cpu.saturating_sub(before) / REQUESTS, ..usage })
}
