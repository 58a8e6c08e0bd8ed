"""Times the reference on the tracks of a JSON file: prints the median over rounds of the milliseconds a track.

    python timing.py TRACKS.json ROUNDS
"""

import json
import pathlib
import statistics
import sys
import time

from reference import pitch_columns

tracks = json.loads(pathlib.Path(sys.argv[1]).read_text())
rounds = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    for segments in tracks:
        pitch_columns(segments)
    rounds.append((time.perf_counter() - begin) / len(tracks) * 1000)
print(statistics.median(rounds))
