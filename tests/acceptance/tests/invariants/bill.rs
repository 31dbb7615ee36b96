//! The ceilings of what a contract sends refuse everybody alike, in the contract's own words.

use acceptance::drivers::for_every_contract;
use acceptance::goodcity::new_mobile;
use acceptance::{TestStack, goodcity, gotu, new_phone, without_limits};

#[tokio::test]
async fn at_the_end_of_a_ceiling_every_contract_refuses_in_its_own_words() {
    let limits = without_limits(&[("MESSAGES_PER_HOUR", "2")]);
    let stack = &TestStack::with(&limits).await;
    for_every_contract(stack, async |driver| {
        let facts = driver.facts();
        for _ in 0..2 {
            driver.asked(&driver.new_person()).await;
        }
        let (outsider, before) = (driver.new_person(), stack.items("Outbox").await.len());
        let reply = driver.ask_for_code(&outsider).await;
        assert_eq!(reply.status, 429, "{reply:?}");
        assert!(driver.is_refusal(facts.asks, &reply), "{reply:?}");
        assert!(reply.header("retry-after").parse::<u64>().unwrap() <= 3600, "{reply:?}");
        assert!(driver.challenges(&outsider).await.is_empty());
        assert!(stack.items("Outbox").await.len() <= before, "the refusal has an effect");
        assert!(!driver.has_account(&outsider).await);
    })
    .await;
}

#[tokio::test]
async fn requests_that_send_nothing_use_up_no_ceiling_and_are_refused_alike() {
    let limits = without_limits(&[("MESSAGES_PER_HOUR", "2")]);
    let stack = &TestStack::with(&limits).await;
    let staff = |mobile: &str| {
        goodcity(stack).sign_up(mobile).header("x-goodcity-app-name", "admin.goodcity")
    };
    for _ in 0..4 {
        let phone = new_phone();
        assert_eq!(gotu(stack).ask_for_code(&phone, "login").await.status, 204);
        assert_eq!(goodcity(stack).send_pin(&new_mobile()).await.status, 200);
        assert_eq!(staff(&new_mobile()).await.status, 200);
    }
    for count in 0..2 {
        assert_eq!(gotu(stack).ask_for_code(&new_phone(), "sign_up").await.status, 204, "{count}");
        assert_eq!(goodcity(stack).sign_up(&new_mobile()).await.status, 200, "{count}");
    }
    assert_eq!(gotu(stack).ask_for_code(&new_phone(), "login").await.status, 429);
    assert_eq!(goodcity(stack).send_pin(&new_mobile()).await.status, 429);
    assert_eq!(staff(&new_mobile()).await.status, 429);
}
