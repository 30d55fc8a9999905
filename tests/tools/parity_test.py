# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that every line of docs/parity.md has a test that names it, and that no test names a line that is not there."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^\| ([VBO]\d+) \|", re.MULTILINE)
NAMED = re.compile(r"// parity ((?:[VBO]\d+(?:, )?)+)")
# Of these there is nothing to ask: what they offer is not here.
WITHOUT_A_TEST = {"V12"}


class Parity(unittest.TestCase):
    def test_every_line_has_a_test(self):
        lines = LINE.findall((ROOT / "docs" / "parity.md").read_text(encoding="utf-8"))
        self.assertEqual(len(lines), len(set(lines)), "a number stands twice")
        named = set()
        for path in (ROOT / "tests").glob("*/*_parity_test.cc"):
            for ids in NAMED.findall(path.read_text(encoding="utf-8")):
                named.update(ids.split(", "))
        self.assertEqual(sorted(set(lines) - WITHOUT_A_TEST - named), [], "lines without a test")
        self.assertEqual(sorted(named - set(lines)), [], "tests of no line")


if __name__ == "__main__":
    unittest.main()
