"""Computes real_mlp.json with scikit-learn 1.9 on real tables: python real_mlp.py FOLDER_WITH_TABLES > real_mlp.json

Settings that cover the parameters of networks, most of them small and stopped early. Takes about two minutes on one
core.
"""

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from seeds import write

SMALL = {"hidden_layer_sizes": [20], "max_iter": 15}
LBFGS = {"hidden_layer_sizes": [12], "solver": "lbfgs", "max_iter": 30}


def settings(labels):
    return [
        {"max_iter": 20},
        SMALL,
        {**SMALL, "hidden_layer_sizes": 8},
        {**SMALL, "hidden_layer_sizes": [24, 12]},
        {**SMALL, "hidden_layer_sizes": [16, 16, 16], "activation": "tanh"},
        {**SMALL, "hidden_layer_sizes": [], "learning_rate_init": 0.01},
        {**SMALL, "activation": "identity"},
        {**SMALL, "activation": "logistic", "learning_rate_init": 0.01},
        {**SMALL, "activation": "tanh"},
        {**SMALL, "alpha": 0.0},
        {**SMALL, "alpha": 2.0},
        {**SMALL, "batch_size": 50},
        {**SMALL, "batch_size": 10_000, "learning_rate_init": 0.03, "max_iter": 40},
        {**SMALL, "learning_rate_init": 0.01, "max_iter": 100},
        {**SMALL, "learning_rate_init": 0.01, "tol": 0.02, "n_iter_no_change": 2, "max_iter": 100},
        {**SMALL, "tol": 0.1, "n_iter_no_change": 3, "max_iter": 100},
        {**SMALL, "shuffle": False},
        {**SMALL, "beta_1": 0.3},
        {**SMALL, "beta_2": 0.8},
        {**SMALL, "epsilon": 0.01},
        LBFGS,
        {**LBFGS, "activation": "tanh", "hidden_layer_sizes": [10, 10]},
        {**LBFGS, "activation": "logistic", "alpha": 1.0},
        {**LBFGS, "max_fun": 12},
        {**LBFGS, "tol": 0.05, "max_iter": 200},
    ]


# Most settings are stopped before they have converged.
warnings.simplefilter("ignore", ConvergenceWarning)
write({"mlp": (MLPClassifier, settings)})
