# SPDX-License-Identifier: Apache-2.0
"""The operators from Python: gradients, registration, tracing, autocast, and errors."""

import os
import unittest

import torch

torch.ops.load_library(os.environ["REMIXER_OPERATORS"])
remixer = torch.ops.remixer
torch.manual_seed(0)
torch.set_num_threads(1)


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def distance(batch, patches, dtype=torch.float64):
    return torch.rand(batch, patches, patches, dtype=dtype, requires_grad=dtype == torch.float64)


def kappa():
    return torch.tensor([0.7], dtype=torch.float64, requires_grad=True)


def calls(batch=2):
    """Each operator with arguments that it takes, all float64 and with gradients."""
    return {
        "label_distance l1": (remixer.label_distance, (double(batch, 5, 3), "l1")),
        "label_distance cosine": (remixer.label_distance, (double(batch, 5, 3), "cosine")),
        "masked_attention": (remixer.masked_attention, (
            double(batch, 2, 7, 4), double(batch, 2, 7, 4), double(batch, 2, 7, 4),
            distance(batch, 5), kappa(), 2)),
        "masked_attention without prefix": (remixer.masked_attention, (
            double(batch, 1, 3, 4), double(batch, 1, 3, 4), double(batch, 1, 3, 4),
            distance(batch, 3), kappa(), 0, 0.3)),
        "masked_linear": (remixer.masked_linear, (
            double(batch, 5, 3), double(5, 5), distance(batch, 5), kappa(), False)),
        "masked_linear complement": (remixer.masked_linear, (
            double(batch, 5, 3), double(5, 5), distance(batch, 5), kappa(), True)),
        "masked_conv2d": (remixer.masked_conv2d, (
            double(batch, 2, 3, 4), double(2, 1, 3, 3), double(2), distance(batch, 12), kappa())),
        "masked_conv2d shared": (remixer.masked_conv2d, (
            double(batch, 2, 3, 4), double(1, 1, 5, 5), None, distance(batch, 12), kappa())),
    }


def detached(arguments, dtype=None):
    return [a.detach().to(dtype or a.dtype) if isinstance(a, torch.Tensor) else a
            for a in arguments]


class OperatorsTest(unittest.TestCase):
    def each(self, batch=2):
        for name, (operator, arguments) in calls(batch).items():
            with self.subTest(name):
                yield operator, arguments

    def test_gradients_of_each_argument_equal_differences(self):
        for operator, arguments in self.each():
            self.assertTrue(torch.autograd.gradcheck(operator, arguments))

    def test_opcheck(self):
        for operator, arguments in self.each():
            torch.library.opcheck(operator.default, arguments)

    def test_compiled_equals_eager(self):
        for operator, arguments in self.each():
            torch._dynamo.reset()
            compiled = torch.compile(lambda *a: operator(*a), fullgraph=True, backend="aot_eager")
            inputs = [a for a in arguments if isinstance(a, torch.Tensor)]
            ours, eager = compiled(*arguments), operator(*arguments)
            torch.testing.assert_close(ours, eager)
            for a, b in zip(torch.autograd.grad(ours.sum(), inputs),
                            torch.autograd.grad(eager.sum(), inputs)):
                torch.testing.assert_close(a, b)

    def test_bfloat16_with_sizes_that_are_not_known_compiles(self):
        for operator, arguments in self.each():
            torch._dynamo.reset()
            narrow = detached(arguments, torch.bfloat16)
            compiled = torch.compile(lambda *a: operator(*a), fullgraph=True, dynamic=True,
                                     backend="aot_eager")
            torch.testing.assert_close(compiled(*narrow), operator(*narrow), atol=0.02, rtol=0.02)

    def test_exported_equals_eager(self):
        for operator, arguments in self.each():
            class Module(torch.nn.Module):
                def forward(self, *tensors):
                    rest = iter(tensors)
                    return operator(*[next(rest) if isinstance(a, torch.Tensor) else a
                                      for a in arguments])

            tensors = tuple(a.detach() for a in arguments if isinstance(a, torch.Tensor))
            program = torch.export.export(Module(), tensors)
            torch.testing.assert_close(program.module()(*tensors), operator(*detached(arguments)))

    def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(self):
        for operator, arguments in self.each(batch=0):
            out = operator(*arguments)
            self.assertEqual(out.numel(), 0)
            out.sum().backward()
            for a in arguments:
                if isinstance(a, torch.Tensor):
                    self.assertTrue(bool((a.grad == 0).all()))
            with torch.no_grad():
                self.assertEqual(operator(*arguments).shape, out.shape)

    def test_strides_do_not_matter(self):
        for operator, arguments in self.each():
            strided = [a.detach().transpose(-1, 0).contiguous().transpose(-1, 0)
                       if isinstance(a, torch.Tensor) else a for a in arguments]
            torch.testing.assert_close(operator(*strided), operator(*detached(arguments)))

    def test_without_gradients_the_result_is_the_same(self):
        for operator, arguments in self.each():
            with torch.no_grad():
                ours = operator(*arguments)
            torch.testing.assert_close(ours, operator(*arguments).detach())

    def test_narrow_types_are_near_the_wide_ones(self):
        for operator, arguments in self.each():
            wide = operator(*detached(arguments))
            for dtype, relative in ((torch.float32, 1e-5), (torch.bfloat16, 0.03)):
                narrow = operator(*detached(arguments, dtype))
                self.assertEqual(narrow.dtype, dtype)
                error = (narrow.double() - wide).abs().max() / wide.abs().max()
                self.assertLess(float(error), relative)

    def test_a_wider_distance_and_kappa_are_taken(self):
        for gradients in (True, False):
            for operator, arguments in self.each():
                if operator is remixer.label_distance:
                    continue
                narrow = detached(arguments, torch.bfloat16)
                at = [i for i, a in enumerate(arguments)
                      if isinstance(a, torch.Tensor) and a.numel() == 1][-1]
                narrow[at] = arguments[at].detach().float().requires_grad_(gradients)
                narrow[at - 1] = arguments[at - 1].detach().float()
                with torch.set_grad_enabled(gradients):
                    out = operator(*narrow)
                self.assertEqual(out.dtype, torch.bfloat16)
                if gradients:
                    out.sum().backward()
                    self.assertEqual(narrow[at].grad.shape, (1,))

    def test_under_autocast_float_arguments_work(self):
        for operator, arguments in self.each():
            single = [a.detach().float().requires_grad_() if isinstance(a, torch.Tensor) else a
                      for a in arguments]
            with torch.autocast("cpu", torch.bfloat16):
                out = operator(*single)
            wide = operator(*detached(arguments))
            self.assertLess(float((out.double() - wide).abs().max() / wide.abs().max()), 0.03)
            out.float().sum().backward()
            for a in single:
                if isinstance(a, torch.Tensor):
                    self.assertTrue(bool(a.grad.isfinite().all()))

    def test_autocast_takes_the_mixture_that_layers_give(self):
        q = torch.randn(2, 2, 6, 8, dtype=torch.bfloat16, requires_grad=True)
        d, k = torch.rand(2, 5, 5), torch.tensor([0.5], requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16):
            remixer.masked_attention(q, q, q, d, k, 1).float().sum().backward()
            x = torch.randn(2, 5, 3, dtype=torch.bfloat16, requires_grad=True)
            remixer.masked_linear(x, torch.randn(5, 5), d, k, True).float().sum().backward()
        self.assertTrue(bool(q.grad.isfinite().all() and x.grad.isfinite().all()))

    def test_errors_name_the_argument_what_it_is_and_what_was_expected(self):
        q, d, k = torch.zeros(2, 3, 6, 4), torch.zeros(2, 5, 5), torch.zeros(1)
        x, w = torch.zeros(2, 5, 3), torch.zeros(5, 5)
        image, kernel = torch.zeros(2, 3, 2, 2), torch.zeros(3, 1, 3, 3)
        small = torch.zeros(2, 4, 4)
        wrong = [
            (r"label_distance: y must be \[B, N, K\], not \[5, 5\]",
             lambda: remixer.label_distance(w, "l1")),
            (r"label_distance: metric 'l2' is not known: use 'l1' or 'cosine'",
             lambda: remixer.label_distance(x, "l2")),
            (r"label_distance: y must be of a floating type, not Long",
             lambda: remixer.label_distance(x.long(), "l1")),
            (r"masked_attention: q must be \[B, H, T, D\], not \[2, 5, 3\]",
             lambda: remixer.masked_attention(x, q, q, d, k, 1)),
            (r"masked_attention: k must be \[2, 3, 6, 4\] as q is, not \[2, 3, 5, 4\]",
             lambda: remixer.masked_attention(q, q[:, :, 1:], q, d, k, 1)),
            (r"masked_attention: v must be Float as q is, not Double",
             lambda: remixer.masked_attention(q, q, q.double(), d, k, 1)),
            (r"masked_attention: prefix_tokens must be 0 to 6, the tokens of q, not 7",
             lambda: remixer.masked_attention(q, q, q, d, k, 7)),
            (r"masked_attention: distance must be \[2, 6, 6\], not \[2, 5, 5\]",
             lambda: remixer.masked_attention(q, q, q, d, k, 0)),
            (r"masked_attention: kappa must have one element, not \[2\]",
             lambda: remixer.masked_attention(q, q, q, d, torch.zeros(2), 1)),
            (r"masked_linear: x must be \[B, N, C\], not \[5, 5\]",
             lambda: remixer.masked_linear(w, w, d, k)),
            (r"masked_linear: weight must be \[5, 5\], the patches of x, not \[4, 4\]",
             lambda: remixer.masked_linear(x, w[1:, 1:], d, k)),
            (r"masked_linear: distance must be on cpu, not on meta",
             lambda: remixer.masked_linear(x, w, d.to("meta"), k)),
            (r"masked_linear: distance must be of a floating type, not Long",
             lambda: remixer.masked_linear(x, w, d.long(), k)),
            (r"masked_conv2d: weight must be \[1 or 3, 1, S, S\] with S odd, not \[2, 1, 3, 3\]",
             lambda: remixer.masked_conv2d(image, kernel[1:], None, small, k)),
            (r"masked_conv2d: bias must be \[1 or 3\], not \[2\]",
             lambda: remixer.masked_conv2d(image, kernel, torch.zeros(2), small, k)),
            (r"masked_conv2d: distance must be \[2, 4, 4\], not \[2, 5, 5\]",
             lambda: remixer.masked_conv2d(image, kernel, None, d, k)),
        ]
        for message, call in wrong:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                call()

    def test_shapes_are_inferred_without_data(self):
        for operator, arguments in self.each():
            meta = [a.to("meta") if isinstance(a, torch.Tensor) else a for a in arguments]
            self.assertEqual(operator(*meta).shape, operator(*arguments).shape)

    def test_any_shape(self):
        """Random shapes, types and strides against the formula in float64."""
        for round in range(40):
            generator = torch.Generator().manual_seed(round)

            def number(low, high):
                return int(torch.randint(low, high + 1, (), generator=generator))

            b, h, n, width, prefix = (number(0, 3), number(1, 3), number(1, 20), number(1, 130),
                                      number(0, 3))
            dtype = (torch.float64, torch.float32, torch.bfloat16)[number(0, 2)]
            q, k, v = torch.randn(3, b, n + prefix, h, width, generator=generator).to(
                dtype).transpose(2, 3)
            d = torch.rand(b, n, n, generator=generator).to(dtype).transpose(1, 2)
            kappa = torch.rand(1, generator=generator)
            bias = torch.zeros(b, n + prefix, n + prefix, dtype=torch.float64)
            bias[:, prefix:, prefix:] = -kappa.double() * d.double()
            scores = q.double() @ k.double().mT / width ** 0.5 + bias.unsqueeze(1)
            expected = scores.softmax(-1) @ v.double()
            tolerance = {torch.float64: 1e-6, torch.float32: 1e-4, torch.bfloat16: 0.08}[dtype]
            with self.subTest(round=round, b=b, h=h, n=n, width=width, prefix=prefix, dtype=dtype):
                ours = remixer.masked_attention(q, k, v, d, kappa, prefix)
                torch.testing.assert_close(ours.double(), expected, atol=tolerance, rtol=tolerance)


if __name__ == "__main__":
    unittest.main()
