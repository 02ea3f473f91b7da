#include "worker/cell_inputs.h"

#include "labelcache/labelers/label_job.h"

namespace remixer::worker {

using experiments::TaskKind;

CellInputs open_cell_inputs(const TaskContext& context, const std::string& split) {
  const auto& prepared = context.input(TaskKind::kPrepare);
  CellInputs inputs;
  inputs.dataset = context.workspace / prepared.at("folder").get<std::string>();
  const experiments::Cell& cell = *context.assignment.cell;
  if (cell.labeler.is_null() || (split != "train" && !cell.is_remixer())) return inputs;
  const auto& labelled = context.input(TaskKind::kLabel, split);
  inputs.labels = labelcache::open_labels(
      context.workspace / labelled.at("file").get<std::string>(), prepared.at("content_sha256"),
      split, context.assignment.cell->labeler);
  return inputs;
}

}  // namespace remixer::worker
