"""Makes knn.json: scikit-learn's fold accuracies of nearest neighbours on the real table.

python knn.py TABLE.csv > knn.json      (scikit-learn 1.9, pandas)

The table is cut as tests/search.rs cuts it: rows with a URI, genres and all 13 scalars, the first of each URI; the nine
most frequent genres without rock (ties by name), `misc` for rows with none of these. Without a `split` the training
rows are those of train_test_split in its order; with one they keep the order of the file.
"""

import collections
import json
import sys

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import MultiLabelBinarizer, StandardScaler

SCALARS = ["Duration (ms)", "Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness",
           "Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature"]

table = pd.read_csv(sys.argv[1]).dropna(subset=SCALARS + ["Track URI", "Genres"])
table = table.drop_duplicates("Track URI").reset_index(drop=True)
genres = [set(cell.split(",")) for cell in table["Genres"]]
counts = collections.Counter(genre for row in genres for genre in row if genre != "rock")
top = {genre for genre, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:9]}
binarizer = MultiLabelBinarizer()
y = binarizer.fit_transform([sorted(row & top) or ["misc"] for row in genres])
x = table[SCALARS].to_numpy(float)
drawn, _ = train_test_split(np.arange(len(x)), test_size=0.30, random_state=234634754)

out = {"rows": len(x), "labels": list(binarizer.classes_)}
for name, train in {"drawn": drawn, "in_file_order": np.sort(drawn)}.items():
    scaled = StandardScaler().fit_transform(x[train])
    out[name] = []
    for metric in ["euclidean", "manhattan", "cosine"]:
        for weights in ["uniform", "distance"]:
            params = {"n_neighbors": 5, "weights": weights, "metric": metric}
            model = KNeighborsClassifier(**params, algorithm="brute" if metric == "cosine" else "auto")
            scores = cross_val_score(model, scaled, y[train], cv=KFold(5), scoring="accuracy")
            out[name].append({**params, "accuracy": list(scores)})
json.dump(out, sys.stdout, indent=1)
