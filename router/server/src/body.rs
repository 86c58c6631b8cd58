//! Reads request bodies up to the limit.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;

use crate::error::RequestError;

/// How much beyond the limit is read and thrown away, as a multiple of the limit, and how long that may take.
const LINGER: usize = 64;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// The whole body, if it is not larger than `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, RequestError> {
    if announced_length(headers).is_some_and(|length| length > limit) {
        linger(body, limit).await;
        return Err(RequestError::PayloadTooLarge { limit });
    }
    let mut body = body;
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| RequestError::Malformed("The request body broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            linger(body, limit).await;
            return Err(RequestError::PayloadTooLarge { limit });
        }
        whole = join(whole, data);
    }
    Ok(whole)
}

/// Most bodies come in one piece, which is taken as it is.
fn join(before: Bytes, after: Bytes) -> Bytes {
    if before.is_empty() {
        return after;
    }
    let mut joined = before
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    joined.extend_from_slice(&after);
    joined.freeze()
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes in some of what the client is still sending: an answer sent while it sends would be lost with the connection.
async fn linger(mut body: Body, limit: usize) {
    let drain = async {
        let mut left = limit.saturating_mul(LINGER);
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length > left {
                return;
            }
            left -= length;
        }
    };
    // Whoever is slower than this has to do without an answer.
    let _ = tokio::time::timeout(LINGER_TIME, drain).await;
}
