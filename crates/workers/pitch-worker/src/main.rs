//! The program `pitch-worker`.

fn main() -> std::process::ExitCode {
    host::main::<pitch_worker::PitchWorker>()
}
