"""Computes mlp.json with scikit-learn 1.9: python mlp.py > mlp.json

`scores`: for each setting subset accuracy, micro F1 and macro F1 on test rows for 20 random states. `exact`: first
weights of a small network and the losses that scikit-learn comes to from them, without shuffling.
"""

import json
import sys
import warnings

import numpy as np
import scipy.optimize
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neural_network import MLPClassifier

from data import dataset

SEED, N, D, Q, TRAIN = 51, 400, 8, 3, 280
SEEDS = 20
SMALL = {"hidden_layer_sizes": [12]}
SETTINGS = [
    {},
    {"hidden_layer_sizes": 20},
    {"hidden_layer_sizes": [16, 8]},
    {"hidden_layer_sizes": [], "learning_rate_init": 0.01},
    {**SMALL, "activation": "identity"},
    {**SMALL, "activation": "logistic"},
    {**SMALL, "activation": "tanh"},
    {**SMALL, "alpha": 0.0},
    {**SMALL, "alpha": 3.0},
    {**SMALL, "batch_size": 32},
    {**SMALL, "batch_size": 1000, "learning_rate_init": 0.01},
    {**SMALL, "learning_rate_init": 0.1},
    {**SMALL, "learning_rate_init": 0.01, "max_iter": 20},
    {**SMALL, "learning_rate_init": 0.01, "tol": 0.01},
    {**SMALL, "learning_rate_init": 0.03, "tol": 0.01, "n_iter_no_change": 2},
    {**SMALL, "beta_1": 0.3},
    {**SMALL, "beta_2": 0.8},
    {**SMALL, "epsilon": 0.1},
    {**SMALL, "shuffle": False, "learning_rate_init": 0.01},
    {**SMALL, "solver": "lbfgs"},
    {**SMALL, "solver": "lbfgs", "activation": "logistic", "max_iter": 20},
    {"hidden_layer_sizes": [10, 6], "solver": "lbfgs", "activation": "tanh"},
    {**SMALL, "solver": "lbfgs", "alpha": 1.0},
    {**SMALL, "solver": "lbfgs", "max_fun": 9},
    {**SMALL, "solver": "lbfgs", "tol": 0.05},
]  # fmt: skip


def scores(x, y):
    cases = []
    for params in SETTINGS:
        case = {"params": params, "accuracy": [], "f1_micro": [], "f1_macro": []}
        for seed in range(SEEDS):
            model = MLPClassifier(random_state=seed, **params).fit(x[:TRAIN], y[:TRAIN])
            predicted, truth = model.predict(x[TRAIN:]), y[TRAIN:]
            case["accuracy"].append(round(accuracy_score(truth, predicted), 6))
            case["f1_micro"].append(round(f1_score(truth, predicted, average="micro", zero_division=0), 6))
            case["f1_macro"].append(round(f1_score(truth, predicted, average="macro", zero_division=0), 6))
        cases.append(case)
    return cases


def flat(model):
    return np.hstack([of.ravel() for of in model.coefs_ + model.intercepts_])


def first_weights(params, x, y):
    """The weights before the first step: a step too small to be seen is taken instead."""
    model = MLPClassifier(random_state=3, **{**params, "solver": "adam", "learning_rate_init": 1e-300, "max_iter": 1})
    return flat(model.fit(x, y))


def exact():
    """Losses of each epoch with adam, at the start and after each iteration with lbfgs, on rows of a plain formula."""
    x = np.array([[(7 * i + 13 * j + 5 * i * j) % 17 / 8 - 1 for j in range(8)] for i in range(60)])
    y = (x[:, :3] + 0.5 * x[:, 1:4] > 0.2).astype(int)
    adam = {"hidden_layer_sizes": [4], "activation": "tanh", "batch_size": 25, "shuffle": False}
    adam |= {"learning_rate_init": 0.02, "max_iter": 30, "alpha": 0.01}
    model = MLPClassifier(random_state=3, **adam).fit(x, y)
    cases = [{"params": adam, "first": first_weights(adam, x, y).tolist(), "losses": model.loss_curve_}]
    for activation in ["relu", "logistic"]:
        lbfgs = {"hidden_layer_sizes": [4], "activation": activation, "solver": "lbfgs", "alpha": 0.01, "max_iter": 25}
        losses, minimize = [], scipy.optimize.minimize

        def watched(fun, x0, args=(), **options):
            losses.append(fun(x0, *args)[0])
            return minimize(fun, x0, args=args, callback=lambda x: losses.append(fun(x, *args)[0]), **options)

        scipy.optimize.minimize = watched
        MLPClassifier(random_state=3, **lbfgs).fit(x, y)
        scipy.optimize.minimize = minimize
        cases.append({"params": lbfgs, "first": first_weights(lbfgs, x, y).tolist(), "losses": losses})
    for case in cases:
        case["losses"] = [round(float(loss), 9) for loss in case["losses"]]
    return cases


def main():
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    warnings.filterwarnings("ignore", message="Got `batch_size`")
    x, y = dataset(SEED, N, D, Q)
    reference = {"scikit-learn": sklearn.__version__, "scores": scores(x, y), "exact": exact()}
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
