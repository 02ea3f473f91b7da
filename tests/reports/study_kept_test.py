# SPDX-License-Identifier: Apache-2.0
"""The kept study (docs/study): its tables, plots and text follow from its database, byte for byte, and
a number that was changed anywhere is found."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

STUDY = pathlib.Path(__file__).resolve().parents[2] / "docs" / "study"


def regenerate(folder):
    return subprocess.run(["/usr/bin/python3", folder / "regenerate", "--check"], capture_output=True, text=True,
                          env={**os.environ, "REMIXER": os.environ["REMIXER_PROGRAMS"] + "/remixer"})


class StudyKeptTest(unittest.TestCase):
    def copy(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-study-"))
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(STUDY, folder / "study")
        return folder / "study"

    def test_every_file_is_made_again(self):
        done = regenerate(STUDY)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("numbers of", done.stdout)
        self.assertIn(" 0 differ", done.stdout)

    def test_a_changed_number_of_the_text_is_found(self):
        study = self.copy()
        text = (study / "README.md").read_text()
        place = next(i for i in range(text.index("±"), len(text)) if text[i].isdigit())
        digit = str((int(text[place]) + 1) % 10)
        (study / "README.md").write_text(text[:place] + digit + text[place + 1:])
        done = regenerate(study)
        self.assertEqual(done.returncode, 1)
        self.assertIn("docs/study/README.md", done.stdout)

    def test_a_changed_figure_of_the_database_is_found(self):
        study = self.copy()
        with sqlite3.connect(study / "fashion" / "remixer.db") as database:
            database.execute("UPDATE figure SET value = value + 0.1 WHERE task = "
                             "(SELECT min(task) FROM figure WHERE eval_set = 'mixed_rand') AND metric = 'top1'")
        done = regenerate(study)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("the database gives", done.stdout + done.stderr)

    def test_it_is_small(self):
        size = sum(file.stat().st_size for file in STUDY.rglob("*") if file.is_file())
        self.assertLess(size, 20e6)


if __name__ == "__main__":
    unittest.main()
