"""One ClientStorage and, if wanted, a DB on it: what the scenarios do with them."""

import base64
import errno
import hashlib
import os
import random
import threading
import time

import transaction
import ZODB
import ZODB.blob
import ZODB.FileStorage
from ZODB.POSException import ConflictError
from ZODB.POSException import POSKeyError
from ZODB.POSException import UndoError

import peers_model
from hexes import NO_SERIAL
from hexes import from_hex
from hexes import to_hex
from recording import NEW
from recording import open_storage

try:
    # Python 2's own knows no protocol 3.
    import zodbpickle.pickle as pickle
except ImportError:
    import pickle

try:
    from ZODB.Connection import TransactionMetaData
except ImportError:
    from transaction import Transaction as TransactionMetaData

FAR = b'\x7f' + b'\xff' * 7


def record(class_name, value):
    """A data record as ZODB writes it; protocol 2 is read by every Python."""
    class_ = getattr(peers_model, class_name)
    return pickle.dumps(class_, 2) + pickle.dumps({'value': value}, 2)


def value_in(data):
    import io
    stream = io.BytesIO(data)
    if str is bytes:
        pickle.load(stream)
        return pickle.load(stream).get('value')
    pickle.load(stream, encoding='latin-1')
    return pickle.load(stream, encoding='latin-1').get('value')


class Client(object):

    def __init__(self, host, port, storage='1', db=False, cache=None, name=None,
                 blob_dir=None, shared_blobs=False, read_only=False, encoding=None, timeout=20,
                 default_polls=False, path=None, tls=None):
        options = {'storage': str(storage), 'wait_timeout': timeout, 'read_only': int(read_only)}
        if cache is not None:
            options['var'] = cache
            options['client'] = name
        if blob_dir is not None:
            if not os.path.isdir(blob_dir):
                os.makedirs(blob_dir)
            options['blob_dir'] = blob_dir
            options['shared_blob_dir'] = shared_blobs
        if default_polls and not NEW:
            # As of an application that says nothing: ClientStorage's own.
            options['min_disconnect_poll'] = 1
            options['max_disconnect_poll'] = 30
        if tls is not None:
            import ssl
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=tls['ca'])
            context.load_cert_chain(tls['certificate'], tls['key'])
            options['ssl'] = context
            options['ssl_server_hostname'] = tls['name']
        address = (str(host), port) if path is None else str(path)
        self.storage = open_storage(address, encoding, **options)
        self.recording = self.storage._peers_recording
        self.manager = transaction.TransactionManager()
        self.db = self.connection = None
        self.txn = None
        self.polling = None
        if db:
            self.db = ZODB.DB(self.storage)
            self.connection = self.db.open(transaction_manager=self.manager)
        else:
            self.storage.registerDB(None)

    def close(self):
        if self.polling is not None:
            self.poll_stop()
        if self.txn is not None:
            self.abort()
        try:
            if self.connection is not None:
                self.manager.abort()
                self.connection.close()
                self.db.close()
            else:
                self.storage.close()
        except EnvironmentError as error:
            # ZEO 5 on Python 2.7 now and then wakes its network thread when it has ended already.
            if error.errno != errno.EBADF:
                raise

    # Reading

    def wire_call(self, method, *args):
        if NEW:
            return self.storage._call(method, *args)
        return getattr(self.storage._server, method)(*args)

    def wait_connected(self, timeout):
        """Waits until ClientStorage is connected (again)."""
        deadline = time.time() + timeout
        while not self.storage._peers_connected():
            if time.time() > deadline:
                return False
            time.sleep(0.02)
        return True

    def about(self):
        if NEW:
            version = self.storage._server.client.protocol.protocol_version
        else:
            version = self.storage._connection.peer_protocol_version
        return {'protocol': version.decode('ascii'), 'connected': self.storage._peers_connected()}

    def last_transaction(self):
        """Asked over the wire (a ZEO 5 client would answer from its cache)."""
        return to_hex(self.wire_call('lastTransaction') or NO_SERIAL)

    def new_oids(self, n):
        return [to_hex(self.storage.new_oid()) for _ in range(n)]

    def load(self, oid):
        """As ClientStorage serves it, so perhaps from its cache; None where there is no such object."""
        try:
            if hasattr(self.storage, 'load'):
                data, serial = self.storage.load(from_hex(oid), '')[:2]
            else:
                data, serial = self.storage.loadBefore(from_hex(oid), FAR)[:2]
        except (POSKeyError, TypeError):
            return None
        if not data:
            # What a ZODB3 server says of a deleted object to a ZEO 4 client.
            return None
        return {'value': value_in(data), 'serial': to_hex(serial)}

    def read(self, oid):
        """Through the DB, in a new transaction."""
        self.manager.begin()
        try:
            obj = self.connection.get(from_hex(oid))
            obj._p_activate()
        except POSKeyError:
            return None
        return {'value': obj.value, 'serial': to_hex(obj._p_serial)}

    def read_blob(self, oid):
        self.manager.begin()
        with self.connection.get(from_hex(oid)).open('r') as f:
            return f.read().decode('ascii')

    def blob_digest(self, oid):
        """Of what the client has of a committed blob, in its own folder or after fetching it."""
        self.manager.begin()
        digest = hashlib.sha256()
        size = 0
        with self.connection.get(from_hex(oid)).open('r') as f:
            for chunk in iter(lambda: f.read(1 << 20), b''):
                digest.update(chunk)
                size += len(chunk)
        return {'size': size, 'sha256': digest.hexdigest()}

    def look_up(self, oid):
        """An application that remembers absence until an invalidation names the oid."""
        if oid in self.recording.absent:
            return {'remembered': True, 'found': None}
        found = self.load(oid)
        if found is None:
            self.recording.absent.add(oid)
        return {'remembered': False, 'found': found}

    # One transaction, step by step

    def begin(self, tid=None):
        txn = TransactionMetaData()
        if tid is None:
            self.storage.tpc_begin(txn)
        else:
            self.storage.tpc_begin(txn, from_hex(tid))
        self.txn = txn

    def serial_of(self, oid):
        """The current serial, past the client's own cache."""
        return self.wire_call('loadBefore', oid, FAR)[1]

    def store(self, oid, value, class_name='Item', serial=None):
        """`serial`: hex, None for the current one, "none" for Python's None, "new" for a new object."""
        oid = from_hex(oid)
        if serial is None:
            serial = self.serial_of(oid)
        elif serial == 'none':
            serial = None
        elif serial == 'new':
            serial = NO_SERIAL
        else:
            serial = from_hex(serial)
        self.storage.store(oid, serial, record(class_name, value), '', self.txn)

    def check(self, oid):
        oid = from_hex(oid)
        self.storage.checkCurrentSerialInTransaction(oid, self.serial_of(oid), self.txn)

    def delete(self, oid):
        oid = from_hex(oid)
        self.storage.deleteObject(oid, self.serial_of(oid), self.txn)

    def undo(self, tid):
        """Undoes a transaction; FileStorage's undo ids are the tid in base 64."""
        encode = getattr(base64, 'encodebytes', None) or base64.encodestring
        self.storage.undo(encode(from_hex(tid)).rstrip(), self.txn)

    def vote(self):
        self.storage.tpc_vote(self.txn)

    def finish(self):
        self.storage.tpc_finish(self.txn)
        self.txn = None
        return to_hex(self.storage._peers_last_own)

    def abort(self):
        txn, self.txn = self.txn, None
        self.storage.tpc_abort(txn)

    # Whole transactions

    def commit(self, create=0, modify=(), class_name='Item', blobs=0, modify_blobs=()):
        """Through the DB. Objects are added to the connection, so creating modifies nothing."""
        self.manager.begin()
        try:
            created = []
            for i in range(create):
                obj = getattr(peers_model, class_name)()
                obj.value = i
                self.connection.add(obj)
                created.append(obj)
            for i in range(blobs):
                obj = ZODB.blob.Blob(('blob %d' % i).encode('ascii'))
                self.connection.add(obj)
                created.append(obj)
            for oid in modify:
                self.connection.get(from_hex(oid)).value += 1
            for oid in modify_blobs:
                with self.connection.get(from_hex(oid)).open('w') as f:
                    f.write(b'changed')
            self.manager.commit()
        except Exception:
            self.manager.abort()
            raise
        return {'tid': to_hex(self.storage._peers_last_own),
                'created': [to_hex(obj._p_oid) for obj in created]}

    def commit_blob(self, size):
        """Creates a blob of so many random bytes."""
        self.manager.begin()
        blob = ZODB.blob.Blob()
        digest = hashlib.sha256()
        with blob.open('w') as f:
            for start in range(0, size, 1 << 20):
                chunk = os.urandom(min(1 << 20, size - start))
                digest.update(chunk)
                f.write(chunk)
        self.connection.add(blob)
        self.manager.commit()
        return {'oid': to_hex(blob._p_oid), 'sha256': digest.hexdigest()}

    def copy_from(self, path):
        source = ZODB.FileStorage.FileStorage(str(path), read_only=True)
        try:
            self.storage.copyTransactionsFrom(source)
        finally:
            source.close()

    def pack(self):
        if self.db is not None:
            self.db.pack(time.time() + 1)
        else:
            from ZODB.serialize import referencesf
            self.storage.pack(time.time() + 1, referencesf)

    def write(self, count, seed, shared=(), stop_after=60, undo=True, delete=True):
        """`count` commits at random: created, mixed, modified, objects that others write too, deleted, undone, aborted.

        Ends after `stop_after` seconds in any case.
        """
        dice = random.Random(seed)
        deadline = time.time() + stop_after
        self.own_oids = []
        done = {'commits': 0, 'conflicts': 0, 'aborts': 0}
        last = None
        while done['commits'] < count and time.time() < deadline:
            kind = dice.randrange(10)
            try:
                if kind == 8 and delete and len(self.own_oids) > 3:
                    last = self.write_deleted(self.own_oids.pop(0))
                elif kind == 9 and last is not None and undo:
                    self.begin()
                    self.undo(last)
                    self.vote()
                    self.finish()
                    # What it created is gone.
                    self.own_oids = []
                    last = None
                else:
                    aborted = dice.randrange(12) == 0
                    last = self.write_objects(kind, dice, shared, aborted)
                    if aborted:
                        done['aborts'] += 1
                        continue
                done['commits'] += 1
            except (ConflictError, UndoError) as error:
                if self.txn is not None:
                    self.abort()
                self.manager.abort()
                done['conflicts'] += 1
                last = None
                if isinstance(error, POSKeyError):
                    raise
            except Exception:
                if self.txn is not None:
                    self.abort()
                self.manager.abort()
                raise
        return done

    def write_objects(self, kind, dice, shared, aborted):
        self.manager.begin()
        created = []
        if kind < 4 or not self.own_oids:
            for i in range(dice.randrange(1, 6)):
                obj = peers_model.Item()
                obj.value = i
                self.connection.add(obj)
                created.append(obj)
        if kind in (2, 3, 4, 5) and self.own_oids:
            for oid in dice.sample(self.own_oids, min(len(self.own_oids), dice.randrange(1, 4))):
                self.connection.get(oid).value += 1
        if kind in (5, 6, 7) and shared:
            self.connection.get(from_hex(dice.choice(list(shared)))).value += 1
        if aborted:
            self.manager.abort()
            return None
        self.manager.commit()
        self.own_oids.extend(obj._p_oid for obj in created)
        del self.own_oids[:-50]
        return to_hex(self.storage._peers_last_own)

    def write_deleted(self, oid):
        self.begin()
        self.delete(to_hex(oid))
        self.vote()
        return self.finish()

    # Polling

    def poll_start(self, oids):
        """Asks for lastTransaction and loadBefore all the time, in a thread."""
        self.polling = Polling(self, [from_hex(oid) for oid in oids])
        self.polling.start()

    def poll_stop(self):
        polling, self.polling = self.polling, None
        polling.stop = True
        polling.join(20)
        return {'polls': polling.polls, 'error': polling.error}


class Polling(threading.Thread):

    def __init__(self, client, oids):
        threading.Thread.__init__(self)
        self.daemon = True
        self.client = client
        self.oids = oids
        self.stop = False
        self.polls = 0
        self.error = None

    def run(self):
        try:
            while not self.stop:
                self.client.wire_call('lastTransaction')
                for oid in self.oids:
                    self.client.wire_call('loadBefore', oid, FAR)
                self.polls += 1
        except Exception as error:
            if not self.stop:
                self.error = '%s: %s' % (type(error).__name__, error)

