//! `spotifai pitches`.

use anyhow::{Context, anyhow};
use model::audio::pitch_columns;

use crate::args::{PitchesArgs, PitchesFormat};
use crate::output::say;

/// Prints the 1,224 pitch columns of a document.
pub fn run(command: &PitchesArgs) -> anyhow::Result<()> {
    let file = command.file.display();
    let bytes = std::fs::read(&command.file).with_context(|| format!("cannot read {file}"))?;
    let analysis = spotify::read_analysis(&bytes).with_context(|| format!("{file} is no audio analysis"))?;
    let values = features::pitches(&analysis.segments)
        .map_err(|reason| anyhow!("{file} makes no pitch columns: {}: {reason}", reason.as_str()))?;
    let columns = pitch_columns();
    match command.format {
        PitchesFormat::Json => {
            let fields: Vec<String> =
                columns.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value:?}")).collect();
            say(&format!("{{{}}}", fields.join(",")))
        }
        PitchesFormat::Csv => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            say(&format!("{}\n{}", columns.join(","), values.join(",")))
        }
    }
}
