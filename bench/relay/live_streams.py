# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory streams cost that are open and say nothing."""

import asyncio
import json
import resource

from relay import relays
from relay.processes import resident_kib

MOST_STREAMS = 10_000
OPENING_AT_ONCE = 64
PATIENCE = 60  # seconds until all streams are open
PAST_STREAMS, REST = 2_000, 60  # how many, and the seconds after which memory should be back
# The upstream sends one event at once and the next when everything has been measured.
EVENTS, SECONDS_BETWEEN_EVENTS = 2, 120


class StreamRefused(Exception):
    pass


def stream_count():
    """As many as can be had: the relay needs two descriptors for each, this process and the upstream one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(MOST_STREAMS, (hard - 100) // 2)


async def _open_stream(port, request, turns):
    async with turns:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise StreamRefused(head.split(b"\r\n", 1)[0].decode())
        await reader.readuntil(b"data: ")  # the first event: from here on nothing moves
        return writer


async def _open(relay, count):
    body = json.dumps(json.loads(relays.request_body(stream=True))
                      | {"max_tokens": EVENTS, "temperature": SECONDS_BETWEEN_EVENTS}).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in relays.REQUEST_HEADERS.items())
    request = (f"POST {relays.PATH} HTTP/1.1\r\nhost: 127.0.0.1:{relay.port}\r\n{head}"
               f"content-length: {len(body)}\r\n\r\n").encode() + body
    turns = asyncio.Semaphore(OPENING_AT_ONCE)
    async with asyncio.timeout(PATIENCE):
        return await asyncio.gather(*(_open_stream(relay.port, request, turns) for _ in range(count)))


async def _measure(relay, count):
    before = resident_kib(relay.process.pid)
    writers = await _open(relay, count)
    after = resident_kib(relay.process.pid)
    for writer in writers:
        writer.transport.abort()
    return (after - before) / count


async def _growth(relay):
    for writer in await _open(relay, 10):  # code and tables are in memory
        writer.transport.abort()
    await asyncio.sleep(1)
    before = resident_kib(relay.process.pid)
    writers = await _open(relay, PAST_STREAMS)
    at_most = resident_kib(relay.process.pid)
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(REST)
    return {"before_kib": before, "at_most_kib": at_most, "after_kib": resident_kib(relay.process.pid)}


def memory_after_streams(relay):
    """Resident memory before 2 000 streams, while they live, and a minute after they have gone; and what is left of it."""
    memory = asyncio.run(_growth(relay))
    return memory | {"ratio": memory["after_kib"] / memory["before_kib"]}


def live_stream_kib(relay):
    """KiB of resident memory that one live stream takes, its connections included, and how many there were."""
    count = stream_count()
    return asyncio.run(_measure(relay, count)), count
