//! The program `grid-worker`.

fn main() -> std::process::ExitCode {
    host::main::<grid_worker::GridWorker>()
}
