// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/evaluation.h"

namespace remixer::experiments {

Json evaluate_spec(const Json& cell_identity, const std::string& name, const std::string& split,
                   const Json& other_dataset, const std::string& transform) {
  const bool own = other_dataset.is_null(), whole = transform == kWholeTransform;
  Json spec = {{"kind", "evaluate"},
               {"cell", cell_identity},
               {"eval_set", whole ? name : name + kReleasedSuffix},
               {"version", own ? kEvaluationVersion : kOtherDatasetEvaluationVersion}};
  // Left out of tasks on the cell's own sets, whose ids are older than the rest.
  if (!own) spec["dataset"] = other_dataset;
  if (!whole) spec["transform"] = transform;
  if (!own || !whole) spec["split"] = split;
  return spec;
}

}  // namespace remixer::experiments
