"""Reads and writes messages with the marshalling code of an installed ZEO, on whatever Python runs it.

Arguments: the protocol, `Z4` (ZODB3, ZEO 4), `Z5` or `M5`.

Each line of input is `["decode", hex]` or `["encode", [id, flags, method, args]]`, each line of output the answer, with
values in the form that `plain` describes.
"""
import binascii
import json
import sys

PY3 = sys.version_info[0] >= 3
TEXT = str if PY3 else type(u'')

protocol = sys.argv[1]

if protocol == 'Z4':
    from ZEO.zrpc.marshal import decode, encode
else:
    from ZEO.asyncio import marshal
    try:
        encode = marshal.encoder(protocol.encode('ascii'), True)
        decode = marshal.decoder(protocol.encode('ascii'))
    except TypeError:
        # ZEO 5.0 has only pickles.
        encode, decode = marshal.encoder(), marshal.decode


def plain(value):
    """A value as JSON: the kind and the content, so that no two kinds look alike."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, bytes):
        return {'bytes': binascii.hexlify(value).decode('ascii')}
    if isinstance(value, TEXT):
        return {'text': value}
    if isinstance(value, float):
        return {'float': repr(value)}
    if isinstance(value, tuple):
        return {'tuple': [plain(item) for item in value]}
    if isinstance(value, list):
        return {'list': [plain(item) for item in value]}
    if isinstance(value, dict):
        return {'dict': sorted(([plain(k), plain(v)] for k, v in value.items()), key=repr)}
    return {'int': '%d' % value}


def real(value):
    """The other way round."""
    if value is None or value is True or value is False:
        return value
    (kind, content), = value.items()
    if kind == 'bytes':
        return binascii.unhexlify(content)
    if kind == 'text':
        return content
    if kind == 'float':
        return float(content)
    if kind == 'int':
        return int(content)
    if kind == 'tuple':
        return tuple(real(item) for item in content)
    if kind == 'list':
        return [real(item) for item in content]
    return dict((real(k), real(v)) for k, v in content)


for line in iter(sys.stdin.readline, ''):
    what, content = json.loads(line)
    try:
        if what == 'decode':
            answer = plain(decode(binascii.unhexlify(content)))
        else:
            message = [real(item) for item in content]
            answer = binascii.hexlify(encode(*message)).decode('ascii')
    except Exception as error:
        answer = {'error': '%s: %s' % (type(error).__name__, error)}
    sys.stdout.write(json.dumps(answer) + '\n')
    sys.stdout.flush()
