//! What `lazaret version compare` does: tells how two versions stand, or checks a table of such statements.

use std::cmp::Ordering;
use std::io::{self, BufRead, Read, Write};

use super::{Scheme, VersionError, compare, shown};

/// The longest line that is read, in bytes, its end not counted; what is longer is wrong.
const MAX_LINE: usize = 64 * 1024;

/// Reads statements `A OP B` from `input`, one a line, and writes to `output` a line for each that does not hold and
/// then a count. Returns whether any was wrong.
///
/// `OP` is `<`, `=` or `>`; blank lines and what follows a `#` at the start of a line or after white space say nothing.
/// A line that is no statement, or names a version that `scheme` cannot read, is wrong, for the reason written.
///
/// # Errors
/// Those of `input` and `output`, and nothing else.
pub fn check_table(scheme: Scheme, mut input: impl BufRead, mut output: impl Write) -> io::Result<bool> {
    let (mut number, mut statements, mut wrong) = (0_u64, 0_u64, 0_u64);
    let mut line = Vec::new();
    while let Some(length) = read_line(&mut input, &mut line)? {
        number += 1;
        let verdict = match length {
            Length::Whole => judge(scheme, &line),
            Length::Cut => Verdict::Wrong(format!("it is longer than {MAX_LINE} bytes")),
        };
        match verdict {
            Verdict::Nothing => continue,
            Verdict::Holds => {}
            Verdict::Wrong(reason) => {
                wrong += 1;
                writeln!(output, "line {number}: {reason}")?;
            }
        }
        statements += 1;
    }
    writeln!(output, "{wrong} of {statements} wrong")?;
    output.flush()?;
    Ok(wrong > 0)
}

/// The sign of how `a` stands to `b`: `<`, `=` or `>`.
///
/// # Errors
/// As [`compare`].
pub fn relation(scheme: Scheme, a: &str, b: &str) -> Result<&'static str, VersionError> {
    Ok(match compare(scheme, a, b)? {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    })
}

enum Verdict {
    Nothing,
    Holds,
    Wrong(String),
}

fn judge(scheme: Scheme, line: &[u8]) -> Verdict {
    let Ok(line) = std::str::from_utf8(line) else {
        return Verdict::Wrong("it is not UTF-8".to_owned());
    };
    let mut words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
    match [words.next(), words.next(), words.next(), words.next()] {
        [None, ..] => Verdict::Nothing,
        [Some(a), Some(claim @ ("<" | "=" | ">")), Some(b), None] => match relation(scheme, a, b) {
            Ok(truth) if truth == claim => Verdict::Holds,
            Ok(truth) => Verdict::Wrong(format!("{} {claim} {} should be {truth}", shown(a), shown(b))),
            Err(error) => Verdict::Wrong(error.to_string()),
        },
        _ => Verdict::Wrong(format!("`{}` is not of the form `A < B`, `A = B` or `A > B`", shown(line))),
    }
}

enum Length {
    Whole,
    Cut,
}

/// Reads the next line into `line`, without its end; `None` at the end of the input. Of a line that is too long the
/// rest is passed over, without keeping it.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<Length>> {
    line.clear();
    if input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|byte| *byte == b'\n').is_some() || line.len() <= MAX_LINE {
        return Ok(Some(Length::Whole));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Length::Cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &[u8]) -> (bool, String) {
        let mut output = Vec::new();
        let wrong = check_table(Scheme::Deb, table, &mut output).unwrap();
        (wrong, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_true_table_is_a_count() {
        let table = b"# a table\n\n1.0~rc1 < 1.0   # why\n1.0 = 1.0-0\r\n2 > 1";
        assert_eq!(check(table), (false, "0 of 3 wrong\n".to_owned()));
        assert_eq!(check(b""), (false, "0 of 0 wrong\n".to_owned()));
    }

    #[test]
    fn every_wrong_line_has_its_number_and_reason() {
        let table = b"1 < 2\n1.0 > 1.0-1\n1 <= 2\n1- = 1\n1 < \xff\n1 < 2 3\n1 <\n";
        let expected = "line 2: 1.0 > 1.0-1 should be <\n\
            line 3: `1 <= 2` is not of the form `A < B`, `A = B` or `A > B`\n\
            line 4: `1-` is no deb version: its revision is empty\n\
            line 5: it is not UTF-8\n\
            line 6: `1 < 2 3` is not of the form `A < B`, `A = B` or `A > B`\n\
            line 7: `1 <` is not of the form `A < B`, `A = B` or `A > B`\n\
            6 of 7 wrong\n";
        assert_eq!(check(table), (true, expected.to_owned()));
    }

    #[test]
    fn long_lines_are_wrong_and_passed_over() {
        let digits = "1".repeat(MAX_LINE - 4);
        let fits = format!("{digits} < 2");
        assert_eq!(fits.len(), MAX_LINE);
        let (wrong, said) =
            check(format!("{digits} > 2\n{digits} > 22\n1{} < 2\n1 < 2\n", " ".repeat(1 << 20)).as_bytes());
        assert!(wrong);
        assert_eq!(
            said,
            "line 2: it is longer than 65536 bytes\nline 3: it is longer than 65536 bytes\n2 of 4 wrong\n"
        );
        assert_eq!(check(fits.as_bytes()).1, format!("line 1: {}… < 2 should be >\n1 of 1 wrong\n", "1".repeat(64)));
    }

    #[test]
    fn nothing_deceptive_is_printed() {
        assert!(check("1 < \u{202e}2\n".as_bytes()).1.contains("`\\u{202e}2` is no deb version"));
    }
}
