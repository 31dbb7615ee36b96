//! The answers of the verbs `history` and `explain` of the function `people` (`shared/docs/people.md`).

use super::envelope::date_time;
use crate::domain::challenge::Purpose;
use crate::domain::delivery::Receipt;
use crate::domain::history::{Happening, MessageHistory, MessageOutcome, Withheld};
use crate::usecases::{Explanation, Finding, HistoryEntry, SpentPart};
use serde_json::{Map, Value, json};

/// Writes a history, the newest first.
pub(super) fn history(entries: &[HistoryEntry]) -> Value {
    json!({"history": entries.iter().map(entry).collect::<Vec<_>>()})
}

/// Writes the explanations for the recipients of a person.
pub(super) fn explanations(explained: &[Explanation]) -> Value {
    json!({"explained": explained.iter().map(explanation).collect::<Vec<_>>()})
}

fn entry(entry: &HistoryEntry) -> Value {
    let at = date_time(entry.at());
    match &entry.item.what {
        Happening::Events(types) => json!({"at": at, "what": "events", "events": types}),
        Happening::Times(what, times) => {
            let (what, kind) = what.as_str().split_once('#').unwrap_or((what.as_str(), ""));
            json!({"at": at, "what": what, "of": kind, "times": times})
        }
        Happening::Message(message) => {
            let mut shown = Map::from_iter([
                ("at".to_owned(), json!(at)),
                ("what".to_owned(), json!(message.kind.as_str())),
                ("purpose".to_owned(), json!(message.purpose.as_str())),
                ("lane".to_owned(), json!(message.lane.as_str())),
                ("settledAt".to_owned(), json!(date_time(message.settled_at))),
            ]);
            shown.extend(outcome(&message.outcome));
            shown.extend(entry.receipt.as_ref().map(|it| ("receipt".to_owned(), receipt(it))));
            Value::Object(shown)
        }
    }
}

/// The members that say what became of a message.
fn outcome(outcome: &MessageOutcome) -> Map<String, Value> {
    let members = match outcome {
        MessageOutcome::Sent { carrier, id } => {
            json!({"outcome": "sent", "carrier": carrier, "messageId": id})
        }
        MessageOutcome::Notified { carrier, id } => {
            json!({"outcome": "notified", "carrier": carrier, "messageId": id})
        }
        MessageOutcome::Refused { carrier, words } => {
            json!({"outcome": "refused", "carrier": carrier, "words": words})
        }
        MessageOutcome::Withheld(reason) => {
            json!({"outcome": "withheld", "reason": reason.map(Withheld::as_str)})
        }
        MessageOutcome::Waits { account } => json!({"outcome": "waits", "account": account}),
        MessageOutcome::LeftAlone => json!({"outcome": "leftAlone"}),
        MessageOutcome::Replaced => json!({"outcome": "replaced"}),
        MessageOutcome::Ended => json!({"outcome": "ended"}),
        MessageOutcome::Dropped => json!({"outcome": "dropped"}),
    };
    members.as_object().cloned().unwrap_or_default()
}

fn receipt(receipt: &Receipt) -> Value {
    let news = receipt.news.iter();
    let news = news.map(|(status, at)| (format!("{}At", status.as_str()), json!(date_time(*at))));
    let mut shown: Map<_, _> = news.collect();
    if let Some(cause) = &receipt.cause {
        shown.insert("cause".to_owned(), json!(cause));
        shown.insert("blame".to_owned(), json!(receipt.blame.as_str()));
    }
    Value::Object(shown)
}

fn explanation(explained: &Explanation) -> Value {
    let Explanation { realm, recipient, findings } = explained;
    json!({
        "contract": realm.contract(),
        "store": realm.shop(),
        "recipient": recipient.as_str(),
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let Told { cause, sentence, next } = told(finding);
    json!({"cause": cause, "stops": finding.stops(), "sentence": sentence, "next": next})
}

/// What an explanation says of a finding.
struct Told {
    cause: &'static str,
    sentence: String,
    next: String,
}

fn told(finding: &Finding) -> Told {
    of_recipient(finding).or_else(|| of_account(finding)).unwrap_or_else(|| of_last(finding))
}

fn tell(cause: &'static str, sentence: impl Into<String>, next: impl Into<String>) -> Told {
    Told { cause, sentence: sentence.into(), next: next.into() }
}

/// Says what is about the recipient; `None` for other findings.
fn of_recipient(finding: &Finding) -> Option<Told> {
    Some(match finding {
        Finding::Country => tell(
            "country",
            "The country of the number is not served.",
            "Add its dial code to SmsCountries, or tell the person to use another number.",
        ),
        Finding::Banned => {
            tell("banned", "An operator banned the user.", "End the ban with unban.")
        }
        Finding::Registered(user) => tell(
            "registered",
            format!(
                "The recipient belongs to the user {}, so codes to sign up are withheld.",
                user.as_str()
            ),
            "Tell the person to sign in.",
        ),
        Finding::Unregistered => tell(
            "unregistered",
            "The recipient has no account, so only codes to sign up are sent.",
            "Tell the person to sign up, or to use the number or address of the account.",
        ),
        Finding::RecipientLimit(purpose, until) => tell(
            "spent",
            format!(
                "The limit of the recipient for {} is reached until {}.",
                purpose_name(*purpose),
                date_time(*until)
            ),
            "Tell the person to wait, or end the limit with unlock.",
        ),
        Finding::LeftAlone(alone) => tell(
            "left_alone",
            format!(
                "The recipient is left alone until {}: carriers reported {}.",
                date_time(alone.until),
                alone.cause
            ),
            "If the recipient can be reached again, use unlock.",
        ),
        Finding::OptedOut => tell(
            "opted_out",
            "The number asked the carrier for no more texts.",
            "Ask the owner of the number; then opt the number in again in the console of SNS (once in 30 days).",
        ),
        Finding::MailSuppressed(reason) => tell(
            "mail_suppressed",
            format!(
                "SES sends nothing to the address: it is on the suppression list because of {reason}."
            ),
            "If the mailbox exists, take the address from the suppression list of the account.",
        ),
        Finding::NeverAsked => tell(
            "never_asked",
            "Nothing was asked for in 30 days.",
            "Compare the number or address with what the person types, and the contract and store.",
        ),
        _ => return None,
    })
}

/// Says what is about the account or the bill; `None` for other findings.
fn of_account(finding: &Finding) -> Option<Told> {
    Some(match finding {
        Finding::TextSandbox => tell(
            "sandbox",
            "SNS is in the sandbox, and the number is not verified there.",
            "Verify the number in SNS, or ask AWS to move the account out of the sandbox.",
        ),
        Finding::MailSandbox => tell(
            "mail_sandbox",
            "SES is in the sandbox: it sends to verified addresses alone.",
            "Verify the address in SES, or ask AWS for production access.",
        ),
        Finding::MailPaused => tell(
            "mail_paused",
            "SES sends nothing for the account.",
            "Look for the reason in the console of SES.",
        ),
        Finding::BudgetSpent(part, until) => {
            let what = match part {
                SpentPart::Group(group) => format!("The budget for {group}"),
                SpentPart::Total => "The budget of the contract for the day".to_owned(),
                SpentPart::Prefix => "The number of unused codes of the prefix".to_owned(),
            };
            tell(
                "budget",
                format!(
                    "{what} is spent until {} for sources that the account does not know.",
                    date_time(*until)
                ),
                "See BillAlarm in the runbook: it may be an attack. Otherwise raise the ceiling.",
            )
        }
        Finding::SpendLimit { words, limit_usd, at } => {
            let limit =
                limit_usd.as_ref().map(|limit| format!(" The limit is {limit} USD a month."));
            tell(
                "spend_limit",
                format!(
                    "The carrier did not deliver the message at {}: {words}.{}",
                    date_time(*at),
                    limit.unwrap_or_default()
                ),
                "Ask AWS to raise the monthly spend limit of SNS.",
            )
        }
        Finding::NotAsked(messages) => tell(
            "not_asked",
            format!("The carrier of {messages} could not be asked."),
            "Try again, or ask in the console of the carrier.",
        ),
        _ => return None,
    })
}

/// Says what became of the last message.
fn of_last(finding: &Finding) -> Told {
    match finding {
        Finding::Refused { carrier, words, at } => tell(
            "refused",
            format!("{carrier} refused the recipient at {}: {words}.", date_time(*at)),
            "Check the number or address; another recipient is needed if it is right.",
        ),
        Finding::Undelivered { status, words, at } => tell(
            "undelivered",
            format!(
                "The carrier reported \"{}\" at {}{}.",
                status.as_str(),
                date_time(*at),
                words.as_ref().map(|words| format!(": {words}")).unwrap_or_default()
            ),
            "Tell the person to look at the phone or mailbox, and to ask again.",
        ),
        Finding::Waits { account, since } => tell(
            "waits",
            format!("The message of {} waits for another try.", date_time(*since)),
            if *account {
                "The carrier refuses the account or its sender: see the log lines of the relay."
            } else {
                "The carrier fails: see the log lines of the relay."
            },
        ),
        Finding::Withheld(message) => withheld(message),
        Finding::NotSent(message) => {
            let why = match message.outcome {
                MessageOutcome::Replaced => "a newer code replaced it or it was used",
                MessageOutcome::Ended => "it ended before a carrier took it",
                MessageOutcome::LeftAlone => "the recipient was left alone",
                _ => "it has no text",
            };
            tell(
                "not_sent",
                format!("The message of {} was not sent: {why}.", date_time(message.asked_at)),
                "Tell the person to ask again.",
            )
        }
        Finding::NoReceipt { carrier, at, reports } => tell(
            "no_receipt",
            format!(
                "{carrier} accepted the last message at {}, and reported nothing since.",
                date_time(*at)
            ),
            if *reports {
                "Wait some minutes. Then ask the carrier with the id in the history."
            } else {
                "Carriers report only with DeliveryReports. Ask the carrier with the id in the history."
            },
        ),
        Finding::Delivered { carrier, at } => tell(
            "delivered",
            format!("{carrier} delivered the last message at {}.", date_time(*at)),
            "Tell the person to look for blocked senders and for spam.",
        ),
        _ => tell("unknown", "Nothing is known.", "Look at the history."),
    }
}

fn withheld(message: &MessageHistory) -> Told {
    let reason = match &message.outcome {
        MessageOutcome::Withheld(reason) => *reason,
        _ => None,
    };
    let why = match reason {
        Some(Withheld::Registered) => "the recipient has an account",
        Some(Withheld::Unregistered) => "the recipient has no account",
        Some(Withheld::Unverified) => "the account of the recipient is not verified",
        Some(Withheld::Country) => "the country is not served",
        Some(Withheld::App) => "the app is not for the recipient",
        Some(Withheld::Decoy) => "the sign-up began with a recipient that has an account",
        Some(Withheld::Banned) => "an operator banned the user",
        Some(Withheld::TestNumber) => "it is a test number, whose code is fixed",
        None => "an older version did not keep the reason",
    };
    tell(
        "withheld",
        format!(
            "The code to {} of {} was withheld: {why}.",
            purpose_name(message.purpose),
            date_time(message.asked_at)
        ),
        "See the other findings.",
    )
}

const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignUp => "sign up",
        Purpose::SignIn => "sign in",
        Purpose::ResetPassword => "set a new password",
        Purpose::ChangePhone => "change the number",
        Purpose::Verify => "verify",
        Purpose::DeleteAccount => "delete the account",
    }
}
