//! System packages: what each word of the door needs, and how to get it.
//!
//! Detecting uses only what is on the machine, so a machine that has everything needs no network.

use crate::Result;
use std::path::Path;
use std::process::Command;

/// What the system must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A program in `PATH`, and the Debian packages that bring it.
    Program(&'static str, &'static [&'static str]),
    /// Debian packages of libraries.
    Libraries(&'static [&'static str]),
}

/// To link anything.
pub const LINKER: &[Need] = &[Need::Program("cc", &["gcc", "libc6-dev"])];

/// To build the standalone program.
pub const STANDALONE: &[Need] =
    &[Need::Program("pkg-config", &["pkg-config"]), Need::Libraries(&["libasound2-dev", "libjack-jackd2-dev"])];

/// To open the editor without a screen.
pub const EDITOR: &[Need] = &[
    Need::Program("Xvfb", &["xvfb"]),
    Need::Libraries(&[
        "libgl1",
        "libgl1-mesa-dri",
        "libx11-6",
        "libx11-xcb1",
        "libxcb1",
        "libxkbcommon-x11-0",
        "libxcursor1",
    ]),
];

/// Makes sure that everything in `needs` is there: installs on Debian and its kin, names what is missing elsewhere.
pub fn ensure(needs: &[&[Need]]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        // The compilers of macOS and Windows come with what Rust itself needs.
        return Ok(());
    }
    let needs: Vec<Need> = needs.iter().copied().flatten().copied().collect();
    if has_program("dpkg-query") && has_program("apt-get") {
        let missing = missing_packages(&needs);
        if missing.is_empty() { Ok(()) } else { install(&missing) }
    } else {
        // Libraries have other names elsewhere and cannot be looked up; programs can.
        let lacks_program = |need: &&Need| matches!(need, Need::Program(name, _) if !has_program(name));
        let missing: Vec<&str> = needs
            .iter()
            .filter(lacks_program)
            .flat_map(|need| match need {
                Need::Program(_, packages) | Need::Libraries(packages) => packages.iter().copied(),
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("Please install what Debian calls: {}. Then try again.", missing.join(" ")))
    }
}

fn missing_packages(needs: &[Need]) -> Vec<&'static str> {
    let mut missing = Vec::new();
    for need in needs {
        match need {
            Need::Program(name, packages) if !has_program(name) => missing.extend(*packages),
            Need::Program(..) => {}
            Need::Libraries(packages) => {
                let installed = installed_packages(packages);
                missing.extend(packages.iter().filter(|package| !installed.iter().any(|have| have == *package)));
            }
        }
    }
    missing
}

fn installed_packages(packages: &[&str]) -> Vec<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Abbrev} ${Package}\n"]).args(packages);
    // It fails when one package is unknown, and still lists the others.
    let listed = query.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    listed
        .lines()
        .filter(|line| line.starts_with("ii"))
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect()
}

fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("Please run: sudo apt-get install {list}");
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !root && !has_program("sudo") {
        return Err(format!("These system packages are missing: {list}. {by_hand}"));
    }
    println!("Installing system packages{}: {list}", if root { "" } else { " (through sudo)" });
    let apt = |arguments: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if root {
            command.env("DEBIAN_FRONTEND", "noninteractive");
        } else {
            // sudo drops the environment, so the setting travels as an argument.
            command.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        command.args(arguments).status().is_ok_and(|status| status.success())
    };
    let install: Vec<&str> =
        ["install", "--yes", "--quiet", "--no-install-recommends"].iter().chain(packages).copied().collect();
    // The package lists of a fresh machine are empty or old; fetching them is slow, so only when it is needed.
    if apt(&install) || (apt(&["update", "--quiet"]) && apt(&install)) {
        return Ok(());
    }
    Err(format!("The system packages could not be installed. {by_hand}"))
}

/// Whether a program is in `PATH`.
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| is_file(&folder.join(name)))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
