"""Computes real.json with scikit-learn 1.9 on real tables: python real.py FOLDER_WITH_TABLES > real.json

The rows stay in the order of the file: the first 70 % are the training rows, cut by KFold(5). Where the neighbour that
is just not among the nearest is as far away as the last of them, scikit-learn leaves open which one counts; such rows
are counted as `open`.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

SCALARS = [
    "Duration (ms)", "Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness",
    "Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature",
]  # fmt: skip
TREES = [{}, {"max_features": "sqrt", "min_samples_leaf": 5}, {"splitter": "random", "max_depth": 12}]
SEEDS = 20


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


def folds(x, y):
    n = len(x) - int(np.ceil(0.3 * len(x)))
    x = StandardScaler().fit_transform(x[:n])
    for train, validation in KFold(5).split(x):
        yield x[train], y[:n][train], x[validation], y[:n][validation]


def knn(x, y):
    cases = []
    for metric in ["euclidean", "manhattan", "cosine"]:
        for weights in ["uniform", "distance"]:
            for k in [3, 5, 15]:
                params = {"n_neighbors": k, "weights": weights, "metric": metric}
                algorithm = "brute" if metric == "cosine" else "kd_tree"
                case = {"params": params, "right": [], "open": [], "f1_micro": [], "f1_macro": []}
                for train, of_train, validation, truth in folds(x, y):
                    model = KNeighborsClassifier(**params, algorithm=algorithm).fit(train, of_train)
                    predicted = model.predict(validation)
                    distances, _ = model.kneighbors(validation, k + 1)
                    is_open = distances[:, k] - distances[:, k - 1] <= 1e-9
                    if metric == "cosine" and weights == "distance":
                        is_open |= distances[:, 0] < 1e-9  # a rounding error away from an exact hit
                    case["right"].append(int((predicted == truth).all(axis=1).sum()))
                    case["open"].append(int(is_open.sum()))
                    case["f1_micro"].append(f1_score(truth, predicted, average="micro", zero_division=0))
                    case["f1_macro"].append(f1_score(truth, predicted, average="macro", zero_division=0))
                cases.append(case)
    return cases


def trees(x, y):
    """Mean subset accuracy over the folds for each random state."""

    def accuracy(params, seed):
        scores = []
        for train, of_train, validation, truth in folds(x, y):
            model = DecisionTreeClassifier(random_state=seed, **params).fit(train, of_train)
            scores.append((model.predict(validation) == truth).all(axis=1).mean())
        return float(np.mean(scores))

    return [{"params": params, "accuracies": [accuracy(params, seed) for seed in range(SEEDS)]} for params in TREES]


def main():
    folder = Path(sys.argv[1])
    reference = {}
    for name, table in [("strusz", strusz), ("yeast", yeast)]:
        x, y, labels = table(folder)
        reference[name] = {"rows": len(x), "labels": labels, "knn": knn(x, y), "trees": trees(x, y)}
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
