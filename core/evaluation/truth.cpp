// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/truth.h"

#include <map>

#include "core/evaluation/settings.h"

namespace remixer::evaluation {

Truth truth_of(const std::vector<std::string>& model_classes, const data::Dataset& dataset) {
  Truth truth;
  // The identity mapping is not written out.
  if (model_classes.empty() || model_classes != dataset.classes()) {
    truth.reading = class_reading(model_classes, dataset);
  }
  std::map<std::string, int32_t> numbers;  // of foregrounds, in the order of their first images
  std::vector<int32_t> foregrounds;
  for (const data::Sample& sample : dataset.samples()) {
    if (!sample.more_labels.empty()) {
      truth.more_labels[static_cast<int64_t>(truth.labels.size())] = {sample.more_labels.begin(),
                                                                      sample.more_labels.end()};
    }
    truth.labels.push_back(sample.label);
    foregrounds.push_back(
        sample.foreground.empty()
            ? -1
            : numbers.try_emplace(sample.foreground, static_cast<int32_t>(numbers.size()))
                  .first->second);
  }
  if (!numbers.empty()) truth.foregrounds = std::move(foregrounds);
  return truth;
}

}  // namespace remixer::evaluation
