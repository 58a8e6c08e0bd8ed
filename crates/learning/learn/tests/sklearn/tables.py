"""Real tables as features, labels and folds. The rows stay in the order of the file: the first 70 % are the training
rows, cut by KFold(5)."""

from collections import Counter

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

SCALARS = [
    "Duration (ms)", "Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness",
    "Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature",
]  # fmt: skip


def strusz(folder):
    """13 scalars; the nine most frequent tags but rock (ties by name), and misc for rows with other tags only."""
    table = pd.read_csv(folder / "strusz_spotify_features_genres.csv")
    table = table.dropna(subset=SCALARS + ["Genres"])
    tags = [[t.strip() for t in cell.split(",") if t.strip() not in ("", "rock")] for cell in table["Genres"]]
    counts = Counter(tag for row in tags for tag in set(row))
    top = sorted(tag for tag, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:9])
    labels = sorted(top + ["misc"])
    kept = [i for i, row in enumerate(tags) if row]
    y = [[int(label in tags[i] or (label == "misc" and not set(tags[i]) & set(top))) for label in labels] for i in kept]
    return table[SCALARS].to_numpy(float)[kept], np.array(y), labels


def yeast(folder):
    """103 features and 14 labels, as they are."""
    table = pd.read_csv(folder / "river_yeast.csv.gz")
    labels = [column for column in table if column.startswith("Class")]
    return table.drop(columns=labels).to_numpy(float), table[labels].to_numpy(int), labels


def training_rows(x):
    return len(x) - int(np.ceil(0.3 * len(x)))


def balanced(y):
    """Class weights of each label by the frequencies in all training rows."""
    y = y[: training_rows(y)]
    return [dict(enumerate(compute_class_weight("balanced", classes=np.array([0, 1]), y=column))) for column in y.T]


def folds(x, y):
    n = training_rows(x)
    x = StandardScaler().fit_transform(x[:n])
    for train, validation in KFold(5).split(x):
        yield x[train], y[:n][train], x[validation], y[:n][validation]
