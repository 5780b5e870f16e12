#!/usr/bin/env python3
"""Applies each wrong line of listed_mutants.txt to a copy of the tree, builds the tests and sees whether one of their
suites fails. Exit 1 if one goes unnoticed or does not apply. Each costs the compiling of one file, a link and the parts of
suites up to the first that fails, those first that have to do with the file: some 5 s on one core.

    tests/theory/listed_mutants.py [--work FOLDER] [--jobs N] [--only NUMBER...]
"""
import argparse, os, re, shutil, subprocess, sys, tempfile, time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = ("attention_bound", "caps_bound", "cells", "hadamard_law", "sphere_cover", "every_code")
CHEAP = ("gains", "correlation", "density", "caps", "rates", "lloyd_max", "turboquant", "turboquant_lower", "low_rate",
         "interface", "improvement", "source", "finite_rate")
OF_FILE = {"lattice_moment": "cells/", "gains": "claims/claim gains", "code_distortion": "claims/claim improvement",
           "claim": "claims/comparisons", "cell_quadrature": "claims/claim low_rate",
           "trellis_code": "trellis_code/", "trellis_viterbi_vector": "trellis_encode/",
           "trellis_encode": "trellis_encode/", "trellis_maps": "trellis_encode/"}


def filters(path):
    """What is run for a changed file: first what has to do with it by its name, then short parts, at last everything."""
    name = os.path.splitext(os.path.basename(path or ""))[0]
    first = [OF_FILE[name]] if name in OF_FILE else [name + "/"] if name in SUITES else []
    if name.startswith("claim_"):
        first = ["claims/claim " + name[len("claim_"):]]
    rest = ["claims/claim " + c for c in CHEAP] + [s + "/" for s in SUITES] if path else [s + "/" for s in SUITES]
    return list(dict.fromkeys(first + rest + ["claims/", "claims_content/"]))


def listed():
    for line in open(os.path.join(SOURCE, "tests/theory/listed_mutants.txt"), encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            path, old, new = (p.strip().replace("\\|", "|") for p in re.split(r" \| ", line.strip()))
            yield path, old, new


def copy(work):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=SOURCE, capture_output=True, text=True,
                           check=True).stdout.split("\n")
    for name in filter(None, files):
        target = os.path.join(work, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(SOURCE, name), target)


def build(work, jobs):
    done = subprocess.run(["ninja", "-C", "build", "-j", str(jobs), "fibquant_tests"], cwd=work, capture_output=True, text=True)
    return done.returncode == 0, done.stdout[-2000:]


def noticed_by(work, path):
    environment = dict(os.environ, FIBQUANT=os.path.join(work, "build/experiments/fibquant"), OMP_WAIT_POLICY="passive")
    for chosen in filters(path):
        done = subprocess.run(["build/tests/fibquant_tests", "--filter", chosen], cwd=work, env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 2:
            continue  # no such part
        if done.returncode != 0:
            return chosen
    return None


def in_any_layout(text):
    """A pattern for the text however it is broken into lines."""
    return r"\s+".join(re.escape(word) for word in text.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=int, nargs="*")
    options = parser.parse_args()
    work = options.work or tempfile.mkdtemp(prefix="fibquant-mutants-")
    copy(work)
    command = ["cmake", "-G", "Ninja", "-S", ".", "-B", "build", "-DCMAKE_BUILD_TYPE=Release", "-DFQ_WERROR=OFF"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    good, text = build(work, options.jobs)
    if not good or (not options.only and noticed_by(work, None)):
        sys.exit("listed_mutants: the tree as it is does not build or pass\n" + text)
    survivors = total = 0
    started = time.monotonic()
    for number, (path, old, new) in enumerate(listed(), 1):
        if options.only and number not in options.only:
            continue
        total += 1
        name = os.path.join(work, path)
        text = open(name, encoding="utf-8").read()
        places = list(re.finditer(in_any_layout(old), text))
        if len(places) != 1:
            print(f"{number:3} {path}: \"{old}\" stands {len(places)} times", flush=True)
            survivors += 1
            continue
        with open(name, "w", encoding="utf-8") as f:
            f.write(text[: places[0].start()] + new + text[places[0].end():])
        good, output = build(work, options.jobs)
        outcome = noticed_by(work, path) if good else "the compiler"
        survivors += outcome is None
        print(f"{number:3} {path}: {new[:70]}: " + (f"noticed by {outcome}" if outcome else "SURVIVED"), flush=True)
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    print(f"{total - survivors} of {total} noticed in {time.monotonic() - started:.0f} s")
    if not options.work:
        shutil.rmtree(work)
    sys.exit(1 if survivors else 0)


main()
