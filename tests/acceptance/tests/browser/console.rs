//! The console of the local stack.

use super::browser::{Browser, in_browser_of};
use acceptance::{TestStack, new_phone};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that asks for pictures of all pages.
const SCREENSHOTS: &str = "LATCHKEY_SCREENSHOTS";

/// Keys of the keyboard.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// The pages and their headings.
const PAGES: [(&str, &str); 7] = [
    ("inbox", "Inbox"),
    ("people", "People"),
    ("requests", "Requests"),
    ("events", "Events"),
    ("tables/Users", "Tables"),
    ("faults", "Faults and clock"),
    ("limits", "Limits"),
];

/// The script of axe-core, where `tests/acceptance/axe` puts it.
fn axe() -> PathBuf {
    template::project_root().join("target/axe/node_modules/axe-core/axe.min.js")
}

pub(super) fn has_axe() -> bool {
    axe().is_file()
}

/// Waits until a script returns something, and returns it.
pub(super) async fn wait(browser: &Browser<'_>, what: &str, script: &str) -> Value {
    let absent = [json!(null), json!(false), json!("")];
    let look = || async { Some(browser.run(script).await).filter(|seen| !absent.contains(seen)) };
    browser.stack.wait_for(what, look).await
}

/// Waits until the page shows a text.
async fn wait_for_text(browser: &Browser<'_>, text: &str) {
    let script = format!("return document.body.innerText.includes({})", json!(text));
    wait(browser, text, &script).await;
}

/// Opens the console and waits until it shows the stack.
async fn open(browser: &Browser<'_>, page: &str) {
    browser.open(&format!("/_local#/{page}")).await;
    wait_until_live(browser).await;
}

async fn wait_until_live(browser: &Browser<'_>) {
    let live = "return document.getElementById('connection').innerText === 'Live'
        && !document.getElementById('main').innerText.includes('Loading')";
    wait(browser, "the console with its data", live).await;
}

/// Goes to a page.
async fn go(browser: &Browser<'_>, page: &str, heading: &str) {
    browser.run(&format!("location.hash = {}", json!(format!("#/{page}")))).await;
    let script = format!("return document.querySelector('h1')?.innerText === {}", json!(heading));
    wait(browser, heading, &script).await;
}

/// Clicks on the button or link with this name, once there is one that can be clicked.
async fn click(browser: &Browser<'_>, name: &str) {
    let script = format!(
        "const name = {};
        const named = (it) => (it.getAttribute('aria-label') ?? it.innerText).trim() === name;
        const all = [...document.querySelectorAll('button, a, summary')];
        const found = all.find((it) => named(it) && it.checkVisibility() && !it.disabled);
        found?.click();
        return Boolean(found);",
        json!(name)
    );
    wait(browser, name, &script).await;
}

/// Enters a text in a field as a user does.
async fn fill(browser: &Browser<'_>, label: &str, value: &str) {
    let script = format!(
        "const field = [...document.querySelectorAll('input, select')].find((it) =>
            (it.getAttribute('aria-label') ?? it.labels[0]?.innerText) === {});
        if (!field) return false;
        field.value = {};
        field.dispatchEvent(new Event('input', {{ bubbles: true }}));
        field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        return field.value === {1};",
        json!(label),
        json!(value)
    );
    wait(browser, label, &script).await;
}

/// Sends a text through the webhook that the stack plays.
async fn send_text(stack: &TestStack, to: &str, text: &str) {
    let body = json!({"to": to, "text": text});
    let reply = stack.request("POST", "/_local/sms-webhook").json(&body).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

/// Signs a test person of a contract up.
async fn seed(stack: &TestStack, contract: &str) -> Value {
    let body = json!({"people": [{"contract": contract}]});
    let reply = stack.request("POST", "/_local/seed").json(&body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["people"][0].clone()
}

/// The texts of the messages that the inbox shows.
const SHOWN: &str =
    "return [...document.querySelectorAll('.message .bubble')].map((it) => it.innerText)";

pub(super) async fn a_newcomer_signs_a_person_up_and_sees_what_it_caused() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        browser.open("/").await;
        wait_until_live(browser).await;
        wait_for_text(browser, "No messages yet").await;
        wait_for_text(browser, &format!("curl -s {}/otp", stack.url())).await;
        click(browser, "Sign up a test person").await;

        let text = wait(browser, "a text", "return document.querySelector('.bubble')?.innerText");
        let text = text.await;
        let (code, _) = text.as_str().unwrap().split_once(" is your Gotu code").unwrap();
        let button = "return document.querySelector('.message .big').ariaLabel";
        assert_eq!(browser.run(button).await, format!("Copy the code {code}"));
        wait_for_text(browser, "Indonesia").await;
        let people = || async { stack.local("people").await["people"].get(0).cloned() };
        let person = stack.wait_for("a person", people).await;
        let phone = person["identifiers"][0]["value"].as_str().unwrap();
        wait_for_text(browser, phone).await;

        // From the text to its request, and what that caused.
        click(browser, "Request").await;
        wait_for_text(browser, "What it caused").await;
        let rows = "return [...document.querySelectorAll('.waterfall tbody tr')]
            .map((row) => row.innerText).join('\\n')";
        let rows = wait(browser, "the waterfall", rows).await;
        assert!(rows.as_str().unwrap().contains("TransactWriteItems"), "{rows}");
        let spoken = browser.run("return document.querySelector('td.scale .sr').textContent").await;
        assert!(spoken.as_str().unwrap().starts_with("from "), "{spoken}");
        let link = "return document.querySelector('.waterfall a[href^=\"#/inbox/\"]')?.hash";
        wait(browser, "a link to the text", link).await;
        wait_for_text(browser, "/otp").await;

        go(browser, "events", "Events").await;
        wait_for_text(browser, "AUTH_USER_CREATED").await;
        let valid = "return [...document.querySelectorAll('.events .chip')].map((it) => it.innerText)";
        assert_eq!(browser.run(valid).await[0], "valid");
        go(browser, "tables/Users", "Tables").await;
        wait_for_text(browser, person["id"].as_str().unwrap()).await;
        browser.run("document.querySelector('.data .link').click()").await;
        let item = "return document.querySelector('dialog[open] pre')?.innerText";
        let item = wait(browser, "the item", item).await;
        let item: Value = serde_json::from_str(item.as_str().unwrap()).unwrap();
        assert!(stack.items("Users").await.contains(&item), "{item}");
        click(browser, "Close").await;

        go(browser, "people", "People").await;
        wait_for_text(browser, "Signed up just now").await;
        let copies = "return [...document.querySelectorAll('.credentials button')].map((it) => it.ariaLabel)";
        let copies = browser.run(copies).await;
        for name in ["Copy: User id", "Copy: Phone", "Copy: Access token", "Copy: Refresh token"] {
            assert!(copies.as_array().unwrap().contains(&json!(name)), "{copies}");
        }
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn messages_are_searched_and_cleared() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        send_text(stack, &new_phone(), "first 11111").await;
        send_text(stack, &new_phone(), "second 22222").await;
        open(browser, "inbox").await;
        assert_eq!(browser.run(SHOWN).await, json!(["second 22222", "first 11111"]));
        fill(browser, "Search messages", "FIRST").await;
        assert_eq!(browser.run(SHOWN).await, json!(["first 11111"]));
        wait_for_text(browser, "1 entry of 2").await;
        // A message that does not fit the search stays hidden; one that fits comes at once.
        send_text(stack, &new_phone(), "third").await;
        send_text(stack, &new_phone(), "the first again").await;
        let both = format!("{SHOWN}.length === 2");
        wait(browser, "both texts", &both).await;
        assert_eq!(browser.run(SHOWN).await, json!(["the first again", "first 11111"]));
        fill(browser, "Search messages", "nothing like it").await;
        click(browser, "Show all messages").await;
        wait(browser, "all texts", &format!("{SHOWN}.length === 4")).await;
        browser.run("document.querySelector('.channel [value=mail]').click()").await;
        wait_for_text(browser, "Nothing fits").await;
        click(browser, "Show all messages").await;

        click(browser, "Clear").await;
        wait_for_text(browser, "No messages yet").await;
        assert_eq!(stack.local("messages").await["messages"], json!([]));
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_fault_is_added_and_cleared() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        open(browser, "faults").await;
        wait_for_text(browser, "No faults are active").await;
        let modes = "return [...document.querySelectorAll('form option')].map((it) => it.value)";
        assert!(!browser.run(modes).await.as_array().unwrap().contains(&json!("spent")));
        fill(browser, "Service", "sns").await;
        assert!(browser.run(modes).await.as_array().unwrap().contains(&json!("spent")));
        fill(browser, "Mode", "throttle").await;
        fill(browser, "Operation", "Publish").await;
        fill(browser, "Function", "relay").await;
        fill(browser, "Calls that fail", "3").await;
        fill(browser, "Calls that pass first", "2").await;
        click(browser, "Add fault").await;
        wait_for_text(browser, "SNS (texts): Throttle").await;
        wait_for_text(browser, "Only Publish of relay").await;
        let fault = &stack.local("faults").await["faults"][0];
        let expected = json!({"service": "sns", "mode": "throttle", "operation": "Publish",
            "function": "relay", "count": 3, "after": 2});
        assert_eq!(fault, &expected);

        for (name, shown) in [
            ("SNS hangs", "SNS (texts): Timeout"),
            ("DynamoDB throttles", "DynamoDB: Throttle"),
            ("The bus rejects events", "EventBridge: Partial"),
        ] {
            click(browser, name).await;
            wait_for_text(browser, shown).await;
        }
        assert_eq!(stack.local("faults").await["faults"].as_array().unwrap().len(), 4);
        click(browser, "Clear all faults").await;
        wait_for_text(browser, "No faults are active").await;
        assert_eq!(stack.local("faults").await["faults"], json!([]));
        browser.assert_no_error().await;
    })
    .await;
}

/// Whether the page says that the clock has the real time.
const IS_REAL: &str =
    "return document.querySelector('.clock .chip')?.innerText === 'the real time'";

pub(super) async fn the_clock_is_advanced_and_reset() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        open(browser, "faults").await;
        wait(browser, "the real time", IS_REAL).await;
        let offset = || async { stack.local("clock").await["offsetMs"].clone() };
        click(browser, "+6 min").await;
        wait_for_text(browser, "clock +6 min").await;
        assert_eq!(offset().await, 360_000);
        fill(browser, "Advance by", "90s").await;
        click(browser, "Advance").await;
        wait_for_text(browser, "clock +7 min 30 s").await;
        assert_eq!(offset().await, 450_000);
        // Another client of the admin API moves it.
        let day = stack.request("POST", "/_local/clock").json(&json!({"advance": "1d"}));
        assert_eq!(day.await.status, 200);
        wait_for_text(browser, "clock +1 d 7 min").await;
        click(browser, "Reset to the real time").await;
        wait(browser, "the real time", IS_REAL).await;
        assert_eq!(offset().await, 0);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn ten_thousand_messages_are_shown_in_windows() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        open(browser, "inbox").await;
        // The page gets all of them by its stream.
        let bodies = (0..10_000).map(|number| async move {
            send_text(stack, &format!("+62822{number:07}"), &format!("text {number}")).await;
        });
        let mut bodies: Vec<_> = bodies.collect();
        while !bodies.is_empty() {
            let rest = bodies.split_off(bodies.len().min(50));
            acceptance::all(bodies).await;
            bodies = rest;
        }
        let all =
            "return document.querySelector('[role=status].soft').innerText === '10,000 entries'";
        wait(browser, "all messages", all).await;
        let nodes = "return document.querySelectorAll('*').length";
        let few = |nodes: &Value| assert!(nodes.as_u64().unwrap() < 2500, "{nodes}");
        few(&browser.run(nodes).await);
        assert_eq!(browser.run(&format!("{SHOWN}.length")).await, 50);
        click(browser, "Older").await;
        wait_for_text(browser, "51–100 of 10,000").await;
        // A new message does not move the window.
        let before = browser.run(SHOWN).await;
        send_text(stack, &new_phone(), "a later text").await;
        wait_for_text(browser, "52–101 of 10,001").await;
        assert_eq!(browser.run(SHOWN).await, before);
        click(browser, "Newest").await;
        wait_for_text(browser, "a later text").await;
        fill(browser, "Search messages", "text 9999").await;
        assert_eq!(browser.run(SHOWN).await, json!(["text 9999"]));
        // They are there after a new start of the page, too.
        browser.run("location.reload()").await;
        wait_for_text(browser, "1–50 of 10,001").await;
        few(&browser.run(nodes).await);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn two_tabs_show_the_same() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        let first = browser.tab().await;
        open(browser, "inbox").await;
        let second = browser.open_tab().await;
        open(browser, "inbox").await;
        send_text(stack, &new_phone(), "to both 12345").await;
        for tab in [&first, &second] {
            browser.show_tab(tab).await;
            wait_for_text(browser, "to both 12345").await;
        }
        click(browser, "Clear").await;
        for tab in [&second, &first] {
            browser.show_tab(tab).await;
            wait_for_text(browser, "No messages yet").await;
        }
        browser.assert_no_error().await;
    })
    .await;
}

/// The name of the element that has the focus.
const FOCUSED: &str = "
    const it = document.activeElement;
    return it === document.body ? ''
        : (it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText).trim();";

/// Presses the tab key until the element with this name has the focus. It must be visible there.
async fn tab_to(browser: &Browser<'_>, name: &str) {
    let mut seen = Vec::new();
    while seen.len() < 80 {
        browser.keys(TAB).await;
        let outline = "const it = document.activeElement;
            const marked = (it) => getComputedStyle(it).outlineStyle !== 'none';
            return it === document.body || it.tagName === 'IFRAME' || marked(it)
                || marked(it.closest('tr') ?? it) || marked(it.nextElementSibling ?? it);";
        let focused = browser.run(FOCUSED).await;
        assert_eq!(browser.run(outline).await, true, "{focused} has no mark of the focus");
        if focused == name {
            return;
        }
        seen.push(focused);
    }
    assert_eq!(seen, [name], "the tab key does not lead there");
}

pub(super) async fn the_keyboard_is_enough() {
    in_browser_of(&[], async |browser| {
        open(browser, "inbox").await;
        tab_to(browser, "Skip to the content").await;
        browser.keys(ENTER).await;
        assert_eq!(browser.run(FOCUSED).await, "Inbox");
        tab_to(browser, "Sign up a test person").await;
        browser.keys(ENTER).await;
        let code = "return document.querySelector('.message .big')?.ariaLabel";
        let code = wait(browser, "a code", code).await;
        let code = code.as_str().unwrap();
        let announced = format!(
            "return document.getElementById('announcements').textContent.includes({})",
            json!("new message")
        );
        let announced = format!(
            "{announced} || document.getElementById('announcements').textContent.includes('New text')"
        );
        wait(browser, "an announcement", &announced).await;
        browser.run("document.querySelector('h1').focus()").await;
        tab_to(browser, code).await;
        browser.keys(ENTER).await;
        wait_for_text_in(browser, "announcements", "Copied").await;
        assert_eq!(browser.run(FOCUSED).await, code);

        tab_to(browser, "Request").await;
        browser.keys(ENTER).await;
        wait_for_text(browser, "What it caused").await;
        tab_to(browser, "All requests").await;
        browser.keys(ENTER).await;
        // The focus is back on the request that was open.
        let path = "return document.activeElement.hash?.startsWith('#/requests/')";
        wait(browser, "the row of the request", path).await;

        go(browser, "faults", "Faults and clock").await;
        tab_to(browser, "+1 h").await;
        browser.keys(ENTER).await;
        wait_for_text(browser, "clock +1 h").await;
        browser.run("document.getElementById('delete-all').focus()").await;
        browser.keys(ENTER).await;
        wait(browser, "the question", "return Boolean(document.querySelector('dialog[open]'))").await;
        assert_eq!(browser.run(FOCUSED).await, "Cancel");
        browser.keys(ESCAPE).await;
        let closed = "return !document.querySelector('dialog[open]')";
        wait(browser, "no question", closed).await;
        assert_eq!(browser.run(FOCUSED).await, "Delete all data");
        browser.assert_no_error().await;
    })
    .await;
}

/// Waits until the element with this id has a text.
async fn wait_for_text_in(browser: &Browser<'_>, id: &str, text: &str) {
    let script =
        format!("return document.getElementById('{id}').textContent.includes({})", json!(text));
    wait(browser, text, &script).await;
}

pub(super) async fn an_operator_bans_exports_and_erases_a_person() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        let person = seed(stack, "gotu").await;
        let phone = person["phone"].as_str().unwrap();
        let status = async |wanted: &'static str| {
            let is = || async {
                let page = stack.local("people").await;
                (page["people"][0]["status"] == wanted).then_some(())
            };
            stack.wait_for(wanted, is).await;
        };
        open(browser, "people").await;
        wait_for_text(browser, phone).await;
        browser.run("document.querySelector('main .cards details').open = true").await;
        click(browser, &format!("Why no message?: {phone}")).await;
        wait_for_text(browser, "so codes to sign up are withheld").await;
        click(browser, "Close").await;
        click(browser, &format!("What happened: {phone}")).await;
        wait_for_text(browser, "AUTH_USER_CREATED").await;
        click(browser, "Close").await;
        click(browser, &format!("Ban: {phone}")).await;
        status("banned").await;
        click(browser, &format!("End the ban: {phone}")).await;
        status("verified").await;
        click(browser, &format!("Export {phone}")).await;
        let shown = "return document.querySelector('dialog[open] pre')?.innerText";
        let shown = wait(browser, "what is stored", shown).await;
        assert!(shown.as_str().unwrap().contains(phone), "{shown}");
        click(browser, "Close").await;
        click(browser, &format!("Send again: {phone}")).await;
        wait_for_text(browser, "no code or link waits for the person").await;
        click(browser, &format!("Erase {phone}")).await;
        click(browser, "Erase").await;
        wait_for_text(browser, "No people yet").await;
        assert_eq!(stack.local("people").await["people"], json!([]));
        browser.assert_no_error().await;
    })
    .await;
}

/// Fills a stack with one person of each contract, refusals, a withheld code and a fault, and visits every page.
async fn each_page(
    browser: &Browser<'_>,
    sizes: &[(u32, u32)],
    visit: impl AsyncFn(&str, &str, u32),
) {
    let stack = browser.stack;
    for contract in ["goodcity", "posbytz", "urbanfits", "gotu"] {
        let person = seed(stack, contract).await;
        if contract == "gotu" {
            let again = json!({"identifier": person["phone"], "otpType": "sign_up"});
            stack.call("gotu-post-otp").json(&again).await;
        }
    }
    stack.call("gotu-post-otp").body("{").await;
    let fault = json!({"service": "sns", "mode": "throttle", "after": 1_000_000});
    let added = stack.request("POST", "/_local/faults").json(&fault).await;
    assert_eq!(added.status, 204);
    stack.wait_until_delivered("").await;

    let newest = |list: Value, holds: fn(&Value) -> bool| {
        let found = list.as_array().unwrap().iter().rev().find(|item| holds(item)).cloned();
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let messages = stack.local("messages").await["messages"].take();
    let mail = newest(messages.clone(), |message| message["channel"] == "email");
    let text = newest(messages, |message| message["channel"] == "sms");
    let requests = stack.local("requests").await["requests"].take();
    let request = newest(requests, |request| request["events"].as_u64() > Some(0));
    let details = [
        ("inbox-mail", format!("inbox/{mail}")),
        ("inbox-text", format!("inbox/{text}")),
        ("request", format!("requests/{request}")),
    ];
    let pages = PAGES.map(|(page, _)| (page.split('/').next().unwrap(), page.to_owned()));
    open(browser, "inbox").await;
    for scheme in ["light", "dark"] {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.cdp("Emulation.setEmulatedMedia", media).await;
        for &(width, height) in sizes {
            let size =
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
            browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
            for (name, page) in pages.iter().chain(&details) {
                browser.run(&format!("location.hash = {}", json!(format!("#/{page}")))).await;
                let ready = match *name {
                    "inbox" => "main .card",
                    "people" | "limits" => "main .cards > .card",
                    "requests" => ".grid.requests tbody tr",
                    "events" => ".events",
                    "tables" => ".data tbody tr",
                    "faults" => "form",
                    "request" => ".waterfall",
                    _ => ".pane h2",
                };
                wait(
                    browser,
                    page,
                    &format!("return document.querySelector('{ready}')?.checkVisibility()"),
                )
                .await;
                if *name == "people" || *name == "events" {
                    browser.run("for (const it of document.querySelectorAll('main .cards > .card:first-child details')) it.open = true").await;
                }
                // Finishes the transitions of the colours.
                browser.run("document.getAnimations().forEach((it) => it.finish())").await;
                visit(name, scheme, width).await;
            }
        }
    }
}

pub(super) async fn no_page_is_wider_than_its_window() {
    in_browser_of(&[], async |browser| {
        let folder = pictures();
        let sizes = [(320, 640), (375, 800), (1280, 800), (1920, 1000)];
        each_page(browser, &sizes, async |name, scheme, width| {
            let wide = "return [innerWidth, document.documentElement.scrollWidth - innerWidth]";
            let wide = browser.run(wide).await;
            assert_eq!(wide[0], width, "{name}");
            assert!(wide[1].as_i64() <= Some(0), "{name} {scheme} {width}: {wide}");
            if let Some(folder) = &folder
                && [375, 1280].contains(&width)
            {
                picture(browser, &folder.join(format!("{name}-{scheme}-{width}.png"))).await;
            }
        })
        .await;
        browser.assert_no_error().await;
    })
    .await;
}

/// The folder for pictures, if they are asked for.
pub(super) fn pictures() -> Option<PathBuf> {
    std::env::var_os(SCREENSHOTS)?;
    let folder = template::project_root().join("target/screenshots");
    fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

/// Writes a picture of the window, without its scroll bar.
pub(super) async fn picture(browser: &Browser<'_>, path: &Path) {
    browser.run("document.documentElement.style.overflowY = 'hidden'").await;
    let shot = browser.cdp("Page.captureScreenshot", json!({"format": "png"})).await;
    browser.run("document.documentElement.style.overflowY = ''").await;
    let bytes = BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub(super) async fn axe_finds_nothing() {
    in_browser_of(&[], async |browser| {
        let script = fs::read_to_string(axe()).unwrap();
        let check = "
            const found = await axe.run(document, { iframes: false });
            return found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);";
        let check = format!("return (async () => {{ {check} }})();");
        each_page(browser, &[(375, 800), (1280, 800)], async |name, scheme, width| {
            browser.run(&script).await;
            let found = browser.run(&check).await;
            assert_eq!(found, json!([]), "{name} {scheme} {width}");
        })
        .await;
        browser.run("document.getElementById('delete-all').click()").await;
        browser.run(&script).await;
        assert_eq!(browser.run(&check).await, json!([]), "the dialog");
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_hostile_message_is_only_text() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        let hostile = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>";
        send_text(stack, hostile, &format!("{hostile} javascript:alert(1)")).await;
        // The same in a request, which the stack shows as well.
        let query = "x=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&y='$(id)'";
        let sent = json!({"identifier": hostile, "otpType": "sign_up"});
        let request = stack.call("gotu-post-otp").query(query).header("x-name", "a'b").json(&sent);
        assert_eq!(request.await.status / 100, 4);
        open(browser, "inbox").await;
        let shown = browser.run(SHOWN).await;
        assert_eq!(shown, json!([format!("{hostile} javascript:alert(1)")]));
        browser.run("document.querySelector('.message h2 a').click()").await;
        wait(browser, "the text", "return document.querySelector('.pane .bubble')?.innerText").await;
        go(browser, "requests", "Requests").await;
        let link = "const link = document.querySelector('.grid .what a'); link?.click(); return Boolean(link)";
        wait(browser, "the request", link).await;
        wait_for_text(browser, "What it caused").await;
        let foreign = "return document.querySelectorAll('main img, main script, [onerror]').length";
        assert_eq!(browser.run(foreign).await, 0);
        let title = browser.run("return document.title").await;
        assert_eq!(title, "Requests – Latchkey");
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn all_data_is_deleted_after_a_question() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        let person = seed(stack, "gotu").await;
        open(browser, "people").await;
        wait_for_text(browser, person["phone"].as_str().unwrap()).await;
        click(browser, "Delete all data").await;
        click(browser, "Cancel").await;
        assert_eq!(stack.items("Users").await.len(), 1);
        click(browser, "Delete all data").await;
        browser.run("document.querySelector('dialog[open] footer .danger').click()").await;
        wait_for_text(browser, "No people yet").await;
        assert_eq!(stack.items("Users").await.len(), 0);
        // One person is deleted after a question, too.
        let person = seed(stack, "gotu").await;
        let phone = person["phone"].as_str().unwrap();
        wait_for_text(browser, phone).await;
        browser.run("document.querySelector('.card details').open = true").await;
        click(browser, &format!("Delete {phone}")).await;
        browser.run("document.querySelector('dialog[open] footer .danger').click()").await;
        wait_for_text(browser, "No people yet").await;
        assert_eq!(stack.items("Users").await.len(), 0);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_lost_connection_is_shown_and_comes_back() {
    in_browser_of(&[], async |browser| {
        let stack = browser.stack;
        let block = |urls: &[&str]| json!({"urls": urls});
        browser.cdp("Network.enable", json!({})).await;
        browser.cdp("Network.setBlockedURLs", block(&["*/_local/stream*"])).await;
        send_text(stack, &new_phone(), "before 11111").await;
        browser.open("/_local").await;
        // What can be read is shown, too.
        wait_for_text(browser, "before 11111").await;
        wait_for_text(browser, "Reconnecting").await;
        send_text(stack, &new_phone(), "meanwhile 22222").await;
        browser.cdp("Network.setBlockedURLs", block(&[])).await;
        wait_until_live(browser).await;
        wait_for_text(browser, "meanwhile 22222").await;
        send_text(stack, &new_phone(), "later 33333").await;
        wait_for_text(browser, "later 33333").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn only_browsers_see_it_at_the_root() {
    let stack = TestStack::shared().await;
    let seen = |path: &'static str, accept: &'static str| {
        stack.request("GET", path).header("accept", accept)
    };
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    for path in ["/", "/_local", "/_local/"] {
        let reply = seen(path, html).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.body.contains("<title>Latchkey</title>"), "{reply:?}");
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    let other = seen("/", "*/*").await;
    assert_eq!(other.header("content-type"), "application/json", "{other:?}");
    assert_eq!(stack.request("GET", "/_local/console/other.js").await.status, 404);
    let posted = stack.request("POST", "/").header("accept", html).await;
    assert_eq!(posted.header("content-type"), "application/json", "{posted:?}");
}
