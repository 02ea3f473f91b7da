# SPDX-License-Identifier: Apache-2.0
"""Reads checkpoints that torch.save wrote (zip archives, and pickles from before PyTorch 1.6) and
writes their tensors as safetensors. Needs Python alone: no torch, no NumPy, and no trust in the file.

    remixer-checkpoint.py CHECKPOINT OUTPUT.safetensors [--key NAME]

A pickle can name any function and have it called. Here only what tensors are made of is known;
whatever else a checkpoint names (options, optimisers, schedulers) becomes an empty placeholder and
is never imported or called.
"""

import argparse
import collections
import json
import math
import os
import pickle
import resource
import struct
import sys
import tempfile
import zipfile

LEGACY_MAGIC, LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001

# torch's storage classes: safetensors' name of the type, bytes an element.
STORAGES = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}
FLOATING = {"F64", "F32", "F16", "BF16"}

# A view may repeat its storage (expand()); beyond this many times what the file holds, it is no weight.
MOST_REPEATS = 64


class BadCheckpoint(Exception):
    """The file is not what is expected; the text says how, and what to do."""


class Storage(collections.namedtuple("Storage", "key dtype width offset")):
    """A run of elements whose bytes are found by `key`; `offset` elements into it."""


class Tensor(collections.namedtuple("Tensor", "storage offset shape stride")):
    """A view of a storage."""


class Placeholder(dict):
    """Stands for an object that is not a tensor; takes whatever a pickle does to it."""

    def __new__(cls, *_, **__):
        return super().__new__(cls)

    def __init__(self, *_, **__):
        super().__init__()

    def __setstate__(self, _):
        pass

    def append(self, _):
        pass

    extend = append
    __hash__ = object.__hash__


def rebuild_tensor(storage, offset, shape, stride, *_):
    if not isinstance(storage, Storage):
        raise BadCheckpoint("it holds a tensor without a storage")
    shape, stride = tuple(shape), tuple(stride)
    numbers = (offset, *shape, *stride)
    if not all(isinstance(number, int) and 0 <= number < 2**48 for number in numbers) or len(shape) != len(stride):
        raise BadCheckpoint("it holds a tensor of an impossible shape")
    return Tensor(storage, storage.offset + offset, shape, stride)


def rebuild_parameter(tensor, *_):
    return tensor


class TensorsOnly(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch", "Size"):
            return tuple
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch._utils" and name.startswith("_rebuild_parameter"):
            return rebuild_parameter
        if module in ("torch", "torch.cuda") and name in STORAGES:
            return STORAGES[name]
        return Placeholder

    def persistent_load(self, identity):
        if identity[0] == "module":  # a class, with its source beside it
            return Placeholder
        if identity[0] != "storage" or identity[1] not in STORAGES.values():
            raise BadCheckpoint("it refers to something of an unknown kind")
        dtype, width = identity[1]
        view = identity[5] if len(identity) > 5 else None  # (key, offset, size) of a view, once
        offset = view[1] if view else 0
        if not isinstance(offset, int) or not isinstance(identity[2], (str, int)):
            raise BadCheckpoint("it refers to a storage that cannot be")
        return Storage(str(identity[2]), dtype, width, offset)


def read_zip(file):
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise BadCheckpoint("it is a zip archive, but none that torch.save wrote")
        if any(name.endswith("constants.pkl") for name in names):
            raise BadCheckpoint("it is a TorchScript program, not a checkpoint: save its state_dict()")
        folder = pickles[0][: -len("data.pkl")]
        if folder + "byteorder" in names and archive.read(folder + "byteorder") != b"little":
            raise BadCheckpoint("it was written by a big-endian machine")
        with archive.open(pickles[0]) as text:
            content = TensorsOnly(text).load()
        data = {name[len(folder) + 5 :]: None for name in names if name.startswith(folder + "data/")}
        return content, {key: archive.read(f"{folder}data/{key}") for key in data}


def read_legacy(file):
    magic, protocol, _ = (TensorsOnly(file).load() for _ in range(3))
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL:
        raise BadCheckpoint("it is neither a zip archive nor a pickle of torch.save")
    widths = {}

    class Noting(TensorsOnly):
        def persistent_load(self, identity):
            storage = super().persistent_load(identity)
            if isinstance(storage, Storage):
                widths[storage.key] = storage.width
            return storage

    content = Noting(file).load()
    keys = TensorsOnly(file).load()
    here = file.tell()
    left = file.seek(0, os.SEEK_END) - here
    file.seek(here)
    data = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        size = count * widths[str(key)]
        left -= 8 + size
        if size < 0 or left < 0:
            raise BadCheckpoint("it ends in the middle of a tensor: copy or download it again")
        data[str(key)] = file.read(size)
    return content, data


def read_checkpoint(path):
    """What the file holds, tensors as Tensor; and the bytes of its storages, by key."""
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
        file.seek(0)
        try:
            return (read_zip if zipped else read_legacy)(file)
        except BadCheckpoint:
            raise
        # Damage makes pickle, zipfile and zlib raise nearly anything, MemoryError included.
        except Exception as error:
            said = " ".join(ascii(str(error))[1:-1].split())[:200]
            raise BadCheckpoint(f"it is torn or no checkpoint of torch.save ({type(error).__name__}: {said})") from error


def tensors_of(content, key):
    """The state dictionary in a checkpoint: `key`'s entry, or the one there is."""
    wanted = [key] if key else ["model", "state_dict", None]
    if not isinstance(content, dict):
        raise BadCheckpoint("it holds no dictionary of tensors")
    for name in wanted:
        state = content if name is None else content.get(name)
        if not isinstance(state, dict):
            continue
        tensors = {str(entry): value for entry, value in state.items()
                   if isinstance(value, Tensor) and isinstance(entry, (str, int))}
        if tensors:
            return tensors
    entries = ", ".join(sorted(str(entry) for entry in content if isinstance(entry, (str, int)))[:20])
    raise BadCheckpoint(f"it has no tensors under {key or 'model or state_dict, nor at its top'}; "
                        f"its entries: {ascii(entries)[1:-1][:400]}")


def bytes_of(name, tensor, data):
    """The tensor's elements in row order."""
    width, shape, stride = tensor.storage.width, tensor.shape, tensor.stride
    storage = memoryview(data.get(tensor.storage.key, b""))
    last = tensor.offset + sum((size - 1) * step for size, step in zip(shape, stride))
    if tensor.offset < 0 or (0 not in shape and (last + 1) * width > len(storage)):
        raise BadCheckpoint(f"tensor {ascii(name)} reaches outside its storage")
    if math.prod(shape) * width > MOST_REPEATS * len(storage):
        raise BadCheckpoint(f"tensor {ascii(name)} is far larger than what the file holds of it")
    dense = 1
    for size, step in zip(reversed(shape), reversed(stride)):
        if size > 1 and step != dense:
            break
        dense *= size
    else:
        return storage[tensor.offset * width : (tensor.offset + math.prod(shape)) * width]

    gathered = bytearray()

    def gather(dimension, at):
        if dimension == len(shape):
            gathered.extend(storage[at * width : (at + 1) * width])
            return
        for _ in range(shape[dimension]):
            gather(dimension + 1, at)
            at += stride[dimension]

    gather(0, tensor.offset)
    return gathered


def write_safetensors(path, tensors, data):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = math.prod(tensor.shape) * tensor.storage.width
        header[name] = {"dtype": tensor.storage.dtype, "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    folder = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".checkpoint.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for name, tensor in tensors.items():
                file.write(bytes_of(name, tensor, data))
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    parser.add_argument("--key", default="", help="entry that holds the weights (model_ema, ...)")
    arguments = parser.parse_args()
    try:
        # A damaged pickle may ask for memory without end.
        room = 4 * os.path.getsize(arguments.checkpoint) + 2**30
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (room if most == resource.RLIM_INFINITY else min(room, most), most))
        content, data = read_checkpoint(arguments.checkpoint)
        tensors = {name: tensor for name, tensor in tensors_of(content, arguments.key).items()
                   if tensor.storage.dtype in FLOATING}
        write_safetensors(arguments.output, tensors, data)
    except BadCheckpoint as error:
        # The last line counts: nothing that is taken down afterwards may add one.
        print(f"{arguments.checkpoint}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    except OSError as error:
        sys.exit(f"{error.filename or arguments.checkpoint}: {error.strerror}")


if __name__ == "__main__":
    main()
