// SPDX-License-Identifier: Apache-2.0
// Number formats of training: which products run in 16 bits, and the scale that keeps the gradients
// of float16 from vanishing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace remixer::training {

// The type of products under a cell's precision ("fp32", "tf32", "bf16", "fp16") on a device;
// weights, moments and losses are float32 under all of them. Warns in the log where a CPU can do
// bf16 only by emulation. Throws InputError on fp16 and tf32 on a CPU.
at::ScalarType product_type(const std::string& precision, at::Device device);

// How the process computes from now on. Settles vector math (core/kernels/vector_math.h); that is
// all on a CPU. On a GPU float32 products are rounded to TensorFloat-32 under "tf32" and under no
// other precision, and every operation adds in an order of its own, so that a run gives the same
// bits each time; one that cannot is an error that names it. With REMIXER_DETERMINISTIC=0 in the
// environment any order will do.
void set_arithmetic(const std::string& precision, at::Device device);

// While it lives, this thread's products and convolutions on `device` run in `type` (PyTorch's
// autocast), each weight cast once. With float32 nothing changes.
class Autocast {
 public:
  Autocast(at::Device device, at::ScalarType type);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool enabled_, was_enabled_ = false;
  at::ScalarType previous_ = at::kFloat;
};

struct LossScale {
  double scale = 65536;
  int64_t good_steps = 0;  // in a row, since the scale last moved
  bool operator==(const LossScale&) const = default;
};

// Dynamic loss scaling as PyTorch's GradScaler: the loss is multiplied before, the gradients are
// divided after backward. A step whose gradients overflow is left out and halves the scale; 2000
// good steps in a row double it. One thread at a time.
class LossScaler {
 public:
  static constexpr int64_t kGrowthInterval = 2000;

  explicit LossScaler(LossScale state = {}) : state_(state) {}

  at::Tensor scale(const at::Tensor& loss) const { return loss * state_.scale; }
  // Divides the gradients, all on one device, in place; false where one of them is not finite, and
  // the step must be left out. Then moves the scale. Waits for the device.
  bool unscale(const std::vector<at::Tensor>& gradients);

  const LossScale& state() const { return state_; }

 private:
  LossScale state_;
};

}  // namespace remixer::training
