#include <ATen/ATen.h>
#include <spdlog/spdlog.h>

#include "core/base/clock.h"
#include "core/evaluation/evaluator.h"
#include "core/io/safetensors.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {
namespace {

using experiments::TaskKind;

at::Tensor as_tensor(const std::vector<uint16_t>& predictions) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(predictions.size())}, at::kInt);
  std::copy(predictions.begin(), predictions.end(), tensor.data_ptr<int32_t>());
  return tensor;
}

}  // namespace

TaskOutcome run_evaluate(const TaskContext& context) {
  const std::string set = context.assignment.task.spec.at("eval_set");
  const CellInputs inputs = open_cell_inputs(context, set);
  const auto& trained = context.input(TaskKind::kTrain);
  const double start = system_clock().monotonic();

  evaluation::EvaluateJob job;
  job.cell = *context.assignment.cell;
  job.dataset = inputs.dataset;
  job.eval_set = set;
  job.labels = inputs.labels.get();
  job.loader_threads = context.loader_threads;
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      context.progress(done, total, "evaluating", {});
    };
  }

  TaskOutcome outcome;
  outcome.finished = true;
  std::vector<std::pair<std::string, at::Tensor>> predictions;
  for (const auto& [kind, key] : {std::pair{"raw", "model"}, std::pair{"ema", "ema"}, std::pair{"best", "best"}}) {
    if (!trained.contains(key) || trained.at(key).is_null()) continue;
    job.weights = context.workspace / trained.at(key).get<std::string>();
    const auto answer = evaluation::evaluate(job, *context.communicator);
    outcome.figures.push_back({kind, set, "top1", answer.top1, answer.n});
    outcome.figures.push_back({kind, set, "top5", answer.top5, answer.n});
    predictions.emplace_back(kind, as_tensor(answer.predictions));
    if (context.communicator->rank() == 0) {
      spdlog::info("{} ({} weights): top-1 {:.2f} % of {} images", set, kind, answer.top1, answer.n);
    }
  }
  if (context.communicator->rank() != 0) return outcome;
  io::write_safetensors(context.folder() / "predictions.safetensors", predictions);
  outcome.result = {{"predictions", context.assignment.folder + "/predictions.safetensors"},
                    {"seconds", system_clock().monotonic() - start}};
  return outcome;
}

}  // namespace remixer::worker
