mod published;

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn policy() -> TokenPolicy {
    TokenPolicy { issuer: "https://id.example".to_owned(), audience: "ordergraph".to_owned(), leeway_seconds: 2 }
}

fn claims() -> Value {
    let now = chrono::Utc::now().timestamp();
    json!({
        "iss": "https://id.example", "aud": ["other", "ordergraph"], "sub": "ada", "exp": now + 60,
        "roles": ["REVIEWER"], "unit": "unit-1", "customer": null,
    })
}

fn sign(claims: &Value, algorithm: Algorithm, key: &EncodingKey, key_id: Option<&str>) -> String {
    install_crypto_provider();
    let mut header = Header::new(algorithm);
    header.kid = key_id.map(str::to_owned);
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

/// A signing key and the PEM form of its public half.
fn rsa() -> (EncodingKey, String) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der = pair.as_der().unwrap();
    let public: PublicKeyX509Der = pair.public_key().as_der().unwrap();
    // The signer wants the inner PKCS#1 form, which ends the PKCS#8 one.
    let pkcs1 = &private.as_ref()[26..];
    (EncodingKey::from_rsa_der(pkcs1), pem(public.as_ref()))
}

fn ec() -> (EncodingKey, String) {
    let private =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref()).unwrap();
    let public: PublicKeyX509Der = pair.public_key().as_der().unwrap();
    (EncodingKey::from_ec_der(private.as_ref()), pem(public.as_ref()))
}

fn ed() -> (EncodingKey, String) {
    // The version 1 form, which is the one that tools write to files.
    let private = Ed25519KeyPair::generate_pkcs8v1(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private.as_ref()).unwrap();
    let public: PublicKeyX509Der = pair.public_key().as_der().unwrap();
    (EncodingKey::from_ed_der(private.as_ref()), pem(public.as_ref()))
}

async fn refusal(authenticator: &Authenticator, claims: &Value) -> TokenError {
    let token = sign(claims, Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    authenticator.authenticate(&token).await.expect_err("refused")
}

#[tokio::test]
async fn reads_the_identity() {
    let authenticator = Authenticator::from_secret(SECRET, policy()).unwrap();
    let token = sign(&claims(), Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    let identity = authenticator.authenticate(&token).await.unwrap();
    assert_eq!(identity.subject, "ada");
    assert_eq!(identity.roles, ["REVIEWER"]);
    assert_eq!(identity.unit.as_deref(), Some("unit-1"));
    assert_eq!(identity.customer, None);
    let left = identity.expires_at - chrono::Utc::now();
    assert!((58..=60).contains(&left.num_seconds()));
}

#[tokio::test]
async fn a_token_that_was_verified_expires_all_the_same() {
    let authenticator = Authenticator::from_secret(SECRET, policy()).unwrap();
    let mut claims = claims();
    // With the leeway it is good for this second and, at most, the next.
    claims["exp"] = json!(chrono::Utc::now().timestamp() - 1);
    let token = sign(&claims, Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    assert!(authenticator.authenticate(&token).await.is_ok());
    assert!(authenticator.clone().authenticate(&token).await.is_ok());
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(authenticator.authenticate(&token).await, Err(TokenError::Expired));
}

#[tokio::test]
async fn what_was_verified_lends_nothing_to_what_looks_like_it() {
    let authenticator = Authenticator::from_secret(SECRET, policy()).unwrap();
    let token = sign(&claims(), Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    assert!(authenticator.authenticate(&token).await.is_ok());
    let forged = sign(&claims(), Algorithm::HS256, &EncodingKey::from_secret(&[7; 32]), None);
    assert_eq!(authenticator.authenticate(&forged).await, Err(TokenError::Signature));
    let other = Authenticator::from_secret(&[7; 32], policy()).unwrap();
    assert_eq!(other.authenticate(&token).await, Err(TokenError::Signature));
}

#[tokio::test]
async fn refuses_every_bad_claim() {
    let authenticator = Authenticator::from_secret(SECRET, policy()).unwrap();
    let now = chrono::Utc::now().timestamp();
    for (name, value, expected) in [
        ("exp", json!(now - 3), TokenError::Expired),
        ("exp", json!("soon"), TokenError::Malformed),
        ("exp", json!(-5), TokenError::Malformed),
        ("exp", json!(1e18), TokenError::Malformed),
        ("exp", Value::Null, TokenError::Malformed),
        ("nbf", json!(now + 30), TokenError::NotYetValid),
        ("nbf", json!("later"), TokenError::Malformed),
        ("iss", json!("https://evil.example"), TokenError::Issuer),
        ("iss", json!(["https://id.example"]), TokenError::Malformed),
        ("aud", json!("somebody"), TokenError::Audience),
        ("aud", json!([]), TokenError::Audience),
        ("aud", Value::Null, TokenError::Audience),
        ("sub", json!(""), TokenError::Malformed),
        ("sub", json!("a\u{0}b"), TokenError::Malformed),
        ("sub", json!("a".repeat(256)), TokenError::Malformed),
        ("sub", Value::Null, TokenError::Malformed),
        ("roles", json!("ADMIN"), TokenError::Malformed),
        ("roles", json!([""]), TokenError::Malformed),
        ("roles", json!(vec!["R"; 65]), TokenError::Malformed),
        ("unit", json!(""), TokenError::Malformed),
    ] {
        let mut bad = claims();
        bad[name] = value.clone();
        assert_eq!(refusal(&authenticator, &bad).await, expected, "{name} = {value}");
    }
    for name in ["exp", "iss", "aud", "sub"] {
        let mut bad = claims();
        bad.as_object_mut().unwrap().remove(name);
        refusal(&authenticator, &bad).await;
    }
    let mut fractional = claims();
    fractional["exp"] = serde_json::from_str(&format!("{}.5", now + 9)).unwrap();
    let token = sign(&fractional, Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    let identity = authenticator.authenticate(&token).await.unwrap();
    assert_eq!(identity.expires_at.timestamp(), now + 9);
}

#[tokio::test]
async fn refuses_forged_and_broken_tokens() {
    let authenticator = Authenticator::from_secret(SECRET, policy()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = part(&claims());
    let good = sign(&claims(), Algorithm::HS256, &EncodingKey::from_secret(SECRET), None);
    let signature = good.rsplit('.').next().unwrap();
    for (token, expected) in [
        (String::new(), TokenError::Malformed),
        ("a.b.c".to_owned(), TokenError::Malformed),
        (format!("{}.{body}.", part(&json!({"alg": "none"}))), TokenError::Malformed),
        (format!("{}.{body}.{signature}", part(&json!({"alg": "None"}))), TokenError::Malformed),
        (format!("{}.{body}.{signature}", part(&json!({"alg": "HS384"}))), TokenError::Algorithm),
        (format!("{}.{body}.{signature}", part(&json!({"alg": "HS256", "crit": ["exp"]}))), TokenError::Malformed),
        (sign(&claims(), Algorithm::HS256, &EncodingKey::from_secret(&[7; 32]), None), TokenError::Signature),
        ("a".repeat(9_000), TokenError::Malformed),
    ] {
        assert_eq!(authenticator.authenticate(&token).await, Err(expected), "{token}");
    }
}

#[tokio::test]
async fn verifies_with_public_keys_and_only_their_algorithm() {
    for (algorithm, (private, public)) in
        [(Algorithm::RS256, rsa()), (Algorithm::ES256, ec()), (Algorithm::EdDSA, ed())]
    {
        let authenticator = Authenticator::from_public_key_pem(&public, policy()).unwrap();
        let token = sign(&claims(), algorithm, &private, None);
        assert_eq!(authenticator.authenticate(&token).await.unwrap().subject, "ada");

        let with_public_key = EncodingKey::from_secret(public.as_bytes());
        let forged = sign(&claims(), Algorithm::HS256, &with_public_key, None);
        assert_eq!(authenticator.authenticate(&forged).await, Err(TokenError::Algorithm));
    }
    let (private, public) = rsa();
    let authenticator = Authenticator::from_public_key_pem(&public, policy()).unwrap();
    let other_padding = sign(&claims(), Algorithm::PS256, &private, None);
    assert_eq!(authenticator.authenticate(&other_padding).await, Err(TokenError::Algorithm));
    assert!(Authenticator::from_public_key_pem("no key", policy()).is_err());
}

#[test]
fn refuses_unsafe_settings() {
    let with = |change: fn(&mut TokenPolicy)| {
        let mut changed = policy();
        change(&mut changed);
        Authenticator::from_secret(SECRET, changed).is_err()
    };
    assert!(with(|policy| policy.issuer.clear()));
    assert!(with(|policy| policy.audience.clear()));
    assert!(with(|policy| policy.leeway_seconds = 11));
    assert!(Authenticator::from_secret(b"short", policy()).is_err());
    for url in ["http://id.example/keys", "ftp://127.0.0.1/keys", "keys"] {
        assert!(Authenticator::from_jwks(JwksSettings::new(url), policy()).is_err(), "{url}");
    }
}

#[test]
fn reads_bearer_tokens() {
    assert_eq!(token::bearer("Bearer abc"), Ok("abc"));
    assert_eq!(token::bearer(" bearer   abc "), Ok("abc"));
    assert_eq!(token::bearer("Bearer"), Err(TokenError::Missing));
    assert_eq!(token::bearer("Basic abc"), Err(TokenError::Malformed));
}

#[tokio::test]
async fn a_demo_key_is_kept_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let key = DemoKey::load_or_create(&data_dir).unwrap();
    let again = DemoKey::load_or_create(&data_dir).unwrap();
    assert_eq!(key.secret(), again.secret());
    let names: Vec<_> = std::fs::read_dir(&data_dir).unwrap().flatten().collect();
    assert_eq!(names.len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = data_dir.join("demo.key");
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        DemoKey::load_or_create(&data_dir).unwrap();
        assert_eq!(mode(&path), 0o600);
    }
    let token = again
        .issue(&DemoToken {
            subject: "demo".to_owned(),
            roles: vec!["SALES".to_owned()],
            unit: None,
            customer: Some("customer-1".to_owned()),
            channel: None,
            lifetime: Duration::from_secs(5),
        })
        .unwrap();
    let identity = Authenticator::from_demo_key(&key).unwrap().authenticate(&token).await.unwrap();
    assert_eq!(identity.customer.as_deref(), Some("customer-1"));

    std::fs::write(data_dir.join("demo.key"), b"short").unwrap();
    assert!(DemoKey::load_or_create(&data_dir).is_err());
}
