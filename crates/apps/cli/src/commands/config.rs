//! `spotifai config`.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use host::Flags;
use model::settings::Settings;

use crate::args::ConfigArgs;
use crate::files::{check_file, folder_of};
use crate::output::{print_line, warn};

/// Prints the effective settings in the format of `spotifai.toml`, or writes them to a file.
pub fn run(args: &ConfigArgs, settings: &Settings, flags: &Flags) -> anyhow::Result<()> {
    match &args.write {
        Some(file) => write(file, settings),
        None => {
            if let Some(file) = truncated_file(flags) {
                let file = file.display();
                warn(&format!(
                    "the shell emptied {file} before its settings could be read; use `spotifai config --write FILE` instead"
                ));
            }
            print_line(settings.to_toml(false).trim_end())
        }
    }
}

/// Writes a new file that includes secrets and is readable only by its owner.
fn write(file: &Path, settings: &Settings) -> anyhow::Result<()> {
    let shown = file.display();
    check_file(file)?;
    let cannot = || format!("cannot write {shown}");
    // Atomically, so that a full disk does not leave half a file.
    let mut temporary = tempfile::NamedTempFile::new_in(folder_of(file)).with_context(cannot)?;
    temporary.write_all(settings.to_toml(true).as_bytes()).with_context(cannot)?;
    temporary.as_file().sync_all().with_context(cannot)?;
    match temporary.persist_noclobber(file) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} already exists and was not changed: choose another file, or move it away first")
        }
        Err(error) => return Err(error.error).with_context(cannot),
    }
    let secrets = settings.secret_keys();
    print_line(&match secrets.as_slice() {
        [] => format!("wrote {shown}"),
        secrets => format!(
            "wrote {shown}, readable only by you: it contains the secrets in {}, so do not share it",
            secrets.join(", ")
        ),
    })
}

/// The settings file if standard output is redirected to it, which truncated it.
fn truncated_file(flags: &Flags) -> Option<PathBuf> {
    let file = flags.settings_file();
    let out = File::from(std::io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    // Terminals and pipes are not truncated.
    file.metadata().is_ok_and(|metadata| metadata.is_file() && id(&metadata) == id(&out)).then_some(file)
}
