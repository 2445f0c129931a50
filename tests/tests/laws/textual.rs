//! Small images as text, and what composition must say of them.

use lazaret_coordinator::compose::Contents;
use lazaret_tests::stack::Stack;

use super::judge::{Verdict, composed, inventories, judge};

/// Composes the layers, and checks what is in them: a line `NAME VERSION @LAYER PATH… [< OWNER]` for each package. Unless
/// there are gaps, the law is checked too.
fn check(layers: &str, expected: &str) -> Contents {
    let stack = Stack::parse(layers);
    let inventories = inventories(&stack);
    let contents = composed(&inventories);
    let found: Vec<String> = contents
        .packages
        .iter()
        .map(|installed| {
            let package = &installed.package;
            let mut line = format!("{} {} @{}", package.name, package.version, installed.layer);
            installed.evidence.iter().for_each(|path| line += &format!(" {path}"));
            installed.owner.iter().for_each(|owner| line += &format!(" < {owner}"));
            line
        })
        .collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "{stack}");
    if contents.gaps.is_empty() {
        assert_eq!(judge(&stack, &inventories), Verdict::Equal, "{stack}");
    }
    contents
}

fn gaps(contents: &Contents) -> Vec<String> {
    contents.gaps.iter().map(|gap| gap.gap.path.to_string()).collect()
}

#[test]
fn a_package_that_comes_back_is_of_the_layer_that_brought_it_back() {
    let contents = check(
        "layer 0  lib/apk/db/installed: apk a=1 b=1
         layer 1  opt/x: nothing
         layer 2  lib/apk/db/installed: apk b=1
         layer 3  opt/y: nothing
         layer 4  lib/apk/db/installed: apk a=1 b=1",
        "a 1 @4 lib/apk/db/installed
         b 1 @0 lib/apk/db/installed",
    );
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn a_removed_directory_that_comes_back_brings_new_packages() {
    check(
        "layer 0  app/node_modules/x/package.json: npm x=1
         layer 1  .wh.app:
         layer 2  app/node_modules/x/package.json: npm x=1",
        "x 1 @2 app/node_modules/x/package.json",
    );
}

#[test]
fn an_upgrade_is_of_its_own_layer_and_the_rest_of_theirs() {
    check(
        "layer 0  var/lib/dpkg/status: deb libc6=1 openssl=1
         layer 1  var/lib/dpkg/status: deb libc6=1 openssl=2 curl=1
         layer 2  var/lib/dpkg/status: deb libc6=1 openssl=2 curl=1",
        "curl 1 @1 var/lib/dpkg/status
         libc6 1 @0 var/lib/dpkg/status
         openssl 2 @1 var/lib/dpkg/status",
    );
}

#[test]
fn a_package_that_moves_to_another_file_was_never_away() {
    check(
        "layer 0  app/node_modules/x/package.json: npm x=1
         layer 1  app/.wh.node_modules:
         layer 1  srv/node_modules/x/package.json: npm x=1",
        "x 1 @0 srv/node_modules/x/package.json",
    );
}

#[test]
fn a_python_package_belongs_to_the_debian_package_that_lists_it() {
    let list =
        "layer 1  var/lib/dpkg/info/python3-six.list: owns usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO";
    check(
        &format!("layer 0  usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO: python six=1.16.0\n{list}"),
        "six 1.16.0 @0 usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO < python3-six",
    );
    check(
        &format!(
            "layer 0  usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO: python six=1.16.0
             {list}
             layer 2  var/lib/dpkg/info/.wh.python3-six.list:"
        ),
        "six 1.16.0 @0 usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO",
    );
}

#[test]
fn a_package_with_a_file_of_its_own_belongs_to_nobody() {
    check(
        "layer 0  lib/apk/db/installed: apk py3-x=1 @usr/lib/python3/site-packages/x.dist-info/METADATA
         layer 0  usr/lib/python3/site-packages/x.dist-info/METADATA: python x=1
         layer 1  app/site-packages/x.dist-info/METADATA: python x=1",
        "py3-x 1 @0 lib/apk/db/installed
         x 1 @0 app/site-packages/x.dist-info/METADATA usr/lib/python3/site-packages/x.dist-info/METADATA",
    );
}

#[test]
fn the_distribution_is_read_through_the_usual_link() {
    let contents = check(
        "layer 0  usr/lib/os-release: os debian=12
         layer 0  etc/os-release -> ../usr/lib/os-release
         layer 1  usr/lib/os-release: os debian=13",
        "",
    );
    assert_eq!(contents.distro.map(|distro| distro.version_id).as_deref(), Some("13"));
}

#[test]
fn a_hidden_os_release_leaves_the_distribution_unknown() {
    let contents = check(
        "layer 0  usr/lib/os-release: os debian=12
         layer 0  var/lib/dpkg/status: deb libc6=1
         layer 1  usr/lib/.wh.os-release:",
        "libc6 1 @0 var/lib/dpkg/status",
    );
    assert_eq!((contents.distro, contents.has_os), (None, true));
}

#[test]
fn an_image_from_scratch_has_no_distribution_and_nothing_is_missing() {
    let contents = check("layer 0  app/server!: bytes\nlayer 1  etc/ssl/cert.pem: bytes", "");
    assert_eq!(contents, Contents::default());
}

#[test]
fn a_database_behind_a_link_is_a_gap() {
    let contents = check(
        "layer 0  opt/apk/db/installed: apk a=1
         layer 0  lib/apk/db -> ../../opt/apk/db",
        "",
    );
    assert_eq!(gaps(&contents), ["lib/apk/db"]);
}

#[test]
fn a_merged_usr_moves_what_a_layer_writes_below_lib() {
    let contents = check(
        "layer 0  usr/lib/
         layer 0  lib -> usr/lib
         layer 1  lib/apk/db/installed: apk a=1",
        "a 1 @1 usr/lib/apk/db/installed",
    );
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn files_written_through_a_link_to_where_packages_are_recorded_are_a_gap() {
    let contents = check(
        "layer 0  modules -> app/node_modules
         layer 1  modules/x/package.json: npm x=1",
        "",
    );
    assert_eq!(gaps(&contents), ["modules"]);
}

#[test]
fn a_hard_link_to_a_symbolic_link_is_one() {
    check(
        "layer 0  a -> usr/lib
         layer 1  lib => a
         layer 2  lib/apk/db/installed: apk a=1",
        "a 1 @2 usr/lib/apk/db/installed",
    );
}

#[test]
fn a_hard_link_to_a_lower_layers_database_is_read() {
    check(
        "layer 0  lib/apk/db/installed: apk a=1
         layer 1  usr/lib/apk/db/installed => lib/apk/db/installed
         layer 1  lib/apk/db/.wh.installed:",
        "a 1 @0 usr/lib/apk/db/installed",
    );
}

/// The declared blind spot: plain files are remembered only near the root, since a layer has a hundred thousand of them
/// and hardly one that replaces a directory; tools that make layers write a whiteout there.
#[test]
fn a_plain_file_deep_down_replaces_a_directory_unseen() {
    let deep = "layer 0  srv/a/b/c/node_modules/x/package.json: npm x=1\n";
    let unseen = "x 1 @0 srv/a/b/c/node_modules/x/package.json";
    let contents = composed(&inventories(&Stack::parse(&format!("{deep}layer 1  srv/a/b/c: plain"))));
    assert_eq!((contents.packages.len(), contents.gaps.len()), (1, 0));
    check(&format!("{deep}layer 1  srv/a/b/.wh.c:\nlayer 1  srv/a/b/c: plain"), "");
    check(&format!("{deep}layer 1  srv/a/b/c!: program"), "");
    check(&format!("{deep}layer 1  srv/a/b/d: plain"), unseen);
}

/// The other declared blind spot: directories are remembered only near the root. That a file with packages is below one
/// tells it too; here nothing does, and the link of layer 0 still decides who owns what.
#[test]
fn a_directory_deep_down_replaces_a_link_unseen() {
    let layers = "
        layer 0  lib/apk/db/installed: apk p=1 @app/node_modules/x/package.json
        layer 0  app/node_modules/x -> y
        layer 1  app/node_modules/x/
        layer 1  app/node_modules/y/package.json: npm y=1";
    let stack = Stack::parse(layers);
    assert_eq!(judge(&stack, &inventories(&stack)), Verdict::BlindSpot);
    check(
        &format!("{layers}\nlayer 1  app/node_modules/.wh.x:"),
        "p 1 @0 lib/apk/db/installed
         y 1 @1 app/node_modules/y/package.json",
    );
}

#[test]
fn a_list_of_files_under_another_name_is_of_another_package() {
    check(
        "layer 0  var/lib/dpkg/info/b.list: owns app/node_modules/x/package.json
         layer 1  app/node_modules/x/package.json: npm x=1
         layer 1  var/lib/dpkg/info/a.list => var/lib/dpkg/info/b.list
         layer 2  var/lib/dpkg/info/.wh.b.list:",
        "x 1 @1 app/node_modules/x/package.json < a",
    );
}
