//! The routes of GoodCity, written by `cargo xtask sync` from template.yaml.

use crate::contracts::Route;

pub(super) const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/api/v1/auth/send_pin", function: "goodcity-send-pin" },
    Route { method: "POST", path: "/api/v1/auth/signup", function: "goodcity-signup" },
    Route { method: "POST", path: "/api/v1/auth/verify", function: "goodcity-verify" },
    Route {
        method: "GET",
        path: "/api/v1/auth/current_user_profile",
        function: "goodcity-current-user-profile",
    },
    Route {
        method: "DELETE",
        path: "/api/v1/auth/current_user_profile",
        function: "goodcity-delete-user",
    },
    Route {
        method: "POST",
        path: "/api/v1/auth/register_device",
        function: "goodcity-register-device",
    },
];
