"""A process with real ZEO clients, driven by JSON lines.

Request:  {"id": 1, "client": "a", "op": "commit", "args": {...}}
Answer:   {"id": 1, "result": ...} or {"id": 1, "error": {"type": "ConflictError", "message": "..."}}

"open" makes a client, "close" ends it; every other op is a method of it. Each client's requests are carried out
in a thread of its own, in order; different clients at once.
"""

import json
import logging
import os
import sys
import threading
import traceback

try:
    import queue
except ImportError:
    import Queue as queue

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# Only the answers go to standard output.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
answers_lock = threading.Lock()

logging.basicConfig(stream=sys.stderr, level=getattr(logging, os.environ.get('PEERS_LOG', 'ERROR')))

from client import Client  # noqa: E402


def answer(message):
    with answers_lock:
        answers.write(json.dumps(message) + '\n')
        answers.flush()


class Worker(threading.Thread):
    """The thread of one client."""

    def __init__(self):
        threading.Thread.__init__(self)
        self.daemon = True
        self.requests = queue.Queue()
        self.client = None
        self.start()

    def run(self):
        while True:
            request = self.requests.get()
            try:
                result = self.carry_out(request['op'], request.get('args') or {})
            except BaseException as error:
                where = traceback.extract_tb(sys.exc_info()[2])[-1]
                message = '%s (%s line %d)' % (str(error)[:500], where[0], where[1])
                answer({'id': request['id'], 'error': {'type': type(error).__name__, 'message': message}})
            else:
                answer({'id': request['id'], 'result': result})

    def carry_out(self, op, args):
        args = dict((str(name), value) for name, value in args.items())
        if op == 'open':
            self.client = Client(**args)
            return self.client.about()
        if op == 'close':
            client, self.client = self.client, None
            client.close()
            return client.recording.take()
        if op == 'events':
            return self.client.recording.take()
        if op == 'wait_told':
            return self.client.recording.wait_told(args['tid'], args['timeout'])
        return getattr(self.client, op)(**args)


def main():
    workers = {}
    answer({'id': 0, 'result': 'ready'})
    for line in iter(sys.stdin.readline, ''):
        request = json.loads(line)
        name = request['client']
        if name not in workers:
            workers[name] = Worker()
        workers[name].requests.put(request)
    os._exit(0)


main()
