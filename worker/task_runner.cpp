// SPDX-License-Identifier: Apache-2.0
#include "worker/task_runner.h"

#include "base/error.h"
#include "experiments/spec/task_spec.h"

namespace remixer::worker {

using experiments::TaskKind;

const Json& TaskContext::input(TaskKind kind, const std::string& split) const {
  for (const auto& input : assignment.inputs) {
    if (input.kind != kind) continue;
    if (split.empty() || experiments::label_spec(input.spec).split == split) return input.result;
  }
  fail("task {} came without the result of its {} task{}", assignment.task_id, to_string(kind),
       split.empty() ? "" : " of split " + split);
}

bool runs_on_all_ranks(TaskKind kind) {
  return kind != TaskKind::kPrepare && kind != TaskKind::kSaliency;
}

TaskOutcome run_task(const TaskContext& context) {
  switch (context.assignment.task.kind) {
    case TaskKind::kPrepare:
      return run_prepare(context);
    case TaskKind::kLabel:
      return run_label(context);
    case TaskKind::kTrain:
      return run_train(context);
    case TaskKind::kEvaluate:
      return run_evaluate(context);
    case TaskKind::kSaliency:
      return run_saliency(context);
  }
  fail("task {} is of a kind that this worker does not know", context.assignment.task_id);
}

}  // namespace remixer::worker
