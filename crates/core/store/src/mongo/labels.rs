//! The pipeline of `labelled_tracks`, over `tags`.

use model::tag::LabelSelection;
use mongodb::bson::{Bson, Document, doc};

/// Tracks with their canonical tags cut to labels: `track_id`, and its `labels` sorted. The view has the default cut, the
/// verb its parameters.
///
/// Tags are ranked over all tracks by how many have them, ties by name, and each track keeps those that rank high enough.
/// It passes over rows of (track, tag), so that no document grows with the collection.
pub(super) fn pipeline(label_selection: &LabelSelection) -> Vec<Document> {
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

/// Tracks that have a canonical tag.
pub(super) fn with_genre() -> Document {
    doc! { "canonical": { "$ne": Bson::Array(vec![]) } }
}
