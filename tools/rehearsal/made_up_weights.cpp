// SPDX-License-Identifier: Apache-2.0
#include "tools/rehearsal/made_up_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/object_reader.h"
#include "base/random.h"
#include "core/dataset/dataset.h"
#include "core/io/safetensors.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/pins.h"
#include "labelcache/file/label_file_writer.h"
#include "labelcache/labelers/label_pin.h"

namespace remixer::rehearsal {
namespace {

// ReLabel's maps: five of ImageNet's classes per cell, 18 cells a side.
constexpr int kTopK = 5, kClasses = 1000, kCells = 18, kMaskSide = 128;

at::Tensor random_weight(at::IntArrayRef shape) {
  int64_t fan_in = 1;
  for (size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
  return at::randn(shape) * std::sqrt(2.0 / static_cast<double>(fan_in));
}

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

// BigBiGAN's U-Net, with the names that labelcache/weights/convert.py uses.
Tensors unet_tensors() {
  constexpr int64_t kWidths[] = {64, 128, 256, 512, 512};
  Tensors tensors;
  const auto pair = [&](const std::string& stage, int64_t in, int64_t out) {
    for (const int number : {0, 1}) {
      const std::string convolution = fmt::format("{}.{}.", stage, 3 * number);
      const std::string norm = fmt::format("{}.{}.", stage, 3 * number + 1);
      tensors.emplace_back(convolution + "weight", random_weight({out, number ? out : in, 3, 3}));
      tensors.emplace_back(convolution + "bias", at::zeros({out}));
      tensors.emplace_back(norm + "weight", at::ones({out}));
      tensors.emplace_back(norm + "bias", at::zeros({out}));
      tensors.emplace_back(norm + "running_mean", at::zeros({out}));
      tensors.emplace_back(norm + "running_var", at::ones({out}));
    }
  };
  pair("inc", 3, kWidths[0]);
  for (int level = 0; level < 4; ++level) {
    pair(fmt::format("down{}", level + 1), kWidths[level], kWidths[level + 1]);
  }
  int64_t channels = kWidths[4];
  for (int level = 0; level < 4; ++level) {
    const int64_t out = level == 3 ? kWidths[0] : kWidths[2 - level];
    pair(fmt::format("up{}", level + 1), channels + kWidths[3 - level], out);
    channels = out;
  }
  tensors.emplace_back("outc.weight", random_weight({2, kWidths[0], 1, 1}));
  tensors.emplace_back("outc.bias", at::zeros({2}));
  return tensors;
}

// U²-Net with the published widths: a stage's input, inner and output channels and its depth.
Tensors u2net_tensors() {
  struct Stage {
    const char* name;
    int depth;
    int64_t in, middle, out;
  };
  constexpr Stage kStages[] = {
      {"stage1", 7, 3, 32, 64},       {"stage2", 6, 64, 32, 128},     {"stage3", 5, 128, 64, 256},
      {"stage4", 4, 256, 128, 512},   {"stage5", 4, 512, 256, 512},   {"stage6", 4, 512, 256, 512},
      {"stage5d", 4, 1024, 256, 512}, {"stage4d", 4, 1024, 128, 256}, {"stage3d", 5, 512, 64, 128},
      {"stage2d", 6, 256, 32, 64},    {"stage1d", 7, 128, 16, 64}};
  Tensors tensors;
  const auto add = [&](const std::string& name, int64_t in, int64_t out, int64_t size) {
    tensors.emplace_back(name + ".weight", random_weight({out, in, size, size}));
    tensors.emplace_back(name + ".bias", at::zeros({out}));
  };
  for (const Stage& s : kStages) {
    const std::string name = s.name;
    add(name + ".in", s.in, s.out, 3);
    for (int level = 1; level <= s.depth; ++level) {
      add(fmt::format("{}.encoder.{}", name, level), level == 1 ? s.out : s.middle, s.middle, 3);
    }
    for (int level = 1; level < s.depth; ++level) {
      add(fmt::format("{}.decoder.{}", name, level), 2 * s.middle, level == 1 ? s.out : s.middle,
          3);
    }
  }
  const int64_t sides[] = {64, 64, 128, 256, 512, 512};
  for (int side = 1; side <= 6; ++side) add(fmt::format("side{}", side), sides[side - 1], 1, 3);
  add("outconv", 6, 1, 1);
  return tensors;
}

int64_t count(const Tensors& tensors) {
  int64_t number = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.find("running_") == std::string::npos) number += tensor.numel();
  }
  return number;
}

// A convolutional network with the outputs of a classifier of the same input: 1000 logits per cell
// of 32 pixels; or one saliency per pixel at a quarter of the side.
int64_t write_script(const fs::path& file, bool saliency) {
  torch::jit::Module module("network");
  const int64_t width = saliency ? 32 : 256, patch = saliency ? 4 : 32;
  const int64_t out = saliency ? 1 : kClasses;
  const Tensors tensors = {{"first", random_weight({width, 3, patch, patch})},
                           {"middle", random_weight({width, width, 3, 3})},
                           {"last", random_weight({out, width, 1, 1})}};
  for (const auto& [name, tensor] : tensors) module.register_parameter(name, tensor, false);
  module.define(
      fmt::format("def forward(self, x: Tensor):\n"
                  "    x = torch.relu(torch.conv2d(x, self.first, None, [{0}, {0}]))\n"
                  "    x = torch.relu(torch.conv2d(x, self.middle, None, [1, 1], [1, 1]))\n"
                  "    x = torch.conv2d(x, self.last)\n"
                  "    return {1}\n",
                  patch, saliency ? "torch.sigmoid(x)" : "x"));
  fs::create_directories(file.parent_path());
  module.save(file.string());
  return count(tensors);
}

data::LabelMap random_map(bool classes, uint64_t seed) {
  Random random(seed, RandomPurpose::kDataset);
  data::LabelMap map;
  map.height = map.width = classes ? kCells : kMaskSide;
  map.channels = classes ? kClasses : 1;
  map.top_k = classes ? kTopK : 0;
  const auto cells = static_cast<size_t>(map.height * map.width);
  for (size_t i = 0; i < cells; ++i) {
    if (!classes) {
      map.values.push_back(static_cast<float>(random.uniform()));
      continue;
    }
    const uint64_t first = random.below(kClasses - kTopK);
    for (int k = 0; k < kTopK; ++k) {
      map.values.push_back(static_cast<float>(8 - k) + static_cast<float>(random.uniform()));
      map.indices.push_back(static_cast<uint16_t>(first + static_cast<uint64_t>(k)));
    }
  }
  return map;
}

class WeightsMaker {
 public:
  WeightsMaker(const WeightsOrder& order, const fs::path& sources, const fs::path& workspace)
      : order_(order), sources_(sources), workspace_(workspace) {}

  MadeWeights make() {
    labelcache::Pin pin;
    if (!order_.from.empty()) {
      pin = order_.kind.starts_with("script_") ? labelcache::pin_script(order_.from, folder())
                                               : labelcache::pin_network(order_.from, folder());
    } else if (order_.kind.starts_with("imported_")) {
      pin = maps();
    } else if (order_.kind.starts_with("script_")) {
      pin = script();
    } else {
      pin = network(order_.kind == "bigbigan" ? unet_tensors() : u2net_tensors());
    }
    if (pin.kind != order_.kind) {
      fail_input("{}: made for labeler '{}', the grid wants '{}'", order_.from.string(), pin.kind,
                 order_.kind);
    }
    experiments::write_pin(workspace_, order_.name, {pin.kind, pin.key, pin.sha256});
    made_.key = pin.key;
    made_.sha256 = pin.sha256;
    return made_;
  }

 private:
  fs::path folder() const { return experiments::weights_folder(workspace_); }

  labelcache::Pin network(const Tensors& tensors) {
    made_.parameters = count(tensors);
    const std::string hash = sha256_hex("REHEARSAL " + order_.kind + " " + order_.name);
    const fs::path file = sources_ / fmt::format("{}-{:.16}.safetensors", order_.kind, hash);
    fs::create_directories(sources_);
    io::write_safetensors(file, tensors, {{"source", "REHEARSAL"}, {"source_sha256", hash}});
    return labelcache::pin_network(file, folder());
  }

  labelcache::Pin script() {
    const bool saliency = order_.kind == "script_saliency";
    const fs::path model = sources_ / (order_.name + ".pt");
    made_.parameters = write_script(model, saliency);
    made_.whole = false;
    const fs::path description = sources_ / (order_.name + ".toml");
    write_file_atomic(description, fmt::format("kind = \"{}\"\nmodel = \"{}\"\ninput_size = {}\n",
                                               saliency ? "saliency" : "classifier",
                                               model.filename().string(), order_.input_size));
    return labelcache::pin_script(description, folder());
  }

  labelcache::Pin maps() {
    const bool classes = order_.kind == "imported_maps";
    const labelcache::MapShape shape =
        classes ? labelcache::MapShape{kClasses, kTopK} : labelcache::MapShape{};
    std::vector<fs::path> files;
    for (const auto& [dataset, split] : order_.splits) {
      const auto found = experiments::folders_named(workspace_, dataset);
      if (found.size() != 1) fail_input("rehearsal: no data set '{}' was made", dataset);
      const auto images = data::Dataset::open(found.front(), split);
      const fs::path file = sources_ / order_.name / (split + ".labels");
      fs::create_directories(file.parent_path());
      labelcache::LabelFileWriter writer(file, {{{"name", order_.kind}, {"source", "REHEARSAL"}},
                                                "",
                                                images.content_hash(),
                                                split,
                                                static_cast<int64_t>(images.samples().size()),
                                                shape});
      for (size_t i = writer.samples(); i < images.samples().size(); ++i) {
        writer.add(images.samples()[i].id,
                   labelcache::encode_record(random_map(classes, i + 1), shape));
      }
      writer.finish();
      files.push_back(file);
    }
    return labelcache::pin_labels(files, folder());
  }

  const WeightsOrder& order_;
  const fs::path& sources_;
  const fs::path& workspace_;
  MadeWeights made_;
};

}  // namespace

WeightsOrder weights_order(const Json& json) {
  WeightsOrder order;
  std::string from;
  Json splits;
  ObjectReader v(json, "weights");
  v("kind", order.kind);
  v("name", order.name);
  v("from", from);
  v("input_size", order.input_size);
  v("splits", splits);
  v.finish();
  order.from = from;
  for (const Json& each : splits) order.splits.emplace_back(each.at(0), each.at(1));
  return order;
}

MadeWeights make_weights(const WeightsOrder& order, const fs::path& sources,
                         const fs::path& workspace) {
  return WeightsMaker(order, sources, workspace).make();
}

}  // namespace remixer::rehearsal
