//! The program, as an operator calls it, against a local stack.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use acceptance::gotu::{PASSWORD, user_id};
use acceptance::{TestStack, gotu, new_email, new_phone, posbytz};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// What the program printed, and whether it succeeded.
struct Ran {
    succeeded: bool,
    printed: String,
    errors: String,
}

/// Runs the program against a stack, with a text at its standard input.
async fn run(stack: &TestStack, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_people-program"));
    command.args(arguments).args(["--local", stack.url()]).env("USER", "support");
    command.env_remove("PEOPLE_WHO").env("RUST_BACKTRACE", "0");
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        succeeded: output.status.success(),
        printed: text(output.stdout),
        errors: text(output.stderr),
    }
}

/// Runs a verb about a person, which must succeed, and returns what it printed.
async fn done(stack: &TestStack, arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--why", "ticket 4711"]).collect();
    let ran = run(stack, &arguments, "").await;
    assert!(ran.succeeded, "{arguments:?}: {}", ran.errors);
    ran.printed
}

#[tokio::test]
async fn each_verb_does_what_it_says() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    let found = done(stack, &["find", &email]).await;
    for line in [&format!("userId: {id}"), "hasPassword: true", "kind: email", "method: password"] {
        assert!(found.contains(line), "{line}: {found}");
    }
    assert!(done(stack, &["find", &new_email()]).await.contains("people: none"));
    done(stack, &["ban", &id, "--contract", "gotu"]).await;
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 403);
    assert!(done(stack, &["find", &email]).await.contains("bannedAt: "));
    done(stack, &["unban", &email]).await;
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    assert!(done(stack, &["sign-out", &email]).await.contains("sessionsEnded: 1"));
    let unlocked = done(stack, &["unlock", &email, "--contract", "gotu"]).await;
    assert_eq!(unlocked, "unlocked: 0\n");
    let exported = done(stack, &["export", &email, "--json"]).await;
    let exported: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(exported.pointer("/stored/users/0/email"), Some(&email.clone().into()));
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let resent = done(stack, &["resend", &phone, "--contract", "gotu"]).await;
    assert!(resent.contains("purpose: sign_up"), "{resent}");
    assert_eq!(gotu(stack).code_of(&phone, 2).await, code);
    let client = posbytz(stack).new_client("A_SHOP").await;
    assert!(done(stack, &["clients", "list"]).await.contains(&client.id));
    let made = done(stack, &["clients", "create", "--store", "B_SHOP", "--json"]).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    let id = made.pointer("/clientId").and_then(Value::as_str).unwrap();
    done(stack, &["clients", "add-secret", id]).await;
    done(stack, &["clients", "retire", id, "old"]).await;
    done(stack, &["clients", "suspend", id]).await;
    let listed = done(stack, &["clients", "list"]).await;
    assert!(listed.contains(id) && listed.contains("suspended: true"), "{listed}");
    done(stack, &["clients", "activate", id]).await;
}

#[tokio::test]
async fn an_erasure_asks_first() {
    let stack = TestStack::shared().await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let arguments = ["erase", &email, "--why", "the person asks for it"];
    let ran = run(stack, &arguments, "yes\n").await;
    assert!(!ran.succeeded && ran.errors.contains("nothing was erased"), "{}", ran.errors);
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    let ran = run(stack, &arguments, &format!("{email}\n")).await;
    assert!(ran.succeeded && ran.printed.contains("users: 1"), "{} {}", ran.printed, ran.errors);
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 404);
}

#[tokio::test]
async fn a_call_that_breaks_a_rule_fails_with_the_rule() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let cases: [(&[&str], &str); 4] = [
        (&["find", &email], "--why is missing: why do you call?"),
        (&["ban", &email, "--why", "a test"], "there is no such person"),
        (&["find", "two words", "--why", "a test"], "person must be a phone number"),
        (&["find", &email, "--why", "a test", "--contract", "none"], "there is no such contract"),
    ];
    for (arguments, rule) in cases {
        let ran = run(stack, arguments, "").await;
        assert!(!ran.succeeded && ran.errors.contains(rule), "{arguments:?}: {}", ran.errors);
    }
    let nowhere =
        ["find", &email, "--who", "me", "--why", "a test", "--local", "http://127.0.0.1:1"];
    let output =
        Command::new(env!("CARGO_BIN_EXE_people-program")).args(nowhere).output().await.unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("failed to reach http://127.0.0.1:1"), "{errors}");
}
