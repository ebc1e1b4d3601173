//! Whom a firewall's rule lets in, as sets of addresses.

use crate::evaluate::fix::names;
use crate::evidence::{InboundRule, Link, RuleSource};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The networks that nobody routes from outside: RFC 1918, and RFC 6598, which DigitalOcean's clusters take pods' addresses of.
const PRIVATE: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
];
/// Unique local addresses (RFC 4193).
const UNIQUE_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
/// The one port that a few public addresses may reach.
const SSH: (&str, &str) = ("tcp", "22");
/// How narrow their ranges are at least.
const NARROW: (u8, u8) = (24, 64);
/// The whole of IPv4 in IPv6's notation (RFC 4291, 2.5.5.2).
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// What is not as it is to be, in words.
pub(super) struct Found {
    /// Whom it lets in, and should not.
    pub(super) open: Option<String>,
    /// Whom it may let in.
    pub(super) unknown: Option<String>,
}

/// What a rule lets in but private addresses, the region's own machines, and to SSH a few addresses.
/// `tag` says whom a tag lets in that is not one of the region's own machines.
pub(super) fn of(rule: &InboundRule, machines: &[Link], tag: &dyn Fn(&str) -> Option<String>) -> Found {
    let is_ssh = (rule.protocol.as_str(), rule.ports.as_str()) == SSH;
    let mut open: Vec<&str> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for address in &rule.addresses {
        match network(address) {
            None => unknown.push(format!("the address {address:?}")),
            Some(network) if is_private(network) || (is_ssh && is_narrow(network)) => {}
            Some(network) if network.prefix_len() == 0 => open.push("everybody"),
            Some(_) => open.push(address),
        }
    }
    match &rule.others {
        None => unknown.push("what else than addresses".to_owned()),
        Some(others) => unknown.extend(others.iter().filter_map(|source| other(source, machines, tag))),
    }
    open.dedup();
    Found {
        open: (!open.is_empty()).then(|| names(open)),
        unknown: (!unknown.is_empty()).then(|| names(unknown)),
    }
}

/// A source that is no address, in words; `None` for one of the region's own machines. Which addresses the others have is not
/// in the document.
fn other(source: &RuleSource, machines: &[Link], tag: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match source {
        RuleSource::Droplet(droplet) if machines.contains(droplet) => None,
        RuleSource::Droplet(Link::Resource(address)) => Some(address.clone()),
        RuleSource::Droplet(Link::Elsewhere(id)) => Some(format!("droplet {id}")),
        RuleSource::Droplet(_) => Some("a droplet".to_owned()),
        RuleSource::Tag(name) => tag(name),
        RuleSource::LoadBalancer(id) => Some(format!("load balancer {id}")),
        RuleSource::Cluster(id) => Some(format!("cluster {id}")),
        RuleSource::NotKnown(attribute) => Some(attribute.clone()),
    }
}

/// A range, or one address. Bits behind its length do not count.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network| network.trunc())
}

/// Whether every address of a network is private.
fn is_private(network: IpNet) -> bool {
    match network {
        IpNet::V4(network) => PRIVATE.iter().any(|private| private.contains(&network)),
        IpNet::V6(network) => UNIQUE_LOCAL.contains(&network),
    }
}

/// Addresses of IPv4 count as such in IPv6's notation too: there a /96 is all of them.
fn is_narrow(network: IpNet) -> bool {
    let (v4, v6) = NARROW;
    let least = match network {
        IpNet::V4(_) => v4,
        IpNet::V6(network) if MAPPED.contains(&network) || network.contains(&MAPPED) => MAPPED.prefix_len() + v4,
        IpNet::V6(_) => v6,
    };
    network.prefix_len() >= least
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn rule(ports: &str, addresses: &[&str]) -> InboundRule {
        InboundRule {
            protocol: "tcp".to_owned(),
            ports: ports.to_owned(),
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
            others: Some(Vec::new()),
        }
    }

    /// A rule of a region none of whose tags is its own.
    fn judged(rule: &InboundRule, machines: &[Link]) -> Found {
        of(rule, machines, &|tag| Some(format!("the tag {tag}")))
    }

    #[rstest]
    #[case::whole("10.0.0.0/8", true)]
    #[case::part("10.40.0.0/20", true)]
    #[case::single("192.168.1.7", true)]
    #[case::last_of_it("172.31.255.255/32", true)]
    #[case::shared("100.64.0.0/10", true)]
    #[case::unique_local("fd12:3456::/48", true)]
    #[case::all_unique_local("fc00::/7", true)]
    #[case::by_its_first_letters("10.0.0.0/0", false)]
    #[case::wider("10.0.0.0/7", false)]
    #[case::half_of_everything("192.168.0.0/1", false)]
    #[case::wider_than_172("172.16.0.0/11", false)]
    #[case::beside_172("172.32.0.0/12", false)]
    #[case::beside_shared("100.128.0.0/10", false)]
    #[case::a_public_network("203.0.113.0/24", false)]
    #[case::a_public_address("203.0.113.7", false)]
    #[case::link_local("fe80::/10", false)]
    #[case::global("2a03:b0c0::/64", false)]
    #[case::mapped("::ffff:10.0.0.0/104", false)]
    fn a_store_is_reached_by_private_addresses_alone(#[case] address: &str, #[case] private: bool) {
        let found = judged(&rule("8443", &["10.110.0.0/16", address]), &[]);
        assert_eq!(found.open.is_none(), private, "{:?}", found.open);
        assert_eq!(found.unknown, None);
    }

    #[rstest]
    #[case("22", "203.0.113.7", true)]
    #[case("22", "203.0.113.0/24", true)]
    #[case("22", "203.0.112.0/23", false)]
    #[case("22", "10.40.0.0/20", true)]
    #[case("22", "2a03:b0c0:1:2::/64", true)]
    #[case("22", "2a03:b0c0:1::/63", false)]
    #[case("22", "0.0.0.0/0", false)]
    #[case::all_of_ipv4_mapped("22", "::ffff:0:0/96", false)]
    #[case::half_of_ipv4_mapped("22", "::ffff:128.0.0.0/97", false)]
    #[case::around_what_is_mapped("22", "::/64", false)]
    #[case::a_few_mapped("22", "::ffff:203.0.113.0/120", true)]
    #[case::more_than_ssh("22-23", "203.0.113.7", false)]
    #[case::every_port("", "203.0.113.7", false)]
    #[case::all_ports("1-65535", "203.0.113.7", false)]
    fn ssh_is_reached_by_a_few_addresses_too(#[case] ports: &str, #[case] address: &str, #[case] good: bool) {
        assert_eq!(judged(&rule(ports, &[address]), &[]).open.is_none(), good);
    }

    #[test]
    fn ssh_is_tcp() {
        let mut udp = rule("22", &["203.0.113.7"]);
        udp.protocol = "udp".to_owned();
        assert_eq!(judged(&udp, &[]).open.as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn halves_of_everything_are_told_each_and_all_of_it_once() {
        let open = |addresses: &[&str]| judged(&rule("8443", addresses), &[]).open;
        assert_eq!(
            open(&["0.0.0.0/1", "128.0.0.0/1"]).as_deref(),
            Some("0.0.0.0/1, 128.0.0.0/1")
        );
        assert_eq!(open(&["0.0.0.0/0", "::/0"]).as_deref(), Some("everybody"));
    }

    #[test]
    fn what_is_no_address_is_not_known_unless_it_is_a_machine_of_the_region() {
        let own = Link::Resource("digitalocean_droplet.vector_agg".to_owned());
        let unknown = |source: RuleSource| {
            let mut rule = rule("8443", &["10.0.0.0/8"]);
            rule.others = Some(vec![source]);
            judged(&rule, std::slice::from_ref(&own)).unknown
        };
        assert_eq!(unknown(RuleSource::Droplet(own.clone())), None);
        let elsewhere = Link::Resource("digitalocean_droplet.bastion".to_owned());
        for (source, told) in [
            (RuleSource::Droplet(elsewhere), "digitalocean_droplet.bastion"),
            (RuleSource::Droplet(Link::Elsewhere("7".to_owned())), "droplet 7"),
            (RuleSource::Droplet(Link::NotKnown), "a droplet"),
            (RuleSource::Tag("k8s".to_owned()), "the tag k8s"),
            (RuleSource::LoadBalancer("7".to_owned()), "load balancer 7"),
            (RuleSource::Cluster("7".to_owned()), "cluster 7"),
            (RuleSource::NotKnown("source_tags".to_owned()), "source_tags"),
        ] {
            assert_eq!(unknown(source).as_deref(), Some(told));
        }
        let mut old = rule("8443", &["10.0.0.0/8", "gateway"]);
        old.others = None;
        assert_eq!(
            judged(&old, &[]).unknown.as_deref(),
            Some("the address \"gateway\", what else than addresses")
        );
    }
}
