# SPDX-License-Identifier: Apache-2.0
"""The weights' converter: what it refuses, and that what it writes can be read back."""

import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy

sys.dont_write_bytecode = True
FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "labelcache", "weights")
sys.path.insert(0, FOLDER)
import convert


class Named:
    """Pickles as a call of the given global, as a tensor or an attack would."""

    def __init__(self, module, name, *arguments):
        self.text = f"c{module}\n{name}\n".encode()
        self.arguments = arguments


class LegacyPickler(pickle._Pickler):
    """Writes protocol 2 as PyTorch did, with globals that need not be importable here."""

    def save(self, value, *rest):
        if isinstance(value, Named):
            self.write(value.text)
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(value, Storage):
            self.save(("storage", value.kind, value.key, "cpu", len(value.values), None))
            self.write(pickle.BINPERSID)
        elif isinstance(value, Global):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        else:
            super().save(value, *rest)


class Global:
    def __init__(self, module, name):
        self.module, self.name = module, name


class Storage:
    kind = Global("torch", "FloatStorage")

    def __init__(self, key, values):
        self.key, self.values = key, values


def legacy_pth(state, storages):
    file = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, state, [s.key for s in storages]):
        LegacyPickler(file, 2).dump(value)
    for storage in storages:
        file.write(struct.pack("<q", len(storage.values)))
        file.write(numpy.asarray(storage.values, "<f4").tobytes())
    return file.getvalue()


def tensor(storage, offset, shape, stride):
    return Named("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, stride, False, {})


class ConvertTest(unittest.TestCase):
    def test_reads_views_of_storages(self):
        storage = Storage("a", list(range(12)))
        data = legacy_pth({"w": tensor(storage, 2, (2, 3), (1, 2)), "s": tensor(storage, 11, (), ())}, [storage])
        arrays = convert.read_legacy_pth(data)
        numpy.testing.assert_array_equal(arrays["w"], [[2, 4, 6], [3, 5, 7]])
        self.assertEqual(arrays["s"], 11)

    def test_refuses_everything_but_tensors(self):
        for module, name in (("os", "system"), ("builtins", "eval"), ("torch", "load")):
            data = legacy_pth({"w": Named(module, name, "true")}, [])
            with self.assertRaisesRegex(convert.BadSource, name):
                convert.read_legacy_pth(data)

    def test_refuses_tensors_outside_their_storage(self):
        storage = Storage("a", list(range(12)))
        for offset, shape, stride in ((0, (13,), (1,)), (10, (3,), (1,)), (0, (4, 4), (4, 1)), (0, (2,), (-1,)), (-3, (2,), (1,))):
            data = legacy_pth({"w": tensor(storage, offset, shape, stride)}, [storage])
            with self.assertRaisesRegex(convert.BadSource, "outside"):
                convert.read_legacy_pth(data)

    def test_refuses_another_source(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "u2netp.onnx")
            with open(path, "wb") as file:
                file.write(b"another network")
            ran = subprocess.run(
                [sys.executable, os.path.join(FOLDER, "convert.py"), "--u2netp", path, "--efficientnet", path,
                 "--output", folder], capture_output=True, text=True)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn(hashlib.sha256(b"another network").hexdigest(), ran.stderr)
            self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)
            self.assertEqual(os.listdir(folder), ["u2netp.onnx"])

    def test_writes_what_a_reader_of_the_format_finds(self):
        arrays = {"b": numpy.arange(6, dtype="<f4").reshape(2, 3), "a": numpy.ones((1,), "<f4")}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "w.safetensors")
            convert.write_safetensors(path, arrays, {"source": "x"})
            with open(path, "rb") as file:
                data = file.read()
            self.assertEqual(os.listdir(folder), ["w.safetensors"])
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        self.assertEqual(header.pop("__metadata__"), {"source": "x"})
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            read = numpy.frombuffer(data[8 + size + begin:8 + size + end], "<f4").reshape(entry["shape"])
            numpy.testing.assert_array_equal(read, arrays[name])


if __name__ == "__main__":
    unittest.main()
