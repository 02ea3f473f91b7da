#include "core/evaluation/answers.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "core/dataset/imagenet_classes.h"

namespace remixer::evaluation {
namespace {

constexpr size_t kFive = 5;

// Whether `read`, a class of the set, is a right answer for the sample.
bool is_right(const data::Sample& sample, int read) {
  return read == sample.label || std::find(sample.more_labels.begin(), sample.more_labels.end(),
                                           read) != sample.more_labels.end();
}

struct Count {
  int64_t right = 0, all = 0;
  void add(bool is_right) {
    right += is_right;
    ++all;
  }
  Figure figure(std::string metric) const {
    return {std::move(metric), 100.0 * static_cast<double>(right) / static_cast<double>(all), all};
  }
};

}  // namespace

Answers::Answers(int64_t classes_of_model, int64_t image_count)
    : model_classes(classes_of_model),
      kept(std::min(classes_of_model, kMostKept)),
      classes(static_cast<size_t>(image_count * kept)),
      logits(classes.size()),
      normalizer(static_cast<size_t>(image_count)) {}

void Answers::set(int64_t image, std::span<const float> all_logits) {
  assert(static_cast<int64_t>(all_logits.size()) == model_classes && image < images());
  std::vector<uint16_t> order(all_logits.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](uint16_t a, uint16_t b) {
    return all_logits[a] != all_logits[b] ? all_logits[a] > all_logits[b] : a < b;
  });
  const double largest = all_logits[order[0]];
  double sum = 0;
  for (const float logit : all_logits) sum += std::exp(logit - largest);
  for (int64_t i = 0; i < kept; ++i) {
    classes[static_cast<size_t>(image * kept + i)] = order[static_cast<size_t>(i)];
    logits[static_cast<size_t>(image * kept + i)] = all_logits[order[static_cast<size_t>(i)]];
  }
  normalizer[static_cast<size_t>(image)] = static_cast<float>(largest + std::log(sum));
}

std::vector<int> class_reading(int64_t model_classes, const data::Dataset& dataset) {
  const auto set_classes = static_cast<int64_t>(dataset.classes().size());
  std::vector<int> reading(static_cast<size_t>(model_classes));
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

std::vector<Figure> figures(const Answers& answers, const data::Dataset& dataset,
                            const std::vector<int>& reading) {
  assert(answers.images() == static_cast<int64_t>(dataset.samples().size()));
  Count first, among_five, by_label;
  std::map<std::string, std::pair<int64_t, bool>> foregrounds;  // images; none was wrong
  bool several_answers = false;
  for (int64_t i = 0; i < answers.images(); ++i) {
    const data::Sample& sample = dataset.samples()[static_cast<size_t>(i)];
    const auto likely = answers.likely(i);
    const auto right = [&](uint16_t c) { return is_right(sample, reading[c]); };
    const bool is_first = right(likely[0]);
    first.add(is_first);
    among_five.add(
        std::any_of(likely.begin(), likely.begin() + std::min(kFive, likely.size()), right));

    several_answers = several_answers || !sample.more_labels.empty();
    by_label.add(reading[likely[0]] == sample.label);
    for (const int label : sample.more_labels) by_label.add(reading[likely[0]] == label);
    if (sample.foreground.empty()) continue;
    auto& [images, whole] = foregrounds.try_emplace(sample.foreground, 0, true).first->second;
    ++images;
    whole = whole && is_first;
  }
  std::vector<Figure> all{first.figure("top1"), among_five.figure("top5")};
  if (several_answers) all.push_back(by_label.figure("top1_by_label"));
  Count unbroken;
  bool repeated = false;
  for (const auto& [name, foreground] : foregrounds) {
    unbroken.add(foreground.second);
    repeated = repeated || foreground.first > 1;
  }
  if (repeated) all.push_back(unbroken.figure("adversarial"));
  return all;
}

}  // namespace remixer::evaluation
