// SPDX-License-Identifier: Apache-2.0
// Which operators may be served by the kernels of core/kernels/device, and the calls by which a
// caller finds out which should.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace remixer::kernels {

enum class Fused { kAttention, kLinear, kConv2d, kDistance };
constexpr int kFusedOperators = 4;
// The operator's name, "masked_attention".
const char* name_of(Fused op);

// Until they are forbidden, all may. For the whole process, from the next call on. Thread-safe.
bool fused_allowed(Fused op);
void allow_fused(Fused op, bool allowed);

// A call that the kernels take, whether they serve it or not.
struct FusedCall {
  Fused op = Fused::kAttention;
  std::vector<at::Tensor> arguments;  // leaves of their own; those want gradients that did
  // The operator once more, of arguments of the same shapes.
  std::function<at::Tensor(const std::vector<at::Tensor>&)> again;
};

// While it lives, keeps the first such call of each operator that this thread makes. One a thread.
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

// For operators: whether the kernels, which take these arguments, shall serve them. `again` calls
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
