# SPDX-License-Identifier: Apache-2.0
"""tools/check_rooms.py on this checkout, and on small trees with a fault each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = '[may_include]\n"low" = []\n"high/one" = ["low"]\n"high/two" = ["low", "high/one"]\n'


def check(root):
    run = subprocess.run([sys.executable, ROOT / "tools/check_rooms.py", root], capture_output=True, text=True)
    return run.returncode, run.stdout


class CheckRooms(unittest.TestCase):
    def tree(self, files, rooms=ROOMS):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in {"tools/rooms.toml": rooms, **files}.items():
            path = pathlib.Path(folder.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder.name

    def test_this_checkout_passes(self):
        self.assertEqual(check(ROOT), (0, ""))

    def test_an_allowed_include_passes(self):
        tree = self.tree({"high/two/a.cpp": '#include "high/one/b.h"\n#include "high/two/c.h"\n#include <map>\n'})
        self.assertEqual(check(tree), (0, ""))

    def test_a_planted_include_is_named_with_its_line(self):
        tree = self.tree({"high/one/a.cpp": '\n#include "high/two/b.h"\n'})
        self.assertEqual(check(tree), (1, 'high/one/a.cpp:2: high/one may not include high/two ("high/two/b.h")\n'))

    def test_a_circle_is_found_even_if_each_step_is_allowed(self):
        rooms = ROOMS.replace('"high/one" = ["low"]', '"high/one" = ["low", "high/two"]')
        tree = self.tree({"high/one/a.h": '#include "high/two/b.h"\n', "high/two/b.h": '#include "high/one/a.h"\n'}, rooms)
        code, output = check(tree)
        self.assertEqual(code, 1)
        self.assertIn("high/one includes itself by way of other rooms", output)

    def test_a_folder_that_is_no_room_is_named(self):
        code, output = check(self.tree({"high/three/a.h": ""}))
        self.assertEqual((code, output), (1, "high/three/a.h: its folder is no room of tools/rooms.toml\n"))


if __name__ == "__main__":
    unittest.main()
