// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/vector_math.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>

#include <mutex>
#include <thread>

namespace remixer::kernels {
namespace {

// The functions of ATen/cpu/vml.h that this program or ATen's own operators call.
void call_each(at::ScalarType type) {
  const at::NoGradGuard no_grad;
  const at::Tensor one = at::ones({1}, at::TensorOptions(type));
  for (const auto& result :
       {one.exp(), one.log(), one.log2(), one.log10(), one.sqrt(), one.sin(), one.cos(), one.tan(),
        one.tanh(), one.asin(), one.acos(), one.atan(), one.erf(), one.erfc(), one.trunc()}) {
    static_cast<void>(result.item<double>());
  }
}

}  // namespace

void settle_vector_math() {
  static std::once_flag once;
  // A new thread has none of the caller's dispatch modes, which could intercept the calls.
  std::call_once(once, [] {
    std::thread([] {
      call_each(at::kFloat);
      call_each(at::kDouble);
    }).join();
  });
}

}  // namespace remixer::kernels
