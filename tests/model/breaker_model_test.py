# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks breaker.pml with spin: what the breaker's protocol promises holds in every reachable state of the model, and the
model would notice if it did not."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "breaker.pml"
DEPTH = "-m2000000"


class Spin:
    """The model with some definitions, as spin's checking program."""

    def __init__(self, folder, *definitions):
        self.folder = folder
        self.run("spin", *(f"-D{one}" for one in definitions), "-a", str(MODEL))

    def run(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0 or "error:" in done.stdout:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def compiled(self, *options):
        # To optimise it takes longer than the search it would speed up.
        self.run("gcc", "-O0", "-w", *options, "-o", "pan", "pan.c")

    def assertions(self):
        """What is wrong in some reachable state, and how many states there are."""
        self.compiled("-DSAFETY")
        return self.result("./pan", DEPTH)

    def progress(self):
        """Whether somebody is admitted again and again in every run in which each process goes on while it can."""
        self.compiled("-DNP", "-DNFAIR=3")
        return self.result("./pan", "-l", "-f", DEPTH)

    def result(self, *command):
        output = self.run(*command)
        if "truncated" in output or "search depth too small" in output:
            raise AssertionError(f"the search was not complete: {output}")
        wrong = re.search(r"^pan:1: (.*)", output, re.MULTILINE)
        states = re.search(r"(\d+) states, stored", output)
        return wrong[1] if wrong else "", int(states[1])


class BreakerModel(unittest.TestCase):
    def spin(self, *definitions):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Spin(folder.name, *definitions)

    def test_no_state_breaks_a_promise(self):  # BRK-1.1 BRK-5 BRK-6 BRK-9
        for definitions, least_states in ([], 400_000), (["MAX_PROBES=2", "SUCCESSES=2", "LEASE=1"], 1_000_000):
            wrong, states = self.spin(*definitions).assertions()
            self.assertEqual(wrong, "", definitions)
            self.assertGreaterEqual(states, least_states)

    def test_from_every_state_finite_time_admits_somebody(self):  # BRK-8.6
        wrong, states = self.spin().progress()
        self.assertEqual(wrong, "")
        self.assertGreaterEqual(states, 800_000)

    def test_mistakes_break_a_promise(self):  # BRK-1.1 BRK-5 BRK-6 BRK-9
        for mistake, broken in [
            ("WRONG_UNLIMITED_PROBES", "assertion violated (j<=1)"),
            ("WRONG_LATE_COUNTS", "assertion violated  !(settles_late)"),
            ("WRONG_SUCCESS_CLOSES", "assertion violated ((((((state==0)"),
            ("WRONG_EARLY_PROBE", "assertion violated  !(((((state==1)"),
        ]:
            self.assertIn(broken, self.spin(mistake).assertions()[0], mistake)

    def test_mistakes_shut_everybody_out_for_ever(self):  # BRK-7.5 BRK-8.6
        for mistake in "WRONG_NO_LEASE", "WRONG_NEUTRAL_PROBE_WEDGES":
            self.assertIn("non-progress cycle", self.spin(mistake).progress()[0], mistake)


if __name__ == "__main__":
    unittest.main()
