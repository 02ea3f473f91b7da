// SPDX-License-Identifier: Apache-2.0
#include "core/training/precision.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "core/kernels/vector_math.h"

namespace remixer::training {
namespace {

bool cpu_has_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return true;
#endif
}

}  // namespace

at::ScalarType product_type(const std::string& precision, at::Device device) {
  if (precision == "fp32") return at::kFloat;
  if (precision == "tf32" && !device.is_cpu()) return at::kFloat;
  if (precision == "bf16") {
    if (device.is_cpu() && !cpu_has_bfloat16()) {
      spdlog::warn(
          "this processor has no bfloat16 instructions: precision bf16 gives the right result, "
          "but slower than fp32");
    }
    return at::kBFloat16;
  }
  if (precision != "fp16" && precision != "tf32")
    fail_input("precision '{}' is not known: use fp32, tf32, bf16 or fp16", precision);
  if (device.is_cpu()) {
    fail_input(
        "precision {} needs a GPU, and this worker runs on the CPU: use bf16 or fp32, or start "
        "the worker with --device cuda on a machine with a GPU",
        precision);
  }
  return at::kHalf;
}

void set_arithmetic(const std::string& precision, at::Device device) {
  kernels::settle_vector_math();
  if (!device.is_cuda()) return;
  at::Context& context = at::globalContext();
  const bool tf32 = precision == "tf32";
  context.setAllowTF32CuBLAS(tf32);
  context.setAllowTF32CuDNN(tf32);
  const char* wish = std::getenv("REMIXER_DETERMINISTIC");
  const bool deterministic = wish == nullptr || std::string_view(wish) != "0";
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  // Otherwise every new tensor would be filled first.
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(deterministic);
  context.setBenchmarkCuDNN(false);
}

Autocast::Autocast(at::Device device, at::ScalarType type)
    : device_(device.type()), enabled_(type != at::kFloat) {
  if (!enabled_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  previous_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, type);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!enabled_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, previous_);
}

at::Tensor LossScaler::scale(const at::Tensor& loss) const {
  return loss * state_.scale;
}

bool LossScaler::unscale(const std::vector<at::Tensor>& gradients) {
  if (gradients.empty()) return true;
  const auto options = gradients[0].options().dtype(at::kFloat);
  at::Tensor found = at::zeros({1}, options);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, found,
                                                 at::full({1}, 1 / state_.scale, options));
  const bool finite = found.item<float>() == 0;
  if (!finite) {
    state_ = {state_.scale / 2, 0};
  } else if (++state_.good_steps == kGrowthInterval) {
    state_ = {state_.scale * 2, 0};
  }
  return finite;
}

}  // namespace remixer::training
