// SPDX-License-Identifier: Apache-2.0
#include "core/training/kernel_choice.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/isfinite.h>
#include <spdlog/spdlog.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/fused_choice.h"
#include "core/kernels/launcher.h"
#include "core/training/timing.h"

namespace remixer::training {
namespace {

using kernels::Fused;

// Largest difference of any tensor, relative to its largest value. A single number, the gradient of
// κ, is a sum of both signs over the whole result and may be near 0 by chance.
double difference(const std::vector<at::Tensor>& ours, const std::vector<at::Tensor>& exact) {
  double worst = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (!at::isfinite(ours[i]).all().item<bool>()) return INFINITY;
    const at::Tensor wide = exact[i].to(at::kDouble);
    double scale = wide.abs().max().item<double>();
    if (wide.numel() == 1)
      scale = std::max(scale, std::sqrt(static_cast<double>(exact[0].numel())));
    const double off = (ours[i].to(at::kDouble) - wide).abs().max().item<double>();
    worst = std::max(worst, off / std::max(scale, 1e-12));
  }
  return worst;
}

// The call's result and the gradients of a weighted sum of it.
std::vector<at::Tensor> with_gradients(const kernels::FusedCall& call,
                                       const std::vector<at::Tensor>& arguments) {
  const at::AutoGradMode gradients(true);
  const at::Tensor y = call.again(arguments);
  std::vector<at::Tensor> all{y.detach()}, wanted;
  for (const at::Tensor& a : arguments) {
    if (a.requires_grad()) wanted.push_back(a);
  }
  if (wanted.empty()) return all;
  // Weights of both signs, computed without a random generator.
  const at::Tensor weights =
      (at::arange(y.numel(), y.options().dtype(at::kFloat)) * 12.9898).sin().to(y.scalar_type());
  for (at::Tensor& gradient : torch::autograd::grad({y}, wanted, {weights.view_as(y)})) {
    all.push_back(std::move(gradient));
  }
  return all;
}

std::vector<at::Tensor> widened(const std::vector<at::Tensor>& arguments, at::ScalarType type) {
  std::vector<at::Tensor> wide;
  for (const at::Tensor& a : arguments) {
    wide.push_back(a.detach().to(type).requires_grad_(a.requires_grad()));
  }
  return wide;
}

// Error allowed for a result of this type even if the plain form happens to be exact.
double allowed_error(at::ScalarType type) {
  if (type == at::kBFloat16) return 1.0 / 64;
  return type == at::kHalf ? 1.0 / 512 : 1e-5;
}

Json compare(const kernels::FusedCall& call) {
  const at::Tensor& first = call.arguments.front();
  const auto form = [&](bool fused, const std::vector<at::Tensor>& arguments) {
    return [&call, fused, arguments] {
      kernels::allow_fused(call.op, fused);
      auto results = with_gradients(call, arguments);
      kernels::allow_fused(call.op, true);
      return results;
    };
  };
  const at::ScalarType type = first.scalar_type();
  const auto exact = widened(call.arguments, type == at::kFloat ? at::kDouble : at::kFloat);
  const FormComparison found =
      compare_forms(form(true, call.arguments), form(false, call.arguments), form(false, exact),
                    allowed_error(type), first.device());
  kernels::allow_fused(call.op, true);
  return {{"right", found.right},
          {"faster", found.faster},
          {"error", std::isfinite(found.error) ? Json(found.error) : Json("not finite")},
          {"plain_error", found.plain_error},
          {"ms", found.milliseconds},
          {"plain_ms", found.plain_milliseconds},
          {"trouble", found.trouble}};
}

void announce(const std::string& name, const Json& one) {
  const std::string trouble = one.at("trouble");
  if (!one.at("right").get<bool>()) {
    spdlog::warn("{}: the fused kernel is wrong here (error {}, plain {:.1e}{}{}): left to ATen",
                 name, one.at("error").dump(), one.at("plain_error").get<double>(),
                 trouble.empty() ? "" : "; ", trouble);
  } else {
    spdlog::info("{}: {} ({:.3f} ms fused, {:.3f} ms by ATen; error {}, plain {:.1e})", name,
                 one.at("fused").get<bool>() ? "fused" : "left to ATen", one.at("ms").get<double>(),
                 one.at("plain_ms").get<double>(), one.at("error").dump(),
                 one.at("plain_error").get<double>());
  }
}

Json choose(const std::function<void()>& step, Communicator& communicator) {
  Json own = Json::object();
  {
    const kernels::FusedCalls calls;
    step();
    for (const kernels::FusedCall& call : calls.calls()) {
      own[kernels::name_of(call.op)] = compare(call);
    }
  }
  const std::vector<std::string> all = communicator.all_gather(own.dump());
  Json choice = Json::parse(all[0]);
  for (auto& [name, one] : choice.items()) {
    for (const std::string& text : all) {
      const Json other = Json::parse(text);
      if (!other.contains(name) || !other[name].at("right").get<bool>()) one["right"] = false;
    }
    one["fused"] = one.at("right").get<bool>() && one.at("faster").get<bool>();
    if (communicator.rank() == 0) announce(name, one);
  }
  return choice;
}

// Operators missing from the choice may be fused.
void obey(const Json& choice) {
  for (int i = 0; i < kernels::kFusedOperators; ++i) {
    const auto op = static_cast<Fused>(i);
    const auto one = choice.find(kernels::name_of(op));
    kernels::allow_fused(op, one == choice.end() || one->at("fused").get<bool>());
  }
}

}  // namespace

FormComparison compare_forms(const Form& fused, const Form& plain, const Form& exact,
                             double allowed, at::Device device) {
  FormComparison found;
  const std::vector<at::Tensor> reference = exact();
  found.plain_error = difference(plain(), reference);
  try {
    found.error = difference(fused(), reference);
  } catch (const std::exception& error) {
    found.error = INFINITY;
    found.trouble = error.what();
    found.trouble = found.trouble.substr(0, found.trouble.find('\n'));
  }
  found.right = found.error <= std::max(2 * found.plain_error, allowed);
  if (!found.right) return found;
  const Milliseconds measured = time_in_turn([&] { fused(); }, [&] { plain(); }, device);
  found.milliseconds = measured.first;
  found.plain_milliseconds = measured.second;
  found.faster = found.milliseconds < found.plain_milliseconds;
  return found;
}

void settle_kernels(Json& choice, const std::function<void()>& step, Communicator& communicator) {
  obey(Json::object());
  const at::Device device = communicator.device();
  const bool able = kernels::launcher_for(device) != nullptr;
  if (device.is_cpu() && !able) return;
  if (communicator.all_reduce_max(able ? 0 : 1) != 0) {
    if (communicator.rank() == 0) {
      const std::string trouble = kernels::launcher_trouble();
      spdlog::warn("not every rank has the fused kernels{}{}: ATen does their work",
                   trouble.empty() ? "" : ": ", trouble);
    }
    for (int i = 0; i < kernels::kFusedOperators; ++i) {
      kernels::allow_fused(static_cast<Fused>(i), false);
    }
    return;
  }
  if (choice.is_null()) {
    choice = choose(step, communicator);
  } else if (communicator.rank() == 0) {
    spdlog::info("operators are served as in the run's earlier attempts: {}", choice.dump());
  }
  obey(choice);
}

}  // namespace remixer::training
