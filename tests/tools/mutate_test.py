# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows what scripts/mutate finds out, on small trees made for it and with a compiler that only copies."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "mutate"
CODE = "int one() { return 1; }\nint two() { return 2; }\n"
TEST = "TEST(One, IsOne) {}\nTEST_F(Two,\n       IsTwo) {}\n"
# Makes a test program that passes if the code still says `return 1;`, whatever else it says; does not build an error.
CMAKE = """#!/bin/sh
[ "$1" = --preset ] && mkdir -p build/dev/bin && touch build/dev/build.ninja && exit 0
grep -q error src/a/a.cc && echo it is wrong && exit 1
cat >build/dev/bin/a_test <<'END'
#!/bin/sh
echo "[==========] $(echo "${1#*=}" | tr : '\\n' | wc -l) tests from a suite"
grep -q 'return 1;' src/a/a.cc
END
chmod +x build/dev/bin/a_test
"""


def mutation(identifier, old, new, case="One.IsOne", mistake=""):
    known = f'mistake = "{mistake}"\n' if mistake else ""
    return (f'[[mutation]]\nid = "{identifier}"\n{known}what = "a mistake"\nfile = "src/a/a.cc"\nold = "{old}"\nnew = "{new}"\n'
            f'test = "a_test"\ncase = "{case}"\n')


CAUGHT = mutation("caught", "return 1;", "return 7;")


class Mutate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "tree")
        self.write("src/a/a.cc", CODE)
        self.write("tests/a/a_test.cc", TEST)
        self.write("tests/mutations/known_mistakes.toml", "[mistakes]\n")
        self.write("bin/cmake", CMAKE)
        (self.root / "bin/cmake").chmod(0o755)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_script(self, mutations, *arguments):
        self.write("tests/mutations/a.toml", mutations)
        environment = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run([sys.executable, SCRIPT, "--root", self.root, *arguments], capture_output=True, text=True,
                              env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    def check(self, mutations):
        status, _, problems = self.run_script(mutations, "--check")
        return status, problems

    def test_a_mutation_that_its_test_notices_is_caught(self):
        status, output, problems = self.run_script(CAUGHT)
        self.assertEqual((status, problems), (0, ""))
        self.assertRegex(output, r"caught +[0-9.]+ s  caught by One.IsOne\n1 mutations, 1 caught")

    def test_a_mutation_that_its_test_does_not_notice_is_a_failure(self):
        status, output, problems = self.run_script(CAUGHT + mutation("quiet", "return 2;", "return 7;", "Two.IsTwo"))
        self.assertEqual(status, 1)
        self.assertRegex(output, r"caught .*\nsurvived .*  quiet by Two.IsTwo\n2 mutations, 1 caught")
        self.assertIn("src/a/a.cc: a mistake", problems)

    def test_a_mutation_that_does_not_build_shows_nothing(self):
        status, output, problems = self.run_script(mutation("bad", "return 1;", "error"))
        self.assertEqual(status, 1)
        self.assertIn("does not build", output)
        self.assertIn("it is wrong", problems)

    def test_a_test_that_fails_anyway_shows_nothing(self):
        self.write("src/a/a.cc", CODE.replace("return 1;", "return 3;"))
        status, output, problems = self.run_script(mutation("late", "return 2;", "return 7;"))
        self.assertEqual((status, output), (1, ""))
        self.assertIn("unmutated, a_test ran 1 of 1 tests and ended with 1", problems)

    def test_the_tree_stays_as_it_is_and_the_copy_follows_it(self):
        def tree():
            files = (path for path in self.root.rglob("*") if path.is_file() and self.root / "build" not in path.parents)
            return {path: (path.read_text(), path.stat().st_mtime_ns) for path in files}

        self.run_script(CAUGHT)
        before = tree()
        self.run_script(CAUGHT)
        del before[self.root / "tests/mutations/a.toml"]
        after = tree()
        del after[self.root / "tests/mutations/a.toml"]
        self.assertEqual(after, before)
        self.assertEqual((self.root / "build/mutate/src/a/a.cc").read_text(), CODE)
        (self.root / "tests/a/a_test.cc").write_text(TEST + "// more\n")
        self.write("src/a/gone.cc", "")
        self.run_script(CAUGHT)
        (self.root / "src/a/gone.cc").unlink()
        self.run_script(CAUGHT)
        self.assertFalse((self.root / "build/mutate/src/a/gone.cc").exists())
        self.assertTrue((self.root / "build/mutate/tests/a/a_test.cc").read_text().endswith("// more\n"))

    def test_names_choose_and_may_end_in_a_star(self):
        both = CAUGHT + mutation("quiet", "return 2;", "return 7;", "Two.IsTwo")
        self.assertIn("1 mutations, 1 caught", self.run_script(both, "cau*")[1])
        status, _, problems = self.run_script(both, "caught", "other")
        self.assertEqual((status, problems), (2, "no mutation is called other; see scripts/mutate --list\n"))

    def test_text_that_is_not_found_once_is_an_error(self):
        self.assertEqual(self.check(CAUGHT)[0], 0)
        self.assertEqual(self.check(mutation("x", "return 9;", ""))[0], 1)
        self.assertIn("x: its old text is found 2 times", self.check(mutation("x", "return", ""))[1])
        self.assertIn("x: it changes nothing", self.check(mutation("x", "return 1;", "return 1;"))[1])
        self.assertIn("x: src/a/a.cc does not exist", self.check_without_code())

    def check_without_code(self):
        (self.root / "src/a/a.cc").unlink()
        return self.check(mutation("x", "return 1;", ""))[1]

    def test_a_test_must_exist(self):
        self.assertIn("a_test has no test One.IsTwo", self.check(mutation("x", "return 1;", "", "One.IsTwo"))[1])
        self.assertIn("a_test has no test One.Is", self.check(mutation("x", "return 1;", "", "One.Is"))[1])

    def test_every_known_mistake_needs_a_mutation(self):
        self.write("tests/mutations/known_mistakes.toml", '[mistakes]\nold = "x"\nnew = "y"\n[later]\nfar = "z"\nold = "x"\n')
        status, problems = self.check(mutation("x", "return 1;", "", mistake="old") + mutation("y", "return 1;", "", mistake="no"))
        self.assertEqual(status, 1)
        self.assertIn("no mutation makes the mistake new\n", problems)
        self.assertIn("old is both here and to come later\n", problems)
        self.assertIn("y: tests/mutations/known_mistakes.toml does not list the mistake no\n", problems)

    def test_an_id_is_taken_once_and_a_mutation_has_all_its_parts(self):
        self.assertIn("caught: defined twice", self.check(CAUGHT + CAUGHT)[1])
        status, problems = self.check('[[mutation]]\nid = "x"\n')
        self.assertEqual(status, 1)
        self.assertIn("a.toml: x: ", problems)

    def test_list_shows_all(self):
        output = self.run_script(mutation("x", "return 1;", "", mistake="old"), "--list")[1]
        self.assertEqual(output, "x (known mistake: old)\n    a mistake\n    src/a/a.cc, caught by a_test One.IsOne\n")


if __name__ == "__main__":
    unittest.main()
