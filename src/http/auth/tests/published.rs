use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use jsonwebtoken::jwk::Jwk;

use super::*;

/// An identity provider whose published set the test changes.
struct Provider {
    answer: Mutex<Option<Value>>,
    fetches: AtomicUsize,
}

impl Provider {
    async fn start() -> (Arc<Self>, String) {
        let provider = Arc::new(Self { answer: Mutex::new(None), fetches: AtomicUsize::new(0) });
        let routes =
            axum::Router::new().route("/keys", axum::routing::get(Self::keys)).with_state(Arc::clone(&provider));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (provider, url)
    }

    async fn keys(State(provider): State<Arc<Self>>) -> Result<axum::Json<Value>, StatusCode> {
        provider.fetches.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let answer = provider.answer.lock().unwrap().clone();
        answer.map(axum::Json).ok_or(StatusCode::BAD_GATEWAY)
    }

    fn publish(&self, keys: &[Value]) {
        *self.answer.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn fail(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

fn published(private: &EncodingKey, algorithm: Algorithm, key_id: &str) -> Value {
    install_crypto_provider();
    let mut jwk = Jwk::from_encoding_key(private, algorithm).unwrap();
    jwk.common.key_id = Some(key_id.to_owned());
    serde_json::to_value(jwk).unwrap()
}

#[tokio::test]
async fn follows_a_published_key_set() {
    let (provider, url) = Provider::start().await;
    let settings = JwksSettings { unknown_key_seconds: 1, refresh_seconds: 1, ..JwksSettings::new(url) };
    let authenticator = Authenticator::from_jwks(settings, policy()).unwrap();
    let (first, _) = ec();
    let (second, _) = ed();
    let with_first = sign(&claims(), Algorithm::ES256, &first, Some("first"));
    let with_second = sign(&claims(), Algorithm::EdDSA, &second, Some("second"));

    assert_eq!(authenticator.authenticate(&with_first).await, Err(TokenError::KeysUnavailable));
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    // Fifty callers at once cause one fetch.
    provider.publish(&[json!({"kty": "new"}), published(&first, Algorithm::ES256, "first")]);
    let before = provider.fetches();
    let crowd: Vec<_> = (0..50).map(|_| authenticator.authenticate(&with_first)).collect();
    for outcome in futures::future::join_all(crowd).await {
        assert_eq!(outcome.unwrap().subject, "ada");
    }
    assert_eq!(provider.fetches() - before, 1);

    // An unknown key is asked for once per interval, not once per request.
    for _ in 0..20 {
        assert_eq!(authenticator.authenticate(&with_second).await, Err(TokenError::KeyUnknown));
    }
    assert_eq!(provider.fetches() - before, 1);

    // Rotation is noticed after the interval.
    provider.publish(&[published(&second, Algorithm::EdDSA, "second")]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(authenticator.authenticate(&with_second).await.is_ok());
    assert_eq!(authenticator.authenticate(&with_first).await, Err(TokenError::KeyUnknown));

    // Nor does what a key has verified outlive it, if another takes its name.
    let (third, _) = ed();
    provider.publish(&[published(&third, Algorithm::EdDSA, "second")]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while authenticator.authenticate(&with_second).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the withdrawn key is still used");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(authenticator.authenticate(&with_second).await, Err(TokenError::Signature));
    provider.publish(&[published(&second, Algorithm::EdDSA, "second")]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    while authenticator.authenticate(&with_second).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline + Duration::from_secs(5), "the key is not back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // During an outage the known keys keep working.
    provider.fail();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..3 {
        assert!(authenticator.authenticate(&with_second).await.is_ok());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(provider.fetches() - before >= 3, "the refresh was tried");
}

#[tokio::test]
async fn a_published_key_is_used_for_its_own_algorithm_only() {
    let (provider, url) = Provider::start().await;
    let authenticator = Authenticator::from_jwks(JwksSettings::new(url), policy()).unwrap();
    let (private, public) = rsa();
    let mut for_encryption = published(&private, Algorithm::RS256, "encryption");
    for_encryption["use"] = json!("enc");
    let symmetric = json!({"kty": "oct", "kid": "symmetric", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    provider.publish(&[published(&private, Algorithm::RS256, "rsa"), for_encryption, symmetric]);

    let outcome = |algorithm, key: EncodingKey, key_id| {
        let authenticator = authenticator.clone();
        async move {
            let token = sign(&claims(), algorithm, &key, key_id);
            authenticator.authenticate(&token).await.map(|identity| identity.subject)
        }
    };
    assert_eq!(outcome(Algorithm::RS256, private.clone(), Some("rsa")).await, Ok("ada".to_owned()));
    // The only usable key needs no name.
    assert_eq!(outcome(Algorithm::RS256, private.clone(), None).await, Ok("ada".to_owned()));
    assert_eq!(outcome(Algorithm::RS512, private.clone(), Some("rsa")).await, Err(TokenError::Algorithm));
    assert_eq!(outcome(Algorithm::RS256, private, Some("encryption")).await, Err(TokenError::KeyUnknown));
    assert_eq!(
        outcome(Algorithm::HS256, EncodingKey::from_secret(public.as_bytes()), Some("rsa")).await,
        Err(TokenError::Algorithm)
    );
    assert_eq!(
        outcome(Algorithm::HS256, EncodingKey::from_secret(SECRET), Some("symmetric")).await,
        Err(TokenError::KeyUnknown)
    );
    let (stranger, _) = rsa();
    assert_eq!(outcome(Algorithm::RS256, stranger, Some("rsa")).await, Err(TokenError::Signature));
}
