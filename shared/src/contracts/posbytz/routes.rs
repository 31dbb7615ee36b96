//! The routes of PosBytz, written by `cargo xtask sync` from template.yaml.

use crate::contracts::Route;

pub(super) const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/ecommerce/oauth2/token", function: "posbytz-oauth2-token" },
    Route { method: "POST", path: "/ecommerce/v1/auth/signup", function: "posbytz-signup" },
    Route { method: "POST", path: "/ecommerce/v1/auth/signin", function: "posbytz-signin" },
    Route { method: "POST", path: "/ecommerce/v1/auth/otp/verify", function: "posbytz-otp-verify" },
    Route { method: "POST", path: "/ecommerce/v1/auth/otp/resend", function: "posbytz-resend" },
    Route { method: "POST", path: "/ecommerce/v1/auth/email/resend", function: "posbytz-resend" },
    Route {
        method: "POST",
        path: "/ecommerce/v1/auth/password/forgot",
        function: "posbytz-password-forgot",
    },
    Route {
        method: "POST",
        path: "/ecommerce/v1/auth/password/reset",
        function: "posbytz-password-reset",
    },
    Route {
        method: "GET",
        path: "/ecommerce/v1/auth/email/verify",
        function: "posbytz-email-verify",
    },
    Route {
        method: "POST",
        path: "/ecommerce/v1/auth/email/verify",
        function: "posbytz-email-confirm",
    },
    Route { method: "DELETE", path: "/ecommerce/v1/user", function: "posbytz-delete-user" },
];
