//! Chromium, driven through its chromedriver.

use acceptance::TestStack;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use thirtyfour::{
    ChromiumLikeCapabilities as _, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
    WindowHandle,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

/// The names of the browsers that chromedriver looks for.
const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whether there is a browser, and a driver for it.
pub(super) fn is_installed() -> bool {
    let runs = |program: &str| {
        let mut version = Command::new(program);
        version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    runs("chromedriver") && BROWSERS.into_iter().any(runs)
}

/// The events of a request and of the head of its answer, as it came.
const REQUEST: &str = "Network.requestWillBeSent";
const ANSWER: &str = "Network.responseReceivedExtraInfo";

/// The state of the page.
const LOOK: &str = "
    const by = (id) => document.getElementById(id);
    const code = by('code');
    return {
        title: document.title,
        heading: by('heading').innerText,
        lead: by('lead').innerText,
        form: by('form').checkVisibility(),
        code: code.value,
        selected: code.value.slice(code.selectionStart, code.selectionEnd),
        invalid: code.getAttribute('aria-invalid'),
        error: by('error').innerText,
        button: by('send').innerText,
        disabled: by('send').disabled,
        busy: by('send').getAttribute('aria-busy'),
        status: by('status').innerText,
        again: by('more').checkVisibility() ? by('again').innerText : '',
        held: by('again').disabled,
        notice: by('notice').innerText,
        focus: document.activeElement.id,
    };";

/// Runs chromedriver until the standard input ends, which it does when this process ends for any reason. The browser ends
/// with chromedriver, which holds its pipe.
const RUN: &str = "chromedriver --port=0 & exec >/dev/null; cat; kill $!; wait";

/// The number of attempts to start chromedriver, which ends at once if another process takes its port first.
const STARTS: usize = 5;

/// A running chromedriver, and a folder for the files of chromedriver and its browser.
struct Driver {
    process: Child,
    url: String,
    folder: PathBuf,
}

impl Driver {
    async fn start() -> Self {
        let mut started = None;
        for _ in 0..STARTS {
            started = Self::try_start().await;
            if started.is_some() {
                break;
            }
        }
        started.expect("a chromedriver that starts")
    }

    /// Starts chromedriver. Returns `None` if it ends before it listens.
    async fn try_start() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("browser-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut process = tokio::process::Command::new("sh")
            .args(["-c", RUN])
            .env("TMPDIR", &folder)
            .env("HOME", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let mut port = None;
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, number)) = line.split_once("started successfully on port ") {
                port = Some(number.trim_end_matches('.').to_owned());
                break;
            }
        }
        let started = Self { process, url: String::new(), folder };
        if let Some(port) = port {
            return Some(Self { url: format!("http://127.0.0.1:{port}"), ..started });
        }
        started.end().await;
        None
    }

    async fn end(mut self) {
        // Waiting closes the standard input first.
        self.process.wait().await.unwrap();
        // The browser may still write to the folder. `cargo clean` removes the rest.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A browser with a profile of its own, in front of a stack.
pub(super) struct Browser<'a> {
    /// The stack.
    pub stack: &'a TestStack,
    driver: WebDriver,
}

/// The requests that the browser made, and the cookies that it received.
pub(super) struct Traffic {
    /// The requests: method and path.
    pub requests: Vec<String>,
    /// The bodies of the requests.
    pub bodies: Vec<Value>,
    /// The `Set-Cookie` headers that it received, and did not block.
    pub cookies: Vec<String>,
}

/// Runs a test in a new browser in front of the shared stack.
pub(super) async fn in_browser(test: impl AsyncFnOnce(&Browser<'_>)) {
    browse(TestStack::shared().await, test).await;
}

/// Runs a test in a new browser in front of a new stack with these environment variables.
pub(super) async fn in_browser_of(env: &[(&str, &str)], test: impl AsyncFnOnce(&Browser<'_>)) {
    browse(&TestStack::with(env).await, test).await;
}

/// Runs a test, and ends the browser whether the test passes or fails.
async fn browse(stack: &TestStack, test: impl AsyncFnOnce(&Browser<'_>)) {
    let driver = Driver::start().await;
    let run = async {
        let session = WebDriver::new(&driver.url, capabilities()).await.unwrap();
        let run = session.run_and_quit(async |session| {
            test(&Browser { stack, driver: session }).await;
            Ok::<_, Infallible>(())
        });
        run.await.unwrap();
    };
    let ran = AssertUnwindSafe(run).catch_unwind().await;
    driver.end().await;
    if let Err(panic) = ran {
        resume_unwind(panic);
    }
}

fn capabilities() -> thirtyfour::ChromeCapabilities {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in ["--headless=new", "--disable-dev-shm-usage", "--remote-debugging-pipe"] {
        wanted.add_arg(argument).unwrap();
    }
    // Chromium's sandbox does not work for root.
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        wanted.add_arg("--no-sandbox").unwrap();
    }
    wanted.set_logging_prefs("browser", LoggingPrefsLogLevel::All).unwrap();
    wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
    wanted
}

impl Browser<'_> {
    /// Opens a path of the API.
    pub(super) async fn open(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.stack.url())).await.unwrap();
    }

    /// Waits until an element has the focus. A page gives it to its field some time after it is loaded.
    async fn wait_for_focus(&self) {
        self.wait_for("an element with the focus", |seen| seen["focus"] != "").await;
    }

    /// Presses these keys in the element that has the focus.
    pub(super) async fn press(&self, keys: &str) {
        self.wait_for_focus().await;
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses these keys, wherever the focus is.
    pub(super) async fn keys(&self, keys: &str) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// The tab that is open.
    pub(super) async fn tab(&self) -> WindowHandle {
        self.driver.window().await.unwrap()
    }

    /// Opens another tab and shows it.
    pub(super) async fn open_tab(&self) -> WindowHandle {
        let tab = self.driver.new_tab().await.unwrap();
        self.show_tab(&tab).await;
        tab
    }

    /// Shows a tab.
    pub(super) async fn show_tab(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
        self.cdp("Page.bringToFront", json!({})).await;
    }

    /// Inserts a text at once in the element that has the focus.
    pub(super) async fn paste(&self, text: &str) {
        self.wait_for_focus().await;
        self.cdp("Input.insertText", json!({"text": text})).await;
    }

    /// Runs a script in the page and returns what it returns.
    pub(super) async fn run(&self, script: &str) -> Value {
        let result = self.driver.execute(script, Vec::new()).await.unwrap();
        result.json().clone()
    }

    /// Calls the browser's own protocol.
    pub(super) async fn cdp(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap()
    }

    /// Returns the state of the page.
    pub(super) async fn look(&self) -> Value {
        self.run(LOOK).await
    }

    /// Waits until the page has this heading, and returns its state.
    pub(super) async fn wait_for_heading(&self, heading: &str) -> Value {
        self.wait_for(heading, |seen| seen["heading"] == heading).await
    }

    /// Waits until the page shows an error that starts with this text, and returns its state.
    pub(super) async fn wait_for_error(&self, error: &str) -> Value {
        self.wait_for(error, |seen| seen["error"].as_str().unwrap().starts_with(error)).await
    }

    /// Waits until the state of the page is as wanted, and returns it.
    pub(super) async fn wait_for(
        &self,
        what: &str,
        holds: impl Fn(&Value) -> bool + Sync,
    ) -> Value {
        let look = || async { Some(self.look().await).filter(&holds) };
        self.stack.wait_for(what, look).await
    }

    /// Role and name of each element that has one of these roles, as assistive technology sees them, sorted.
    pub(super) async fn exposed(&self, roles: &[&str]) -> Vec<String> {
        let tree = self.cdp("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let nodes = nodes.filter(|node| node["ignored"] == false);
        let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
        let named = |node: &Value| {
            format!("{} {}", role(node), node["name"]["value"].as_str().unwrap_or_default())
        };
        let mut exposed: Vec<_> =
            nodes.filter(|node| roles.contains(&role(node).as_str())).map(named).collect();
        exposed.sort();
        exposed
    }

    /// Returns the traffic since the last call of this function, once every request has its answer.
    pub(super) async fn traffic(&self) -> Traffic {
        let events = Mutex::new(Vec::new());
        let count = |method: &str| {
            events.lock().unwrap().iter().filter(|event: &&Value| event["method"] == method).count()
        };
        let answered = || async {
            let log = self.driver.get_log("performance").await.unwrap();
            let message =
                |text: &str| serde_json::from_str::<Value>(text).unwrap()["message"].take();
            events.lock().unwrap().extend(log.iter().map(|entry| message(&entry.message)));
            (count(REQUEST) == count(ANSWER)).then_some(())
        };
        self.stack.wait_for("an answer to every request", answered).await;
        let mut traffic = Traffic { requests: Vec::new(), bodies: Vec::new(), cookies: Vec::new() };
        for event in events.into_inner().unwrap() {
            let (method, event) = (&event["method"], &event["params"]);
            if method == REQUEST {
                let request = &event["request"];
                let url = request["url"].as_str().unwrap();
                let path = url.strip_prefix(self.stack.url()).unwrap_or(url);
                traffic.requests.push(format!("{} {path}", request["method"].as_str().unwrap()));
                let body = request["postData"].as_str();
                traffic.bodies.extend(body.map(|body| serde_json::from_str(body).unwrap()));
            } else if method == ANSWER {
                assert_eq!(event["blockedCookies"], json!([]), "{event}");
                // Several values of one header arrive as lines.
                let headers = event["headers"].as_object().unwrap().iter();
                let cookies = headers.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
                let lines = cookies.flat_map(|(_, value)| value.as_str().unwrap().lines());
                traffic.cookies.extend(lines.map(str::to_owned));
            }
        }
        traffic
    }

    /// Requires that the browser reported no error of the page: no policy was broken, and no script threw. Answers with an
    /// error status are allowed.
    pub(super) async fn assert_no_error(&self) {
        let log = self.driver.get_log("browser").await.unwrap();
        let error = log.iter().find(|entry| entry.source.as_deref() != Some("network"));
        assert!(error.is_none(), "{error:?}");
    }

    /// The cookies of the page, sorted by name.
    pub(super) async fn cookies(&self) -> Vec<thirtyfour::Cookie> {
        let mut cookies = self.driver.get_all_cookies().await.unwrap();
        cookies.sort_by(|a, b| a.name.cmp(&b.name));
        cookies
    }
}
