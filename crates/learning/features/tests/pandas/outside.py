"""Writes outside.parquet: a dataset as a pandas user would write it, with the types and the compression of pyarrow.

Made with pandas 3.1.1 and pyarrow, read by `tests/dataset_files.rs`.
"""

import pathlib

import numpy as np
import pandas as pd

rows = 12
frame = pd.DataFrame(
    {
        "energy": np.linspace(0, 1, rows),
        "label:pop": (np.arange(rows) % 2 == 0),
        "key": np.arange(rows, dtype="int8"),
        "track_id": np.arange(1000, 1000 + rows),
        "tempo": np.linspace(80, 180, rows, dtype="float32"),
        "label:jazz": (np.arange(rows) % 3 == 0).astype("uint8"),
        "artist": pd.Categorical(["one", "two", "three"] * (rows // 3)),
        "duration_ms": np.arange(rows, dtype="int64") * 1000,
        "label:folk": (np.arange(rows) % 4 == 0).astype("float64"),
        "split": ["train", "train", "test"] * (rows // 3),
    }
)
frame.to_parquet(pathlib.Path(__file__).parent / "outside.parquet", index=False)
