//! Random stacks: few names that often collide, on the real paths of package databases.

use super::tree::Tree;
use super::{Entry, Kind, Stack};

/// Files that extractors claim, with the form of their content.
const CLAIMED: &[(&str, &str)] = &[
    ("lib/apk/db/installed", "apk"),
    ("usr/lib/apk/db/installed", "apk"),
    ("var/lib/dpkg/status", "deb"),
    ("var/lib/dpkg/status.d/base", "deb"),
    ("var/lib/dpkg/status.d/libc", "deb"),
    ("var/lib/dpkg/status.d/base.md5sums", "sums"),
    ("var/lib/dpkg/info/a.list", "owns"),
    ("var/lib/dpkg/info/b.list", "owns"),
    ("etc/os-release", "os"),
    ("usr/lib/os-release", "os"),
    ("app/node_modules/x/package.json", "npm"),
    ("app/node_modules/y/package.json", "npm"),
    ("app/node_modules/x/node_modules/y/package.json", "npm"),
    ("usr/lib/python3/site-packages/x.dist-info/METADATA", "python"),
    ("usr/lib/python3/site-packages/y.dist-info/METADATA", "python"),
    ("lib/python3/site-packages/x.dist-info/METADATA", "python"),
    ("app/a.jar", "jar"),
    ("lib/b.jar", "jar"),
];

/// Paths that nothing claims, of all depths.
const PLAIN: &[&str] = &[
    "a",
    "b",
    "app/x",
    "app/node_modules/a",
    "usr/bin/a",
    "a/b",
    "a/b/c",
    "a/b/c/d",
    "b/c",
    "opt/db/installed",
    "opt/apk",
    "srv/lib/a",
    "app/node_modules/x/index.js",
    "var/lib/dpkg/info/a",
];

/// Links that real images have.
const USUAL_LINKS: &[(&str, &str)] = &[
    ("lib", "usr/lib"),
    ("usr/lib", "../lib"),
    ("etc/os-release", "../usr/lib/os-release"),
    ("usr/lib/os-release", "/etc/os-release"),
    ("var/lib/dpkg", "/opt/db"),
    ("lib/apk", "../opt/apk"),
    ("app/node_modules/x", "y"),
    ("app/node_modules/y", "../../a/b"),
    ("opt", "app"),
];

/// The stack of `seed`: 1 to 6 layers, none that a runtime would refuse.
pub fn stack(seed: u64) -> Stack {
    let mut random = Random(seed);
    let layers = 1 + random.below(6);
    let mut tree = Tree::default();
    let mut stack = Stack::default();
    for index in 0..layers {
        let mut layer = Vec::new();
        let wanted = if index == 0 { 2 + random.below(8) } else { 1 + random.below(6) };
        for _ in 0..wanted {
            let explicit = random.one_in(3);
            for entry in entries(&mut random, &tree, &stack) {
                let parents = if explicit { parents(&entry.name) } else { Vec::new() };
                for entry in parents.into_iter().chain([entry]) {
                    if tree.apply(&entry).is_ok() {
                        layer.push(entry);
                    }
                }
            }
        }
        stack.layers.push(layer);
        tree.next_layer();
    }
    stack
}

/// Directory entries for everything above `name`, as most writers of tar make them.
fn parents(name: &str) -> Vec<Entry> {
    let directories = name.match_indices('/').map(|(at, _)| &name[..at]);
    directories
        .filter(|directory| !directory.ends_with("..") && !matches!(*directory, "" | "."))
        .map(|name| Entry { name: format!("{name}/"), kind: Kind::Directory })
        .collect()
}

fn entries(random: &mut Random, tree: &Tree, stack: &Stack) -> Vec<Entry> {
    let there = tree.paths();
    let known = |random: &mut Random| {
        if there.is_empty() || random.one_in(4) { any_path(random) } else { there[random.below(there.len())].clone() }
    };
    match random.below(20) {
        0..=6 => {
            let (path, form) = CLAIMED[random.below(CLAIMED.len())];
            vec![Entry::file(dressed(random, path), content(random, form))]
        }
        7 | 8 => {
            let path = any_path(random);
            let form = if random.one_in(2) { "plain" } else { CLAIMED[random.below(CLAIMED.len())].1 };
            let kind = Kind::File { content: content(random, form), executable: random.one_in(6) };
            vec![Entry { name: dressed(random, &path), kind }]
        }
        9 | 10 => vec![Entry { name: format!("{}/", known(random)), kind: Kind::Directory }],
        11 => {
            let (path, target) = USUAL_LINKS[random.below(USUAL_LINKS.len())];
            vec![Entry { name: path.into(), kind: Kind::Symlink(target.into()) }]
        }
        12 => {
            let path = any_path(random);
            let target = target(random, &path);
            vec![Entry { name: path, kind: Kind::Symlink(target) }]
        }
        13 | 14 => {
            let target = known(random);
            vec![Entry { name: any_path(random), kind: Kind::HardLink(target) }]
        }
        15 | 16 => {
            let hidden = known(random);
            let (directory, name) = hidden.rsplit_once('/').unwrap_or(("", &hidden));
            vec![Entry::file(joined(directory, &format!(".wh.{name}")), "")]
        }
        17 => {
            let directory = known(random);
            vec![Entry::file(joined(&directory, ".wh..wh..opq"), "")]
        }
        // A layer of a lower level once more, as when one command is run twice.
        18 if !stack.layers.is_empty() => {
            let layer = &stack.layers[random.below(stack.layers.len())];
            layer.iter().take(1 + random.below(3)).cloned().collect()
        }
        _ => {
            let (path, form) = CLAIMED[random.below(CLAIMED.len())];
            vec![Entry::file(path, content(random, form)), Entry::file(path, content(random, form))]
        }
    }
}

fn any_path(random: &mut Random) -> String {
    let path = if random.one_in(2) { CLAIMED[random.below(CLAIMED.len())].0 } else { PLAIN[random.below(PLAIN.len())] };
    let components: Vec<&str> = path.split('/').collect();
    let depth = if random.one_in(2) { components.len() } else { 1 + random.below(components.len()) };
    components[..depth].join("/")
}

fn target(random: &mut Random, path: &str) -> String {
    let to = any_path(random);
    match random.below(5) {
        0 | 1 => format!("/{to}"),
        2 => to,
        // Climbs out of the root, which leads to the root.
        3 if random.one_in(4) => format!("../../../../../../{to}"),
        _ => format!("{}{to}", "../".repeat(path.matches('/').count())),
    }
}

/// The name as some writers of tar spell it.
fn dressed(random: &mut Random, path: &str) -> String {
    match random.below(16) {
        0 => format!("./{path}"),
        1 => format!("/{path}"),
        2 => format!("../{path}"),
        3 => {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            joined(directory, &format!("z/../{name}"))
        }
        _ => path.to_owned(),
    }
}

fn content(random: &mut Random, form: &str) -> String {
    let mut words = vec![form.to_owned()];
    let count = random.below(4);
    for _ in 0..if matches!(form, "npm" | "python" | "os") { count.min(1) } else { count } {
        let (name, version) = (["p", "q", "r"][random.below(3)], 1 + random.below(2));
        match form {
            "owns" | "sums" => words.push(CLAIMED[random.below(CLAIMED.len())].0.to_owned()),
            _ => words.push(format!("{name}={version}")),
        }
        if form == "apk" && random.one_in(2) {
            words.push(format!("@{}", CLAIMED[random.below(CLAIMED.len())].0));
        }
    }
    words.join(" ")
}

fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// splitmix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}
