// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace remixer::training {

bool is_undecayed(const std::string& name, const at::Tensor& parameter) {
  return parameter.dim() <= 1 || models::is_kappa(name) || name.ends_with(".bias") ||
         name == "pos_embed" || name == "cls_token";
}

std::vector<at::Tensor> gradients_of(const std::vector<models::Model::NamedTensor>& parameters) {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

double clip_gradients(const std::vector<models::Model::NamedTensor>& parameters, double limit) {
  at::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = gradients_of(parameters);
  if (gradients.empty()) return 0;
  // One device synchronisation, then a sum in a fixed order.
  const at::Tensor norms = at::stack(at::_foreach_norm(gradients)).to(at::kCPU, at::kDouble);
  double squares = 0;
  for (int64_t i = 0; i < norms.numel(); ++i) {
    const double value = norms.const_data_ptr<double>()[i];
    squares += value * value;
  }
  const double norm = std::sqrt(squares);
  // The small term keeps the quotient finite; PyTorch uses the same.
  const double factor = limit / (norm + 1e-6);
  if (factor < 1) at::_foreach_mul_(gradients, factor);
  return norm;
}

void clip_gradients_there(const std::vector<at::Tensor>& gradients, double limit) {
  at::NoGradGuard no_grad;
  if (gradients.empty()) return;
  const at::Tensor norms = at::stack(at::_foreach_norm(gradients)).to(at::kDouble);
  const at::Tensor factor = (norms.square().sum().sqrt() + 1e-6).reciprocal().mul(limit);
  at::_foreach_mul_(gradients, factor.clamp_max(1).to(gradients[0].scalar_type()));
}

AdamW::AdamW(const std::vector<models::Model::NamedTensor>& parameters,
             const experiments::Recipe& recipe)
    : beta1_(recipe.beta1), beta2_(recipe.beta2), epsilon_(recipe.epsilon) {
  at::NoGradGuard no_grad;
  std::array<Group, 3> groups;
  groups[0].weight_decay = recipe.weight_decay;
  groups[2].kappa = true;
  for (const auto& [name, parameter] : parameters) {
    Group& group = groups[models::is_kappa(name) ? 2 : is_undecayed(name, parameter) ? 1 : 0];
    group.names.push_back(name);
    group.parameters.push_back(parameter);
    group.first_moments.push_back(at::zeros_like(parameter));
    group.second_moments.push_back(at::zeros_like(parameter));
  }
  for (Group& group : groups) {
    if (!group.names.empty()) groups_.push_back(std::move(group));
  }
}

void AdamW::step(double rate, double kappa_rate) {
  at::NoGradGuard no_grad;
  ++steps_;
  for (Group& group : groups_) {
    step_group(group, group.kappa ? kappa_rate : rate);
    if (group.kappa) {
      at::_foreach_clamp_min_(group.parameters, 0);
    }
  }
}

void AdamW::step_group(Group& group, double rate) {
  std::vector<at::Tensor> gradients;
  gradients.reserve(group.parameters.size());
  for (const at::Tensor& parameter : group.parameters) {
    assert(parameter.grad().defined());
    gradients.push_back(parameter.grad());
  }
  // A single pass over each parameter's memory, on every device.
  const at::Tensor count =
      at::full({}, static_cast<double>(steps_), group.parameters[0].options().dtype(at::kFloat));
  const std::vector<at::Tensor> counts(group.parameters.size(), count);
  at::_fused_adamw_(group.parameters, gradients, group.first_moments, group.second_moments, {},
                    counts, rate, beta1_, beta2_, group.weight_decay, epsilon_,
                    /*amsgrad=*/false, /*maximize=*/false);
}

std::vector<models::Model::NamedTensor> AdamW::state() const {
  std::vector<models::Model::NamedTensor> state;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      state.emplace_back("exp_avg." + group.names[i], group.first_moments[i]);
      state.emplace_back("exp_avg_sq." + group.names[i], group.second_moments[i]);
    }
  }
  return state;
}

}  // namespace remixer::training
