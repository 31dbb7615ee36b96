//! The start of a stack.

use super::{Parts, environment};
use crate::admin_api::{self, AdminApi};
use crate::aws::{
    self, Aws, CallLog, DynamoDb, EventBuses, Faults, Feedback, Resources, Secrets, TableWrites,
};
use crate::backend::{Backend, Embedded};
use crate::binary;
use crate::database::{self, DatabaseHandle};
use crate::deployed::{self, Account, EndpointOf};
use crate::files::DataFolder;
use crate::gateway::{self, Gateway};
use crate::lambda::{self, Function, Lambda, Launch};
use crate::logs::{Echo, Logs};
use crate::options::Options;
use crate::records::Records;
use crate::schedules;
use crate::streams::{Positions, Source};
use anyhow::{Context, anyhow};
use axum::serve::{ListenerExt, TapIo};
use axum::{Extension, Router};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use template::Template;
use tokio::net::{TcpListener, TcpStream};

/// The listeners inside the stack.
struct Listeners {
    aws: TcpListener,
    runtime_api: TcpListener,
    dynamodb: TcpListener,
}

/// Starts everything. Its tasks run on the runtime that this future runs on.
pub(super) async fn boot(options: Options) -> anyhow::Result<Parts> {
    // Errors of the user are found before the long build begins.
    let template = Template::load()?;
    let scheduled = template.functions.iter().filter(|function| function.schedules().count() > 0);
    let echo = if options.quiet { Echo::Off } else { Echo::Stderr };
    let logs = Arc::new(Logs::new(echo, scheduled.map(|found| found.name.clone()).collect()));
    let front = bind(options.port).await?;
    if let Some(command) = &options.account {
        return deploy(command, &options, template, front).await;
    }
    let folder = options.data.as_deref().map(DataFolder::open).transpose()?;

    let binary = binary::build(options.release, &logs).await?;

    logs.stack("booting");
    let listeners =
        Listeners { aws: bind(0).await?, runtime_api: bind(0).await?, dynamodb: bind(0).await? };
    let path = folder.as_ref().map(|folder| folder.path.as_path());
    let database = DatabaseHandle(database::open(&template.tables, path)?);
    let positions = Arc::new(path.map(Positions::open).transpose()?.unwrap_or_default());
    let api_url = url(&front)?;
    let dynamodb_url = url(&listeners.dynamodb)?;
    let lambda = Arc::new(functions(&template, &options, &binary, &listeners, &api_url, &logs)?);
    let writes = TableWrites::new(&template.tables);
    let reports = environment::reports_deliveries(&options.env);
    let backend = Backend::Embedded(Box::new(Embedded {
        database: database.clone(),
        dynamodb: DynamoDb::new(dynamodb_url.clone(), writes.clone())?,
        buses: EventBuses(template.buses.clone()),
        secrets: Secrets::open(&template.secrets, path)?,
        records: path.map(Records::open).transpose()?.unwrap_or_default(),
        feedback: reports.then(|| Feedback { lambda: Arc::clone(&lambda) }),
        lambda: Arc::clone(&lambda),
        logs: Arc::clone(&logs),
    }));
    let aws = endpoint(&template, &options, backend)?;
    let gateway = Gateway::new(&template.functions, Arc::clone(&lambda), front.local_addr()?);
    let api = Router::new().fallback(gateway::handle).with_state(Arc::new(gateway));
    let parts = Parts::new(api_url, dynamodb_url, &template, aws, folder);
    serve(front, api.merge(parts.admin_api(&template)));
    let calls = Router::new().fallback(aws::handle).with_state(Arc::clone(&parts.aws));
    serve(listeners.aws, calls);
    serve_runtime_api(listeners.runtime_api, Arc::clone(&lambda));
    serve_database(listeners.dynamodb, database.clone());

    for function in &template.functions {
        for stream in function.streams() {
            let table = template.tables.iter().find(|table| table.name == stream.table);
            let written = table.and_then(|table| writes.watch(&table.id));
            let source = Source {
                function: function.name.clone(),
                stream: stream.clone(),
                database: database.clone(),
                lambda: Arc::clone(&lambda),
                logs: Arc::clone(&logs),
                positions: Arc::clone(&positions),
                lanes: options.lanes,
                written: written.with_context(|| format!("no table {}", stream.table))?,
            };
            tokio::spawn(source.run());
        }
        for schedule in function.schedules().filter(|_| options.schedules) {
            let (name, schedule) = (function.name.clone(), schedule.clone());
            tokio::spawn(schedules::run(name, schedule, Arc::clone(&lambda)));
        }
    }
    logs.stack(&format!("ready at {}", parts.api_url));
    Ok(parts)
}

/// Deploys the template into an account and serves the API and the admin API in front of it.
async fn deploy(
    command: &[String],
    options: &Options,
    mut template: Template,
    front: TcpListener,
) -> anyhow::Result<Parts> {
    let mut endpoints = BTreeMap::new();
    for name in function_names(&template) {
        endpoints.insert(name, bind(0).await?);
    }
    let urls = endpoints.iter().map(|(name, listener)| Ok((name.clone(), url(listener)?)));
    let urls = urls.collect::<anyhow::Result<_>>()?;
    let api_url = url(&front)?;
    let environment = environment::overrides(&options.env, &api_url);
    let account = Arc::new(Account::open(command, &urls, &environment, options.schedules).await?);
    account.rename(&mut template).await?;
    let aws = endpoint(&template, options, Backend::Deployed(Arc::clone(&account)))?;
    let parts = Parts::new(api_url, account.url().to_owned(), &template, aws, None);
    let calls = Router::new().fallback(aws::handle).with_state(Arc::clone(&parts.aws));
    for (function, listener) in endpoints {
        let endpoint = EndpointOf(function, listener.local_addr()?);
        serve(listener, calls.clone().layer(Extension(endpoint)));
    }
    let api = Router::new().fallback(deployed::front).with_state(account);
    serve(front, api.merge(parts.admin_api(&template)));
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
            _folder: folder,
        }
    }

    fn admin_api(&self, template: &Template) -> Router {
        admin_api::router(Arc::new(AdminApi {
            api_url: self.api_url.clone(),
            dynamodb_url: self.dynamodb_url.clone(),
            functions: self.functions.clone(),
            tables: template.tables.clone(),
            aws: Arc::clone(&self.aws),
        }))
    }
}

fn endpoint(template: &Template, options: &Options, backend: Backend) -> anyhow::Result<Arc<Aws>> {
    Ok(Arc::new(Aws {
        resources: Resources::new(template),
        faults: Faults::default(),
        calls: CallLog::open(options.rights.as_deref())?,
        backend,
    }))
}

fn function_names(template: &Template) -> Vec<String> {
    template.functions.iter().map(|function| function.name.clone()).collect()
}

fn functions(
    template: &Template,
    options: &Options,
    binary: &Path,
    listeners: &Listeners,
    api_url: &str,
    logs: &Arc<Logs>,
) -> anyhow::Result<Lambda> {
    let aws_url = url(&listeners.aws)?;
    let runtime_api = listeners.runtime_api.local_addr()?.to_string();
    let mut functions = Vec::with_capacity(template.functions.len());
    for function in &template.functions {
        let launch = Launch {
            name: function.name.clone(),
            executable: binary.to_path_buf(),
            timeout: function.timeout,
            environment: environment::variables(function, &options.env, &aws_url, api_url),
            runtime_api: runtime_api.clone(),
        };
        functions.push(Function::new(launch, Arc::clone(logs)));
    }
    Ok(Lambda::new(functions))
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

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is taken; choose another with --port, or 0 for any free one")
        }
        _ => anyhow!(error).context(format!("failed to listen on {address}")),
    })
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    let address = listener.local_addr().context("a listener has no address")?;
    Ok(format!("http://{address}"))
}
