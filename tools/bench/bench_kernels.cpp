// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/autograd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "core/kernels/launcher.h"
#include "core/kernels/memory_meter.h"
#include "core/kernels/operators.h"
#include "tools/bench/bench.h"
#include "tools/command/device_option.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct KernelOptions {
  std::string device = "auto", precision = "fp32", format = "table";
  int64_t batch = 8, heads = 6, grid = 14, width = 64, channels = 512, classes = 1000, rounds = 7;
  int threads = 2;
};

using Tensors = std::vector<at::Tensor>;

// One way to compute something. The others in a group are compared with the first.
struct Row {
  std::string name;
  std::function<at::Tensor(const Tensors&)> compute;
  Tensors arguments;
  std::vector<double> forward{}, both{};  // milliseconds
  int64_t peak = 0;                       // bytes, forward and backward
};
struct Group {
  std::string title;
  std::vector<Row> rows;
};

class Maker {
 public:
  Maker(const KernelOptions& options, at::Device device)
      : options_(options),
        wide_(at::TensorOptions(at::kFloat).device(device)),
        narrow_(wide_.dtype(options.precision == "bf16"   ? at::kBFloat16
                            : options.precision == "fp16" ? at::kHalf
                                                          : at::kFloat)) {}

  std::vector<Group> groups() const { return {attention(), linear(), conv2d(), distance()}; }

 private:
  int64_t patches() const { return options_.grid * options_.grid; }
  at::Tensor weights(at::IntArrayRef shape) const {
    return at::randn(shape, narrow_).requires_grad_();
  }
  at::Tensor distances() const { return at::rand({options_.batch, patches(), patches()}, wide_); }
  at::Tensor kappa() const { return at::full({1}, 0.5, wide_).requires_grad_(); }

  // Softmax, times the mask, renormalised: all of size T × T per head.
  static at::Tensor released_attention(const Tensors& a) {
    const double scale = 1 / std::sqrt(static_cast<double>(a[0].size(3)));
    const at::Tensor plain = (at::matmul(a[0], a[1].transpose(2, 3)) * scale).softmax(-1);
    const at::Tensor mask =
        at::constant_pad_nd((-a[4] * a[3]).exp(), {1, 0, 1, 0}, 1).unsqueeze(1).to(plain.dtype());
    const at::Tensor masked = plain * mask;
    return at::matmul(masked / masked.sum(-1, true), a[2]);
  }

  Group attention() const {
    const int64_t tokens = patches() + 1;
    // In the layout that layers produce: [B, T, 3, H, D].
    const auto qkv = at::randn({options_.batch, tokens, 3, options_.heads, options_.width}, narrow_)
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
    Tensors a;
    for (const at::Tensor& part : qkv) a.push_back(part.detach().requires_grad_());
    a.push_back(distances());
    a.push_back(kappa());
    const at::Tensor bias =
        at::constant_pad_nd(a[3] * -0.5, {1, 0, 1, 0}).unsqueeze(1).to(narrow_.dtype());
    return {
        "attention",
        {{"SDPA without a mask",
          [](const Tensors& x) { return at::scaled_dot_product_attention(x[0], x[1], x[2]); },
          {a[0], a[1], a[2]}},
         {"masked_attention",
          [](const Tensors& x) {
            return kernels::masked_attention(x[0], x[1], x[2], x[3], x[4], 1);
          },
          a},
         {"SDPA with a dense bias",
          [](const Tensors& x) { return at::scaled_dot_product_attention(x[0], x[1], x[2], x[3]); },
          {a[0], a[1], a[2], bias}},
         {"the released form", &released_attention, a}}};
  }

  Group linear() const {
    const Tensors a{weights({options_.batch, patches(), options_.channels}),
                    weights({patches(), patches()}), distances(), kappa()};
    return {
        "linear map over patches",
        {{"product without a mask",
          [](const Tensors& x) { return at::matmul(x[1], x[0]); },
          {a[0], a[1]}},
         {"masked_linear",
          [](const Tensors& x) { return kernels::masked_linear(x[0], x[1], x[2], x[3], true); }, a},
         {"the released form",
          [](const Tensors& x) {
            const at::Tensor mask = (-x[3] * x[2]).exp().to(x[1].dtype());
            return at::matmul((1 - mask) * x[1], x[0]);
          },
          a}}};
  }

  Group conv2d() const {
    constexpr int64_t kSize = 9;
    const int64_t side = options_.grid;
    const at::Tensor image = weights({options_.batch, options_.channels, side, side})
                                 .detach()
                                 .contiguous(at::MemoryFormat::ChannelsLast)
                                 .requires_grad_();
    const Tensors a{image, weights({1, 1, kSize, kSize}), distances(), kappa()};
    // Maps each pair of patches to its kernel position: the convolution of unit images.
    const at::Tensor unit = at::eye(patches(), wide_).view({patches(), 1, side, side});
    return {"depthwise 9 x 9 convolution, one kernel",
            {{"depthwise_conv2d",
              [](const Tensors& x) { return kernels::depthwise_conv2d(x[0], x[1], std::nullopt); },
              {a[0], a[1]}},
             {"masked_conv2d",
              [](const Tensors& x) {
                return kernels::masked_conv2d(x[0], x[1], std::nullopt, x[2], x[3]);
              },
              a},
             {"the released form, dense",
              [unit](const Tensors& x) {
                const int64_t n = x[2].size(1);
                const at::Tensor dense =
                    at::conv2d(unit.to(x[1].dtype()), x[1], {}, 1, kSize / 2).view({n, n}).t();
                const at::Tensor mask = (-x[3] * x[2]).exp().to(x[1].dtype());
                const at::Tensor y = at::matmul(mask * dense, x[0].flatten(2).transpose(1, 2));
                return y.transpose(1, 2).reshape(x[0].sizes());
              },
              a}}};
  }

  Group distance() const {
    const at::Tensor saliency = at::rand({options_.batch, patches(), 1}, wide_);
    const at::Tensor classes =
        at::rand({options_.batch, patches(), options_.classes}, wide_).softmax(-1);
    return {"distance of labels, once a batch",
            {{"label_distance, saliency",
              [](const Tensors& x) { return kernels::label_distance(x[0], "l1"); },
              {saliency}},
             {"  its eager form",
              [](const Tensors& x) { return (x[0] - x[0].transpose(1, 2)).abs(); },
              {saliency}},
             {"label_distance, ReLabel",
              [](const Tensors& x) { return kernels::label_distance(x[0], "cosine"); },
              {classes}},
             {"  its eager form",
              [](const Tensors& x) {
                const at::Tensor unit = x[0] / x[0].norm(2, -1, true);
                return 1 - at::matmul(unit, unit.transpose(1, 2));
              },
              {classes}}}};
  }

  const KernelOptions& options_;
  at::TensorOptions wide_, narrow_;
};

class Timer {
 public:
  explicit Timer(at::Device device) : device_(device) {}

  // Runs every row once per round, so that other load on the machine affects all equally.
  void measure(Group& group, int64_t rounds) const {
    for (Row& row : group.rows) {
      const kernels::MemoryMeter meter;
      run(row, true);
      row.peak = meter.peak();
    }
    for (int64_t i = 0; i < rounds; ++i) {
      for (Row& row : group.rows) {
        row.forward.push_back(milliseconds([&] { run(row, false); }));
        row.both.push_back(milliseconds([&] { run(row, true); }));
      }
    }
  }

 private:
  static void run(const Row& row, bool backward) {
    Tensors wanted;
    for (const at::Tensor& a : row.arguments) {
      if (a.requires_grad()) wanted.push_back(a);
    }
    const at::AutoGradMode gradients(backward && !wanted.empty());
    const at::Tensor y = row.compute(row.arguments);
    if (!y.requires_grad()) return;
    torch::autograd::grad({y}, wanted, {at::full({}, 1, y.options()).expand_as(y)});
  }

  double milliseconds(const std::function<void()>& work) const {
    wait();
    const double begun = system_clock().monotonic();
    work();
    wait();
    return 1000 * (system_clock().monotonic() - begun);
  }
  void wait() const {
    if (device_.is_cpu()) return;
    c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }
  at::Device device_;
};

void print_table(const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    const double forward = median(group.rows[0].forward), both = median(group.rows[0].both);
    std::cout << fmt::format("{:42}{:>10}{:>8}{:>12}{:>8}{:>10}\n", group.title, "forward ms",
                             "times", "and back ms", "times", "peak MB");
    for (const Row& row : group.rows) {
      std::cout << fmt::format("  {:40}{:10.3f}{:8.2f}{:12.3f}{:8.2f}{:10.1f}\n", row.name,
                               median(row.forward), median(row.forward) / forward, median(row.both),
                               median(row.both) / both, static_cast<double>(row.peak) / 1e6);
    }
  }
}

void print_json(const KernelOptions& options, const std::string& device,
                const std::vector<Group>& groups) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Group& group : groups) {
    for (const Row& row : group.rows) {
      rows.push_back({{"group", group.title},
                      {"name", row.name},
                      {"forward_ms", median(row.forward)},
                      {"both_ms", median(row.both)},
                      {"forward_ratio", median(row.forward) / median(group.rows[0].forward)},
                      {"both_ratio", median(row.both) / median(group.rows[0].both)},
                      {"peak_bytes", row.peak}});
    }
  }
  std::cout << nlohmann::ordered_json{{"device", device},
                                      {"precision", options.precision},
                                      {"batch", options.batch},
                                      {"patches", options.grid * options.grid},
                                      {"threads", options.threads},
                                      {"kernels", kernels::launcher_trouble()},
                                      {"rows", rows}}
                   .dump(2)
            << '\n';
}

}  // namespace

int bench_kernels(int argc, char** argv) {
  KernelOptions options;
  CLI::App app(
      "Times each operator beside the same without a mask, PyTorch's attention with a dense bias\n"
      "and the form of the paper's code, round by round in one run. 'times': relative to the\n"
      "first line of its group. Peak: memory of forward and backward beyond the arguments",
      "remixer bench kernels");
  tools::add_example(app, "remixer bench kernels --batch 4 --grid 14");
  tools::add_device_option(app, options.device);
  app.add_option("--precision", options.precision, "fp32, bf16 or fp16")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  const auto number = [&](const char* name, int64_t& value, const char* help, int64_t most) {
    app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(int64_t{1}, most));
  };
  number("--batch", options.batch, "images", 4096);
  number("--heads", options.heads, "of attention", 64);
  number("--grid", options.grid, "patches a side", 128);
  number("--width", options.width, "of a head", 256);
  number("--channels", options.channels, "of Mixer and ConvMixer", 8192);
  number("--classes", options.classes, "of ReLabel", 100000);
  number("--rounds", options.rounds, "timed rounds", 10000);
  app.add_option("--threads", options.threads, "on the CPU")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;
  at::set_num_threads(options.threads);
  const at::Device device = tools::alone_on(options.device)->device();
  std::vector<Group> groups = Maker(options, device).groups();
  for (Group& group : groups) Timer(device).measure(group, options.rounds);
  if (options.format == "json") {
    print_json(options, device.str(), groups);
    return kExitDone;
  }
  const std::string trouble = device.is_cpu() ? "" : kernels::launcher_trouble();
  std::cout << fmt::format("{}, {}, {} images of {} patches{}\n", device.str(), options.precision,
                           options.batch, options.grid * options.grid,
                           trouble.empty() ? "" : "; kernels do not serve: " + trouble);
  print_table(groups);
  return kExitDone;
}

}  // namespace remixer::worker
