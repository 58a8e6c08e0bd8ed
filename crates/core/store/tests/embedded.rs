//! The embedded backend: the contract of all backends, and what this one promises beyond.

mod contract;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use contract::{TestStore, contract};
use model::Timestamp;
use model::tag::{LabelSelection, Tag, TagSource, TagsOutcome};
use model::track::{PlaylistPage, Track};
use sqlite::rusqlite::Connection;
use store::{Store, StoreError};
use tempfile::TempDir;

struct TestFile(TempDir);

impl TestFile {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("spotifai.db")
    }
}

impl TestStore for TestFile {
    fn fresh(_test: &str) -> Option<Self> {
        Some(Self::new())
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&self.path()).await
    }
}

contract!(crate::TestFile);

async fn open(path: &Path) -> Arc<dyn Store> {
    store::open(&format!("sqlite:{}", path.display())).await.unwrap()
}

fn track(id: &str) -> Track {
    Track { id: id.into(), name: "Title".into(), artists: vec![], album: None, duration_ms: None, isrc: None }
}

async fn refused(url: &str) -> String {
    match store::open(url).await {
        Err(StoreError::Unusable(line)) => line,
        Err(other) => panic!("{url}: {other}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

#[tokio::test]
async fn what_cannot_be_a_store_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no database, however long it is ".repeat(100)).unwrap();
    let files = [folder.path().join("no/such/folder/x.db"), folder.path().to_owned(), text];
    let files = files.map(|file| format!("sqlite:{}", file.display()));
    for url in files.iter().map(String::as_str).chain(["sqlite:", "sqlite::memory:", "postgres://x", "spotifai.db"]) {
        let line = refused(url).await;
        assert!(line.contains(url) && !line.contains('\n'), "{line}");
    }
}

#[tokio::test]
async fn a_new_file_can_be_opened_by_many_at_once() {
    let file = TestFile::new();
    let mut openers = tokio::task::JoinSet::new();
    for i in 0..8 {
        let path = file.path();
        openers.spawn(async move { open(&path).await.save_tracks(&[track(&i.to_string())]).await });
    }
    while let Some(saved) = openers.join_next().await {
        saved.unwrap().unwrap();
    }
    assert_eq!(file.open().await.all_tracks().await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_shell_sees_the_default_cut_in_the_view() {
    let file = TestFile::new();
    let store = file.open().await;
    let tags = ["ambient", "blues", "country", "disco", "folk", "funk", "jazz", "metal", "pop", "soul"];
    for (i, tag) in tags.iter().enumerate() {
        let tags = [*tag, "rock", "pop"].map(|name| Tag { name: name.into(), count: None });
        store.save_tags(&track(&i.to_string()), &TagsOutcome::Tags(tags.into()), TagSource::Api).await.unwrap();
    }
    let only_rock = TagsOutcome::Tags(vec![Tag { name: "rock".into(), count: None }]);
    store.save_tags(&track("rock"), &only_rock, TagSource::Api).await.unwrap();
    let shell = Connection::open(file.path()).unwrap();
    let mut query = shell.prepare("SELECT * FROM labelled_tracks").unwrap();
    let rows = query.query_map([], |row| Ok((row.get("track_id")?, row.get("labels")?))).unwrap();
    let rows: Vec<(String, String)> = rows.map(Result::unwrap).collect();
    let labelled = store.labelled_tracks(&LabelSelection::default()).await.unwrap();
    let expected = labelled.tracks.into_iter();
    let expected: Vec<_> =
        expected.map(|track| (track.track_id, serde_json::to_string(&track.labels).unwrap())).collect();
    assert_eq!(rows, expected);
    assert_eq!(rows[0], ("0".to_owned(), r#"["ambient","pop"]"#.to_owned()));
}

#[tokio::test]
async fn of_an_unrecognised_page_the_newest_is_kept() {
    let file = TestFile::new();
    let store = file.open().await;
    for (address, body) in [("a", "old"), ("a", "new"), ("b", "other")] {
        store.save_unrecognised(address, 200, body).await.unwrap();
    }
    let shell = Connection::open(file.path()).unwrap();
    let mut query = shell.prepare("SELECT address, status, body FROM pages ORDER BY address").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let rows: Vec<(String, u16, String)> = rows.map(Result::unwrap).collect();
    assert_eq!(rows, [("a".into(), 200, "new".into()), ("b".into(), 200, "other".into())]);
}

#[tokio::test]
async fn damaged_entries_are_told_and_the_rest_stays_readable() {
    let file = TestFile::new();
    let store = file.open().await;
    store.save_tracks(&[track("a"), track("b")]).await.unwrap();
    let damage = "
        INSERT INTO analyses (track_id, segments) VALUES ('a', x'01ffffffff0f');
        INSERT INTO pitches (track_id, columns) VALUES ('a', x'00');
        UPDATE tracks SET doc = '{}' WHERE id = 'a'";
    Connection::open(file.path()).unwrap().execute_batch(damage).unwrap();
    let a = ["a".to_owned()];
    let damaged = [
        store.analysis("a").await.map(drop).unwrap_err(),
        store.pitches(&a).await.map(drop).unwrap_err(),
        store.tracks(&a).await.map(drop).unwrap_err(),
    ];
    for error in damaged {
        assert!(matches!(&error, StoreError::Unusable(line) if !line.contains('\n')), "{error}");
    }
    assert_eq!(store.tracks(&["b".to_owned()]).await.unwrap(), [track("b")]);
}

#[tokio::test]
async fn a_good_answer_after_a_good_one_writes_nothing() {
    let file = TestFile::new();
    let store = file.open().await;
    store.lease_budget("lastfm", 10.0, 1).await.unwrap();
    let shell = Connection::open(file.path()).unwrap();
    // Changes with every commit of another connection.
    let version = || shell.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = version();
    store.reset_throttling("lastfm").await.unwrap();
    assert_eq!(version(), before);
    store.block_budget("lastfm", Timestamp::now(), "throttled").await.unwrap();
    assert_ne!(version(), before);
}

/// Where the child of [`a_killed_process_leaves_whole_pages`] saves.
const CHILD_FILE: &str = "SPOTIFAI_TEST_CHILD_FILE";
const TRACKS_A_PAGE: u32 = 50;

/// A process of its own in which four tasks save pages until it is killed, telling each when it is safe: wherever the
/// kill hits, some task is half-way. It does nothing in a normal test run.
#[tokio::test]
async fn child_saves_pages() {
    let Some(path) = std::env::var_os(CHILD_FILE) else { return };
    let store = open(Path::new(&path)).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        tasks.spawn(save_pages(store.clone(), format!("{}-{task}", std::process::id())));
    }
    tasks.join_all().await;
}

async fn save_pages(store: Arc<dyn Store>, run: String) {
    for number in 0.. {
        let offset = number * TRACKS_A_PAGE;
        let track_ids: Vec<String> = (0..TRACKS_A_PAGE).map(|row| format!("{run}-{}", offset + row)).collect();
        let tracks: Vec<Track> = track_ids.iter().map(|id| track(id)).collect();
        let page = PlaylistPage {
            run: run.clone(),
            playlist: "mix".into(),
            offset,
            total: None,
            has_next: true,
            rows: TRACKS_A_PAGE,
            track_ids,
            skipped: Default::default(),
            fetched_at: Timestamp::now(),
        };
        store.save_page(&page, &tracks).await.unwrap();
        println!("saved {run} {offset}");
    }
}

/// Starts a child and kills it (SIGKILL) after it told of `pages` pages; returns what it told, as (run, offset).
fn kill_after(file: &TestFile, pages: usize) -> Vec<(String, u32)> {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_saves_pages", "--nocapture"])
        .env(CHILD_FILE, file.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).filter_map(|line| {
        let (run, offset) = line.strip_prefix("saved ")?.split_once(' ')?;
        Some((run.to_owned(), offset.parse().unwrap()))
    });
    let told = told.take(pages).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    told
}

#[tokio::test]
async fn a_killed_process_leaves_whole_pages() {
    let file = TestFile::new();
    let told: Vec<_> = (1..=20).flat_map(|pages| kill_after(&file, pages)).collect();
    assert_eq!(told.len(), 210);
    let store = file.open().await;
    let pages = store.pages(None).await.unwrap();
    for (run, offset) in told {
        assert!(pages.iter().any(|page| page.run == run && page.offset == offset), "page {offset} of {run} is lost");
    }
    let mut of_pages: Vec<String> = pages.into_iter().flat_map(|page| page.track_ids).collect();
    of_pages.sort_unstable();
    let tracks: Vec<String> = store.all_tracks().await.unwrap().into_iter().map(|track| track.id).collect();
    assert_eq!(tracks, of_pages);
}
