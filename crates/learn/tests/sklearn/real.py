"""Computes real.json with scikit-learn 1.9 on real tables: python real.py FOLDER_WITH_TABLES > real.json"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from tables import folds, strusz, yeast

TREES = [{}, {"max_features": "sqrt", "min_samples_leaf": 5}, {"splitter": "random", "max_depth": 12}]
SEEDS = 20


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
        reference[name] = {"rows": len(x), "labels": labels, "trees": trees(x, y)}
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
