//! The program `pitch-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::main("pitch-worker", "Resamples the segments of audio analyses to pitch columns", pitch_worker::add_to)
}
