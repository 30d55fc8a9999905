# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that the bounds that docs/semantics.md tells are those of the code."""

import re
import tempfile
import unittest
from pathlib import Path

from cpp_constants import NUMBER, Value, definition, evaluate, told

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"twice": 2, "four times": 4}
TOLD = re.compile(rf"{'|'.join(WORDS)}|(?<![\w^]){NUMBER}")
TIME_OR_SIZE = re.compile(rf"(?<![\w^]){NUMBER}(?<=[A-Za-z])")

# By the first cell of a row: where each number in the second, and each time or size in the third, comes from. A source
# is a file and in it a constant, a member with a default, or code in which {} stands for the value. Where a row tells
# one number for several things, each of its sources has it.
SOURCES = {
    "keys of a breaker registry": ["include/fuseboard/breaker/registry_options.h: max_keys"],
    "targets of a `TargetRegistry`": ["include/fuseboard/pipeline/target_registry.h: max_targets"],
    "tools of a `ToolGuard`": ["include/fuseboard/tools/tool_options.h: max_tools"],
    "names given to the C API, and the text of its last error": [
        "include/fuseboard/c/fuseboard.h: FUSEBOARD_MAX_NAME", "include/fuseboard/c/fuseboard.h: FUSEBOARD_MAX_ERROR"],
    "failures of a breaker's `failures_within`": ["src/breaker/options.cc: kMaxFailureTimes"],
    "transitions that a breaker remembers": ["include/fuseboard/breaker/state.h: kTransitionsKept"],
    "waits of a listed backoff": ["include/fuseboard/retry/backoff.h: kMaxListedBackoffs"],
    "events waiting for listeners": ["include/fuseboard/core/events.h: EventOutbox(std::size_t capacity = {})"],
    "attempts and refusals in a call's record": [
        ("include/fuseboard/pipeline/record.h: BoundedList<AttemptRecord, {}> attempts;",
         "include/fuseboard/pipeline/record.h: BoundedList<RejectionRecord, {}> rejections;")],
    "the text of a key in events and rejections": [
        "include/fuseboard/core/bounded_text.h: using KeyText = BoundedText<{}>;"],
    "exclusive counters of threads": [
        "src/core/thread_slot.cc: std::clamp({} * std::thread::hardware_concurrency(), 4U, kMaxExclusive)",
        "src/core/thread_slot.cc: std::clamp(2 * std::thread::hardware_concurrency(), {}, kMaxExclusive)",
        "src/core/thread_slot.cc: kMaxExclusive"],
    "request heads, and heads of upstream responses": [
        ("src/net/server.h: max_head", "src/net/client.h: max_head"),
        ("src/net/server.h: max_headers", "src/net/client.h: max_headers")],
    "all bodies in flight: requests, plain answers, what is translated of either": [
        "src/config/config.h: max_body_memory",
        ("src/net/server.h: body_memory_wait", "src/net/client.h: kMemoryWait")],
    "the time of a request's body": [
        "src/net/server.h: body_timeout", "src/net/server.h: body_grace",
        "src/net/server.cc: const auto earned = std::chrono::{}(static_cast<double>(received)",
        "src/net/server.h: body_rate"],
    "coroutine frames that a thread keeps for those to come": [
        "src/net/task.cc: return std::min<std::size_t>({}, 256 * 1024 / ((index + 1) * kGrain));",
        "src/net/task.cc: return std::min<std::size_t>(64, {} / ((index + 1) * kGrain));",
        "src/gateway/spare_memory.cc: kLookEvery"],
    "memory for bodies and reads to come that a loop keeps": [
        "src/net/spare_blocks.h: kMaxSpareBytes", "src/net/spare_blocks.cc: kMaxOfAClass",
        "src/gateway/spare_memory.cc: kLookEvery"],
    "lines of the log that wait for whoever reads it": ["src/gateway/line_writer.h: most_waiting"],
    "request bodies": ["src/config/config.h: max_body"],
    "content encodings of one body": ["src/net/content_coding.h: kMaxCodings"],
    "a piece of a stream in a content encoding, decoded": ["src/gateway/streamed_answer.cc: kMaxAtOnce"],
    "gateways that a request may come through": ["src/gateway/hops.h: kMaxHops"],
    "connections of callers": ["src/gateway/gateway.cc: kMaxConnections"],
    "idle upstream connections, for each loop and provider": [
        "src/net/client.h: max_idle_per_origin", "src/net/client.h: max_idle"],
    "a plain answer of an upstream": ["src/gateway/plain_answer.cc: kMaxPlainAnswer"],
    "the body of an upstream's error": ["src/gateway/upstream_error.cc: kMaxErrorBody"],
    "one event of a stream": ["src/gateway/answer_stream.cc: kMaxEvent"],
    "what is held back of a stream before its first content": [
        "src/gateway/answer_stream.cc: kMaxHeldBack", "src/gateway/answer_stream.cc: kMaxRepetition"],
    "choices, tool calls or open blocks in one streamed answer": [
        ("src/llm/openai_chat/stream_reader.cc: kMaxChoices", "src/llm/openai_chat/message.h: kMaxToolCalls",
         "src/llm/anthropic/stream_reader.cc: kMaxOpenBlocks")],
    "what a translated stream holds back for blocks that must follow one another": [
        "src/llm/stream_writer.h: kMaxHeldBack"],
    "what it holds back of calls whose name or id has not come": ["src/llm/openai_chat/message.h: kMaxHeldCalls"],
    "blank lines before an answer shows whether it is a stream": ["src/gateway/body_kind.h: kMaxUnclear"],
    "a caller's pause in reading a stream": ["src/gateway/gateway.cc: kMaxPatientReader"],
    "text of a stream that is kept, to have another target go on with it": ["src/gateway/answer_stream.h: kMaxText"],
    "answers whose provider is remembered for requests that refer to them": ["src/gateway/provider_affinity.h: kMaxKnown"],
    "nesting of JSON": ["src/json/scan.h: kMaxDepth"],
    "remembered routes to `provider/model` names of callers": ["src/gateway/direct_routes.h: kMaxDirectRoutes"],
    "such a name": ["src/gateway/direct_routes.h: kMaxDirectName"],
    "the configuration file": ["src/config/load.h: kMaxConfigBytes", "src/config/yaml_document.h: kMaxDepth",
                               "src/config/yaml_document.h: kMaxNodes", "src/config/load.h: kMaxProblems"],
}


def rows_of(page):
    table = page.split("\n### Bounds\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def numbers_in(bound, at_the_bound):
    return TOLD.findall(re.sub(r"`[^`]*`", "", bound)) + TIME_OR_SIZE.findall(at_the_bound)


def value_of(source, root):
    path, what = source.split(": ", 1)
    text = (root / path).read_text(encoding="utf-8")
    if "{}" in what:
        found = re.findall(re.escape(what).replace(r"\{\}", r"([^;]+?)"), text)
    else:
        found = definition(what, text)
    if len(found) != 1:
        raise ValueError(f"is there {len(found)} times")
    return evaluate(found[0])


def problems_of(page, sources, root):
    problems = []
    rows = {row[0]: numbers_in(row[1], row[2]) for row in rows_of(page)}
    problems += [f"{row}: is no row of the page" for row in sources if row not in rows]
    for row, numbers in rows.items():
        named = sources.get(row, [])
        if len(numbers) != len(named):
            problems.append(f"{row}: tells {len(numbers)} numbers, {numbers}, and has {len(named)} sources")
            continue
        for number, of_number in zip(numbers, named):
            for source in [of_number] if isinstance(of_number, str) else of_number:
                try:
                    value = value_of(source, root)
                except ValueError as error:
                    problems.append(f"{row}: {source}: {error}")
                    continue
                if (Value(WORDS[number]) if number in WORDS else told(number)) != value:
                    problems.append(f"{row}: the page tells {number}, {source} is {value}")
    return problems


class Bounds(unittest.TestCase):
    def test_the_page_tells_the_bounds_of_the_code(self):
        page = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
        rows = [row[0] for row in rows_of(page)]
        self.assertEqual(len(rows), len(set(rows)), "a row stands twice")
        self.assertEqual("\n".join(problems_of(page, SOURCES, ROOT)), "")


class ThisTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "a.h").write_text("int kBytes = std::size_t{32} << 20;\nint a = f(64, 5s) + f(64, 1);\n")

    def problems(self, bound, *sources, row="blocks", end="given back"):
        page = f"\n### Bounds\n\n| what | bound | at the bound |\n|---|---|---|\n| {row} | {bound} | {end} |\n\n## B"
        return problems_of(page, {"blocks": list(sources)}, self.root)

    def test_a_row_that_is_right(self):
        self.assertEqual(self.problems("32 MiB (`of_8`), 64 each", "a.h: kBytes", "a.h: f({}, 5s)"), [])
        self.assertEqual(self.problems("33 554 432", "a.h: kBytes", "a.h: f(64, {}) +", end="a 503, after 5 s"), [])

    def test_a_row_that_is_wrong(self):
        for bound, source, value in [("31 MiB", "a.h: kBytes", 32 << 20), ("32", "a.h: kBytes", 32 << 20),
                                     ("twice", "a.h: f({}, 5s)", 64), ("4 s", "a.h: f(64, {}) +", "5000000000 ns")]:
            with self.subTest(bound):
                self.assertEqual(self.problems(bound, source), [f"blocks: the page tells {bound}, {source} is {value}"])
        self.assertEqual(self.problems("32 MiB", ("a.h: kBytes", "a.h: f({}, 5s)")),
                         ["blocks: the page tells 32 MiB, a.h: f({}, 5s) is 64"])

    def test_what_nothing_accounts_for(self):
        for bound, end in [("32 MiB, 64 blocks", ""), ("32 MiB", "waits for 5 s"), ("twice 32 MiB", ""), ("none", "")]:
            with self.subTest(bound):
                self.assertIn("blocks: tells ", *self.problems(bound, "a.h: kBytes", end=end))
        self.assertEqual(self.problems("32 MiB", "a.h: kBytes", row="lines"), [
            "blocks: is no row of the page", "lines: tells 1 numbers, ['32 MiB'], and has 0 sources"])

    def test_a_constant_that_is_not_there_once(self):
        for what, times in [("kNowhere", 0), ("f({}, 2)", 0), ("f({},", 2)]:
            self.assertEqual(self.problems("64", f"a.h: {what}"), [f"blocks: a.h: {what}: is there {times} times"])

    def test_constant_expressions(self):
        for expression, number in [("std::size_t{32} << 20U", 32 << 20), ("64 * 1024", 65536), ("10'000", 10000),
                                   ("{std::uint64_t{1} << 30}", 1 << 30), ("1e-6", 1e-6), ("100U", 100)]:
            self.assertEqual(evaluate(expression), Value(number), expression)
        for expression, seconds in [("std::chrono::seconds(5)", 5), ("5min", 300), ("Duration(30s)", 30),
                                    ("7 * 24h", 604800), ("std::chrono::hours{24}", 86400),
                                    ("std::chrono::duration<double>", 1)]:
            self.assertEqual(evaluate(expression), Value(seconds * 10**9, is_time=True), expression)
        self.assertEqual(evaluate("2 * kOther", lambda name: Value(len(name))), Value(12))
        for expression in ["kOther", "other", "sizeof(int)", "1 +", "__import__('os')", ""]:
            with self.subTest(expression), self.assertRaises((ValueError, SyntaxError)):
                evaluate(expression)

    def test_numbers_in_prose(self):
        for text, value in [("65 536", Value(65536)), ("0.95", Value(0.95)), ("16 KiB", Value(16384)),
                            ("95 bytes", Value(95)), ("6e10", Value(6e10)), ("2^63 - 1", Value(2**63 - 1)),
                            ("5 min", Value(300 * 10**9, True))]:
            self.assertRegex(text, rf"^{NUMBER}$")
            self.assertEqual(told(text), value)
        self.assertNotEqual(told("5 s"), Value(5 * 10**9))


if __name__ == "__main__":
    unittest.main()
