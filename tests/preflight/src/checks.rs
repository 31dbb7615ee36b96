//! What an account must have before the first deployment, and what to do if it has not.

use crate::aws::{self, ACM, CLOUDFORMATION, LAMBDA, QUOTAS, SES, SNS, Unanswered, element};
use crate::deployment::{Deployment, Stack};
use operator_account::Account;
use serde_json::{Value, json};

/// The regions from which SNS sends texts (SNS Developer Guide, "Supported Regions for SMS", 2026-11). A region that is not here
/// may have been added since.
const SMS_REGIONS: [&str; 27] = [
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
/// The concurrency that Lambda gives an account after its first weeks.
const USUAL_CONCURRENCY: f64 = 1000.0;
/// The concurrency that Lambda leaves unreserved.
const UNRESERVED: f64 = 100.0;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ready(String),
    /// What to do.
    Do(String),
    /// Why it is not known.
    Unknown(String),
}

/// A check with its result.
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) verdict: Verdict,
}

use Verdict::{Do, Ready, Unknown};

fn unknown(reason: Unanswered) -> Verdict {
    match reason {
        Unanswered::Refused { code, message } => Unknown(format!("{code}: {message}")),
        Unanswered::Unreached(reason) => Unknown(reason),
    }
}

/// Returns a member of an answer, or null.
fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Makes a verdict of an answer.
fn judge<A>(answer: Result<A, Unanswered>, judge: impl FnOnce(A) -> Verdict) -> Verdict {
    answer.map_or_else(unknown, judge)
}

/// Runs all checks.
pub(crate) async fn run(account: &Account, deployment: &Deployment) -> Vec<Finding> {
    let own = account.region.as_str();
    let region_of = |name| Some(deployment.text(name)).filter(|it| !it.is_empty()).unwrap_or(own);
    let (texts, mails) = (region_of("SmsRegion"), region_of("SesRegion"));
    let mut findings = vec![
        Finding { what: "alarm topic", verdict: alarm_topic(deployment) },
        Finding { what: "SMS region", verdict: sms_region(texts) },
    ];
    let mut add = |what, verdict| findings.push(Finding { what, verdict });
    add("Lambda concurrency", judge(room(account, deployment).await, |room| concurrency(&room)));
    let rate = quota(account, own, "apigateway", "Throttle rate").await;
    add("API Gateway requests", judge(rate, |rate| requests(rate, deployment)));
    let puts = quota(account, own, "events", "PutEvents throttle limit in transactions per second");
    add("EventBridge PutEvents", judge(puts.await, put_events));
    let sandbox = ask_sns(account, texts, "GetSMSSandboxAccountStatus").await;
    add("SMS sandbox", judge(sandbox, |xml| sms_sandbox(&xml)));
    let attributes = ask_sns(account, texts, "GetSMSAttributes").await;
    add("SMS spend limit", judge(attributes, |xml| sms_spend(&xml, deployment)));
    let mail = aws::get(account, (SES, mails), "/v2/email/account").await;
    add("SES production access", judge(mail, |answer| production(&answer)));
    add("mail sender", sender(account, mails, deployment.text("EmailSender")).await);
    let domains = deployment.stacks().filter(|stack| stack.has_api);
    let mut domains: Vec<_> = domains.filter_map(domain).collect();
    domains.dedup();
    if domains.is_empty() {
        let text = "no domain of its own: the API has the default endpoint";
        add("certificate", Ready(text.to_owned()));
    }
    for (domain, arn) in domains {
        add("certificate", certificate(account, domain, arn).await);
    }
    findings
}

async fn ask_sns(account: &Account, region: &str, action: &str) -> Result<String, Unanswered> {
    aws::query(account, (SNS, region), format!("Action={action}&Version=2010-03-31")).await
}

fn alarm_topic(deployment: &Deployment) -> Verdict {
    let topic = |stack: &Stack| stack.parameters.text("AlarmTopicArn").map(str::to_owned);
    let topics = deployment.stacks().map(|stack| (stack, topic(stack).unwrap_or_default()));
    let (with, without): (Vec<_>, Vec<_>) = topics.partition(|(_, topic)| !topic.is_empty());
    match (with.first(), without.first()) {
        (Some((_, topic)), None) => Ready(format!("alarms notify {topic}")),
        (Some(_), Some((stack, _))) => {
            Do(format!("the alarms of {} notify no one: set AlarmTopicArn for all stacks", stack.name))
        }
        (None, _) => Do("alarms notify no one: create an SNS topic that an operator reads, and set AlarmTopicArn".to_owned()),
    }
}

fn sms_region(region: &str) -> Verdict {
    if SMS_REGIONS.contains(&region) {
        return Ready(format!("{region} sends texts"));
    }
    Do(format!("{region} is not known to send texts: set SmsRegion to a region near it that does"))
}

/// Returns the value of a quota by its name.
async fn quota(
    account: &Account,
    region: &str,
    service: &str,
    name: &str,
) -> Result<f64, Unanswered> {
    let mut next = Value::Null;
    loop {
        let mut input = json!({"ServiceCode": service, "MaxResults": 100});
        if let (Value::String(token), Some(input)) = (next.take(), input.as_object_mut()) {
            input.insert("NextToken".to_owned(), token.into());
        }
        let target = "ServiceQuotasV20190624.ListServiceQuotas";
        let page = aws::json(account, (QUOTAS, region), target, &input).await?;
        let quotas = page.get("Quotas").and_then(Value::as_array);
        let found = quotas.into_iter().flatten().find(|quota| quota["QuotaName"] == name);
        if let Some(value) = found.and_then(|quota| quota["Value"].as_f64()) {
            return Ok(value);
        }
        next = field(&page, "NextToken").clone();
        if next.is_null() {
            let reason = format!("{service} has no quota with the name {name}");
            return Err(Unanswered::Unreached(reason));
        }
    }
}

/// The concurrency of an account, and the part that the deployment wants to reserve.
struct Room {
    all: f64,
    /// What is not reserved, if the functions of the deployment had no reservations.
    unreserved: f64,
    wanted: f64,
}

/// Asks for the concurrency of an account. What the account shows as unreserved is without the reservations that the stage already
/// has, and a deployment replaces them.
async fn room(account: &Account, deployment: &Deployment) -> Result<Room, Unanswered> {
    let lambda = (LAMBDA, account.region.as_str());
    let answer = aws::get(account, lambda, "/2016-08-19/account-settings/").await?;
    let limit = |name| answer.pointer(&format!("/AccountLimit/{name}")).and_then(Value::as_f64);
    let (Some(all), Some(mut unreserved)) =
        (limit("ConcurrentExecutions"), limit("UnreservedConcurrentExecutions"))
    else {
        return Err(Unanswered::Unreached(format!("an answer without limits: {answer}")));
    };
    if unreserved < all {
        for stack in deployment.stacks() {
            for function in functions(account, &stack.name).await? {
                let path = format!("/2019-09-30/functions/{function}/concurrency");
                let answer = aws::get(account, lambda, &path).await?;
                let reserved = field(&answer, "ReservedConcurrentExecutions").as_f64();
                unreserved += reserved.unwrap_or_default();
            }
        }
    }
    Ok(Room { all, unreserved, wanted: deployment.stacks().map(|stack| stack.reserved).sum() })
}

/// The form that asks for a page of the resources of a stack.
fn list_resources(stack: &str, next: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "ListStackResources").append_pair("Version", "2010-05-15");
    form.append_pair("StackName", stack);
    if let Some(token) = next {
        form.append_pair("NextToken", token);
    }
    form.finish()
}

/// Returns the names of the functions of a stack; none if there is no such stack yet.
async fn functions(account: &Account, stack: &str) -> Result<Vec<String>, Unanswered> {
    let to = (CLOUDFORMATION, account.region.as_str());
    let (mut found, mut next) = (Vec::new(), None::<String>);
    loop {
        let page = match aws::query(account, to, list_resources(stack, next.as_deref())).await {
            Err(Unanswered::Refused { message, .. }) if message.contains("does not exist") => {
                return Ok(found);
            }
            page => page?,
        };
        let functions = page
            .split("<member>")
            .filter(|member| element(member, "ResourceType") == Some("AWS::Lambda::Function"));
        found.extend(
            functions.filter_map(|it| element(it, "PhysicalResourceId")).map(str::to_owned),
        );
        next = element(&page, "NextToken").map(str::to_owned);
        if next.is_none() {
            return Ok(found);
        }
    }
}

fn concurrency(room: &Room) -> Verdict {
    let Room { all, unreserved, wanted } = *room;
    if wanted > 0.0 && unreserved - wanted < UNRESERVED {
        return Do(format!(
            "the parameters of concurrency reserve {wanted} and leave less than {UNRESERVED} of {unreserved}, which Lambda refuses: \
             lower them, or ask for more concurrency"
        ));
    }
    if all < USUAL_CONCURRENCY {
        return Do(format!(
            "the account runs {all} functions at once, and the relay alone may need 24: aws service-quotas \
             request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000"
        ));
    }
    Ready(format!(
        "{all} functions at once; {unreserved} are free for this stage, and its parameters reserve {wanted}"
    ))
}

fn requests(rate: f64, deployment: &Deployment) -> Verdict {
    let routes = deployment.stacks().filter_map(|it| it.parameters.number("RequestsPerSecond"));
    let route = routes.fold(0.0, f64::max);
    if rate < route {
        return Do(format!(
            "all APIs of the account together get {rate} requests a second, and RequestsPerSecond lets one route have {route}: ask for \
             more, or lower it"
        ));
    }
    Ready(format!("{rate} requests a second for all APIs of the account together"))
}

fn put_events(rate: f64) -> Verdict {
    // A sign-up makes one call: its events are put together.
    Ready(format!("{rate} calls a second, enough for as many sign-ups"))
}

fn sms_sandbox(xml: &str) -> Verdict {
    match element(xml, "IsInSandbox") {
        Some("false") => Ready("texts reach every number".to_owned()),
        Some(_) => Do(
            "texts reach verified numbers only: ask for production access in the console of SNS, \"Text messaging (SMS)\", \"Exit SMS \
             sandbox\"; it takes a day or more"
                .to_owned(),
        ),
        None => Unknown(format!("an answer without a state: {xml}")),
    }
}

/// Returns the value of an attribute of SNS.
fn attribute<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<key>{name}</key>"))?;
    element(rest, "value")
}

fn sms_spend(xml: &str, deployment: &Deployment) -> Verdict {
    // Without the attribute, the limit is what every account has at first.
    let limit: f64 =
        attribute(xml, "MonthlySpendLimit").and_then(|it| it.parse().ok()).unwrap_or(1.0);
    let alarm = deployment.number("AlarmSmsSpendUsd");
    if limit <= 1.0 {
        return Do(format!(
            "SNS spends {limit} USD a month and then drops texts without an error: ask for a higher limit in the console of SNS, then \
             set AlarmSmsSpendUsd to 80 percent of it"
        ));
    }
    if (alarm - 0.8 * limit).abs() > 0.2 * limit {
        return Do(format!(
            "SNS spends {limit} USD a month, and SmsSpendAlarm fires at {alarm}: set AlarmSmsSpendUsd to {}",
            0.8 * limit
        ));
    }
    Ready(format!("{limit} USD a month, and the alarm fires at {alarm}"))
}

fn production(answer: &Value) -> Verdict {
    let day =
        answer.pointer("/SendQuota/Max24HourSend").and_then(Value::as_f64).unwrap_or_default();
    match (answer["ProductionAccessEnabled"].as_bool(), answer["SendingEnabled"].as_bool()) {
        (Some(true), Some(false)) => {
            Do("SES has stopped this account: look at its reputation in the console of SES"
                .to_owned())
        }
        (Some(true), _) => Ready(format!("{day} mails a day, to every address")),
        (Some(false), _) => Do(format!(
            "mails reach verified addresses only, {day} a day: ask for production access in the console of SES, \"Get set up\""
        )),
        (None, _) => Unknown(format!("an answer without a state: {answer}")),
    }
}

/// Judges the address that mails come from: SES must have verified it or its domain.
async fn sender(account: &Account, region: &str, address: &str) -> Verdict {
    let domain = address.rsplit('@').next().unwrap_or_default();
    let mut states = Vec::new();
    for identity in [address, domain] {
        let escaped: String = form_urlencoded::byte_serialize(identity.as_bytes()).collect();
        let path = format!("/v2/email/identities/{escaped}");
        match aws::get(account, (SES, region), &path).await {
            Ok(answer) if field(&answer, "VerifiedForSendingStatus") == true => {
                return Ready(format!("{identity} is verified"));
            }
            Ok(_) => states.push(format!("{identity} is not verified yet")),
            Err(Unanswered::Refused { code, .. })
                if code.starts_with("NotFound") || code == "404" => {}
            Err(reason) => return unknown(reason),
        }
    }
    Do(format!(
        "{}: create the identity {domain} in SES and publish its DKIM records",
        if states.is_empty() { format!("SES does not know {address}") } else { states.join(", ") }
    ))
}

/// Returns the domain of a stack and the ARN of its certificate; `None` if it has no domain of its own.
fn domain(stack: &Stack) -> Option<(&str, &str)> {
    let text = |name| stack.parameters.text(name).unwrap_or_default();
    let domain = text("ApiDomain");
    (!domain.is_empty()).then(|| (domain, text("ApiCertificateArn")))
}

async fn certificate(account: &Account, domain: &str, arn: &str) -> Verdict {
    let region = arn.split(':').nth(3).unwrap_or_default();
    if region != account.region {
        return Do(format!(
            "ApiDomain needs a certificate of {} in ApiCertificateArn: aws acm request-certificate --domain-name {domain} \
             --validation-method DNS",
            account.region
        ));
    }
    let target = "CertificateManager.DescribeCertificate";
    let input = json!({"CertificateArn": arn});
    let answer = aws::json(account, (ACM, region), target, &input).await;
    judge(answer, |answer| {
        let certificate = field(&answer, "Certificate").clone();
        let names =
            field(&certificate, "SubjectAlternativeNames").as_array().cloned().unwrap_or_default();
        let mut names =
            names.iter().chain([field(&certificate, "DomainName")]).filter_map(Value::as_str);
        if field(&certificate, "Status") != "ISSUED" {
            return Do(format!(
                "the certificate of {domain} is {}: publish its validation record",
                field(&certificate, "Status")
            ));
        }
        if !names.any(|name| covers(name, domain)) {
            return Do(format!("the certificate is not for {domain}: request one that is"));
        }
        Ready(format!("the certificate of {domain} is issued"))
    })
}

/// Returns whether a name of a certificate, perhaps with an asterisk, covers a domain.
fn covers(name: &str, domain: &str) -> bool {
    let parent = domain.split_once('.').map(|(_, parent)| parent);
    name == domain || name.strip_prefix("*.").is_some_and(|rest| Some(rest) == parent)
}
