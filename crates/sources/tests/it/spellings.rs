//! The many ways to write an address, so that a careless check does not see which one it is.

use std::net::Ipv4Addr;

/// Addresses that must not be reached: this machine, private networks, metadata.
pub(crate) const TARGETS: [Ipv4Addr; 8] = [
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::new(127, 8, 9, 10),
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 168, 1, 1),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(169, 254, 169, 254),
];

/// A host in every spelling: numbers in three bases, short forms, other digits and full stops,
/// addresses of IPv6 that hold it.
pub(crate) fn hosts(address: Ipv4Addr) -> Vec<String> {
    let mut hosts = dotted(address);
    hosts.extend(short(address));
    let plain = address.to_string();
    hosts.extend(["。", "．", "｡", "%2e", "%2E"].map(|stop| plain.replace('.', stop)));
    hosts.push(plain.chars().map(full_width).collect());
    hosts.push(plain.chars().map(circled).collect());
    let escaped: Vec<_> = plain.bytes().map(|byte| format!("%{byte:02x}")).collect();
    hosts.push(escaped.concat());
    hosts.push(plain.replacen('.', "\u{ad}.", 1));
    let ended: Vec<_> = hosts.iter().map(|host| format!("{host}.")).collect();
    hosts.extend(ended);
    hosts.extend(inside_v6(address));
    hosts
}

/// Each of the four numbers decimal, octal or hexadecimal.
fn dotted(address: Ipv4Addr) -> Vec<String> {
    (0..81)
        .map(|choice| {
            let part = |(at, byte): (u32, u8)| based(u32::from(byte), choice / 3_usize.pow(at) % 3);
            let parts: Vec<_> = (0..).zip(address.octets()).map(part).collect();
            parts.join(".")
        })
        .collect()
}

/// One, two or three numbers, the last of which stands for several bytes.
fn short(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets().map(u32::from);
    let forms =
        [vec![u32::from(address)], vec![a, (b << 16) | (c << 8) | d], vec![a, b, (c << 8) | d]];
    let mut hosts = Vec::new();
    for form in &forms {
        for base in 0..5 {
            let parts: Vec<_> = form.iter().map(|number| based(*number, base)).collect();
            hosts.push(parts.join("."));
        }
    }
    hosts
}

fn based(number: u32, base: usize) -> String {
    match base {
        0 => number.to_string(),
        1 => format!("0{number:o}"),
        2 => format!("0x{number:x}"),
        3 => format!("0X{number:08X}"),
        _ => format!("000{number:o}"),
    }
}

fn inside_v6(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
    [
        "[::1]".to_owned(),
        "[0:0:0:0:0:0:0:1]".to_owned(),
        "[0000:0000:0000:0000:0000:0000:0000:0001]".to_owned(),
        "[::]".to_owned(),
        "[fe80::1]".to_owned(),
        "[fe80::1%25eth0]".to_owned(),
        "[fec0::1]".to_owned(),
        "[fd00:ec2::254]".to_owned(),
        format!("[::{address}]"),
        format!("[::{hex}]"),
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{hex}]"),
        format!("[0:0:0:0:0:ffff:{hex}]"),
        format!("[::ffff:0:{hex}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b::{hex}]"),
        format!("[64:ff9b:1::{hex}]"),
        format!("[2002:{hex}::]"),
        format!("[2002:{hex}::1]"),
        format!("[2001:0:{hex}::1]"),
        format!("[2001::{hex}]"),
    ]
    .into()
}

fn full_width(char: char) -> char {
    match char {
        '0'..='9' => char::from_u32(u32::from(char) - u32::from('0') + 0xff10).unwrap_or(char),
        _ => '．',
    }
}

fn circled(char: char) -> char {
    match char {
        '0' => '⓪',
        '1'..='9' => char::from_u32(u32::from(char) - u32::from('1') + 0x2460).unwrap_or(char),
        _ => char,
    }
}

/// Names of this machine, and of what only a private network knows.
pub(crate) const NAMES: [&str; 16] = [
    "localhost",
    "LOCALHOST",
    "LocalHost.",
    "localhost..",
    "a.localhost",
    "a.b.localhost.",
    "ｌｏｃａｌｈｏｓｔ",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "loc%61lhost",
    "local\u{ad}host",
    "a.localhost。",
    "metadata.google.internal",
    "metadata.google.internal.",
    "printer.local",
    "router.home.arpa",
    "instance-data.ec2.internal",
];

/// Whole addresses around a host and a port.
pub(crate) fn addresses(host: &str, port: u16) -> Vec<String> {
    vec![
        format!("http://{host}:{port}/"),
        format!("https://{host}:{port}/"),
        format!("HTTP://{host}:{port}/?q=http://site.example/"),
        format!("http://{host}:{port}#site.example"),
        format!("http:\\\\{host}:{port}\\"),
        format!("http:{host}:{port}/"),
        format!("http:///{host}:{port}/"),
        format!("http://site.example@{host}:{port}/"),
        format!("http://site.example:80@{host}:{port}/"),
        format!("http://site.example%2f@{host}:{port}/"),
        format!("http://@{host}:{port}/"),
        format!("http://:@{host}:{port}/"),
        format!(" http://{host}:{port}/"),
        format!("ht\ttp://{host}:{port}/"),
        format!("http://\t{host}\n:{port}/"),
    ]
}
