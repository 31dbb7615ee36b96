//! Sign-ups that share one hot thing.

use acceptance::goodcity::otp_auth_key;
use acceptance::posbytz::{BOTH, by_email, by_mobile, customer_id, typed};
use acceptance::{Reply, TestStack, code_in, goodcity, gotu, new_email, posbytz, urbanfits};
use anyhow::{Context as _, ensure};
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// The status of a request beyond a limit.
const TOO_MANY: u16 = 429;
/// The first loopback network of the scenarios.
const FIRST_NETWORK: u8 = 100;
/// The ranges of numbers of a dial code that are used in turns.
const RANGES: u8 = 80;

/// How people sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    GotuPhone,
    GotuMail,
    GoodCity,
    UrbanFits,
    PosBytzMobile,
    PosBytzMail,
}

/// What the sign-ups share. Everything else differs, as far as it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hot {
    /// The dial code; for a flow by mail, all addresses.
    DialCode,
    /// The dial code and the three digits behind it.
    Range,
    /// The contract; the dial codes take turns.
    Contract,
    /// The client of one shop, and the dial code.
    Shop,
    /// The network address, and the dial code.
    Network,
    /// The phone number or e-mail address.
    Recipient,
}

/// A flow and what its sign-ups share.
pub(super) struct Scenario {
    pub(super) flow: Flow,
    pub(super) hot: Hot,
    /// A number of its own.
    number: u8,
    /// Whether the requests only ask for codes.
    asks_only: bool,
    /// The recipient or the handle that all requests name.
    same: Mutex<Option<String>>,
}

impl Flow {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::GotuPhone => "Gotu, phone",
            Self::GotuMail => "Gotu, e-mail",
            Self::GoodCity => "GoodCity",
            Self::UrbanFits => "UrbanFits",
            Self::PosBytzMobile => "PosBytz, mobile",
            Self::PosBytzMail => "PosBytz, e-mail",
        }
    }

    /// The contract, and the dial code of the recipients (or `mail`), as the ceilings name them.
    pub(super) const fn group(self) -> (&'static str, &'static str) {
        match self {
            Self::GotuPhone => ("gotu", "+62"),
            Self::GotuMail => ("gotu", "mail"),
            Self::GoodCity => ("goodcity", "+852"),
            Self::UrbanFits => ("urbanfits", "mail"),
            Self::PosBytzMobile => ("posbytz", "+91"),
            Self::PosBytzMail => ("posbytz", "mail"),
        }
    }

    /// Returns a phone number of this range, or an address, that no other request has.
    fn recipient(self, range: u8) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::GotuPhone => format!("+628{:02}{next:08}", range + 10),
            Self::GoodCity => format!("+8525{range:02}{next:05}"),
            Self::PosBytzMobile => format!("+919{range:02}{next:07}"),
            Self::GotuMail | Self::UrbanFits | Self::PosBytzMail => new_email(),
        }
    }
}

impl Hot {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DialCode => "dial code",
            Self::Range => "range of a dial code",
            Self::Contract => "contract",
            Self::Shop => "shop",
            Self::Network => "network address",
            Self::Recipient => "number or address",
        }
    }
}

/// Returns every scenario. Those that ask only differ in the limits that they reach.
pub(super) fn all(asks_only: bool) -> Vec<Scenario> {
    use Flow::{GoodCity, GotuMail, GotuPhone, PosBytzMail, PosBytzMobile, UrbanFits};
    let by_hot: [(Hot, &[Flow]); 6] = [
        (Hot::DialCode, &[GotuPhone, GoodCity, UrbanFits, PosBytzMobile, PosBytzMail]),
        (Hot::Range, &[GotuPhone, GoodCity, PosBytzMobile]),
        (Hot::Contract, &[GotuPhone]),
        (Hot::Shop, &[PosBytzMobile, PosBytzMail]),
        (Hot::Network, &[GotuPhone, GotuMail, GoodCity, UrbanFits]),
        (Hot::Recipient, &[GotuPhone, GotuMail, GoodCity, UrbanFits, PosBytzMobile, PosBytzMail]),
    ];
    let pairs =
        by_hot.into_iter().flat_map(|(hot, flows)| flows.iter().map(move |flow| (hot, *flow)));
    let numbered = pairs.zip(FIRST_NETWORK..);
    let all = numbered.map(|((hot, flow), number)| Scenario {
        flow,
        hot,
        number,
        asks_only: asks_only || hot == Hot::Recipient,
        same: Mutex::default(),
    });
    all.collect()
}

impl Scenario {
    /// Returns a value of the first request, which all later ones share.
    fn shared(&self, make: impl FnOnce() -> String) -> String {
        let mut same = self.same.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        same.get_or_insert_with(make).clone()
    }

    fn recipient(&self, number: u8) -> String {
        let range = if self.hot == Hot::Range { 0 } else { number % RANGES };
        match self.hot {
            Hot::Recipient => self.shared(|| self.flow.recipient(range)),
            Hot::Contract => {
                let dials = [Flow::GotuPhone, Flow::GoodCity, Flow::PosBytzMobile];
                dials[usize::from(number) % dials.len()].recipient(range)
            }
            _ => self.flow.recipient(range),
        }
    }

    const fn source(&self, number: u8) -> Ipv4Addr {
        let network = if matches!(self.hot, Hot::Network) { 0 } else { number };
        Ipv4Addr::new(127, self.number, network, 1)
    }

    /// Signs the person with this number up, as far as the limits and the scenario allow. Returns whether the first request was
    /// within the limits.
    pub(super) async fn run(&self, stack: &TestStack, number: u8) -> anyhow::Result<bool> {
        let reply = match self.flow {
            Flow::GotuPhone => self.by_gotu_phone(stack, number).await,
            Flow::GotuMail => {
                let call = gotu(stack).sign_up_by_email(&self.recipient(number));
                call.from(self.source(number)).await
            }
            Flow::GoodCity => self.by_goodcity(stack, number).await,
            Flow::UrbanFits => self.by_urbanfits(stack, number).await?,
            Flow::PosBytzMobile | Flow::PosBytzMail => self.by_posbytz(stack, number).await,
        };
        // A second sign-up of an address is refused in some contracts.
        let is_expected = reply.status < 300 || self.asks_only;
        ensure!(is_expected, "{} with the same {}: {reply:?}", self.flow.name(), self.hot.name());
        Ok(reply.status != TOO_MANY)
    }

    async fn by_gotu_phone(&self, stack: &TestStack, number: u8) -> Reply {
        let (phone, source) = (self.recipient(number), self.source(number));
        let asked = gotu(stack).ask_for_code(&phone, "sign_up").from(source).await;
        if self.asks_only || asked.status != 204 {
            return asked;
        }
        let code = code_in(&stack.text(&phone, 1).await);
        gotu(stack).sign_up_by_phone(&phone, &code).from(source).await
    }

    async fn by_goodcity(&self, stack: &TestStack, number: u8) -> Reply {
        let (mobile, source) = (self.recipient(number), self.source(number));
        let asked = goodcity(stack).sign_up(&mobile).from(source).await;
        if self.asks_only || asked.status != 200 {
            return asked;
        }
        let pin = goodcity(stack).pin(&mobile, 1).await;
        goodcity(stack).verify(&otp_auth_key(&asked), &pin).from(source).await
    }

    /// All requests for one address are resends of its sign-up.
    async fn by_urbanfits(&self, stack: &TestStack, number: u8) -> anyhow::Result<Reply> {
        let source = self.source(number);
        if self.hot == Hot::Recipient && number > 0 {
            let id = self.shared(String::new);
            return Ok(urbanfits(stack).resend(&id).from(source).await);
        }
        let (name, email) = (format!("hot_{}_{number}", self.number), new_email());
        let asked = urbanfits(stack).sign_up(&name, &email).from(source).await;
        if asked.status != 200 {
            return Ok(asked);
        }
        let id = asked.json()["otp_id"].as_str().context("no otp_id")?.to_owned();
        self.shared(|| id.clone());
        if self.asks_only {
            return Ok(asked);
        }
        let code = urbanfits(stack).code(&email, 1).await;
        Ok(urbanfits(stack).enter_code(&id, &code).from(source).await)
    }

    async fn by_posbytz(&self, stack: &TestStack, number: u8) -> Reply {
        let client = posbytz(stack);
        let shop = if self.hot == Hot::Shop { 0 } else { number };
        let store = format!("HOT{}-{shop}", self.number);
        let token = self.token(stack, &store).await;
        let recipient = self.recipient(number);
        let mobile = recipient.strip_prefix("+91");
        let body = mobile.map_or_else(|| by_email(&recipient), |mobile| by_mobile("+91", mobile));
        let asked = client.sign_up(&token, &body).await;
        if self.asks_only || asked.status != 201 {
            return asked;
        }
        if let Some(mobile) = mobile {
            let code = code_in(&stack.text(&recipient, 1).await);
            return client.enter_code(&token, &typed(mobile, &code)).await;
        }
        let id = customer_id(&asked);
        let link = client.mailed_secret(&recipient, &id, 1).await;
        client.verify_email(&id, &link).await
    }

    /// Returns a token of the client of a store, which is made first. The one shop has one client.
    async fn token(&self, stack: &TestStack, store: &str) -> String {
        let client = posbytz(stack);
        let known = self.same.lock().map_or(None, |same| same.clone());
        if let Some(token) = known.filter(|_| self.hot == Hot::Shop) {
            return token;
        }
        let token = client.token(&client.new_client(store).await, BOTH).await;
        if self.hot == Hot::Shop { self.shared(|| token) } else { token }
    }
}
