//! The accounts service: sign-in and tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use super::encoding::base64;
use super::tokens::Code;
use crate::shared::{CLIENT_ID, CLIENT_SECRET, Shared};

/// The query of `/authorize`.
#[derive(Deserialize)]
pub(super) struct SignIn {
    client_id: String,
    response_type: String,
    redirect_uri: String,
    state: Option<String>,
    code_challenge_method: Option<String>,
    code_challenge: Option<String>,
}

/// The form sent to `/api/token`.
#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
}

/// The user agrees at once: back to the app with a code.
pub(super) async fn authorize(State(shared): State<Arc<Shared>>, Query(sign_in): Query<SignIn>) -> Response {
    if sign_in.client_id != CLIENT_ID {
        return (StatusCode::BAD_REQUEST, "INVALID_CLIENT: Invalid client").into_response();
    }
    // Spotify takes loopback addresses, but no longer their name.
    if !["http://127.0.0.1:", "http://[::1]:", "https://"].iter().any(|base| sign_in.redirect_uri.starts_with(base)) {
        return (StatusCode::BAD_REQUEST, "INVALID_CLIENT: Insecure redirect URI").into_response();
    }
    let is_pkce = sign_in.code_challenge_method.as_deref() == Some("S256") && sign_in.code_challenge.is_some();
    if sign_in.response_type != "code" || (sign_in.code_challenge.is_some() && !is_pkce) {
        return (StatusCode::BAD_REQUEST, "response_type must be code, code_challenge_method S256").into_response();
    }
    let code = Code { redirect_uri: sign_in.redirect_uri.clone(), challenge: sign_in.code_challenge };
    let code = shared.tokens.code(code);
    let state = sign_in
        .state
        .map_or_else(String::new, |state| format!("&state={}", utf8_percent_encode(&state, NON_ALPHANUMERIC)));
    let back = format!("{}?code={code}{state}", sign_in.redirect_uri);
    (StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response()
}

/// Tokens for the app, for a code, or for a refresh token.
pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(request): Form<TokenRequest>,
) -> Response {
    let is_app = shows_secret(&headers, &request);
    let is_known = is_app || request.client_id.as_deref() == Some(CLIENT_ID);
    if !is_known {
        return refusal("invalid_client", "Invalid client");
    }
    match request.grant_type.as_str() {
        "client_credentials" if is_app => Json(shared.tokens.for_app()).into_response(),
        "client_credentials" => refusal("invalid_client", "Invalid client secret"),
        "authorization_code" => {
            let (code, redirect) = (request.code.unwrap_or_default(), request.redirect_uri.unwrap_or_default());
            match shared.tokens.redeem(&code, &redirect, request.code_verifier.as_deref(), is_app) {
                true => Json(shared.tokens.for_user()).into_response(),
                false => refusal("invalid_grant", "Invalid authorization code"),
            }
        }
        "refresh_token" => match shared.tokens.redeem_refresh(&request.refresh_token.unwrap_or_default()) {
            true => Json(shared.tokens.for_user()).into_response(),
            false => refusal("invalid_grant", "Refresh token revoked"),
        },
        _ => refusal("unsupported_grant_type", "grant_type parameter is missing or unknown"),
    }
}

/// The secret comes in the Basic scheme or in the form.
fn shows_secret(headers: &HeaderMap, request: &TokenRequest) -> bool {
    let basic = format!("Basic {}", base64(format!("{CLIENT_ID}:{CLIENT_SECRET}").as_bytes()));
    let in_header = headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == basic.as_bytes());
    let in_form = request.client_id.as_deref() == Some(CLIENT_ID);
    in_header || (in_form && request.client_secret.as_deref() == Some(CLIENT_SECRET))
}

/// An error as the accounts service writes it, which differs from the Web API's.
fn refusal(error: &str, description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error, "error_description": description}))).into_response()
}
