"""Oids and tids as 16 hex digits, on Python 2.7 and 3."""

from binascii import hexlify
from binascii import unhexlify


NO_SERIAL = b'\0' * 8


def to_hex(eight):
    return hexlify(eight).decode('ascii')


def from_hex(text):
    return unhexlify(text.encode('ascii'))


def looks_like_tid(value):
    """Is this eight bytes of a time between 2010 and 2040? No oid of the tests is that big."""
    return (isinstance(value, bytes) and len(value) == 8
            and b'\x03\x80' < value[:2] < b'\x05\x00')
