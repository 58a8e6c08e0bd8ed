//! The program `playlist-worker`.

fn main() -> std::process::ExitCode {
    host::main::<playlist_worker::PlaylistWorker>()
}
