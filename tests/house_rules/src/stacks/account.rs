//! What a deployment asks the account for, with the AWS CLI.

use super::deploy::Words;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;
use std::process::Command;

/// Returns the status of a stack; `None` if there is none of this name.
pub(super) fn status(stack: &str, region: Option<&str>) -> Result<Option<String>> {
    let words = ["cloudformation", "describe-stacks", "--stack-name", stack];
    let query = ["--query", "Stacks[0].StackStatus", "--output", "text"];
    match ask(words.into_iter().chain(query), region)? {
        Ok(status) => Ok(Some(status)),
        Err(error) if error.contains("does not exist") => Ok(None),
        Err(error) => bail!("failed to ask for the stack {stack}: {error}"),
    }
}

/// Checks that the stack of the data is in the state that the command is for.
///
/// # Errors
///
/// A first deployment finds a stack, or another one finds none. The error says what to do.
pub fn check_status(stack: &str, status: Option<&str>, create: bool) -> Result<()> {
    match (status, create) {
        // A change set that was never executed leaves a stack without resources.
        (None | Some("REVIEW_IN_PROGRESS"), true) => Ok(()),
        (None | Some("REVIEW_IN_PROGRESS"), false) => {
            bail!("there is no stack {stack}: take --create for the first deployment of a stage")
        }
        (Some(status @ ("ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED")), _) => bail!(
            "the creation of {stack} failed ({status}): delete the stack and what it left behind \
             (shared/docs/deploying.md, \"A first deployment that failed\")"
        ),
        (Some(status), true) => bail!(
            "{stack} exists ({status}): --create would take the protection off its tables; leave it out"
        ),
        (Some(_), false) => Ok(()),
    }
}

/// Checks that DynamoDB refuses to delete each table of a template.
///
/// # Errors
///
/// A table has no protection.
pub(super) fn check_protection(data: &Json, stack: &str, region: Option<&str>) -> Result<()> {
    for table in protected_tables(data, stack) {
        let words = ["dynamodb", "describe-table", "--table-name", &table];
        let query = ["--query", "Table.DeletionProtectionEnabled", "--output", "text"];
        let answer = ask(words.into_iter().chain(query), region)?;
        let answer = answer.map_err(anyhow::Error::msg);
        let answer = answer.with_context(|| format!("failed to ask for the table {table}"))?;
        ensure!(answer == "True", "the table {table} is not protected: deploy the data again");
    }
    Ok(())
}

/// The names of the tables that a stack of the data protects.
#[must_use]
pub fn protected_tables(data: &Json, stack: &str) -> Vec<String> {
    let resources = data.get("Resources").and_then(Json::as_object);
    let tables = resources.into_iter().flatten().filter_map(|(_, resource)| {
        let protection = resource.pointer("/Properties/DeletionProtectionEnabled")?;
        let name = resource.pointer("/Properties/TableName/Fn::Sub")?.as_str()?;
        (*protection == Json::Bool(true)).then(|| name.replace("${AWS::StackName}", stack))
    });
    tables.collect()
}

/// Runs the AWS CLI; returns what it printed, or its error.
fn ask<'a>(
    words: impl Iterator<Item = &'a str>,
    region: Option<&'a str>,
) -> Result<Result<String, String>> {
    let region = region.into_iter().flat_map(|region| ["--region", region]);
    let words: Words = words.chain(region).map(str::to_owned).collect();
    let ran = Command::new("aws").args(&words).output().context("failed to run aws")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok(if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) })
}
