//! The network address of a client, as far as it can be believed.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::HeaderMap;
use http::request::Parts;

/// The address that the connection comes from, or what the outermost of so many trusted proxies says; `None` where nobody knows.
pub fn client_address(parts: &Parts, trusted_proxies: usize) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    forwarded(&parts.headers, trusted_proxies).or_else(|| peer.map(|ConnectInfo(peer)| peer.ip()))
}

/// What the outermost trusted proxy says it was called from; whatever stands before that in the list is the client's word.
fn forwarded(headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    if trusted_proxies == 0 {
        return None;
    }
    let values = headers.get_all("x-forwarded-for").iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = texts.flat_map(|text| text.split(',')).map(str::trim).collect();
    let hop = hops.len().checked_sub(trusted_proxies)?;
    address(hops[hop])
}

/// Some proxies add the port, and put an address of IPv6 in brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 1.1.1.1"));
        headers.append("x-forwarded-for", HeaderValue::from_static("2.2.2.2"));
        let cases = [(0, None), (1, Some("2.2.2.2")), (2, Some("1.1.1.1")), (4, None)];
        for (proxies, expected) in cases {
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(forwarded(&headers, proxies), expected, "{proxies}");
        }
    }

    #[test]
    fn a_hop_may_have_a_port() {
        for (hop, expected) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.7:4711", Some("192.0.2.7")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("[2001:db8::7]:4711", Some("2001:db8::7")),
            ("unknown", None),
            ("", None),
            ("192.0.2.7:99999", None),
        ] {
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(address(hop), expected, "{hop}");
        }
    }
}
