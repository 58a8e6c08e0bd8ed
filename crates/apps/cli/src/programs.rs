//! The worker programs, and the kinds of job that they run: whatever lists either reads this.

use std::sync::OnceLock;

use grid_worker::GridWorker;
use host::Program;
use lastfm_worker::LastfmWorker;
use model::job::Kind;
use model::settings::Settings;
use pitch_worker::PitchWorker;
use playlist_worker::PlaylistWorker;
use runtime::Budget;

/// In the order of the way of the data.
pub const PROGRAMS: &[Program] = &[
    Program::of::<PlaylistWorker>(),
    Program::of::<LastfmWorker>(),
    Program::of::<PitchWorker>(),
    Program::of::<GridWorker>(),
];

/// All programs together, as `spotifai worker` calls them.
pub const ALL: &str = "all";

/// What ends the name of every worker program.
const SUFFIX: &str = "-worker";

static OF_PROCESS: OnceLock<&'static [Program]> = OnceLock::new();

/// Sets the programs of this process; those of a program with more of them than [`PROGRAMS`].
pub fn set(programs: &'static [Program]) {
    let _ = OF_PROCESS.set(programs);
}

/// The programs.
pub fn programs() -> &'static [Program] {
    OF_PROCESS.get().copied().unwrap_or(PROGRAMS)
}

/// The name of a program as `spotifai worker` takes it.
pub fn short(program: &Program) -> &'static str {
    program.name.strip_suffix(SUFFIX).unwrap_or(program.name)
}

/// Every kind of job, in the order of the way of the data.
pub fn kinds() -> Vec<Kind> {
    programs().iter().flat_map(Program::kinds).collect()
}

/// The names of the kinds.
pub fn names() -> Vec<&'static str> {
    kinds().iter().map(|kind| kind.name).collect()
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<Kind> {
    kinds().into_iter().find(|kind| kind.name == name)
}

/// The rate budgets that this machine's workers spend.
pub fn budgets(settings: &Settings) -> Vec<Budget> {
    programs().iter().flat_map(|program| program.budgets(settings)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_kind_is_run_by_the_worker_that_its_type_names_and_by_no_other() {
        for program in PROGRAMS {
            for kind in program.kinds() {
                assert_eq!(kind.worker, program.name, "{}", kind.name);
            }
        }
        assert_eq!(names().iter().collect::<BTreeSet<_>>().len(), names().len());
    }

    #[test]
    fn every_budget_that_a_kind_pays_from_is_declared() {
        let declared: BTreeSet<_> = budgets(&Settings::default()).iter().map(|budget| budget.name).collect();
        for kind in kinds() {
            assert!(kind.budgets.iter().all(|budget| declared.contains(budget)), "{}", kind.name);
        }
    }
}
