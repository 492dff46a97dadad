"""Reads exported event logs with PM4Py, a reader nobody here wrote, and compares what it finds with the
database they come from.

    python tools/mining/check.py DATABASE LOG.sqlite LOG.json LOG.xes

PM4Py is licensed under the AGPL; it is used here as a program, and no part of the product.
"""

import sqlite3
import sys
import warnings
from collections import Counter

warnings.filterwarnings("ignore")

# Its welcome is no result.
stdout, sys.stdout = sys.stdout, open("/dev/null", "w")
import pm4py  # noqa: E402
from pm4py.objects.ocel.validation import ocel20_rel_validation  # noqa: E402

sys.stdout = stdout

database, relational, text, cases = sys.argv[1:]
faults = []


def same(what, found, expected):
    if found != expected:
        faults.append(f"{what}: {found} instead of {expected}")


source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
kinds = Counter(kind for (kind,) in source.execute("SELECT event.kind FROM event JOIN event_log ON event_log.event_id = event.id"))
orders = {row[0] for row in source.execute("SELECT DISTINCT hex(order_id) FROM event WHERE order_id IS NOT NULL")}
of_orders = source.execute("SELECT COUNT(*) FROM event WHERE order_id IS NOT NULL").fetchone()[0]
aggregates = Counter(
    kind for (kind,) in source.execute("SELECT aggregate_kind FROM event GROUP BY aggregate_kind, aggregate_id")
)
events = sum(kinds.values())

satisfied, unsatisfied = ocel20_rel_validation.apply(relational)
same("constraints of the relational form that hold", (len(satisfied), sorted(unsatisfied)), (24, []))


def looked_at(name, log):
    same(f"{name}: events", len(log.events), events)
    same(f"{name}: events by kind", Counter(log.events["ocel:activity"]), kinds)
    same(f"{name}: ids of events", log.events["ocel:eid"].nunique(), events)
    types = Counter(log.objects["ocel:type"])
    for kind, count in aggregates.items():
        same(f"{name}: {kind}", types["".join(word.capitalize() for word in kind.split("_"))], count)
    same(f"{name}: relations without a qualifier", int(log.relations["ocel:qualifier"].isna().sum()), 0)
    statuses = log.object_changes[log.object_changes["ocel:field"] == "status"]
    if statuses.empty:
        faults.append(f"{name}: no change of any status")
    return log


one = looked_at("relational form", pm4py.read_ocel2_sqlite(relational))
two = looked_at("JSON form", pm4py.read_ocel2_json(text))
same("relations", len(one.relations), len(two.relations))
same("links between objects", len(one.o2o), len(two.o2o))

flat = pm4py.ocel_flattening(one, "Order")
same("cases of the flattened log", flat["case:concept:name"].nunique(), len(orders))

log = pm4py.read_xes(cases)
same("XES: cases", log["case:concept:name"].nunique(), len(orders))
same("XES: events", len(log), of_orders)
for case, steps in log.groupby("case:concept:name", sort=False):
    if not steps["time:timestamp"].is_monotonic_increasing:
        faults.append(f"XES: {case} is not in the order in which it happened")
first = Counter(log.groupby("case:concept:name", sort=False).first()["concept:name"])
same("XES: how cases begin", set(first), {"ORDER_SUBMITTED"})

# What the regulation forbids, found by somebody else's miner: nothing is dispatched before it was inspected.
declare = {
    "precedence": {("INSPECTION_RECORDED", "DELIVERY_DISPATCHED"): {"support": 1, "confidence": 1}},
    "existence": {"ORDER_SUBMITTED": {"support": 1, "confidence": 1}},
}
verdicts = pm4py.conformance_declare(log, declare, return_diagnostics_dataframe=False)
same("cases that break a rule of the regulation", sum(1 for one in verdicts if not one["is_fit"]), 0)

if faults:
    print("\n".join(faults), file=sys.stderr)
    sys.exit(1)
print(f"process mining: {events} events and {len(one.objects)} objects read as written, {len(orders)} cases, 24 of 24 constraints")
