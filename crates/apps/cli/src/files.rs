//! Writing a command's output files.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, bail};

/// Checks that a folder can be created and written to, before hours of work depend on it. Nothing is created: a missing folder
/// is checked through its nearest existing ancestor.
pub fn check_folder(folder: &Path) -> anyhow::Result<()> {
    refuse_a_file(folder)?;
    if folder.is_dir() {
        return test_write(folder).with_context(|| cannot_write_into(folder));
    }
    nearest_existing(folder).and_then(test_write).with_context(|| cannot_create(folder))
}

/// Creates a folder and its parents, and checks that files can be created in it.
pub fn create_folder(folder: &Path) -> anyhow::Result<()> {
    refuse_a_file(folder)?;
    std::fs::create_dir_all(folder).with_context(|| cannot_create(folder))?;
    test_write(folder).with_context(|| cannot_write_into(folder))
}

fn refuse_a_file(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        bail!("{} is a file: pass a folder to --out", folder.display());
    }
    Ok(())
}

fn cannot_create(folder: &Path) -> String {
    format!("cannot create the folder {}", folder.display())
}

fn cannot_write_into(folder: &Path) -> String {
    format!("cannot write to the folder {}", folder.display())
}

/// The nearest existing ancestor of a missing folder.
///
/// # Errors
/// Something other than a folder is in the way, or the path has a name that no folder can have.
fn nearest_existing(missing: &Path) -> io::Result<&Path> {
    let is_missing = |error: &io::Error| [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind());
    for (depth, ancestor) in missing.ancestors().enumerate() {
        let ancestor = if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor };
        match ancestor.symlink_metadata() {
            Ok(_) if ancestor.is_dir() => {
                // An invalid name (too long, for example) is only an error inside a folder that exists.
                let looked_up =
                    missing.components().rev().take(depth).map(|name| ancestor.join(name).symlink_metadata());
                let invalid = looked_up.filter_map(Result::err).find(|error| !is_missing(error));
                return invalid.map_or(Ok(ancestor), Err);
            }
            // A dangling link.
            Ok(metadata) if metadata.is_symlink() => return Err(ErrorKind::AlreadyExists.into()),
            Ok(_) => return Err(ErrorKind::NotADirectory.into()),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// Writes one byte to a temporary file: on a full disk, a file can be created but not filled.
fn test_write(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(b" ")?;
    file.sync_all()
}

/// Checks that a file can be written, before doing the work whose results go there.
pub fn check_file(file: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", file.display());
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => bail!("{}: it is a folder, not a file", cannot()),
        // Devices and pipes are written to, not replaced.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        // The folder is checked below.
        Err(error) if ![ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Err(error).with_context(cannot);
        }
        _ => {}
    }
    let folder = folder_of(file);
    if !folder.is_dir() {
        bail!("{}: the folder {} does not exist", cannot(), folder.display());
    }
    test_write(folder).with_context(cannot)
}

/// The folder that contains a file.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file atomically: on failure, the previous contents stay.
pub fn save(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // Symbolic links are followed, not replaced.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let written = match std::fs::metadata(&target) {
        // Devices and pipes cannot be replaced.
        Ok(metadata) if !metadata.is_file() => std::fs::write(&target, bytes),
        _ => replace(&target, bytes),
    };
    written.with_context(|| format!("cannot write {}", file.display()))
}

fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    // The usual mode of new files, so that the umask decides who may read it.
    let mut new = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder_of(target))?;
    new.write_all(bytes)?;
    // Some file systems report a full disk only here.
    new.as_file().sync_all()?;
    new.persist(target)?;
    Ok(())
}

/// An exclusive lock between processes, held until dropped; the system releases it when the process dies.
pub struct FileLock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

/// Locks a file, which is created if missing; `None` if another process holds the lock.
pub fn try_lock(file: &Path) -> anyhow::Result<Option<FileLock>> {
    let opened = File::options().create(true).append(true).open(file);
    let opened = opened.with_context(|| format!("cannot write {}", file.display()))?;
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // A file system without locks must not keep anybody waiting.
        _ => Ok(Some(FileLock(opened))),
    }
}

/// Waits for the lock on an output folder, so that all files in it come from one command.
pub async fn lock_folder(folder: &Path) -> anyhow::Result<FileLock> {
    create_folder(folder)?;
    let opened = File::open(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let locked = move || {
        let _ = opened.lock();
        FileLock(opened)
    };
    Ok(tokio::task::spawn_blocking(locked).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn checking_does_not_disturb_a_folder_that_another_command_creates() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/out");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    // May fail: the folder comes and goes.
                    let _ = check_folder(&folder);
                }
            });
            let all_succeeded =
                (0..2_000).all(|_| std::fs::create_dir_all(&folder).is_ok() && std::fs::remove_dir(&folder).is_ok());
            is_over.store(true, Ordering::Relaxed);
            assert!(all_succeeded, "a folder of the other command was removed");
        });
        assert!(place.path().join("a").exists());
    }

    #[test]
    fn checking_creates_nothing() {
        let place = tempfile::tempdir().unwrap();
        check_folder(&place.path().join("a/b/c")).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
