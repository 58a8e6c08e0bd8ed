"""Settings with randomness on real tables: means and standard errors of scores over random states."""

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, f1_score

from tables import balanced, folds, strusz, yeast

SEEDS = 20
FOLDS = 1


def scores(truth, predicted):
    return [
        accuracy_score(truth, predicted),
        f1_score(truth, predicted, average="micro", zero_division=0),
        f1_score(truth, predicted, average="macro", zero_division=0),
    ]


def case(new, params, x, y):
    """A setting with its scores over the random states, each the mean of the first folds."""

    def of_seed(seed):
        of_folds = []
        for train, of_train, validation, truth in islice(folds(x, y), FOLDS):
            model = new(random_state=seed, **for_fit(params, y)).fit(train, of_train)
            of_folds.append(scores(truth, model.predict(validation)))
        return np.mean(of_folds, axis=0)

    of_seeds = np.array([of_seed(seed) for seed in range(SEEDS)])
    errors = of_seeds.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    means = {
        name: [round(float(mean), 9), round(float(error), 9)]
        for name, mean, error in zip(["accuracy", "f1_micro", "f1_macro"], of_seeds.mean(axis=0), errors)
    }
    return {"params": params} | means


def for_fit(params, y):
    """Parameters as scikit-learn takes them: classes are numbers, and balanced means by all training rows."""
    weight = params.get("class_weight")
    if weight == "balanced":
        return params | {"class_weight": balanced(y)}
    if weight is not None:
        return params | {"class_weight": [{int(c): w for c, w in of.items()} for of in weight]}
    return params


def write(families):
    """Computes and prints the cases of each family, (model, settings for q labels), on both tables."""
    folder = Path(sys.argv[1])
    reference = {"scikit-learn": sklearn.__version__, "folds": FOLDS}
    for name, table in [("strusz", strusz), ("yeast", yeast)]:
        x, y, labels = table(folder)
        reference[name] = {"rows": len(x), "labels": labels}
        for family, (new, settings) in families.items():
            reference[name][family] = [case(new, params, x, y) for params in settings(y.shape[1])]
    json.dump(reference, sys.stdout, separators=(",", ":"))
    print()
