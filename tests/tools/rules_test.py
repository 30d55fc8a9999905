# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that scripts/rules finds what no test holds, on small trees made for it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "rules"
# Groups that the real page does not have: these ids must not count as held when the script reads this file.
PAGE = """# Semantics

A sentence that mentions **ZZA-9** defines nothing.

## ZZA: one

- **ZZA-1** The first rule,
  which goes on - **ZZA-8** - in a second line.
- **ZZA-10** The tenth rule.

## ZZB: another

- **ZZB-1** A rule of another group.

## Agreed, not built yet

- **ZZB-2** a few words
"""


# The same with a rule that is the heading of two others.
PAGE_WITH_SUB_RULES = PAGE.replace(
    "- **ZZA-10** The tenth rule.\n",
    """- **ZZA-10** What the tenth is about.
  - **ZZA-10.1** The first promise,
    which goes on.
  - **ZZA-10.2** The second.
""",
)


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("docs/semantics.md", PAGE)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_script(self, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, *arguments, self.root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def hold_all(self):
        self.write("tests/one/a_test.cc", "\nTEST(A, B) {  // ZZA-1, ZZA-10\n// ZZB-1\n")

    def test_rules_that_are_all_named_pass(self):
        self.hold_all()
        counts = "3 rules built, with 0 sub-rules: 3 promises, 3 of them named by tests; 1 not built yet\n"
        self.assertEqual(self.run_script(), (0, counts, ""))

    def test_a_built_rule_that_no_test_names_is_a_problem(self):
        self.write("tests/a_test.cc", "// ZZA-1\n")
        status, output, problems = self.run_script()
        self.assertEqual(status, 1)
        self.assertEqual(problems, "ZZA-10: no test names it\nZZB-1: no test names it\n")
        self.assertIn("3 promises, 1 of them", output)

    def test_a_longer_number_or_name_is_another_id(self):
        self.write("tests/a_test.cc", "// ZZA-10 XZZB-1 X-ZZB-1\n")
        self.assertEqual(self.run_script()[2], "ZZA-1: no test names it\nZZB-1: no test names it\n")

    def test_every_kind_of_test_file_counts_and_nothing_else(self):
        self.write("tests/a/support.h", "// ZZA-1\n")
        self.write("tests/b/c.test.mjs", "test('x', () => {});  // ZZA-10\n")
        self.write("tests/tools/d_test.py", "# ZZB-1\n")
        self.assertEqual(self.run_script()[0], 0)
        for path in ["tests/a/support.h", "tests/b/c.test.mjs", "tests/tools/d_test.py"]:
            (self.root / path).unlink()
        self.write("tests/notes.md", "ZZA-1 ZZA-10 ZZB-1\n")
        self.write("tests/clients/node_modules/x/a.mjs", "// ZZA-1 ZZA-10 ZZB-1\n")
        self.write("src/a.cc", "// ZZA-1 ZZA-10 ZZB-1\n")
        self.assertEqual(self.run_script()[2].count("no test names it"), 3)

    def test_an_id_that_the_page_does_not_define_is_a_problem_at_its_place(self):
        self.hold_all()
        self.write("tests/b_test.cc", "// nothing\n// ZZA-7 ZZA-8 ZZA-9\n")
        status, _, problems = self.run_script()
        self.assertEqual(status, 1)
        lines = [f"tests/b_test.cc:2: docs/semantics.md does not define ZZA-{number}\n" for number in (7, 8, 9)]
        self.assertEqual(problems, "".join(lines))

    def test_what_looks_like_an_id_of_no_group_is_left_alone(self):
        self.hold_all()
        self.write("tests/b_test.cc", "// UTF-8, SHA-256, ZZC-1\n")
        self.assertEqual(self.run_script()[0], 0)

    def test_a_test_of_a_rule_that_is_not_built_asks_for_the_page_to_say_so(self):
        self.hold_all()
        self.write("tests/b_test.cc", "// ZZB-2\n")
        status, _, problems = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("tests/b_test.cc:1: ZZB-2 is listed as not built yet", problems)

    def test_all_shows_where_each_rule_is_held_and_what_is_not_built(self):
        self.hold_all()
        self.write("tests/two/b_test.cc", "// ZZA-1 and ZZA-1 once more\n")
        _, output, _ = self.run_script("--all")
        self.assertEqual(
            output.splitlines()[:-1],
            [
                "ZZA-1     tests/one/a_test.cc:2",
                "          tests/two/b_test.cc:1",
                "ZZA-10    tests/one/a_test.cc:2",
                "ZZB-1     tests/one/a_test.cc:3",
                "ZZB-2     not built yet",
            ],
        )

    def test_an_id_defined_twice_is_a_problem(self):
        self.write("docs/semantics.md", PAGE + "- **ZZA-1** once more\n")
        self.assertEqual(self.run_script(), (1, "", "docs/semantics.md: ZZA-1 is defined twice\n"))

    def page_problem(self, page):
        self.write("docs/semantics.md", page)
        status, output, problems = self.run_script()
        self.assertEqual((status, output), (1, ""))
        return problems.removeprefix("docs/semantics.md: ").rstrip("\n")

    def test_a_rule_is_held_when_its_sub_rules_are(self):
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES)
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.1\n// as ZZA-10.2.\n// ZZB-1\n")
        counts = "3 rules built, with 2 sub-rules: 4 promises, 4 of them named by tests; 1 not built yet\n"
        self.assertEqual(self.run_script(), (0, counts, ""))

    def test_a_sub_rule_that_no_test_names_is_a_problem(self):
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES)
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.1 ZZB-1\n")
        status, output, problems = self.run_script()
        self.assertEqual((status, problems), (1, "ZZA-10.2: no test names it\n"))
        self.assertIn("4 promises, 3 of them", output)

    def test_a_test_that_names_a_rule_with_sub_rules_is_to_name_one_of_them(self):
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES)
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.1 ZZA-10.2 ZZB-1\n// ZZA-10\n")
        self.write("tests/b_test.cc", "// ZZA-10, ZZB-1\n")
        status, _, problems = self.run_script()
        self.assertEqual(status, 1)
        wanted = "ZZA-10 has sub-rules; name one, ZZA-10.1 to ZZA-10.2\n"
        self.assertEqual(problems, f"tests/a_test.cc:2: {wanted}tests/b_test.cc:1: {wanted}")

    def test_a_sub_rule_that_the_page_does_not_define_is_a_problem_at_its_place(self):
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES)
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.1 ZZA-10.2 ZZB-1\n// ZZA-10.3 ZZA-10.12 ZZA-1.1\n")
        lines = [f"tests/a_test.cc:2: docs/semantics.md does not define ZZA-{number}\n" for number in ("10.3", "10.12", "1.1")]
        self.assertEqual(self.run_script()[2], "".join(lines))

    def test_sub_rules_stand_below_their_rule_in_order(self):
        gap = PAGE_WITH_SUB_RULES.replace("**ZZA-10.2**", "**ZZA-10.3**")
        self.assertEqual(self.page_problem(gap), "ZZA-10.3 stands where ZZA-10.2 should")
        swapped = PAGE_WITH_SUB_RULES.replace("10.1", "10.x").replace("10.2", "10.1").replace("10.x", "10.2")
        self.assertEqual(self.page_problem(swapped), "ZZA-10.2 stands where ZZA-10.1 should")
        twice = PAGE_WITH_SUB_RULES.replace("**ZZA-10.2**", "**ZZA-10.1**")
        self.assertEqual(self.page_problem(twice), "ZZA-10.1 is defined twice")
        elsewhere = PAGE_WITH_SUB_RULES.replace("**ZZA-10.2**", "**ZZA-1.1**")
        self.assertEqual(self.page_problem(elsewhere), "ZZA-1.1 does not stand below ZZA-1")
        alone = PAGE_WITH_SUB_RULES.replace("  - **ZZA-10.1**", "Between them.\n\n  - **ZZA-10.1**")
        self.assertEqual(self.page_problem(alone), "ZZA-10.1 does not stand below ZZA-10")
        no_sub_rule = PAGE_WITH_SUB_RULES.replace("**ZZA-10.2**", "**ZZA-11**")
        self.assertEqual(self.page_problem(no_sub_rule), "ZZA-11 is indented, but it is no sub-rule")

    def test_a_rule_or_sub_rule_of_more_than_sixty_words_is_a_problem(self):
        sixty = " ".join(["word"] * 58) + " in\n    all.\n"
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES.replace("The second.\n", sixty))
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.1 ZZA-10.2 ZZB-1\n")
        self.assertEqual(self.run_script()[0], 0)
        page = PAGE_WITH_SUB_RULES.replace("The second.\n", "One " + sixty)
        self.write("docs/semantics.md", page.replace("A rule of another group.\n", "Two more " + sixty))
        status, _, problems = self.run_script()
        self.assertEqual(status, 1)
        lines = ["ZZA-10.2: 61 words; allowed: at most 60\n", "ZZB-1: 62 words; allowed: at most 60\n"]
        self.assertEqual(problems, "".join(lines))

    def test_all_shows_sub_rules_and_no_heading_of_them(self):
        self.write("docs/semantics.md", PAGE_WITH_SUB_RULES)
        self.write("tests/a_test.cc", "// ZZA-1 ZZA-10.2 ZZB-1\n")
        _, output, _ = self.run_script("--all")
        self.assertEqual(
            output.splitlines()[:-1],
            [
                "ZZA-1     tests/a_test.cc:1",
                "ZZA-10.1  -",
                "ZZA-10.2  tests/a_test.cc:1",
                "ZZB-1     tests/a_test.cc:1",
                "ZZB-2     not built yet",
            ],
        )

    def test_a_page_without_rules_or_no_page_is_a_problem(self):
        self.write("docs/semantics.md", "# Semantics\n")
        self.assertEqual(self.run_script(), (1, "", "docs/semantics.md: it defines no rule\n"))
        (self.root / "docs/semantics.md").unlink()
        status, _, problems = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("docs/semantics.md", problems)


if __name__ == "__main__":
    unittest.main()
