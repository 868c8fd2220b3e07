"""Numbers for label-refinement.test.ts: the same posteriors by refitting the regression without each head, in float64.

    python3 scripts/label-refinement-reference.py > src/learning/fixtures/label-refinement.json

Needs NumPy alone.
"""
import json

import numpy as np

HEADS, LABELS, FEATURES, CLASSES = 34, 26, 9, 3
RIDGE, SHARPNESS, ROUNDS, PRIOR, LEAST = 0.1, 8.0, 8, 0.2, 0.02

draw = np.random.default_rng(11)
truth = draw.integers(0, CLASSES, HEADS)
features = np.round(draw.normal(size=(HEADS, FEATURES)) + 1.1 * np.eye(CLASSES, FEATURES)[truth] * 2, 3)
features[:, 4] = 2.5  # says nothing
given = np.where(draw.random(LABELS) < 0.25, draw.integers(0, CLASSES, LABELS), truth[:LABELS])
targets = np.eye(CLASSES)[given]
targets[3] = [0.5, 0.25, 0.25]  # several experts


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def spread(wrong):
    m = np.full((CLASSES, CLASSES), wrong / (CLASSES - 1))
    np.fill_diagonal(m, 1 - wrong)
    return m


deviation = features.std(0) + 1e-6
rows = (features - features.mean(0)) / deviation / np.sqrt(FEATURES)
frequency = targets.mean(0)


def fitted(chosen, learned, asked):
    x = rows[chosen]
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(FEATURES), x.T @ learned)
    return rows[asked] @ weights


def opinions(count, learned):
    said = np.zeros((HEADS, CLASSES))
    for head in range(HEADS):
        chosen = [i for i in range(count) if i != head]
        said[head] = fitted(chosen, learned[chosen], head)
    return softmax(SHARPNESS * (said + frequency))


def refined(heads):
    believed, confusion = targets, spread(0.1)
    for step in range(ROUNDS):
        count = LABELS if step == 0 or heads == LABELS else HEADS
        opinion = opinions(count, believed - frequency)
        weighed = opinion[:LABELS] * (targets @ confusion.T)
        posterior = weighed / weighed.sum(1, keepdims=True)
        believed = posterior if heads == LABELS else np.concatenate([posterior, opinion[LABELS:]])
        wrong = max(LEAST, 1 - (posterior * targets).sum() / LABELS)
        expected = posterior.T @ targets + PRIOR * LABELS / CLASSES * spread(wrong)
        confusion = expected / expected.sum(1, keepdims=True)
    return {"targets": believed.round(6).tolist(), "confusion": confusion.round(6).tolist()}


with_unlabelled = refined(HEADS)
# Without the others their features are not seen either.
features_all, rows_all = features, rows
labelled = features[:LABELS]
rows = np.zeros_like(rows_all)
rows[:LABELS] = (labelled - labelled.mean(0)) / (labelled.std(0) + 1e-6) / np.sqrt(FEATURES)
print(
    json.dumps(
        {
            "classes": CLASSES,
            "features": features_all.tolist(),
            "given": targets.tolist(),
            "labelsAlone": refined(LABELS),
            "withUnlabelled": with_unlabelled,
        }
    )
)
