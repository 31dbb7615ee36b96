//! Latchkey beside other ways to do the same, in one run. Everything is reached over TLS where it would be on AWS.

use crate::events;
use crate::flows::Flow;
use crate::plot;
use crate::process::{Function, Process, Program, Usage, scratch};
use crate::tls::TlsFront;
use crate::{Built, median, milliseconds, stack};
use acceptance::{TestStack, new_email};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the subjects take turns. The median of the rounds counts.
const ROUNDS: usize = 5;
/// The requests of a round to a warm process, and the sign-ups of a round.
const REQUESTS: u32 = 100;
const SIGN_UPS: u32 = 40;
/// The requests before them.
const WARM_UP: u32 = 10;
/// The time that a service has for its start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A function to measure.
struct FunctionSubject {
    name: &'static str,
    program: Program,
    /// The flow, for Latchkey's own; the others ignore their event.
    flow: Option<Flow>,
    starts: Vec<Duration>,
    requests: Vec<Duration>,
    peak_kib: u64,
}

/// Something that signs people up by e-mail and password.
struct SignUpSubject {
    name: &'static str,
    kind: Kind,
    sign_ups: Vec<Duration>,
    peak_kib: u64,
}

enum Kind {
    /// Latchkey's function.
    Function(Program),
    /// A service with an HTTP port, its path and the status of a new account.
    Service { program: Program, path: &'static str, status: u16 },
}

/// The peers' programs, which `prepare` installs.
struct Installed {
    node: PathBuf,
    python: PathBuf,
    stock: PathBuf,
}

/// Installs the peers, measures all subjects and writes the tables and plots to `output`.
pub(crate) async fn run(built: &Built, output: &Path) -> anyhow::Result<()> {
    let installed = prepare().await?;
    let stack = stack(false).await;
    let certificates = scratch("tls")?;
    std::fs::create_dir_all(&certificates)?;
    let aws = stack.environment("gotu-post-otp");
    let url = aws.get("AWS_ENDPOINT_URL").context("the stack has no endpoint")?;
    let tls = TlsFront::start(url, &certificates).await?;

    let mut functions = functions(&installed, &stack, built, &tls)?;
    let mut sign_ups = sign_ups(&installed, &stack, built, &tls)?;
    for round in 0..ROUNDS {
        println!("round {} of {ROUNDS}", round + 1);
        for subject in &mut functions {
            measure_function(&stack, subject).await.with_context(|| subject.name.to_owned())?;
        }
        for subject in &mut sign_ups {
            measure_sign_ups(subject).await.with_context(|| subject.name.to_owned())?;
        }
    }
    std::fs::create_dir_all(output)?;
    let text = report(&functions, &sign_ups);
    println!("{text}");
    std::fs::write(output.join("peers.md"), text)?;
    let bars: Vec<_> = sign_ups.iter().map(|one| (one.name, per_second(one))).collect();
    let title = "Sign-ups by e-mail and password, a second and core (equal Argon2id)";
    std::fs::write(output.join("sign-ups.svg"), plot::bars(title, "", &bars))?;
    let bars: Vec<_> = functions
        .iter()
        .map(|one| (one.name, median(&one.starts).as_secs_f64() * 1000.0))
        .collect();
    let title = "Cold start: from the start of the process to its first answer";
    std::fs::write(output.join("cold-starts.svg"), plot::bars(title, "ms", &bars))?;
    std::fs::remove_dir_all(&certificates)?;
    Ok(())
}

/// Installs the peers into `target/bench`, unless they are there.
async fn prepare() -> anyhow::Result<Installed> {
    let peers = template::project_root().join("tests/bench/peers");
    let target = template::project_root().join("target/bench");
    let (node, python, stock) = (target.join("node"), target.join("python"), target.join("stock"));
    std::fs::create_dir_all(&node)?;
    for file in ["package.json", ".npmrc", "function.mjs", "service.mjs"] {
        std::fs::copy(peers.join("node").join(file), node.join(file))?;
    }
    shell(&node, &["npm", "install", "--silent"]).await?;
    let bundle = [
        "node_modules/.bin/esbuild",
        "function.mjs",
        "--bundle",
        "--minify",
        "--platform=node",
        "--format=esm",
        "--outfile=bundle.mjs",
        "--banner:js=import{createRequire}from'module';const require=createRequire(import.meta.url);",
    ];
    shell(&node, &bundle).await?;
    let requirements = peers.join("python/requirements.txt").display().to_string();
    if !python.join("bin/python").exists() {
        let folder = python.display().to_string();
        shell(&peers, &["python3", "-m", "venv", &folder]).await?;
    }
    let pip = python.join("bin/pip").display().to_string();
    shell(
        &peers,
        &[&pip, "install", "--quiet", "--disable-pip-version-check", "-r", &requirements],
    )
    .await?;
    std::fs::create_dir_all(&stock)?;
    let manifest = peers.join("stock/Cargo.toml").display().to_string();
    let folder = stock.display().to_string();
    shell(
        &peers,
        &["cargo", "build", "--release", "--manifest-path", &manifest, "--target-dir", &folder],
    )
    .await?;
    Ok(Installed { node, python, stock: stock.join("release") })
}

/// Runs a command, which must succeed.
async fn shell(folder: &Path, command: &[&str]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    println!("{}", command.join(" "));
    let status = tokio::process::Command::new(program).args(arguments).current_dir(folder).status();
    ensure!(
        status.await.with_context(|| format!("failed to start {program}"))?.success(),
        "{program} failed"
    );
    Ok(())
}

/// The environment that a client of AWS needs to reach the stack over TLS.
fn over_tls(
    mut environment: BTreeMap<String, String>,
    tls: &TlsFront,
    name: &str,
) -> BTreeMap<String, String> {
    let certificate = tls.certificate.display().to_string();
    for (variable, value) in [
        ("AWS_ENDPOINT_URL", tls.url.as_str()),
        // The stack tells its callers apart by the key id.
        ("AWS_ACCESS_KEY_ID", &format!("{name}.1000")),
        ("USE_SYSTEM_ROOTS", "true"),
        ("SSL_CERT_FILE", &certificate),
        ("NODE_EXTRA_CA_CERTS", &certificate),
        ("AWS_CA_BUNDLE", &certificate),
    ] {
        environment.insert(variable.to_owned(), value.to_owned());
    }
    environment
}

fn latchkey(
    stack: &TestStack,
    built: &Built,
    tls: &TlsFront,
    flow: Flow,
) -> anyhow::Result<Program> {
    let Program { command, environment } = built.program(stack, flow)?;
    Ok(Program { command, environment: over_tls(environment, tls, flow.function()) })
}

fn functions(
    installed: &Installed,
    stack: &TestStack,
    built: &Built,
    tls: &TlsFront,
) -> anyhow::Result<Vec<FunctionSubject>> {
    let Installed { node, python, stock } = installed;
    let mut aws = over_tls(stack.environment("gotu-post-otp"), tls, "gotu-post-otp");
    // Latchkey ignores an empty one; the SDKs do not.
    aws.retain(|name, _| !name.starts_with("AWS_ENDPOINT_URL_"));
    let peer = |command: &[String]| Program { command: command.to_vec(), environment: aws.clone() };
    let path = |folder: &Path, file: &str| folder.join(file).display().to_string();
    let mut environment = peer(&[]).environment;
    environment.insert("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    let script = |command: &[String]| Program {
        command: command.to_vec(),
        environment: environment.clone(),
    };
    let function_py =
        template::project_root().join("tests/bench/peers/python/function.py").display().to_string();
    let subjects = [
        ("nothing (lambda_runtime)", peer(&[path(stock, "no-op")]), None),
        ("Latchkey: no route", latchkey(stack, built, tls, Flow::NoRoute)?, Some(Flow::NoRoute)),
        (
            "Latchkey: request a code",
            latchkey(stack, built, tls, Flow::RequestCode)?,
            Some(Flow::RequestCode),
        ),
        ("Latchkey: verify a pin", latchkey(stack, built, tls, Flow::Verify)?, Some(Flow::Verify)),
        (
            "Latchkey: refresh a session",
            latchkey(stack, built, tls, Flow::Refresh)?,
            Some(Flow::Refresh),
        ),
        ("one PutItem, SDK for Rust", peer(&[path(stock, "stock-sdk")]), None),
        (
            "one PutItem, Node (bundled)",
            script(&["node".to_owned(), path(node, "bundle.mjs")]),
            None,
        ),
        ("one PutItem, Python (boto3)", script(&[path(python, "bin/python"), function_py]), None),
    ];
    let subject = |(name, program, flow)| FunctionSubject {
        name,
        program,
        flow,
        starts: Vec::new(),
        requests: Vec::new(),
        peak_kib: 0,
    };
    Ok(subjects.into_iter().map(subject).collect())
}

fn sign_ups(
    installed: &Installed,
    stack: &TestStack,
    built: &Built,
    tls: &TlsFront,
) -> anyhow::Result<Vec<SignUpSubject>> {
    let own = latchkey(stack, built, tls, Flow::SignUp)?;
    let mut fast = own.clone();
    fast.environment.insert("PASSWORD_HASHER".to_owned(), "argon2-rust".to_owned());
    let service_py =
        template::project_root().join("tests/bench/peers/python/service.py").display().to_string();
    let service = |command: Vec<String>| {
        let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
        Program { command, environment: [path].into() }
    };
    let node =
        service(vec!["node".to_owned(), installed.node.join("service.mjs").display().to_string()]);
    let python =
        service(vec![installed.python.join("bin/python").display().to_string(), service_py]);
    let subjects = [
        ("Latchkey, argon2-rust", Kind::Function(fast)),
        ("Latchkey, argon2 (default)", Kind::Function(own)),
        (
            "better-auth (Node), in memory",
            Kind::Service { program: node, path: "/api/auth/sign-up/email", status: 200 },
        ),
        (
            "fastapi-users (Python), SQLite",
            Kind::Service { program: python, path: "/register", status: 201 },
        ),
    ];
    let subject = |(name, kind)| SignUpSubject { name, kind, sign_ups: Vec::new(), peak_kib: 0 };
    Ok(subjects.into_iter().map(subject).collect())
}

async fn measure_function(stack: &TestStack, subject: &mut FunctionSubject) -> anyhow::Result<()> {
    let event = async |flow: Option<Flow>| match flow {
        Some(flow) => (flow.event(stack).await, flow.status()),
        None => (events::without_route(), 204),
    };
    let (first, status) = event(subject.flow).await;
    let Function { mut runtime, process } = subject.program.start_function().await?;
    let answered = runtime.invoke(&first, status).await;
    if let Err(error) = answered {
        bail!("{error:#}: {}", process.end().await?);
    }
    subject.starts.push(process.age());
    let mut before = Duration::ZERO;
    for request in 0..WARM_UP + REQUESTS {
        let (event, status) = event(subject.flow).await;
        if request == WARM_UP {
            before = process.usage()?.cpu;
        }
        runtime.invoke(&event, status).await?;
    }
    let Usage { cpu, peak_kib } = process.usage()?;
    subject.requests.push(cpu.saturating_sub(before) / REQUESTS);
    subject.peak_kib = subject.peak_kib.max(peak_kib);
    process.end().await?;
    Ok(())
}

async fn measure_sign_ups(subject: &mut SignUpSubject) -> anyhow::Result<()> {
    let (cpu, peak_kib) = match &subject.kind {
        Kind::Function(program) => sign_ups_of_function(program).await?,
        Kind::Service { program, path, status } => {
            sign_ups_of_service(program, path, *status).await?
        }
    };
    subject.sign_ups.push(cpu / SIGN_UPS);
    subject.peak_kib = subject.peak_kib.max(peak_kib);
    Ok(())
}

/// The account of a new person, in the fields of all subjects.
fn account() -> Value {
    json!({"type": "email", "name": "Ann", "email": new_email(), "password": "correct horse"})
}

/// The processor time of [`SIGN_UPS`] sign-ups, and the largest memory.
async fn sign_ups_of_function(program: &Program) -> anyhow::Result<(Duration, u64)> {
    let Function { mut runtime, process } = program.start_function().await?;
    let mut before = Duration::ZERO;
    for request in 0..WARM_UP + SIGN_UPS {
        if request == WARM_UP {
            before = process.usage()?.cpu;
        }
        runtime.invoke(&events::request(Flow::SignUp.function(), &account()), 200).await?;
    }
    let Usage { cpu, peak_kib } = process.usage()?;
    process.end().await?;
    Ok((cpu.saturating_sub(before), peak_kib))
}

async fn sign_ups_of_service(
    program: &Program,
    path: &str,
    status: u16,
) -> anyhow::Result<(Duration, u64)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    drop(listener);
    let mut program = program.clone();
    program.environment.insert("PORT".to_owned(), port.to_string());
    let process = program.start()?;
    wait_for_port(&process, port).await?;
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{port}{path}");
    let mut before = Duration::ZERO;
    for request in 0..WARM_UP + SIGN_UPS {
        if request == WARM_UP {
            before = process.usage()?.cpu;
        }
        let answer = client.post(&url).json(&account()).send().await?;
        let answered = answer.status().as_u16();
        let text = answer.text().await?;
        ensure!(answered == status, "the service answered {answered}: {text}");
    }
    let Usage { cpu, peak_kib } = process.usage()?;
    process.end().await?;
    Ok((cpu.saturating_sub(before), peak_kib))
}

/// Waits until a service accepts connections.
async fn wait_for_port(process: &Process, port: u16) -> anyhow::Result<()> {
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        ensure!(process.age() < PATIENCE, "the service did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// The sign-ups in a second of one core.
fn per_second(subject: &SignUpSubject) -> f64 {
    1.0 / median(&subject.sign_ups).as_secs_f64()
}

fn mebibytes(kib: u64) -> String {
    format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024)
}

fn report(functions: &[FunctionSubject], sign_ups: &[SignUpSubject]) -> String {
    let mut lines = vec![
        "# Beside others".to_owned(),
        String::new(),
        "`cargo run -p bench -- peers` writes this page.".to_owned(),
        String::new(),
        "| function | start to first answer, ms | processor time of a request, ms | memory, MiB |"
            .to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ];
    for FunctionSubject { name, starts, requests, peak_kib, .. } in functions {
        let (start, request) = (milliseconds(median(starts)), milliseconds(median(requests)));
        lines.push(format!("| {name} | {start} | {request} | {} |", mebibytes(*peak_kib)));
    }
    lines.extend([
        String::new(),
        "| sign-up by e-mail and password | processor time, ms | a second and core | memory, MiB |"
            .to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ]);
    for subject in sign_ups {
        let (name, rate) = (subject.name, per_second(subject));
        let time = milliseconds(median(&subject.sign_ups));
        lines.push(format!("| {name} | {time} | {rate:.0} | {} |", mebibytes(subject.peak_kib)));
    }
    lines.join("\n") + "\n"
}
