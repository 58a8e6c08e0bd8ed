//! The promises of the README.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use sqlite::rusqlite::{Connection, Error};
use sqlite::{Db, Remedy, remedy};
use tempfile::{TempDir, tempdir};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY);";

async fn fresh() -> (TempDir, Db) {
    let folder = tempdir().unwrap();
    let db = open(&folder.path().join("a.db")).await;
    (folder, db)
}

async fn open(path: &Path) -> Db {
    Db::open(path, SCHEMA).await.unwrap()
}

fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<usize, Error> + Send + 'static {
    move |c| c.execute("INSERT INTO numbers VALUES (?1)", [n])
}

async fn numbers(db: &Db) -> Vec<i64> {
    let all = |c: &Connection| {
        let mut rows = c.prepare("SELECT n FROM numbers ORDER BY n")?;
        rows.query_map([], |row| row.get(0))?.collect()
    };
    db.read(all).await.unwrap()
}

async fn open_error(path: &Path) -> String {
    Db::open(path, SCHEMA).await.err().expect("an error").to_string()
}

/// Blocks the writing thread until the returned sender is dropped, so that writes sent meanwhile share a transaction.
fn hold(db: &Db) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (db, (started, start)) = (db.clone(), mpsc::channel());
    std::thread::spawn(move || {
        db.write_blocking(move |_| {
            started.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        })
    });
    start.recv_timeout(Duration::from_secs(30)).unwrap();
    release
}

#[tokio::test]
async fn a_failed_write_undoes_itself_alone() {
    let (_folder, db) = fresh().await;
    let held = hold(&db);
    let bad = db.write(|c| insert(2)(c).and_then(|_| insert(2)(c)));
    let release = async { drop(held) };
    let (first, second, third, ()) = tokio::join!(db.write(insert(1)), bad, db.write(insert(3)), release);
    assert!(first.is_ok() && second.is_err() && third.is_ok());
    assert_eq!(numbers(&db).await, [1, 3]);
}

#[tokio::test]
async fn a_panic_is_the_callers_and_undoes_its_write() {
    let (_folder, db) = fresh().await;
    let other = db.clone();
    let panics = tokio::spawn(async move {
        other
            .write(|c| -> Result<(), Error> {
                insert(1)(c)?;
                panic!("on purpose")
            })
            .await
    });
    assert!(panics.await.unwrap_err().is_panic());
    db.write(insert(2)).await.unwrap();
    assert_eq!(numbers(&db).await, [2]);
}

#[tokio::test]
async fn what_ends_the_transaction_fails_everyone_in_it_and_nobody_after() {
    let (_folder, db) = fresh().await;
    let held = hold(&db);
    // Like an I/O error or a full disk.
    let breaks = db.write(|c| c.execute_batch("INSERT INTO numbers VALUES (2); ROLLBACK; SELECT * FROM nowhere"));
    let release = async { drop(held) };
    let (first, second, third, ()) = tokio::join!(db.write(insert(1)), breaks, db.write(insert(3)), release);
    let remedy_of = |written: Result<_, Error>| remedy(&written.unwrap_err());
    assert_eq!([remedy_of(first), remedy_of(third)], [Remedy::Retry, Remedy::Retry], "it was not their fault");
    assert_eq!(remedy_of(second.map(|()| 0)), Remedy::GiveUp);
    assert_eq!(numbers(&db).await, [0; 0]);
    db.write(insert(4)).await.unwrap();
    assert_eq!(numbers(&db).await, [4]);
}

#[tokio::test]
async fn a_full_disk_is_everyones_reason_until_there_is_room_again() {
    let (_folder, db) = fresh().await;
    let limit =
        |pages: u32| move |c: &Connection| c.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
    // SQLite raises it to the present size of the file.
    db.write(limit(1)).await.unwrap();
    let held = hold(&db);
    let more = |c: &Connection| c.execute_batch("CREATE TABLE more (n)").map(|()| 1);
    let release = async { drop(held) };
    let (first, second, third, ()) = tokio::join!(db.write(more), db.write(insert(1)), db.write(more), release);
    for full in [first.unwrap_err(), third.unwrap_err()] {
        assert!(matches!(remedy(&full), Remedy::FixDisk(why) if why.contains("disk is full")), "{full}");
    }
    assert_eq!(second.unwrap(), 1, "what fits is written");
    db.write(limit(1_000)).await.unwrap();
    assert_eq!(db.write(more).await.unwrap(), 1);
}

#[tokio::test]
async fn what_the_disk_undid_is_undone_for_everyone_in_it_for_that_reason() {
    let (_folder, db) = fresh().await;
    let held = hold(&db);
    let full = db.write(|c| -> Result<usize, Error> {
        c.execute_batch("ROLLBACK")?;
        Err(Error::SqliteFailure(sqlite::rusqlite::ffi::Error::new(sqlite::rusqlite::ffi::SQLITE_FULL), None))
    });
    let release = async { drop(held) };
    let (first, second, third, ()) = tokio::join!(db.write(insert(1)), full, db.write(insert(3)), release);
    for written in [first, second, third] {
        let error = written.unwrap_err();
        assert!(matches!(remedy(&error), Remedy::FixDisk(_)), "{error}");
    }
    assert_eq!(numbers(&db).await, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_removed_only_when_nobody_has_it_open() {
    let (folder, db) = fresh().await;
    let path = db.path().to_owned();
    let remove = |path: std::path::PathBuf| tokio::task::spawn_blocking(move || sqlite::remove_unused(&path).unwrap());
    db.write(insert(1)).await.unwrap();
    assert!(!remove(path.clone()).await.unwrap(), "it is open");
    assert_eq!(numbers(&db).await, [1]);
    drop(db);
    assert!(remove(path.clone()).await.unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left beside it either");
    std::fs::write(&path, "no database, but long enough to be taken for one; ".repeat(20)).unwrap();
    assert!(remove(path.clone()).await.unwrap());
    assert!(remove(path).await.unwrap(), "what is not there is not in use");
}

#[test]
fn what_cannot_be_examined_is_not_removed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.db");
    std::fs::create_dir(&path).unwrap();
    let beside = folder.path().join("a.db-wal");
    std::fs::write(&beside, "somebody's").unwrap();
    assert!(sqlite::remove_unused(&path).is_err());
    assert!(path.exists() && beside.exists());
}

#[tokio::test]
async fn an_io_error_that_a_try_does_not_explain_is_told_as_sqlite_tells_it() {
    let (_folder, db) = fresh().await;
    let fails = |_: &Connection| -> Result<(), Error> {
        let code = sqlite::rusqlite::ffi::SQLITE_IOERR_FSYNC;
        Err(Error::SqliteFailure(sqlite::rusqlite::ffi::Error::new(code), Some("disk I/O error".into())))
    };
    let Remedy::FixDisk(why) = remedy(&db.write(fails).await.unwrap_err()) else { panic!("the disk is the reason") };
    assert!(why.starts_with("SQLite reports an I/O error: disk I/O error (code 1034)"), "{why}");
}

#[tokio::test]
async fn a_write_whose_future_was_dropped_is_carried_out() {
    let (_folder, db) = fresh().await;
    let held = hold(&db);
    let cut_short = tokio::time::timeout(Duration::ZERO, db.write(insert(1))).await;
    assert!(cut_short.is_err());
    drop(held);
    db.write(insert(2)).await.unwrap();
    assert_eq!(numbers(&db).await, [1, 2]);
}

#[tokio::test]
async fn a_read_sees_one_snapshot() {
    let (_folder, db) = fresh().await;
    let (go_on, wait) = mpsc::channel::<()>();
    let (counted_once, first) = tokio::sync::oneshot::channel();
    let reading = db.read(move |c| {
        let count = |c: &Connection| c.query_row("SELECT count(*) FROM numbers", [], |row| row.get::<_, i64>(0));
        let before = count(c)?;
        counted_once.send(()).unwrap();
        let _ = wait.recv();
        Ok((before, count(c)?))
    });
    let writing = async {
        first.await.unwrap();
        db.write(insert(1)).await.unwrap();
        drop(go_on);
    };
    let (counts, ()) = tokio::join!(reading, writing);
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(numbers(&db).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once_and_all_write() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("new.db");
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let path = path.clone();
            tokio::spawn(async move { open(&path).await.write(insert(n)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(numbers(&open(&path).await).await, Vec::from_iter(0..16));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named_with_the_reason() {
    let folder = tempdir().unwrap();
    let nowhere = open_error(&folder.path().join("none").join("a.db")).await;
    assert!(nowhere.contains("a.db: there is no folder") && nowhere.contains("create it"), "{nowhere}");
    assert!(open_error(folder.path()).await.ends_with("it is a folder; name a file"));
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "a text that is long enough to be read as the header of a file, which it is not. ".repeat(20),
    )
    .unwrap();
    assert!(open_error(&text).await.contains("text.db: it is not a SQLite file"));
    assert!(open_error(Path::new("")).await.contains("is not a file"));
    assert!(open_error(Path::new(":memory:")).await.contains("is not a file"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_deleted_or_replaced_is_an_error() {
    let (_folder, db) = fresh().await;
    std::fs::remove_file(db.path()).unwrap();
    let lost = db.write(insert(1)).await.unwrap_err();
    assert!(lost.to_string().contains("was deleted or replaced"), "{lost}");
    assert_eq!(remedy(&lost), Remedy::GiveUp);
    let replacement = open(db.path()).await;
    replacement.write(insert(2)).await.unwrap();
    assert!(db.read(|_| Ok(())).await.is_err());
}
