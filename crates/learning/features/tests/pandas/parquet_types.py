"""Writes Parquet files with a column `odd` of each type that pyarrow knows, for `tests/like_pandas.rs`.

    python parquet_types.py FOLDER    writes FOLDER/TYPE.parquet and FOLDER/types.json: the numbers of `odd`, null where it has none
"""

import datetime
import decimal
import json
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
rows = 30
day = datetime.datetime(2026, 11, 30)
values = [value % 7 for value in range(rows)]

readable = {
    "bool": pa.array([value > 3 for value in values]),
    "int8": pa.array(values, pa.int8()),
    "uint16": pa.array(values, pa.uint16()),
    "int64": pa.array([2**53 + value for value in values], pa.int64()),
    "uint64": pa.array([2**64 - 1 - value for value in values], pa.uint64()),
    "float32": pa.array([value / 3 for value in values], pa.float32()),
    "float64": pa.array([value / 3 for value in values], pa.float64()),
    "dictionary_of_int": pa.array(values, pa.int32()).dictionary_encode(),
}
unreadable = {
    "date32": pa.array([day.date()] * rows, pa.date32()),
    "date64": pa.array([day.date()] * rows, pa.date64()),
    "timestamp_s": pa.array([day] * rows, pa.timestamp("s")),
    "timestamp_us": pa.array([day] * rows, pa.timestamp("us")),
    "timestamp_ns_utc": pa.array([day] * rows, pa.timestamp("ns", tz="UTC")),
    "time32": pa.array([day.time()] * rows, pa.time32("ms")),
    "time64": pa.array([day.time()] * rows, pa.time64("us")),
    "duration": pa.array([datetime.timedelta(1)] * rows, pa.duration("us")),
    "decimal128": pa.array([decimal.Decimal("1.50")] * rows, pa.decimal128(9, 2)),
    "decimal256": pa.array([decimal.Decimal("1.50")] * rows, pa.decimal256(50, 2)),
    "float16": pa.array(np.array(values, dtype=np.float16)),
    "binary": pa.array([b"x"] * rows, pa.binary()),
    "large_binary": pa.array([b"x"] * rows, pa.large_binary()),
    "fixed_binary": pa.array([b"xy"] * rows, pa.binary(2)),
    "list": pa.array([[1, 2]] * rows),
    "large_list": pa.array([[1, 2]] * rows, pa.large_list(pa.int64())),
    "fixed_list": pa.array([[1, 2]] * rows, pa.list_(pa.int64(), 2)),
    "list_of_texts": pa.array([["x", "y"], [], None] * (rows // 3)),
    "list_of_dates": pa.array([[day.date()]] * rows, pa.list_(pa.date32())),
    "struct": pa.array([{"a": 1, "b": day.date()}] * rows),
    "map": pa.array([[("a", 1)]] * rows, pa.map_(pa.string(), pa.int64())),
    "string": pa.array(["x"] * rows),
    "large_string": pa.array(["x"] * rows, pa.large_string()),
    "category": pa.array(["x", "y"] * (rows // 2)).dictionary_encode(),
    "null": pa.nulls(rows),
    "no_numbers": pa.array([None] * rows, pa.float64()),
}

numbers = {}
for name, odd in {**readable, **unreadable}.items():
    table = pa.table(
        {
            "track_id": [f"t{row:03}" for row in range(rows)],
            "odd": odd,
            " label:jazz ": [row % 2 for row in range(rows)],
            "tempo": [90 + row * 37 % 50 for row in range(rows)],
        }
    )
    pq.write_table(table, folder / f"{name}.parquet")
    numbers[name] = [float(value) for value in odd.to_pylist()] if name in readable else None
(folder / "types.json").write_text(json.dumps(numbers))
