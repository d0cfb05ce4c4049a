"""Reads objects whenever a line with an oid in hex comes, through a client's cache. Argument: port.

Prints "up", and for each line the object's data in hex, or "none" where there is no such object.
"""
import binascii
import os
import sys

from ZEO.ClientStorage import ClientStorage
from ZODB.POSException import POSKeyError

storage = ClientStorage(("127.0.0.1", int(sys.argv[1])), client="old", var=os.getcwd(), wait=True, wait_timeout=20)


def say(what):
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


say("up")
for line in iter(sys.stdin.readline, ""):
    try:
        say(binascii.hexlify(storage.load(binascii.unhexlify(line.strip()), "")[0]).decode("ascii"))
    except POSKeyError:
        say("none")
storage.close()
