use std::sync::Arc;

use model::tag::{LabelSelection, LabelledTrack, LabelledTracks, RULES_VERSION, TagSource, TagsOutcome};
use store::{Store, TagOutcomeCounts};

use super::values::{tags, track};
use super::{TestStore, ids};

/// Names that no rule for canonical tags changes.
const A: &str = "ambient";
const B: &str = "blues";
const J: &str = "jazz";
const P: &str = "pop";
const ROCK: &str = "rock";

/// Saves tags of tracks 1, 2, 3 …
async fn store_with(test_store: &impl TestStore, tagged: &[&[&str]]) -> Arc<dyn Store> {
    let store = test_store.open().await;
    for (i, names) in tagged.iter().enumerate() {
        let track = track(&(i + 1).to_string());
        store.save_tags(&track, &tags(names), TagSource::Page).await.unwrap();
    }
    store
}

fn label_selection(top: usize) -> LabelSelection {
    LabelSelection { top, ..LabelSelection::default() }
}

fn labelled(id: &str, labels: &[&str]) -> LabelledTrack {
    LabelledTrack { track_id: id.to_owned(), labels: ids(labels) }
}

pub async fn the_three_outcomes_are_kept_apart(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_tracks(&["a", "b", "c", "d"].map(track)).await.unwrap();
    let outcomes = [("a", tags(&[P])), ("b", TagsOutcome::NoTags), ("c", TagsOutcome::UnknownTrack)];
    for (id, outcome) in &outcomes {
        store.save_tags(&track(id), outcome, TagSource::Api).await.unwrap();
    }
    let found = store.tags(&ids(&["d", "c", "b", "a"])).await.unwrap();
    assert_eq!(found.len(), 3);
    for (tagged, (id, outcome)) in found.iter().zip(&outcomes) {
        assert_eq!((tagged.track_id.as_str(), &tagged.outcome), (*id, outcome));
        assert_eq!((tagged.source, tagged.rules), (TagSource::Api, RULES_VERSION));
    }
    assert_eq!(store.tracks_without_tags().await.unwrap(), ids(&["d"]));
    assert_eq!(store.tag_outcomes().await.unwrap(), TagOutcomeCounts { tags: 1, no_tags: 1, unknown_track: 1 });
    let labelled_tracks = store.labelled_tracks(&LabelSelection::default()).await.unwrap();
    assert_eq!(labelled_tracks.tracks, [labelled("a", &[P])]);
    assert_eq!((labelled_tracks.only_excluded, labelled_tracks.no_genre), (0, 0));
}

pub async fn tags_saved_again_replace_the_first(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for names in [&[J, B, A][..], &[A], &[A]] {
        store.save_tags(&track("a"), &tags(names), TagSource::Page).await.unwrap();
    }
    assert_eq!(store.tags(&ids(&["a"])).await.unwrap()[0].canonical, [A]);
    let found = store.labelled_tracks(&LabelSelection::default()).await.unwrap();
    assert_eq!(found.tracks, [labelled("a", &[A])]);
    assert_eq!(found.tag_counts, [(A.to_owned(), 1)]);
    store.save_tags(&track("a"), &TagsOutcome::NoTags, TagSource::Page).await.unwrap();
    assert_eq!(store.labelled_tracks(&LabelSelection::default()).await.unwrap(), Default::default());
    assert_eq!(store.tag_outcomes().await.unwrap(), TagOutcomeCounts { no_tags: 1, ..Default::default() });
}

pub async fn canonical_tags_leave_out_the_artist(test_store: &impl TestStore) {
    let store = store_with(test_store, &[&[J, "sigur ros", "Jazz", B], &["SIGUR RÓS"]]).await;
    let found = store.tags(&ids(&["1", "2"])).await.unwrap();
    assert_eq!((found[0].canonical.as_slice(), found[1].canonical.len()), (&ids(&[J, B])[..], 0));
    assert_eq!(found[0].outcome, tags(&[J, "sigur ros", "Jazz", B]));
    let labels = store.labelled_tracks(&LabelSelection::default()).await.unwrap();
    assert_eq!(labels.tracks, [labelled("1", &[B, J])]);
    assert_eq!((labels.only_excluded, labels.no_genre), (0, 1));
}

pub async fn an_empty_store_has_no_labels(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_tracks(&[track("a")]).await.unwrap();
    for top in [0, 9, usize::MAX] {
        assert_eq!(store.labelled_tracks(&label_selection(top)).await.unwrap(), Default::default());
    }
}

pub async fn the_most_frequent_tags_become_labels(test_store: &impl TestStore) {
    let store = store_with(test_store, &[&[P, J, B], &[J, P], &[P], &[A], &[B, A, J]]).await;
    let found = store.labelled_tracks(&label_selection(2)).await.unwrap();
    let expected = [
        labelled("1", &[J, P]),
        labelled("2", &[J, P]),
        labelled("3", &[P]),
        labelled("4", &["misc"]),
        labelled("5", &[J]),
    ];
    assert_eq!(found.tracks, expected);
    let counts = [(J, 3), (P, 3), (A, 2), (B, 2)].map(|(tag, n)| (tag.to_owned(), n));
    assert_eq!(found.tag_counts, counts);
}

pub async fn ties_go_by_name(test_store: &impl TestStore) {
    let store = store_with(test_store, &[&[P], &[J], &[B], &[A]]).await;
    let found = store.labelled_tracks(&label_selection(2)).await.unwrap();
    let expected = [labelled("1", &["misc"]), labelled("2", &["misc"]), labelled("3", &[B]), labelled("4", &[A])];
    assert_eq!(found.tracks, expected);
}

pub async fn a_table_of_genres_is_cut_like_what_was_collected(test_store: &impl TestStore) {
    let names = [A, B, J, P, ROCK, "80s", "Jazz", "zeuhl", "рок"];
    // Each name is of other tracks, some of all and some of few; track 7, 14 … has none.
    let names_of =
        |track: usize| names.iter().enumerate().filter(move |(at, _)| !track.is_multiple_of(7) && track % (at + 2) < 2);
    let named: Vec<Vec<&str>> = (1..60).map(|track| names_of(track).map(|(_, name)| *name).collect()).collect();
    let store = store_with(test_store, &named.iter().map(Vec::as_slice).collect::<Vec<_>>()).await;
    let all: Vec<String> = (1..60).map(|track: usize| track.to_string()).collect();
    let tagged: Vec<(String, Vec<String>)> =
        store.tags(&all).await.unwrap().into_iter().map(|track| (track.track_id, track.canonical)).collect();
    for top in [0, 1, 3, 9, usize::MAX] {
        for excluded in [vec![], ids(&[ROCK]), ids(&[P, J, "nothing"])] {
            let label_selection = LabelSelection { top, excluded, misc: "misc".into() };
            assert_eq!(
                LabelledTracks::select(&tagged, &label_selection),
                store.labelled_tracks(&label_selection).await.unwrap(),
                "{label_selection:?}"
            );
        }
    }
}

pub async fn excluded_tags_are_no_labels_and_no_misc(test_store: &impl TestStore) {
    let store = store_with(test_store, &[&[ROCK], &[ROCK, P], &[J, ROCK], &[P], &[ROCK]]).await;
    let found = store.labelled_tracks(&label_selection(1)).await.unwrap();
    assert_eq!(found.tracks, [labelled("2", &[P]), labelled("3", &["misc"]), labelled("4", &[P])]);
    assert_eq!((found.only_excluded, found.no_genre), (2, 0));
    assert_eq!(found.tag_counts[0], (ROCK.to_owned(), 4));
}

pub async fn the_cut_is_what_it_is_asked_to_be(test_store: &impl TestStore) {
    let store = store_with(test_store, &[&[ROCK, P], &[J], &[P]]).await;
    let other = LabelSelection { top: 1, excluded: ids(&[P, J]), misc: "the 'rest'".into() };
    let found = store.labelled_tracks(&other).await.unwrap();
    assert_eq!((found.tracks, found.only_excluded), (vec![labelled("1", &[ROCK])], 2));
    let none = LabelSelection { top: 0, excluded: vec![], misc: "the 'rest'".into() };
    let found = store.labelled_tracks(&none).await.unwrap();
    assert_eq!(found.tracks, ["1", "2", "3"].map(|id| labelled(id, &["the 'rest'"])));
    let all = LabelSelection { top: usize::MAX, excluded: vec![], misc: P.into() };
    let found = store.labelled_tracks(&all).await.unwrap();
    assert_eq!(found.tracks, [labelled("1", &[P, ROCK]), labelled("2", &[J]), labelled("3", &[P])]);
}

pub async fn unrecognised_pages_are_accepted(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for body in ["<html>\u{0}1", "<html>2"] {
        store.save_unrecognised("https://www.last.fm/music/A/_/B/+tags", 200, body).await.unwrap();
    }
}
