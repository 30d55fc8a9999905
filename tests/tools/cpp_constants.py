# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads numbers out of C++ sources and out of prose, for tests that compare the two."""

import re
from typing import NamedTuple

_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_CHRONO = {"nanoseconds": "ns", "microseconds": "us", "milliseconds": "ms", "seconds": "s", "duration<double>": "s",
           "minutes": "min", "hours": "h"}
_TIMES = {**_NANOSECONDS, "day": 24 * _NANOSECONDS["h"], "days": 24 * _NANOSECONDS["h"]}
_SIZES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_TYPES = r"\b(?:std::)?(?:size_t|u?int\d+_t|Duration)\s*(?=\()"

# "65 536", "0.95", "6e10", "2^63 - 1", and behind it a unit or none.
NUMBER = (rf"(?:2\^\d+ - 1|\d{{1,3}}(?: \d{{3}})+(?!\d)|\d+(?:\.\d+)?(?:e\d+)?)"
          rf"(?: (?:{'|'.join([*_TIMES, *_SIZES])})\b)?")


class Value(NamedTuple):
    """A time is in nanoseconds and differs from every number but 0."""
    number: int | float
    is_time: bool = False

    def __eq__(self, other):
        return self.number == other.number and (self.is_time == other.is_time or self.number == 0)

    def __ne__(self, other):
        return not self == other

    def __str__(self):
        return f"{self.number} ns" if self.is_time else str(self.number)


def told(text):
    """What a NUMBER in prose stands for."""
    number, unit = re.fullmatch(r"(.*?)(?: ([A-Za-z]+))?", text).groups()
    power = re.fullmatch(r"2\^(\d+) - 1", number)
    number = number.replace(" ", "") if not power else str(2 ** int(power[1]) - 1)
    value = int(number) if number.isdigit() else float(number)
    return Value(value * _TIMES.get(unit, _SIZES.get(unit, 1)), unit in _TIMES)


def evaluate(expression, constant=None):
    """A constant expression of C++, as far as bounds need it; `constant` has the values of the names in it."""
    is_time = False

    def time(unit):
        nonlocal is_time
        is_time = True
        return f"({_NANOSECONDS[unit]})"

    def name(match):
        nonlocal is_time
        if constant is None:
            raise ValueError(f"nothing is known of {match[0]} in '{expression}'")
        value = constant(match[0])
        is_time = is_time or value.is_time
        return f"({value.number})"

    text = re.sub(r"(?<=\d)'(?=\d)", "", expression).translate(str.maketrans("{}", "()"))
    text = re.sub(r"\b(\d+)[uUlL]+\b", r"\1", text)
    text = re.sub(r"(?:std::)?numeric_limits<std::int64_t>::max\(\)", str(2**63 - 1), text)
    text = re.sub(r"Duration::zero\(\)", lambda _: f"0*{time('ns')}", text)
    text = re.sub(_TYPES, "", text)
    text = re.sub(rf"(?:std::chrono::)?\b({'|'.join(_CHRONO)})(\(|$)",
                  lambda match: time(_CHRONO[match[1]]) + (match[2] and f"*{match[2]}"), text)
    text = re.sub(rf"\b(\d+)({'|'.join(_NANOSECONDS)})\b", lambda match: f"{match[1]}*{time(match[2])}", text)
    text = re.sub(r"\bk[A-Z]\w*", name, text)
    if not re.fullmatch(r"(?:[\s()+*-]|<<|\d+(?:\.\d+)?(?:e[+-]?\d+)?)+", text):
        raise ValueError(f"'{expression}' is no constant expression that is understood here")
    return Value(eval(text, {"__builtins__": {}}), is_time)


def definition(name, source):
    """The expressions of all definitions of the constant, or defaults of the member or macro, in the source."""
    defined = re.findall(rf"\b{name}\s*(?:=(?!=)\s*|(?=\{{))([^;]+);", source)
    return defined + re.findall(rf"#define {name} (.+)", source)
