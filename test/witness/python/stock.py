"""Writes a FileStorage with transactions of all sorts, in the server's own version, and prints what is in it.

    stock.py FOLDER sorts [pack]
    stock.py FOLDER many COUNT

One JSON line for each transaction of FOLDER/1.fs: [tid, oid, ...], in hex, in the order of the file.
"""

import base64
import binascii
import datetime
import json
import os
import struct
import sys
import time

import stock_model
import transaction
import ZODB.FileStorage.FileStorage as file_storage
from ZODB.FileStorage import FileIterator, FileStorage
from ZODB.serialize import referencesf

try:
    from ZODB.Connection import TransactionMetaData
except ImportError:  # ZODB before 5

    def TransactionMetaData(user=u'', description=u'', extension=None):
        made = transaction.Transaction()
        made.user, made.description = str(user), str(description)
        made._extension = dict(extension or {})
        return made


# Nobody needs it after a failure of power.
file_storage.fsync = None

NEW = b'\0' * 8


def p64(number):
    return struct.pack('>Q', number)


def to_hex(content):
    return binascii.hexlify(content).decode('ascii')


class Stock(object):

    def __init__(self, folder):
        blobs = os.path.join(folder, 'blobs')
        if not os.path.isdir(blobs):
            os.mkdir(blobs, 0o700)
        self.storage = FileStorage(os.path.join(folder, '1.fs'), blob_dir=blobs)
        self.serials = {}

    def commit(self, work, **info):
        """`work(store, transaction)`; returns the tid."""
        made = TransactionMetaData(**info)
        self.storage.tpc_begin(made)
        stored = []

        def store(number, data=b'data'):
            self.storage.store(p64(number), self.serials.get(number, NEW), data, '', made)
            stored.append(number)

        work(store, made)
        self.storage.tpc_vote(made)
        self.storage.tpc_finish(made)
        tid = self.storage.lastTransaction()
        for number in stored:
            self.serials[number] = tid
        return tid

    def sorts(self, extensions):
        storage = self.storage
        self.commit(lambda store, _: [store(number) for number in (1, 2, 3)])
        modified = self.commit(lambda store, _: store(1))
        self.commit(lambda store, _: store(2), user=u'someone', description=u'did it')
        for extension in extensions:
            self.commit(lambda store, _: store(2), extension=extension)
        self.commit(lambda store, _: store(2), extension={'huge': 'x' * 60000})
        undone = base64.b64encode(modified)
        self.serials[1] = self.commit(lambda _, made: storage.undo(undone, made))
        created = self.commit(lambda store, _: store(4))
        self.commit(lambda _, made: storage.undo(base64.b64encode(created), made))
        self.commit(lambda _, made: storage.deleteObject(p64(3), self.serials[3], made))
        self.commit(lambda _, made: storage.restore(p64(5), NEW, b'data', '', None, made))
        self.commit(lambda _, made: self.blob(made))
        self.commit(lambda _, made: None)
        self.commit(lambda _, made: None, description=u'nothing')
        self.commit(lambda store, _: [store(number) for number in (7, 2, 8)])
        self.commit(lambda store, _: [store(number) for number in range(1000, 1500)])
        self.commit(lambda store, _: store(9, b'x' * (8 << 20)))
        self.commit(lambda store, _: store(7))

    def blob(self, made):
        path = os.path.join(self.storage.temporaryDirectory(), 'x.blob')
        with open(path, 'wb') as file:
            file.write(b'blob')
        self.storage.storeBlob(p64(6), NEW, b'cZODB.blob\nBlob\nq\x01.N.', path, '', made)

    def many(self, count):
        for number in range(count):
            self.commit(lambda store, _: [store(number), store(number + 100000)])

    def pack(self):
        time.sleep(1.1)
        self.storage.pack(time.time(), referencesf, gc=False)
        self.commit(lambda store, _: store(2))


def odd():
    made = stock_model.Odd()
    made.one = 1
    return {'odd': made}


def main(folder, what, *rest):
    stock = Stock(folder)
    if what == 'many':
        stock.many(int(rest[0]))
    else:
        stock.sorts([{'a': 1, 'n': {'x': [1, 2]}}, {'when': datetime.datetime(2020, 1, 2)}, odd()])
    if 'pack' in rest:
        stock.pack()
    stock.storage.close()
    iterator = FileIterator(os.path.join(folder, '1.fs'))
    for found in iterator:
        sys.stdout.write(json.dumps([to_hex(found.tid)] + [to_hex(record.oid) for record in found]) + '\n')
    iterator.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
