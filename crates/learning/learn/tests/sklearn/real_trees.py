"""Computes real_trees.json with scikit-learn 1.9 on real tables: python real_trees.py FOLDER_WITH_TABLES > real_trees.json

For every family of trees, settings that cover its parameters. Takes about seven minutes on one core.
"""

from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from seeds import write


def whole(labels):
    return [{"0": 1, "1": 1 + k % 3} for k in range(labels)]


def uneven(labels):
    return [{"0": 1.0, "1": 1.0 + 0.3 * (k % 4)} for k in range(labels)]


def tree(labels):
    return [
        {},
        {"criterion": "entropy"},
        {"criterion": "log_loss", "splitter": "random"},
        {"splitter": "random"},
        {"max_depth": 5},
        {"max_depth": 3, "criterion": "entropy"},
        {"max_depth": 10, "splitter": "random"},
        {"min_samples_split": 40},
        {"min_samples_split": 0.05, "max_features": "sqrt"},
        {"min_samples_leaf": 10},
        {"min_samples_leaf": 0.01, "splitter": "random"},
        {"min_weight_fraction_leaf": 0.01},
        {"min_weight_fraction_leaf": 1e-4, "class_weight": "balanced"},
        {"min_weight_fraction_leaf": 0.003, "class_weight": "balanced", "splitter": "random"},
        {"max_features": "sqrt", "min_samples_leaf": 5},
        {"max_features": "log2"},
        {"max_features": 3, "max_depth": 8},
        {"max_features": 0.5, "criterion": "entropy"},
        {"max_leaf_nodes": 30},
        {"max_leaf_nodes": 100, "max_depth": 8, "splitter": "random"},
        {"min_impurity_decrease": 2e-4},
        {"min_impurity_decrease": 1e-4, "max_leaf_nodes": 150, "class_weight": "balanced"},
        {"class_weight": "balanced"},
        {"class_weight": "balanced", "splitter": "random", "max_features": "sqrt"},
        {"class_weight": whole(labels)},
        {"class_weight": uneven(labels), "min_samples_leaf": 3},
        {"ccp_alpha": 3e-4},
        {"ccp_alpha": 1e-4, "class_weight": "balanced", "splitter": "random"},
        {"ccp_alpha": 2e-4, "criterion": "entropy", "max_leaf_nodes": 60},
    ]


def extra_tree(labels):
    return [
        {},
        {"criterion": "entropy", "max_depth": 8},
        {"splitter": "best", "max_features": "log2", "min_samples_split": 20},
        {"min_samples_leaf": 6, "max_features": None},
        {"max_leaf_nodes": 50, "min_impurity_decrease": 1e-4},
        {"class_weight": "balanced", "ccp_alpha": 1e-4, "min_weight_fraction_leaf": 1e-3},
        {"criterion": "log_loss", "max_features": None},
        {"splitter": "best"},
        {"splitter": "best", "criterion": "entropy", "max_features": 4},
        {"max_depth": 4},
        {"max_depth": 12, "max_features": 0.5},
        {"min_samples_split": 0.04},
        {"min_samples_leaf": 0.004, "criterion": "entropy"},
        {"min_weight_fraction_leaf": 0.01},
        {"max_features": 1},
        {"max_leaf_nodes": 200, "max_features": None},
        {"max_leaf_nodes": 60, "max_depth": 7, "splitter": "best"},
        {"min_impurity_decrease": 3e-4, "max_features": None},
        {"class_weight": whole(labels), "min_samples_leaf": 2},
        {"class_weight": uneven(labels), "max_features": None},
        {"class_weight": "balanced", "criterion": "entropy"},
        {"ccp_alpha": 3e-4, "max_features": None},
    ]


def forest(labels):
    settings = [
        {"n_estimators": 20},
        {"n_estimators": 1},
        {"n_estimators": 4},
        {"criterion": "entropy"},
        {"criterion": "log_loss", "max_depth": 7},
        {"max_depth": 4},
        {"max_depth": 12, "max_features": None},
        {"min_samples_split": 20},
        {"min_samples_split": 0.03},
        {"min_samples_leaf": 2, "max_features": "log2"},
        {"min_samples_leaf": 0.005},
        {"min_weight_fraction_leaf": 0.004},
        {"max_features": "log2"},
        {"max_features": None},
        {"max_features": 2, "min_samples_leaf": 4},
        {"max_features": 0.3},
        {"max_leaf_nodes": 80},
        {"max_leaf_nodes": 40, "max_depth": 6, "criterion": "entropy"},
        {"min_impurity_decrease": 1e-4},
        {"class_weight": "balanced"},
        {"class_weight": whole(labels), "min_samples_leaf": 3},
        {"class_weight": uneven(labels), "max_depth": 9},
        {"class_weight": "balanced", "min_weight_fraction_leaf": 1e-3},
        {"ccp_alpha": 2e-4},
        {"ccp_alpha": 1e-4, "class_weight": "balanced", "max_leaf_nodes": 200},
    ]
    return [{"n_estimators": 5} | params for params in settings]


def forest_and(extra):
    return lambda labels: forest(labels) + [{"n_estimators": 5} | params for params in extra]


OTHER_ROWS = [{"bootstrap": True}, {"bootstrap": True, "class_weight": "balanced"}]
ALL_ROWS = [{"bootstrap": False}, {"bootstrap": False, "class_weight": "balanced", "min_samples_leaf": 2}]

write(
    {
        "tree": (DecisionTreeClassifier, tree),
        "extra_tree": (ExtraTreeClassifier, extra_tree),
        "extra_trees": (ExtraTreesClassifier, forest_and(OTHER_ROWS)),
        "random_forest": (RandomForestClassifier, forest_and(ALL_ROWS)),
    }
)
