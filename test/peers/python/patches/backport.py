"""Gives an installed ZEO 4.3.1 the repair of ZEO's pull request 161 (the backport of 160).

An unpatched server remembers a stored oid for the invalidation only where its serial isn't eight zeros. The repair
drops that condition, so created oids are announced too. This edits the installed copy: python backport.py FOLDER
"""

import io
import os
import re
import sys

path = os.path.join(sys.argv[1], 'ZEO', 'StorageServer.py')
with io.open(path, encoding='utf-8') as f:
    source = f.read()

condition = re.compile(r'^( +)if serial != b"(?:\\0){8}":\n +(self\.invalidated\.append\(oid\)\n)', re.MULTILINE)
source, count = condition.subn(r'\1\2', source)
if count != 1:
    sys.exit('%s: expected one condition to drop, found %d' % (path, count))

with io.open(path, 'w', encoding='utf-8') as f:
    f.write(source)
