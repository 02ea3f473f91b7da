// SPDX-License-Identifier: Apache-2.0
// Training precision: which products run in 16 bits, and the loss scale that keeps float16
// gradients from underflowing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace remixer::training {

// The type of products under a cell's precision ("fp32", "tf32", "bf16", "fp16") on a device;
// weights, moments and losses are always float32. Logs a warning if the CPU can only emulate bf16.
// Throws InputError on fp16 and tf32 on a CPU.
at::ScalarType product_type(const std::string& precision, at::Device device);

// Sets the process's arithmetic from now on. Initialises vector math (core/kernels/vector_math.h);
// on a CPU that is all. On a GPU, float32 products are rounded to TensorFloat-32 under "tf32" only,
// and every operation sums in a fixed order, so that a run gives the same bits each time; an
// operation that cannot do so throws an error naming it. REMIXER_DETERMINISTIC=0 in the environment
// allows any order.
void set_arithmetic(const std::string& precision, at::Device device);

// During its lifetime, this thread's products and convolutions on `device` run in `type` (PyTorch's
// autocast), and each weight is cast once. No effect for float32.
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
  int64_t good_steps = 0;  // in a row, since the last change of scale
  bool operator==(const LossScale&) const = default;
};

// Dynamic loss scaling like PyTorch's GradScaler: the loss is multiplied before backward, the
// gradients are divided after it. A step whose gradients overflow is skipped and halves the scale;
// 2000 good steps in a row double it. One thread at a time.
class LossScaler {
 public:
  static constexpr int64_t kGrowthInterval = 2000;

  explicit LossScaler(LossScale state = {}) : state_(state) {}

  at::Tensor scale(const at::Tensor& loss) const;
  // Divides the gradients, all on one device, in place; returns false if any is not finite, and the
  // step must be skipped. Then updates the scale. Waits for the device.
  bool unscale(const std::vector<at::Tensor>& gradients);

  const LossScale& state() const { return state_; }

 private:
  LossScale state_;
};

}  // namespace remixer::training
