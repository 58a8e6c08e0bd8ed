//! Which files a command reads and which it writes: none is both, or what was read would be lost.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use host::Flags;
use model::settings::Settings;

use crate::args::{Command, DatasetCommand, SearchCommand};
use crate::commands::demo;
use crate::commands::report::{LEADERBOARD, REPORT};
use crate::commands::run::LABELS;
use crate::error::usage;
use crate::files::folder_of;
use crate::summary::SUMMARY;

/// What a search leaves in its folder.
const OF_SEARCH: [&str; 3] = [LEADERBOARD, SUMMARY, REPORT];

/// The files of a command.
#[derive(Default)]
pub struct Files {
    reads: Vec<PathBuf>,
    writes: Vec<PathBuf>,
}

impl Files {
    /// Those that a command line names. `config --write` is not among them: it replaces no file at all.
    pub fn of(command: &Command) -> Self {
        let within = |folder: &Path, names: &[&str]| names.iter().map(|name| folder.join(name)).collect();
        let (reads, writes) = match command {
            Command::Predict(args) => (args.data.iter().collect(), args.out.iter().cloned().collect()),
            Command::Dataset(DatasetCommand::Export { file, .. }) => (vec![], vec![file.clone()]),
            Command::Search(SearchCommand::Run(args)) => {
                let what = &args.what;
                (what.data.data.iter().chain([&what.grid.grid]).collect(), within(&args.out, &OF_SEARCH))
            }
            Command::Report(args) => (vec![], within(&args.out, &[LEADERBOARD, REPORT])),
            Command::Run(args) => (vec![], within(&args.out, &[&OF_SEARCH[..], &[LABELS]].concat())),
            Command::Demo(args) => {
                (args.catalogue.iter().collect(), within(&args.out, &[OF_SEARCH, demo::FILES].concat()))
            }
            _ => return Self::default(),
        };
        Self { reads: reads.into_iter().cloned().collect(), writes }
    }

    /// Refuses a command that would write over a file that it reads: one that it names, or that settings are in, or that
    /// they name.
    pub fn check(&self, flags: &Flags, settings: &Settings) -> anyhow::Result<()> {
        let others = [Some(flags.settings_file()), spotify::sign_in_file(&settings.spotify)].into_iter().flatten();
        let of_settings: Vec<PathBuf> = places([&settings.store, &settings.queue]).chain(others).collect();
        for written in &self.writes {
            let read = self.reads.iter().chain(&of_settings).find(|read| are_same(read, written));
            if let Some(read) = read {
                let which = if read == written { String::new() } else { format!("it is {}, and ", read.display()) };
                return Err(usage(format!(
                    "cannot write {}: {which}the command reads that file: name another place",
                    written.display()
                )));
            }
        }
        Ok(())
    }
}

/// The files of stores and queues that are files, with those that SQLite keeps beside them.
fn places(urls: [&String; 2]) -> impl Iterator<Item = PathBuf> {
    let files = urls.into_iter().filter_map(|url| url.strip_prefix("sqlite:"));
    files.flat_map(|file| ["", "-wal", "-shm"].map(|beside| PathBuf::from(format!("{file}{beside}"))))
}

/// Whether two paths are of one file, be it by links, or would be.
fn are_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        // A device or a pipe is not replaced.
        (Ok(one), Ok(other)) => one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Err(_), Err(_)) => place(one).is_some_and(|one| Some(one) == place(other)),
        _ => false,
    }
}

/// Where a file would be made, be it through a link.
fn place(file: &Path) -> Option<PathBuf> {
    let linked = fs::read_link(file).map(|to| folder_of(file).join(to));
    let file = linked.as_deref().unwrap_or(file);
    Some(folder_of(file).canonicalize().ok()?.join(file.file_name()?))
}
