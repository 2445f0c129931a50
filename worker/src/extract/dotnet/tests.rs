//! Manifests of .NET: golden cases, odd forms, hostile ones.

use lazaret::path::LayerPath;

use super::*;
use crate::extract::golden;

#[test]
fn golden_cases() {
    golden::check(&DOTNET_DEPS);
}

#[test]
fn claims_by_the_suffix() {
    for path in ["Shop.deps.json", "app/Shop.Web.deps.json", "usr/share/dotnet/sdk/8.0.101/dotnet.deps.json"] {
        assert!((DOTNET_DEPS.claims)(path.as_bytes()), "{path}");
    }
    for path in [
        "",
        "deps.json",
        ".deps.json",
        "app/.deps.json",
        "app/deps.json",
        "app/a.deps.json.bak",
        "a.runtimeconfig.json",
    ] {
        assert!(!(DOTNET_DEPS.claims)(path.as_bytes()), "{path}");
    }
}

fn read_at(path: &str, content: &[u8]) -> Facts {
    let path = LayerPath::from(path);
    extract(&ClaimedFile { path: &path, content, companions: &[] })
}

/// A manifest with one target, of these libraries: key, type, what it ships.
fn manifest(target: &str, libraries: &[(&str, &str, &str)]) -> String {
    let shipped: Vec<_> = libraries.iter().map(|(key, _, ships)| format!(r#""{key}":{{{ships}}}"#)).collect();
    let types: Vec<_> = libraries.iter().map(|(key, kind, _)| format!(r#""{key}":{{"type":"{kind}"}}"#)).collect();
    let (shipped, types) = (shipped.join(","), types.join(","));
    format!(
        r#"{{"runtimeTarget":{{"name":"{target}"}},"targets":{{"{target}":{{{shipped}}}}},"libraries":{{{types}}}}}"#
    )
}

#[test]
fn a_framework_goes_by_its_directory() {
    let libraries = [
        ("runtime.linux-x64.Microsoft.NETCore.App/3.1.23-servicing.1", "package", r#""runtime":{"a.dll":{}}"#),
        ("runtime.linux-x64.Microsoft.NETCore.DotNetHostPolicy/3.1.23", "package", r#""native":{"b.so":{}}"#),
    ];
    let content = manifest(".NETCoreApp,Version=v3.1/linux-x64", &libraries);
    let names = |path: &str| -> Vec<String> {
        let packages = read_at(path, content.as_bytes()).packages;
        packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
    };
    let policy = "runtime.linux-x64.Microsoft.NETCore.DotNetHostPolicy 3.1.23";
    let file = "Microsoft.NETCore.App.deps.json";
    assert_eq!(
        names(&format!("usr/share/dotnet/shared/Microsoft.NETCore.App/3.1.23/{file}")),
        ["Microsoft.NETCore.App.Runtime.linux-x64 3.1.23", policy]
    );
    assert_eq!(
        names(&format!("shared/Microsoft.NETCore.App/2.1.30/{file}")),
        ["Microsoft.NETCore.App 2.1.30", policy],
        "before 3.0 there was one package for all platforms"
    );
    for elsewhere in [
        format!("app/{file}"),
        format!("shared/Microsoft.Other.App/3.1.23/{file}"),
        format!("fx/Microsoft.NETCore.App/3.1.23/{file}"),
        "shared/Microsoft.NETCore.App/3.1.23/Other.deps.json".to_owned(),
    ] {
        let own = "runtime.linux-x64.Microsoft.NETCore.App 3.1.23-servicing.1";
        assert_eq!(names(&elsewhere), [own, policy], "{elsewhere}");
    }
}

#[test]
fn every_truncation_is_a_gap() {
    let whole = manifest("t/r", &[("A/1.0", "package", r#""runtime":{"a.dll":{}}"#), ("B/2", "project", "")]);
    for end in 0..whole.len() {
        let facts = read_at("a.deps.json", &whole.as_bytes()[..end]);
        assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
    }
    assert_eq!(read_at("a.deps.json", whole.as_bytes()).packages.len(), 1);
}

#[test]
fn hostile_depth_and_width_are_borne() {
    for open in ["[", "{\"a\":", "{\"targets\":", "{\"libraries\":"] {
        assert_eq!(read_at("a.deps.json", open.repeat(1 << 20).as_bytes()).gaps.len(), 1, "{open}");
    }
    let deep = format!(r#""runtime":{{"a.dll":{}{}}}"#, "[".repeat(1 << 16), "]".repeat(1 << 16));
    let facts = read_at("a.deps.json", manifest("t", &[("A/1", "package", &deep)]).as_bytes());
    assert_eq!(facts.packages.len(), 1);
    let twice = ("A/1", "package", r#""native":{"a.so":{}}"#);
    assert_eq!(read_at("a.deps.json", manifest("t", &vec![twice; 1 << 15]).as_bytes()).packages.len(), 1);
    let nameless = ("A", "package", r#""native":{"a.so":{}}"#);
    assert_eq!(read_at("a.deps.json", manifest("t", &vec![nameless; 1 << 15]).as_bytes()).gaps.len(), 1);
}
