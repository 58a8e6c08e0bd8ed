//! Fitted models as bytes.

use model::search::Assignment;
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::pipeline::FittedPipeline;
use crate::scaler::StandardScaler;
use crate::{Cancel, LearnError};

/// The first bytes of every saved model; the number is the version of the format.
const MAGIC: &[u8] = b"spotifai model 3\n";

/// Everything needed to assign labels to tracks: scaler, fitted selection and model, and the names of features and labels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedModel {
    /// The d feature columns, in the order the model expects.
    pub feature_names: Vec<String>,
    /// The q labels, in the order of the probabilities.
    pub label_names: Vec<String>,
    scaler: StandardScaler,
    /// q thresholds; a label is assigned if its probability is above its threshold.
    thresholds: Vec<f64>,
    fitted: FittedPipeline,
}

impl SavedModel {
    pub(super) fn new(data: &Prepared, fitted: FittedPipeline, thresholds: Vec<f64>) -> Self {
        let (feature_names, label_names) = (data.feature_names.clone(), data.label_names.clone());
        Self { feature_names, label_names, scaler: data.scaler.clone(), thresholds, fitted }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let body = postcard::to_extend(self, MAGIC.to_vec());
        body.expect("a model is plain data")
    }

    /// Reads the bytes that [`crate::refit`] returned.
    pub fn load(bytes: &[u8]) -> Result<Self, LearnError> {
        let body = bytes.strip_prefix(MAGIC).ok_or_else(|| LearnError::Saved("unknown kind or version".into()))?;
        postcard::from_bytes(body).map_err(|error| LearnError::Saved(error.to_string()))
    }

    /// [`SavedModel::assign_all`] of one track.
    pub fn assign(&self, track_id: &str, features: &[f64]) -> Result<Assignment, LearnError> {
        let d = self.feature_names.len();
        if features.len() != d {
            return Err(LearnError::Data(format!(
                "track {track_id} has {} features, the model expects {d}",
                features.len()
            )));
        }
        Ok(self.assign_all(&[track_id], features)?.remove(0))
    }

    /// Assigns labels to tracks by their unscaled `features`, row by row in the order of [`SavedModel::feature_names`].
    pub fn assign_all(&self, track_ids: &[&str], features: &[f64]) -> Result<Vec<Assignment>, LearnError> {
        let (n, d) = (track_ids.len(), self.feature_names.len());
        let rows = ArrayView2::from_shape((n, d), features);
        let rows = rows.map_err(|_| {
            LearnError::Data(format!("the features are not those of {n} tracks with {d} features each"))
        })?;
        if let Some(at) = features.iter().position(|x| !x.is_finite()) {
            let (feature, track) = (&self.feature_names[at % d], track_ids[at / d]);
            return Err(LearnError::Data(format!("feature {feature} of track {track} is {}", features[at])));
        }
        let probabilities = self.fitted.probabilities(self.scaler.transform(rows).view(), &Cancel::new())?;
        let assignment = |(track_id, probabilities): (&&str, ArrayView1<'_, f64>)| {
            let labels = self.label_names.iter().zip(probabilities).zip(&self.thresholds);
            let above = labels.filter(|((_, probability), threshold)| probability > threshold);
            let assigned = above.map(|((label, _), _)| label.clone()).collect();
            Assignment {
                track_id: (*track_id).to_owned(),
                truth: None,
                assigned,
                probabilities: probabilities.to_vec(),
            }
        };
        Ok(track_ids.iter().zip(probabilities.rows()).map(assignment).collect())
    }
}
