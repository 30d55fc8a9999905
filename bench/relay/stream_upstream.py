# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""An upstream whose streamed events say when they were sent. Run as a program it prints its port.

The request's max_tokens is the number of events, its temperature the seconds between two.
"""

import asyncio
import json
import time

HEAD = (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
        b"transfer-encoding: chunked\r\n\r\n")


def _chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(text, finish=None):
    delta = {"content": text} if finish is None else {}
    return b"data: " + json.dumps({
        "id": "chatcmpl-9a1c7f52e0b84d3a", "object": "chat.completion.chunk", "created": 1760000000,
        "model": "relayed", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"


async def _answer(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                          if line.lower().startswith(b"content-length:"))
            request = json.loads(await reader.readexactly(length))
            writer.write(HEAD)
            for _ in range(request["max_tokens"]):
                writer.write(_chunk(_event(f"{time.monotonic_ns()} ")))
                await writer.drain()
                await asyncio.sleep(request["temperature"])
            writer.write(_chunk(_event("", "stop")) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=1024)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
