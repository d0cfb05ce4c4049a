"""Reads one object through a client's cache until it changes. Arguments: port, oid in hex.

Prints the object's data in hex: "has ..." at first, "then ..." when it has changed, or after half a minute.
"""
import binascii
import os
import sys
import time

from ZEO.ClientStorage import ClientStorage

port, oid = int(sys.argv[1]), binascii.unhexlify(sys.argv[2])
storage = ClientStorage(("127.0.0.1", port), client="late", var=os.getcwd(), wait=True, wait_timeout=20)


def read():
    return binascii.hexlify(storage.load(oid, "")[0]).decode("ascii")


def say(word, what):
    sys.stdout.write("%s %s\n" % (word, what))
    sys.stdout.flush()


first = read()
say("has", first)
for _ in range(600):
    if read() != first:
        break
    time.sleep(0.05)
say("then", read())
storage.close()
