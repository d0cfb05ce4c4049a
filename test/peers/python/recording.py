"""What a client is told, in the order in which its network thread reads it.

A `Recording` belongs to one ClientStorage. Its events are lists:

    ["connected", connection]
    ["verify", connection, tid, objects]            the client begins to verify: its cache's tid, and how much is in it
    ["invalidation", connection, tid, [oid, ...]]   an invalidateTransaction message
    ["resumed", connection, tid, [oid, ...]]        a getInvalidations reply
    ["shown", connection, tid]                      another reply that shows a tid higher than any shown before
    ["told", tid, [oid, ...]]                       ClientStorage told its DB
    ["cache dropped"]                               it told its DB to forget everything
    ["stale cache"]                                 ZEO's StaleCache event: getInvalidations replied None
    ["own", tid]                                    a commit of this client
"""

import itertools
import threading
import time

import ZEO.ClientStorage

from hexes import NO_SERIAL
from hexes import looks_like_tid
from hexes import to_hex

connection_numbers = itertools.count(1)


class Recording(object):

    def __init__(self):
        self.events = []
        self.changed = threading.Condition()
        self.shown = {}
        self.highest_told = u''
        # What an application found missing and remembers as missing.
        self.absent = set()

    def add(self, *event):
        with self.changed:
            self.events.append(list(event))
            if event[0] == 'told':
                self.highest_told = max(self.highest_told, event[1])
                self.absent.difference_update(event[2])
            self.changed.notify_all()

    def take(self):
        """All events since the last call."""
        with self.changed:
            events, self.events = self.events, []
            return events

    def wait_told(self, tid, timeout):
        """Waits until the DB was told of `tid` or of a later one; False after `timeout` seconds."""
        deadline = time.time() + timeout
        with self.changed:
            while self.highest_told < tid:
                left = deadline - time.time()
                if left <= 0:
                    return False
                self.changed.wait(left)
        return True

    def evidence(self, args):
        """The part of a reply in which no tid may be new."""
        return args

    def message(self, connection, name, args):
        """A decoded message of the server."""
        if name == 'invalidateTransaction':
            tid, oids = args
            # ZODB3 3.8 clients get pairs.
            oids = [o if isinstance(o, bytes) else o[0] for o in oids]
            self.add('invalidation', connection, to_hex(tid), [to_hex(o) for o in oids])
        elif name == '.reply':
            if is_get_invalidations(args):
                self.add('resumed', connection, to_hex(args[0]), [to_hex(o) for o in args[1]])
                return
            tid = highest_tid(self.evidence(args))
            if tid is not None and tid > self.shown.get(connection, b''):
                self.shown[connection] = tid
                self.add('shown', connection, to_hex(tid))


def is_get_invalidations(value):
    return (isinstance(value, (tuple, list)) and len(value) == 2 and looks_like_tid(value[0])
            and isinstance(value[1], (tuple, list))
            and all(isinstance(oid, bytes) and len(oid) == 8 for oid in value[1]))


def highest_tid(value, depth=0):
    """The highest tid inside a reply: the eight-byte strings that look like one."""
    if isinstance(value, bytes):
        return value if looks_like_tid(value) else None
    if depth > 6:
        return None
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, (tuple, list)):
        items = value
    elif isinstance(value, Exception):
        items = [value.args, getattr(value, 'serials', None)]
    else:
        return None
    tids = [tid for tid in (highest_tid(item, depth + 1) for item in items) if tid is not None]
    return max(tids) if tids else None


def connection_of(protocol):
    number = getattr(protocol, '_peers_number', None)
    if number is None:
        number = protocol._peers_number = next(connection_numbers)
    return number


def verification_begins(storage, connection, cache):
    recording = getattr(storage, '_peers_recording', None)
    if recording is not None:
        recording.add('verify', connection_of(connection), to_hex(cache.getLastTid() or NO_SERIAL), len(cache))


def record_old():
    """ZODB3 and ZEO 4: zrpc."""
    from ZEO.zrpc.connection import ManagedClientConnection

    verify_cache = ZEO.ClientStorage.ClientStorage.verify_cache

    def verify(self, server):
        verification_begins(self, self._connection, self._cache)
        return verify_cache(self, server)

    ZEO.ClientStorage.ClientStorage.verify_cache = verify

    original = ManagedClientConnection.message_input

    def message_input(self, message):
        recording = getattr(self.mgr.client, '_peers_recording', None)
        if recording is not None:
            _, _, name, args = self.decode(message)
            recording.message(connection_of(self), name, args)
        original(self, message)

    ManagedClientConnection.message_input = message_input


def record_new():
    """ZEO 5 and later: asyncio."""
    import ZEO.asyncio.client
    from ZEO.asyncio.client import Protocol

    client = getattr(ZEO.asyncio.client, 'ClientIO', None) or ZEO.asyncio.client.Client
    verify_cache = client.verify

    def verify(self, *args):
        verification_begins(self.client, self.protocol, self.cache)
        return verify_cache(self, *args)

    client.verify = verify

    original = Protocol.message_received

    def message_received(self, data):
        storage = self.client.client
        recording = getattr(storage, '_peers_recording', None)
        if recording is not None:
            _, _, name, args = self.decode(data)
            recording.message(connection_of(self), name, args)
        original(self, data)

    Protocol.message_received = message_received

    # A server that announces M5 takes Z5 as well; a test can make a client ask for it.
    method = 'finish_connect' if hasattr(Protocol, 'finish_connect') else 'finish_connection'
    finish = getattr(Protocol, method)

    def finish_with_encoding(self, version):
        encoding = getattr(self.client.client, '_peers_encoding', None)
        if encoding is not None:
            version = encoding + version[1:]
        return finish(self, version)

    setattr(Protocol, method, finish_with_encoding)


try:
    import ZEO.asyncio.client  # noqa: F401
    NEW = True
except ImportError:
    NEW = False

if NEW:
    record_new()
else:
    record_old()


def notify(event):
    storage = getattr(event, 'storage', None)
    recording = getattr(storage, '_peers_recording', None)
    if recording is not None and type(event).__name__ == 'StaleCache':
        recording.add('stale cache')


try:
    import ZODB.event
    ZODB.event.notify = notify
except ImportError:
    # ZODB3
    import zope.event
    zope.event.subscribers.append(notify)


class ToldDB(object):
    """Stands before the DB (or alone): what ClientStorage says to its DB goes through here."""

    def __init__(self, db, recording):
        self._db = db
        self._recording = recording

    def invalidate(self, tid, oids, *rest):
        # ZEO 4 and before: None for what a verification of the cache has found.
        if tid is not None:
            self._recording.add('told', to_hex(tid), sorted(to_hex(oid) for oid in oids))
        if self._db is not None:
            return self._db.invalidate(tid, oids, *rest)

    def invalidateCache(self):
        self._recording.add('cache dropped')
        if self._db is not None:
            return self._db.invalidateCache()

    def transform_record_data(self, data):
        return data if self._db is None else self._db.transform_record_data(data)

    untransform_record_data = transform_record_data

    def references(self, record, oids=None):
        return self._db.references(record, oids)

    def __getattr__(self, name):
        return getattr(self._db, name)


class RecordedStorage(ZEO.ClientStorage.ClientStorage):
    """A ClientStorage that says what it was told."""

    def registerDB(self, db):
        ZEO.ClientStorage.ClientStorage.registerDB(self, ToldDB(db, self._peers_recording))

    def tpc_finish(self, txn, f=None):
        def finished(tid):
            self._peers_recording.add('own', to_hex(tid))
            self._peers_last_own = tid
            if f is not None:
                f(tid)

        return ZEO.ClientStorage.ClientStorage.tpc_finish(self, txn, finished)

    # ZEO 5 and later call themselves connected while they still ask for the server's information, and call a transaction
    # that is begun in that time a disconnected one.
    _peers_announced = False

    def notify_connected(self, conn, info):
        ZEO.ClientStorage.ClientStorage.notify_connected(self, conn, info)
        self._peers_announced = True

    def notify_disconnected(self):
        self._peers_announced = False
        ZEO.ClientStorage.ClientStorage.notify_disconnected(self)

    def _peers_connected(self):
        return bool(self.is_connected() and (self._peers_announced or not NEW))


def open_storage(addr, encoding=None, **options):
    storage = RecordedStorage.__new__(RecordedStorage)
    storage._peers_recording = Recording()
    storage._peers_last_own = None
    if encoding is not None:
        storage._peers_encoding = encoding.encode('ascii')
    if not NEW:
        options.setdefault('wait', True)
        # These look for the server with growing pauses.
        options.setdefault('min_disconnect_poll', 0.1)
        options.setdefault('max_disconnect_poll', 1)
    storage.__init__(addr, **options)
    return storage
