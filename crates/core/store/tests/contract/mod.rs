//! What every backend of the store promises, tested through the traits alone. [`contract!`] makes a test of each of these
//! functions for one backend.

pub mod audio;
pub mod datasets;
pub mod fleet;
pub mod searches;
pub mod tags;
pub mod tracks;
mod values;

use std::sync::Arc;

use store::Store;

/// A store for one test, deleted when this is dropped.
pub trait TestStore: Sync + Sized {
    /// An empty store; `None` if the test is skipped, which has been printed then.
    fn fresh(test: &str) -> Option<Self>;
    /// Another handle to the store, as another process would have.
    fn open(&self) -> impl Future<Output = Arc<dyn Store>> + Send;
}

/// Several handles to one store.
async fn handles(test_store: &impl TestStore, n: usize) -> Vec<Arc<dyn Store>> {
    let mut handles = Vec::new();
    for _ in 0..n {
        handles.push(test_store.open().await);
    }
    handles
}

/// Ids as the methods take them.
fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

macro_rules! contract {
    ($test_store:ty) => {
        contract!($test_store, tracks {
            nothing_is_known_of_an_empty_store, tracks_come_back_sorted_and_once, artists_come_back,
            a_page_comes_with_its_tracks, pages_are_kept_apart_by_run, runs_are_updated_and_sorted_by_age, a_run_is_cancelled_once,
            two_handles_upsert_the_same_tracks,
        });
        contract!($test_store, tags {
            the_three_outcomes_are_kept_apart, tags_saved_again_replace_the_first, canonical_tags_leave_out_the_artist,
            an_empty_store_has_no_labels, the_most_frequent_tags_become_labels, ties_go_by_name,
            a_table_of_genres_is_cut_like_what_was_collected,
            excluded_tags_are_no_labels_and_no_misc, the_cut_is_what_it_is_asked_to_be, unrecognised_pages_are_accepted,
        });
        contract!($test_store, audio {
            no_features_are_not_unknown_features, an_analysis_comes_back_bit_for_bit, no_analysis_is_not_an_unknown_one,
            confidences_come_from_where_they_are, pitches_come_back_bit_for_bit, a_rejection_keeps_its_reason,
            what_is_missing_is_listed, what_some_tracks_lack_is_told_of_these_alone, audio_is_counted,
        });
        contract!($test_store, datasets { datasets_come_back, the_latest_dataset_is_the_one_built_last });
        contract!($test_store, searches {
            searches_come_back, searches_are_listed_without_their_settings, a_search_is_cancelled_and_resumed,
            finished_trials_are_told_apart_by_setting, a_large_block_is_saved_and_asked_for, the_first_result_of_a_trial_stays, trials_come_back_in_order,
            the_first_model_of_a_search_stays, two_handles_save_every_trial_once,
        });
        contract!($test_store, fleet {
            workers_are_upserted, a_kind_is_paused_until_it_is_resumed, the_first_permit_opens_now, leases_of_many_handles_never_overlap,
            a_rate_must_be_above_zero, a_blocked_budget_leases_nothing, a_block_is_never_shortened, a_closed_budget_can_be_opened,
            throttled_answers_of_one_incident_count_once, throttled_answers_in_a_row_count,
            a_good_answer_starts_the_count_anew, a_good_answer_from_before_the_block_counts_for_nothing, budgets_are_apart, capabilities_come_back, crashes_are_counted_once_each,
        });
    };
    ($test_store:ty, $family:ident { $($test:ident),* $(,)? }) => {
        mod $family {
            $(
                #[tokio::test]
                async fn $test() {
                    let name = concat!(stringify!($family), "::", stringify!($test));
                    let Some(test_store) = <$test_store as crate::contract::TestStore>::fresh(name) else { return };
                    crate::contract::$family::$test(&test_store).await;
                }
            )*
        }
    };
}
pub(crate) use contract;
