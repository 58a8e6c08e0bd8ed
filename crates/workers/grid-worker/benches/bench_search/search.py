"""scikit-learn's side of `cargo xtask bench search`.

    search.py tables DATA ASKED RESULTS MINUTES
    search.py single DATA FAMILY PARAMETERS SEED

DATA is a folder with the scaled training rows: x.f64 (row-major, little-endian), y.u8 (0 or 1) and shape.json.

`tables` runs the asked fits in their order, two at a time as `GridSearchCV(n_jobs=2)` runs them, each on a single fold,
until the minutes are used up, and adds a line to RESULTS for each. What RESULTS already has is not run again.
`single` fits once on all rows but those of the first fold and prints the seconds; of trees also how many splits a row of
the fit passes, the mean over rows and trees.
"""

import json
import os
import sys
import time

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_class_weight

FAMILIES = {
    "knn": KNeighborsClassifier,
    "tree": DecisionTreeClassifier,
    "extra_trees": ExtraTreesClassifier,
    "random_forest": RandomForestClassifier,
    "mlp": MLPClassifier,
}


def data(folder):
    with open(os.path.join(folder, "shape.json")) as file:
        shape = json.load(file)
    x = np.fromfile(os.path.join(folder, "x.f64"), "<f8").reshape(shape["rows"], shape["features"])
    y = np.fromfile(os.path.join(folder, "y.u8"), "u1").reshape(shape["rows"], shape["labels"]).astype(int)
    return x, y


def python_of(params, y):
    """The parameters as scikit-learn takes them; balanced weights are those of all training rows."""
    params = dict(params)
    if params.get("class_weight") == "balanced":
        params["class_weight"] = [
            dict(zip(np.unique(label).tolist(), compute_class_weight("balanced", classes=np.unique(label), y=label)))
            for label in y.T
        ]
    if "hidden_layer_sizes" in params:
        params["hidden_layer_sizes"] = tuple(params["hidden_layer_sizes"])
    return params


def lines(path):
    """The whole lines of a file; a killed run may have left half of one."""
    if not os.path.exists(path):
        return
    with open(path) as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def tables(folder, asked, results, minutes):
    x, y = data(folder)
    with open(asked) as file:
        asked = json.load(file)
    done = list(lines(results))
    known = {json.dumps(fit["id"]) for fit in done}
    spent = sum(fit["wall"] for fit in done)
    splits = list(KFold(asked["folds"]).split(x))
    # Both of a pair are on one fold: that is what one search can run.
    waiting, warm = {}, None
    for ask in asked["fits"]:
        if json.dumps(ask["id"]) in known:
            continue
        pair = waiting.setdefault(ask["id"]["fold"], [])
        pair.append(ask)
        if len(pair) < 2:
            continue
        del waiting[ask["id"]["fold"]]
        if spent >= float(minutes) * 60:
            break
        if not warm:
            # The processes of the pool start and import what they need: no search would pay for that at every fit.
            warm = run(asked["family"], pair, next(KFold(2).split(x[:100])), x[:100], y[:100], os.devnull)
        spent += run(asked["family"], pair, splits[ask["id"]["fold"]], x, y, results)


def run(family, pair, split, x, y, results):
    """Runs two fits beside each other; the seconds that they took together."""
    grid = [{name: [value] for name, value in python_of(ask["params"], y).items()} for ask in pair]
    estimator = FAMILIES[family](**({} if family == "knn" else {"random_state": 0}))
    search = GridSearchCV(estimator, grid, cv=[split], n_jobs=2, refit=False, error_score="raise")
    began = time.perf_counter()
    found = search.fit(x, y).cv_results_
    wall = time.perf_counter() - began
    with open(results, "a") as file:
        for at, ask in enumerate(pair):
            seconds = float(found["mean_fit_time"][at] + found["mean_score_time"][at])
            accuracy = float(found["mean_test_score"][at])
            fit = {"id": ask["id"], "seconds": seconds, "wall": wall / len(pair), "accuracy": accuracy}
            file.write("\n" + json.dumps(fit) + "\n")
    return wall


def single(folder, family, params, seed):
    x, y = data(folder)
    rows = next(KFold(5).split(x))[0]
    x, y = np.ascontiguousarray(x[rows]), np.ascontiguousarray(y[rows])
    estimator = FAMILIES[family](**python_of(json.loads(params), y), random_state=int(seed))
    if family in ("extra_trees", "random_forest"):
        estimator.set_params(n_jobs=2)
    began = time.perf_counter()
    estimator.fit(x, y)
    print(time.perf_counter() - began)
    if family in ("extra_trees", "random_forest"):
        print(estimator.decision_path(x)[0].nnz / (len(x) * len(estimator.estimators_)) - 1)
    elif family == "tree":
        print(estimator.decision_path(x).nnz / len(x) - 1)


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    {"tables": tables, "single": single}[verb](*arguments)
