"""The pitch step as the original study did it, in pandas: what `features::pitches` has to equal."""

from math import floor

import pandas as pd

CLASSES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
STEPS = 100


def pitch_columns(segments):
    """`segments`: the list of an audio-analysis document. Returns 1,224 floats: C_0 ... B_99, C_max, C_min ... B_min."""
    starts = [segment["start"] for segment in segments]
    raw = pd.DataFrame([segment["pitches"] for segment in segments], columns=CLASSES, dtype="float64")
    raw.index = pd.to_timedelta(starts, unit="s")
    resampled = raw.resample(f"{floor(starts[-1] * 10)}ms").mean().interpolate("linear")[:STEPS]
    if len(resampled) < STEPS:
        raise ValueError("too_short")
    values = [value for name in CLASSES for value in resampled[name].tolist()]
    for name in CLASSES:
        values += [float(raw[name].max()), float(raw[name].min())]
    return values
