// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/label_quality.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "core/dataset/imagenet_classes.h"
#include "labelcache/labelers/labelers.h"
#include "labelcache/labelers/network_input.h"

namespace remixer::labelcache {
namespace {

// Edges as fractions of the image.
struct Rectangle {
  double left = 1, top = 1, right = 0, bottom = 0;
  double area() const { return std::max(0.0, right - left) * std::max(0.0, bottom - top); }
  bool contains(double x, double y) const {
    return x >= left && x < right && y >= top && y < bottom;
  }
  void add(const Rectangle& other) {
    left = std::min(left, other.left);
    top = std::min(top, other.top);
    right = std::max(right, other.right);
    bottom = std::max(bottom, other.bottom);
  }
};

double overlap(const Rectangle& a, const Rectangle& b) {
  const Rectangle both{std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
                       std::min(a.bottom, b.bottom)};
  const double common = both.area();
  return common / (a.area() + b.area() - common);
}

struct Sum {
  double total = 0;
  int64_t count = 0;
  void add(double value) {
    total += value;
    ++count;
  }
  Json mean() const { return count > 0 ? Json(total / static_cast<double>(count)) : Json(); }
};

std::vector<Rectangle> boxes_of(const data::Sample& sample, const data::Image& image) {
  std::vector<Rectangle> boxes;
  const auto add = [&](const data::Box& box) {
    boxes.push_back({static_cast<double>(box.x0) / image.width,
                     static_cast<double>(box.y0) / image.height,
                     static_cast<double>(box.x1 + 1) / image.width,
                     static_cast<double>(box.y1 + 1) / image.height});
  };
  if (sample.box) add(*sample.box);
  for (const data::Box& box : sample.more_boxes) add(box);
  return boxes;
}

bool inside(const std::vector<Rectangle>& boxes, double x, double y) {
  return std::any_of(boxes.begin(), boxes.end(),
                     [&](const Rectangle& box) { return box.contains(x, y); });
}

// ImageNet's class of an image whose path contains its WordNet id, as in ImageNet's own files:
// "n02106662/x.JPEG", "00_dog/n02106662_50.JPEG".
std::optional<int> imagenet_class_of(std::string_view path) {
  constexpr size_t kLength = 9;
  for (size_t at = path.find('n'); at + kLength <= path.size(); at = path.find('n', at + 1)) {
    if (const auto found = data::imagenet_index(path.substr(at, kLength))) return found;
  }
  return std::nullopt;
}

// The class of an image among a map's classes; nothing if the two sets of classes cannot be
// matched.
class OwnClass {
 public:
  OwnClass(const std::vector<std::string>& classes, int channels)
      : channels_(channels),
        classes_(classes.size()),
        nine_(channels == kNineClassChannels ? data::imagenet9_of_classes(classes) : std::nullopt) {
  }
  std::optional<int> of(const data::Sample& sample) const {
    if (channels_ == data::kImageNetClasses) {
      if (const auto known = imagenet_class_of(sample.id)) return known;
    }
    if (nine_) {
      const int nine = (*nine_)[static_cast<size_t>(sample.label)];
      return nine < 0 ? std::nullopt : std::optional(nine);
    }
    if (classes_ == static_cast<size_t>(channels_)) return sample.label;
    return std::nullopt;
  }

 private:
  int channels_;
  size_t classes_;
  std::optional<std::vector<int>> nine_;
};

class Figures {
 public:
  Figures(const std::vector<std::string>& classes, int channels) : own_class_(classes, channels) {}

  void add(const LabelInput& input, const data::LabelMap& map, int grid) {
    if (const auto boxes = boxes_of(input.sample, input.image); !boxes.empty()) {
      if (map.top_k > 0) {
        add_peaks(boxes, map, own_class_.of(input.sample));
      } else {
        add_overlap(boxes, map);
      }
    }
    if (!input.mask.pixels.empty()) add_patches(input.mask, map, grid);
  }

  Json json() {
    Json figures = Json::object();
    const auto put = [&](const char* name, const Json& value) {
      if (!value.is_null()) figures[name] = value;
    };
    put("box_iou", box_iou_.mean());
    put("mask_iou", mask_iou_.mean());
    put("whole_box_iou", whole_.mean());
    put("peaks_inside", peaks_.mean());
    put("own_class_named", named_.mean());
    put("own_class_peaks_inside", own_peaks_.mean());
    put("chance_inside", chance_.mean());
    put("patch_auroc", auroc(std::move(patches_)));
    put("pair_auroc", auroc(std::move(pairs_)));
    return figures;
  }

 private:
  template <typename Visit>
  static void for_each_cell(const data::LabelMap& map, Visit&& visit) {
    for (int y = 0; y < map.height; ++y) {
      for (int x = 0; x < map.width; ++x) {
        const Rectangle cell{static_cast<double>(x) / map.width,
                             static_cast<double>(y) / map.height, (x + 1.0) / map.width,
                             (y + 1.0) / map.height};
        visit(cell,
              static_cast<size_t>(y) * static_cast<size_t>(map.width) + static_cast<size_t>(x));
      }
    }
  }

  // Positions of the largest logits: over all classes, and for the image's own class.
  void add_peaks(const std::vector<Rectangle>& boxes, const data::LabelMap& map,
                 std::optional<int> own_class) {
    struct Peak {
      float logit = -INFINITY;
      bool inside = false;
      void raise(float value, bool in) {
        if (value > logit) *this = {value, in};
      }
    } peak, own;
    double within = 0;
    const auto top_k = static_cast<size_t>(map.top_k);
    for_each_cell(map, [&](const Rectangle& cell, size_t at) {
      const bool in = inside(boxes, (cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2);
      within += in;
      for (size_t entry = at * top_k; entry < (at + 1) * top_k; ++entry) {
        peak.raise(map.values[entry], in);
        if (own_class == map.indices[entry]) own.raise(map.values[entry], in);
      }
    });
    peaks_.add(peak.inside);
    chance_.add(within / (map.height * map.width));
    if (!own_class) return;
    const bool named = std::isfinite(own.logit);
    named_.add(named);
    if (named) own_peaks_.add(own.inside);
  }

  void add_overlap(const std::vector<Rectangle>& boxes, const data::LabelMap& map) {
    Rectangle hull, found;
    for (const Rectangle& box : boxes) hull.add(box);
    double both = 0, either = 0;
    for_each_cell(map, [&](const Rectangle& cell, size_t at) {
      const bool object = map.values[at * static_cast<size_t>(map.channels)] > 0.5f;
      const bool in = inside(boxes, (cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2);
      if (object) found.add(cell);
      both += object && in;
      either += object || in;
    });
    box_iou_.add(found.area() > 0 ? overlap(found, hull) : 0.0);
    mask_iou_.add(either > 0 ? both / either : 0.0);
    whole_.add(overlap({0, 0, 1, 1}, hull));
  }

  void add_patches(const data::GrayImage& mask, const data::LabelMap& map, int grid) {
    const auto patches = static_cast<size_t>(grid) * static_cast<size_t>(grid);
    const auto channels = static_cast<size_t>(map.channels);
    std::vector<float> labels(patches * channels), truth(patches);
    data::patch_labels(map, data::Region{}, grid, labels.data());
    data::LabelMap true_map;
    true_map.height = mask.height;
    true_map.width = mask.width;
    for (const uint8_t pixel : mask.pixels)
      true_map.values.push_back(static_cast<float>(pixel) / 255.0f);
    data::patch_labels(true_map, data::Region{}, grid, truth.data());
    for (size_t a = 0; a < patches; ++a) {
      if (map.top_k == 0) patches_.emplace_back(labels[a * channels], truth[a] > 0.5f);
      for (size_t b = 0; b < a; ++b) {
        const float* first = &labels[a * channels];
        const float* second = &labels[b * channels];
        pairs_.emplace_back(
            map.top_k == 0 ? std::abs(first[0] - second[0]) : cosine(first, second, channels),
            (truth[a] > 0.5f) != (truth[b] > 0.5f));
      }
    }
  }

  static float cosine(const float* a, const float* b, size_t channels) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t c = 0; c < channels; ++c) {
      ab += double{a[c]} * double{b[c]};
      aa += double{a[c]} * double{a[c]};
      bb += double{b[c]} * double{b[c]};
    }
    return static_cast<float>(1 - ab / std::sqrt(std::max(aa * bb, 1e-30)));
  }

  OwnClass own_class_;
  Sum box_iou_, mask_iou_, whole_, peaks_, chance_, named_, own_peaks_;
  std::vector<std::pair<float, bool>> patches_, pairs_;
};

}  // namespace

Json auroc(std::vector<std::pair<float, bool>> scores) {
  std::sort(scores.begin(), scores.end());
  double negatives = 0, positives = 0, above = 0;
  for (size_t begin = 0; begin < scores.size();) {
    double equal_negatives = 0, equal_positives = 0;
    size_t end = begin;
    for (; end < scores.size() && scores[end].first == scores[begin].first; ++end) {
      (scores[end].second ? equal_positives : equal_negatives) += 1;
    }
    above += equal_positives * (negatives + equal_negatives / 2);
    negatives += equal_negatives;
    positives += equal_positives;
    begin = end;
  }
  if (negatives == 0 || positives == 0) return {};
  return above / (negatives * positives);
}

Json label_quality(const QualityJob& job) {
  const auto& samples = job.dataset.samples();
  const auto total = static_cast<int64_t>(samples.size());
  const int64_t count = std::min(job.images, total), batch = job.labeler.batch();
  Figures figures(job.dataset.classes(), job.labeler.shape().channels);
  // Batches are added up in order, whichever finishes first, so that sums are bit-identical.
  std::map<int64_t, std::pair<std::vector<LabelInput>, std::vector<data::LabelMap>>> waiting;
  int64_t next = 0;
  std::mutex mutex;
  double busy = 0;
  parallel_for((count + batch - 1) / batch, 0, [&](int64_t number) {
    std::vector<LabelInput> inputs;
    for (int64_t i = number * batch; i < std::min(count, (number + 1) * batch); ++i) {
      const data::Sample& sample = samples[static_cast<size_t>(i * total / count)];
      inputs.push_back({sample, data::read_image(job.dataset.image_path(sample)), {}});
      if (!sample.mask.empty()) {
        inputs.back().mask = read_true_mask(job.dataset.mask_path(sample));
      }
    }
    const auto start = std::chrono::steady_clock::now();
    auto maps = job.labeler.label(inputs);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const std::lock_guard lock(mutex);
    busy += seconds.count();
    waiting.emplace(number, std::pair(std::move(inputs), std::move(maps)));
    for (; !waiting.empty() && waiting.begin()->first == next; ++next) {
      const auto& [labelled, their] = waiting.begin()->second;
      for (size_t i = 0; i < their.size(); ++i) figures.add(labelled[i], their[i], job.grid);
      waiting.erase(waiting.begin());
    }
  });
  Json json = figures.json();
  json["images"] = count;
  json["seconds_an_image"] = count > 0 ? busy / static_cast<double>(count) : 0.0;
  return json;
}

}  // namespace remixer::labelcache
