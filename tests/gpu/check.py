# SPDX-License-Identifier: Apache-2.0
"""The operators on a GPU: right against float64, the same twice, and how fast. See ./check --help."""

import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

# GB/s of memory, by a part of the device's name; others are measured by a copy.
BANDWIDTH = {"H200": 4800, "H100 PCIe": 2000, "H100": 3350, "A100-SXM4-80GB": 2039, "A100": 1555}


def plain_attention(q, k, v, distance, kappa, prefix):
    """As the released code has it: softmax, times the mask, renormalised."""
    scores = (q @ k.mT) / q.shape[-1] ** 0.5
    mask = F.pad(torch.exp(-kappa * distance), (prefix, 0, prefix, 0), value=1.0).unsqueeze(1)
    if prefix:
        mask = mask.clone()
        mask[:, :, :prefix] = 1
        mask[:, :, :, :prefix] = 1
    weights = scores.softmax(-1) * mask.to(scores.dtype)
    return (weights / weights.sum(-1, keepdim=True)) @ v


def plain_linear(x, weight, distance, kappa, complement):
    mask = torch.exp(-kappa * distance)
    return ((1 - mask if complement else mask) * weight) @ x


def toeplitz(kernel, rows, columns):
    """The dense matrix of a kernel [S, S] over a grid."""
    size = kernel.shape[-1]
    r = torch.arange(rows * columns, device=kernel.device) // columns
    c = torch.arange(rows * columns, device=kernel.device) % columns
    y = r[None, :] - r[:, None] + size // 2
    x = c[None, :] - c[:, None] + size // 2
    inside = (y >= 0) & (y < size) & (x >= 0) & (x < size)
    return torch.where(inside, kernel[y.clamp(0, size - 1), x.clamp(0, size - 1)], 0)


def plain_distance(y, metric):
    if metric == "l1":
        return torch.stack([(image[:, None] - image[None]).abs().sum(-1) for image in y])
    unit = F.normalize(y, dim=-1)
    return (1 - unit @ unit.mT).clamp_min(0)


def plain_conv(x, weight, bias, distance, kappa):
    b, c, h, w = x.shape
    if weight.shape[0] > 1:
        columns = [plain_conv(x[:, i:i + 1], weight[i:i + 1], None, distance, kappa)
                   for i in range(c)]
        y = torch.cat(columns, 1)
    else:
        dense = toeplitz(weight[0, 0], h, w)
        y = (torch.exp(-kappa * distance) * dense) @ x.flatten(2).mT
        y = y.mT.reshape(b, c, h, w)
    return y if bias is None else y + bias.view(1, -1, 1, 1)


class Checker:
    def __init__(self, device, rehearse):
        self.device, self.rehearse = device, rehearse
        self.cases, self.wrong = [], []
        self.seed = int(time.time()) % 2 ** 31
        self.generator = torch.Generator(device).manual_seed(self.seed)

    def normal(self, *shape, dtype, gradient=True):
        x = torch.randn(*shape, device=self.device, generator=self.generator).to(dtype)
        return x.requires_grad_(gradient)

    def distance(self, batch, patches, dtype, gradient=False):
        d = 3 * torch.rand(batch, patches, patches, device=self.device, generator=self.generator)
        return d.to(dtype).requires_grad_(gradient)

    def kappa(self):
        return torch.rand(1, device=self.device, generator=self.generator).requires_grad_()

    def poison(self):
        """What the next tensors are made of holds NaN."""
        if self.device == "cuda":
            blocks = [torch.full((n,), float("nan"), device=self.device)
                      for n in (1 << 10, 1 << 16, 1 << 20, 1 << 24) for _ in range(4)]
            del blocks

    def gradients(self, f, arguments, weights):
        self.poison()
        y = f(*arguments)
        inputs = [a for a in arguments if isinstance(a, torch.Tensor) and a.requires_grad]
        if not inputs:
            return [y]
        return [y.detach()] + list(torch.autograd.grad((y * weights.to(y.dtype)).sum(), inputs))

    @staticmethod
    def error(ours, expected, outputs):
        """In units of the largest value; a gradient of one number is a sum of both signs over all
        outputs, and may be near 0 by chance."""
        scale = float(expected.abs().max()) if expected.numel() else 0.0
        if expected.numel() == 1:
            scale = max(scale, outputs ** 0.5)
        if not ours.numel():
            return 0.0
        return float((ours.double() - expected).abs().max()) / max(scale, 1e-3)

    def check(self, name, ours, reference, arguments, tolerance):
        shape = ours(*arguments)
        weights = torch.randn(shape.shape, device=self.device,
                              generator=self.generator).to(shape.dtype)
        first = self.gradients(ours, arguments, weights)
        second = self.gradients(ours, arguments, weights)
        wide = [a.detach().double().requires_grad_(a.requires_grad)
                if isinstance(a, torch.Tensor) else a for a in arguments]
        expected = self.gradients(reference, wide, weights)
        error = max(self.error(a, b, shape.numel()) for a, b in zip(first, expected))
        same = all(torch.equal(a, b) for a, b in zip(first, second))
        right = error < tolerance and same and all(bool(a.isfinite().all()) for a in first)
        self.cases.append({"case": name, "error": error, "same_twice": same, "right": right})
        if not right:
            self.wrong.append(name)
            print(f"WRONG  {name}: error {error:.2e} (allowed {tolerance:.0e}), "
                  f"the same twice: {same}", flush=True)

    def run(self, few):
        ops = torch.ops.remixer
        shapes = [(2, 2, 17, 1, 64), (1, 3, 197, 1, 64), (3, 2, 50, 0, 32), (1, 2, 40, 2, 128),
                  (2, 1, 33, 1, 72)]
        if not few:
            shapes += [(2, 2, 785, 1, 64), (1, 2, 300, 0, 128), (4, 6, 197, 1, 64), (1, 1, 1, 0, 8)]
        narrow = (torch.bfloat16, torch.float16)
        for dtype in narrow + (torch.float32,):
            tolerance = {torch.bfloat16: 0.05, torch.float16: 0.01, torch.float32: 1e-3}[dtype]
            for wide in (False, True):
                for b, h, t, prefix, d in shapes:
                    apart = torch.float32 if wide else dtype
                    qkv = [self.normal(b, t, h, d, dtype=dtype).transpose(1, 2).detach()
                           .requires_grad_() for _ in range(3)]
                    self.check(
                        f"attention {dtype} distance {apart} B{b} H{h} T{t} prefix {prefix} D{d}",
                        lambda q, k, v, y, c: ops.masked_attention(q, k, v, y, c, prefix),
                        lambda q, k, v, y, c: plain_attention(q, k, v, y, c, prefix),
                        [*qkv, self.distance(b, t - prefix, apart), self.kappa()], tolerance)
                for b, rows, columns, c in ((2, 4, 5, 24), (3, 14, 14, 64), (2, 7, 3, 520)):
                    n = rows * columns
                    for complement in (False, True):
                        self.check(
                            f"linear {dtype} distance {apart} B{b} N{n} C{c} {complement}",
                            lambda x, w, y, k: ops.masked_linear(x, w, y, k, complement),
                            lambda x, w, y, k: plain_linear(x, w, y, k, complement),
                            [self.normal(b, n, c, dtype=dtype), self.normal(n, n, dtype=dtype),
                             self.distance(b, n, apart, True), self.kappa()], tolerance)
                    for channels, size in ((1, 9), (c, 3)):
                        if channels > 1 and c > 64:
                            continue
                        self.check(
                            f"conv2d {dtype} distance {apart} B{b} {rows}x{columns} C{c} "
                            f"kernels {channels} S{size}",
                            ops.masked_conv2d, plain_conv,
                            [self.normal(b, c, rows, columns, dtype=dtype),
                             self.normal(channels, 1, size, size, dtype=dtype),
                             self.normal(channels, dtype=dtype),
                             self.distance(b, n, apart, True), self.kappa()], tolerance)
            for b, n, channels in ((2, 49, 1), (3, 196, 1), (2, 70, 9), (1, 196, 1000)):
                for metric in ("l1", "cosine"):
                    labels = torch.rand(b, n, channels, device=self.device,
                                        generator=self.generator).to(dtype)
                    self.check(f"distance {dtype} B{b} N{n} K{channels} {metric}",
                               lambda y: ops.label_distance(y, metric),
                               lambda y: plain_distance(y, metric), [labels],
                               min(tolerance, 0.01))
        print(f"==> {len(self.cases) - len(self.wrong)} of {len(self.cases)} cases right "
              f"(seed {self.seed})", flush=True)


def milliseconds(device, f, repeats):
    f()
    times = []
    for _ in range(repeats):
        if device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            begin.record()
            for _ in range(10):
                f()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end) / 10)
        else:
            start = time.perf_counter()
            f()
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def bandwidth(device):
    if device == "cuda":
        name = torch.cuda.get_device_name()
        for part, value in BANDWIDTH.items():
            if part in name:
                return value
    x = torch.empty(1 << 26, device=device)
    return 2 * x.numel() * 4 / milliseconds(device, lambda: x.clone(), 5) / 1e6


def timings(device, rehearse):
    """Rows: what, ms forward, ms forward and backward, ms that memory alone would take for each."""
    ops = torch.ops.remixer
    dtype, repeats = torch.bfloat16, 3 if rehearse else 20
    b, h, t, d = (2, 2, 50, 64) if rehearse else (256, 6, 197, 64)
    rows, speed = [], bandwidth(device)

    def row(name, f, inputs, bytes_forward, bytes_both):
        with torch.no_grad():
            forward = milliseconds(device, lambda: f(*inputs), repeats)
        wanted = [a for a in inputs if isinstance(a, torch.Tensor) and a.requires_grad]
        if not wanted:
            rows.append({"what": name, "forward_ms": forward, "both_ms": forward,
                         "roofline_forward_ms": bytes_forward / speed / 1e6,
                         "roofline_both_ms": bytes_both / speed / 1e6})
            return
        gradient = torch.randn_like(f(*inputs))
        both = milliseconds(
            device, lambda: torch.autograd.grad(f(*inputs), wanted, gradient), repeats)
        rows.append({"what": name, "forward_ms": forward, "both_ms": both,
                     "roofline_forward_ms": bytes_forward / speed / 1e6,
                     "roofline_both_ms": bytes_both / speed / 1e6})

    def new(*shape):
        return torch.randn(*shape, device=device).to(dtype).requires_grad_()

    q, k, v = (new(b, h, t, d) for _ in range(3))
    kappa = torch.full((1,), 0.5, device=device, requires_grad=True)
    n, tensor = t - 1, b * h * t * d * 2
    for apart in (dtype, torch.float32):
        y = torch.rand(b, n, n, device=device).to(apart)
        size = y.numel() * y.element_size()
        row(f"masked_attention, distance {str(apart)[6:]}",
            lambda *a: ops.masked_attention(*a, 1), [q, k, v, y, kappa],
            4 * tensor + size, 12 * tensor + 2 * size)
    y = y.to(dtype)
    row("SDPA without a mask", F.scaled_dot_product_attention, [q, k, v], 4 * tensor, 12 * tensor)
    wide = (t + 7) // 8 * 8
    bias = torch.zeros(b, 1, t, wide, device=device, dtype=dtype)[..., :t].requires_grad_()
    row("SDPA with a dense bias",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, bias.detach()), [q, k, v],
        4 * tensor + b * t * t * 2, 12 * tensor + 2 * b * t * t * 2)
    row("released form, eager", lambda *a: plain_attention(*a, 1), [q, k, v, y, kappa],
        4 * tensor + y.numel() * 2, 12 * tensor + 2 * y.numel() * 2)

    side, c = (7, 64) if rehearse else (14, 512)
    b, n = (2 if rehearse else 64), side * side
    x, w = new(b, n, c), new(n, n)
    y = torch.rand(b, n, n, device=device).to(dtype)
    tensor, size = b * n * c * 2, y.numel() * 2
    row("masked_linear", lambda *a: ops.masked_linear(*a, True), [x, w, y, kappa],
        2 * tensor + size, 5 * tensor + 3 * size)
    row("  the same, eager", lambda *a: plain_linear(*a[:3], a[3].to(dtype), True),
        [x, w, y, kappa], 2 * tensor + size, 5 * tensor + 3 * size)
    image = new(b, c, side, side).detach().contiguous(
        memory_format=torch.channels_last).requires_grad_()
    kernel = new(1, 1, 9, 9)
    row("masked_conv2d, one kernel", lambda *a: ops.masked_conv2d(a[0], a[1], None, a[2], a[3]),
        [image, kernel, y, kappa], 2 * tensor + size, 5 * tensor + 3 * size)
    row("  plain depthwise convolution", lambda a, s: F.conv2d(
        a, s.expand(c, 1, 9, 9), padding=4, groups=c), [image, kernel], 2 * tensor, 5 * tensor)
    for channels, metric in ((1, "l1"), (1000, "cosine")):
        labels = torch.rand(b, n, channels, device=device)
        size = 4 * (b * n * channels + b * n * n)
        row(f"label_distance, {channels} a patch", lambda a: ops.label_distance(a, metric),
            [labels], size, size)
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--json")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--sanitized", action="store_true", help="few cases, no timings")
    options = parser.parse_args()
    torch.ops.load_library(options.library)
    torch.backends.cuda.matmul.allow_tf32 = False
    device = "cpu" if options.rehearse else "cuda"
    trouble = torch.ops.remixer.kernel_trouble()
    name = "CPU (rehearsal)" if options.rehearse else torch.cuda.get_device_name()
    print(f"==> {name}, torch {torch.__version__}; kernels: {trouble or 'loaded'}", flush=True)
    checker = Checker(device, options.rehearse)
    if trouble:
        checker.wrong.append(f"the kernels do not load: {trouble}")
    checker.run(few=options.rehearse or options.sanitized)
    rows = [] if options.sanitized else timings(device, options.rehearse)
    if rows:
        print(f"{'':34}{'forward':>10}{'memory':>9}{'%':>5}{'both':>10}{'memory':>9}{'%':>5}")
    for row in rows:
        line = f"{row['what']:34}"
        for kind in ("forward", "both"):
            spent, least = row[f"{kind}_ms"], row[f"roofline_{kind}_ms"]
            line += f"{spent:10.3f}{least:9.3f}{100 * least / spent:5.0f}"
        print(line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"device": name, "torch": torch.__version__, "kernels": trouble or "loaded",
                       "seed": checker.seed, "cases": checker.cases, "timings": rows}, file, indent=1)
    for wrong in checker.wrong:
        print(f"WRONG  {wrong}", file=sys.stderr)
    return 1 if checker.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
