#!/usr/bin/env python3
"""Changes one line of the C sources at a time and sees whether the quick tests notice.

    tests/mutation/mutate.py --seed 1 --count 60 [--work /tmp/fibquant-mutation] [--jobs 2]

Works in a copy (the commit HEAD, never the tree itself): builds it, runs the quick tests once unchanged and with
gcov, to know which of them pass by a line (none of the others can notice its change), then draws mutants at random
from the seed, in turn from core, theory, data and experiments. A mutant is

    killed          a test fails, twice in a row, or takes many times its usual time
    survived        every quick test passes: a test is missing, or the change changes nothing that can be seen
    same object     the compiler makes the same code of it: not counted
    no compile      the compiler refuses it: not counted

Every result goes to WORK/seed-N.json as soon as it is there and the run goes on from it when started again; the table
is WORK/seed-N.md. --snapshot takes the current HEAD into the copy (other results are kept beside it).
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

AREAS = ("core", "theory", "data", "experiments")
NOT_RUN = {"format", "additions"}  # judges the text of a source; builds a copy of its own
SUITES_NEED = ("fibquant_tests", "fibquant_program", "fibquant_example")
SWAPS = {
    " + ": [" - "], " - ": [" + "], " * ": [" / "], " / ": [" * "], " % ": [" * "],
    " += ": [" -= "], " -= ": [" += "], " *= ": [" /= "], " /= ": [" *= "],
    " < ": [" <= ", " > "], " <= ": [" < "], " > ": [" >= ", " < "], " >= ": [" > "],
    " == ": [" != "], " != ": [" == "], " && ": [" || "], " || ": [" && "],
    " << ": [" >> "], " >> ": [" << "], " & ": [" | "], " | ": [" & "],
}
SWAP = re.compile("(?=(" + "|".join(re.escape(s) for s in SWAPS) + "))")
INTEGER = re.compile(r"(?<![\w.])(\d+)([uUlL]*)(?![\w.'])")
REAL = re.compile(r"(?<![\w.])(\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)([fF]?)(?![\w.])")
CONDITION = re.compile(r"^(\s*(?:\} else )?if )\((.*)\)( \{|$)")
STATEMENT = re.compile(r"^(\s+)(?:[\w\->.\[\]*]+(?:\+\+|--)|[\w\->.\[\]*()]+ [-+*/|&^]?=[^=].*|[A-Za-z_]\w*\(.*\));$")
DECLARES = re.compile(r"^\s+(?:static|const|return|goto|break|continue|case|typedef|struct|enum|extern|unsigned|"
                      r"\w+ \*?\w+(?:\[.*\])? =|assert\()")
RETURN = re.compile(r"^(\s+return )(.+);$")


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def without_comments_and_strings(text):
    """The text with comments, strings and characters blanked, every offset kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def other_values(code):
    """(start, end, new text) of every constant that another takes the place of."""
    for found in INTEGER.finditer(code):
        value = int(found.group(1))
        for other in {value + 1, value - 1} - {-1}:
            yield found.start(), found.end(), f"{other}{found.group(2)}"
    for found in REAL.finditer(code):
        yield found.start(), found.end(), f"({found.group(1)}{found.group(2)} * 1.25{found.group(2)})"


def returned(value):
    swapped = {"true": "false", "false": "true", "FQ_OK": "FQ_ERR_INTERNAL"}
    if value in swapped:
        return swapped[value]
    return None if value in ("NULL", "0") or value.startswith("FQ_FAIL") else "0"


def changes_of(line, code):
    """(kind, new line) of every change of a line; code is the line without its strings and comments."""
    found = []
    for hit in SWAP.finditer(code):
        old = hit.group(1)
        for new in SWAPS[old]:
            found.append(("operator", line[:hit.start()] + new + line[hit.start() + len(old):]))
    for start, end, new in other_values(code):
        found.append(("constant", line[:start] + new + line[end:]))
    condition = CONDITION.match(code)
    if condition and code.count("(") == code.count(")"):
        inner = line[condition.start(2):condition.end(2)]
        found.append(("condition", line[:condition.start(2)] + f"!({inner})" + line[condition.end(2):]))
    if STATEMENT.match(code) and not DECLARES.match(code):
        found.append(("deletion", re.match(r"\s+", line).group(0) + ";"))
    result = RETURN.match(code)
    if result and code.count("(") == code.count(")"):
        new = returned(line[result.start(2):result.end(2)])
        if new:
            found.append(("return", f"{line[:result.start(2)]}{new};"))
    return [(kind, new) for kind, new in found if new != line]


def mutants_of(tree, path):
    """(path, line number, kind, old line, new line) for one file; preprocessor lines are left alone."""
    text = (tree / path).read_text()
    code = without_comments_and_strings(text).split("\n")
    continued = False
    found = []
    for number, line in enumerate(text.split("\n")):
        preprocessor = code[number].lstrip().startswith("#") or continued
        continued = preprocessor and line.endswith("\\")
        if not preprocessor and code[number].startswith(" "):
            found += [(path, number + 1, kind, line, new) for kind, new in changes_of(line, code[number])]
    return found


def draw(tree, seed):
    """All mutants in the order of the seed: the areas in turn, within one a random line and a random change of it."""
    generator = random.Random(seed)
    queues = []
    for area in AREAS:
        by_line = {}
        for path in sorted(str(p.relative_to(tree)) for p in (tree / area).rglob("*.c")):
            for mutant in mutants_of(tree, path):
                by_line.setdefault(mutant[:2], []).append(mutant)
        lines = sorted(by_line)
        generator.shuffle(lines)
        queues.append([generator.choice(by_line[line]) for line in lines])
    return [queue[i] for i in range(max(map(len, queues))) for queue in queues if i < len(queue)]


def run(command, timeout=None, **more):
    """Exit status and output of a command; None if it took longer than allowed. Its children end with it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **more)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""


class Tests:
    """The quick tests of a build folder, with the time each takes when nothing is wrong."""

    def __init__(self, build, jobs):
        self.jobs = jobs
        shown = json.loads(subprocess.check_output(["ctest", "--test-dir", build, "--show-only=json-v1"]))
        self.tests = {}
        for test in shown["tests"]:
            about = {p["name"]: p["value"] for p in test.get("properties", [])}
            if "slow" in about.get("LABELS", []) or test["name"] in NOT_RUN or "command" not in test:
                continue
            environment = dict(os.environ)
            environment.update(pair.split("=", 1) for pair in about.get("ENVIRONMENT", []))
            self.tests[test["name"]] = {"command": test["command"], "environment": environment,
                                        "folder": about.get("WORKING_DIRECTORY", build),
                                        "skip": about.get("SKIP_RETURN_CODE")}
        self.seconds = {}

    def passes(self, name):
        test = self.tests[name]
        allowed = 20 + 6 * self.seconds[name] if name in self.seconds else 600
        started = time.monotonic()
        status, _ = run(test["command"], allowed, env=test["environment"], cwd=test["folder"])
        return status == 0 or (status is not None and status == test["skip"]), time.monotonic() - started

    def measure(self, record):
        """One run of each; those that fail unchanged are left out, by name. What is recorded is not run again."""
        if record.exists():
            self.seconds = json.loads(record.read_text())
            return
        for name in sorted(self.tests):
            good, seconds = self.passes(name)
            if good:
                self.seconds[name] = seconds
            else:
                say(f"left out, fails unchanged: {name}")
        record.write_text(json.dumps(self.seconds))

    def cover(self, folder, tree, map_file):
        """Runs each test of a build with --coverage: which tests pass by which lines, {file: {line: [test]}}."""
        self.lines = {}
        if map_file.exists():
            self.lines = json.loads(map_file.read_text())
            return
        for name in sorted(self.tests):
            counts = folder / "counts" / name
            test = dict(self.tests[name], environment=dict(self.tests[name]["environment"], GCOV_PREFIX=str(counts)))
            run(test["command"], 1200, env=test["environment"], cwd=test["folder"])
            found = [str(f) for f in counts.rglob("*.gcda")]
            for data in found:
                notes = pathlib.Path("/" + str(pathlib.Path(data).relative_to(counts))).with_suffix(".gcno")
                if notes.exists():
                    pathlib.Path(data).with_suffix(".gcno").symlink_to(notes)
            for first in range(0, len(found), 100):
                shown = subprocess.run(["gcov", "--json-format", "--stdout", *found[first:first + 100]],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
                for document in shown.decode().split("\n"):
                    for file in json.loads(document)["files"] if document.strip() else []:
                        path = os.path.normpath(os.path.join(folder, file["file"]))
                        if not path.startswith(str(tree) + "/"):
                            continue
                        lines = self.lines.setdefault(path[len(str(tree)) + 1:], {})
                        for line in file["lines"]:
                            tests = lines.setdefault(str(line["line_number"]), [])
                            if line["count"] and name not in tests:
                                tests.append(name)
            shutil.rmtree(counts, ignore_errors=True)
            say(f"covered by {name}: {sum(name in t for lines in self.lines.values() for t in lines.values())} lines")
        map_file.write_text(json.dumps(self.lines))

    def that_pass_by(self, path, number):
        """The tests that run the line or one within three of it; without code there, any line of the file."""
        lines = self.lines.get(path, {})
        near = [lines[str(n)] for n in range(number - 3, number + 4) if str(n) in lines]
        return set().union(*(near or lines.values() or [self.tests]))

    def is_suite(self, name):
        return os.path.basename(self.tests[name]["command"][0]) == SUITES_NEED[0]

    def order(self, path, number):
        """Those first whose name the file's has to do with, then short ones."""
        words = set(re.split(r"[_/.]", path))
        def key(name):
            related = len(words & set(name.split("_"))) or (name in path)
            return (-related, self.seconds[name])
        return sorted(self.that_pass_by(path, number) & set(self.seconds), key=key)

    def first_failure(self, names):
        """The name of a test that fails twice, or None."""
        names = iter(names)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            running = {}
            def start():
                name = next(names, None)
                if name:
                    running[pool.submit(self.passes, name)] = name
            for _ in range(self.jobs):
                start()
            killer = None
            while running and not killer:
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    if not future.result()[0] and not self.passes(name)[0]:
                        killer = name
                    elif not killer:
                        start()
        return killer


def snapshot(source, tree):
    for old in (tree, *(tree.parent / name for name in ("seconds.json", "lines.json", "changed.json"))):
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    tree.mkdir(parents=True)
    archive = subprocess.Popen(["git", "-C", source, "archive", "HEAD"], stdout=subprocess.PIPE)
    subprocess.run(["tar", "x", "-C", tree], stdin=archive.stdout, check=True)
    if archive.wait() != 0:
        sys.exit("git archive failed")
    commit = subprocess.check_output(["git", "-C", source, "rev-parse", "HEAD"], text=True).strip()
    (tree.parent / "commit").write_text(commit + "\n")


def make(tree, build, flags, jobs):
    """Configures a build folder and builds it."""
    command = ["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               f"-DCMAKE_C_FLAGS_RELEASE={flags}", "-DFQ_WERROR=OFF"]
    if shutil.which("ccache") and "--coverage" not in flags:
        command.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
    for step in (command, ["ninja", "-C", build, f"-j{jobs}"]):
        status, output = run(step)
        if status != 0:
            sys.exit(output[-3000:])


def object_file(build, tree, path):
    """The objects made of a source: (their paths) in the build folder."""
    commands = json.loads((build / "compile_commands.json").read_text())
    wanted = str(tree / path)
    return [build / shlex.split(c["command"])[shlex.split(c["command"]).index("-o") + 1] for c in commands
            if c["file"] == wanted]


def digests(objects):
    return [hashlib.sha256(o.read_bytes()).hexdigest() for o in objects]


def judge(mutant, tree, build, tests, jobs):
    """Builds and tests one mutant; the source is as before afterwards, the objects not yet."""
    path, number, _, _, new = mutant
    source, changed = tree / path, tree.parent / "changed.json"
    before = source.read_text()
    objects = object_file(build, tree, path)
    if not objects or not all(o.exists() for o in objects):
        return "same object", None  # no part of this build
    old = digests(objects)
    lines = before.split("\n")
    lines[number - 1] = new
    try:
        changed.write_text(json.dumps([path, before]))  # for the next start, should this run be killed
        source.write_text("\n".join(lines))
        relative = [str(o.relative_to(build)) for o in objects]
        if run(["ninja", "-C", build, f"-j{jobs}", *relative])[0] != 0:
            return "no compile", None
        if digests(objects) == old:
            return "same object", None
        names = tests.order(path, number)
        of_suites = [name for name in names if tests.is_suite(name)]
        # Most mutants are killed by a suite, for which less has to be linked.
        for targets, chosen in ((SUITES_NEED, of_suites), ((), [name for name in names if name not in of_suites])):
            if not chosen:
                continue
            status, output = run(["ninja", "-C", build, f"-j{jobs}", *targets], 1200)
            if status != 0:
                return "killed", "the build: " + output.strip().split("\n")[-1][:100]
            killer = tests.first_failure(chosen)
            if killer:
                return "killed", killer
        return "survived", None
    finally:
        source.write_text(before)
        changed.unlink(missing_ok=True)


def table(results, seed, commit):
    counted = [r for r in results if r["outcome"] in ("killed", "survived")]
    killed = sum(r["outcome"] == "killed" for r in counted)
    lines = [f"# Mutants of {commit}, seed {seed}", "",
             f"{len(counted)} counted, {killed} killed"
             + (f" ({100 * killed / len(counted):.0f} %)" if counted else "")
             + f"; {len(results) - len(counted)} not counted (no compile, same object).", "",
             "| area | counted | killed |", "|---|---|---|"]
    for area in AREAS:
        here = [r for r in counted if r["file"].startswith(area + "/")]
        lines.append(f"| {area} | {len(here)} | {sum(r['outcome'] == 'killed' for r in here)} |")
    for outcome in ("survived", "killed"):
        lines += ["", f"## {outcome}", ""]
        for r in counted:
            if r["outcome"] == outcome:
                by = f", by {r['by']}" if r["by"] else ""
                lines += [f"{r['file']}:{r['line']} ({r['kind']}{by}, {r['seconds']:.0f} s)",
                          "", "    -" + r["old"].strip(), "    +" + r["new"].strip(), ""]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60, help="counted mutants wanted (killed or survived)")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/fibquant-mutation"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--snapshot", action="store_true", help="take HEAD into the copy again")
    parser.add_argument("--only", default="", help="mutants of files whose path begins so")
    parser.add_argument("--dry-run", action="store_true", help="show the mutants that would be tried, and stop")
    options = parser.parse_args()
    source = pathlib.Path(__file__).resolve().parents[2]
    tree, build = options.work / "tree", options.work / "build"
    if options.snapshot or not (options.work / "commit").exists():
        snapshot(source, tree)
    if (options.work / "changed.json").exists():
        path, before = json.loads((options.work / "changed.json").read_text())
        (tree / path).write_text(before)
        (options.work / "changed.json").unlink()
    commit = (options.work / "commit").read_text().strip()[:12]
    mutants = [m for m in draw(tree, options.seed) if m[0].startswith(options.only)]
    if options.dry_run:
        for path, number, kind, old, new in mutants[:options.count]:
            print(f"{path}:{number} ({kind})\n    -{old.strip()}\n    +{new.strip()}")
        return
    state = options.work / f"seed-{options.seed}{'-' + options.only.replace('/', '_') if options.only else ''}.json"
    results = json.loads(state.read_text()) if state.exists() else []
    tried = {(r["file"], r["line"], r["new"]) for r in results}
    say(f"building the copy of {commit} in {build}")
    make(tree, build, "-O2", options.jobs)
    tests = Tests(build, options.jobs)
    say(f"{len(tests.tests)} quick tests, unchanged")
    tests.measure(options.work / "seconds.json")
    say(f"{sum(tests.seconds.values()):.0f} s for {len(tests.seconds)} tests")
    coverage, map_file = options.work / "coverage", options.work / "lines.json"
    if not map_file.exists():
        make(tree, coverage, "-O1 --coverage -fprofile-update=atomic", options.jobs)
        Tests(coverage, options.jobs).cover(coverage, tree, map_file)
        shutil.rmtree(coverage)
    tests.cover(coverage, tree, map_file)
    for mutant in mutants:
        if sum(r["outcome"] in ("killed", "survived") for r in results) >= options.count:
            break
        path, number, kind, old, new = mutant
        if (path, number, new) in tried:
            continue
        started = time.monotonic()
        outcome, by = judge(mutant, tree, build, tests, options.jobs)
        results.append({"file": path, "line": number, "kind": kind, "old": old, "new": new, "outcome": outcome,
                        "by": by, "seconds": round(time.monotonic() - started, 1)})
        say(f"{outcome:11} {path}:{number} {by or ''}")
        new_state = state.with_suffix(".new")
        new_state.write_text(json.dumps(results, indent=1))
        new_state.replace(state)
        state.with_suffix(".md").write_text(table(results, options.seed, commit))
    run(["ninja", "-C", build, f"-j{options.jobs}"])
    print(table(results, options.seed, commit))


if __name__ == "__main__":
    main()
