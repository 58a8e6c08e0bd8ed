"""Computes reference.json with scikit-learn 1.9: python reference.py > reference.json

Trees are kept only where scikit-learn itself is deterministic: the script asserts that ten random states agree.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, f1_score, multilabel_confusion_matrix, precision_score, recall_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from data import dataset

SEED, N, D, Q, TRAIN = 11, 300, 7, 4, 210
AVERAGES = ["micro", "macro", "weighted", "samples"]


def scores(truth, predicted):
    def averages(score):
        return {a: score(truth, predicted, average=a, zero_division=0) for a in AVERAGES}

    return {
        "accuracy": accuracy_score(truth, predicted),
        "precision": averages(precision_score),
        "recall": averages(recall_score),
        "f1": averages(f1_score),
    }


def positive(probabilities, classes):
    """Column of class 1 of each label; 0 or 1 where the label has one class only."""
    return np.stack([p[:, 1] if len(c) == 2 else np.full(len(p), float(c[0])) for p, c in zip(probabilities, classes)], 1)


def bits(labels):
    return ["".join(map(str, row)) for row in labels]


def knn(x, y, train, test):
    cases = []
    for metric in ["euclidean", "manhattan", "cosine", "minkowski"]:
        for p in [1, 1.5, 2, 3, 4] if metric == "minkowski" else [2]:
            for weights in ["uniform", "distance"]:
                for k in [1, 4, 15]:
                    params = {"n_neighbors": k, "weights": weights, "metric": metric, "p": p}
                    model = KNeighborsClassifier(**params).fit(x[train], y[train])
                    probabilities = positive(model.predict_proba(x[test]), model.classes_)
                    cases.append(
                        {
                            "params": params,
                            "predicted": bits(model.predict(x[test])),
                            "probability_sums": probabilities.sum(axis=1).tolist(),
                        }
                    )
    return cases


TREES = [
    {"min_samples_leaf": 12},
    {"min_samples_leaf": 12, "criterion": "entropy"},
    {"min_samples_leaf": 12, "criterion": "log_loss"},
    {"min_samples_leaf": 0.08},
    {"min_samples_split": 40, "min_samples_leaf": 6},
    {"min_samples_split": 0.3, "min_samples_leaf": 5},
    {"max_depth": 3},
    {"max_depth": 5, "min_samples_leaf": 14},
    {"max_leaf_nodes": 7},
    {"max_leaf_nodes": 12, "min_samples_leaf": 5, "max_depth": 4},
    {"max_leaf_nodes": 9, "criterion": "entropy", "min_samples_leaf": 6},
    {"min_impurity_decrease": 0.004},
    {"min_impurity_decrease": 0.004, "max_leaf_nodes": 8},
    {"min_samples_leaf": 7, "ccp_alpha": 0.002},
    {"min_samples_leaf": 7, "ccp_alpha": 0.006},
    {"min_samples_leaf": 7, "criterion": "entropy", "ccp_alpha": 0.008},
    {"min_samples_leaf": 7, "ccp_alpha": 0.9},
    {"min_samples_leaf": 12, "class_weight": "balanced"},
    {"min_samples_leaf": 12, "class_weight": [{"0": 1.0, "1": 2.5}, {"0": 0.5, "1": 1.0}, {"1": 3.0}, {"0": 1.25}]},
    {"min_weight_fraction_leaf": 0.06},
    {"min_weight_fraction_leaf": 0.05, "class_weight": "balanced"},
    {"min_samples_leaf": 9, "class_weight": "balanced", "max_leaf_nodes": 6, "ccp_alpha": 0.003},
]


def sklearn_params(params):
    weight = params.get("class_weight")
    if isinstance(weight, list):
        return params | {"class_weight": [{int(c): w for c, w in of.items()} for of in weight]}
    return params


def trees(x, y, train, test):
    cases = []
    for params in TREES:
        fitted = [
            DecisionTreeClassifier(random_state=s, **sklearn_params(params)).fit(x[train], y[train]) for s in range(10)
        ]
        probabilities = [positive(model.predict_proba(x[test]), model.classes_) for model in fitted]
        assert all(np.allclose(p, probabilities[0], 0, 1e-12) for p in probabilities), f"{params} is not deterministic"
        cases.append(
            {
                "params": params,
                "leaves": int(fitted[0].get_n_leaves()),
                "predicted": bits(fitted[0].predict(x[test])),
                "probability_sums": probabilities[0].sum(axis=1).tolist(),
            }
        )
    return cases


RANDOM_TREES = [
    {"splitter": "random"},
    {"splitter": "random", "max_features": 0.5, "min_samples_leaf": 3},
    {"max_features": "sqrt"},
    {"max_features": "log2", "max_depth": 6, "criterion": "entropy"},
    {"max_features": 1, "max_leaf_nodes": 20},
    {"splitter": "random", "max_features": "sqrt", "class_weight": "balanced", "ccp_alpha": 0.002},
]


def random_trees(x, y):
    """Mean accuracy over five folds, for 20 random states."""
    return [
        {
            "params": params,
            "accuracies": [
                cross_val_score(
                    DecisionTreeClassifier(random_state=seed, **params), x, y, cv=KFold(5), scoring="accuracy"
                ).mean()
                for seed in range(20)
            ],
        }
        for params in RANDOM_TREES
    ]


def metrics():
    """Scores of labels with a column nobody has, one nobody is assigned, and rows without labels."""
    _, truth = dataset(21, 60, 6, 5)
    _, predicted = dataset(22, 60, 6, 5)
    truth[:, 1] = 0
    predicted[:, 2] = 0
    truth[:9] = 0
    predicted[4:12] = 0
    predicted[20:50] = truth[20:50]
    return {
        "truth": bits(truth),
        "predicted": bits(predicted),
        "scores": scores(truth, predicted),
        "confusion": multilabel_confusion_matrix(truth, predicted).reshape(-1, 4).tolist(),
    }


def scaler():
    x, _ = dataset(31, 50, 4, 1)
    x[:, 1] = 0.1
    x[:, 2] = x[:, 2] * 1e-9 + 1e6
    x[:, 3] *= 1e5
    fitted = StandardScaler().fit(x)
    return {"mean": fitted.mean_.tolist(), "scale": fitted.scale_.tolist()}


def main():
    x, y = dataset(SEED, N, D, Q)
    train, test = slice(0, TRAIN), slice(TRAIN, N)
    reference = {
        "scikit-learn": sklearn.__version__,
        "knn": knn(x, y, train, test),
        "trees": trees(x, y, train, test),
        "random_trees": random_trees(x, y),
        "metrics": metrics(),
        "scaler": scaler(),
        "folds": [[int(v[0]), int(v[-1]) + 1] for _, v in KFold(5).split(np.zeros((23, 1)))],
    }
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
