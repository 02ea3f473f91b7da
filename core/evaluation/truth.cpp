#include "core/evaluation/truth.h"

#include <map>
#include <numeric>

#include "base/error.h"
#include "core/dataset/imagenet_classes.h"

namespace remixer::evaluation {

std::vector<int32_t> class_reading(int64_t model_classes, const data::Dataset& dataset) {
  const auto set_classes = static_cast<int64_t>(dataset.classes().size());
  std::vector<int32_t> reading(static_cast<size_t>(model_classes));
  if (model_classes == set_classes) {
    std::iota(reading.begin(), reading.end(), 0);
    return reading;
  }
  const auto nine = data::imagenet9_of_classes(dataset.classes());
  if (model_classes != data::kImageNetClasses || set_classes != data::kImageNet9Classes || !nine) {
    fail_input(
        "a model of {} classes cannot be evaluated on {}, which has {}: only ImageNet's 1000 are "
        "read as ImageNet-9's nine",
        model_classes, dataset.folder().string(), set_classes);
  }
  // The set's own numbers of ImageNet-9's classes.
  std::vector<int> number(data::kImageNet9Classes, -1);
  for (size_t i = 0; i < nine->size(); ++i) {
    if ((*nine)[i] >= 0) number[static_cast<size_t>((*nine)[i])] = static_cast<int>(i);
  }
  for (size_t i = 0; i < reading.size(); ++i) {
    const int imagenet9 = data::imagenet_classes()[i].imagenet9;
    reading[i] = imagenet9 < 0 ? -1 : number[static_cast<size_t>(imagenet9)];
  }
  return reading;
}

Truth truth_of(int64_t model_classes, const data::Dataset& dataset) {
  Truth truth;
  // The classes themselves are not written out.
  if (model_classes != static_cast<int64_t>(dataset.classes().size())) {
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
