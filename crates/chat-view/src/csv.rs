//! Tables as CSV (RFC 4180).

/// The rows, one a line. A cell is quoted where its text needs it, and otherwise left as it is.
pub fn csv(rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            if cell.contains(['"', ',', '\n', '\r']) {
                out.push('"');
                out.push_str(&cell.replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(cell);
            }
        }
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_needs_it_is_quoted() {
        let rows = [["a", "=B1+1", "x, y"], ["say \"so\"", "two\nlines", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(csv(&rows), "a,=B1+1,\"x, y\"\r\n\"say \"\"so\"\"\",\"two\nlines\",\r\n");
    }

    /// Reads what RFC 4180 says.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !quoted => {
                    chars.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                _ => cell.push(c),
            }
        }
        rows
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            rows in proptest::collection::vec(proptest::collection::vec("[a\",\r\n= é]{0,6}", 1..4), 0..5)
        ) {
            prop_assert_eq!(read(&csv(&rows)), rows);
        }
    }
}
