// SPDX-License-Identifier: Apache-2.0
// AdamW over a model's parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/models/model.h"
#include "experiments/spec/recipe.h"

namespace remixer::training {

// True if a parameter has no weight decay: κ, biases, norms and everything else of one dimension,
// position embeddings and [CLS].
bool is_undecayed(const std::string& name, const at::Tensor& parameter);

// The gradients of those parameters that have one.
std::vector<at::Tensor> gradients_of(const std::vector<models::Model::NamedTensor>& parameters);

// Scales all gradients so that their global L2 norm is at most `limit`; returns the norm before.
// Parameters without a gradient are skipped.
double clip_gradients(const std::vector<models::Model::NamedTensor>& parameters, double limit);
// The same, computed on the device that holds all gradients, without waiting for the norm. The last
// bits may differ.
void clip_gradients_there(const std::vector<at::Tensor>& gradients, double limit);

// One thread at a time. With gradient g, rate a (κ's own for κ) and step count t from 1:
//   p ← p − a·λ·p;  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²
//   p ← p − a · (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + ε)
// then κ ← max(κ, 0).
class AdamW {
 public:
  // Keeps references to the model's parameter tensors; the moments are on the same device, and
  // gradients are read at each step.
  AdamW(const std::vector<models::Model::NamedTensor>& parameters,
        const experiments::Recipe& recipe);

  void step(double rate, double kappa_rate);

  int64_t steps() const { return steps_; }
  // The moments, "exp_avg.<parameter>" and "exp_avg_sq.<parameter>": the optimiser's own tensors,
  // which a checkpoint holds together with steps().
  std::vector<models::Model::NamedTensor> state() const;
  // Call after state()'s tensors were filled from a checkpoint.
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  // Parameters that share a rate and a decay.
  struct Group {
    bool kappa = false;
    double weight_decay = 0;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, first_moments, second_moments;
  };
  void step_group(Group& group, double rate);

  double beta1_, beta2_, epsilon_;
  std::vector<Group> groups_;
  int64_t steps_ = 0;
};

}  // namespace remixer::training
