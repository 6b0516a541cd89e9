# What trees_peer.sh asks of XGBoost: trains models, and writes them as crm.model
# with rows, scores and Shapley values as SQL.
import json
import sys

import numpy as np
import xgboost

rng = np.random.default_rng(5)
rows = 15000
x = np.column_stack([
    rng.integers(0, 50, rows), rng.integers(-1000, 1000, rows) / 8, rng.integers(0, 2, rows), rng.integers(0, 5, rows), np.full(rows, 3), rng.integers(0, 30, rows)
]).astype(np.float64)
x[rng.random(x.shape) < 0.15] = np.nan
z = np.nan_to_num(x[:, 0] / 20) - np.nan_to_num(x[:, 1] / 60, nan=1) + (x[:, 3] == 2) * np.nan_to_num(x[:, 2], nan=0.5) * 2 - 1
labels = {
    'logistic': (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(float),
    'squared': z + rng.standard_normal(rows) * 0.1,
    'poisson': rng.poisson(np.exp(z / 3)).astype(float),
}
objectives = {'logistic': 'binary:logistic', 'squared': 'reg:squarederror', 'poisson': 'count:poisson'}


def single(number):
    return float(np.float32(number))


def model_of(booster, loss):
    raw = json.loads(bytes(booster.save_raw('json')))
    trees = raw['learner']['gradient_booster']['model']['trees']
    score = float(raw['learner']['learner_model_param']['base_score'])
    base = {'logistic': lambda: float(np.log(score / (1 - score))), 'squared': lambda: score, 'poisson': lambda: float(np.log(score))}[loss]()
    cuts = [set() for _ in range(x.shape[1])]
    for tree in trees:
        for i, left in enumerate(tree['left_children']):
            if left >= 0:
                cuts[tree['split_indices'][i]].add(single(tree['split_conditions'][i]))
    cuts = [sorted(c) for c in cuts]
    nodes, bins, missing_right, values, covers = [], [], [], [], []

    def walk(tree, i):
        if tree['left_children'][i] < 0:
            nodes.append(0)
            values.append(single(tree['split_conditions'][i]))
            covers.append(single(tree['sum_hessian'][i]))
            return
        feature = tree['split_indices'][i]
        nodes.append(feature + 1)
        bins.append(cuts[feature].index(single(tree['split_conditions'][i])))
        missing_right.append(0 if tree['default_left'][i] else 1)
        walk(tree, tree['left_children'][i])
        walk(tree, tree['right_children'][i])

    for tree in trees:
        walk(tree, 0)
    return json.dumps({
        'kind': 'boosted_trees', 'features': x.shape[1], 'loss': loss, 'base': base, 'trees': len(trees), 'cut_counts': [len(c) for c in cuts],
        'cuts': [c for f in cuts for c in f], 'node_features': nodes, 'node_bins': bins, 'missing_right': missing_right, 'leaf_values': values, 'leaf_covers': covers
    })


def array(numbers):
    return '{' + ','.join('NULL' if np.isnan(n) else repr(float(n)) for n in numbers) + '}'


out = sys.stdout
out.write('COPY peer_row FROM stdin;\n')
for i in range(rows):
    out.write('\t'.join([str(i), array(x[i])] + [repr(float(labels[name][i])) for name in objectives]) + '\n')
out.write('\\.\n')
for name, objective in objectives.items():
    train = np.arange(rows) % 5 != 0
    matrix = xgboost.DMatrix(x, labels[name])
    booster = xgboost.train({'objective': objective, 'max_depth': 5, 'eta': 0.2, 'max_bin': 200, 'tree_method': 'hist', 'nthread': 1, 'seed': 1},
                            xgboost.DMatrix(x[train], labels[name][train]), 40)
    margins = booster.predict(matrix, output_margin=True)
    scores = booster.predict(matrix)
    parts = booster.predict(matrix, pred_contribs=True)
    out.write("INSERT INTO peer_model VALUES ('%s', '%s');\n" % (name, model_of(booster, name)))
    out.write('COPY peer_answer FROM stdin;\n')
    for i in range(0, rows, 5):
        out.write('\t'.join([name, str(i), repr(float(margins[i])), repr(float(scores[i])), array(np.roll(parts[i], 1))]) + '\n')
    out.write('\\.\n')
