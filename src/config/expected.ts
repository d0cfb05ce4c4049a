// What messages say of addresses, in more than one place.

export const PATH = "an absolute path of at most 107 bytes";

/** What a server's address is to look like. */
export const SERVER = `HOST:PORT such as 127.0.0.1:8100, "[::1]:8100" or zeo.example.com:8100, or ${PATH}`;
