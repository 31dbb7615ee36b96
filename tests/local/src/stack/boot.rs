//! The start of a stack.

use super::{Parts, environment};
use crate::activity::Activity;
use crate::admin_api::{self, AdminApi, Names};
use crate::aws::{
    self, Aws, CallLog, Carriers, DynamoDb, EventBuses, Faults, Feedback, OldSystem, Resources,
    Secrets, TableWrites,
};
use crate::backend::{Backend, Embedded};
use crate::binary::{self, Build};
use crate::clock::Clock;
use crate::console;
use crate::consumers::{self, Consumers, Plan};
use crate::database::{self, DatabaseHandle};
use crate::deployed::{self, Account, EndpointOf};
use crate::files::DataFolder;
use crate::gateway::{self, Gateway, Traffic};
use crate::lambda::{self, Function, Lambda, Launch};
use crate::logs::{Echo, Logs};
use crate::namespaces::{self, Namespaces, Space};
use crate::options::{Functions, Log, Options};
use crate::records::Records;
use crate::schedules;
use crate::settings;
use crate::streams::{Positions, Source};
use crate::terminal::{self, Colours};
use crate::try_page;
use crate::watch::{BuildState, Watch};
use anyhow::{Context, anyhow};
use axum::middleware::from_fn_with_state;
use axum::serve::{ListenerExt, TapIo};
use axum::{Extension, Router};
use futures_util::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use template::Template;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::Receiver;

/// The listeners inside the stack.
struct Listeners {
    aws: TcpListener,
    runtime_api: TcpListener,
    dynamodb: TcpListener,
}

/// Starts everything. Its tasks run on the runtime that this future runs on.
pub(super) async fn boot(options: Options) -> anyhow::Result<Parts> {
    // Errors of the user are found before the long build begins.
    let template = match &options.template {
        Some(text) => Template::parse(text)?,
        None => Template::load()?,
    };
    let plan = Plan::read(&options, &template.buses)?;
    let scheduled = template.functions.iter().filter(|function| function.schedules().count() > 0);
    if options.checks_env {
        settings::check(&template, &options.env)?;
    }
    let colours = Colours::of_stderr();
    let echo = match options.log {
        Log::Off => Echo::Off,
        Log::Text => Echo::People(colours),
        Log::Json => Echo::Stderr,
    };
    let logs = Arc::new(Logs::new(echo, scheduled.map(|found| found.name.clone()).collect()));
    let (front, names) = listen(&options).await?;
    if let Some(command) = &options.account {
        return deploy(command, &options, template, front, names).await;
    }
    let folder = options.data.as_deref().map(DataFolder::open).transpose()?;

    let (binary, watch) = program(&options.functions, &front, &logs).await?;
    let is_json = options.log == Log::Json;
    if is_json {
        logs.stack("booting");
    }
    let site = Site { options, template, binary, logs, names, address: front.local_addr()? };
    let api_url = url(&front)?;
    let public = public_url(&site.options, &front)?;
    let build = watch.as_ref().map_or_else(BuildState::fixed, Watch::state);
    let ground = Ground { plan, folder, api_url, public, build };
    let Assembled { router, parts, lambda } = assemble(&site, ground).await?;
    if let Some(watch) = watch {
        tokio::spawn(watch.run(lambda));
        tokio::spawn(tell_of_builds(parts.build.clone(), Arc::clone(&parts.aws)));
    }
    if site.options.log == Log::Text {
        tokio::spawn(terminal::follow(Arc::clone(&parts.aws.activity), colours));
    }
    let (names, logs) = (site.names.clone(), Arc::clone(&site.logs));
    let namespaces = namespaces_of(site);
    let shown = admin_api::guarded(namespaces::router(Arc::clone(&namespaces)), names);
    let dispatch = from_fn_with_state(Arc::clone(&namespaces), namespaces::dispatch);
    serve(front, router.merge(shown).layer(dispatch));
    if is_json {
        logs.stack(&format!("ready at {}", parts.api_url));
    }
    Ok(Parts { namespaces: Some(namespaces), ..parts })
}

/// What all namespaces of a stack have in common.
struct Site {
    options: Options,
    template: Template,
    /// The program of the functions.
    binary: PathBuf,
    logs: Arc<Logs>,
    names: Names,
    /// Where the stack listens.
    address: SocketAddr,
}

/// What one of them has of its own.
struct Ground {
    plan: Plan,
    folder: Option<DataFolder>,
    api_url: String,
    /// The start of the links in messages.
    public: String,
    build: Receiver<BuildState>,
}

/// A stack that needs a front.
struct Assembled {
    router: Router,
    parts: Parts,
    lambda: Arc<Lambda>,
}

fn namespaces_of(site: Site) -> Arc<Namespaces> {
    let (names, site) = (site.names.clone(), Arc::new(site));
    let make = move |name| {
        let site = Arc::clone(&site);
        let url = format!("http://{name}.localhost:{}", site.address.port());
        Box::pin(async move {
            let ground = Ground {
                plan: Plan::default(),
                folder: None,
                api_url: url.clone(),
                public: url,
                build: BuildState::fixed(),
            };
            let Assembled { router, parts, .. } = assemble(&site, ground).await?;
            Ok(Space { router, aws: parts.aws })
        }) as BoxFuture<'static, _>
    };
    Namespaces::new(names, Box::new(make))
}

/// Starts everything but the front.
async fn assemble(site: &Site, ground: Ground) -> anyhow::Result<Assembled> {
    let Site { options, template, binary, logs, names, address } = site;
    let Ground { plan, folder, api_url, public, build } = ground;
    let listeners =
        Listeners { aws: bind(0).await?, runtime_api: bind(0).await?, dynamodb: bind(0).await? };
    let path = folder.as_ref().map(|folder| folder.path.as_path());
    let clock = Clock::open(path)?;
    let table = |id: &str| {
        let table = template.tables.iter().find(|table| table.id == id);
        table.map(|table| table.name.clone()).with_context(|| format!("no table {id}"))
    };
    let activity = Arc::new(Activity::new(clock.clone(), &table("Outbox")?));
    let database = DatabaseHandle(database::open(&template.tables, path)?);
    let positions = Arc::new(path.map(Positions::open).transpose()?.unwrap_or_default());
    let dynamodb_url = url(&listeners.dynamodb)?;
    let given = environment::given(options);
    let lambda =
        Lambda::new(functions(template, &given, binary, &listeners, &public, logs, &activity)?);
    let lambda = Arc::new(lambda);
    let writes = TableWrites::new(&template.tables);
    let reports = environment::reports_deliveries(&options.env);
    let consumers = Arc::new(Consumers::start(plan, options.retries, &clock, logs)?);
    let mut records = Records::open(path, Arc::clone(&activity))?;
    records.consumers = Arc::clone(&consumers);
    let backend = Backend::Embedded(Box::new(Embedded {
        database: database.clone(),
        dynamodb: DynamoDb::new(dynamodb_url.clone(), writes.clone())?,
        buses: EventBuses(template.buses.clone()),
        secrets: Secrets::open(&template.secrets, path, &clock)?,
        records,
        identifiers: table("Identifiers")?,
        feedback: reports.then(|| Feedback { lambda: Arc::clone(&lambda), clock: clock.clone() }),
        lambda: Arc::clone(&lambda),
        logs: Arc::clone(logs),
    }));
    let aws = endpoint(template, options, backend, Arc::clone(&activity))?;
    let traffic = options.traffic.as_deref().map(Traffic::create).transpose()?;
    let functions = &template.functions;
    let gateway = Gateway::new(functions, Arc::clone(&lambda), activity, (*address, traffic));
    let gateway = Arc::new(gateway);
    let api = Router::new().fallback(gateway::handle).with_state(Arc::clone(&gateway));
    let parts = Parts { build, ..Parts::new(api_url, dynamodb_url, template, aws, folder) };
    let consumers = consumers::router(consumers, &parts.api_url);
    let api = api.merge(admin_api::guarded(consumers, names.clone()));
    let admin_api = parts.admin_api(template, Some(gateway), names.clone());
    let router = api.merge(admin_api).merge(try_page::router(functions));
    let router = console::in_front_of(router);
    let calls = Router::new().fallback(aws::handle).with_state(Arc::clone(&parts.aws));
    serve(listeners.aws, calls);
    serve_runtime_api(listeners.runtime_api, Arc::clone(&lambda));
    serve_database(listeners.dynamodb, database.clone());
    let (for_triggers, logs) = (Arc::clone(&lambda), Arc::clone(logs));
    let triggers = Triggers { lambda: for_triggers, database, logs, positions, writes, clock };
    triggers.start(template, options)?;
    Ok(Assembled { router, parts, lambda })
}

/// What invokes functions besides requests.
struct Triggers {
    lambda: Arc<Lambda>,
    database: DatabaseHandle,
    logs: Arc<Logs>,
    positions: Arc<Positions>,
    writes: TableWrites,
    clock: Clock,
}

impl Triggers {
    /// Invokes functions by the streams and the schedules of the template, until the runtime ends.
    fn start(self, template: &Template, options: &Options) -> anyhow::Result<()> {
        for function in &template.functions {
            for stream in function.streams() {
                let table = template.tables.iter().find(|table| table.name == stream.table);
                let written = table.and_then(|table| self.writes.watch(&table.id));
                let source = Source {
                    function: function.name.clone(),
                    stream: stream.clone(),
                    database: self.database.clone(),
                    lambda: Arc::clone(&self.lambda),
                    logs: Arc::clone(&self.logs),
                    positions: Arc::clone(&self.positions),
                    lanes: options.lanes,
                    written: written.with_context(|| format!("no table {}", stream.table))?,
                };
                tokio::spawn(source.run());
            }
            for schedule in function.schedules().filter(|_| options.schedules) {
                let (name, schedule) = (function.name.clone(), schedule.clone());
                let (lambda, clock) = (Arc::clone(&self.lambda), self.clock.clone());
                tokio::spawn(schedules::run(name, schedule, lambda, clock));
            }
        }
        Ok(())
    }
}

/// Tells those who watch the stack of the builds, until the last one.
async fn tell_of_builds(mut build: Receiver<BuildState>, aws: Arc<Aws>) {
    while build.changed().await.is_ok() {
        let state = build.borrow_and_update().clone();
        aws.activity.feed.add(|| json!({ "kind": "build", "build": state }));
    }
}

/// Returns the program of the functions, and what replaces it when the sources change.
async fn program(
    functions: &Functions,
    front: &TcpListener,
    logs: &Arc<Logs>,
) -> anyhow::Result<(PathBuf, Option<Watch>)> {
    match functions {
        Functions::Executable(path) => Ok((path.clone(), None)),
        Functions::Built { release, watch: false } => {
            Ok((binary::build(*release, logs).await?, None))
        }
        Functions::Built { release, watch: true } => {
            let build = Build::of_project(*release, logs);
            // Only one stack at a time has this address.
            let name = front.local_addr()?.to_string().replace(':', "-");
            let (watch, program) = Watch::open(build, &name, Arc::clone(logs)).await?;
            Ok((program, Some(watch)))
        }
    }
}

/// Deploys the template into an account and serves the API and the admin API in front of it.
async fn deploy(
    command: &[String],
    options: &Options,
    mut template: Template,
    front: TcpListener,
    names: Names,
) -> anyhow::Result<Parts> {
    let mut endpoints = BTreeMap::new();
    for name in function_names(&template) {
        endpoints.insert(name, bind(0).await?);
    }
    let urls = endpoints.iter().map(|(name, listener)| Ok((name.clone(), url(listener)?)));
    let urls = urls.collect::<anyhow::Result<_>>()?;
    let api_url = url(&front)?;
    let environment = environment::overrides(&environment::given(options), &api_url);
    let account = Arc::new(Account::open(command, &urls, &environment, options.schedules).await?);
    account.rename(&mut template).await?;
    let aws =
        endpoint(&template, options, Backend::Deployed(Arc::clone(&account)), Arc::default())?;
    let parts = Parts::new(api_url, account.url().to_owned(), &template, aws, None);
    let calls = Router::new().fallback(aws::handle).with_state(Arc::clone(&parts.aws));
    for (function, listener) in endpoints {
        let endpoint = EndpointOf(function, listener.local_addr()?);
        serve(listener, calls.clone().layer(Extension(endpoint)));
    }
    let api = Router::new().fallback(deployed::front).with_state(account);
    serve(front, console::in_front_of(api.merge(parts.admin_api(&template, None, names))));
    Ok(parts)
}

impl Parts {
    fn new(
        api_url: String,
        dynamodb_url: String,
        template: &Template,
        aws: Arc<Aws>,
        folder: Option<DataFolder>,
    ) -> Self {
        let names = template.tables.iter().map(|table| (table.id.clone(), table.name.clone()));
        Self {
            api_url,
            dynamodb_url,
            functions: function_names(template),
            tables: names.collect(),
            aws,
            build: BuildState::fixed(),
            namespaces: None,
            folder,
        }
    }

    fn admin_api(
        &self,
        template: &Template,
        gateway: Option<Arc<Gateway>>,
        names: Names,
    ) -> Router {
        let api = AdminApi {
            api_url: self.api_url.clone(),
            dynamodb_url: self.dynamodb_url.clone(),
            functions: self.functions.clone(),
            aliases: aliases(template),
            tables: template.tables.clone(),
            aws: Arc::clone(&self.aws),
            gateway,
            build: self.build.clone(),
            data: self.folder.as_ref().map(|folder| folder.path.display().to_string()),
        };
        admin_api::router(Arc::new(api), names)
    }
}

fn endpoint(
    template: &Template,
    options: &Options,
    backend: Backend,
    activity: Arc<Activity>,
) -> anyhow::Result<Arc<Aws>> {
    Ok(Arc::new(Aws {
        resources: Resources::new(template),
        faults: Faults::default(),
        carriers: Carriers::default(),
        old_system: OldSystem::default(),
        calls: CallLog::open(options.rights.as_deref())?,
        activity,
        backend,
    }))
}

/// Returns the binary of each function by its logical id in the template.
fn aliases(template: &Template) -> BTreeMap<String, String> {
    let functions = template.resources.iter().filter(|it| it.kind == "AWS::Serverless::Function");
    let binary = |body: &serde_json::Value| {
        let name = body.pointer("/Metadata/BuildProperties/Binary")?.as_str()?;
        Some(name.to_owned())
    };
    functions.filter_map(|it| Some((it.id.clone(), binary(&it.body)?))).collect()
}

fn function_names(template: &Template) -> Vec<String> {
    template.functions.iter().map(|function| function.name.clone()).collect()
}

fn functions(
    template: &Template,
    given: &[(String, String)],
    binary: &Path,
    listeners: &Listeners,
    api_url: &str,
    logs: &Arc<Logs>,
    activity: &Arc<Activity>,
) -> anyhow::Result<Vec<Arc<Function>>> {
    let aws_url = url(&listeners.aws)?;
    let runtime_api = listeners.runtime_api.local_addr()?.to_string();
    let mut functions = Vec::with_capacity(template.functions.len());
    for function in &template.functions {
        let environment = environment::variables(function, given, &aws_url, api_url);
        let launch = Launch {
            name: function.name.clone(),
            timeout: function.timeout,
            environment,
            runtime_api: runtime_api.clone(),
        };
        functions.push(Function::new(
            launch,
            binary.to_path_buf(),
            Arc::clone(logs),
            Arc::clone(activity),
        ));
    }
    Ok(functions)
}

/// Serves until the runtime ends.
fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        drop(axum::serve(with_nodelay(listener), service).await);
    });
}

/// Serves the Runtime API, which needs no addresses of its clients, until the runtime ends.
fn serve_runtime_api(listener: TcpListener, lambda: Arc<Lambda>) {
    tokio::spawn(async move {
        drop(axum::serve(with_nodelay(listener), lambda::router(lambda)).await);
    });
}

/// Serves the database until the runtime ends.
fn serve_database(listener: TcpListener, database: DatabaseHandle) {
    tokio::spawn(async move {
        let forever = std::future::pending();
        drop(dynoxide::server::serve_with_shutdown(listener, database.0, forever).await);
    });
}

/// Sends small responses at once, without Nagle's algorithm.
fn with_nodelay(listener: TcpListener) -> TapIo<TcpListener, fn(&mut TcpStream)> {
    // Without the option, the connection works too, but more slowly.
    listener.tap_io(|stream| drop(stream.set_nodelay(true)))
}

/// Returns the address in links: the host that others use, if it was given.
fn public_url(options: &Options, front: &TcpListener) -> anyhow::Result<String> {
    let host = options
        .host
        .as_deref()
        .filter(|host| host.parse::<IpAddr>().map_or(true, |address| !address.is_unspecified()));
    match host {
        Some(host) if !host.contains(':') => {
            Ok(format!("http://{host}:{}", front.local_addr()?.port()))
        }
        _ => url(front),
    }
}

/// Opens the one port of the stack. Returns it with the names that the stack may be called by.
async fn listen(options: &Options) -> anyhow::Result<(TcpListener, Names)> {
    let Some(host) = &options.host else {
        return Ok((bind(options.port).await?, Names::default()));
    };
    // A name is what others call this machine, not where it listens.
    let address = host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let listener = bind_to(SocketAddr::from((address, options.port))).await?;
    Ok((listener, Names::new(vec![host.to_ascii_lowercase()])))
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    bind_to(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

async fn bind_to(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let port = address.port();
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is taken; choose another with --port, or 0 for any free one")
        }
        _ => anyhow!(error).context(format!("failed to listen on {address}")),
    })
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    let mut address = listener.local_addr().context("a listener has no address")?;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Ok(format!("http://{address}"))
}
