//! The pipelines of `labelled_tracks`, over the collection `tags`.

use model::tag::LabelSelection;
use mongodb::bson::{Bson, Document, doc};

/// Tracks with the labels selected from their canonical tags: `track_id`, and its `labels`, sorted. The view uses the default
/// selection, [`Tags::labelled_tracks`](crate::Tags::labelled_tracks) the caller's.
///
/// Tags are ranked by the number of tracks that have them, ties by name, and each track keeps those that rank high enough.
/// The pipeline works on rows of (track, tag), so that no document grows with the collection.
pub(super) fn labelled_tracks(label_selection: &LabelSelection) -> Vec<Document> {
    let top = i64::try_from(label_selection.top).unwrap_or(i64::MAX);
    let label = doc! { "$cond": [{ "$lte": ["$rank", top] }, "$tag", Bson::Null] };
    let labels = doc! { "$setDifference": ["$labels", [Bson::Null]] };
    let misc = doc! { "$cond": [{ "$eq": ["$labels", []] }, [{ "$literal": &label_selection.misc }], "$labels"] };
    vec![
        doc! { "$project": { "tag": "$canonical" } },
        doc! { "$unwind": "$tag" },
        doc! { "$match": { "tag": { "$nin": &label_selection.excluded } } },
        doc! { "$setWindowFields": { "partitionBy": "$tag", "output": { "fewer": { "$sum": -1 } } } },
        doc! { "$set": { "place": { "fewer": "$fewer", "tag": "$tag" } } },
        doc! { "$setWindowFields": { "sortBy": { "place": 1 }, "output": { "rank": { "$denseRank": {} } } } },
        doc! { "$group": { "_id": "$_id", "labels": { "$push": label } } },
        doc! { "$project": { "labels": { "$sortArray": { "input": labels, "sortBy": 1 } } } },
        doc! { "$project": { "track_id": "$_id", "labels": misc } },
        doc! { "$sort": { "_id": 1 } },
    ]
}

/// How many tracks have each canonical tag, most frequent first, ties by name.
pub(super) fn tag_counts() -> Vec<Document> {
    vec![
        doc! { "$project": { "canonical": 1 } },
        doc! { "$unwind": "$canonical" },
        doc! { "$group": { "_id": "$canonical", "n": { "$sum": 1 } } },
        doc! { "$sort": { "n": -1, "_id": 1 } },
    ]
}

/// Filter for tracks that have a canonical tag.
pub(super) fn with_genre() -> Document {
    doc! { "canonical": { "$ne": Bson::Array(vec![]) } }
}
