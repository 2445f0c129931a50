//! The sample image: a small Debian with Python and Node packages, some of them with well-known holes, and the advisories
//! that say so. Names, versions, ranges and CVE numbers are real; everything else is made here.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::layout::{self, Step};
use crate::tar::Tar;

mod advisories;
mod packages;

/// The tag of the image in its layout.
pub const TAG: &str = "sample";

/// Writes the image as an OCI layout into `directory`.
///
/// # Errors
/// The file system refused.
pub fn write_image(directory: &Path) -> io::Result<()> {
    let base = Tar::default()
        .directory("etc")
        .file("etc/os-release", packages::OS_RELEASE)
        .directory("var/lib/dpkg")
        .file("var/lib/dpkg/status", &packages::dpkg_status(None));
    let python = packages::PYTHON
        .iter()
        .fold(Tar::default().directory(SITE), |tar, (name, version)| dist_info(tar, name, version));
    let node = packages::NODE.iter().fold(Tar::default().directory("app/node_modules"), |tar, (name, version)| {
        let directory = format!("app/node_modules/{name}");
        let json = json!({ "name": name, "version": version, "license": "MIT" });
        tar.directory(&directory).file(&format!("{directory}/package.json"), &json.to_string())
    });
    // The upgrade rewrites the whole database of dpkg, as dpkg does: only what changed in it is of this layer.
    let upgrade =
        dist_info(Tar::default().directory(SITE).whiteout(&format!("{SITE}/Jinja2-2.10.dist-info")), "Jinja2", "3.1.6")
            .whiteout("app/node_modules/minimist")
            .directory("var/lib/dpkg")
            .file("var/lib/dpkg/status", &packages::dpkg_status(Some(packages::UPGRADED)));
    let steps = vec![
        Step { created_by: "ADD rootfs.tar.xz / # buildkit", tar: base },
        Step { created_by: "RUN /bin/sh -c pip install -r requirements.txt # buildkit", tar: python },
        Step { created_by: "COPY node_modules /app/node_modules # buildkit", tar: node },
        Step {
            created_by: "RUN /bin/sh -c apt-get install -y curl && pip install -U jinja2 && rm -r node_modules/minimist # buildkit",
            tar: upgrade,
        },
    ];
    layout::write(directory, TAG, &json!({ "org.opencontainers.image.title": "lazaret sample" }), steps)
}

const SITE: &str = "usr/lib/python3/site-packages";

fn dist_info(tar: Tar, name: &str, version: &str) -> Tar {
    let directory = format!("{SITE}/{name}-{version}.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
    tar.directory(&directory).file(&format!("{directory}/METADATA"), &metadata)
}

/// The advisories about it, one OSV record each.
pub fn advisories() -> Vec<Value> {
    advisories::records()
}
