//! The tables, named like the collections, and the view `labelled_tracks`.

/// The query of `labelled_tracks`: `track_id`, and its `labels` as a JSON list in unspecified order (sorting inside an
/// aggregate needs a newer SQLite than many people have, and a view that does not parse makes the whole file unreadable for
/// them). The argument defines the common table expressions `cut(top, misc)` and `excluded(tag)`: constants for the view,
/// parameters for [`Tags::labelled_tracks`](crate::Tags::labelled_tracks).
macro_rules! labelled_tracks {
    ($selection:literal) => {
        concat!(
            "WITH ",
            $selection,
            ", kept AS (SELECT track_id, tag FROM track_tags WHERE tag NOT IN (SELECT tag FROM excluded)),
            label AS (
                SELECT tag FROM kept GROUP BY tag ORDER BY count(*) DESC, tag LIMIT (SELECT top FROM cut)
            )
            SELECT track_id,
                CASE count(label.tag)
                    WHEN 0 THEN json_array((SELECT misc FROM cut))
                    ELSE json_group_array(label.tag) FILTER (WHERE label.tag IS NOT NULL)
                END AS labels
            FROM kept LEFT JOIN label ON label.tag = kept.tag
            GROUP BY track_id ORDER BY track_id"
        )
    };
}

/// [`labelled_tracks!`] with parameters: ?1 the number of labels, ?2 the name of misc, ?3 a JSON list of excluded tags.
pub(super) const LABELLED_TRACKS: &str =
    labelled_tracks!("cut(top, misc) AS (SELECT ?1, ?2), excluded(tag) AS (SELECT value FROM json_each(?3))");

/// The tables and views. Idempotent. Small columns come before large ones, so that reading them does not walk through a
/// blob's pages.
pub(super) const SCHEMA: &str = concat!(
    "
    CREATE TABLE IF NOT EXISTS tracks (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS artists (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS playlist_pages (
        run TEXT NOT NULL, playlist TEXT NOT NULL, offset INTEGER NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (run, playlist, offset)
    );
    CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, started_at INTEGER NOT NULL, doc TEXT NOT NULL);

    -- outcome: tags, no_tags, unknown_track
    CREATE TABLE IF NOT EXISTS tags (track_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS pages (
        address TEXT PRIMARY KEY, status INTEGER NOT NULL, fetched_at INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE VIEW IF NOT EXISTS track_tags AS
        SELECT track_id, key AS position, value AS tag FROM tags, json_each(tags.doc, '$.canonical');
    CREATE VIEW IF NOT EXISTS labelled_tracks AS ",
    labelled_tracks!("cut(top, misc) AS (SELECT 9, 'misc'), excluded(tag) AS (SELECT 'rock')"),
    ";

    -- NULL: Spotify has no features of the track; a null among the values: it lacks this one
    CREATE TABLE IF NOT EXISTS features (track_id TEXT PRIMARY KEY, scalars TEXT) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS analyses (track_id TEXT PRIMARY KEY, confidences TEXT, segments BLOB);
    CREATE TABLE IF NOT EXISTS pitches (
        track_id TEXT PRIMARY KEY, rejected TEXT, columns BLOB, CHECK ((rejected IS NULL) <> (columns IS NULL))
    );

    CREATE TABLE IF NOT EXISTS datasets (
        id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, doc TEXT NOT NULL, parquet BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS searches (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, doc TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS trials (
        search TEXT NOT NULL, setting INTEGER NOT NULL, fold INTEGER NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (search, setting, fold)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS models (
        search TEXT PRIMARY KEY, created_at INTEGER NOT NULL, doc TEXT NOT NULL, model BLOB NOT NULL
    );

    CREATE TABLE IF NOT EXISTS workers (id TEXT PRIMARY KEY, doc TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS pauses (kind TEXT PRIMARY KEY, doc TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS budgets (
        name TEXT PRIMARY KEY, arrival_us INTEGER NOT NULL DEFAULT 0, blocked_until INTEGER NOT NULL DEFAULT 0,
        throttled INTEGER NOT NULL DEFAULT 0, reason TEXT
    );
    CREATE TABLE IF NOT EXISTS capabilities (name TEXT PRIMARY KEY, doc TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS crashes (job_id TEXT PRIMARY KEY, count INTEGER NOT NULL);
    "
);
