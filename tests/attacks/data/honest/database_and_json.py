import csv
import json
import sqlite3


def main():
    with sqlite3.connect("runs.db") as base:
        base.execute("create table runs(loss real)")
        base.executemany("insert into runs values (?)", [(0.5,), (0.25,)])
        assert base.execute("select count(*) from runs").fetchone() == (2,)
    with open("runs.csv", "w", newline="") as file:
        csv.writer(file).writerows([[1, 2], [3, 4]])
    return json.loads(json.dumps({"x": [1, 2.5, None, True, "文字"]}))
