// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/rates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "experiments/spec/components.h"

namespace remixer::experiments {
namespace {

constexpr double kBackward = 3;  // cost of forward and backward, in forward passes
// Operations per second that such models reach on the GPU of the table below and on one CPU core
// with AVX-512.
constexpr double kGpuOperations = 35e12, kProcessorOperations = 50e9;
// The same card's in convolutions of float32, a quarter of its peak.
constexpr double kGpuFloat32Operations = 9e12;

// timm's published training benchmark: images a second of one RTX 3090 in mixed precision.
struct Stated {
  const char* architecture;
  double images;
};
constexpr Stated kTraining[] = {{"deit_small_patch16_224", 1054},
                                {"deit_base_patch16_224", 391},
                                {"mixer_s16_224", 1543},
                                {"convit_small", 444},
                                {"convmixer_1024_20_ks9_p14", 308}};
constexpr const char* kTable = "stated: timm's training benchmark on an RTX 3090";

// Rough speeds of other GPUs relative to that one: of training in mixed precision, and of float32
// (the ratio of their peaks).
struct GpuSpeed {
  const char* model;
  double training, float32;
};
constexpr GpuSpeed kGpus[] = {{"3090", 1, 1},     {"4090", 1.9, 2.3},  {"a100", 2, 0.55},
                              {"h100", 3.4, 1.9}, {"h200", 3.6, 1.9},  {"gh200", 3.6, 1.9},
                              {"b200", 5, 2.2},   {"v100", 0.9, 0.44}, {"a6000", 1.1, 1.1},
                              {"a40", 1, 1.05},   {"l40s", 1.7, 2.6},  {"l40", 1.5, 2.5},
                              {"a30", 1.1, 0.29}, {"a10", 0.7, 0.88},  {"t4", 0.3, 0.23}};

GpuSpeed gpu_speed(const std::string& model) {
  std::string small = model;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  GpuSpeed found = kGpus[0];
  size_t longest = 0;
  for (const GpuSpeed& gpu : kGpus) {
    const size_t length = std::string_view(gpu.model).size();
    if (small.find(gpu.model) == small.npos || length <= longest) continue;
    found = gpu;
    longest = length;
  }
  return found;
}

// Relative cost of a step with masks: measured on CPUs (`remixer bench step`), a guess for GPUs.
double mask_cost(const Cell& cell, const Architecture& architecture, bool gpu) {
  if (!cell.is_remixer()) return 1;
  if (!gpu) return architecture.family == "mixer" ? 1.05 : 1.02;
  if (architecture.family == "convmixer") return 1.5;
  return cell.distance == "cosine" ? 1.25 : 1.1;
}

// On a CPU, a convolution over single channels (depthwise) reaches fewer operations per second than
// a matrix product.
double depthwise_extra(const Cell& cell, const Architecture& a) {
  if (a.family != "convmixer") return 0;
  constexpr double kSlower = 3;
  const auto size = cell.recipe.image_size > 0 ? cell.recipe.image_size : a.image_size;
  const double patches = std::pow(static_cast<double>(size) / static_cast<double>(a.patch), 2);
  return (kSlower - 1) * static_cast<double>(a.depth * a.kernel * a.kernel * a.dim) * patches;
}

std::string labels_of(const Cell& cell) {
  return cell.is_remixer() ? cell.distance : "none";
}

std::string train_key(const std::string& architecture, const std::string& prior,
                      const std::string& labels) {
  return fmt::format("train {} {} {}", architecture, prior, labels);
}

// CPU seconds to read and resize an image of that many pixels a side for a labeler.
double reading(int64_t image_size) {
  constexpr double kPhotograph = 0.008, kPhotographSide = 400;  // ImageNet's
  if (image_size <= 0) return kPhotograph;
  const double side = static_cast<double>(image_size) / kPhotographSide;
  return kPhotograph * std::min(1.0, side * side);
}

// CPU seconds per image on one core, measured on processors with AVX-512 if the network was
// available, else computed from its operations.
double stated_labelling(const LabelerSpec& labeler, const std::string& pinned, int64_t image_size) {
  const std::string& name = labeler.name;
  const auto side = [&](const char* parameter, double usual) {
    const double ratio =
        labeler.has(parameter) ? static_cast<double>(labeler.parameter(parameter)) / usual : 1;
    return ratio * ratio;
  };
  if (name == "saliency") return 0.06 * side("input_size", 96);
  if (name == "u2net") return 2.0 * side("input_size", 320);
  if (name == "bigbigan") return 0.3 * side("short_edge", 128);
  if (name == "relabel") return 0.032 * side("input_size", 224);
  if (name == "bbox_grabcut") {
    const double measured_at = 224, pixels = static_cast<double>(image_size > 0 ? image_size : 256);
    return 0.016 + 0.4 * side("scale", 1) * (pixels * pixels) / (measured_at * measured_at);
  }
  if (name == "script_relabel" && pinned.find("nfnet_f6") != pinned.npos) return 9.2;
  if (name == "masks" || name.starts_with("imported_")) return 0.003;
  return 0;
}

}  // namespace

double multiply_adds(const Architecture& a, int64_t image_size) {
  const double side = static_cast<double>(image_size > 0 ? image_size : a.image_size);
  const double patches = std::pow(side / static_cast<double>(a.patch), 2);
  const auto dim = static_cast<double>(a.dim), depth = static_cast<double>(a.depth);
  const auto patch = static_cast<double>(a.patch);
  const double embedding = patches * 3 * patch * patch * dim;
  if (a.family == "deit" || a.family == "convit") {
    return embedding + depth * patches * (12 * dim * dim + 2 * patches * dim);
  }
  if (a.family == "mixer") return embedding + depth * patches * (8 * dim * dim + dim * dim);
  if (a.family == "convmixer") {
    const auto kernel = static_cast<double>(a.kernel);
    return embedding + depth * patches * (dim * dim + kernel * kernel * dim);
  }
  return 0;
}

double parameters(const Architecture& a) {
  const auto dim = static_cast<double>(a.dim), depth = static_cast<double>(a.depth);
  const auto patch = static_cast<double>(a.patch);
  const double block = a.family == "deit" || a.family == "convit" ? 12 * dim * dim
                       : a.family == "mixer"                      ? 8.2 * dim * dim
                                             : dim * dim + 81 * (a.shared_kernel ? 1 : dim);
  return depth * block + 3 * patch * patch * dim + 1000 * dim;
}

void Rates::add(const Json& record, const std::string& from) {
  try {
    if (record.contains("ms_an_image")) {
      const std::string labels = record.at("labels");
      const bool gpu = record.value("device", std::string("cpu")).starts_with("cuda");
      const double units = gpu ? 1 : record.value("threads", 1.0);
      measured_.push_back({train_key(record.at("architecture"), "none",
                                     labels == "relabel"    ? "cosine"
                                     : labels == "saliency" ? "l1"
                                                            : "none"),
                           1000 / record.at("ms_an_image").get<double>() / units,
                           "measured: " + from, gpu, record.value("gpu", std::string())});
      return;
    }
    const bool gpu = record.at("gpu").get<bool>();
    const std::string model = record.value("model", std::string());
    for (const Json& each : record.at("training")) {
      measured_.push_back(
          {train_key(each.at("architecture"), each.at("spatial_prior"), each.at("labels")),
           each.at("images_a_second").get<double>() / each.at("units").get<double>(),
           "measured: " + from, gpu, model});
    }
    for (const Json& each : record.at("labelling")) {
      const std::string name = each.at("labeler");
      bytes_.emplace_back(name, each.at("bytes_an_image").get<double>());
      if (!each.at("whole").get<bool>()) continue;  // a smaller network was used in its place
      measured_.push_back(
          {"label " + name,
           each.at("images_a_second").get<double>() / each.at("units").get<double>(),
           "measured: " + from, false, ""});
    }
  } catch (const Json::exception&) {
    fail_input(
        "{}: neither a rehearsal's record nor what `remixer bench step --format json` prints",
        from);
  }
}

const Rates::Measured* Rates::find(const std::string& key, bool on_device) const {
  const Measured* best = nullptr;
  for (const Measured& each : measured_) {
    if (each.key != key) continue;
    const bool gpu = on_device && machine_.gpu;
    if (on_device && each.gpu != gpu) continue;
    if (gpu && !machine_.model.empty() && !each.model.empty() &&
        gpu_speed(each.model).training != gpu_speed(machine_.model).training) {
      continue;
    }
    best = &each;
  }
  return best;
}

Rate Rates::training(const Cell& cell) const {
  const std::string key = train_key(cell.architecture, cell.spatial_prior, labels_of(cell));
  if (const Measured* found = find(key, true)) return {found->images, found->basis};
  const Architecture& architecture = find_architecture(cell.architecture);
  const double work = multiply_adds(architecture, cell.recipe.image_size);
  const double mask = mask_cost(cell, architecture, machine_.gpu);
  if (work == 0) return {};
  if (!machine_.gpu) {
    return {kProcessorOperations / (2 * kBackward * (work + depthwise_extra(cell, architecture))) /
                mask,
            "stated: 50 GFLOP/s a processor with AVX-512"};
  }
  const double speed = gpu_speed(machine_.model).training;
  const std::string times =
      speed == 1 ? "" : fmt::format(", times {:g} for {}", speed, machine_.model);
  const bool gated = cell.spatial_prior == "convit";
  for (const Stated& stated : kTraining) {
    if (!gated && cell.architecture == stated.architecture) {
      return {stated.images * speed / mask, kTable + times};
    }
  }
  // ConViT's gates cost more than their operation count suggests.
  const double images = gated ? 444 * multiply_adds(find_architecture("convit_small"), 0) / work
                              : kGpuOperations / (2 * kBackward * work);
  return {images * speed / mask,
          fmt::format("stated: by its operations, from the same benchmark{}", times)};
}

Rate Rates::evaluation(const Cell& cell) const {
  Rate rate = training(cell);
  rate.images *= kBackward / (machine_.gpu ? 2 : 1);  // evaluation runs in fp32
  return rate;
}

LabelCost Rates::labelling(const LabelerSpec& labeler, const std::string& pinned,
                           int64_t image_size) const {
  const std::string& name = labeler.name;
  const bool on_gpu = machine_.gpu && labeler.has_weights();
  const Measured* found = on_gpu ? nullptr : find("label " + name, false);
  if (found && found->images > 0)
    return {.processor_seconds = 1 / found->images, .basis = found->basis};
  const double seconds = stated_labelling(labeler, pinned, image_size);
  if (seconds == 0) return {};
  if (!on_gpu) {
    return {.processor_seconds = seconds,
            .basis = fmt::format("stated: {:.2g} s of a processor an image", seconds)};
  }
  // What is left after reading are the network's operations; the GPU runs them in float32.
  const double read = std::min(seconds, reading(image_size));
  const double device = (seconds - read) * kProcessorOperations /
                        (kGpuFloat32Operations * gpu_speed(machine_.model).float32);
  return {.processor_seconds = read,
          .device_seconds = device,
          .basis = fmt::format("stated: {:.2g} ms of a GPU an image, by the network's operations, "
                               "and {:.2g} ms of a processor to read it",
                               1000 * device, 1000 * read)};
}

double Rates::bytes_a_map(const LabelerSpec& labeler) const {
  const std::string& name = labeler.name;
  for (auto each = bytes_.rbegin(); each != bytes_.rend(); ++each) {
    if (each->first == name) return each->second;
  }
  if (name == "relabel") return 790;
  if (name == "script_relabel" || name == "imported_maps") return 3900;
  if (name == "bbox_grabcut" || name == "masks") return 1500;
  return 6000;
}

}  // namespace remixer::experiments
