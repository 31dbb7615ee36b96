"""Forwards connections to the DynamoDB of the local stack, which listens on the loopback interface only, so that containers can
use it.

usage: forward.py HOST:PORT STACK     HOST: the address of Docker's bridge, which other machines cannot reach
                                      STACK: the URL of the local stack
"""

import asyncio
import json
import sys
import urllib.parse
import urllib.request


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(listen, stack):
    with urllib.request.urlopen(f"{stack}/_local/health") as answer:
        store = urllib.parse.urlsplit(json.load(answer)["dynamodb"])
    host, _, port = listen.rpartition(":")

    async def serve(reader, writer):
        to_reader, to_writer = await asyncio.open_connection(store.hostname, store.port)
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))

    server = await asyncio.start_server(serve, host, int(port))
    print(f"forwarding {listen} to {store.netloc}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError) as error:
        sys.exit(f"failed to forward {sys.argv[1]} to {sys.argv[2]}: {error}")
