//! The routes of UrbanFits, written by `cargo xtask sync` from template.yaml.

use crate::contracts::Route;

pub(super) const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/auth/signup", function: "urbanfits-signup" },
    Route { method: "POST", path: "/api/auth/signup", function: "urbanfits-signup" },
    Route { method: "POST", path: "/auth/signup/callback", function: "urbanfits-signup-callback" },
    Route {
        method: "POST",
        path: "/api/auth/signup/callback",
        function: "urbanfits-signup-callback",
    },
    Route { method: "POST", path: "/auth/signup/resend", function: "urbanfits-signup-resend" },
    Route { method: "POST", path: "/api/auth/signup/resend", function: "urbanfits-signup-resend" },
    Route {
        method: "POST",
        path: "/auth/otp/forgot-password",
        function: "urbanfits-forgot-password",
    },
    Route {
        method: "POST",
        path: "/api/auth/otp/forgot-password",
        function: "urbanfits-forgot-password",
    },
    Route {
        method: "PUT",
        path: "/auth/otp/change-password",
        function: "urbanfits-change-password",
    },
    Route {
        method: "PUT",
        path: "/api/auth/otp/change-password",
        function: "urbanfits-change-password",
    },
    Route { method: "POST", path: "/auth/login", function: "urbanfits-login" },
    Route { method: "POST", path: "/api/auth/login", function: "urbanfits-login" },
    Route { method: "POST", path: "/auth/logout", function: "urbanfits-logout" },
    Route { method: "POST", path: "/api/auth/logout", function: "urbanfits-logout" },
    Route { method: "GET", path: "/user/get/me", function: "urbanfits-get-me" },
    Route { method: "GET", path: "/api/user/get/me", function: "urbanfits-get-me" },
    Route { method: "DELETE", path: "/user/delete/me", function: "urbanfits-delete-me" },
    Route { method: "DELETE", path: "/api/user/delete/me", function: "urbanfits-delete-me" },
    Route { method: "GET", path: "/auth/signup/verify-otp", function: "urbanfits-verify-otp-page" },
    Route {
        method: "GET",
        path: "/api/auth/signup/verify-otp",
        function: "urbanfits-verify-otp-page",
    },
];
