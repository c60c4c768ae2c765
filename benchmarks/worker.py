"""The program that is measured: runs a loop, and writes how long it took.

    worker.py PROGRAM LOOPS REPORT

It is started plain, under `tamis run` or under `viztracer`, and times its own loop, so that neither start-up
nor what a recorder does at the end counts. Nothing here knows who is watching.
"""

import importlib.util
import json
import sys
import types
from importlib.metadata import files
from time import perf_counter, thread_time


def suite(name):
    """A benchmark of the installed `pyperformance`, as a module."""
    wanted = f"data-files/benchmarks/bm_{name}/run_benchmark.py"
    path = next(file.locate() for file in files("pyperformance") or () if str(file).endswith(wanted))
    # It imports pyperf for a runner of its own, which is not used here; it would be recorded with the rest.
    sys.modules["pyperf"] = types.ModuleType("pyperf")
    spec = importlib.util.spec_from_file_location(f"bm_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def richards():
    body = suite("richards").Richards()

    def run():
        if not body.run(1):
            raise SystemExit("richards gave a wrong result")

    return run


def deltablue():
    module = suite("deltablue")
    return lambda: module.delta_blue(100)


QUERY = """
WITH recent AS (
    SELECT o.customer_id, o.total, ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.placed DESC) AS n
    FROM orders AS o
    WHERE o.placed >= DATE '2024-01-01' AND o.state IN ('paid', 'sent')
)
SELECT c.name, c.country, SUM(r.total) AS total, COUNT(*) AS orders
FROM recent AS r
JOIN customers AS c ON c.id = r.customer_id
LEFT JOIN regions AS g ON g.country = c.country AND g.active
WHERE r.n <= {limit} AND (c.name LIKE 'A%' OR c.email IS NOT NULL)
GROUP BY c.name, c.country
HAVING SUM(r.total) > {least}
ORDER BY total DESC
LIMIT 50
"""


def query_text(limit, least):
    return QUERY.format(limit=limit, least=least)


def translate(parse, text):
    return parse(text, read="postgres").sql(dialect="duckdb")


def sqlglot():
    from sqlglot import parse_one

    numbers = iter(range(1 << 60))

    def run():
        number = next(numbers)
        if "ROW_NUMBER" not in translate(parse_one, query_text(number % 7, number % 100)):
            raise SystemExit("sqlglot gave a wrong result")

    return run


PROGRAMS = {"richards": richards, "deltablue": deltablue, "sqlglot": sqlglot}


def main():
    program, loops, report = sys.argv[1:]
    run = PROGRAMS[program]()
    run()  # what happens the first time only is start-up
    begin, worked = perf_counter(), thread_time()
    for _ in range(int(loops)):
        run()
    seconds, processor = perf_counter() - begin, thread_time() - worked
    with open(report, "w", encoding="utf-8") as out:
        json.dump({"seconds": seconds, "processor": processor}, out)


if __name__ == "__main__":
    main()
