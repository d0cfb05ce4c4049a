"""Runs test modules of an installed ZEO with something between its clients and its servers.

    python suite.py CONTROL_PORT LIMIT_SECONDS MODULE ...

Before a client connects it asks the control port (JSON lines) for an address in front of the server's; servers
are started by the tests as always. On standard output a JSON line with the number of tests, and one for each:

    {"planned": n}
    {"test": name, "outcome": "ok" | "failed" | "skipped" | "too long", "seconds": n, "details": text}

Test layers are set up as zope.testrunner would.
"""

import importlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import unittest

CONTROL = int(sys.argv[1])
LIMIT = int(sys.argv[2])

output = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)


def tell(line):
    output.write(json.dumps(line) + '\n')
    output.flush()


def ask(question):
    control = socket.create_connection(('127.0.0.1', CONTROL), 20)
    try:
        control.sendall((json.dumps(question) + '\n').encode('ascii'))
        answer = b''
        while not answer.endswith(b'\n'):
            chunk = control.recv(4096)
            if not chunk:
                raise RuntimeError('the control connection was closed')
            answer += chunk
        return json.loads(answer.decode('ascii'))
    finally:
        control.close()


def in_front(host, port):
    """The address to connect to instead."""
    return ask({'host': host, 'port': port})['port']


def redirect_new():
    import asyncio

    original = asyncio.BaseEventLoop.create_connection

    def create_connection(self, factory, host=None, port=None, **kw):
        if port:
            port = in_front(host, port)
        return original(self, factory, host, port, **kw)

    asyncio.BaseEventLoop.create_connection = create_connection


def redirect_old():
    from ZEO.zrpc.client import ConnectWrapper

    original = ConnectWrapper.__init__

    def init(self, domain, addr, mgr, client):
        if isinstance(addr, tuple):
            addr = (addr[0], in_front(addr[0], addr[1])) + addr[2:]
        original(self, domain, addr, mgr, client)

    ConnectWrapper.__init__ = init


try:
    import ZEO.asyncio  # noqa: F401
    redirect_new()
except ImportError:
    redirect_old()


def flatten(test, layer=None):
    """All (layer, test case) of a suite."""
    layer = getattr(test, 'layer', layer)
    if isinstance(test, unittest.TestSuite):
        for each in test:
            for found in flatten(each, layer):
                yield found
    else:
        yield layer, test


class TooLong(BaseException):
    pass


def too_long(signum, frame):
    raise TooLong()


signal.signal(signal.SIGALRM, too_long)


class Result(unittest.TestResult):
    outcome = 'ok'
    details = ''

    def _bad(self, err):
        self.outcome = 'failed'
        self.details += ''.join(traceback.format_exception(*err))[-3000:]

    def addError(self, test, err):
        self._bad(err)

    def addFailure(self, test, err):
        self._bad(err)

    def addSkip(self, test, reason):
        self.outcome = 'skipped'
        self.details = reason


def run(test):
    result = Result()
    began = time.time()
    signal.alarm(LIMIT)
    try:
        test.run(result)
    except TooLong:
        result.outcome = 'too long'
    except BaseException as error:
        result.outcome = 'failed'
        result.details = '%s: %s' % (type(error).__name__, error)
    finally:
        signal.alarm(0)
    ask({'forget': True})
    if os.environ.get('SUITE_LOG'):
        with open(os.environ['SUITE_LOG'], 'a') as log:
            log.write('%.3f %s %s %.1f\n' % (time.time(), result.outcome, test.id(), time.time() - began))
    tell({
        'test': test.id(), 'outcome': result.outcome,
        'seconds': round(time.time() - began, 1), 'details': result.details})


def layered(layer, what):
    """Calls setUp or tearDown of a layer and its bases."""
    if layer is None:
        return
    bases = getattr(layer, '__bases__', ())
    if what == 'setUp':
        for base in bases:
            if base is not object:
                layered(base, what)
    method = getattr(layer, what, None)
    if method is not None:
        method()


def main():
    only = os.environ.get('SUITE_ONLY')
    part = os.environ.get('SUITE_PART')
    folder = tempfile.mkdtemp(prefix='zeo-proxy-suite-')
    os.chdir(folder)
    tests = []
    for name in sys.argv[3:]:
        module = importlib.import_module(name)
        if hasattr(module, 'test_suite'):
            suite = module.test_suite()
        else:
            suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        tests.extend(flatten(suite))
    # TLS is relayed byte for byte, and its tests double the time.
    if not only and not os.environ.get('SUITE_TLS'):
        tests = [(layer, test) for layer, test in tests if 'SSL' not in test.id()]
    if only:
        wanted = json.loads(only)
        tests = [(layer, test) for layer, test in tests if test.id() in wanted]
    if part:
        which, of = [int(n) for n in part.split('/')]
        tests = tests[which::of]
    tell({'planned': len(tests)})
    layers = []
    for layer, _ in tests:
        if layer not in layers:
            layers.append(layer)
    for layer in layers:
        layered(layer, 'setUp')
        for test in [t for each, t in tests if each is layer]:
            run(test)
        try:
            layered(layer, 'tearDown')
        except Exception:
            traceback.print_exc()
    os.chdir('/')
    shutil.rmtree(folder, ignore_errors=True)
    output.flush()
    os._exit(0)


if __name__ == '__main__':
    main()
