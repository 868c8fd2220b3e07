"""Figures of merit that the tests of src/evaluation compare with, computed by scikit-learn and scipy.

Run: python3 scripts/metrics-reference.py   (Debian: python3-sklearn, python3-scipy; made with scikit-learn 1.2, scipy 1.10)
Writes src/evaluation/fixtures/metrics.json: predictions with their figures, Wilson intervals, McNemar's test.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

random = np.random.default_rng(1927)
warnings.filterwarnings("ignore")


def case(name, labels, probabilities):
    probabilities = np.round(probabilities, 4)
    labels = np.asarray(labels)
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    present = sorted(set(labels.tolist()))
    each = lambda score: score(labels, predicted, labels=range(classes), average=None, zero_division=0).tolist()
    mean = lambda score: score(labels, predicted, labels=present, average="macro", zero_division=0)
    onehot = np.eye(classes)[labels]
    confidence = probabilities.max(axis=1)
    right = predicted == labels
    # Expected calibration error as in Guo et al. (2017): ten bins, open below, closed above.
    error = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence > low) & (confidence <= low + 0.1)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    order = np.argsort(-confidence, kind="stable")
    return {
        "name": name,
        "labels": labels.tolist(),
        "probabilities": probabilities.tolist(),
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balancedAccuracy": metrics.balanced_accuracy_score(labels, predicted),
        "precision": each(metrics.precision_score),
        "recall": each(metrics.recall_score),
        "f1": each(metrics.f1_score),
        "macroPrecision": mean(metrics.precision_score),
        "macroRecall": mean(metrics.recall_score),
        "macroF1": mean(metrics.f1_score),
        "kappa": metrics.cohen_kappa_score(labels, predicted),
        # Scikit-learn would divide by the sum of every row; ours is the label's own probability.
        "logLoss": float(-np.log(np.maximum(1e-15, probabilities[np.arange(len(labels)), labels])).mean()),
        "brier": float(((probabilities - onehot) ** 2).sum(axis=1).mean()),
        "calibrationError": float(error),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
        "coverage": [float(right[order[: i + 1]].mean()) for i in range(len(labels))],
    }


def predictions(count, classes, skill, weights=None):
    labels = random.choice(classes, count, p=weights)
    logits = random.normal(size=(count, classes)) + skill * np.eye(classes)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def main():
    skewed = predictions(80, 5, 1.2, [0.6, 0.2, 0.1, 0.1, 0])
    cases = [
        case("five classes", *predictions(120, 5, 2.0)),
        case("two classes", *predictions(60, 2, 1.0)),
        case("skewed, one class absent", *skewed),
        case("no better than chance", *predictions(90, 3, 0.0)),
        case("all right, all sure", [0, 1, 2, 1], np.eye(3)[[0, 1, 2, 1]]),
        case("all wrong, all sure", [0, 1, 2, 1], np.eye(3)[[1, 2, 0, 2]]),
    ]
    wilson = []
    for k, n in [(0, 1), (1, 1), (0, 20), (20, 20), (7, 10), (199, 216), (5, 1000), (660, 1132)]:
        interval = stats.binomtest(k, n).proportion_ci(0.95, "wilson")
        wilson.append({"k": k, "n": n, "low": interval.low, "high": interval.high})
    mcnemar = []
    for a, b in [(0, 1), (0, 6), (3, 3), (10, 2), (2, 10), (25, 40), (180, 120), (600, 500), (900, 1300), (5000, 5000)]:
        mcnemar.append({"first": a, "second": b, "p": stats.binomtest(a, a + b, 0.5).pvalue})
    target = Path(__file__).resolve().parent.parent / "src/evaluation/fixtures/metrics.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    made_by = f"scripts/metrics-reference.py, scikit-learn {sklearn.__version__}, scipy {scipy.__version__}"
    content = {"madeBy": made_by, "cases": cases, "wilson": wilson, "mcnemar": mcnemar}
    target.write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
