//! The first proof of a recipient belongs to its owner: what others set up on the account before ends with it.

use acceptance::TestStack;
use acceptance::drivers::{FirstProof, for_every_contract};

#[tokio::test]
async fn a_stranger_has_no_session_and_no_password_after_the_first_proof() {
    let stack = &TestStack::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    for_every_contract(stack, async |driver| {
        let FirstProof { stranger, owner } = driver.first_proof().await;
        assert!(!stranger.is_empty());
        for (attempt, reply) in &stranger {
            assert!((400..500).contains(&reply.status), "{attempt}: {reply:?}");
            assert!(driver.is_refusal(driver.facts().enters, reply), "{attempt}: {reply:?}");
        }
        assert_eq!(owner.status, 200, "{owner:?}");
    })
    .await;
}
