"""A process of real ZEO clients that act by themselves: writers, observers, pollers, visitors.

It answers JSON lines as `test/peers/python/driver.py` does. What its clients are told and do goes, event by event, into a
file: whoever is killed has told all that it knew.

    {"op": "start", "args": {"record": path, "copies": path}}
    {"op": "create", "args": {"port": port, "count": 10}}    a new client makes objects; answers their oids
    {"op": "enter", "args": {"actors": [{...}, ...]}}    they come, and begin
    {"op": "calm", "args": {"seconds": 60}}      no one begins anything new
    {"op": "back", "args": {"seconds": 60}}      visitors come once more, and stay
    {"op": "behind", "args": {"tid": tid, "seconds": 10}}    waits for all to know of `tid`; answers who does not
    {"op": "commit", "args": {"name": name, "oids": [...]}}    a last one
    {"op": "contents"}   what the caches of those that are there hold
    {"op": "close"}
"""

import base64
import json
import logging
import os
import random
import shutil
import sys
import threading
import time
import traceback
import zlib

# Only the answers go to standard output.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
answers_lock = threading.Lock()

logging.basicConfig(stream=sys.stderr, level=getattr(logging, os.environ.get('PEERS_LOG', 'CRITICAL')))

if sys.version_info >= (3, 12):
    # With epoll asyncio of CPython 3.12.1 was seen to wait for good in `sock_connect`, where the connection before that one
    # had been reset as soon as it was made: behind a plain relay too, some ten such connections are enough. Not with poll.
    import selectors
    selectors.DefaultSelector = selectors.PollSelector

import transaction  # noqa: E402
import ZODB  # noqa: E402
import ZEO.ClientStorage  # noqa: E402

import recording  # noqa: E402
from client import Client  # noqa: E402
from client import FAR  # noqa: E402
from client import record  # noqa: E402
from client import TransactionMetaData  # noqa: E402
from hexes import NO_SERIAL  # noqa: E402
from hexes import from_hex  # noqa: E402
from hexes import to_hex  # noqa: E402
from recording import NEW  # noqa: E402

# Small, so that a copy is cheap, and large enough that nothing is thrown out in a round.
CACHE_BYTES = 1 << 20
CONNECT_SECONDS = 10
MOST_CONNECTING_SECONDS = 45
CREATE_SECONDS = 40

# How often a writer does what.
KINDS = (['created'] * 6 + ['modified'] * 4 + ['both'] * 4 + ['many'] * 2 + ['deleted'] * 2 + ['undone'] * 2
         + ['nothing', 'aborted'])

calm = threading.Event()


def checksum(data):
    return zlib.crc32(data) & 0xffffffff


class Telling(recording.Recording):
    """A recording that is written down as it grows."""

    def __init__(self, actor):
        recording.Recording.__init__(self)
        self.actor = actor

    def evidence(self, args):
        """Where an old revision has ended can be new: that spoils nothing, and is not looked at."""
        is_ended = (isinstance(args, (tuple, list)) and len(args) == 3
                    and all(recording.looks_like_tid(tid) for tid in args[1:]))
        return args[:2] if is_ended else args

    def add(self, *event):
        self.actor.say(*event)
        with self.changed:
            if event[0] == 'told':
                self.actor.heard_of(event[2])
            self.changed.notify_all()


def store_in_order():
    """
    ZEO 5.2.1 puts what it has loaded into its cache a turn of its loop after it has read it. An invalidation that comes in
    the same turn is forgotten with that, whoever the server is. Here it is put there when it is read.
    """
    import ZEO.asyncio.client as module
    client_class = getattr(module, 'Client', None)
    if client_class is None or not hasattr(client_class, 'load_before_threadsafe'):
        return
    message_received = module.Protocol.message_received

    def message_received_and_stored(self, data):
        message_id, is_exception, name, args = self.decode(data)
        if name == '.reply' and isinstance(message_id, tuple) and not is_exception and args:
            loaded, start, end = args
            self.client.cache.store(message_id[0], start, end, loaded)
        message_received(self, data)

    @module.future_generator
    def load_before_threadsafe(self, future, wait_ready, oid, tid):
        data = self.cache.loadBefore(oid, tid)
        if data is not None:
            future.set_result(data)
        elif self.ready:
            try:
                data = yield self.protocol.load_before(oid, tid)
            except Exception as exc:
                future.set_exception(exc)
            else:
                future.set_result(data)
        elif wait_ready:
            self._when_ready(self.load_before_threadsafe, future, wait_ready, oid, tid)
        else:
            future.set_exception(module.ClientDisconnected())

    module.Protocol.message_received = message_received_and_stored
    client_class.load_before_threadsafe = load_before_threadsafe


if NEW:
    store_in_order()


class FaultClient(Client):
    """A ClientStorage that may lose its server at any moment, and may not find it."""

    def __init__(self, actor, port, cache=None, db=False):
        self.txn = self.db = self.connection = self.polling = None
        self.manager = transaction.TransactionManager()
        options = {
            'wait_timeout': CONNECT_SECONDS,
            'cache_size': CACHE_BYTES,
            # A ZEO 4 client that verifies its whole cache writes the new tid into the file before it knows what is
            # stale. Whatever breaks that off leaves stale objects, whoever the server is.
            'drop_cache_rather_verify': True,
        }
        if cache is not None:
            options['var'], options['client'] = os.path.split(cache)
        if not NEW:
            options.update(wait=True, min_disconnect_poll=0.1, max_disconnect_poll=0.5)
        storage = self.storage = recording.RecordedStorage.__new__(recording.RecordedStorage)
        self.recording = storage._peers_recording = Telling(actor)
        storage._peers_last_own = None
        try:
            storage.__init__(('127.0.0.1', port), **options)
            if db:
                self.db = ZODB.DB(storage)
                self.connection = self.db.open(transaction_manager=self.manager)
            else:
                storage.registerDB(None)
        except BaseException:
            # It goes on connecting, and keeps its cache's lock.
            try:
                storage.close()
            except Exception:
                pass
            raise

    @property
    def cache_tid(self):
        return to_hex(self.storage._cache.getLastTid() or NO_SERIAL)

    def is_connected(self):
        if NEW:
            return self.storage._peers_connected()
        self.let_go_of_the_dead()
        # One whose verification broke off behind its last call has a server that is gone, and looks for another.
        if not self.storage._rpc_mgr.is_connected():
            return False
        return self.storage._server is not ZEO.ClientStorage.disconnected_stub and self.storage.is_connected()

    def let_go_of_the_dead(self):
        """
        A connection that breaks right behind the verification: ZEO 4's manager does not know it yet when it is closed,
        takes it for the present one then, and never looks for another.
        """
        manager = self.storage._rpc_mgr
        connection = manager.connection
        if connection is not None and connection.closed:
            self.recording.add('trouble', 'a dead connection', '', '')
            manager.close_conn(connection)

    def begin_marked(self, mark):
        txn = TransactionMetaData()
        txn.description = mark if str is bytes else u'' + mark
        # A ZEO 4 client that loses its server in there has begun, and waits for an end.
        self.txn = txn
        self.storage.tpc_begin(txn)

    def drop_transaction(self):
        if self.txn is None:
            return
        try:
            self.abort()
        except Exception:
            self.txn = None

    def contents(self):
        """The current objects of its cache, and those that its connection has."""
        cache = self.storage._cache
        found = []
        for oid in [oid for oid, _ in list(cache.contents())]:
            loaded = cache.load(oid)
            if loaded is not None:
                found.append([to_hex(oid), to_hex(loaded[1]), checksum(loaded[0])])
        objects = []
        if self.connection is not None:
            self.manager.begin()
            for oid, obj in list(self.connection._cache.items()):
                if obj._p_state is not None and obj._p_state >= 0:
                    objects.append([to_hex(oid), to_hex(obj._p_serial)])
        return {'tid': self.cache_tid, 'current': found, 'objects': objects}


class Actor(threading.Thread):

    def __init__(self, stage, name, role, port, seed, shared, cache=None, db=False, told=True):
        threading.Thread.__init__(self)
        self.daemon = True
        self.stage = stage
        self.name = name
        self.role = role
        self.port = port
        self.dice = random.Random(seed)
        self.shared = [from_hex(oid) for oid in shared]
        self.cache = cache
        self.with_db = db
        # Is it behind a proxy, so that it hears of everything?
        self.is_told = told
        self.hangs = False
        self.client = None
        self.opened = threading.Event()
        self.rests = threading.Event()
        self.failure = None
        # What others have changed lately, and what it has created itself.
        self.heard = []
        self.own = []
        self.last = None
        self.numbers = 0

    def say(self, *event):
        self.stage.write(json.dumps([self.name] + list(event)) + '\n')

    def heard_of(self, oids):
        self.heard = (self.heard + [from_hex(oid) for oid in oids])[-40:]

    def run(self):
        try:
            getattr(self, 'play_' + self.role)()
        except Exception:
            self.failure = traceback.format_exc()
            self.say('failed', self.failure)
        self.opened.set()
        self.rests.set()

    # Coming and going

    def open(self):
        self.say('open', self.cache is not None)
        self.client = FaultClient(self, self.port, self.cache, self.with_db)
        self.opened.set()

    def open_at_last(self):
        """A server that is down is there again later; to wait for it is no failure until everyone has gone on."""
        while True:
            try:
                self.open()
                return
            except Exception as error:
                self.say('not connected', *told_of(error))
                self.opened.set()
                time.sleep(0.05)

    def close(self):
        client, self.client = self.client, None
        if client is None:
            return
        client.drop_transaction()
        try:
            client.close()
        except Exception as error:
            self.say('trouble', 'close', *told_of(error))
        self.say('closed')

    def keep_copy(self):
        """A copy of its file, for the judge."""
        source = self.cache + '-1.zec'
        if os.path.exists(source):
            self.numbers += 1
            copy = os.path.join(self.stage.copies, '%s.%d.%d.zec' % (self.name, os.getpid(), self.numbers))
            # Whole, or not at all: the process may be killed meanwhile.
            part = os.path.join(os.path.dirname(self.cache), os.path.basename(copy) + '.part')
            shutil.copyfile(source, part)
            os.rename(part, copy)

    def pause(self, least, most):
        calm.wait(self.dice.uniform(least, most))

    def wait_connected(self):
        while not calm.is_set() and not self.client.is_connected():
            calm.wait(0.02)

    # Roles

    def play_observer(self):
        self.open_at_last()
        while not calm.is_set():
            self.look()
            self.pause(0, 0.08)

    def play_poller(self):
        self.open_at_last()
        while not calm.is_set():
            try:
                self.poll()
            except Exception as error:
                self.say('trouble', 'poll', *told_of(error))
                self.wait_connected()
            self.pause(0, 0.03)

    def play_visitor(self):
        while not calm.is_set():
            try:
                self.open()
            except Exception as error:
                self.say('not connected', *told_of(error))
                self.opened.set()
            else:
                for _ in range(self.dice.randrange(1, 25)):
                    if calm.is_set():
                        break
                    self.look()
                    self.pause(0, 0.06)
                self.close()
                self.keep_copy()
            self.pause(0, 0.3)

    def play_writer(self):
        self.open_at_last()
        number = 0
        while not calm.is_set():
            number += 1
            try:
                self.write('%s-%d-%d' % (self.name, os.getpid(), number))
            except Exception as error:
                self.say('trouble', 'write', *told_of(error))
                self.client.drop_transaction()
                self.wait_connected()
            self.pause(0, 0.06)

    def some_oid(self):
        pool = self.heard if self.heard and self.dice.random() < 0.5 else self.shared
        return self.dice.choice(pool)

    def look(self):
        oid = to_hex(self.some_oid())
        try:
            if self.with_db:
                found = self.client.read(oid)
                self.say('read', oid, found and found['serial'])
            else:
                self.client.load(oid)
        except Exception as error:
            self.say('trouble', 'look', *told_of(error))
            self.wait_connected()

    def poll(self):
        """What the server says, and what it has itself: nothing that was shown may be newer than what it was told."""
        client = self.client
        last = to_hex(client.wire_call('lastTransaction') or NO_SERIAL)
        known = client.cache_tid
        if known < last:
            self.say('behind', last, known)
        oid = self.some_oid()
        if client.load(to_hex(oid)) is None:
            return
        answer = client.wire_call('loadBefore', oid, FAR)
        if answer is None:
            return
        mine = client.load(to_hex(oid))
        if mine is not None and mine['serial'] < to_hex(answer[1]):
            self.say('stale', to_hex(oid), to_hex(answer[1]), mine['serial'])
        self.say('polled')

    def serial_of(self, oid):
        """As its cache has it."""
        data, serial = self.client.storage.loadBefore(oid, FAR)[:2]
        if not data:
            raise KeyError(oid)
        return serial

    def new_oids(self, many):
        """Each once: a server that was killed hands out again what its clients had in stock."""
        oids = []
        while len(oids) < many:
            oid = self.client.storage.new_oid()
            if oid not in oids:
                oids.append(oid)
        return oids

    def write(self, mark):
        dice, client = self.dice, self.client
        kind = dice.choice(KINDS)
        if kind in ('deleted', 'undone') and (len(self.own) < 3 or self.last is None):
            kind = 'created'
        self.say('attempt', mark, kind)
        client.begin_marked(mark)
        created, changed = [], []
        if kind in ('created', 'both', 'aborted'):
            created = self.new_oids(dice.randrange(1, 4))
        elif kind == 'many':
            created = self.new_oids(dice.randrange(10, 20))
        if kind in ('modified', 'both', 'many'):
            pool = self.shared + self.own
            changed = dice.sample(pool, dice.randrange(1, 4))
        for oid in created:
            client.storage.store(oid, NO_SERIAL, record('Item', dice.randrange(1 << 20)), '', client.txn)
        for oid in changed:
            client.storage.store(oid, self.serial_of(oid), record('Item', dice.randrange(1 << 20)), '', client.txn)
        deleted = None
        if kind == 'deleted':
            deleted = self.own.pop(dice.randrange(len(self.own)))
            client.storage.deleteObject(deleted, self.serial_of(deleted), client.txn)
            changed = [deleted]
        if kind == 'undone':
            encode = getattr(base64, 'encodebytes', None) or base64.encodestring
            client.storage.undo(encode(self.last).rstrip(), client.txn)
        client.vote()
        if kind == 'aborted':
            client.abort()
            return
        self.say('finishing', mark)
        tid = client.finish()
        self.say('committed', mark, tid, None if kind == 'undone' else [to_hex(oid) for oid in created + changed])
        if kind == 'undone':
            # What it created is gone.
            self.own, self.last = [], None
        elif kind != 'nothing':
            self.own = (self.own + created)[-30:]
            self.last = from_hex(tid)

    def commit_last(self, oids):
        """Changes `oids`; returns the tid."""
        client = self.client
        mark = '%s-%d-last-%d' % (self.name, os.getpid(), self.dice.randrange(1 << 30))
        self.say('attempt', mark, 'modified')
        try:
            client.begin_marked(mark)
            oids = [from_hex(oid) for oid in oids]
            for oid in oids:
                client.storage.store(oid, client.serial_of(oid), record('Item', -1), '', client.txn)
            client.vote()
            self.say('finishing', mark)
            tid = client.finish()
        except Exception:
            client.drop_transaction()
            raise
        self.say('committed', mark, tid, [to_hex(oid) for oid in oids])
        return tid


def told_of(error):
    try:
        return type(error).__name__, str(error)[:200]
    except Exception:
        # Of ZODB's, that for several undos has none.
        return type(error).__name__, ''


def all_stacks():
    names = dict((thread.ident, thread.name) for thread in threading.enumerate())
    return '\n'.join('%s:\n%s' % (names.get(ident), ''.join(traceback.format_stack(frame)[-6:]))
                     for ident, frame in sys._current_frames().items())


class Stage(object):

    def __init__(self, record, copies):
        self.copies = copies
        self.file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.actors = []

    def create(self, port, count):
        """A session may be ended at any moment, and its client has to try again."""
        deadline = time.time() + CREATE_SECONDS
        while True:
            actor = Actor(self, 'creator', None, port, 0, [], db=True)
            try:
                return self.create_with(actor, count)
            except Exception as error:
                actor.say('trouble', 'create', *told_of(error))
                if time.time() > deadline:
                    raise
                time.sleep(0.1)
            finally:
                actor.close()

    def create_with(self, actor, count):
        # With a DB, which makes the root that each DB wants.
        actor.open()
        client = actor.client
        client.begin_marked('creator')
        oids = [client.storage.new_oid() for _ in range(count)]
        for oid in oids:
            client.storage.store(oid, NO_SERIAL, record('Item', 0), '', client.txn)
        client.vote()
        client.finish()
        return [to_hex(oid) for oid in oids]

    def enter(self, actors):
        self.actors = [Actor(self, **dict((str(name), value) for name, value in actor.items())) for actor in actors]
        for actor in self.actors:
            actor.start()
        for actor in self.actors:
            actor.opened.wait()

    def write(self, line):
        os.write(self.file, line.encode('ascii'))

    def calm(self, seconds):
        """Answers when everyone rests: why some could not go on, or where they hang."""
        calm.set()
        hanging = self.hanging(self.actors, seconds)
        return hanging + [actor.failure for actor in self.actors if actor.failure is not None]

    def back(self, seconds):
        visitors = [actor for actor in self.actors if actor.role == 'visitor']
        coming = []
        for actor in visitors:
            thread = threading.Thread(target=actor.open_at_last, name=actor.name)
            thread.daemon = True
            thread.start()
            coming.append(thread)
        return self.hanging(coming, seconds)

    def hanging(self, threads, seconds):
        deadline = time.time() + seconds
        for thread in threads:
            thread.join(max(0, deadline - time.time()))
        names = [thread.name for thread in threads if thread.is_alive()]
        for actor in self.actors:
            if actor.name in names:
                # Whoever looks at it may wait for a lock that it has.
                actor.hangs = True
        return ['%s hang, of all: %s' % (', '.join(names), all_stacks())] if names else []

    def there(self):
        return [actor for actor in self.actors if actor.is_told and not actor.hangs and actor.client is not None]

    def behind(self, tid, seconds):
        """
        There is no event for what a cache knows: an invalidation is told before the tid is set. The time begins when all
        are connected, for which some wait long: ten seconds for a greeting that is lost, however it was lost, and ZODB3 so
        for each of three connections, which it makes at once (one for each kind of socket that `getaddrinfo` names).
        """
        deadline = time.time() + MOST_CONNECTING_SECONDS
        while time.time() < deadline and not all(actor.client.is_connected() for actor in self.there()):
            time.sleep(0.02)
        deadline = time.time() + seconds
        while True:
            late = [[actor.name, actor.client.cache_tid, actor.client.is_connected()]
                    for actor in self.there() if actor.client.cache_tid < tid]
            if not late or time.time() > deadline:
                return late
            time.sleep(0.02)

    def commit(self, name, oids):
        actor, = [actor for actor in self.actors if actor.name == name]
        return actor.commit_last(oids)

    def contents(self):
        return dict((actor.name, actor.client.contents()) for actor in self.there())

    def close(self):
        for actor in self.actors:
            if actor.hangs:
                continue
            actor.close()
            if actor.cache is not None:
                actor.keep_copy()


def answer(message):
    with answers_lock:
        answers.write(json.dumps(message) + '\n')
        answers.flush()


def main():
    stage = None
    answer({'id': 0, 'result': 'ready'})
    for line in iter(sys.stdin.readline, ''):
        request = json.loads(line)
        try:
            args = dict((str(name), value) for name, value in (request.get('args') or {}).items())
            if request['op'] == 'start':
                stage = Stage(**args)
                result = None
            else:
                result = getattr(stage, request['op'])(**args)
        except BaseException as error:
            answer({'id': request['id'], 'error': {
                'type': type(error).__name__, 'message': '%s\n%s' % (error, traceback.format_exc()[-1500:])}})
        else:
            answer({'id': request['id'], 'result': result})
    os._exit(0)


main()
