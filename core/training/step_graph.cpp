// SPDX-License-Identifier: Apache-2.0
#include "core/training/step_graph.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/training/optimizer.h"
#include "core/training/timing.h"

namespace remixer::training {
namespace {

template <typename Inputs>
auto tensors_of(Inputs& inputs) {
  return std::array{&inputs.images, &inputs.targets, &inputs.token_targets, &inputs.distance};
}

Objective::Inputs copy_of(const Objective::Inputs& inputs) {
  Objective::Inputs copy = inputs;
  for (at::Tensor* tensor : tensors_of(copy)) {
    if (tensor->defined()) *tensor = tensor->clone();
  }
  return copy;
}

// Another shard of the same shapes: a number of the recorded one that stayed in the recording would
// show.
Objective::Inputs turned_round(const Objective::Inputs& inputs) {
  Objective::Inputs turned = inputs;
  for (at::Tensor* tensor : tensors_of(turned)) {
    if (tensor->defined()) *tensor = tensor->flip(0);
  }
  return turned;
}

std::vector<at::Tensor> clones(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

bool equal_bits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return at::equal(x, y); });
}

}  // namespace

GraphWish graph_wish() {
  const char* text = std::getenv("REMIXER_STEP_GRAPHS");
  const std::string_view wish = text == nullptr ? "" : text;
  if (wish.empty() || wish == "0") return GraphWish::kNever;
  if (wish == "1") return GraphWish::kIfFaster;
  if (wish == "always") return GraphWish::kAlways;
  fail_input("REMIXER_STEP_GRAPHS is '{}': use 0, 1 or always", wish);
}

StepGraph::StepGraph(std::unique_ptr<DeviceGraph> graph, const Objective& objective,
                     DataParallel& parallel, const Objective::Inputs& like,
                     layers::FixedPaths paths, bool update_running_stats)
    : graph_(std::move(graph)), inputs_(copy_of(like)), paths_(std::move(paths)) {
  graph_->record([&] {
    const at::AutoGradMode gradients(true);
    const at::Tensor loss = objective.loss(
        inputs_,
        {.training = true, .update_running_stats = update_running_stats, .paths = &paths_});
    loss_ = loss.detach();
    parallel.backward(loss, /*last=*/true);
  });
}

bool StepGraph::takes(const Objective::Inputs& inputs) const {
  const auto own = tensors_of(inputs_);
  const auto given = tensors_of(inputs);
  return std::equal(
      own.begin(), own.end(), given.begin(), [](const at::Tensor* a, const at::Tensor* b) {
        return a->defined() == b->defined() && (!a->defined() || a->sizes().equals(b->sizes()));
      });
}

at::Tensor StepGraph::operator()(const Objective::Inputs& inputs, Random paths) {
  assert(takes(inputs));
  const at::NoGradGuard no_grad;
  const auto given = tensors_of(inputs);
  size_t i = 0;
  for (at::Tensor* tensor : tensors_of(inputs_)) {
    if (tensor->defined()) tensor->copy_(*given[i], /*non_blocking=*/true);
    ++i;
  }
  paths_.draw(paths);
  graph_->repeat();
  return loss_;
}

// Runs both forms from the same state.
struct StepGraphs::Trial {
  Trial(StepGraphs& graphs, bool update) : graphs(graphs), update(update) {
    for (const auto& [name, buffer] : graphs.model_.buffers()) buffers.push_back(buffer);
    kept = clones(buffers);
  }
  ~Trial() {
    try {
      restore();
    } catch (const std::exception& error) {
      // The next operation of the run says so as well.
      spdlog::error("the device failed while steps were recorded: {}", error.what());
    }
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  void restore() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < buffers.size(); ++i) buffers[i].copy_(kept[i]);
    graphs.parallel_.zero_gradients();
  }

  at::Tensor plain(const Objective::Inputs& inputs, Random random,
                   layers::FixedPaths* paths = nullptr) const {
    const at::Tensor loss = graphs.objective_.loss(
        inputs,
        {.training = true, .update_running_stats = update, .random = &random, .paths = paths});
    graphs.parallel_.backward(loss, /*last=*/true);
    return loss.detach();
  }

  // Loss, gradients and running statistics after one pass.
  template <typename Pass>
  std::vector<at::Tensor> results(const Pass& pass) {
    restore();
    std::vector<at::Tensor> all{pass()};
    for (const at::Tensor& gradient : gradients_of(graphs.model_.parameters())) {
      all.push_back(gradient);
    }
    all.insert(all.end(), buffers.begin(), buffers.end());
    return clones(all);
  }

  StepGraphs& graphs;
  const bool update;
  std::vector<at::Tensor> buffers, kept;
};

std::unique_ptr<StepGraph> StepGraphs::try_one(std::unique_ptr<DeviceGraph> device_graph,
                                               const Objective::Inputs& inputs,
                                               bool update_running_stats, Json& outcome) {
  Trial trial(*this, update_running_stats);
  Random learning = objective_.path_random(0, 0);
  layers::FixedPaths paths(learning);
  trial.plain(inputs, learning, &paths);
  paths.fix(communicator_.device());
  trial.restore();
  auto graph = std::make_unique<StepGraph>(std::move(device_graph), objective_, parallel_, inputs,
                                           std::move(paths), update_running_stats);
  const Objective::Inputs others = turned_round(inputs);
  const Random random = objective_.path_random(0, 1);
  const auto repeat = [&] { return (*graph)(others, random); };
  const auto plain = [&] { return trial.plain(others, random); };
  if (!equal_bits(trial.results(repeat), trial.results(plain))) {
    outcome["trouble"] = "the recorded pass gives other bits";
    return nullptr;
  }
  const Milliseconds measured =
      time_in_turn(repeat, plain, communicator_.device(), [&trial] { trial.restore(); });
  outcome["ms"] = outcome.at("ms").get<double>() + measured.first;
  outcome["plain_ms"] = outcome.at("plain_ms").get<double>() + measured.second;
  return graph;
}

Json StepGraphs::settle(const Objective::Inputs& inputs, GraphWish wish) {
  if (communicator_.size() > 1) return nullptr;
  // Only shard 0 moves running statistics: with one shard, or without statistics, one recording is
  // enough.
  const bool two = parallel_.shards_per_rank() > 1 && !model_.buffers().empty();
  Json outcome{{"used", false}, {"right", false}, {"ms", 0.0}, {"plain_ms", 0.0}, {"trouble", ""}};
  try {
    auto graph = communicator_.make_graph();
    if (graph == nullptr) return nullptr;
    first_ = try_one(std::move(graph), inputs, /*update_running_stats=*/true, outcome);
    if (first_ && two) {
      other_ = try_one(communicator_.make_graph(), inputs, /*update_running_stats=*/false, outcome);
    }
    const bool right = first_ && (other_ || !two);
    outcome["right"] = right;
    used_ = right && (wish == GraphWish::kAlways ||
                      outcome.at("ms").get<double>() < outcome.at("plain_ms").get<double>());
  } catch (const std::exception& error) {
    const std::string text = error.what();
    outcome["trouble"] = text.substr(0, text.find('\n'));
    used_ = false;
  }
  outcome["used"] = used_;
  if (!used_) {
    first_.reset();
    other_.reset();
  }
  const std::string trouble = outcome.at("trouble");
  spdlog::info("steps are {}: {:.2f} ms recorded, {:.2f} ms operation by operation{}{}",
               used_ ? "recorded and repeated" : "queued operation by operation",
               outcome.at("ms").get<double>(), outcome.at("plain_ms").get<double>(),
               trouble.empty() ? "" : "; ", trouble);
  return outcome;
}

std::optional<at::Tensor> StepGraphs::operator()(const Objective::Inputs& inputs, int64_t step,
                                                 int64_t shard) {
  if (!used_) return std::nullopt;
  StepGraph& graph = shard != 0 && other_ ? *other_ : *first_;
  if (!graph.takes(inputs)) return std::nullopt;
  return graph(inputs, objective_.path_random(step, shard));
}

}  // namespace remixer::training
