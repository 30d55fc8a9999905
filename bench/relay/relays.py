# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""The relays that are compared, the upstream that they share, and the call that they relay."""

import json
import pathlib
import re
import shutil

from relay.processes import free_port, wait_for_line, wait_for_port

PATH = "/v1/chat/completions"
REQUEST_BYTES = 600
ANSWER_BYTES = 900


def _padded(size, text_of):
    """JSON of exactly `size` bytes, by the length of the one text in it."""
    fixed = len(json.dumps(text_of("")))
    words = "The breaker in the kitchen has tripped, and the lights in the hall stay on. "
    return json.dumps(text_of((words * (size // len(words) + 1))[: size - fixed]))


def request_body(stream=False):
    def of(text):
        body = {"model": "relayed", "temperature": 0.2, "max_tokens": 256,
                "messages": [{"role": "system", "content": "You are a careful electrician. Answer briefly."},
                             {"role": "user", "content": text}]}
        return body | ({"stream": True} if stream else {})
    return _padded(REQUEST_BYTES, of)


# Code and prose with what JSON must escape and what it need not: what coding agents send again with every call.
SNIPPETS = [
    "def trip(breaker, now):\n    if breaker.state == \"closed\" and breaker.failures >= 5:\n        breaker.open(now)\n"
    "    return breaker.state\n",
    "The test fails with `AssertionError: expected \"open\", got \"half_open\"` \u2014 after the probe\u2019s lease has ended.\n",
    "diff --git a/src/panel.cc b/src/panel.cc\n@@ -12,7 +12,9 @@\n-\treturn fuse->rating();\n+\treturn fuse ? fuse->rating() : 0;\n",
    "Look at how the kitchen's circuit is wired, then change the rating where the label says so, and run the tests again. " * 6,
]


def conversation_body(size, model):
    """A long conversation with tool calls, of about `size` bytes, as an agent sends it."""
    messages = [{"role": "system", "content": "You are a careful electrician who writes code."}]
    turn = 0
    length = 0
    while length < size:
        text = "".join(SNIPPETS[(turn + i) % len(SNIPPETS)] for i in range(3))
        call = {"id": f"call_{turn}", "type": "function",
                "function": {"name": "read_file", "arguments": json.dumps({"path": f"src/panel_{turn}.cc"})}}
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": None, "tool_calls": [call]},
                     {"role": "tool", "tool_call_id": call["id"], "content": text}]
        turn += 1
        length += len(json.dumps(messages[-3:], ensure_ascii=False).encode())
    messages.append({"role": "user", "content": "Go on."})
    return json.dumps({"model": model, "max_tokens": 256, "messages": messages}, ensure_ascii=False)


def anthropic_answer_body():
    return _padded(ANSWER_BYTES, lambda text: {
        "id": "msg_9a1c7f52e0b84d3a", "type": "message", "role": "assistant", "model": "relayed",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 118, "output_tokens": 141}})


def answer_body():
    return _padded(ANSWER_BYTES, lambda text: {
        "id": "chatcmpl-9a1c7f52e0b84d3a", "object": "chat.completion", "created": 1760000000, "model": "relayed",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None,
                     "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 118, "completion_tokens": 141, "total_tokens": 259,
                  "prompt_tokens_details": {"cached_tokens": 0}},
        "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"})


# What the official Python client sends, but for a dozen headers about itself.
REQUEST_HEADERS = {"content-type": "application/json", "accept": "application/json",
                   "authorization": "Bearer sk-caller-0123456789abcdef", "user-agent": "OpenAI/Python 1.109.1"}

# One process that serves by itself (no master), keeps connections for good, holds bodies in memory and writes no access log. The limits of
# requests on a connection would make it reconnect in the middle of a measurement.
NGINX = """
daemon off; master_process off; worker_processes 1;
pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 0; client_body_buffer_size 8m; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on; server_tokens off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {inside}
}}
"""
NGINX_UPSTREAM = """
  server {{
    listen 127.0.0.1:{port};
    location /v1/messages {{ default_type application/json; return 200 '{anthropic_answer}'; }}
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
"""
NGINX_RELAY = """
  upstream provider {{
    server 127.0.0.1:{upstream};
    keepalive 256; keepalive_requests 100000000; keepalive_timeout 300s;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; {more} }}
  }}
"""
HAPROXY_RELAY = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option http-keep-alive
  http-reuse always
listen relay
  bind 127.0.0.1:{port}
  server provider 127.0.0.1:{upstream} pool-max-conn 256
"""
# The policies that a user gets: breaker, retries with backoff, deadlines.
FUSEBOARD_RELAY = """
listen: 127.0.0.1:0
providers:
  upstream: {{dialect: openai, base_url: "http://127.0.0.1:{upstream}/v1", api_key: sk-provider-0123456789abcdef}}
  other: {{dialect: anthropic, base_url: "http://127.0.0.1:{upstream}", api_key: sk-provider-0123456789abcdef}}
models:
  translated:
    targets: [{{provider: other, model: claude-relayed-2025-04-01}}]
  relayed:
    targets: [{{provider: upstream, model: gpt-relayed-2025-04-01}}]
    breaker: {{failure_threshold: 5, open: 30s}}
    retry: {{max_attempts: 3, base: 500ms, overall_deadline: 60s}}
    timeouts: {{connect: 5s, headers: 30s, first_content: 60s, idle: 150s, total: 10m}}
"""


class Relay:
    """A running server: its name in tables, its port and its process."""

    def __init__(self, name, port, process):
        self.name, self.port, self.process = name, port, process

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{PATH}"


def _folder(root, name):
    folder = pathlib.Path(root) / name
    folder.mkdir(exist_ok=True)
    return folder


def _start_nginx(processes, root, name, port, inside):
    folder = _folder(root, name)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, inside=inside))
    argv = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"),
            "-e", str(folder / "error.log")]
    process = processes.start(argv, folder / "log")
    wait_for_port(process, port)
    return Relay(name, port, process)


def start_upstream(processes, root):
    port = free_port()
    return _start_nginx(processes, root, "direct", port, NGINX_UPSTREAM.format(port=port, answer=answer_body(), anthropic_answer=anthropic_answer_body()))


def start_nginx(processes, root, upstream, more="", name="nginx"):
    port = free_port()
    return _start_nginx(processes, root, name, port, NGINX_RELAY.format(port=port, upstream=upstream, more=more))


def start_haproxy(processes, root, upstream):
    port = free_port()
    folder = _folder(root, "haproxy")
    (folder / "haproxy.cfg").write_text(HAPROXY_RELAY.format(port=port, upstream=upstream))
    argv = [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-q", "-f", str(folder / "haproxy.cfg")]
    process = processes.start(argv, folder / "log")
    wait_for_port(process, port)
    return Relay("haproxy", port, process)


def start_fuseboard(processes, root, program, upstream, name="fuseboard"):
    folder = _folder(root, name)
    (folder / "fuseboard.yaml").write_text(FUSEBOARD_RELAY.format(upstream=upstream))
    process = processes.start([str(program), "serve", "--config", str(folder / "fuseboard.yaml")], folder / "log")
    port = int(wait_for_line(process, re.compile(r"Listening on http://127\.0\.0\.1:(\d+)"))[1])
    return Relay(name, port, process)
