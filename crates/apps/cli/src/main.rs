//! The executable `spotifai`.

fn main() -> std::process::ExitCode {
    cli::main(cli::PROGRAMS)
}
