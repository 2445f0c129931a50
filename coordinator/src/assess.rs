//! From an inventory to a report: look its packages up in a snapshot, apply the policy. Needs no registry and no layer, so it
//! is all that a rescan does.

use lazaret::image::Image;
use lazaret::package::Package;

use crate::advisory::Snapshot;
use crate::compose::Contents;
use crate::matching::{self, Matches};
use crate::pipeline::Inventoried;
use crate::policy::Policy;
use crate::report::build::{self, Context, Scanner};
use crate::report::{Report, SnapshotSummary};

/// The packages of an image whose vulnerabilities are looked up, each with its number ([`Contents::package`]): what an OS
/// package brought along is the distribution's to judge, and what is only declared is looked up where `policy` says so.
pub fn judged<'c>(contents: &'c Contents, policy: &Policy) -> (Vec<usize>, Vec<&'c Package>) {
    let declared = if policy.include_declared { contents.declared.as_slice() } else { &[] };
    let packages = contents.packages.iter().chain(declared).enumerate();
    let packages = packages.filter(|(_, installed)| !build::is_owned(installed));
    packages.map(|(number, installed)| (number, &installed.package)).unzip()
}

/// What `snapshot` says about the packages of an image.
///
/// # Errors
/// The snapshot is damaged.
pub fn find(contents: &Contents, snapshot: &Snapshot, policy: &Policy) -> Result<Matches, String> {
    let (numbers, packages) = judged(contents, policy);
    let mut matches =
        matching::find(&packages, contents.distro.as_ref(), snapshot).map_err(|error| error.to_string())?;
    for finding in &mut matches.findings {
        finding.package = numbers.get(finding.package).copied().unwrap_or(usize::MAX);
    }
    for undecided in &mut matches.undecided {
        undecided.package = numbers.get(undecided.package).copied().unwrap_or(usize::MAX);
    }
    Ok(matches)
}

/// The report on one image. `snapshot` gives the advisories when they are needed: not for an image without packages.
pub fn report<'s>(
    reference: &str,
    image: &Image,
    inventoried: &Inventoried,
    scanners: &[Scanner],
    policy: &Policy,
    snapshot: impl FnOnce(&Contents) -> Result<(&'s Snapshot, &'s SnapshotSummary), String>,
) -> Report {
    let contents = &inventoried.inventory.contents;
    let any = !contents.packages.is_empty() || policy.include_declared && !contents.declared.is_empty();
    let wanted = scanners.contains(&Scanner::Vuln) && any;
    let looked_up = wanted.then(|| {
        let (snapshot, summary) = snapshot(contents)?;
        Ok((find(contents, snapshot, policy)?, summary.clone()))
    });
    let (matches, snapshot) = match looked_up.transpose() {
        Ok(looked_up) => {
            let (matches, summary) = looked_up.unzip();
            (Ok(matches), summary)
        }
        Err(reason) => (Err(reason), None),
    };
    build::build(image, inventoried, Context { reference, scanners, policy, snapshot, matches })
}
