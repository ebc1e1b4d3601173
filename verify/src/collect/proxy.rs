//! Which proxy the API server is reached through.
//!
//! kube takes the proxy from the kubeconfig or `HTTPS_PROXY`, but compares `NO_PROXY` with the proxy's own address, not
//! the API server's (`kube-client` 5.0, `config/file_loader.rs`, `proxy_url`), and refuses a list that ends in a comma.
//! So an exemption for the API server would never hold. This decides instead, as curl and Go do.

use http::Uri;
use std::net::IpAddr;

/// The proxy for an API server at `server`: the kubeconfig's own `proxy-url`, else `HTTPS_PROXY` unless `NO_PROXY`
/// exempts the server. `Err` is a proxy address that cannot be read; it may hold a password and is not repeated.
pub(super) fn choose(
    server: &Uri,
    configured: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, String> {
    let parse = |proxy: &str, origin: &str| {
        let with_scheme = if proxy.contains("://") {
            proxy.to_owned()
        } else {
            format!("http://{proxy}")
        };
        with_scheme.parse::<Uri>().map_err(|_| origin.to_owned())
    };
    if let Some(proxy) = configured.filter(|proxy| !proxy.is_empty()) {
        return parse(proxy, "proxy-url in the kubeconfig").map(Some);
    }
    let either = |upper: &str, lower: &str| {
        variable(upper)
            .or_else(|| variable(lower))
            .filter(|value| !value.is_empty())
    };
    if server.scheme_str() != Some("https") {
        return Ok(None);
    }
    let Some(proxy) = either("HTTPS_PROXY", "https_proxy") else {
        return Ok(None);
    };
    if is_exempt(server, &either("NO_PROXY", "no_proxy").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&proxy, "HTTPS_PROXY").map(Some)
}

/// Whether a list of names, addresses and networks exempts a server: `host`, `.domain`, `*.domain`, `10.0.0.0/8`, each
/// with an optional port, or `*`. What cannot be read exempts nothing.
fn is_exempt(server: &Uri, list: &str) -> bool {
    let host = server
        .host()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    // As Go does: nobody's proxy leads to this machine's own loopback.
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let port = server.port_u16().unwrap_or(443).to_string();
    list.split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let (Some((network, length)), Some(address)) = (entry.split_once('/'), address) {
                return network.parse().is_ok_and(|network| contains(network, length, address));
            }
            let plain = entry.trim_matches(['[', ']']);
            if let (Ok(exempt), Some(address)) = (plain.parse::<IpAddr>(), address) {
                return exempt == address;
            }
            let name = match entry.rsplit_once(':') {
                Some((name, exempt)) if exempt.bytes().all(|byte| byte.is_ascii_digit()) => {
                    if exempt != port {
                        return false;
                    }
                    name
                }
                _ => entry.as_str(),
            };
            let domain = name
                .trim_start_matches('*')
                .trim_start_matches('.')
                .trim_matches(['[', ']']);
            let exact = host == domain && !name.starts_with("*.") && !name.starts_with('.');
            !domain.is_empty() && (exact || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
        })
}

fn contains(network: IpAddr, length: &str, address: IpAddr) -> bool {
    let Ok(length) = length.parse::<u32>() else {
        return false;
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://a.k8s.ondigitalocean.com", "", false)]
    #[case("https://a.k8s.ondigitalocean.com", "*", true)]
    #[case("https://a.k8s.ondigitalocean.com", "k8s.ondigitalocean.com", true)]
    #[case("https://a.k8s.ondigitalocean.com", ".ondigitalocean.com,", true)]
    #[case("https://a.k8s.ondigitalocean.com", "*.ondigitalocean.com", true)]
    #[case("https://a.k8s.ondigitalocean.com", "digitalocean.com", false)]
    #[case("https://a.k8s.ondigitalocean.com", "A.k8s.ondigitalocean.com:443", true)]
    #[case("https://a.k8s.ondigitalocean.com", "a.k8s.ondigitalocean.com:6443", false)]
    #[case("https://ondigitalocean.com", ".ondigitalocean.com", false)]
    #[case("https://10.1.2.3:6443", "192.168.0.0/16, 10.0.0.0/8", true)]
    #[case("https://10.1.2.3:6443", "10.1.2.4", false)]
    #[case("https://10.1.2.3:6443", "10.1.2.3", true)]
    #[case("https://10.1.2.3:6443", "10.1.2.3:6443", true)]
    #[case("https://10.1.2.3:6443", "10.0.0.0/x,,/,0.0.0.0/33", false)]
    #[case("https://[fd00::1]:6443", "fd00::/8", true)]
    #[case("https://[fd00::1]:6443", "[fd00::1]", true)]
    #[case("https://127.0.0.1:6443", "", true)]
    fn no_proxy_is_compared_with_the_server(#[case] server: &str, #[case] list: &str, #[case] exempt: bool) {
        let server: Uri = server.parse().unwrap();
        assert_eq!(is_exempt(&server, list), exempt);
        let variable = |name: &str| match name {
            "https_proxy" => Some("proxy:3128".to_owned()),
            "NO_PROXY" => Some(list.to_owned()),
            _ => None,
        };
        if !list.is_empty() {
            assert_eq!(choose(&server, None, variable).unwrap().is_none(), exempt);
        }
        // What the kubeconfig says of this cluster is meant for this cluster.
        let own = choose(&server, Some("http://own:1"), variable).unwrap().unwrap();
        assert_eq!(own.host(), Some("own"));
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_not_repeated() {
        let server: Uri = "https://example.com".parse().unwrap();
        let variable = |name: &str| (name == "HTTPS_PROXY").then(|| "http://user:pass word@proxy".to_owned());
        assert_eq!(choose(&server, None, variable), Err("HTTPS_PROXY".to_owned()));
    }
}
