//! Who calls the Web API.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::errors::error;
use super::tokens::Refusal;
use crate::shared::Shared;

/// Whoever sent a request with a valid token.
pub(super) struct Caller {
    /// Signed in as a user, rather than as the app alone.
    pub is_user: bool,
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        match shared.tokens.check(&parts.headers) {
            Ok(is_user) => Ok(Self { is_user }),
            Err(Refusal::NotBearer) => {
                Err(error(StatusCode::BAD_REQUEST, "Only valid bearer authentication supported"))
            }
            Err(Refusal::Missing) => Err(error(StatusCode::UNAUTHORIZED, "No token provided")),
            Err(Refusal::Unknown) => Err(error(StatusCode::UNAUTHORIZED, "Invalid access token")),
            Err(Refusal::Expired) => Err(error(StatusCode::UNAUTHORIZED, "The access token expired")),
        }
    }
}
