"""Computes real_near.json with scikit-learn 1.9 on real tables: python real_near.py FOLDER_WITH_TABLES > real_near.json

Where rounding decides, scikit-learn leaves a row's labels open, and the row is counted as `open`: a neighbour that is
just not among the nearest is as far away as the last of them, or lies on the radius, or would be an exact hit if its
distance were not computed through a square; a vote is a tie, or a ridge value 0.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors, RadiusNeighborsClassifier
from sklearn.utils.class_weight import compute_sample_weight

from tables import folds, strusz, yeast

KNN = [
    {"n_neighbors": k, "weights": weights, **metric}
    for weights in ["uniform", "distance"]
    for k, metric in [
        (1, {}),
        (5, {"metric": "euclidean", "algorithm": "kd_tree", "leaf_size": 1}),
        (15, {"metric": "euclidean", "algorithm": "brute"}),
        (3, {"metric": "manhattan", "algorithm": "ball_tree", "leaf_size": 3}),
        (5, {"metric": "manhattan", "p": 4}),
        (15, {"metric": "manhattan", "algorithm": "kd_tree"}),
        (3, {"metric": "cosine"}),
        (5, {"metric": "cosine", "algorithm": "brute", "leaf_size": 3}),
        (15, {"metric": "cosine", "p": 1}),
        (5, {"metric": "minkowski", "p": 1}),
        (5, {"metric": "minkowski", "p": 1.5, "algorithm": "ball_tree"}),
        (5, {"metric": "minkowski", "p": 3}),
        (7, {"p": 4, "algorithm": "kd_tree"}),
    ]
]
# Radius by table: neighbours of few, some and most rows.
RADIUS = [
    {"weights": weights, "radius": radius, **metric}
    for weights in ["uniform", "distance"]
    for radius, metric in [
        ({"strusz": 0.8, "yeast": 7.0}, {"outlier_label": "most_frequent"}),
        ({"strusz": 2.0, "yeast": 10.0}, {"outlier_label": "most_frequent", "algorithm": "kd_tree", "leaf_size": 3}),
        ({"strusz": 1.0, "yeast": 8.0}, {"metric": "euclidean", "algorithm": "ball_tree"}),
        ({"strusz": 40.0, "yeast": 60.0}, {"metric": "euclidean", "algorithm": "brute"}),
        ({"strusz": 3.0, "yeast": 60.0}, {"outlier_label": "most_frequent", "metric": "manhattan"}),
        ({"strusz": 5.0, "yeast": 80.0}, {"outlier_label": "most_frequent", "metric": "manhattan", "leaf_size": 1}),
        ({"strusz": 0.1, "yeast": 0.4}, {"outlier_label": "most_frequent", "metric": "cosine"}),
        ({"strusz": 0.4, "yeast": 0.7}, {"outlier_label": "most_frequent", "metric": "cosine", "algorithm": "brute"}),
        ({"strusz": 4.0, "yeast": 70.0}, {"outlier_label": "most_frequent", "p": 1}),
        ({"strusz": 1.2, "yeast": 5.5}, {"outlier_label": "most_frequent", "p": 3}),
    ]
]
RIDGE = [
    {"alpha": alpha, "fit_intercept": fit_intercept, "class_weight": class_weight}
    for fit_intercept in [True, False]
    for class_weight in [None, "balanced"]
    for alpha in [1e-3, 0.1, 1.0, 10.0, 100.0, 1e4]
]


def squared(params):
    """Whether distances are computed through an expanded square, so that those of equal rows are not 0."""
    metric = params.get("metric", "minkowski")
    return metric == "cosine" or params.get("algorithm") == "brute" and metric == "euclidean"


def score(case, truth, predicted, is_open):
    case["right"].append(int((predicted == truth).all(axis=1).sum()))
    case["open"].append(int(is_open.sum()))
    case["f1_micro"].append(f1_score(truth, predicted, average="micro", zero_division=0))
    case["f1_macro"].append(f1_score(truth, predicted, average="macro", zero_division=0))


def empty(params):
    return {"params": params, "right": [], "open": [], "f1_micro": [], "f1_macro": []}


def knn(x, y):
    cases = []
    for params in KNN:
        case = empty(params)
        for train, of_train, validation, truth in folds(x, y):
            model = KNeighborsClassifier(**params).fit(train, of_train)
            distances, _ = model.kneighbors(validation, params["n_neighbors"] + 1)
            is_open = distances[:, -1] - distances[:, -2] <= 1e-9
            if squared(params) and params["weights"] == "distance":
                is_open |= distances[:, 0] < 1e-6
            score(case, truth, model.predict(validation), is_open)
        cases.append(case)
    return cases


def radius(x, y, table):
    cases = []
    for params in RADIUS:
        params = params | {"radius": params["radius"][table]}
        case = empty(params)
        for train, of_train, validation, truth in folds(x, y):
            model = RadiusNeighborsClassifier(**params).fit(train, of_train)
            try:
                predicted = model.predict(validation)
            except ValueError:  # rows without neighbours
                case["right"].append(None)
                case["open"].append(0)
                case["f1_micro"].append(None)
                case["f1_macro"].append(None)
                continue
            metric = {key: params[key] for key in ["metric", "p"] if key in params}
            distances, _ = NearestNeighbors(**metric).fit(train).kneighbors(validation, len(train))
            is_open = (np.abs(distances - params["radius"]) < 1e-9).any(axis=1)
            if params["weights"] == "distance":
                for p in model.predict_proba(validation):
                    is_open |= (np.abs(p - 0.5) < 1e-9).any(axis=1)
                if squared(params):
                    is_open |= distances[:, 0] < 1e-6
            score(case, truth, predicted, is_open)
        cases.append(case)
    return cases


def weights_of_fold(y, fold):
    n = len(y) - int(np.ceil(0.3 * len(y)))
    train, _ = list(KFold(5).split(y[:n]))[fold]
    return compute_sample_weight("balanced", y[:n])[train]


def ridge(x, y):
    cases = []
    for params in RIDGE:
        case = empty(params)
        for fold, (train, of_train, validation, truth) in enumerate(folds(x, y)):
            # The protocol balances once, over all training rows.
            weights = weights_of_fold(y, fold) if params["class_weight"] else None
            model = RidgeClassifier(**(params | {"class_weight": None})).fit(train, of_train, sample_weight=weights)
            is_open = (np.abs(model.decision_function(validation)) < 1e-9).any(axis=1)
            score(case, truth, model.predict(validation), is_open)
        cases.append(case)
    return cases


def main():
    folder = Path(sys.argv[1])
    reference = {}
    for name, table in [("strusz", strusz), ("yeast", yeast)]:
        x, y, labels = table(folder)
        cases = {"knn": knn(x, y), "radius": radius(x, y, name), "ridge": ridge(x, y)}
        reference[name] = {"rows": len(x), "labels": labels} | cases
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
