//! The routes of Gotu, written by `cargo xtask sync` from template.yaml.

use crate::contracts::Route;

pub(super) const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/otp", function: "gotu-post-otp" },
    Route { method: "POST", path: "/users", function: "gotu-post-users" },
    Route { method: "POST", path: "/sessions", function: "gotu-post-sessions" },
    Route { method: "POST", path: "/sessions/phone", function: "gotu-post-sessions-phone" },
    Route { method: "POST", path: "/sessions/refresh", function: "gotu-post-sessions-refresh" },
    Route { method: "DELETE", path: "/users", function: "gotu-delete-users" },
    Route { method: "DELETE", path: "/sessions", function: "gotu-delete-sessions" },
    Route { method: "POST", path: "/otp/verification", function: "gotu-post-otp-verification" },
    Route { method: "PATCH", path: "/users/phone", function: "gotu-patch-users-phone" },
    Route { method: "PATCH", path: "/users/password", function: "gotu-patch-users-password" },
];
