"""Writes the numbers that `tests/pitches.rs` compares with.

    python expected.py                     -> generated.json, seeded documents with what pandas makes of them
    python expected.py AUDIO_ANALYSIS_DIR  -> real.json, what pandas makes of each real document in the folder

Made with pandas 3.1.1 and numpy 2.4.6; pandas 1.5.3 and 2.2.3 give the same to 1e-12.
"""

import json
import pathlib
import random
import sys

from reference import pitch_columns

HERE = pathlib.Path(__file__).parent
SELECTED = list(range(0, 1200, 25)) + list(range(1200, 1224, 2)) + [1, 98, 99, 1198, 1199, 1223]


def numbers(values):
    """Some columns in full, and two sums that every column takes part in."""
    weights = [(i * 37 % 101) / 101 for i in range(len(values))]
    return {
        "selected": [[i, values[i]] for i in SELECTED],
        "sum": sum(values),
        "weighted_sum": sum(w * v for w, v in zip(weights, values)),
    }


def pitches(i):
    """Twelve pitches of segment i, the same formula as in the Rust test: exact in thousandths, neighbours far apart."""
    return [(i * i * 7 + i * 131 + c * 389) % 1001 / 1000 for c in range(12)]


def contiguous(rng, count, digits, first):
    """Starts of segments of 60 ms to 600 ms, rounded as a document rounds them."""
    starts, at = [], first
    for _ in range(count):
        starts.append(round(at, digits))
        at += rng.uniform(0.06, 0.6)
    return starts


def on_edges(rng, grid, first, seconds):
    """Starts on multiples of the grid, hence many exactly on the edges of bins."""
    last = first + seconds
    ticks = sorted(rng.sample(range(1, round(seconds / grid)), 90))
    return [first] + [first + tick * grid for tick in ticks] + [last]


def documents():
    rng = random.Random(20261123)
    yield "five decimals", contiguous(rng, 300, 5, 0.0)
    yield "shifted first start", contiguous(rng, 250, 5, 0.37288)
    yield "far gaps", contiguous(rng, 40, 5, 0.0) + [60.0, 61.0, 90.5]
    yield "equal starts", sorted(contiguous(rng, 120, 1, 0.0) * 2)
    yield "whole seconds", [float(second) for second in range(0, 240, 2)]
    yield "last pitches beyond the hundredth bin", [0.0, 0.05, 9.94, 9.95, 9.99]
    yield "shortest", [0.0, 0.1]
    for first in [0.0, 0.001, 0.01, 0.07, 0.125, 0.19]:
        for grid in [0.001, 0.01]:
            for seconds in [20.0, 23.1, 50.05]:
                yield f"edges of {grid} s from {first} s over {seconds} s", on_edges(rng, grid, first, seconds)


def generated():
    full = None
    for name, starts in documents():
        values = pitch_columns([{"start": start, "pitches": pitches(i)} for i, start in enumerate(starts)])
        full = full or values
        yield {"name": name, "starts": starts, **numbers(values)}
    yield {"name": "five decimals, every column", "all": full}


def real(folder):
    for file in sorted(pathlib.Path(folder).glob("*.json")):
        document = json.loads(file.read_text())
        document = document.get("audio_analysis", document)
        yield {"name": file.name, **numbers(pitch_columns(document["segments"]))}


def write(file, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / file).write_text(f"[\n{lines}\n]\n")


if len(sys.argv) > 1:
    write("real.json", real(sys.argv[1]))
else:
    write("generated.json", generated())
