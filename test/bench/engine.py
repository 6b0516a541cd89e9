# engine.py - runs Python in this process beside the server: XGBoost, scikit-learn.
#
# A line of JSON, a program, on standard input; a line of JSON on standard output: CPU seconds of the process and what the
# program left in "result", or an error.  table(query) has the rows of a query as numbers, fetched at its first call only,
# so that runs after the one that does not count begin with the rows in memory; fetch(query) gets them each time.
import io
import json
import subprocess
import sys
import time

import numpy
import pandas
import xgboost

cache = {}


def fetch(query):
    text = subprocess.run(['psql', '-X', '-q', '-c', 'COPY (%s) TO STDOUT (FORMAT csv)' % query], check=True, capture_output=True).stdout
    return pandas.read_csv(io.BytesIO(text), header=None, dtype=numpy.float64).to_numpy()


def table(query):
    if query not in cache:
        cache[query] = numpy.ascontiguousarray(fetch(query))
    return cache[query]


space = {'fetch': fetch, 'table': table, 'numpy': numpy, 'xgboost': xgboost}
print(json.dumps({'version': 'XGBoost ' + xgboost.__version__}, separators=(',', ':')), flush=True)
for line in sys.stdin:
    before = time.process_time()
    try:
        space['result'] = ''
        exec(json.loads(line), space)
        print(json.dumps({'cpu': time.process_time() - before, 'result': str(space['result'])[:10000]}), flush=True)
    except Exception as e:
        print(json.dumps({'error': str(e).split('\n')[0] or type(e).__name__}), flush=True)
