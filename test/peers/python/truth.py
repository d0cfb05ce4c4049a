"""Prints the transactions of FileStorage files: one JSON line each, {"tid": hex, "oids": [hex, ...]}.

The truth that every observer is compared with. A pack leaves the old file beside the new one (pack-keep-old), and a
record that it dropped is in there: transactions of several files are joined by tid.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ZODB.FileStorage import FileIterator  # noqa: E402

from hexes import to_hex  # noqa: E402


def main(paths):
    transactions = {}
    for path in paths:
        if not os.path.exists(path):
            continue
        iterator = FileIterator(path)
        for txn in iterator:
            oids = transactions.setdefault(to_hex(txn.tid), set())
            for record in txn:
                oids.add(to_hex(record.oid))
        iterator.close()
    for tid in sorted(transactions):
        sys.stdout.write(json.dumps({'tid': tid, 'oids': sorted(transactions[tid])}) + '\n')


main(sys.argv[1:])
