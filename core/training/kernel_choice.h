// SPDX-License-Identifier: Apache-2.0
// Which operators of a run are served by the fused kernels, and which by ATen: found out once a
// task on the run's own shapes. A kernel must be right, and then the faster of the two.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/distributed/communicator.h"

namespace remixer::training {

// One way to compute something: its result, followed by gradients.
using Form = std::function<std::vector<at::Tensor>()>;

struct FormComparison {
  bool right = false, faster = false;  // the fused form, beside the plain one
  // Largest differences from the exact form, in units of its largest value.
  double error = 0, plain_error = 0;
  double milliseconds = 0, plain_milliseconds = 0;  // medians; 0 where it is not right
  std::string trouble;                              // what it threw
};

// Runs the forms on `device` and compares them. `fused` is right where all of it is finite and its
// error is at most twice the plain form's and `allowed`. Its time counts only then.
FormComparison compare_forms(const Form& fused, const Form& plain, const Form& exact,
                             double allowed, at::Device device);

// Decides for the whole process, from now on. Where `choice` is null and the device has kernels, it
// is made: `step`, which calls the operators as the run will and must leave no trace, is run, and
// both forms of each operator that the kernels take are compared. A kernel that is wrong on one
// rank serves none, and rank 0's times decide. `choice` is then an object with one for each such
// operator: "fused" (who serves it) and the figures. A choice that was made before is obeyed.
// Collective; every rank brings the same choice.
void settle_kernels(Json& choice, const std::function<void()>& step, Communicator& communicator);

}  // namespace remixer::training
