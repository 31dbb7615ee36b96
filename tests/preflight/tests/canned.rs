//! The program against canned answers of the services, those of an account on its first day among them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// What each service answers: a status and a body, by what is asked.
type Answers = BTreeMap<&'static str, (u16, String)>;

/// The questions: what a request contains in its first line, its target or its body.
const CONCURRENCY: &str = "/2016-08-19/account-settings/";
const GATEWAY: &str = "\"apigateway\"";
const EVENTS: &str = "\"events\"";
const SANDBOX: &str = "Action=GetSMSSandboxAccountStatus&";
const SPEND: &str = "Action=GetSMSAttributes&";
const MAIL: &str = "/v2/email/account ";
const ADDRESS: &str = "/v2/email/identities/no-reply%40latchkey.example ";
const DOMAIN: &str = "/v2/email/identities/latchkey.example ";
const CERTIFICATE: &str = "CertificateManager.DescribeCertificate";

fn concurrency(all: u32) -> String {
    reserved(all, 0)
}

/// The concurrency of an account in which functions have reservations.
fn reserved(all: u32, reserved: u32) -> String {
    let unreserved = all.checked_sub(reserved).unwrap();
    let limits = json!({"ConcurrentExecutions": all, "UnreservedConcurrentExecutions": unreserved});
    json!({"AccountLimit": limits, "AccountUsage": {"FunctionCount": 0}}).to_string()
}

/// A page of the resources of a stack: a role and functions, and the token of the next page.
fn resources(functions: &[&str], next: &str) -> String {
    let member = |kind: &str, name: &str| {
        format!(
            "<member><ResourceType>{kind}</ResourceType><LogicalResourceId>A</LogicalResourceId>\
             <PhysicalResourceId>{name}</PhysicalResourceId></member>"
        )
    };
    let functions: String =
        functions.iter().map(|name| member("AWS::Lambda::Function", name)).collect();
    format!(
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>{}{functions}\
         </StackResourceSummaries>{next}</ListStackResourcesResult></ListStackResourcesResponse>",
        member("AWS::IAM::Role", "a-role")
    )
}

fn no_stack() -> (u16, String) {
    let message = "Stack with id latchkey does not exist";
    let error = format!("<Code>ValidationError</Code><Message>{message}</Message>");
    (400, format!("<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"))
}

fn quota(name: &str, value: f64) -> String {
    let other = json!({"QuotaName": "Another quota", "Value": 1.0});
    json!({"Quotas": [other, {"QuotaName": name, "Value": value}]}).to_string()
}

fn sandbox(is_in: bool) -> String {
    format!(
        "<GetSMSSandboxAccountStatusResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <GetSMSSandboxAccountStatusResult><IsInSandbox>{is_in}</IsInSandbox>\
         </GetSMSSandboxAccountStatusResult></GetSMSSandboxAccountStatusResponse>"
    )
}

fn spend(limit: Option<u32>) -> String {
    let entry = limit
        .map(|limit| format!("<entry><key>MonthlySpendLimit</key><value>{limit}</value></entry>"));
    let other = "<entry><key>DefaultSMSType</key><value>Transactional</value></entry>";
    let entries = format!("{other}{}", entry.unwrap_or_default());
    format!(
        "<GetSMSAttributesResponse><GetSMSAttributesResult><attributes>{entries}</attributes>\
         </GetSMSAttributesResult></GetSMSAttributesResponse>"
    )
}

fn mail(production: bool) -> String {
    let quota = json!({"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0});
    json!({"ProductionAccessEnabled": production, "SendingEnabled": true, "SendQuota": quota})
        .to_string()
}

fn not_found() -> (u16, String) {
    (404, json!({"message": "Email identity does not exist."}).to_string())
}

/// An account on its first day.
fn first_day() -> Answers {
    BTreeMap::from([
        (CONCURRENCY, (200, concurrency(10))),
        (GATEWAY, (200, quota("Throttle rate", 10_000.0))),
        (EVENTS, (200, quota("PutEvents throttle limit in transactions per second", 600.0))),
        (SANDBOX, (200, sandbox(true))),
        (SPEND, (200, spend(None))),
        (MAIL, (200, mail(false))),
        (ADDRESS, not_found()),
        (DOMAIN, not_found()),
    ])
}

fn ready() -> Answers {
    let mut answers = first_day();
    let certificate = json!({"Certificate": {"Status": "ISSUED", "DomainName": "latchkey.example",
        "SubjectAlternativeNames": ["latchkey.example", "*.latchkey.example"]}});
    for (question, answer) in [
        (CONCURRENCY, concurrency(1000)),
        (SANDBOX, sandbox(false)),
        (SPEND, spend(Some(100))),
        (MAIL, mail(true)),
        (DOMAIN, json!({"VerifiedForSendingStatus": true}).to_string()),
        (CERTIFICATE, certificate.to_string()),
    ] {
        answers.insert(question, (200, answer));
    }
    answers
}

/// Reads a request: its head in lower case, and all of it.
fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        reader.read_line(&mut text).unwrap();
    }
    let head = text.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    text.push_str(&String::from_utf8(body).unwrap());
    (head, text)
}

/// Serves the answers; returns the address, and the heads of the requests that came.
fn serve(answers: Answers) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (head, text) = request(&stream);
            let answer = answers.iter().find(|(question, _)| text.contains(*question));
            let other = (500, format!("not expected: {text}"));
            let (status, body) = answer.map_or(&other, |(_, answer)| answer);
            seen.lock().unwrap().push(head);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (address, heads)
}

/// Runs the program; returns its exit status and its lines.
fn run(address: &str, region: &str, stage: &str) -> (i32, String) {
    run_with(address, region, &[("production.yaml", stage)], &[])
}

/// Runs the program with these files, of which the first one is that of the stage, and more arguments.
fn run_with(
    address: &str,
    region: &str,
    files: &[(&str, &str)],
    arguments: &[&str],
) -> (i32, String) {
    let test = thread::current().name().unwrap().to_owned();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_preflight"))
        .arg("--stage")
        .arg(folder.join(files.first().unwrap().0))
        .args(arguments)
        .env_clear()
        .env("AWS_ENDPOINT_URL", address)
        .env("AWS_REGION", region)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), printed)
}

/// The parameters of a stage that is filled in.
const FILLED: &str = "EmailSender: no-reply@latchkey.example
AlarmTopicArn: arn:aws:sns:ap-southeast-1:123456789012:alarms
AlarmSmsSpendUsd: 80
ApiDomain: api.latchkey.example
ApiCertificateArn: arn:aws:acm:ap-southeast-1:123456789012:certificate/1
";

/// What must be done, by the beginnings of the lines.
fn to_do(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("to do    "));
    lines.map(|line| line.split_once(':').unwrap().0).collect()
}

#[test]
fn a_new_account_lacks_nearly_everything() {
    let (address, heads) = serve(first_day());
    let (status, printed) = run(&address, "ap-east-1", "{}");
    assert_eq!(status, 1, "{printed}");
    let expected = [
        "alarm topic",
        "SMS region",
        "Lambda concurrency",
        "SMS sandbox",
        "SMS spend limit",
        "SES production access",
        "mail sender",
    ];
    assert_eq!(to_do(&printed), expected, "{printed}");
    assert!(printed.contains("--quota-code L-B99A9384 --desired-value 1000"), "{printed}");
    for head in heads.lock().unwrap().iter() {
        assert!(head.contains("authorization: aws4-hmac-sha256 credential=akidexample/"), "{head}");
        assert!(head.contains("/ap-east-1/"), "{head}");
    }
}

#[test]
fn an_account_that_is_ready_has_nothing_to_do() {
    let (address, _) = serve(ready());
    let (status, printed) = run(&address, "ap-southeast-1", FILLED);
    assert_eq!((status, to_do(&printed)), (0, vec![]), "{printed}");
    assert_eq!(printed.lines().count(), 10, "{printed}");
}

#[test]
fn what_a_stage_asks_for_beyond_the_account_is_named() {
    let (address, _) = serve(ready());
    for (line, what, text) in [
        ("RelayConcurrency: 900\n", "Lambda concurrency", "leave less than 100"),
        ("HashingConcurrency: 80\n", "Lambda concurrency", "reserve 960"),
        ("AlarmSmsSpendUsd: 500\n", "SMS spend limit", "set AlarmSmsSpendUsd to 80"),
        ("RequestsPerSecond: 20000\n", "API Gateway requests", "lower it"),
        ("ApiDomain: api.example.net\n", "certificate", "not for api.example.net"),
        ("ApiCertificateArn: \"\"\n", "certificate", "a certificate of ap-southeast-1"),
    ] {
        let name = line.split(':').next().unwrap();
        let others = FILLED.lines().filter(|other| !other.starts_with(name));
        let stage: String = others.flat_map(|other| [other, "\n"]).collect();
        let (status, printed) = run(&address, "ap-southeast-1", &(stage + line));
        assert_eq!((status, to_do(&printed)), (1, vec![what]), "{line}{printed}");
        assert!(printed.contains(text), "{line}{printed}");
    }
}

/// What Lambda shows as unreserved is without the reservations of the stage, which the next deployment replaces.
#[test]
fn what_the_stage_has_reserved_is_not_taken_twice() {
    let stage = format!("{FILLED}RelayConcurrency: 600\n");
    let mut answers = ready();
    answers.insert(CONCURRENCY, (200, reserved(1000, 605)));
    // Another page, and functions without a reservation.
    answers.insert("NextToken=two", (200, resources(&["the-reports", "another"], "")));
    answers.insert(
        "StackName=latchkey-production-functions",
        (200, resources(&["the-relay"], "<NextToken>two</NextToken>")),
    );
    for (path, concurrency) in [
        ("/2019-09-30/functions/the-relay/concurrency", Some(600)),
        ("/2019-09-30/functions/the-reports/concurrency", Some(5)),
        ("/2019-09-30/functions/another/concurrency", None),
    ] {
        let answer = concurrency.map(|count| json!({"ReservedConcurrentExecutions": count}));
        answers.insert(path, (200, answer.unwrap_or_else(|| json!({})).to_string()));
    }
    let (address, _) = serve(answers.clone());
    let (status, printed) = run(&address, "ap-southeast-1", &stage);
    assert_eq!((status, to_do(&printed)), (0, vec![]), "{printed}");
    assert!(printed.contains("1000 are free for this stage, and its parameters reserve 605"));
    // The reservations are those of another stage.
    answers.retain(|question, _| !question.contains("StackName") && *question != "NextToken=two");
    answers.insert("StackName=latchkey-production-functions", no_stack());
    let (address, _) = serve(answers);
    let (status, printed) = run(&address, "ap-southeast-1", &stage);
    assert_eq!((status, to_do(&printed)), (1, vec!["Lambda concurrency"]), "{printed}");
    assert!(printed.contains("reserve 605 and leave less than 100 of 395"), "{printed}");
}

/// Each stack of a contract has a fallback, and a file of its own beside that of the stage.
#[test]
fn with_a_stack_for_each_contract_each_has_its_reservations_and_parameters() {
    let stage = format!("{FILLED}RelayConcurrency: 800\nFallbackConcurrency: 30\n");
    let stage = stage.replace("ApiDomain: api.latchkey.example\n", "");
    let (address, _) = serve(ready());
    let concurrency = |printed: &str| {
        let mut lines = printed.lines();
        lines.find(|line| line.contains("Lambda concurrency")).unwrap().to_owned()
    };
    let files = [("production.yaml", stage.as_str())];
    let (_, printed) = run_with(&address, "ap-southeast-1", &files, &["--stacks", "one"]);
    assert!(concurrency(&printed).ends_with("its parameters reserve 835"), "{printed}");
    let contracts = ["--stacks", "per-contract"];
    let (_, printed) = run_with(&address, "ap-southeast-1", &files, &contracts);
    assert!(concurrency(&printed).contains("reserve 925 and leave less than 100"), "{printed}");
    let of_gotu = "FallbackConcurrency: 0\nApiDomain: api.example.net\nAlarmTopicArn: \"\"\n";
    let files = [files[0], ("production-gotu.yaml", of_gotu)];
    let (status, printed) = run_with(&address, "ap-southeast-1", &files, &contracts);
    assert!(concurrency(&printed).ends_with("its parameters reserve 895"), "{printed}");
    assert_eq!((status, to_do(&printed)), (1, vec!["alarm topic", "certificate"]), "{printed}");
    assert!(printed.contains("the alarms of latchkey-production-gotu notify no one"), "{printed}");
    assert!(printed.contains("not for api.example.net"), "{printed}");
}

#[test]
fn a_question_that_the_account_refuses_is_not_taken_for_an_answer() {
    let mut answers = ready();
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not \
        authorized to perform: SNS:GetSMSAttributes</Message></Error></ErrorResponse>";
    answers.insert(SPEND, (403, denied.to_owned()));
    let json = json!({"__type": "com.amazonaws#AccessDeniedException", "Message": "no identity-based policy"});
    answers.insert(GATEWAY, (400, json.to_string()));
    answers.insert(EVENTS, (200, quota("A new name", 600.0)));
    let (address, _) = serve(answers);
    let (status, printed) = run(&address, "ap-southeast-1", FILLED);
    assert_eq!(status, 2, "{printed}");
    for text in [
        "unknown  SMS spend limit: AuthorizationError: not authorized",
        "unknown  API Gateway requests: AccessDeniedException: no identity-based policy",
        "unknown  EventBridge PutEvents: events has no quota with the name PutEvents throttle",
    ] {
        assert!(printed.contains(text), "{text}: {printed}");
    }
}

#[test]
fn without_credentials_nothing_is_asked() {
    let output = Command::new(env!("CARGO_BIN_EXE_preflight")).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("AWS_ACCESS_KEY_ID is not set"), "{error}");
}
