"""Trains a regression on the diabetes data that comes with scikit-learn.

Writes `diabetes.pkl`, the model, and `sample.json`, a request with held-out patients and what became of them.
"""

import json
from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

features, progression = load_diabetes(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, progression, test_size=0.2, random_state=0)

model = Ridge(alpha=0.1).fit(train_x, train_y)
joblib.dump(model, "diabetes.pkl")
print(f"diabetes.pkl: R2 {model.score(test_x, test_y):.2f} on {len(test_y)} held-out patients")

sample = {"data": test_x[:3].tolist(), "truth": test_y[:3].tolist()}
Path("sample.json").write_text(json.dumps(sample))
print("sample.json: a request for the first 3 of them")
