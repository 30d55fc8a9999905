# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that the ranges that headers tell of their options are those that validate() allows.

A comment tells a range as "LOW to HIGH", "at most HIGH" or "up to HIGH", with units, remarks in parentheses, and names
of other members; "each LOW to HIGH" holds for all members below it, above a struct for all of the struct, and "See
Other." stands for the range of Other's member of that name. Of a range that depends on another option, what is allowed
without that option is compared, or that its end is the other member.
"""

import re
import tempfile
import unittest
from pathlib import Path

from cpp_constants import NUMBER, Value, definition, evaluate, told

ROOT = Path(__file__).resolve().parents[2]

# Members of the C API, which are checked as members of C++ options: by struct, and then by member where it is another.
C_MEMBERS = {
    "fuseboard_tool_guard_options": "ToolGuardOptions",
    "fuseboard_credential_options": "CredentialGateOptions",
    "fuseboard_target_options": "JointLimiterOptions",
    "fuseboard_target_options.queue_capacity": "AdmissionQueueOptions.capacity",
    "fuseboard_target_options.queue_max_wait": "AdmissionQueueOptions.max_wait",
    "fuseboard_target_options.retries_per_second": "RetryBudgetOptions.min_per_second",
    "fuseboard_target_options.retry_ratio": "RetryBudgetOptions.ratio",
    "fuseboard_target_options.retry_after_max": "TargetStateOptions.retry_after_max",
    "fuseboard_route_options": "AttemptTimeouts",
    "fuseboard_retry_options": "RetryOptions",
    "fuseboard_plan_options": "PlanOptions",
    "fuseboard_plan_options.hedge_percentile": "HedgeOptions.percentile",
    "fuseboard_plan_options.hedge_after": "HedgeOptions.after",
    "fuseboard_plan_options.patience": "PatienceOptions.fixed",
    "fuseboard_ledger_options": "BudgetOptions",
}


def arguments_at(text, begin):
    """Of the call whose "(" is before `begin`."""
    parts, depth = [""], 0
    for character in text[begin:]:
        depth += (character in "({") - (character in ")}")
        if depth < 0:
            return [part.strip() for part in parts]
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    raise ValueError("a call without an end")


# ---- Headers ---------------------------------------------------------------------------------------------------------


def members_of(body):
    """Of each member: the comments of its own, and one further above that may be meant for it too."""
    members, above, last = {}, "", None
    for line in re.sub(r"=\n +", "= ", body).splitlines():
        code, _, comment = line.partition("// ")
        if code == "  ":
            above, last = (comment if last else f"{above} {comment}"), None
        elif code.isspace() and last:
            members[last][0] += " " + comment
        elif member := re.fullmatch(r"  [A-Za-z][^(=]*?\b(\w+)(?:\{[^{}]*\}| =.*)?; *", code):
            shared = above if last and (not comment or "each " in above) else ""
            members[member[1]] = ["" if last else f"{above} ", shared]
            last = member[1]
            members[last][0] += comment
        else:
            above, last = "", None
    return members


def structs_in(text):
    """By name: the comment above, where it is about each member, and the members."""
    found = re.findall(r"((?:^//[^\n]*\n)*)^(?:typedef )?struct (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    return {name: (comment if "each " in comment else "", members_of(body)) for comment, name, body in found}


def range_told(comment, members):
    """(low, high), each a Value or a member; None: the comment tells none."""
    text = re.sub(r" ?\([^)]*\)", "", comment)
    bound = rf"(?<![\w.^])`?({NUMBER}|(?:{'|'.join(members)})(?:_ms)?\b)`?"
    ranges = re.findall(rf"{bound} to {bound}", text)
    if not ranges:
        ranges = [("0", high) for high in re.findall(rf"\b(?:[Aa]t most|[Uu]p to) ({NUMBER})", text)]
    if len(ranges) > 1:
        raise ValueError(f"tells {len(ranges)} ranges")
    return tuple(told(end) if end[0].isdigit() else end.removesuffix("_ms") for end in ranges[0]) if ranges else None


# ---- Checks ----------------------------------------------------------------------------------------------------------


def helpers_in(source):
    """Functions and lambdas that check a field for others: their parameters, and value, low and high of the check."""
    helpers = {}
    for match in re.finditer(r"in_range\((?!\")|require\((\w+)\.size\(\) <= (\w+), field", source):
        head = re.findall(r"(?:void (\w+)|auto (\w+) = \[&\])\(([^)]*)\)", source[:match.start()])
        if head:
            check = [match[1], "0", match[2]] if match[1] else arguments_at(source, match.end())[1:]
            parameters = [part.split()[-1].lstrip("&") for part in head[-1][2].split(",")]
            helpers[head[-1][0] or head[-1][1]] = (parameters, check)
    return helpers


def checks_in(source):
    """Of each validate(): the struct, the member, low and high as they are written, and what is local there."""
    helpers = helpers_in(source)
    bodies = re.findall(r"^Problems (\w+)::validate\(\) const \{\n(.*?)^\}", source, re.MULTILINE | re.DOTALL)
    for struct, body in bodies:
        locals_ = dict(re.findall(r"const [\w:]+ (\w+) = ([^;\[]+);", body))
        for match in re.finditer(rf"\b({'|'.join(['in_range', *helpers])})(?:<[\w:]+>)?\(", body):
            arguments = arguments_at(body, match.end())
            if match[1] in helpers:
                parameters, check = helpers[match[1]]
                given = dict(zip(parameters, arguments))
                check = [given.get(re.sub(r"^\*|\[i\]$", "", part), part) for part in check]
            elif arguments[0].startswith('"'):
                check = arguments[1:]
            else:
                continue
            value, low, high = check
            yield struct, re.sub(r"^\*|\.size\(\)$", "", value), low, high, locals_


def resolve(expression, constant, locals_, members):
    """A Value, or the member that a bound follows."""
    expression = locals_.get(expression, expression).strip()
    if " ? " in expression:
        return resolve(expression.rsplit(" : ", 1)[1], constant, locals_, members)
    followed = re.match(r"std::(max|clamp)(?:<\w+>)?\(", expression)
    if not followed:
        return expression if expression in members else evaluate(expression, constant)
    values = [resolve(part, constant, locals_, members) for part in arguments_at(expression, followed.end())]
    return next((value for value in values if isinstance(value, str)), values[0])


def constants_of(source, headers):
    """The value of a name at namespace level, here or in any header."""
    def constant(name):
        for text in (source, headers):
            lines = re.findall(rf"^(?:inline )?constexpr [^=;\n]*\b{name}\b[^;]*;", text, re.MULTILINE)
            if lines:
                break
        if len(lines) != 1:
            raise ValueError(f"{name} is there {len(lines)} times")
        return evaluate(definition(name, lines[0])[0], constant)
    return constant


# ---- Both ------------------------------------------------------------------------------------------------------------


def same(told_range, checked):
    return all(type(a) is type(b) and a == b for a, b in zip(told_range, checked))


def shown(told_range):
    return " to ".join(f"`{end}`" if isinstance(end, str) else str(end) for end in told_range)


def checks_of(root, headers, structs):
    """By "Struct.member": low and high."""
    checks = {}
    for path in sorted(root.glob("src/*/*.cc")):
        source = path.read_text(encoding="utf-8")
        constant = constants_of(source, "\n".join(headers.values()))
        for struct, member, low, high, locals_ in checks_in(source):
            members = structs[struct][2] if struct in structs else {}
            checks[f"{struct}.{member}"] = tuple(resolve(end, constant, locals_, members) for end in (low, high))
    return checks


def problems_of(root, c_members):
    """The problems, and the members of which both are known."""
    paths = [*root.glob("include/fuseboard/*/*.h"), *root.glob("src/*/*.h")]
    headers = {path.relative_to(root): path.read_text(encoding="utf-8") for path in sorted(paths)}
    structs = {name: (path, *struct) for path, text in headers.items() for name, struct in structs_in(text).items()}
    checks = checks_of(root, headers, structs)
    options = {name.split(".")[0] for name in checks} | {name for name in c_members if "." not in name}

    def range_of(struct, member, is_checked):
        _, of_struct, members = structs[struct]
        own, shared = members[member]
        if see := re.fullmatch(r"See (\w+)\.", own.strip()):
            return range_of(see[1], member, is_checked)
        comments = [own, shared, of_struct] if is_checked else [own]
        return next(filter(None, (range_told(comment, members) for comment in comments)), None)

    problems, compared = [], set()
    members = [(struct, member) for struct in sorted(options & set(structs)) for member in structs[struct][2]]
    for struct, member in members:
        name, path = f"{struct}.{member}", structs[struct][0]
        plain = member.removesuffix("_ms") if struct in c_members else member
        check = checks.get(c_members.get(f"{struct}.{plain}") or f"{c_members.get(struct, struct)}.{plain}")
        try:
            found = range_of(struct, member, check is not None)
        except ValueError as error:
            problems.append(f"{path}: {name}: {error}")
            continue
        if found and check:
            compared.add(name)
            if not same(found, check):
                problems.append(f"{path}: {name}: tells {shown(found)}, checked is {shown(check)}")
        elif found:
            problems.append(f"{path}: {name}: tells {shown(found)}, nothing checks it")
        elif name in checks and path.parts[0] == "include":  # headers of our own need not tell any
            problems.append(f"{path}: {name}: tells no range, checked is {shown(checks[name])}")
    told_of = {f"{struct}.{member}" for struct, member in members}
    problems += [f"src: {name}: is checked and not found in a header" for name in checks if name not in told_of]
    return problems, compared


class Ranges(unittest.TestCase):
    def test_headers_tell_what_is_checked(self):
        problems, compared = problems_of(ROOT, C_MEMBERS)
        self.assertEqual("\n".join(problems), "")
        self.assertGreater(len(compared), 100)


class ThisTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def problems(self, members, checks, code="", c="", c_members=(), above="", folder="include/fuseboard/a"):
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "src" / "a").mkdir(parents=True, exist_ok=True)
        header = f"{above}struct Options {{\n  {members}\n\n  Problems validate() const;\n}};\n"
        (self.root / folder / "a.h").write_text(f"inline constexpr auto kFew = 2 * 5;\n{header}{c}")
        body = "\n  ".join(checks.splitlines())
        (self.root / "src/a/a.cc").write_text(f"{code}Problems Options::validate() const {{\n  {body}\n}}\n")
        problems, compared = problems_of(self.root, dict(c_members))
        return [problem.split(": ", 1)[1] for problem in problems], sorted(compared)

    def assert_same(self, members, checks, count=1, **more):
        problems, compared = self.problems(members, checks, **more)
        self.assertEqual((problems, len(compared)), ([], count))

    def assert_problem(self, problem, members, checks, **more):
        self.assertEqual(self.problems(members, checks, **more)[0], [problem])

    def test_what_is_the_same_passes(self):
        for comment, low, high in [("1 to 10", "1U", "kFew"), ("100 ms to 7 days", "100ms", "7 * 24h"),
                                   ("0 to 1 h", "0s", "1h"), ("0 (none) to 1 s", "Duration::zero()", "seconds(1)"),
                                   ("1 to 1e9, or none", "1.0", "1e9"),
                                   ("`b` to 2^63 - 1", "std::max(b, 1)", "std::numeric_limits<std::int64_t>::max()"),
                                   ("1 KiB to `b`", "size_t{1} << 10U", "std::clamp<int>(b, 1, kFew)"),
                                   ("Up to 12 bytes", "0", "12"),
                                   ("1 to 2. Default: a 5th", "1", "on ? 5 : 2")]:
            check = f'validator.in_range<std::size_t>("a", *a, {low}, {high});'
            with self.subTest(comment):
                self.assert_same(f"// The first; {comment}.\n  int a{{}};\n  int b = 1;", check)
                self.assert_same(f"int a = 1;  // the first; {comment}\n  int b;", check)

    def test_comments_for_several_members(self):
        two = 'v.in_range("a", a, 1, 2);\nv.in_range("b", b, 1, 2);'
        self.assert_same("// 1 to 2.\n  int a = 1;\n  int b = 1;\n  bool c{};", two, 2)
        self.assert_same("// Of both, each 1 to 2.\n  int a = 1;  // one\n  int b = 1;  // the other", two, 2)
        self.assert_same("int a = 1;  // one\n  int b = 1;", two, 2, above="// Some\n// ints; each 1 to 2.\n")
        self.assert_problem("Options.b: tells no range, checked is 1 to 2", "// 1 to 2.\n  int a;\n\n  int b;", two)

    def test_checks_that_are_written_once(self):
        function = "void check(V& v, view field, int value, int most) {\n  v.in_range(field, value, 1, most);\n}\n"
        self.assert_same("int a = 1;  // 1 to 2", 'check(v, "a", a, 2);', code=function)
        self.assert_problem("Options.a: tells 1 to 2, checked is 1 to 3",
                            "int a = 1;  // 1 to 2", 'check(v, "a", a, 3);', code=function)
        sizes = "const auto check = [&](view field, const T& t, int most) { v.require(t.size() <= most, field); };\n"
        self.assert_same("string a{};  // up to 8 bytes", sizes + 'check("a", a, 8);')

    def test_what_differs(self):
        check = 'v.in_range("a", a, 1, 10);'
        for comment, shown_range in [("1 to 11", "1 to 11"), ("0 to 10", "0 to 10"), ("at most 10", "0 to 10"),
                                     ("1 to 10 s", "1 to 10000000000 ns"), ("1 to `b`", "1 to `b`")]:
            with self.subTest(comment):
                self.assert_problem(f"Options.a: tells {shown_range}, checked is 1 to 10",
                                    f"int a;  // {comment}\n  int b;", check)
        self.assert_problem("Options.a: tells no range, checked is 1 to 10", "int a;  // 1, and to 10", check)
        self.assert_problem("Options.a: tells 2 ranges", "int a;  // 1 to 10, or 1 to 20", check)
        self.assert_problem("Options.b: tells 1 to 9, nothing checks it",
                            "int a;  // 1 to 10\n  int b;  // 1 to 9", check)
        self.assert_problem("Options.a: is checked and not found in a header", "int b;", check)

    def test_headers_of_our_own_may_tell_nothing(self):
        check = 'v.in_range("a", a, 1, 10);'
        self.assert_same("int a;", check, 0, folder="src/a")
        self.assert_problem("Options.a: tells 2 to 10, checked is 1 to 10", "int a;  // 2 to 10", check, folder="src/a")

    def test_members_of_the_c_api(self):
        c = "typedef struct c_options {\n  int64_t a_ms;  // 1 ms to 1 s\n  int other;  // 1 to 2\n} c_options;\n"
        check = 'v.in_range("a", a, 1ms, 1s);\nv.in_range("b", b, 1, 3);'
        self.assert_problem("c_options.other: tells 1 to 2, checked is 1 to 3",
                            "int a;  // 1 ms to 1 s\n  int b;  // 1 to 3", check, c=c,
                            c_members={"c_options": "Options", "c_options.other": "Options.b"})


if __name__ == "__main__":
    unittest.main()
