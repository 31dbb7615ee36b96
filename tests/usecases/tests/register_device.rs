//! Registering a device for push messages.

use latchkey::domain::id::UserId;
use std::time::Duration;
use usecases::{Core, Refusal, START};

fn ann() -> UserId {
    UserId::from_stored("ann")
}

fn ben() -> UserId {
    UserId::from_stored("ben")
}

/// Returns a core that knows both.
fn core() -> Core {
    let core = Core::new();
    for user in [ann(), ben()] {
        core.put_user(&user);
    }
    core
}

#[tokio::test]
async fn a_push_token_belongs_to_the_user_that_registers_it() {
    let core = core();
    core.register_device(&ann(), "token").await.unwrap();
    assert_eq!(core.owner_of_push_token("token").await.unwrap().user, ann());
    assert!(core.owner_of_push_token("another").await.is_none());
    assert_eq!(core.devices_of(&ann()), 1);
    core.deliver().await;
    assert_eq!(core.bus.details("device_registered"), [""]);
}

#[tokio::test]
async fn a_device_that_is_registered_again_stays_the_same() {
    let core = core();
    core.register_device(&ann(), "token").await.unwrap();
    let owner = core.owner_of_push_token("token").await;
    core.wait(Duration::from_hours(1));
    core.register_device(&ann(), "token").await.unwrap();
    assert_eq!(core.owner_of_push_token("token").await, owner);
    assert_eq!(core.devices_of(&ann()), 1);
    core.deliver().await;
    assert_eq!(core.bus.details("device_registered"), ["", ""]);
}

#[tokio::test]
async fn a_push_token_moves_to_another_user_with_its_device() {
    let core = core();
    core.register_device(&ann(), "token").await.unwrap();
    let before = core.owner_of_push_token("token").await.unwrap();
    core.register_device(&ben(), "token").await.unwrap();
    let after = core.owner_of_push_token("token").await.unwrap();
    assert_eq!((after.user, after.device), (ben(), before.device));
    assert_eq!((core.devices_of(&ann()), core.devices_of(&ben())), (0, 1));
    core.deliver().await;
    assert_eq!(core.bus.details("device_registered"), ["", "ann"]);
}

#[tokio::test]
async fn a_registration_ends_after_ninety_days_and_a_new_one_begins_them_again() {
    let core = core();
    core.register_device(&ann(), "token").await.unwrap();
    let day = Duration::from_hours(24);
    // The database deletes what has ended, and its times are the next whole seconds.
    let end = START.plus(90 * day + Duration::from_secs(1));
    assert_eq!(core.ends_of_devices(&ann()), [end]);
    core.wait(day);
    core.register_device(&ann(), "token").await.unwrap();
    assert_eq!(core.ends_of_devices(&ann()), [end.plus(day)]);
}

#[tokio::test]
async fn each_push_token_is_a_device() {
    let core = core();
    core.register_device(&ann(), "one").await.unwrap();
    core.register_device(&ann(), "two").await.unwrap();
    assert_eq!(core.devices_of(&ann()), 2);
}

/// Lets other users register the push token before each of the next `times` tries.
fn outrun(core: &Core, pass: usize, times: usize) {
    core.interrupt(pass, async move |rival| {
        let user = UserId::from_stored(&format!("rival {times}"));
        rival.put_user(&user);
        rival.register_device(&user, "token").await.unwrap();
        if let Some(left) = times.checked_sub(1).filter(|left| *left > 0) {
            // A try draws one random value.
            outrun(&rival, 0, left);
        }
    });
}

#[tokio::test]
async fn the_last_of_concurrent_registrations_gets_the_push_token() {
    let core = core();
    // The first random value is drawn before the first read.
    outrun(&core, 1, 1);
    core.register_device(&ann(), "token").await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.owner_of_push_token("token").await.unwrap().user, ann());
    core.deliver().await;
    assert_eq!(core.bus.details("device_registered"), ["", "rival 1"]);
}

#[tokio::test]
async fn a_registration_gives_up_after_eight_tries() {
    let overtaken = Refusal::TooMany { retry_after: Duration::from_secs(1) };
    for (times, expected) in [(7, Ok(())), (8, Err(overtaken))] {
        let core = core();
        outrun(&core, 1, times);
        assert_eq!(core.register_device(&ann(), "token").await, expected);
        core.expect_interrupted();
    }
}
