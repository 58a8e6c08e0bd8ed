"""Computes near.json with scikit-learn 1.9 on generated data: python near.py > near.json"""

import json
import sys
import warnings

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import RadiusNeighborsClassifier

from data import dataset


def positive(probabilities, classes):
    """Column of class 1 of each label; 0 or 1 where the label has one class only."""
    return np.stack([p[:, 1] if len(c) == 2 else np.full(len(p), float(c[0])) for p, c in zip(probabilities, classes)], 1)


def bits(labels):
    return ["".join(map(str, row)) for row in labels]


RADIUS = [
    {"radius": radius, "weights": weights, **metric, "outlier_label": "most_frequent"}
    for weights in ["uniform", "distance"]
    for radius, metric in [
        (0.4, {"metric": "euclidean", "algorithm": "brute"}),
        (0.8, {"metric": "euclidean", "algorithm": "kd_tree", "leaf_size": 3}),
        (1.3, {"metric": "l2", "algorithm": "ball_tree", "leaf_size": 1}),
        (0.9, {"metric": "manhattan"}),
        (2.1, {"metric": "cityblock", "algorithm": "kd_tree"}),
        (0.1, {"metric": "cosine"}),
        (0.5, {"metric": "cosine", "algorithm": "brute"}),
        (1.5, {"p": 1}),
        (1.0, {"p": 1.5}),
        (0.0, {"p": 2}),
        (0.7, {"p": 3, "metric": "minkowski"}),
        (0.6, {"p": 4, "algorithm": "ball_tree"}),
    ]
] + [{"radius": 2.5}, {"radius": 5.0, "metric": "manhattan", "weights": "distance"}]  # fmt: skip
RADIUS_ERRORS = [{"radius": 0.4}, {"radius": 0.1, "metric": "cosine", "algorithm": "kd_tree"}]

RIDGE = [
    {"alpha": alpha, "fit_intercept": fit_intercept, "class_weight": class_weight}
    for fit_intercept in [True, False]
    for class_weight in [None, "balanced"]
    for alpha in [0.0, 1e-3, 0.1, 1.0, 30.0, 1e4]
]


def radius(x, y, train, test):
    cases = []
    for params in RADIUS:
        model = RadiusNeighborsClassifier(**params).fit(x[train], y[train])
        probabilities = positive(model.predict_proba(x[test]), model.classes_)
        predicted = bits(model.predict(x[test]))
        cases.append({"params": params, "predicted": predicted, "probability_sums": probabilities.sum(axis=1).tolist()})
    return cases


def radius_errors(x, y, train, test):
    """scikit-learn refuses these settings: rows without neighbours, a metric that the tree cannot search."""
    for params in RADIUS_ERRORS:
        try:
            RadiusNeighborsClassifier(**params).fit(x[train], y[train]).predict(x[test])
        except ValueError:
            continue
        raise AssertionError(f"{params} is no error")
    return [{"params": params} for params in RADIUS_ERRORS]


def ridge(x, y, train, test, settings):
    cases = []
    for params in settings:
        model = RidgeClassifier(**params).fit(x[train], y[train])
        decision = model.decision_function(x[test])
        cases.append({"params": params, "predicted": bits(model.predict(x[test])), "value_sums": decision.sum(axis=1).tolist()})
    return cases


def main():
    warnings.simplefilter("ignore")
    x, y = dataset(11, 300, 7, 4)
    y[:, 3] = 1  # a label that all rows have
    train, test = slice(0, 210), slice(210, 300)
    wide_x, wide_y = dataset(12, 60, 90, 3)
    of_wide = [params for params in RIDGE if params["alpha"] > 0]
    reference = {
        "radius": radius(x, y, train, test),
        "radius_errors": radius_errors(x, y, train, test),
        "ridge": ridge(x, y, train, test, RIDGE),
        "ridge_wide": ridge(wide_x, wide_y, slice(0, 45), slice(45, 60), of_wide),
    }
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
