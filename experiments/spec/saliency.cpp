// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/saliency.h"

#include "experiments/spec/task.h"

namespace remixer::experiments {

Json saliency_spec(const Json& cell_identity, const std::string& name, const std::string& split,
                   const Json& other_dataset, const Json& images) {
  const bool own = other_dataset.is_null();
  const bool votes = cell_identity.at("recipe").value("token_labeling", "none") == "original";
  Json spec = {{"kind", "saliency"},
               {"cell", cell_identity},
               {"eval_set", name},
               {"images", images},
               {"version", own && !votes ? kSaliencyVersion : kOtherSaliencyVersion}};
  if (!own) {
    spec["dataset"] = other_dataset;
    spec["split"] = split;
  }
  return spec;
}

}  // namespace remixer::experiments
