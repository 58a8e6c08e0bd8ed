//! Refuses commands that would overwrite a file they read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use host::Flags;
use model::settings::Settings;

use crate::args::{Command, DatasetCommand, SearchCommand};
use crate::commands::demo;
use crate::commands::report::{LEADERBOARD_FILE, REPORT_FILE};
use crate::commands::run::LABELS_FILE;
use crate::error::usage;
use crate::files::folder_of;
use crate::summary::SUMMARY_FILE;

/// The files that a search writes into its folder.
const SEARCH_FILES: [&str; 3] = [LEADERBOARD_FILE, SUMMARY_FILE, REPORT_FILE];

/// The files that a command reads and writes.
#[derive(Default)]
pub struct CommandFiles {
    reads: Vec<PathBuf>,
    writes: Vec<PathBuf>,
}

impl CommandFiles {
    /// The files named by a command line. `config --write` is left out: it never replaces a file.
    pub fn of(command: &Command) -> Self {
        let within = |folder: &Path, names: &[&str]| names.iter().map(|name| folder.join(name)).collect();
        let (reads, writes) = match command {
            Command::Predict(args) => (args.data.iter().collect(), args.out.iter().cloned().collect()),
            Command::Dataset(DatasetCommand::Export { file, .. }) => (vec![], vec![file.clone()]),
            Command::Search(SearchCommand::Run(args)) => {
                let what = &args.what;
                (what.data.data.iter().chain([&what.grid.grid]).collect(), within(&args.out, &SEARCH_FILES))
            }
            Command::Report(args) => (vec![], within(&args.out, &[LEADERBOARD_FILE, REPORT_FILE])),
            Command::Run(args) => (vec![], within(&args.out, &[&SEARCH_FILES[..], &[LABELS_FILE]].concat())),
            Command::Demo(args) => {
                (args.catalogue.iter().collect(), within(&args.out, &[SEARCH_FILES, demo::FILES].concat()))
            }
            _ => return Self::default(),
        };
        Self { reads: reads.into_iter().cloned().collect(), writes }
    }

    /// Refuses a command that would overwrite one of its own inputs: a file that it names, the settings file, or a file that
    /// the settings name.
    pub fn check(&self, flags: &Flags, settings: &Settings) -> anyhow::Result<()> {
        let settings_files =
            [Some(flags.settings_file()), spotify::sign_in_file(&settings.spotify)].into_iter().flatten();
        let implicit: Vec<PathBuf> = database_files([&settings.store, &settings.queue]).chain(settings_files).collect();
        for written in &self.writes {
            let read = self.reads.iter().chain(&implicit).find(|read| is_same_file(read, written));
            if let Some(read) = read {
                let same_as =
                    if read == written { String::new() } else { format!(" (the same file as {})", read.display()) };
                return Err(usage(format!(
                    "cannot write {}{same_as}: this command reads that file; choose another output",
                    written.display()
                )));
            }
        }
        Ok(())
    }
}

/// The SQLite files among these URLs, with the `-wal` and `-shm` files beside them.
fn database_files(urls: [&String; 2]) -> impl Iterator<Item = PathBuf> {
    let files = urls.into_iter().filter_map(|url| url.strip_prefix("sqlite:"));
    files.flat_map(|file| ["", "-wal", "-shm"].map(|suffix| PathBuf::from(format!("{file}{suffix}"))))
}

/// Whether two paths lead to the same file, even through links, or would once it is created.
fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        // Devices and pipes are written to, not replaced.
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(_), Err(_)) => creation_path(a).is_some_and(|path| Some(path) == creation_path(b)),
        _ => false,
    }
}

/// Where a missing file would be created, even through a dangling link.
fn creation_path(file: &Path) -> Option<PathBuf> {
    let linked = fs::read_link(file).map(|target| folder_of(file).join(target));
    let file = linked.as_deref().unwrap_or(file);
    Some(folder_of(file).canonicalize().ok()?.join(file.file_name()?))
}
