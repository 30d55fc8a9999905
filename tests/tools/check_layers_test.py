# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that scripts/check_layers catches what it is there to catch, on small trees made for it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_layers"
LICENSE = "// Copyright The Fuseboard Authors\n// SPDX-License-Identifier: Apache-2.0\n\n"  # 3 lines: code begins on line 4
TABLE = """
[library]
core = []
breaker = ["core"]
retry = ["core"]
[program]
net = ["core"]
gateway = ["core", "breaker", "net"]
[third_party]
net = ["boost/", "simdjson.h"]
"""


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "layers.toml").write_text(TABLE)

    def write(self, path, code, license=LICENSE):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(license + code)

    def run_script(self):
        done = subprocess.run([sys.executable, SCRIPT, self.root], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def assert_fine(self, path, code):
        self.write(path, code)
        self.assertEqual(self.run_script(), (0, ""))

    def assert_problem(self, path, code, message, line=4):
        self.write(path, code)
        status, output = self.run_script()
        self.assertEqual(status, 1, output)
        self.assertIn(f"{path}:{line}: ", output)
        self.assertIn(message, output)
        self.assertEqual(output.count("\n"), 1, output)

    def assert_table_problem(self, table, message):
        (self.root / "layers.toml").write_text(table)
        status, output = self.run_script()
        self.assertEqual(status, 2)
        self.assertIn(message, output)

    def test_what_the_table_allows_passes(self):
        self.assert_fine("include/fuseboard/breaker/a.h", '#include <vector>\n#include "fuseboard/core/time.h"\n')
        self.assert_fine("src/breaker/a.cc", '#include "breaker/a.h"\n#include "fuseboard/core/time.h"\n')
        self.assert_fine("src/net/a.cc", '#include <boost/asio.hpp>\n#include <simdjson.h>\n#include <sys/socket.h>\n')
        self.assert_fine("src/gateway/a.cc", '#include "fuseboard/breaker/a.h"\n')

    def test_the_interface_of_a_program_module(self):
        self.assert_problem("src/gateway/a.cc", '#include "net/a.h"\n', '"net/a.h" is a private header of net')
        (self.root / "layers.toml").write_text(TABLE + '[interface]\nnet = ["a.h"]\n')
        status, output = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("the interface of net names a.h, which does not exist", output)
        self.assert_fine("src/net/a.h", "\n")
        self.assert_fine("src/net/b.cc", '#include "net/b.h"\n')
        (self.root / "src/gateway/a.cc").unlink()
        status, output = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("the interface of net names a.h, which no other module includes", output)
        self.assert_fine("tests/gateway/a_test.cc", '#include "net/a.h"\n')
        self.assert_problem("tests/gateway/b_test.cc", '#include "net/b.h"\n', '"net/b.h" is a private header of net')

    def test_an_interface_of_what_is_no_program_module(self):
        self.assert_table_problem(TABLE + '[interface]\ncore = ["a.h"]\n', "core: has an interface and is no program module")

    def test_a_module_that_is_not_listed(self):
        self.assert_problem("src/breaker/a.cc", '\n#include "fuseboard/retry/a.h"\n', "breaker does not list retry", 5)

    def test_a_public_header_of_a_module_that_is_not_listed(self):
        self.assert_problem("include/fuseboard/retry/a.h", '#include "fuseboard/breaker/a.h"\n', "does not list breaker")

    def test_an_include_upwards(self):
        self.assert_problem("src/core/a.cc", '#include "fuseboard/breaker/a.h"\n', "core does not list breaker")
        (self.root / "src/core/a.cc").unlink()
        self.assert_problem("src/net/a.cc", '#include "gateway/a.h"\n', "net does not list gateway")

    def test_a_way_around_by_dots(self):
        self.assert_problem("src/net/a.cc", '#include "../gateway/a.h"\n', "names no module")
        self.assert_problem("src/net/a.cc", '#include "net/../gateway/a.h"\n', "names no module")

    def test_a_private_header_of_another_library_module(self):
        self.assert_problem("src/gateway/a.cc", '#include "breaker/a.h"\n', "is a private header of breaker")

    def test_a_public_header_that_includes_a_private_one(self):
        self.assert_problem("include/fuseboard/breaker/a.h", '#include "breaker/a.h"\n', "is not public")

    def test_a_public_header_of_a_program_module(self):
        self.assert_problem("include/fuseboard/net/a.h", "", "headers live in src/net", 1)

    def test_parts_that_are_not_listed(self):
        self.assert_problem("src/gateway/a.cc", "#include <boost/asio.hpp>\n", "third-party parts of gateway")
        self.assert_problem("src/gateway/a.cc", "#include <absl/hash.h>\n", "<absl/hash.h> is not among")

    def test_the_library_is_standard_cpp_alone(self):
        self.assert_problem("src/core/a.cc", "#include <fmt/format.h>\n", "<fmt/format.h> is not among")
        self.assert_problem("src/core/a.cc", "#include <unistd.h>\n", "<unistd.h> is not among")

    def test_folders_without_a_module(self):
        self.assert_problem("src/stray/a.cc", "", "is in no module", 1)

    def test_files_beside_the_modules(self):
        self.assert_problem("src/a.cc", "", "is in no module", 1)

    def test_includes_without_a_module(self):
        self.assert_problem("src/net/a.cc", '#include "a.h"\n', "names no module")

    def test_includes_in_comments_do_not_count(self):
        self.assert_fine("src/core/a.cc", '// #include "net/a.h"\n/*\n#include "net/a.h"\n*/\nconst char* s = "/*";\n')

    def test_an_include_after_a_comment_mark_in_a_string_counts(self):
        self.assert_problem("src/core/a.cc", 'const char* s = "/*";\n#include "net/a.h"\n', "does not list net", 5)

    def test_tests_may_use_test_parts_and_the_whole_library(self):
        self.write("tests/breaker/support.h", "")
        self.assert_fine("tests/breaker/a_test.cc", '#include <gtest/gtest.h>\n#include "fuseboard/retry/a.h"\n'
                         '#include "breaker/a.h"\n#include "tests/breaker/support.h"\n#include "support.h"\n')

    def test_tests_leave_other_modules_private_headers_alone(self):
        self.assert_problem("tests/net/a_test.cc", '#include "breaker/a.h"\n', "net does not list breaker")
        self.assert_problem("tests/net/a_test.cc", '#include "gateway/a.h"\n', "net does not list gateway")

    def test_a_clock_that_is_read_outside_its_file(self):
        read = "auto t = std::chrono::steady_clock::now();\n"
        self.assert_fine("src/core/clock.cc", read)
        self.assert_problem("src/net/a.cc", "\n" + read, "take the time as an argument", 5)

    def test_a_clock_in_a_header_counts_and_one_in_a_comment_does_not(self):
        self.assert_fine("src/net/a.cc", "// not steady_clock::now(), which\n")
        self.assert_problem("include/fuseboard/core/a.h", "inline auto t = Clock::steady_clock :: now ();\n", "argument")

    def test_a_file_without_the_license(self):
        for path in ("src/core/a.cc", "include/fuseboard/core/a.h", "tests/x/a.cc", "bench/a.cc", "fuzz/a.cc", "examples/a.cc"):
            self.write(path, "int x;\n", license="")
        status, output = self.run_script()
        self.assertEqual(status, 1)
        self.assertEqual(output.count("does not begin with the two lines of the license"), 6)

    def test_every_problem_is_reported(self):
        self.write("src/core/a.cc", '#include "net/a.h"\n#include <fmt/core.h>\n')
        self.write("src/core/b.cc", '#include "net/a.h"\n', license="")
        self.assertEqual(self.run_script()[1].count("\n"), 4)

    def test_a_cycle_in_the_table(self):
        self.assert_table_problem('[library]\na = ["b"]\nb = ["c"]\nc = ["a"]\n', "a cycle: a -> b -> c -> a")
        self.assert_table_problem('[library]\na = ["a"]\n', "a cycle: a -> a")

    def test_a_table_that_contradicts_itself(self):
        self.assert_table_problem('[library]\na = ["b"]\n', "needs b, which is no module")
        self.assert_table_problem('[library]\na = ["b"]\n[program]\nb = []\n', "cannot need b, a program module")
        self.assert_table_problem("[library]\na = []\n[program]\na = []\n", "in [library] and in [program]")
        self.assert_table_problem('[library]\na = []\n[third_party]\nb = ["x/"]\n', "is no module")
        self.assert_table_problem("[library", "layers.toml")


if __name__ == "__main__":
    unittest.main()
