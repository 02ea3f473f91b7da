// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/pins.h"
#include "experiments/spec/task_spec.h"
#include "labelcache/labelers/label_job.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {

TaskOutcome run_label(const TaskContext& context) {
  const auto spec = experiments::label_spec(context.assignment.task.spec);
  const std::string& split = spec.split;
  const std::string file = split + ".labels";

  labelcache::LabelJob job;
  job.labeler = spec.labeler;
  job.dataset = context.workspace / prepared(context).folder;
  job.split = split;
  job.output = context.folder() / file;
  job.weights = context.weights;
  job.pinned = experiments::weights_folder(context.workspace);
  for (const auto& folder : context.assignment.previous) {
    job.resume_from.push_back(context.workspace / folder / file);
  }
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      return context.progress(done, total, "labelling", {});
    };
  }
  check_split_files(context, job.dataset, split);
  const auto labelled = labelcache::build_labels(job, *context.communicator);

  TaskOutcome outcome;
  outcome.finished = labelled.finished;
  if (!outcome.finished) return outcome;
  const std::string published =
      fmt::format("labels/{}/{}/{}", short_id(spec.dataset), short_id(spec.labeler), file);
  outcome.result = result_json(experiments::LabelResult{.file = published,
                                                        .content_sha256 = labelled.content_sha256,
                                                        .images = labelled.images,
                                                        .resumed_at = labelled.resumed_at,
                                                        .seconds = labelled.seconds});
  outcome.publish.push_back({context.assignment.folder + "/" + file, published});
  return outcome;
}

}  // namespace remixer::worker
