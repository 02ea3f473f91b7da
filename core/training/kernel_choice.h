// SPDX-License-Identifier: Apache-2.0
// Chooses, per operator, between the fused kernels and ATen, once per task on the run's own shapes.
// A fused kernel is used only if it is right and faster.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/distributed/communicator.h"

namespace remixer::training {

// One way to compute something; returns its result, followed by gradients.
using Form = std::function<std::vector<at::Tensor>()>;

struct FormComparison {
  bool right = false, faster = false;  // the fused form, against the plain one
  // Largest differences from the exact form, relative to its largest value.
  double error = 0, plain_error = 0;
  double milliseconds = 0, plain_milliseconds = 0;  // medians; 0 if it is not right
  std::string trouble;                              // what the fused form threw
};

// Runs the forms on `device` and compares them. `fused` is right if all its values are finite and
// its error is at most the larger of twice the plain form's and `allowed`. Only then is it timed.
FormComparison compare_forms(const Form& fused, const Form& plain, const Form& exact,
                             double allowed, at::Device device);

// Chooses for the whole process, from now on. If `choice` is null and the device has kernels, runs
// `step`, which must call the operators as the run will and leave no side effects, and compares
// both forms of each operator that the kernels take. A kernel that is wrong on any rank is not
// used, and rank 0's times decide. `choice` then becomes an object with an entry for each such
// operator: "fused" (whether the kernel is used) and the figures. A given choice is applied as it
// is. Collective; every rank passes the same choice.
void settle_kernels(Json& choice, const std::function<void()>& step, Communicator& communicator);

}  // namespace remixer::training
