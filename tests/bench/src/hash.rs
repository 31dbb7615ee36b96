//! The instructions of a hash: as the functions are built and as they are deployed, beside the crate at opt-level 3.

use crate::Built;
use crate::counts::{self, DISTURBED};
use crate::flows::Flow;
use crate::stack;
use anyhow::{Context as _, bail};
use one_hash::MEMORY_KIB;

/// How many instructions a hash may take, in percent of those of the crate at opt-level 3.
const MOST: u64 = 120;
/// The program that the release profile builds, with the hashes alone.
const DEPLOYED: &str = "one-hash";

/// Fails if a hash in a built function, or as the release profile builds it, takes many more instructions than one by the crate at
/// opt-level 3.
pub(crate) async fn run(built: &Built) -> anyhow::Result<()> {
    let mut slow = Vec::new();
    println!("| a hash of {MEMORY_KIB} KiB | instructions | percent |");
    println!("| --- | --- | --- |");
    let bench = std::env::current_exe()?.display().to_string();
    let deployed = built.path(DEPLOYED)?;
    for hasher in ["argon2", "argon2-rust"] {
        let reference = of_program(&[&bench, "one-hash", hasher]).await?;
        println!("| {hasher} at opt-level 3 | {reference} | 100 |");
        let of_profile = of_program(&[&deployed, hasher]).await?;
        let mut rows =
            vec![(format!("{hasher} as the release profile builds it"), Some(of_profile))];
        // The default of the functions.
        if hasher == "argon2" {
            let name = format!("{hasher} in {}", Flow::SignUp.function());
            rows.push((name, in_function(built).await?));
        }
        for (name, count) in rows {
            let Some(count) = count else {
                println!("| {name} | not counted: {DISTURBED} | |");
                continue;
            };
            let percent = count * 100 / reference.max(1);
            println!("| {name} | {count} | {percent} |");
            if percent > MOST {
                slow.push(name);
            }
        }
    }
    if !slow.is_empty() {
        bail!("a hash takes more than {MOST} % of the crate's instructions: {}", slow.join(", "));
    }
    Ok(())
}

/// The instructions of a hash in a program: those of three less those of one, halved.
async fn of_program(command: &[&str]) -> anyhow::Result<u64> {
    let mut totals = [0; 2];
    for (total, hashes) in totals.iter_mut().zip(["1", "3"]) {
        let command = command.iter().copied().chain([hashes]).map(str::to_owned).collect();
        *total = counts::of_program(command).await?;
    }
    let [one, three] = totals;
    Ok(three.checked_sub(one).context("more hashes took fewer instructions")? / 2)
}

/// The instructions of a hash in the built function: those of a sign-up less those of one with the smallest hash. `None` on a machine
/// that is too busy.
async fn in_function(built: &Built) -> anyhow::Result<Option<u64>> {
    let stack = stack(true).await;
    let mut counts = [0; 2];
    for (count, memory) in counts.iter_mut().zip(["8".to_owned(), MEMORY_KIB.to_string()]) {
        let mut program = built.program(&stack, Flow::SignUp)?;
        program.environment.insert("ARGON2_MEMORY_KIB".to_owned(), memory);
        let counted = counts::request(&stack, &program, Flow::SignUp, [1, 3]).await?;
        let Some(counted) = counted else { return Ok(None) };
        *count = counted;
    }
    let [small, large] = counts;
    large.checked_sub(small).map(Some).context("a larger hash took fewer instructions")
}
