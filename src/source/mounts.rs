//! File systems that hold no files but views of the running system. Reading them never ends (`/proc/kmsg`), or tells of other
//! processes, so a walk does not enter them, and names them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Their types, as Linux names them.
const VIEWS: [&str; 21] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// Where such file systems are mounted at or below some folders, by the paths of a walk, with their types.
#[must_use]
pub fn views_below(folders: &[&Path]) -> HashMap<PathBuf, String> {
    // Elsewhere than on Linux there is no such file, and devices are never opened.
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return HashMap::new() };
    let mounted: Vec<(PathBuf, &str)> = mounts.lines().filter_map(mount).collect();
    let mut found = HashMap::new();
    for folder in folders {
        let Ok(full) = folder.canonicalize() else { continue };
        for (place, kind) in &mounted {
            if let Ok(below) = place.strip_prefix(&full) {
                // Joined with nothing, a path would end in a slash.
                let below = if below == Path::new("") { (*folder).to_owned() } else { folder.join(below) };
                found.insert(below, (*kind).to_owned());
            } else if full.starts_with(place) && is_last(&mounted, &full, place) {
                found.insert((*folder).to_owned(), (*kind).to_owned());
            }
        }
    }
    let all: Vec<PathBuf> = found.keys().cloned().collect();
    // One within another is not reached anyway.
    found.retain(|path, _| !all.iter().any(|other| path != other && path.starts_with(other)));
    found
}

/// Whether no mount that is nearer to a folder lies between.
fn is_last(mounted: &[(PathBuf, &str)], folder: &Path, place: &Path) -> bool {
    !mounted.iter().any(|(other, _)| folder.starts_with(other) && other.starts_with(place) && other != place)
}

/// The mount of a line of `mountinfo`, if it is a view: the place is the fifth field, the type follows a hyphen.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let kind = after.split(' ').next()?;
    let place = before.split(' ').nth(4)?;
    VIEWS.contains(&kind).then(|| (PathBuf::from(unescaped(place)), kind))
}

/// Spaces and a few others are written as three octal digits.
fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    for (code, char) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(code, char);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        for (line, expected) in [
            ("25 30 0:23 / /proc rw,nosuid shared:5 - proc proc rw", Some(("/proc", "proc"))),
            ("99 30 0:50 / /mnt/a\\040b rw - sysfs none rw", Some(("/mnt/a b", "sysfs"))),
            ("26 30 8:1 / /home rw shared:1 master:2 - ext4 /dev/sda1 rw", None),
            ("27 30 0:24 / /tmp rw - tmpfs tmpfs rw", None),
            ("nonsense", None),
        ] {
            let expected = expected.map(|(place, kind)| (PathBuf::from(place), kind));
            assert_eq!(mount(line), expected, "{line}");
        }
    }
}
