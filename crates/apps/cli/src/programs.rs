//! The worker programs and the job kinds they run. Everything that lists either starts here.

use std::sync::OnceLock;

use grid_worker::GridWorker;
use host::Program;
use lastfm_worker::LastfmWorker;
use model::job::Kind;
use model::settings::Settings;
use pitch_worker::PitchWorker;
use playlist_worker::PlaylistWorker;
use runtime::Budget;

/// The worker programs, in the order in which data passes through them.
pub const PROGRAMS: &[Program] = &[
    Program::of::<PlaylistWorker>(),
    Program::of::<LastfmWorker>(),
    Program::of::<PitchWorker>(),
    Program::of::<GridWorker>(),
];

/// The name that stands for all programs in `spotifai worker`.
pub const ALL: &str = "all";

/// The common suffix of program names.
const SUFFIX: &str = "-worker";

static INSTALLED: OnceLock<&'static [Program]> = OnceLock::new();

/// Sets the programs of this process, for executables that add their own to [`PROGRAMS`].
pub fn set(programs: &'static [Program]) {
    let _ = INSTALLED.set(programs);
}

/// The programs of this process.
pub fn programs() -> &'static [Program] {
    INSTALLED.get().copied().unwrap_or(PROGRAMS)
}

/// The name that `spotifai worker` uses for a program.
pub fn short_name(program: &Program) -> &'static str {
    program.name.strip_suffix(SUFFIX).unwrap_or(program.name)
}

/// Every job kind, in the order of the programs.
pub fn kinds() -> Vec<Kind> {
    programs().iter().flat_map(Program::kinds).collect()
}

/// The names of all job kinds.
pub fn kind_names() -> Vec<&'static str> {
    kinds().iter().map(|kind| kind.name).collect()
}

/// The job kind with this name.
pub fn kind(name: &str) -> Option<Kind> {
    kinds().into_iter().find(|kind| kind.name == name)
}

/// The rate budgets that workers on this machine draw from.
pub fn budgets(settings: &Settings) -> Vec<Budget> {
    programs().iter().flat_map(|program| program.budgets(settings)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_run_by_the_worker_it_names_and_by_no_other() {
        for program in PROGRAMS {
            for kind in program.kinds() {
                assert_eq!(kind.worker, program.name, "{}", kind.name);
            }
        }
        assert_eq!(kind_names().iter().collect::<BTreeSet<_>>().len(), kind_names().len());
    }

    #[test]
    fn every_budget_used_by_a_kind_is_declared() {
        let declared: BTreeSet<_> = budgets(&Settings::default()).iter().map(|budget| budget.name).collect();
        for kind in kinds() {
            assert!(kind.budgets.iter().all(|budget| declared.contains(budget)), "{}", kind.name);
        }
    }
}
