//! Writing the files that a command leaves.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

/// Finds out whether a folder can be made and written into, before hours are spent on what could not be. It makes none: one
/// that is missing is tried for in the nearest folder above it that is there.
pub fn try_folder(folder: &Path) -> anyhow::Result<()> {
    refuse_a_file(folder)?;
    if folder.is_dir() {
        return try_to_write(folder).with_context(|| cannot_write_into(folder));
    }
    nearest_above(folder).and_then(try_to_write).with_context(|| cannot_make(folder))
}

/// Makes a folder, with those above it, and finds out whether files can be made in it.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    refuse_a_file(folder)?;
    std::fs::create_dir_all(folder).with_context(|| cannot_make(folder))?;
    try_to_write(folder).with_context(|| cannot_write_into(folder))
}

fn refuse_a_file(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        bail!("{} is a file: name a folder with --out", folder.display());
    }
    Ok(())
}

fn cannot_make(folder: &Path) -> String {
    format!("cannot make the folder {}", folder.display())
}

fn cannot_write_into(folder: &Path) -> String {
    format!("cannot write into the folder {}", folder.display())
}

/// The nearest folder above a missing one.
///
/// # Errors
/// Something else is in its place, or a name in its path is none that folders can have.
fn nearest_above(missing: &Path) -> io::Result<&Path> {
    let is_missing = |error: &io::Error| [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind());
    for (depth, above) in missing.ancestors().enumerate() {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match above.symlink_metadata() {
            Ok(_) if above.is_dir() => {
                // What is wrong with a name shows only where it could stand.
                let tried = missing.components().rev().take(depth).map(|name| above.join(name).symlink_metadata());
                let wrong = tried.filter_map(Result::err).find(|error| !is_missing(error));
                return wrong.map_or(Ok(above), Err);
            }
            // It is a link to nothing.
            Ok(there) if there.is_symlink() => return Err(ErrorKind::AlreadyExists.into()),
            Ok(_) => return Err(ErrorKind::NotADirectory.into()),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// Writes a byte that nobody sees: where there is no room at all, a file can be made and not filled.
fn try_to_write(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(b" ")?;
    file.sync_all()
}

/// Refuses a file that cannot be written, before the work whose results it is to hold.
pub fn check_file(file: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", file.display());
    match std::fs::metadata(file) {
        Ok(there) if there.is_dir() => bail!("{}: it is a folder: name a file", cannot()),
        // A device or a pipe is not replaced.
        Ok(there) if !there.is_file() => return Ok(()),
        // What is above it is looked at next.
        Err(error) if ![ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Err(error).with_context(cannot);
        }
        _ => {}
    }
    let folder = folder_of(file);
    if !folder.is_dir() {
        bail!("{}: there is no folder {}: make it, or name another", cannot(), folder.display());
    }
    try_to_write(folder).with_context(cannot)
}

/// The folder that a file stands in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file, all of it or nothing: where that fails, what was there before stays.
pub fn save(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A link stays one.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let written = match std::fs::metadata(&target) {
        // A device or a pipe cannot be replaced.
        Ok(there) if !there.is_file() => std::fs::write(&target, bytes),
        _ => replace(&target, bytes),
    };
    written.with_context(|| format!("cannot write {}", file.display()))
}

fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    // As any new file: the umask decides who may read it.
    let mut new = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder_of(target))?;
    new.write_all(bytes)?;
    // Some file systems find room, or none, only now.
    new.as_file().sync_all()?;
    new.persist(target)?;
    Ok(())
}

/// A turn that one process has at a time, for as long as this lives; the system ends it with the process.
pub struct Turn(#[expect(dead_code, reason = "the lock ends with it")] File);

/// Takes the turn that a file stands for, which is made where it is missing; `None`: another process has it.
pub fn try_turn(file: &Path) -> anyhow::Result<Option<Turn>> {
    let opened = File::options().create(true).append(true).open(file);
    let opened = opened.with_context(|| format!("cannot write {}", file.display()))?;
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // Where the file system knows no locks nobody has a turn, and nobody is kept waiting.
        _ => Ok(Some(Turn(opened))),
    }
}

/// Waits for the turn to write into a folder, so that the files in it are of one command.
pub async fn turn_to_write(folder: &Path) -> anyhow::Result<Turn> {
    make_folder(folder)?;
    let opened = File::open(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let locked = move || {
        let _ = opened.lock();
        Turn(opened)
    };
    Ok(tokio::task::spawn_blocking(locked).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_folder_that_another_command_makes_meanwhile_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/out");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    // It may find the folder and not find it any more.
                    let _ = try_folder(&folder);
                }
            });
            let others =
                (0..2_000).all(|_| std::fs::create_dir_all(&folder).is_ok() && std::fs::remove_dir(&folder).is_ok());
            is_over.store(true, Ordering::Relaxed);
            assert!(others, "it was removed");
        });
        assert!(place.path().join("a").exists());
    }

    #[test]
    fn what_is_tried_for_is_not_there_afterwards() {
        let place = tempfile::tempdir().unwrap();
        try_folder(&place.path().join("a/b/c")).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
