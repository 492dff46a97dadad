//! The rules for one token.

use async_graphql::ServerError;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};
use serde::Deserialize;

use super::{KeyError, VerificationKey};
use crate::http::error::{self, code};

const MAXIMUM_TOKEN_BYTES: usize = 8 * 1024;
const MAXIMUM_CLAIM_BYTES: usize = 255;
const MAXIMUM_ROLES: usize = 64;
const MAXIMUM_LEEWAY_SECONDS: u64 = 10;

/// What every token must say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPolicy {
    /// The value of the claim `iss`.
    pub issuer: String,
    /// A value the claim `aud` must have or contain.
    pub audience: String,
    /// Seconds by which the clock of the issuer may differ from ours; at most 10.
    #[serde(default = "default_leeway")]
    pub leeway_seconds: u64,
}

fn default_leeway() -> u64 {
    5
}

impl TokenPolicy {
    pub(super) fn check(&self) -> Result<(), KeyError> {
        if self.issuer.is_empty() {
            return Err(KeyError::Policy("the issuer is empty"));
        }
        if self.audience.is_empty() {
            return Err(KeyError::Policy("the audience is empty"));
        }
        if self.leeway_seconds > MAXIMUM_LEEWAY_SECONDS {
            return Err(KeyError::Policy("the leeway is larger than ten seconds"));
        }
        Ok(())
    }
}

/// Who is calling, according to a verified token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The claim `sub`: one person or system, never empty.
    pub subject: String,
    /// The claim `roles`, in the token's order; empty if the token has none.
    pub roles: Vec<String>,
    /// The claim `unit`: the business unit the caller acts for.
    pub unit: Option<String>,
    /// The claim `customer`: the customer the caller acts for.
    pub customer: Option<String>,
    /// The claim `channel`: the sales channel the caller's system belongs to.
    pub channel: Option<String>,
    /// The order whose tracking link the caller shows; no claim of a signed token.
    pub order: Option<uuid::Uuid>,
    /// The claim `exp`: the instant from which the token is void.
    pub expires_at: DateTime<Utc>,
}

impl Identity {
    /// Whether the other token is for the same caller with the same rights; only their ends differ.
    pub(crate) fn is_same_caller(&self, other: &Self) -> bool {
        let Self { subject, roles, unit, customer, channel, order, expires_at: _ } = self;
        let has_all = |one: &[String], other: &[String]| one.iter().all(|role| other.contains(role));
        (subject, unit, customer, channel, order)
            == (&other.subject, &other.unit, &other.customer, &other.channel, &other.order)
            && has_all(roles, &other.roles)
            && has_all(&other.roles, roles)
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A header for a token is there, but no token is in it.
    #[error("The request carries no token where one is expected.")]
    Missing,
    /// The text is not a token, or a required claim is missing or has the wrong form.
    #[error("The token is malformed.")]
    Malformed,
    /// The token is void by now.
    #[error("The token has expired.")]
    Expired,
    /// The token is not valid yet.
    #[error("The token is not valid yet.")]
    NotYetValid,
    /// The signature does not fit.
    #[error("The token's signature is wrong.")]
    Signature,
    /// The token is signed with another algorithm than the key is for.
    #[error("The token's algorithm is not accepted.")]
    Algorithm,
    /// The token was issued by somebody else.
    #[error("The token's issuer is not accepted.")]
    Issuer,
    /// The token is meant for somebody else.
    #[error("The token is for another audience.")]
    Audience,
    /// The key the token names is unknown.
    #[error("The token's key is unknown.")]
    KeyUnknown,
    /// The keys could not be fetched; nothing is wrong with the token.
    #[error("Tokens cannot be verified at the moment.")]
    KeysUnavailable,
}

impl TokenError {
    /// The stable word for `extensions.reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::Issuer => "TOKEN_ISSUER",
            Self::Audience => "TOKEN_AUDIENCE",
            Self::KeyUnknown => "TOKEN_KEY_UNKNOWN",
            Self::KeysUnavailable => "TOKEN_KEYS_UNAVAILABLE",
        }
    }

    /// 401, or 503 when the fault is not the token's.
    pub fn status(self) -> StatusCode {
        match self {
            Self::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl From<TokenError> for ServerError {
    fn from(token_error: TokenError) -> Self {
        let code = match token_error {
            TokenError::KeysUnavailable => code::UNAVAILABLE,
            _ => code::UNAUTHENTICATED,
        };
        let mut server_error = error::coded(code, token_error.to_string());
        error::set_extension(&mut server_error, "reason", token_error.reason());
        server_error
    }
}

/// The token in the value of an `Authorization` header or of the same entry of a WebSocket's first
/// message.
///
/// # Errors
/// [`TokenError::Malformed`] for another scheme, [`TokenError::Missing`] for an empty token.
pub(crate) fn bearer(value: &str) -> Result<&str, TokenError> {
    let value = value.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Malformed);
    }
    match token.trim() {
        "" => Err(TokenError::Missing),
        token => Ok(token),
    }
}

pub(super) fn read_header(token: &str) -> Result<Header, TokenError> {
    if token.len() > MAXIMUM_TOKEN_BYTES {
        return Err(TokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
    // A token may list header fields that must be understood; we understand none of them.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    Ok(header)
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    // The library accepts a list here; a token has one issuer.
    #[serde(rename = "iss")]
    _iss: String,
    exp: serde_json::Number,
    #[serde(default)]
    roles: Vec<String>,
    unit: Option<String>,
    customer: Option<String>,
    channel: Option<String>,
}

pub(super) fn verify(
    token: &str,
    header: &Header,
    key: &VerificationKey,
    policy: &TokenPolicy,
) -> Result<Identity, TokenError> {
    if header.alg != key.algorithm {
        return Err(TokenError::Algorithm);
    }
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = policy.leeway_seconds;
    validation.validate_nbf = true;
    validation.set_issuer(&[&policy.issuer]);
    validation.set_audience(&[&policy.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);

    let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation)
        .map_err(|refusal| reason_of(refusal.kind()))?
        .claims;

    let texts = [&claims.unit, &claims.customer, &claims.channel];
    let all_fit = std::iter::once(&claims.sub)
        .chain(&claims.roles)
        .chain(texts.into_iter().flatten())
        .all(|text| !text.is_empty() && text.len() <= MAXIMUM_CLAIM_BYTES && !text.chars().any(char::is_control));
    if !all_fit || claims.roles.len() > MAXIMUM_ROLES {
        return Err(TokenError::Malformed);
    }

    Ok(Identity {
        subject: claims.sub,
        roles: claims.roles,
        unit: claims.unit,
        customer: claims.customer,
        channel: claims.channel,
        order: None,
        expires_at: instant(&claims.exp).ok_or(TokenError::Malformed)?,
    })
}

fn instant(seconds: &serde_json::Number) -> Option<DateTime<Utc>> {
    let whole = match seconds.as_i64() {
        Some(whole) => whole,
        // A fraction of a second is cut off; a value out of range saturates and is refused below.
        None => seconds.as_f64()? as i64,
    };
    DateTime::from_timestamp(whole, 0)
}

fn reason_of(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYetValid,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => TokenError::Audience,
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => TokenError::Issuer,
        _ => TokenError::Malformed,
    }
}
