//! Names of files that people get.

/// Characters of a title in a name.
const CHARS: usize = 48;

/// A title as a part of a file's name that no system refuses and no shell reads as more: letters
/// and digits of any script, with hyphens between them. Never empty.
pub fn file_name(title: &str) -> String {
    let mut name = String::new();
    for char in title.chars() {
        if char.is_alphanumeric() {
            name.push(char);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.chars().take(CHARS).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "conversation".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_harmless_wherever_it_is_used() {
        assert_eq!(file_name("../../etc/passwd\0"), "etc-passwd");
        assert_eq!(file_name("\"; rm -rf ~ \r\nX: y"), "rm-rf-X-y");
        assert_eq!(file_name("Ümläute & 漢字?"), "Ümläute-漢字");
        assert_eq!(file_name(" ... "), "conversation");
        assert!(file_name(&"x".repeat(500)).len() <= CHARS);
    }
}
