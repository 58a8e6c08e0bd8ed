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
use crate::output::{say, warn};

/// Prints the settings in force as `spotifai.toml` would say them, or writes them into a file.
pub fn run(args: &ConfigArgs, settings: &Settings, flags: &Flags) -> anyhow::Result<()> {
    match &args.write {
        Some(file) => write(file, settings),
        None => {
            if let Some(file) = emptied_file(flags) {
                let file = file.display();
                warn(&format!(
                    "the shell emptied {file} before its settings could be read; `spotifai config --write FILE` loses none"
                ));
            }
            say(settings.to_toml(false).trim_end())
        }
    }
}

/// Writes a file that is not there yet, with the secrets, for its owner alone.
fn write(file: &Path, settings: &Settings) -> anyhow::Result<()> {
    let shown = file.display();
    check_file(file)?;
    let cannot = || format!("cannot write {shown}");
    // Whole or not at all: a full disk leaves no half of the settings.
    let mut whole = tempfile::NamedTempFile::new_in(folder_of(file)).with_context(cannot)?;
    whole.write_all(settings.to_toml(true).as_bytes()).with_context(cannot)?;
    whole.as_file().sync_all().with_context(cannot)?;
    match whole.persist_noclobber(file) {
        Ok(_) => {}
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} is there already and stays as it is: name another file, or move it away first")
        }
        Err(error) => return Err(error.error).with_context(cannot),
    }
    let secrets = settings.secret_keys();
    say(&match secrets.as_slice() {
        [] => format!("wrote {shown}"),
        secrets => format!(
            "wrote {shown}, which only you can read: it holds the secrets of {}, so give it to nobody",
            secrets.join(", ")
        ),
    })
}

/// The settings file, where standard output goes to it.
fn emptied_file(flags: &Flags) -> Option<PathBuf> {
    let file = flags.settings_file();
    let out = File::from(std::io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    // A terminal or a pipe is not emptied.
    file.metadata().is_ok_and(|metadata| metadata.is_file() && id(&metadata) == id(&out)).then_some(file)
}
