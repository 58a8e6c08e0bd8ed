//! The program `lastfm-worker`.

fn main() -> std::process::ExitCode {
    host::main::<lastfm_worker::LastfmWorker>()
}
