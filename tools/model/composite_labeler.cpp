// SPDX-License-Identifier: Apache-2.0
#include "tools/model/composite_labeler.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/parallel.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::worker {

evaluation::CompositeLabeler composite_labeler(const experiments::LabelerSpec& spec,
                                               const labelcache::WeightFolders& weights,
                                               at::Device device) {
  if (spec.hashes.contains("labels_sha256")) {
    fail_input(
        "the model was trained with imported labels ({}), and composites have none: give "
        "--true-masks to use the foregrounds' masks, and say so beside the figure",
        spec.name);
  }
  const std::shared_ptr<const labelcache::Labeler> labeler =
      labelcache::make_labeler(spec, weights, device);
  return [labeler](const std::vector<evaluation::Composite>& composites) {
    const auto count = static_cast<int64_t>(composites.size()), batch = int64_t{labeler->batch()};
    std::vector<data::LabelMap> maps(composites.size());
    // One thread per batch, as when label files are made.
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    parallel_for((count + batch - 1) / batch, static_cast<unsigned>(threads), [&](int64_t number) {
      std::vector<labelcache::LabelInput> inputs;
      const int64_t first = number * batch, end = std::min(count, first + batch);
      for (int64_t i = first; i < end; ++i) {
        const auto& composite = composites[static_cast<size_t>(i)];
        inputs.push_back({composite.sample, composite.image, composite.mask});
      }
      std::vector<data::LabelMap> made = labeler->label(inputs);
      std::move(made.begin(), made.end(), maps.begin() + first);
    });
    at::set_num_threads(threads);
    return maps;
  };
}

}  // namespace remixer::worker
