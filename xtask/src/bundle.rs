//! `bundle`: the built library becomes the files a DAW looks for.

use crate::packages::{self, LINKER, STANDALONE};
use crate::{Result, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the plugin, as its files are called.
pub const NAME: &str = "Cantus";
/// The programs that lie beside it.
pub const COMMAND_LINE: &str = "cantus";
pub const STANDALONE_PROGRAM: &str = "cantus-standalone";

/// What to build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// For real use; otherwise for development, where an allocation on the audio thread ends the program.
    pub release: bool,
    /// Also the program that runs without a DAW.
    pub standalone: bool,
}

/// The word `bundle`.
pub fn run(options: &[String]) -> Result<()> {
    let mut wanted = Options::default();
    for option in options {
        match option.as_str() {
            "--release" => wanted.release = true,
            "--standalone" => wanted.standalone = true,
            other => return Err(format!("cargo xtask bundle has no option \"{other}\".")),
        }
    }
    let folder = build(wanted)?;
    println!("{}", folder.display());
    Ok(())
}

/// The folder that bundles of a profile go to.
pub fn folder(release: bool) -> PathBuf {
    cargo::target_dir().join("bundled").join(if release { "release" } else { "debug" })
}

/// Builds and bundles; returns the folder.
pub fn build(options: Options) -> Result<PathBuf> {
    packages::ensure(if options.standalone { &[LINKER, STANDALONE] } else { &[LINKER] })?;
    let folder = folder(options.release);
    fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
    let built = cargo::profile_dir(options.release);
    let library = format!("{}cantus_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = built.join(library);
    let layouts = [clap_layout(), vst3_layout()?];
    // What an earlier build left must not pass for this one's. Cargo puts a library back that is still up to date.
    for old in layouts.iter().map(|layout| folder.join(&layout.outer)).chain([library.clone()]) {
        remove(&old)?;
    }

    let mut command = cargo::cargo();
    command.args(["build", "--package", "cantus", "--lib", "--package", "cantus-engine", "--bin", COMMAND_LINE]);
    if options.release {
        command.arg("--release");
    } else {
        command.args(["--features", "cantus/assert-process-allocs,cantus/ordered-panics"]);
    }
    cargo::run(&mut command, "Building the plugin")?;
    let program = built.join(cargo::program(COMMAND_LINE));
    for layout in &layouts {
        write_bundle(&folder, layout, &library, &program)?;
    }
    copy(&program, &folder.join(cargo::program(COMMAND_LINE)))?;

    if options.standalone {
        // A build of its own: the audio drivers stay out of the plugin.
        let mut command = cargo::cargo();
        command.args(["build", "--package", "cantus", "--features", "cantus/standalone", "--bin", STANDALONE_PROGRAM]);
        command.args(options.release.then_some("--release"));
        cargo::run(&mut command, "Building the standalone program")?;
        copy(&built.join(cargo::program(STANDALONE_PROGRAM)), &folder.join(cargo::program(STANDALONE_PROGRAM)))?;
    }
    copy_licences(&folder.join("licences"))?;
    Ok(folder)
}

/// How one format is laid out on this system.
struct Layout {
    /// The file or folder a DAW sees.
    outer: String,
    /// Where the library goes, from the bundle folder.
    library: PathBuf,
}

fn clap_layout() -> Layout {
    let outer = format!("{NAME}.clap");
    let library = if cfg!(target_os = "macos") {
        Path::new(&outer).join("Contents/MacOS").join(NAME)
    } else {
        outer.clone().into()
    };
    Layout { outer, library }
}

fn vst3_layout() -> Result<Layout> {
    let outer = format!("{NAME}.vst3");
    let contents = Path::new(&outer).join("Contents");
    let library = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", _) => contents.join("MacOS").join(NAME),
        ("windows", "x86_64") => contents.join("x86_64-win").join(format!("{NAME}.vst3")),
        ("windows", "aarch64") => contents.join("arm64-win").join(format!("{NAME}.vst3")),
        ("linux", arch @ ("x86_64" | "aarch64")) => contents.join(format!("{arch}-linux")).join(format!("{NAME}.so")),
        (system, arch) => return Err(format!("There is no VST3 layout for {system} on {arch}.")),
    };
    Ok(Layout { outer, library })
}

fn write_bundle(folder: &Path, layout: &Layout, library: &Path, program: &Path) -> Result<()> {
    let outer = folder.join(&layout.outer);
    remove(&outer)?;
    let target = folder.join(&layout.library);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(failed("create", parent))?;
    }
    copy(library, &target)?;
    if outer != target {
        // The program that runs neural engines is found beside the library. A plugin that is a single file has it beside itself.
        link_or_copy(program, &target.with_file_name(cargo::program(COMMAND_LINE)))?;
    }
    if cfg!(target_os = "macos") {
        let contents = outer.join("Contents");
        let kind = layout.outer.rsplit('.').next().unwrap_or_default();
        write(&contents.join("PkgInfo"), "BNDL????")?;
        write(&contents.join("Info.plist"), &info_plist(kind))?;
        // Apple silicon runs signed code only; an ad-hoc signature is enough on the machine that built it.
        let mut sign = Command::new("codesign");
        sign.args(["--force", "--sign", "-"]).arg(&outer);
        cargo::run(&mut sign, "Signing the bundle")?;
    }
    Ok(())
}

fn info_plist(kind: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let entries = [
        ("CFBundleDevelopmentRegion", "en"),
        ("CFBundleExecutable", NAME),
        ("CFBundleIdentifier", &format!("org.cantus.{kind}")),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", NAME),
        ("CFBundleDisplayName", NAME),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleSignature", "????"),
        ("CFBundleShortVersionString", version),
        ("CFBundleVersion", version),
    ];
    let lines: String =
        entries.iter().map(|(key, value)| format!("  <key>{key}</key>\n  <string>{value}</string>\n")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{lines}  <key>NSHighResolutionCapable</key>\n  <true/>\n</dict>\n</plist>\n"
    )
}

/// The project's own licences, and those of everything in `assets` under the name of its folder.
fn copy_licences(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let root = cargo::root();
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(name), &folder.join(name))?;
    }
    let mut waiting = vec![root.join("assets")];
    while let Some(place) = waiting.pop() {
        for entry in fs::read_dir(&place).map_err(failed("read", &place))?.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                waiting.push(path);
            } else if name.starts_with("LICENSE") || name == "README.md" {
                let of = place.file_name().unwrap_or_default().to_string_lossy();
                copy(&path, &folder.join(format!("{of}-{name}")))?;
            }
        }
    }
    Ok(())
}

/// Copies a file; the old one is removed first, so that a program that has it loaded keeps its own.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    fs::copy(from, to).map_err(failed("copy", from)).map(drop)
}

/// A second name for a file where the disk can give one, because the program is large; otherwise a copy.
fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(failed("copy", from))
}

/// Copies a file or a whole folder in place of what is there.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return copy(from, to);
    }
    remove(to)?;
    fs::create_dir_all(to).map_err(failed("create", to))?;
    for entry in fs::read_dir(from).map_err(failed("read", from))?.flatten() {
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("replace", path)(error)),
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(failed("write", path))
}

/// A failure on a path as a sentence.
pub fn failed<'a>(action: &'a str, path: &'a Path) -> impl Fn(std::io::Error) -> String + 'a {
    move |error| format!("Cannot {action} {}: {error}.", path.display())
}
