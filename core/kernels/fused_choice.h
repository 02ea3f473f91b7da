// SPDX-License-Identifier: Apache-2.0
// Controls which operators the kernels of core/kernels/device may serve, and records calls for
// measuring which should be.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace remixer::kernels {

enum class Fused { kAttention, kLinear, kConv2d, kDistance };
constexpr int kFusedOperators = 4;
// The operator's name, "masked_attention".
const char* name_of(Fused op);

// All are allowed until forbidden. For the whole process, from the next call on. Thread-safe.
bool fused_allowed(Fused op);
void allow_fused(Fused op, bool allowed);

// A call that the kernels take, whether or not they serve it.
struct FusedCall {
  Fused op = Fused::kAttention;
  std::vector<at::Tensor> arguments;  // detached leaves that keep requires_grad
  // Calls the operator again with arguments of the same shapes.
  std::function<at::Tensor(const std::vector<at::Tensor>&)> again;
};

// During its lifetime, records this thread's first such call of each operator. One per thread.
class FusedCalls {
 public:
  FusedCalls();
  ~FusedCalls();
  FusedCalls(const FusedCalls&) = delete;
  FusedCalls& operator=(const FusedCalls&) = delete;
  const std::vector<FusedCall>& calls() const { return calls_; }

 private:
  template <class Again>
  friend bool use_fused(Fused op, std::initializer_list<at::Tensor> arguments, Again&& again);
  static FusedCalls*& current();
  bool has(Fused op) const;
  std::vector<FusedCall> calls_;
};

// For operators: whether the kernels, which take these arguments, are to serve them. `again` calls
// the operator.
template <class Again>
bool use_fused(Fused op, std::initializer_list<at::Tensor> arguments, Again&& again) {
  FusedCalls* calls = FusedCalls::current();
  if (calls != nullptr && !calls->has(op)) {
    FusedCall& call = calls->calls_.emplace_back(FusedCall{op, {}, std::forward<Again>(again)});
    for (const at::Tensor& a : arguments) {
      call.arguments.push_back(a.detach().requires_grad_(a.requires_grad()));
    }
  }
  return fused_allowed(op);
}

}  // namespace remixer::kernels
