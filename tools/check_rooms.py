#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that rooms include only what tools/rooms.toml allows.

    tools/check_rooms.py [ROOT]

Prints each forbidden #include with file and line, and each circle between rooms. Exit code 1 if
there is any.
"""
import pathlib
import re
import sys
import tomllib

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__ + "/../..").resolve()
allowed = tomllib.loads((root / "tools/rooms.toml").read_text())["may_include"]
tops = sorted({room.split("/")[0] for room in allowed})


def room_of(path):
    names = [room for room in allowed if path.startswith(room + "/")]
    return max(names, key=len, default=None)


def may_include(room, other):
    return other == room or any(other == name or other.startswith(name + "/") for name in allowed[room])


def reached(room, seen):
    for other in edges.get(room, set()) - seen:
        seen.add(other)
        reached(other, seen)
    return seen


edges = {}
problems = []
for path in sorted(p for top in tops for p in (root / top).rglob("*") if p.suffix in {".h", ".cpp", ".cu", ".cuh"}):
    name = path.relative_to(root).as_posix()
    room = room_of(name)
    if room is None:
        problems.append(f"{name}: its folder is no room of tools/rooms.toml")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'#include "([^"]+)"', line)
        other = match and room_of(match.group(1))
        if not other or other == room:
            continue
        edges.setdefault(room, set()).add(other)
        if not may_include(room, other):
            problems.append(f'{name}:{number}: {room} may not include {other} ("{match.group(1)}")')
problems += [f"{room} includes itself by way of other rooms" for room in allowed if room in reached(room, set())]
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
