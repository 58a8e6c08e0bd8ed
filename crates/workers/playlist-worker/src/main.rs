//! `playlist-worker`: collects from Spotify.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::main(
        "playlist-worker",
        "Collects playlists, audio features, audio analyses and artists from Spotify",
        playlist_worker::add_to,
    )
}
