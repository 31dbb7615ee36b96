//! Users with password hashes of other systems, in each contract with passwords.

use acceptance::posbytz::by_email;
use acceptance::urbanfits::new_person;
use acceptance::{Reply, TestStack, gotu, new_email, posbytz, urbanfits};
use serde_json::{Value, json};

/// A user of a contract with passwords.
struct Member {
    contract: &'static str,
    name: String,
    user_id: String,
    /// The token of the shop, for PosBytz.
    client: String,
}

impl Member {
    async fn sign_in(&self, stack: &TestStack, password: &str) -> Reply {
        match self.contract {
            "gotu" => gotu(stack).sign_in(&self.name, password).await,
            "urbanfits" => urbanfits(stack).log_in(&self.name, password).await,
            _ => {
                let body = json!({"email": self.name, "password": password});
                posbytz(stack).sign_in(&self.client, &body).await
            }
        }
    }

    /// Requires the contract's answer to a wrong password.
    fn expect_refused(&self, reply: &Reply) {
        let body = match self.contract {
            "gotu" => gotu::error("invalid password"),
            "urbanfits" => urbanfits::refusal("Your email, username or password is incorrect."),
            _ => posbytz::refusal(401, "Invalid credentials", "Unauthorized"),
        };
        reply.expect(401, &body);
    }

    async fn set_hash(&self, stack: &TestStack, hash: &str) {
        let hash = json!({"S": hash});
        stack.set("Users", "user_id", self.user_id.as_str(), "password_hash", &hash).await;
    }

    async fn hash(&self, stack: &TestStack) -> Value {
        stack.items_with("Users", &self.user_id).await[0]["password_hash"].clone()
    }
}

/// A user of each contract with passwords.
async fn members(stack: &TestStack) -> [Member; 3] {
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let user_id = gotu::user_id(&signed_up);
    let of_gotu = Member { contract: "gotu", name: email, user_id, client: String::new() };
    let (username, email) = new_person();
    let registered = urbanfits(stack).registered(&username, &email).await;
    let user_id = registered.json()["user"]["_id"].as_str().unwrap().to_owned();
    let of_urbanfits =
        Member { contract: "urbanfits", name: email, user_id, client: String::new() };
    let client = posbytz(stack).store_token("HASHES1").await;
    let name = new_email();
    let user_id = posbytz(stack).registered(&client, &name).await;
    assert_eq!(posbytz(stack).sign_in(&client, &by_email(&name)).await.status, 200);
    [of_gotu, of_urbanfits, Member { contract: "posbytz", name, user_id, client }]
}

/// The first vector of each format.
fn one_of_each_format() -> Vec<Value> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../../../usecases/tests/other_hashes/vectors.json"))
            .unwrap();
    let mut chosen: Vec<Value> = Vec::new();
    for vector in all {
        if !chosen.iter().any(|known| known["format"] == vector["format"]) {
            chosen.push(vector);
        }
    }
    chosen
}

#[tokio::test]
async fn a_password_of_another_system_signs_in_and_is_hashed_anew() {
    let stack = TestStack::shared().await;
    let vectors = one_of_each_format();
    assert!(vectors.len() >= 20, "{}", vectors.len());
    for member in members(stack).await {
        for vector in &vectors {
            let (password, hash) =
                (vector["password"].as_str().unwrap(), vector["hash"].as_str().unwrap());
            member.set_hash(stack, hash).await;
            let wrong = member.sign_in(stack, &format!("_{password}")).await;
            member.expect_refused(&wrong);
            assert_eq!(member.hash(stack).await, hash, "{vector}");
            let right = member.sign_in(stack, password).await;
            assert_eq!(right.status, 200, "{} {vector}: {right:?}", member.contract);
            let renewed = member.hash(stack).await;
            let renewed = renewed.as_str().unwrap();
            assert!(renewed.starts_with("$argon2id$v=19$m="), "{renewed}");
            assert_eq!(member.sign_in(stack, password).await.status, 200, "{vector}");
            assert_eq!(member.hash(stack).await, renewed, "{vector}");
        }
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_a_wrong_password_and_a_metric() {
    let stack = &TestStack::with(&acceptance::NO_LIMITS).await;
    for member in members(stack).await {
        let before = stack.sum("UnknownHashes", &[]);
        let unknown = [
            "",
            "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "!unusable",
        ];
        for hash in unknown {
            member.set_hash(stack, hash).await;
            let reply = member.sign_in(stack, "correct horse").await;
            member.expect_refused(&reply);
        }
        stack.wait_for_sum("UnknownHashes", before + 5.0).await;
        let counted = stack.sum("UnknownHashes", &[("Contract", member.contract)]);
        assert!((counted - 5.0).abs() < 0.1, "{}: {counted}", member.contract);
    }
}

#[tokio::test]
async fn a_user_without_a_hash_signs_in_only_after_a_reset() {
    let stack = TestStack::shared().await;
    for member in members(stack).await {
        let request = json!({"TableName": "Users",
            "Key": {"user_id": {"S": member.user_id}}, "UpdateExpression": "REMOVE password_hash"});
        stack.dynamodb("UpdateItem", &request).await;
        for password in ["correct horse", "password", ""] {
            let reply = member.sign_in(stack, password).await;
            assert!((400..500).contains(&reply.status), "{reply:?}");
        }
        let reply = member.sign_in(stack, "correct horse").await;
        member.expect_refused(&reply);
    }
}
