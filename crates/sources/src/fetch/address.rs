//! Which addresses are the public internet.
//!
//! Everything that IANA's special-purpose registries name is refused, also the few ranges of them
//! that are reachable from everywhere: nobody's pages are there. So are addresses that carry another
//! one inside, since what is inside decides where they lead.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(segments: [u16; 4], length: u8) -> Ipv6Net {
    let [a, b, c, d] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length)
}

const NOT_PUBLIC_V4: [Ipv4Net; 18] = [
    v4(0, 0, 0, 0, 8),        // this network; 0.0.0.0 is this machine
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT; a cloud's metadata at 100.100.100.200
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // a cloud's own services, at an address that looks public
    v4(169, 254, 0, 0, 16),   // link-local; metadata at 169.254.169.254
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // IETF protocol assignments; metadata at 192.0.0.192
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 31, 196, 0, 24),  // AS112
    v4(192, 52, 193, 0, 24),  // automatic multicast tunnelling
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(192, 175, 48, 0, 24),  // AS112
    v4(198, 18, 0, 0, 15),    // benchmarking
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 3),      // multicast, reserved, broadcast
];

/// The one block that IANA gives to the public. Outside it are loopback, addresses that hold one of
/// IPv4 (`::/96`, `::ffff:0:0/96`, NAT64's `64:ff9b::/96` and `64:ff9b:1::/48`), discard-only
/// `100::/64`, segment routing `5f00::/16`, unique local `fc00::/7`, link-local `fe80::/10`,
/// site-local `fec0::/10`, and multicast `ff00::/8`.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

const NOT_PUBLIC_V6: [Ipv6Net; 5] = [
    // IETF protocol assignments: Teredo, benchmarking, multicast tunnelling, AS112, ORCHID, DRIP.
    v6([0x2001, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0], 32),     // documentation
    v6([0x2002, 0, 0, 0], 16),         // 6to4
    v6([0x2620, 0x4f, 0x8000, 0], 48), // AS112
    v6([0x3fff, 0, 0, 0], 20),         // documentation
];

/// Whether a page may be fetched from there without anybody having allowed it.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        let addresses = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 \
            126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255 \
            169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 \
            192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 \
            2000::1 2001:200:: 2001:4860:4860::8888 2001:db7:ffff:: 2001:db9:: 2003:: \
            2606:4700::1111 2620:4f:8001:: 2a00:1450::1 3ffe:: 3fff:1000:: 3fff:ffff::";
        for address in addresses.split_whitespace() {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn first_and_last_address_of_every_special_range_are_not_public() {
        let addresses = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 \
            100.100.100.200 127.0.0.0 127.255.255.255 168.63.129.16 169.254.0.0 \
            169.254.169.254 169.254.170.2 169.254.255.255 172.16.0.0 172.31.255.255 \
            192.0.0.0 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.171 192.0.0.192 \
            192.0.0.255 192.0.2.0 192.0.2.255 192.31.196.0 192.31.196.255 192.52.193.0 \
            192.52.193.255 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 \
            192.175.48.0 192.175.48.255 198.18.0.0 198.19.255.255 198.51.100.0 \
            198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 \
            255.255.255.255 :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 \
            ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1:: \
            64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100:: 100::ffff 100:0:0:1:: 1fff:ffff:: \
            2001:: 2001::1 2001:0:7f00:1:: 2001:1::1 2001:1::2 2001:2:: 2001:3:: \
            2001:4:112:: 2001:10:: 2001:1f:ffff:: 2001:20:: 2001:2f:ffff:: 2001:30:: \
            2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: 2001:db8:ffff:: 2002:: \
            2002:7f00:1:: 2002:808:808:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
            2620:4f:8000:: 3fff:: 3fff:fff:: 4000:: 5f00:: fc00:: fd00:ec2::254 fdff:ffff:: \
            fe80::1 febf:ffff:: fec0:: feff:ffff:: ff00:: ff02::1 ffff:ffff::";
        for address in addresses.split_whitespace() {
            assert!(!public(address), "{address}");
        }
    }

    proptest! {
        /// The standard library says the same of what it knows.
        #[test]
        fn nothing_private_to_the_standard_library_is_public(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let is_special = address.is_private() || address.is_loopback()
                || address.is_link_local() || address.is_broadcast() || address.is_multicast()
                || address.is_documentation() || address.is_unspecified();
            prop_assert!(!(is_special && is_public(address.into())));
        }

        #[test]
        fn an_address_that_holds_another_is_not_public(bits: u32, rest: u64) {
            let [a, b, c, d] = bits.to_be_bytes();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let rest = u128::from(rest);
            let v6 = |prefix: u128| Ipv6Addr::from(prefix | u128::from(bits));
            let held = [
                Ipv4Addr::from(bits).to_ipv6_mapped(),
                Ipv4Addr::from(bits).to_ipv6_compatible(),
                v6(0x64_ff9b << 96),
                v6(0x64_ff9b_0001 << 80),
                Ipv6Addr::from(u128::from(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0)) | rest),
                Ipv6Addr::from(u128::from(Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0)) | rest),
            ];
            for address in held {
                prop_assert!(!is_public(address.into()), "{}", address);
            }
        }
    }
}
