//! The binary `lastfm-worker`.

fn main() -> std::process::ExitCode {
    worker::main("lastfm-worker", "Looks up the tags of tracks on last.fm", lastfm_worker::add_to)
}
