"""The persistent classes of the tests; servers import them too, to resolve conflicts."""

from persistent import Persistent


class Item(Persistent):
    """A value; two writers at once are a conflict."""

    value = 0


class Counter(Persistent):
    """A number; two writers at once are added up."""

    value = 0

    def _p_resolveConflict(self, old, committed, new):
        committed['value'] = committed['value'] + new['value'] - old['value']
        return committed
