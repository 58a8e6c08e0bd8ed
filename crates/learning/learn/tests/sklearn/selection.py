"""Computes selection.json with scikit-learn 1.9 on generated data: python selection.py > selection.json"""

import json
import sys

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif, mutual_info_classif
from sklearn.tree import DecisionTreeClassifier

from data import dataset


def mean_over_labels(score):
    return lambda x, y: np.mean([score(x, label) for label in y.T], axis=0)


def main():
    x, y = dataset(41, 400, 12, 3)
    x = x * np.linspace(0.2, 3.0, 12)
    x[:, 5] = 0.1
    x[:, 9] = np.round(x[:, 9])
    wide, _ = dataset(42, 20, 35, 1)

    scores = mean_over_labels(lambda x, y: np.nan_to_num(f_classif(x, y)[0], nan=-np.inf))
    anova = [(k, SelectKBest(scores, k=k).fit(x, y).get_support(indices=True).tolist()) for k in [1, 4, 7, 12]]
    thresholds = [0.0, 0.3, 1.0]
    variance = [(t, VarianceThreshold(t).fit(x).get_support(indices=True).tolist()) for t in thresholds]
    many_x, many_y = dataset(43, 2000, 12, 3)
    information = mean_over_labels(lambda x, y: mutual_info_classif(x, y, random_state=0))(many_x, many_y)

    def pca(x, n_components):
        model = PCA(n_components, svd_solver="full").fit(x[:-10])
        return {"n_components": n_components, "transformed": model.transform(x[-10:]).tolist()}

    trees_x, trees_y = dataset(44, 500, 8, 3)
    weights = [{0: 1.0, 1: 2.0}] * 3

    def tree(**params):
        return DecisionTreeClassifier(random_state=0, min_samples_leaf=40, **params).fit(trees_x, trees_y).feature_importances_.tolist()

    def forest(seed):
        return ExtraTreesClassifier(random_state=seed, n_jobs=2).fit(trees_x, trees_y).feature_importances_.tolist()

    reference = {
        "anova_scores": [None if np.isinf(s) else s for s in scores(x, y)],
        "anova": anova,
        "variance": variance,
        "mutual_info": np.argsort(-information)[:4].tolist(),
        # Of large leaves, so that no two features are equally good at a node.
        "tree_importances": [tree(), tree(class_weight=weights), tree(ccp_alpha=0.005)],
        "forest_importances": [forest(seed) for seed in range(20)],
        "pca": [pca(x, n) for n in [1, 5, 11, 0.5, 0.9, 0.999]],
        "pca_wide": [pca(wide, n) for n in [1, 4, 9, 0.5, 0.9]],
    }
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()


main()
