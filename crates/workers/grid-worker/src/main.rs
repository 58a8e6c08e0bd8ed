//! The program `grid-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::main("grid-worker", "Fits and scores the settings of grid searches", grid_worker::add_to)
}
