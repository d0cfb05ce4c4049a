"""Prints what a FileStorage file has: one JSON line for each transaction,

    {"tid": hex, "mark": description, "records": [[oid, checksum of its data or null where it is deleted], ...]}
"""

import json
import sys
import zlib

from ZODB.FileStorage import FileIterator

from hexes import to_hex


def text(description):
    return description if isinstance(description, type(u'')) else description.decode('latin-1')


def main(path):
    iterator = FileIterator(path)
    for txn in iterator:
        records = {}
        for record in txn:
            data = record.data
            records[to_hex(record.oid)] = zlib.crc32(data) & 0xffffffff if data else None
        sys.stdout.write(json.dumps({
            'tid': to_hex(txn.tid), 'mark': text(txn.description), 'records': sorted(records.items())}) + '\n')
    iterator.close()


main(sys.argv[1])
