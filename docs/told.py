"""Shows who is told of what: python told.py SERVER-PORT PROXY-PORT

Two clients look on, one at a ZEO server's own port and one at the proxy's, both on this machine. A third one
commits through the proxy: it creates an object, changes the root, and deletes the object. Needs ZEO 5 or 6.
It writes to storage 1, so it is for a scratch server.
"""
import queue
import sys

from persistent.mapping import PersistentMapping
from ZEO.ClientStorage import ClientStorage
from ZODB.Connection import TransactionMetaData
from ZODB.DB import DB
from ZODB.utils import u64


class Watcher:
    """What a storage tells its database."""

    def __init__(self, port):
        self.told = queue.Queue()
        self.storage = ClientStorage(("127.0.0.1", port), wait_timeout=30)
        self.storage.registerDB(self)

    def invalidate(self, tid, oids):
        self.told.put((tid, sorted(u64(oid) for oid in oids)))

    def invalidateCache(self):
        pass

    def transform_record_data(self, data):
        return data

    untransform_record_data = transform_record_data

    def oids_of(self, tid):
        """Waits until it is told of that transaction."""
        while True:
            told, oids = self.told.get(timeout=30)
            if told == tid:
                return oids


def main(server, proxy):
    watchers = [Watcher(server), Watcher(proxy)]
    db = DB(ClientStorage(("127.0.0.1", proxy), wait_timeout=30))
    storage = db.storage

    def show(what):
        tid = storage.lastTransaction()
        at_server, behind_proxy = [watcher.oids_of(tid) for watcher in watchers]
        print("%-25s told at the server: %-8s behind the proxy: %s" % (what, at_server, behind_proxy))

    connection = db.open()
    new = PersistentMapping()
    connection.add(new)
    connection.root()["told"] = new
    connection.transaction_manager.commit()
    oid = new._p_oid
    show("created %d, changed 0" % u64(oid))

    serial = storage.load(oid)[1]
    transaction = TransactionMetaData()
    storage.tpc_begin(transaction)
    storage.deleteObject(oid, serial, transaction)
    storage.tpc_vote(transaction)
    storage.tpc_finish(transaction)
    show("deleted %d" % u64(oid))

    connection.close()
    db.close()
    for watcher in watchers:
        watcher.storage.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*map(int, sys.argv[1:]))
