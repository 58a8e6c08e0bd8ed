//! Access tokens, refresh tokens and authorization codes that were given out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::encoding::challenge;
use crate::random::Random;

/// Everything that was given out.
pub(crate) struct Tokens {
    /// Calls that each access token is good for.
    uses: Option<u64>,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    access: HashMap<String, Access>,
    refresh: Vec<String>,
    codes: HashMap<String, Code>,
}

struct Access {
    is_user: bool,
    uses_left: Option<u64>,
}

/// What an authorization code was asked for with; it must come back with the same.
pub(super) struct Code {
    pub redirect_uri: String,
    /// PKCE's; without one the app must show its secret.
    pub challenge: Option<String>,
}

/// Why a request is not let in.
pub(super) enum Refusal {
    Missing,
    NotBearer,
    Unknown,
    Expired,
}

impl Tokens {
    pub(crate) fn new(uses: Option<u64>) -> Self {
        Self { uses, issued: Mutex::default() }
    }

    /// Whether the request's token is a user's; it has one use less after this.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<bool, Refusal> {
        let token = bearer(headers)?;
        let mut issued = self.issued();
        let access = issued.access.get_mut(token).ok_or(Refusal::Unknown)?;
        match &mut access.uses_left {
            Some(0) => return Err(Refusal::Expired),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(access.is_user)
    }

    /// Makes the request's token, where it has one, an expired one.
    pub(crate) fn expire(&self, headers: &HeaderMap) {
        if let Ok(token) = bearer(headers)
            && let Some(access) = self.issued().access.get_mut(token)
        {
            access.uses_left = Some(0);
        }
    }

    /// The answer that carries a token for the app alone.
    pub(super) fn for_app(&self) -> Value {
        let token = self.issued().access_token(false, self.uses);
        json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
    }

    /// The answer that carries tokens for a user.
    pub(super) fn for_user(&self) -> Value {
        let mut issued = self.issued();
        let token = issued.access_token(true, self.uses);
        let refresh = issued.fresh("refresh");
        issued.refresh.push(refresh.clone());
        let scope = "playlist-read-private playlist-read-collaborative";
        json!({
            "access_token": token, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh, "scope": scope,
        })
    }

    pub(super) fn code(&self, code: Code) -> String {
        let mut issued = self.issued();
        let name = issued.fresh("code");
        issued.codes.insert(name.clone(), code);
        name
    }

    /// Whether this code was given out for this redirect and, where it has a challenge, this verifier is the
    /// challenge's. A code is good once, whatever comes of it.
    pub(super) fn redeem(&self, code: &str, redirect_uri: &str, verifier: Option<&str>, is_app: bool) -> bool {
        let Some(code) = self.issued().codes.remove(code) else { return false };
        let proven = match (&code.challenge, verifier) {
            (Some(expected), Some(verifier)) => challenge(verifier) == *expected,
            (Some(_), None) => false,
            (None, _) => is_app,
        };
        proven && code.redirect_uri == redirect_uri
    }

    /// Whether this refresh token is good; a new one takes its place.
    pub(super) fn redeem_refresh(&self, token: &str) -> bool {
        let mut issued = self.issued();
        let place = issued.refresh.iter().position(|known| known == token);
        place.map(|place| issued.refresh.swap_remove(place)).is_some()
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn fresh(&mut self, purpose: &str) -> String {
        self.count += 1;
        let mut random = Random::new(self.count, purpose);
        format!("BQ{}{}", random.id(), random.id())
    }

    fn access_token(&mut self, is_user: bool, uses_left: Option<u64>) -> String {
        let token = self.fresh("access");
        self.access.insert(token.clone(), Access { is_user, uses_left });
        token
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::Missing)?;
    value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NotBearer)
}
