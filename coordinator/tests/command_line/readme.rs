//! The README shows what is really printed.

use super::place::Place;

#[test]
fn the_first_command_prints_what_the_readme_shows() {
    let readme = include_str!("../../../README.md");
    let shown =
        readme.split("$ cargo run --release -- scan\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    // The digest and the platform are this machine's; everything else is the same everywhere.
    let comparable = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with("digest") && !line.starts_with("image"))
            .map(str::to_owned)
            .collect()
    };
    let printed = Place::new().run(&["scan"]).expect(0).stdout;
    assert_eq!(comparable(&printed), comparable(shown));
}
