//! What each error of Spotify's means for a job.

use std::time::Duration;

use host::Registered;
use model::job::TrackAnalysisJob;
use runtime::Failure;
use spotify::Client;

use super::stand_in::{Answer, error, text};
use super::{Place, id};
use crate::analysis::AudioAnalysis;

async fn failure_of(answer: Answer) -> Failure {
    let place = Place::new().await;
    place.spotify.on(&format!("/v1/audio-analysis/{}", id(1)), move |_| answer.clone());
    let handler = place.handler::<AudioAnalysis>();
    place.run(&handler, TrackAnalysisJob { track_id: id(1) }).await.unwrap_err()
}

fn pause(failure: Failure) -> Option<Duration> {
    match failure {
        Failure::Pause { budget, after, .. } if budget == "spotify" => after,
        other => panic!("{other:?} is no pause"),
    }
}

#[tokio::test]
async fn throttling_pauses_everyone_for_as_long_as_asked() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(pause(failure_of(error(429, "slow down").retry_after("86236")).await), seconds(86_236));
    assert_eq!(pause(failure_of(error(429, "slow down")).await), None);
    assert_eq!(pause(failure_of(error(429, "slow down").retry_after("31536000")).await), seconds(86_400));
    assert_eq!(pause(failure_of(error(429, "slow down").retry_after("soon")).await), None);
    let date = error(429, "slow down").retry_after("Tue, 01 Jan 2999 00:00:00 GMT");
    assert_eq!(pause(failure_of(date).await), seconds(86_400));
    let quota = r#"{"error": {"status": 429, "message": "Quota", "reason": "QUOTA_EXCEEDED"}}"#;
    assert_eq!(pause(failure_of(text(429, quota).retry_after("60")).await), seconds(60));
}

#[tokio::test]
async fn a_missing_sign_in_is_this_process_s_own_and_names_the_way_out() {
    let place = Place::new().await;
    let nobody = model::settings::SpotifySettings { client_secret: None, ..place.spotify.settings() };
    let handler = AudioAnalysis::new(&Client::new(&nobody, None).unwrap(), place.store.clone());
    let failure = place.run(&handler, TrackAnalysisJob { track_id: id(1) }).await.unwrap_err();
    assert!(failure.to_string().contains("spotifai login"), "{failure}");
    assert!(matches!(failure, Failure::Decline { .. }), "{failure:?}");
    let refused = failure_of(error(401, "Invalid access token")).await;
    assert!(matches!(refused, Failure::Decline { .. }), "{refused:?}");
}

#[tokio::test]
async fn trouble_is_tried_again() {
    let after = Some(Duration::from_secs(5));
    assert!(matches!(failure_of(text(503, "").retry_after("5")).await, Failure::Retry { after: a, .. } if a == after));
    assert!(matches!(failure_of(text(502, "<html>")).await, Failure::Retry { after: None, .. }));
    assert!(matches!(failure_of(text(200, "<html>")).await, Failure::Retry { after: None, .. }));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_dead() {
    assert!(matches!(failure_of(error(400, "invalid id")).await, Failure::Dead { .. }));
}
