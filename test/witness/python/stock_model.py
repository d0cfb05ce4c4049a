"""What is in a transaction's extension, and nobody but the server and who has put it there can import."""


class Odd(object):
    pass
