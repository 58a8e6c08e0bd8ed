//! `spotifai pitches`.

use anyhow::{Context, anyhow};
use model::audio::pitch_columns;

use crate::args::{PitchesArgs, PitchesFormat};
use crate::output::print_line;

/// Prints the 1,224 pitch columns of an audio-analysis document.
pub fn run(command: &PitchesArgs) -> anyhow::Result<()> {
    let file = command.file.display();
    let bytes = std::fs::read(&command.file).with_context(|| format!("cannot read {file}"))?;
    let analysis = spotify::read_analysis(&bytes).with_context(|| format!("{file} is not an audio analysis"))?;
    let values = features::pitches(&analysis.segments)
        .map_err(|reason| anyhow!("no pitch columns can be computed from {file}: {}: {reason}", reason.as_str()))?;
    let columns = pitch_columns();
    match command.format {
        PitchesFormat::Json => {
            let fields: Vec<String> =
                columns.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value:?}")).collect();
            print_line(&format!("{{{}}}", fields.join(",")))
        }
        PitchesFormat::Csv => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            print_line(&format!("{}\n{}", columns.join(","), values.join(",")))
        }
    }
}
