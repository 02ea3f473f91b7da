// SPDX-License-Identifier: Apache-2.0
#include "worker/cell_inputs.h"

#include "base/error.h"
#include "core/dataset/file_stamps.h"
#include "labelcache/labelers/label_job.h"

namespace remixer::worker {

using experiments::TaskKind;

void check_split_files(const TaskContext& context, const std::filesystem::path& dataset,
                       const std::string& split) {
  std::string wrong;
  if (context.communicator->rank() == 0) {
    try {
      data::check_files(data::Dataset::open(dataset, split));
    } catch (const InputError& error) {
      wrong = error.what();
    } catch (const std::exception& error) {
      // Not the user's fault: for example, a file system that does not respond.
      wrong = std::string("\n") + error.what();
    }
  }
  wrong = context.communicator->all_gather(wrong).front();
  if (wrong.starts_with('\n')) throw Error(wrong.substr(1));
  if (!wrong.empty()) throw InputError(wrong);
}

namespace {

std::filesystem::path dataset_folder(const TaskContext& context) {
  return context.workspace / context.input(TaskKind::kPrepare).at("folder").get<std::string>();
}

CellInputs open_inputs(const TaskContext& context, const std::string& split) {
  const auto& prepared = context.input(TaskKind::kPrepare);
  CellInputs inputs;
  inputs.dataset = dataset_folder(context);
  const experiments::Cell& cell = *context.assignment.cell;
  if (!cell.labeler || (split != "train" && !cell.is_remixer())) return inputs;
  const auto& labelled = context.input(TaskKind::kLabel, split);
  inputs.labels = labelcache::open_labels(
      context.workspace / labelled.at("file").get<std::string>(), prepared.at("content_sha256"),
      split, context.assignment.cell->labeler);
  return inputs;
}

}  // namespace

CellInputs open_cell_inputs(const TaskContext& context, const std::string& split) {
  check_split_files(context, dataset_folder(context), split);
  return open_inputs(context, split);
}

CellInputs open_cell_inputs_alone(const TaskContext& context, const std::string& split) {
  data::check_files(data::Dataset::open(dataset_folder(context), split));
  return open_inputs(context, split);
}

}  // namespace remixer::worker
