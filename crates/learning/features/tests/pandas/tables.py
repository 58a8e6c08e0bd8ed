"""Reads the tables that `tests/like_pandas.rs` wrote, as a user of pandas would read them once told how each is laid out.

    python tables.py FOLDER    reads FOLDER/cases.json and the tables beside it, writes FOLDER/read.json
"""

import json
import math
import pathlib
import sys

import pandas as pd
from pandas._libs.parsers import STR_NA_VALUES

folder = pathlib.Path(sys.argv[1])


def number(value):
    value = float(value)
    return None if math.isnan(value) else value


def numbers(typed, text, decimal):
    """The column as pandas typed it; where blanks or missing truths kept it from being typed, its stripped texts typed."""
    if not pd.api.types.is_numeric_dtype(typed):
        words = text.str.strip()
        words = words.where(~words.isin(STR_NA_VALUES))
        truths = words.str.lower().map({"true": 1.0, "false": 0.0})
        if truths.notna().equals(words.notna()):
            typed = truths
        else:
            # Not pandas' to_numeric, which may miss the nearest number by the last bit.
            typed = words.str.replace(decimal, ".", regex=False).map(float)
    return [number(value) for value in typed]


read = []
for case in json.loads((folder / "cases.json").read_text()):
    layout = {
        "sep": case["separator"],
        "encoding": case["encoding"],
        "skipinitialspace": case["blank_after_separator"],
        "compression": "gzip" if case["gzip"] else None,
    }
    path = folder / case["file"]
    typed = pd.read_csv(path, decimal=case["decimal"], float_precision="round_trip", **layout)
    texts = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[], **layout).fillna("")
    # pandas names a column itself if it has no name at all, not if that is a blank.
    names = [name.strip() or f"Unnamed: {place}" for place, name in enumerate(texts.columns)]
    typed.columns = texts.columns = names
    columns = {}
    for name in texts.columns:
        if name in case["texts"]:
            columns[name] = [text.strip() for text in texts[name]]
        else:
            columns[name] = numbers(typed[name], texts[name], case["decimal"])
    read.append({"rows": len(typed), "names": list(texts.columns), "columns": columns})
(folder / "read.json").write_text(json.dumps(read))
