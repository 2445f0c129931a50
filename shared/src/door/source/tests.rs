//! Sources against well-made and hostile layouts and archives.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fixture::*;
use super::*;
use crate::digest::Digest;

const AMD64: &str = "linux/amd64";

fn exactly(platform: &str) -> PlatformChoice {
    PlatformChoice::Exactly(platform.parse().unwrap())
}

fn in_directory(files: &Files, tag: Option<&str>, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError> {
    let directory = directory(files);
    OciLayout::open(directory.path(), tag)?.images(choice)
}

fn in_file(bytes: &[u8], form: Option<Form>, wanted: Option<&str>) -> Result<(Vec<Image>, Vec<Blob>), SourceError> {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "archive", bytes);
    match archive_at(&path, form, wanted.map(str::to_owned))? {
        Opened::Random(source) => {
            let images = source.images(&PlatformChoice::Host)?;
            let blobs = images.iter().flat_map(|image| &image.layers).map(|layer| content(source.as_ref(), layer));
            let blobs = blobs.collect();
            Ok((images, blobs))
        }
        Opened::Stream(archive) => streamed(archive),
        Opened::Directory(_) => panic!("a file is no directory"),
    }
}

/// The bytes of a blob, or why there are none.
type Blob = Result<Vec<u8>, String>;

fn content(source: &dyn ImageSource, layer: &crate::image::Layer) -> Blob {
    let mut bytes = Vec::new();
    let mut reader = source.open_blob(&layer.blob).map_err(|error| error.to_string())?;
    reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn streamed(archive: StreamedArchive) -> Result<(Vec<Image>, Vec<Blob>), SourceError> {
    let mut streamed = archive.read(&PlatformChoice::Host, &mut |_, reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| error.to_string()).map(|_| bytes)
    })?;
    let digests = streamed.images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob.digest);
    let digests: Vec<Digest> = digests.collect();
    let blobs = digests.iter().map(|digest| match streamed.layers.get_mut(digest) {
        Some(Ok(blob)) => blob.clone(),
        Some(Err(error)) => Err(error.to_string()),
        None => panic!("{digest} was forgotten"),
    });
    let blobs = blobs.collect();
    Ok((streamed.images, blobs))
}

fn in_stream(bytes: &[u8], form: Option<Form>, wanted: Option<&str>) -> Result<(Vec<Image>, Vec<Blob>), SourceError> {
    let reader = std::io::Cursor::new(bytes.to_vec());
    streamed(StreamedArchive::new("test".into(), reader, form, wanted.map(str::to_owned))?)
}

fn two_layers() -> Vec<Vec<u8>> {
    vec![layer("a"), layer("b")]
}

fn one_image() -> Files {
    let mut files = Files::new();
    let image = image(&mut files, &two_layers(), AMD64);
    top(&mut files, &[("latest", image)]);
    files
}

/// Everything about images but where they were.
fn unsourced(images: Vec<Image>) -> Vec<Image> {
    images.into_iter().map(|image| Image { source: "", ..image }).collect()
}

#[test]
fn a_layout_is_the_same_in_a_directory_a_tar_and_a_stream() {
    let files = one_image();
    let tar = tar_of(&files);
    let images = in_directory(&files, Some("latest"), &PlatformChoice::Host).unwrap();
    assert_eq!(images[0].platform.to_string(), AMD64);
    let blobs: Vec<Blob> = two_layers().into_iter().map(Ok).collect();
    for (images_there, blobs_there) in [
        in_file(&tar, None, None).unwrap(),
        in_file(&tar, Some(Form::Oci), Some("latest")).unwrap(),
        in_file(&gzip(&tar), Some(Form::Oci), None).unwrap(),
        in_file(&zstd::encode_all(tar.as_slice(), 1).unwrap(), None, None).unwrap(),
        in_stream(&tar, None, Some(&images[0].digest.to_string())).unwrap(),
        in_stream(&gzip(&tar), None, None).unwrap(),
    ] {
        assert_eq!(unsourced(images_there), unsourced(images.clone()));
        assert_eq!(blobs_there, blobs);
    }
}

#[test]
fn tags_choose() {
    let mut files = Files::new();
    let (a, b) = (image(&mut files, &[layer("a")], AMD64), image(&mut files, &[layer("b")], AMD64));
    let digest = a["digest"].as_str().unwrap().to_owned();
    top(&mut files, &[("a", a), ("b", b)]);
    let of = |tag| in_directory(&files, tag, &PlatformChoice::Host);
    assert_eq!(of(Some("a")).unwrap()[0].digest.to_string(), digest);
    assert_eq!(of(Some(&digest)).unwrap()[0].digest.to_string(), digest);
    assert_ne!(of(Some("b")).unwrap()[0].digest.to_string(), digest);
    assert!(matches!(of(None), Err(SourceError::SeveralImages { there, .. }) if there == ["a", "b"]));
    assert!(matches!(of(Some("c")), Err(SourceError::NoSuchImage { there, .. }) if there == ["a", "b"]));
}

#[test]
fn platforms_choose() {
    let mut files = Files::new();
    let images: Vec<Value> = ["linux/s390x", AMD64, "linux/arm64"]
        .iter()
        .map(|platform| image(&mut files, &[layer(platform)], platform))
        .collect();
    let mut attestation = image(&mut files, &[layer("x")], "unknown/unknown");
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let mut untold = image(&mut files, &[layer("y")], "linux/riscv64");
    untold.as_object_mut().unwrap().remove("platform");
    let mut entries = images.clone();
    entries.extend([attestation, untold]);
    let inner = index(&mut files, &entries);
    let outer = index(&mut files, &[inner]);
    top(&mut files, &[("", outer.clone())]);
    let of = |choice: &PlatformChoice| in_directory(&files, None, choice);
    for platform in ["linux/s390x", AMD64, "linux/arm64", "linux/riscv64"] {
        assert_eq!(of(&exactly(platform)).unwrap()[0].platform.to_string(), platform);
    }
    assert_eq!(of(&PlatformChoice::All).unwrap().len(), 4);
    let Err(SourceError::NoSuchPlatform { there, .. }) = of(&exactly("linux/mips")) else { panic!() };
    assert_eq!(there.len(), 4);

    let deeper = index(&mut files, &[outer]);
    top(&mut files, &[("", deeper)]);
    assert!(matches!(in_directory(&files, None, &PlatformChoice::Host), Err(SourceError::Malformed { .. })));
}

#[test]
fn the_only_image_serves_unless_another_platform_is_named() {
    let mut files = Files::new();
    let foreign = image(&mut files, &two_layers(), "windows/arm");
    top(&mut files, &[("", foreign)]);
    assert!(in_directory(&files, None, &PlatformChoice::Host).is_ok());
    assert!(matches!(in_directory(&files, None, &exactly(AMD64)), Err(SourceError::NoSuchPlatform { .. })));
    let saved = tar_of(&docker_save(&two_layers(), &["x:1"]));
    let source = Archive::open("x".into(), file(&saved), None, None).unwrap();
    assert!(matches!(source.images(&exactly("linux/s390x")), Err(SourceError::NoSuchPlatform { .. })));
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    file
}

#[test]
fn twenty_thousand_platforms_and_ten_thousand_layers_are_quick() {
    let started = std::time::Instant::now();
    let mut files = Files::new();
    let layers: Vec<Vec<u8>> = (0..10_000).map(|number| format!("{number:0512}").into_bytes()).collect();
    let manifest = image(&mut files, &layers, AMD64);
    let mut entries: Vec<Value> = (0..20_000)
        .map(|number| {
            let mut entry = manifest.clone();
            entry["platform"] = json!({"os": "linux", "architecture": format!("a{number}")});
            entry
        })
        .collect();
    entries.push(manifest);
    let many = index(&mut files, &entries);
    top(&mut files, &[("", many)]);
    let made = started.elapsed();
    let (images, blobs) = in_file(&tar_of(&files), None, None).unwrap();
    assert_eq!((images[0].layers.len(), blobs.len()), (10_000, 10_000));
    let took = started.elapsed().saturating_sub(made);
    assert!(took.as_secs() < 20, "{took:?}");
}

#[test]
fn broken_images_are_errors() {
    let layers = two_layers();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut files = Files::new();
        let image = image_with(&mut files, &layers, &config(&layers, AMD64), |manifest| change(manifest));
        top(&mut files, &[("", image)]);
        in_directory(&files, None, &PlatformChoice::Host).map(|_| ())
    };
    broken(&|_| {}).unwrap();
    for (why, change) in [
        ("fewer layers", (&|m: &mut Value| drop(m["layers"].as_array_mut().unwrap().pop())) as &dyn Fn(&mut Value)),
        ("no layers", &|m| m["layers"] = Value::Null),
        ("both", &|m| m["manifests"] = json!([])),
        ("null layer", &|m| m["layers"][0] = Value::Null),
        ("digest", &|m| m["layers"][0]["digest"] = json!("sha256:../../../../etc/passwd")),
        ("algorithm", &|m| m["layers"][0]["digest"] = json!(format!("sha512:{}", "a".repeat(128)))),
        ("negative", &|m| m["layers"][0]["size"] = json!(-1)),
        ("chart", &|m| m["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json")),
        ("index", &|m| m["mediaType"] = json!("application/vnd.oci.image.index.v1+json")),
        ("config size", &|m| m["config"]["size"] = json!(3)),
        ("huge config", &|m| m["config"]["size"] = json!(1u64 << 40)),
        ("other config", &|m| m["config"]["digest"] = m["layers"][0]["digest"].clone()),
        ("lost config", &|m| m["config"]["digest"] = json!(Digest::of(b"lost"))),
    ] {
        let error = broken(change).expect_err(why);
        assert!(!error.is_transient(), "{why}: {error}");
    }
}

#[test]
fn blobs_that_are_no_such_files_are_failed_layers() {
    let files = one_image();
    let directory = directory(&files);
    let source = OciLayout::open(directory.path(), None).unwrap();
    let images = source.images(&PlatformChoice::Host).unwrap();
    let layer = &images[0].layers[0];
    let path = directory.path().join("blobs/sha256").join(layer.blob.digest.hex());
    let failed = |make: &dyn Fn(&Path)| {
        std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)).ok();
        make(&path);
        content(&source, layer).unwrap_err()
    };
    assert!(failed(&|_| {}).contains("missing"));
    assert!(failed(&|p| std::fs::create_dir(p).unwrap()).contains("regular file"));
    assert!(failed(&|p| std::os::unix::fs::symlink("/etc/passwd", p).unwrap()).contains("regular file"));
    assert!(failed(&|p| std::fs::write(p, b"short").unwrap()).contains("5 bytes"));
    let fifo = |p: &Path| assert!(std::process::Command::new("mkfifo").arg(p).status().unwrap().success());
    assert!(failed(&fifo).contains("regular file"));

    let encrypted = |layer: &crate::image::Layer| {
        let mut layer = layer.clone();
        layer.blob.media_type = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted".into();
        layer
    };
    assert!(content(&source, &encrypted(&images[0].layers[1])).unwrap_err().contains("media type"));
}

#[test]
fn a_layout_stays_in_its_directory() {
    let files = one_image();
    let (inside, outside) = (directory(&files), directory(&files));
    let blobs = inside.path().join("blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    std::os::unix::fs::symlink(outside.path().join("blobs"), &blobs).unwrap();
    assert!(matches!(OciLayout::open(inside.path(), None), Err(SourceError::NotARegularFile { .. })));
}

#[test]
fn docker_archives_in_every_order() {
    let layers = two_layers();
    let files = docker_save(&layers, &["alpine:3.20"]);
    let (images, blobs) = in_file(&tar_of(&files), None, Some("docker.io/library/alpine:3.20")).unwrap();
    assert_eq!(blobs, layers.iter().cloned().map(Ok).collect::<Vec<_>>());
    assert_eq!(images[0].layers[1].blob.digest, Digest::of(&layers[1]));
    let mut members: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), Member::File(bytes))).collect();
    for _ in 0..members.len() {
        members.rotate_left(1);
        let tar = tar(&members);
        for wanted in [None, Some("alpine:3.20"), Some("@0")] {
            assert_eq!(in_stream(&tar, None, wanted).unwrap(), (images.clone(), blobs.clone()));
            assert_eq!(in_file(&tar, None, wanted).unwrap(), (images.clone(), blobs.clone()));
        }
    }
    assert!(matches!(in_stream(&tar_of(&files), None, Some("x")), Err(SourceError::NoSuchImage { .. })));
}

#[test]
fn compressed_layers_of_a_docker_archive_go_by_their_own_digest() {
    let layers = two_layers();
    let mut files = docker_save(&layers, &[]);
    let zipped = gzip(&layers[0].repeat(1)).repeat(3);
    files.insert("layer0/layer.tar".into(), zipped.clone());
    let tar = tar_of(&files);
    let (images, blobs) = in_file(&tar, None, None).unwrap();
    assert_eq!(images[0].layers[0].blob.digest, Digest::of(&zipped));
    assert_eq!(images[0].layers[0].diff_id, Digest::of(&layers[0]));
    assert_eq!(blobs[0], Ok(zipped));
    assert_eq!(in_stream(&tar, None, None).unwrap(), (images, blobs));
}

#[test]
fn links_are_followed_inside_the_archive_only() {
    let files = docker_save(&two_layers(), &[]);
    let with = |link: Member<'_>| {
        let mut members: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), Member::File(bytes))).collect();
        for member in &mut members {
            if member.0 == "layer0/layer.tar" {
                member.1 = link;
            }
        }
        let layer = layer("a");
        members.push(("0123.tar", Member::File(&layer)));
        let tar = tar(&members);
        let (at_random, in_turn) = (in_file(&tar, None, None), in_stream(&tar, None, None));
        assert_eq!(at_random.as_ref().ok(), in_turn.as_ref().ok());
        at_random.map(|(_, blobs)| blobs)
    };
    assert_eq!(with(Member::Symlink("../0123.tar")).unwrap()[0], Ok(layer("a")));
    assert_eq!(with(Member::Hardlink("0123.tar")).unwrap()[0], Ok(layer("a")));
    for target in ["/etc/passwd", "../../0123.tar", "layer.tar", "nowhere"] {
        assert!(with(Member::Symlink(target)).is_err(), "{target}");
    }
}

#[test]
fn archives_that_are_none_are_refused() {
    let good = tar_of(&docker_save(&two_layers(), &[]));
    let members = |names: &[&str]| {
        let listed: Vec<_> = names.iter().map(|name| (*name, Member::File(&b"[]"[..]))).collect();
        tar(&listed)
    };
    let escaping = String::from_utf8(good.clone()).map(|text| text.replace("layer0/layer.tar", "../../etc/passwd"));
    let mut bad_checksum = good.clone();
    bad_checksum[0] ^= 1;
    for (why, bytes) in [
        ("text", b"this is no tar\n".repeat(100)),
        ("nothing", Vec::new()),
        ("end mark only", vec![0; 1024]),
        ("cut in a header", good[..700].to_vec()),
        ("cut in a content", good[..2600].to_vec()),
        ("no manifest", members(&["x"])),
        ("no image", members(&["manifest.json"])),
        ("two manifests", members(&["manifest.json", "manifest.json"])),
        ("checksum", bad_checksum),
        ("escaping", escaping.map(String::into_bytes).unwrap_or_default()),
        ("second tar", [&good[..good.len() - 512], good.as_slice()].concat()),
    ] {
        assert!(in_file(&bytes, None, None).is_err(), "{why}");
        assert!(in_stream(&bytes, None, None).is_err(), "{why}");
    }
    let zipped = gzip(&good);
    for cut in [1, 5, zipped.len() / 2, zipped.len() - 4] {
        assert!(in_stream(&zipped[..cut], None, None).is_err(), "{cut}");
    }
}

#[test]
fn long_names_and_large_sizes_are_read() {
    use super::tar::{Entry, Headers, Kind, Skip};
    struct Bytes<'a>(&'a [u8]);
    impl Read for Bytes<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(into)
        }
    }
    impl Skip for Bytes<'_> {
        fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
            self.0 = self.0.get(bytes as usize..).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            Ok(())
        }
    }
    let first = |tar: &[u8]| Headers::new(Bytes(tar)).next();
    let long = format!("./d/{}", "n".repeat(200));
    let entry = first(&super::fixture::tar(&[(&long, Member::File(b"12345"))])).unwrap();
    assert_eq!(entry, Some(Entry { name: long[2..].into(), kind: Kind::File, size: 5 }));

    let pax = |records: &str| {
        let mut tar = header("pax", b'x', records.len() as u64, "").to_vec();
        padded(&mut tar, records.as_bytes());
        tar.extend(header("short", b'0', 1, ""));
        first(&tar)
    };
    let entry = pax("14 path=a/b/c\n21 size=123456789012\n").unwrap();
    assert_eq!(entry, Some(Entry { name: "a/b/c".into(), kind: Kind::File, size: 123_456_789_012 }));
    for records in ["14 path=a/b/c", "99 path=x\n", "x", "0 path=x\n", "12 size=-01\n", "8 size=\n", "5 abc"] {
        assert!(pax(records).is_err(), "{records:?}");
    }
    for kind in [b'x', b'L'] {
        assert!(first(&header("huge", kind, 7 << 30, "")).is_err());
    }
}

#[test]
fn mutated_archives_never_panic() {
    let good = tar_of(&docker_save(&two_layers(), &["x:1"]));
    let layout = tar_of(&one_image());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..2_000 {
        let mut bytes = if round % 2 == 0 { good.clone() } else { layout.clone() };
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(if random(4) == 0 { random(bytes.len()) } else { bytes.len() });
        let (at_random, in_turn) = (Archive::open("x".into(), file(&bytes), None, None), in_stream(&bytes, None, None));
        let at_random = at_random.and_then(|source| source.images(&PlatformChoice::Host));
        if let (Ok(at_random), Ok((in_turn, _))) = (at_random, in_turn) {
            assert_eq!(at_random, in_turn);
        }
    }
}

#[test]
fn bare_texts_are_paths_only_where_an_image_is() {
    let files = one_image();
    let layout = directory(&files);
    let text = layout.path().to_str().unwrap();
    assert_eq!(reference(text), Ok(Reference::Path(layout.path().to_owned())));
    let archive = write(layout.path(), "x.tar", &tar_of(&files));
    assert_eq!(reference(archive.to_str().unwrap()), Ok(Reference::Path(archive.clone())));
    assert!(matches!(reference("alpine"), Ok(Reference::Name(_))));
    assert!(matches!(reference("src"), Ok(Reference::Name(_))), "a directory beside the test that is no layout");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = SourceOptions { runtime: runtime.handle().clone(), engines: Vec::new(), registry: None };
    let name = |path: PathBuf| match open(&Reference::Path(path), &options) {
        Ok(Opened::Random(source)) => source.name(),
        Ok(Opened::Stream(_)) => "stream",
        Ok(Opened::Directory(_)) => "directory",
        Err(error) => panic!("{error}"),
    };
    assert_eq!(name(layout.path().to_owned()), "oci");
    assert_eq!(name(archive), "oci-archive");
    assert_eq!(name(layout.path().join("blobs")), "directory");
    assert_eq!(name(write(layout.path(), "x.tgz", &gzip(b"x"))), "stream");
    let gone = open(&Reference::Path("/no/such/thing".into()), &options);
    assert!(matches!(gone, Err(SourceError::NoSuchPath { .. })));
    let nowhere = open(&"docker-daemon:x".parse().unwrap(), &options);
    assert!(matches!(nowhere, Err(SourceError::NoEngine { .. })));
    let unsupported = open(&"x".parse().unwrap(), &options);
    assert!(matches!(unsupported, Err(SourceError::Unsupported(_))), "the engine has nothing, so the registry is next");
}
