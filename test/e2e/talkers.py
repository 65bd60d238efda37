#!/usr/bin/python3
"""POP3 servers on every address that this host has: talk without end.

    test/e2e/talkers.py PORT READY

Those of an even address greet and answer CAPA with a line each half second;
of the odd ones half refuse at once and half stay silent. READY is made when
they listen.
"""

import asyncio
import pathlib
import sys

SOON, LATER = 0.1, 0.5


async def talk(reader, writer):
    address = writer.get_extra_info("sockname")[0]
    try:
        last = (int(address.rsplit(":", 1)[1] or "0", 16) if ":" in address
                else int(address.rsplit(".", 1)[1]))
        if last % 4 == 1:
            await asyncio.sleep(SOON)
            writer.write(b"-ERR not today\r\n")
            return
        if last % 2:
            await reader.read()
            return
        await asyncio.sleep(SOON)
        writer.write(f"+OK talk to {address}\r\n".encode())
        await reader.readline()
        writer.write(b"+OK\r\n")
        while True:
            writer.write(b"X-ON-AND-ON\r\n")
            await writer.drain()
            await asyncio.sleep(LATER)
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(
        talk, ["0.0.0.0", "::"], int(sys.argv[1]), backlog=4096)
    pathlib.Path(sys.argv[2]).touch()
    await server.serve_forever()


asyncio.run(main())
