//! Pairs of version texts to compare: random ones by the grammar of each scheme, and real ones.

use lazaret_coordinator::version::Scheme;

/// `count` pairs: half of them random, half drawn from `real` where there is any. In every second pair the second text
/// is the first with a small change, for neighbours are where comparisons go wrong.
pub(crate) fn pairs(scheme: Scheme, seed: u64, count: usize, real: &[String]) -> Vec<(String, String)> {
    let mut dice = Dice(seed);
    let one = |dice: &mut Dice| {
        if !real.is_empty() && dice.roll(2) == 0 { real[dice.roll(real.len())].clone() } else { random(scheme, dice) }
    };
    (0..count)
        .map(|_| {
            let a = one(&mut dice);
            let b = if dice.roll(2) == 0 { one(&mut dice) } else { changed(scheme, &a, &mut dice) };
            (a, b)
        })
        .collect()
}

/// A seeded source of numbers (splitmix64), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    /// A number below `sides`, which is not 0.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

/// A text by the grammar of `scheme`, mostly valid. Numbers stay below 10^15, where the tools' own arithmetic is exact.
fn random(scheme: Scheme, dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.roll(6) == 0 {
        text += match scheme {
            Scheme::Apk => "0",
            Scheme::Deb | Scheme::Rpm => dice.pick(&["0:", "1:", "2:", "01:"]),
            Scheme::Pep440 => dice.pick(&["v", "0!", "1!", "2!", "V1!"]),
            Scheme::Npm => dice.pick(&["v", "=", " v", "v=", "0"]),
            Scheme::Maven => dice.pick(&["v", "-", ".", "r", "0."]),
            Scheme::Semver | Scheme::Composer | Scheme::Opam => "v",
            Scheme::NuGet | Scheme::Gem | Scheme::Pub => "0",
            Scheme::Cran | Scheme::Hackage => "",
        };
    }
    let dotted = matches!(scheme, Scheme::Npm | Scheme::Semver | Scheme::Pub);
    let numbers = if dotted && dice.roll(20) > 0 { 3 } else { 1 + dice.roll(4) };
    for index in 0..numbers {
        if index > 0 {
            text.push('.');
        }
        text += &bounded(scheme, number(dice));
    }
    // Of Composer's grammar one piece makes a version; most with more are none.
    let pieces = if matches!(scheme, Scheme::Composer) && dice.roll(3) > 0 { 2 } else { 4 };
    for _ in 0..dice.roll(pieces) {
        text += &piece(scheme, dice);
    }
    text
}

fn piece(scheme: Scheme, dice: &mut Dice) -> String {
    let number = if dice.roll(3) == 0 && !is_list(scheme) { String::new() } else { bounded(scheme, number(dice)) };
    let head = match scheme {
        Scheme::Apk => dice.pick(&[
            "_alpha", "_beta", "_pre", "_rc", "_cvs", "_svn", "_git", "_hg", "_p", "-r", "-r", "-r", ".", "a", "b",
            "~a", "~0f",
        ]),
        Scheme::Deb => dice.pick(&["~", "~rc", "+", "+b", "+dfsg", "-", "-", "a", "Z", ".", "~~", "ubuntu", "-0", ":"]),
        Scheme::Rpm => {
            dice.pick(&["~", "~rc", "^", "^git", "-", "-", ".el", "a", "Z", ".", "_", "+", "..", "^~", "-0"])
        }
        Scheme::Pep440 => dice.pick(&[
            "a", "b", "rc", "c", ".alpha", "-beta", "_pre", "preview", ".post", "-", "rev", "-r", ".dev", "dev",
            "DEV.", "+ab", "+", ".", "Post-", "a.", "A-", "+1.", "-a", "+x_",
        ]),
        Scheme::Npm => dice.pick(&["-", "-alpha", "-rc.", ".", "-beta.a.", "+", "+b.", "beta", "-0", "--", "-A", ".x"]),
        Scheme::Maven => dice.pick(&[
            "-alpha",
            "-a",
            ".b",
            "beta",
            "-M",
            ".rc",
            "-RC-",
            "cr",
            "-SNAPSHOT",
            ".Final",
            "-ga",
            ".RELEASE",
            "-sp",
            ".x",
            "-jre",
            "-foo.",
            ".",
            "-",
            "--",
            "..",
            ".0",
            "-0",
            "_",
            "+",
        ]),
        Scheme::Cran => dice.pick(&[".", "-", ".", "-", ".", "-", ".", "-0", ".", "a", "-", ".", ".."]),
        Scheme::Hackage => dice.pick(&[".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".0", "a", ".."]),
        Scheme::Opam => dice.pick(&["~", "~rc", "+", "+options", "-", "a", "Z", ".", "~~", "_", "-0", "v", "~beta"]),
        Scheme::Pub => {
            dice.pick(&["-", "-alpha.", "-0x", ".", "-rc.a.", "+", "+b.", "+0.", "--", "-A", ".x", "+hotfix."])
        }
        Scheme::Semver => dice.pick(&["-", "-alpha", "-rc.", ".", "-beta.a.", "+", "+b.", "-a-", "-A", ".x", "-0."]),
        Scheme::NuGet => dice.pick(&["-", "-alpha", "-RC.", ".", "-beta.a.", "+", "+b.", "-a-", "-A", "--", "-0."]),
        Scheme::Composer => dice.pick(&[
            "-dev",
            ".x-dev",
            "-alpha",
            "a",
            "-beta.",
            ".B",
            "-RC",
            "rc-",
            "-p",
            "_pl",
            "-patch",
            ".",
            "-",
            "-stable",
            "-Stable",
            "+b",
            "dev",
            ".*.dev",
            "-01",
            ":02",
            "2010-01-02",
        ]),
        Scheme::Gem => {
            dice.pick(&[".a", ".b", ".pre", ".rc", "-", "-a.", "a", "B", ".", ".0", ".0.0", "-rc.", ".A1", "--"])
        }
    };
    format!("{head}{number}")
}

/// Whether its versions are lists of numbers and nothing else: most changes would make them none.
fn is_list(scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Cran | Scheme::Hackage)
}

/// `number`, cut to the nine digits that every tool of such a scheme reads.
fn bounded(scheme: Scheme, mut number: String) -> String {
    if is_list(scheme) {
        number.truncate(9);
    }
    number
}

fn number(dice: &mut Dice) -> String {
    match dice.roll(12) {
        0 => "0".to_owned(),
        1 if dice.roll(4) == 0 => format!("0{}", dice.roll(20)),
        2 => (20_200_101 + dice.roll(100_000)).to_string(),
        3 => dice.roll(1_000_000_000_000_000).to_string(),
        4 => dice.roll(200).to_string(),
        _ => dice.roll(4).to_string(),
    }
}

/// `text` with one piece more, with other pieces behind the same numbers, or with a character less, doubled or replaced.
fn changed(scheme: Scheme, text: &str, dice: &mut Dice) -> String {
    if dice.roll(3) == 0 {
        let numbers = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        return (0..dice.roll(3)).fold(text[..numbers].to_owned(), |text, _| text + &piece(scheme, dice));
    }
    let characters: Vec<char> = text.chars().collect();
    let at = dice.roll(characters.len().max(1)).min(characters.len());
    let (head, tail) = (&characters[..at], characters.get(at + 1..).unwrap_or(&[]));
    let middle = match dice.roll(5) {
        0 => return text.to_owned() + &piece(scheme, dice),
        1 => String::new(),
        2 => characters.get(at).map(|c| format!("{c}{c}")).unwrap_or_default(),
        3 => dice.roll(10).to_string(),
        _ if is_list(scheme) => dice.pick(&["0", "1", ".", "2", "10", ".3"]).to_owned(),
        _ => dice.pick(&["0", "1", ".", "-", "a", "~", "+", "_"]).to_owned(),
    };
    head.iter().chain(&middle.chars().collect::<Vec<_>>()).chain(tail).collect()
}
