# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""What a relay costs: CPU time a request, latency it adds, memory, and the delay of streamed events.

Relays take turns (A B C A B C ...), and what is reported is the median of the turns: a machine's speed drifts, and in
turns the drift hits all alike.
"""

import dataclasses
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from relay import relays
from relay.live_streams import live_stream_kib, memory_after_streams
from relay.processes import Processes, cpu_seconds, resident_kib, wait_for_line

HERE = pathlib.Path(__file__).resolve().parent
LOAD_CONNECTIONS = 32
LARGE_BYTES = {"100KB": 100_000, "1MB": 1_000_000, "3MB": 3_000_000}
LARGE_CONNECTIONS = 8
LATENCY_RATE = 1000
LATENCY_CONNECTIONS = 16


@dataclasses.dataclass(frozen=True)
class Effort:
    load_rounds: int
    load_seconds: int
    rounds: int
    latency_milliseconds: int
    stream_events: int


FULL = Effort(load_rounds=11, load_seconds=1, rounds=9, latency_milliseconds=1200, stream_events=80)
QUICK = Effort(load_rounds=3, load_seconds=1, rounds=2, latency_milliseconds=1000, stream_events=50)


class MeasurementFailed(Exception):
    pass


# wrk knows what it has done only when it ends; its threads' errors come from its summary.
WRK_SCRIPT = """
wrk.method = "POST"
wrk.body = [==[%(body)s]==]
%(headers)s
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\n{\\"requests\\": %%d, \\"failed\\": %%d}\\n", summary.requests,
                         e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def _write_script(folder, name, body):
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in relays.REQUEST_HEADERS.items())
    script = pathlib.Path(folder) / f"{name}.lua"
    script.write_text(WRK_SCRIPT % {"body": body, "headers": headers})
    return script


def _load(script, relay, seconds, connections=LOAD_CONNECTIONS):
    """Requests that were answered under full load."""
    run = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), relay.url],
                         capture_output=True, text=True, timeout=seconds + 20)
    if run.returncode != 0:
        raise MeasurementFailed(f"wrk: {run.stderr.strip()}")
    counts = json.loads(run.stdout.strip().splitlines()[-1])
    if counts["failed"] or not counts["requests"]:
        raise MeasurementFailed(f"{relay.name}: {counts['failed']} of {counts['requests']} requests failed")
    return counts["requests"]


def _latency(client, relay, milliseconds):
    run = subprocess.run([str(client), relay.url, str(LATENCY_RATE), str(milliseconds), str(LATENCY_CONNECTIONS)],
                         input=relays.request_body(), capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise MeasurementFailed(f"{relay.name}: {run.stdout.strip()} {run.stderr.strip()}")
    return json.loads(run.stdout)


def _median(values):
    return statistics.median(values)


def _cpu(compared, effort, connections=LOAD_CONNECTIONS):
    """Microseconds of CPU time a request, by name. `compared`: names with a relay and what is sent to it each."""
    for relay, script in compared.values():
        _load(script, relay, 1, connections)  # connections, pools and caches are made
    turns = {name: [] for name in compared}
    rates = {name: [] for name in compared}
    for _ in range(effort.load_rounds):
        for name, (relay, script) in compared.items():
            before, began = cpu_seconds(relay.process.pid), time.monotonic()
            requests = _load(script, relay, effort.load_seconds, connections)
            used, took = cpu_seconds(relay.process.pid) - before, time.monotonic() - began
            turns[name].append(used / requests * 1e6)
            rates[name].append(requests / took)
    result = {}
    for name, values in turns.items():
        # Each turn is compared with nginx's of the same round.
        low, middle, high = statistics.quantiles([a / b for a, b in zip(values, turns["nginx"])], n=4)
        result[name] = {"cpu_us": _median(values), "requests_per_second": _median(rates[name]),
                        "cpu_to_nginx": middle, "cpu_to_nginx_quartiles": [low, high], "turns_us": values}
    return result


def _large(folder, nginx, fuseboard, effort):
    """The same for long conversations, as they are and into another dialect, by their size."""
    result = {}
    for name, size in LARGE_BYTES.items():
        plain, translated = (_write_script(folder, f"{model}-{name}", relays.conversation_body(size, model))
                             for model in ("relayed", "translated"))
        result[name] = _cpu({"nginx": (nginx, plain), "fuseboard": (fuseboard, plain),
                             "translated": (fuseboard, translated)}, effort, LARGE_CONNECTIONS)
    return result


def _latencies(client, direct, compared, effort):
    turns = {relay.name: [] for relay in [direct, *compared]}
    for _ in range(effort.rounds):
        for relay in [direct, *compared]:
            turns[relay.name].append(_latency(client, relay, effort.latency_milliseconds))
    result = {}
    for name, values in turns.items():
        result[name] = {"timer_p99_us": _median([v["timer_p99_us"] for v in values])}
        for quantile in ("p50", "p99"):
            key = f"{quantile}_us"
            result[name][key] = _median([v[key] for v in values])
            result[name][f"added_{key}"] = _median([v[key] - d[key] for v, d in zip(values, turns[direct.name])])
    return result


def _event_delays(port, events):
    """Microseconds from an event's being sent to its being read, over one stream."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = json.loads(relays.request_body(stream=True)) | {"max_tokens": events, "temperature": 0.005}
    connection.request("POST", relays.PATH, json.dumps(body), relays.REQUEST_HEADERS)
    response = connection.getresponse()
    delays = []
    sent = re.compile(rb'"content": ?"(\d+) "')
    while line := response.readline():
        if found := sent.search(line):
            delays.append((time.monotonic_ns() - int(found[1])) / 1000)
    connection.close()
    if response.status != 200 or len(delays) != events:
        raise MeasurementFailed(f"a stream over port {port} had {len(delays)} of {events} events")
    return delays


def _streams(compared, effort):
    turns = {name: [] for name, _ in compared}
    for _ in range(effort.rounds):
        for name, port in compared:
            turns[name].append(_median(_event_delays(port, effort.stream_events)))
    return {name: {"p50_us": _median(values),
                   "added_p50_us": _median([v - d for v, d in zip(values, turns["direct"])])}
            for name, values in turns.items()}


def measure(client, program, effort, say):
    """Everything about relays, as one JSON object. `say` is told what goes on."""
    with tempfile.TemporaryDirectory(prefix="fuseboard-bench-") as root, Processes() as processes:
        script = _write_script(root, "post", relays.request_body())

        direct = relays.start_upstream(processes, root)
        fuseboard = relays.start_fuseboard(processes, root, program, direct.port)
        time.sleep(0.5)
        memory = {"idle_kib": resident_kib(fuseboard.process.pid)}
        compared = [relays.start_nginx(processes, root, direct.port),
                    relays.start_haproxy(processes, root, direct.port), fuseboard]

        say("CPU time a relayed request")
        cpu = _cpu({relay.name: (relay, script) for relay in compared}, effort)
        memory["after_load_kib"] = resident_kib(fuseboard.process.pid)
        say("CPU time a long conversation")
        large = _large(root, compared[0], fuseboard, effort)
        say(f"latency at {LATENCY_RATE} requests a second")
        latency = _latencies(client, direct, compared, effort)
        processes.stop(*(relay.process for relay in [*compared, direct]))

        say("streamed events")
        events = processes.start([sys.executable, str(HERE / "stream_upstream.py")], pathlib.Path(root) / "events.log")
        port = int(wait_for_line(events, re.compile(r"port (\d+)"))[1])
        fuseboard = relays.start_fuseboard(processes, root, program, port, name="fuseboard-streams")
        nginx = relays.start_nginx(processes, root, port, more="proxy_buffering off;", name="nginx-streams")
        streams = _streams([("direct", port), ("nginx", nginx.port), ("fuseboard", fuseboard.port)], effort)
        say("live streams")
        processes.stop(fuseboard.process)
        fuseboard = relays.start_fuseboard(processes, root, program, port, name="fuseboard-live")
        memory["live_stream_kib"], memory["live_streams"] = live_stream_kib(fuseboard)
        say("memory a minute after streams")
        processes.stop(fuseboard.process)
        fuseboard = relays.start_fuseboard(processes, root, program, port, name="fuseboard-past")
        memory["past_streams"] = memory_after_streams(fuseboard)

    return {"request_bytes": relays.REQUEST_BYTES, "answer_bytes": relays.ANSWER_BYTES,
            "load_connections": LOAD_CONNECTIONS, "latency_rate": LATENCY_RATE, "effort": dataclasses.asdict(effort),
            "cpu": cpu, "large": large, "latency": latency, "streams": streams, "memory": memory}
