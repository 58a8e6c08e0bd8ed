"""Computes corners.json with scikit-learn 1.9 on data that is out of the ordinary: python corners.py > corners.json

For each case subset accuracy, micro F1 and number of leaves over 20 random states: means and their standard errors.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from data import dataset

SEED, N, D, Q, TRAIN = 71, 300, 8, 3, 200
SEEDS = 20
FAMILIES = {
    "tree": DecisionTreeClassifier,
    "extra_tree": ExtraTreeClassifier,
    "extra_trees": ExtraTreesClassifier,
    "random_forest": RandomForestClassifier,
}


def data(kind):
    """The generated data with one thing changed, in training rows and others."""
    x, y = dataset(SEED, N, D, Q)
    if kind == "constant columns":
        x[:, 1] = 0.25
        x[:, 4] = np.where(x[:, 4] > 0, 0.5, 0.5 + 5e-8)
    if kind == "one column varies":
        x[:, 1:] = -3.0
    if kind == "nothing varies":
        x[:] = 7.0
    if kind == "repeated rows":
        # Every row of features four times, with different labels.
        x = x[np.arange(N) // 4 * 4]
    if kind == "few values":
        x = np.floor(x * 2)
    if kind == "one label":
        y = y[:, :1]
    if kind == "labels of all and none":
        y[:, 0] = 1
        y[:, 2] = 0
    return x, y


def settings():
    nothing_of_label = [{"0": 1.0, "1": 0.0}, {}, {"0": 0.5}]
    for kind in ["constant columns", "one column varies", "repeated rows", "few values", "one label"]:
        for family in FAMILIES:
            forest = {"n_estimators": 5} if family in ["extra_trees", "random_forest"] else {}
            yield kind, family, forest
            yield kind, family, forest | {"max_features": 4, "min_samples_leaf": 0.02}
            yield kind, family, forest | {"class_weight": "balanced", "min_weight_fraction_leaf": 0.01}
            yield kind, family, forest | {"max_leaf_nodes": 12, "criterion": "entropy"}
            if family in ["extra_tree", "extra_trees"]:
                yield kind, family, forest | {"max_features": None}
                yield kind, family, forest | {"max_features": None, "min_samples_leaf": 2, "criterion": "entropy"}
    for family in FAMILIES:
        forest = {"n_estimators": 5} if family in ["extra_trees", "random_forest"] else {}
        yield "nothing varies", family, forest
        yield "labels of all and none", family, forest
        yield "labels of all and none", family, forest | {"class_weight": "balanced", "criterion": "entropy"}
        yield "as it is", family, forest | {"class_weight": nothing_of_label}
        yield "as it is", family, forest | {"class_weight": nothing_of_label, "min_samples_leaf": 0.05}
        yield "as it is", family, forest | {"class_weight": nothing_of_label, "min_weight_fraction_leaf": 0.03}
        if family in ["extra_tree", "extra_trees"]:
            yield "as it is", family, forest | {"max_features": None, "class_weight": nothing_of_label}
        yield "as it is", family, forest | {"min_samples_split": 1.0}
        yield "as it is", family, forest | {"min_samples_leaf": 0.5}
        yield "as it is", family, forest | {"min_weight_fraction_leaf": 0.5}


def leaves(model):
    """Leaves of all trees. Where rounding makes scikit-learn split rows that have the same labels, they count as one."""

    def of_tree(tree, node):
        is_pure = (tree.value[node].max(axis=1) > 1 - 1e-9).all()
        if is_pure or tree.children_left[node] < 0:
            return 1
        return of_tree(tree, tree.children_left[node]) + of_tree(tree, tree.children_right[node])

    return sum(of_tree(of.tree_, 0) for of in getattr(model, "estimators_", [model]))


def case(kind, family, params):
    x, y = data(kind)
    # One label is a column for us and a vector for scikit-learn.
    target = y[:, 0] if y.shape[1] == 1 else y
    arguments = dict(params)
    if isinstance(params.get("class_weight"), list):
        arguments["class_weight"] = [{int(c): w for c, w in of.items()} for of in params["class_weight"]]
    of_seeds = []
    for seed in range(SEEDS):
        model = FAMILIES[family](random_state=seed, **arguments).fit(x[:TRAIN], target[:TRAIN])
        predicted, truth = model.predict(x[TRAIN:]).reshape(-1, y.shape[1]), y[TRAIN:]
        f1 = f1_score(truth, predicted, average="micro" if y.shape[1] > 1 else "binary", zero_division=0)
        of_seeds.append([accuracy_score(truth, predicted), f1, leaves(model)])
    errors = np.std(of_seeds, axis=0, ddof=1) / np.sqrt(SEEDS)
    scores = {
        name: [round(float(mean), 9), round(float(error), 9)]
        for name, mean, error in zip(["accuracy", "f1_micro", "leaves"], np.mean(of_seeds, axis=0), errors)
    }
    return {"data": kind, "family": family, "params": params} | scores


reference = {"scikit-learn": sklearn.__version__, "cases": [case(*of) for of in settings()]}
json.dump(reference, sys.stdout, separators=(",", ":"))
print()
