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

experiments::PrepareResult prepared(const TaskContext& context) {
  return experiments::task_result<experiments::PrepareResult>(context.input(TaskKind::kPrepare));
}

namespace {

std::filesystem::path dataset_folder(const TaskContext& context) {
  return context.workspace / prepared(context).folder;
}

CellInputs open_inputs(const TaskContext& context, const std::string& split) {
  const experiments::PrepareResult dataset = prepared(context);
  CellInputs inputs;
  inputs.dataset = context.workspace / dataset.folder;
  const experiments::Cell& cell = *context.assignment.cell;
  if (!cell.labeler || (split != "train" && !cell.is_remixer())) return inputs;
  const auto labelled =
      experiments::task_result<experiments::LabelResult>(context.input(TaskKind::kLabel, split));
  inputs.labels = labelcache::open_labels(context.workspace / labelled.file, dataset.content_sha256,
                                          split, cell.labeler);
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
