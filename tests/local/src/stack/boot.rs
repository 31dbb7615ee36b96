//! Bringing a stack up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow};
use axum::serve::{ListenerExt, TapIo};
use axum::{Extension, Router};
use tokio::net::{TcpListener, TcpStream};

use super::{Parts, environment};
use crate::aws::{self, Aws, Calls, DynamoDb, EventBuses, Faults, Secrets, TableWrites};
use crate::binaries::{self, Binaries};
use crate::database;
use crate::deployed::{self, Account, EndpointOf};
use crate::files::DataFolder;
use crate::gateway::{self, Gateway};
use crate::inspect::{self, Inspection};
use crate::lambda::{self, Function, Lambda, Launch};
use crate::logs::Logs;
use crate::options::Options;
use crate::project;
use crate::records::Records;
use crate::schedules;
use crate::streams::{DatabaseHandle, Positions, Source};
use crate::template::Template;

/// The listeners inside the stack.
struct Listeners {
    aws: TcpListener,
    runtime_api: TcpListener,
    dynamodb: TcpListener,
}

/// Starts everything; tasks run on the runtime that this future runs on.
pub(super) async fn boot(options: Options) -> anyhow::Result<Parts> {
    let logs = Arc::new(Logs::new(!options.quiet));
    // What can be wrong is looked at before the long work begins.
    let root = options.root.clone().unwrap_or_else(project::root);
    let template = Template::load(&root.join(project::TEMPLATE))?;
    for gap in &template.gaps {
        logs.stack(gap);
    }
    let front = bind(options.port).await?;
    if let Some(command) = &options.account {
        return deploy(command, &options, template, front, logs).await;
    }
    let folder = options.data.as_deref().map(DataFolder::open).transpose()?;

    let names: Vec<_> = template.functions.iter().map(|function| function.name.clone()).collect();
    let binaries = if options.build {
        binaries::build(&root, &names, options.release, &logs).await?
    } else {
        binaries::find(&root, &names, options.release).await?
    };

    logs.stack("booting");
    let listeners =
        Listeners { aws: bind(0).await?, runtime_api: bind(0).await?, dynamodb: bind(0).await? };
    let path = folder.as_ref().map(|folder| folder.path.as_path());
    let database = DatabaseHandle(database::open(&template.tables, path)?);
    let records = Arc::new(path.map(Records::open).transpose()?.unwrap_or_default());
    let positions = Arc::new(path.map(Positions::open).transpose()?.unwrap_or_default());
    let secrets = Secrets::open(&template.secrets, path)?;

    let api_url = url(&front)?;
    let lambda = Arc::new(functions(&template, &options, &binaries, &listeners, &api_url, &logs)?);
    let writes = TableWrites::new(&template.tables);
    let dynamodb_url = url(&listeners.dynamodb)?;
    let aws = Arc::new(Aws {
        dynamodb: DynamoDb::new(dynamodb_url.clone(), &template.tables, writes.clone())?,
        buses: EventBuses(template.buses.clone()),
        secrets,
        records,
        faults: Faults::default(),
        calls: Calls::open(options.rights.as_deref())?,
        lambda: Arc::clone(&lambda),
        account: None,
    });
    let inspection = Inspection {
        api_url: api_url.clone(),
        dynamodb_url: dynamodb_url.clone(),
        functions: names.clone(),
        tables: template.tables.clone(),
        database: Some(database.clone()),
        aws: Arc::clone(&aws),
    };
    let gateway = Gateway::new(&template.functions, Arc::clone(&lambda), front.local_addr()?)?;
    let api = Router::new().fallback(gateway::handle).with_state(Arc::new(gateway));
    serve(front, api.merge(inspect::router(Arc::new(inspection))));
    serve(listeners.aws, Router::new().fallback(aws::handle).with_state(Arc::clone(&aws)));
    serve_here(listeners.runtime_api, Arc::clone(&lambda), listeners.dynamodb, database.clone());

    let dead = Arc::new(Mutex::new(Vec::new()));
    for function in &template.functions {
        for stream in &function.streams {
            let table = template.tables.iter().find(|table| table.name == stream.table);
            let written = table.and_then(|table| writes.watch(&table.id));
            let source = Source {
                function: function.name.clone(),
                spec: stream.clone(),
                database: database.clone(),
                lambda: Arc::clone(&lambda),
                logs: Arc::clone(&logs),
                positions: Arc::clone(&positions),
                dead: Arc::clone(&dead),
                written: written
                    .ok_or_else(|| anyhow!("{}: a stream of no table", function.name))?,
            };
            tokio::spawn(source.run());
        }
        for schedule in function.schedules.iter().filter(|_| options.schedules) {
            tokio::spawn(schedules::run(
                function.name.clone(),
                schedule.clone(),
                Arc::clone(&lambda),
            ));
        }
    }
    logs.stack(&format!("ready at {api_url}"));
    let tables = table_names(&template);
    Ok(Parts { api_url, dynamodb_url, functions: names, tables, aws, logs, dead, _folder: folder })
}

/// Deploys the template elsewhere and puts the stack's interface in front of it.
async fn deploy(
    command: &[String],
    options: &Options,
    mut template: Template,
    front: TcpListener,
    logs: Arc<Logs>,
) -> anyhow::Result<Parts> {
    let mut endpoints = BTreeMap::new();
    for function in &template.functions {
        endpoints.insert(function.name.clone(), bind(0).await?);
    }
    let urls = endpoints.iter().map(|(name, listener)| Ok((name.clone(), url(listener)?)));
    let urls = urls.collect::<anyhow::Result<_>>()?;
    let api_url = url(&front)?;
    let environment = environment::overrides(&options.env, &api_url);
    let account = Arc::new(Account::open(command, &urls, &environment).await?);
    account.rename(&mut template).await?;
    let names: Vec<_> = template.functions.iter().map(|function| function.name.clone()).collect();
    let dynamodb_url = account.url().to_owned();
    let writes = TableWrites::new(&template.tables);
    let aws = Arc::new(Aws {
        dynamodb: DynamoDb::new(dynamodb_url.clone(), &template.tables, writes)?,
        buses: EventBuses(template.buses.clone()),
        secrets: Secrets::open(&template.secrets, None)?,
        records: Arc::default(),
        faults: Faults::default(),
        calls: Calls::open(options.rights.as_deref())?,
        lambda: Arc::new(Lambda::new(Vec::new())),
        account: Some(Arc::clone(&account)),
    });
    let inspection = Inspection {
        api_url: api_url.clone(),
        dynamodb_url: dynamodb_url.clone(),
        functions: names.clone(),
        tables: template.tables.clone(),
        database: None,
        aws: Arc::clone(&aws),
    };
    let calls = Router::new().fallback(aws::handle).with_state(aws.clone());
    for (function, listener) in endpoints {
        let endpoint = EndpointOf(function, listener.local_addr()?);
        serve(listener, calls.clone().layer(Extension(endpoint)));
    }
    let api = Router::new().fallback(deployed::front).with_state(account);
    serve(front, api.merge(inspect::router(Arc::new(inspection))));
    let (tables, dead) = (table_names(&template), Arc::default());
    Ok(Parts { api_url, dynamodb_url, functions: names, tables, aws, logs, dead, _folder: None })
}

fn table_names(template: &Template) -> BTreeMap<String, String> {
    template.tables.iter().map(|table| (table.id.clone(), table.name.clone())).collect()
}

fn functions(
    template: &Template,
    options: &Options,
    binaries: &Binaries,
    listeners: &Listeners,
    api_url: &str,
    logs: &Arc<Logs>,
) -> anyhow::Result<Lambda> {
    let aws_url = url(&listeners.aws)?;
    let runtime_api = listeners.runtime_api.local_addr()?.to_string();
    let mut functions = Vec::with_capacity(template.functions.len());
    for function in &template.functions {
        let executable = binaries
            .get(&function.name)
            .ok_or_else(|| anyhow!("{} has no binary", function.name))?;
        let launch = Launch {
            name: function.name.clone(),
            executable: executable.clone(),
            timeout: function.timeout,
            environment: environment::variables(function, &options.env, &aws_url, api_url),
            runtime_api: runtime_api.clone(),
        };
        functions.push(Function::new(launch, Arc::clone(logs)));
    }
    Ok(Lambda::new(functions))
}

/// Serves until the runtime ends; there is nothing to do about a server's result.
fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        drop(axum::serve(eager(listener), service).await);
    });
}

/// Serves what runs here alone: the functions' runtime API and the database.
fn serve_here(
    runtime_api: TcpListener,
    lambda: Arc<Lambda>,
    dynamodb: TcpListener,
    database: DatabaseHandle,
) {
    tokio::spawn(async move {
        drop(axum::serve(eager(runtime_api), lambda::router(lambda)).await);
    });
    tokio::spawn(async move {
        let forever = std::future::pending();
        drop(dynoxide::server::serve_with_shutdown(dynamodb, database.0, forever).await);
    });
}

/// Small answers go out at once instead of waiting for more to send with them.
fn eager(listener: TcpListener) -> TapIo<TcpListener, fn(&mut TcpStream)> {
    // A connection that cannot be switched over is slower, and still one.
    listener.tap_io(|stream| drop(stream.set_nodelay(true)))
}

async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("port {port} is taken; choose another with --port, or 0 for any free one")
        }
        _ => anyhow!(error).context(format!("cannot listen on {address}")),
    })
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    let address = listener.local_addr().context("a listener without an address")?;
    Ok(format!("http://{address}"))
}
